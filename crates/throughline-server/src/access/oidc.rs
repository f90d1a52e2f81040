//! Signing in with an account elsewhere: OpenID Connect, authorisation code flow with PKCE, state and nonce.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IdTokenClaims, IdTokenFields, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, StandardErrorResponse, StandardTokenResponse, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use throughline_govern::{Role, SignOff};
use throughline_ledger::{AuditEntry, User};

use super::names::{adopted_display_name, adopted_name};
use super::secret::{new_id, random_hex};
use crate::app::Shared;
use crate::problem::ApiError;
use crate::settings::OidcConfig;
use crate::work::apply::texts;

/// How long a person may take at the provider.
const PATIENCE: Duration = Duration::from_mins(10);
/// How many sign-ins may be under way.
const UNDER_WAY: usize = 10_000;

/// Claims beyond the standard ones.
#[derive(Debug, Clone, Deserialize, Serialize)]
struct Extra {
    #[serde(flatten)]
    all: Map<String, Value>,
}
impl AdditionalClaims for Extra {}

type Fields = IdTokenFields<
    Extra,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Client = openidconnect::Client<
    Extra,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A sign-in under way.
struct Pending {
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    /// Hash of the cookie of the browser that began it.
    browser: [u8; 32],
    begun: Instant,
}

/// A provider people may sign in with.
pub(crate) struct Provider {
    config: OidcConfig,
    secret: Option<ClientSecret>,
    http: reqwest::Client,
    pending: Mutex<HashMap<String, Pending>>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.config.issuer).finish_non_exhaustive()
    }
}

/// Where to send the browser, and the cookie that ties the way back to it.
pub(crate) struct Begun {
    pub(crate) url: String,
    pub(crate) browser: String,
}

impl Provider {
    /// A provider as configured; `secret` is the value behind `client_secret_env`.
    pub(crate) fn new(config: OidcConfig, secret: Option<String>) -> Result<Self, ApiError> {
        let http = reqwest::ClientBuilder::new()
            // A redirect could lead our requests anywhere.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(10))
            .build()
            .map_err(ApiError::inside)?;
        Ok(Self { config, secret: secret.map(ClientSecret::new), http, pending: Mutex::default() })
    }

    pub(crate) fn id(&self) -> &str {
        &self.config.id
    }

    pub(crate) fn label(&self) -> &str {
        &self.config.label
    }

    /// The provider's keys and addresses are read at each sign-in, so that its key changes need no restart.
    async fn client(&self, app: &Shared) -> Result<Client, ApiError> {
        let issuer = IssuerUrl::new(self.config.issuer.clone()).map_err(ApiError::inside)?;
        let metadata = CoreProviderMetadata::discover_async(issuer, &self.http).await.map_err(ApiError::inside)?;
        let back = format!("{}/api/v1/oidc/{}/callback", app.settings.public_url, self.config.id);
        let back = RedirectUrl::new(back).map_err(ApiError::inside)?;
        let client_id = ClientId::new(self.config.client_id.clone());
        Ok(Client::from_provider_metadata(metadata, client_id, self.secret.clone()).set_redirect_uri(back))
    }

    /// Begins a sign-in.
    pub(crate) async fn begin(&self, app: &Shared) -> Result<Begun, ApiError> {
        let client = self.client(app).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .set_pkce_challenge(challenge)
            .add_scope(Scope::new("profile".into()))
            .add_scope(Scope::new("email".into()));
        for scope in &self.config.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.url();
        let browser = random_hex(32)?;
        let pending = Pending { nonce, verifier, browser: digest(&browser), begun: Instant::now() };
        let mut all = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, p| p.begun.elapsed() < PATIENCE);
        if all.len() >= UNDER_WAY {
            return Err(ApiError::TooMany { seconds: PATIENCE.as_secs() });
        }
        all.insert(state.secret().clone(), pending);
        Ok(Begun { url: url.to_string(), browser })
    }

    /// Ends a sign-in: the account behind what came back.
    pub(crate) async fn finish(
        &self,
        app: &Shared,
        state: &str,
        code: String,
        browser: &str,
    ) -> Result<User, ApiError> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner).remove(state);
        let pending = pending.filter(|p| p.begun.elapsed() < PATIENCE && p.browser == digest(browser));
        let pending = pending.ok_or(ApiError::ForeignRequest { why: "this sign-in was not begun in this browser" })?;
        let client = self.client(app).await?;
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(ApiError::inside)?
            .set_pkce_verifier(pending.verifier)
            .request_async(&self.http)
            .await
            .map_err(|e| refused("the provider refused the code", &e))?;
        let token = answer.id_token().ok_or(ApiError::WrongCredentials)?;
        let claims = token
            .claims(&client.id_token_verifier(), &pending.nonce)
            .map_err(|e| refused("the provider's token does not hold", &e))?;
        self.account(app, claims).await
    }

    /// The account of a person, made at the first sign-in; rights follow the provider's groups at each.
    async fn account(&self, app: &Shared, claims: &IdTokenClaims<Extra, CoreGenderClaim>) -> Result<User, ApiError> {
        let subject = claims.subject().as_str();
        let (roles, sign_offs) = self.rights(&groups(&claims.additional_claims().all, &self.config.groups_claim));
        if roles.is_empty() {
            return Err(ApiError::Forbidden { why: "your groups at the provider give no role here".to_owned() });
        }
        let issuer = claims.issuer().as_str();
        let given = claims
            .preferred_username()
            .map(|n| n.as_str())
            .or_else(|| claims.email().map(|e| e.as_str()))
            .unwrap_or(subject);
        let name = adopted_name(given, self.id());
        let display_name = claims.name().and_then(|n| n.get(None)).map_or("", |n| n.as_str());
        let display_name = adopted_display_name(display_name, &name);
        let actor = format!("provider {}", self.id());
        let now = app.now();
        let payload = json!({ "user": name, "issuer": issuer, "roles": roles, "sign_offs": sign_offs });
        if let Some(known) = app.ledger().user_of_oidc(issuer, subject).await? {
            if known.disabled {
                return Err(ApiError::WrongCredentials);
            }
            let next = User { display_name, roles: texts(&roles), sign_offs: texts(&sign_offs), ..known.clone() };
            if next != known {
                let entry = AuditEntry { kind: "user_changed", actor: &actor, payload: &payload, at: now };
                app.ledger().change_user(&next, true, entry).await?;
            }
            return Ok(next);
        }
        let id = new_id()?;
        let user = User {
            // A name that somebody else has is not given away.
            name: match app.ledger().user_named(&name).await? {
                Some(_) => format!("{name}@{}-{}", self.id(), id.chars().take(8).collect::<String>()),
                None => name,
            },
            id,
            display_name,
            roles: texts(&roles),
            sign_offs: texts(&sign_offs),
            password_hash: None,
            oidc: Some((issuer.to_owned(), subject.to_owned())),
            disabled: false,
            created_at: now,
            last_seen_at: None,
        };
        let entry = AuditEntry { kind: "user_added", actor: &actor, payload: &payload, at: now };
        app.ledger().add_user(&user, entry).await?;
        Ok(user)
    }

    fn rights(&self, groups: &BTreeSet<String>) -> (Vec<Role>, Vec<SignOff>) {
        let mut roles: BTreeSet<Role> = self.config.default_roles.iter().copied().collect();
        let mut sign_offs = BTreeSet::new();
        for group in groups {
            roles.extend(self.config.roles.get(group).into_iter().flatten());
            sign_offs.extend(self.config.sign_offs.get(group).into_iter().flatten().copied());
        }
        (roles.into_iter().collect(), sign_offs.into_iter().collect())
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Logs why and tells the caller no more than that it failed.
fn refused(what: &'static str, error: &(dyn std::error::Error + 'static)) -> ApiError {
    tracing::warn!(error = %crate::problem::chain(error), what, "sign-in with a provider failed");
    ApiError::WrongCredentials
}

/// The groups in a claim: a list of texts, or one text.
fn groups(claims: &Map<String, Value>, name: &str) -> BTreeSet<String> {
    match claims.get(name) {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(one)) => BTreeSet::from([one.clone()]),
        _ => BTreeSet::new(),
    }
}
