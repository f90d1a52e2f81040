//! Signing in with an account elsewhere, against a provider of the test's own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use throughline_server::ServerConfig;

use crate::Outcome;
use crate::house::House;

/// What the provider will say, and what it was asked.
#[derive(Default)]
struct Said {
    issuer: String,
    nonce: String,
    challenge: String,
    groups: Vec<&'static str>,
    audience: &'static str,
    wrong_key: bool,
}
type Provider = Arc<Mutex<Said>>;

fn key(said: &Said) -> SigningKey {
    SigningKey::from_bytes(&[if said.wrong_key { 2 } else { 1 }; 32])
}

async fn metadata(State(provider): State<Provider>) -> Json<Value> {
    let issuer = provider.lock().expect("provider").issuer.clone();
    Json(json!({ "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"] }))
}

async fn keys() -> Json<Value> {
    let public = SigningKey::from_bytes(&[1; 32]).verifying_key();
    Json(json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k",
        "x": URL_SAFE_NO_PAD.encode(public.as_bytes()) }] }))
}

async fn token(State(provider): State<Provider>, Form(form): Form<BTreeMap<String, String>>) -> Json<Value> {
    let said = provider.lock().expect("provider");
    let verifier = form.get("code_verifier").cloned().unwrap_or_default();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    if challenge != said.challenge {
        return Json(json!({ "error": "invalid_grant" }));
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let head = URL_SAFE_NO_PAD.encode(json!({ "alg": "EdDSA", "kid": "k" }).to_string());
    let claims = json!({ "iss": said.issuer, "sub": "u-1", "aud": said.audience, "exp": now + 300, "iat": now,
        "nonce": said.nonce, "preferred_username": "rosa", "name": "Rosa", "groups": said.groups });
    let text = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(key(&said).sign(text.as_bytes()).to_bytes());
    Json(json!({ "access_token": "a", "token_type": "Bearer", "id_token": format!("{text}.{signature}") }))
}

async fn provider() -> Result<Provider, Box<dyn std::error::Error>> {
    let provider = Provider::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    {
        let mut said = provider.lock().expect("provider");
        said.issuer = format!("http://{}", listener.local_addr()?);
        said.audience = "throughline";
    }
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/keys", get(keys))
        .route("/token", post(token))
        .with_state(Arc::clone(&provider));
    tokio::spawn(async move { drop(axum::serve(listener, router).await) });
    Ok(provider)
}

fn config(issuer: &str) -> Result<ServerConfig, Box<dyn std::error::Error>> {
    let text = format!(
        "apiVersion: throughline/v1\nkind: Server\noidc:\n  - id: idp\n    label: Company\n    issuer: {issuer}\n    \
         client_id: throughline\n    roles: {{ marketing: [marketer], boss: [approver] }}\n    \
         sign_offs: {{ money: [finance] }}\n"
    );
    Ok(ServerConfig::parse(&text).map_err(|d| d.to_string())?)
}

/// Goes to the provider and comes back; the status, and the session cookie when there is one.
async fn sign_in(
    house: &House,
    provider: &Provider,
    change: impl Fn(&mut String, &mut String),
) -> Result<(u16, String), Box<dyn std::error::Error>> {
    let start = house.nobody().get("/api/v1/oidc/idp/start").await?;
    assert_eq!(start.status, 303, "{}", start.body);
    let url = reqwest::Url::parse(start.header("location"))?;
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    {
        let mut said = provider.lock().expect("provider");
        said.nonce.clone_from(&query["nonce"]);
        said.challenge.clone_from(&query["code_challenge"]);
    }
    assert_eq!(query["code_challenge_method"], "S256");
    let mut state = query["state"].clone();
    let mut cookie = start.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    change(&mut state, &mut cookie);
    let path = format!("/api/v1/oidc/idp/callback?code=c&state={state}");
    let back = house.nobody().and("cookie", &cookie).get(&path).await?;
    Ok((back.status, back.header("set-cookie").split(';').next().unwrap_or_default().to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_elsewhere_and_has_the_rights_of_their_groups() -> Outcome {
    let provider = provider().await?;
    let issuer = provider.lock().expect("provider").issuer.clone();
    let house = House::with(config(&issuer)?, &[]).await?;
    house.admin().await?;
    let methods = house.nobody().get("/api/v1/sign-in").await?.json()?;
    assert_eq!(methods["methods"]["oidc"], json!([{ "id": "idp", "label": "Company" }]));

    provider.lock().expect("provider").groups = vec!["marketing", "money"];
    let (status, cookie) = sign_in(&house, &provider, |_, _| {}).await?;
    assert_eq!(status, 303);
    let session = house.nobody().and("cookie", &cookie).get("/api/v1/session").await?.json()?;
    let user = &session["user"];
    assert_eq!(
        (&user["name"], &user["roles"], &user["sign_offs"]),
        (&json!("rosa"), &json!(["marketer"]), &json!(["finance"]))
    );

    // Other groups at the next sign-in: other rights, and the session with the old ones ends.
    provider.lock().expect("provider").groups = vec!["boss"];
    let (_, later) = sign_in(&house, &provider, |_, _| {}).await?;
    let session = house.nobody().and("cookie", &later).get("/api/v1/session").await?.json()?;
    assert_eq!(session["user"]["roles"], json!(["approver"]));
    assert_eq!(house.nobody().and("cookie", &cookie).get("/api/v1/session").await?.status, 401);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_hold_is_refused() -> Outcome {
    let provider = provider().await?;
    let issuer = provider.lock().expect("provider").issuer.clone();
    let house = House::with(config(&issuer)?, &[]).await?;
    house.admin().await?;
    provider.lock().expect("provider").groups = vec!["marketing"];
    let other_browser = |_: &mut String, cookie: &mut String| *cookie = "throughline_oidc=other".into();
    assert_eq!(sign_in(&house, &provider, other_browser).await?.0, 403, "another browser");
    let other_state = |state: &mut String, _: &mut String| *state = "other".into();
    assert_eq!(sign_in(&house, &provider, other_state).await?.0, 403, "another state");
    provider.lock().expect("provider").wrong_key = true;
    assert_eq!(sign_in(&house, &provider, |_, _| {}).await?.0, 401, "another key");
    provider.lock().expect("provider").wrong_key = false;
    provider.lock().expect("provider").audience = "somebody else";
    assert_eq!(sign_in(&house, &provider, |_, _| {}).await?.0, 401, "another client's token");
    provider.lock().expect("provider").audience = "throughline";
    provider.lock().expect("provider").groups = vec!["cleaning"];
    assert_eq!(sign_in(&house, &provider, |_, _| {}).await?.0, 403, "no role");
    assert_eq!(house.nobody().get("/api/v1/oidc/other/start").await?.status, 404);
    Ok(())
}
