//! The way to an identity provider and back.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Query;
use crate::access::begin_session;
use crate::access::oidc::Provider;
use crate::app::Shared;
use crate::problem::{ApiError, Problem};

/// Ties the way back to the browser that left. `Lax`, because the way back comes from another site.
const COOKIE: &str = "throughline_oidc";

fn provider<'a>(app: &'a Shared, id: &str) -> Result<&'a Provider, ApiError> {
    app.providers.iter().find(|p| p.id() == id).ok_or_else(|| ApiError::not_found(format!("provider `{id}`")))
}

fn redirect(to: &str, cookies: &[String]) -> Result<Response, ApiError> {
    let mut headers = HeaderMap::new();
    headers.insert(header::LOCATION, HeaderValue::from_str(to).map_err(ApiError::inside)?);
    for cookie in cookies {
        headers.append(header::SET_COOKIE, HeaderValue::from_str(cookie).map_err(ApiError::inside)?);
    }
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// Leads to the provider.
#[utoipa::path(get, path = "/oidc/{provider}/start", operation_id = "startOidc", tag = "session", security(()),
    params(("provider" = String, Path, description = "Id of the provider")),
    responses((status = 303), (status = 404, body = Problem)))]
pub(crate) async fn start_oidc(State(app): State<Shared>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let begun = provider(&app, &id)?.begin(&app).await?;
    let secure = if app.settings.is_https() { "; Secure" } else { "" };
    let path = format!("/api/v1/oidc/{id}");
    let cookie = format!("{COOKIE}={}; Path={path}; HttpOnly; SameSite=Lax; Max-Age=600{secure}", begun.browser);
    redirect(&begun.url, &[cookie])
}

/// What the provider sends back.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Back {
    /// The state given on the way there.
    state: Option<String>,
    /// The code to be exchanged.
    code: Option<String>,
    /// Why the provider refused.
    error: Option<String>,
}

/// Signs in with what the provider sent back, and leads to the studio.
#[utoipa::path(get, path = "/oidc/{provider}/callback", operation_id = "finishOidc", tag = "session", security(()),
    params(("provider" = String, Path, description = "Id of the provider"), Back),
    responses((status = 303), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn finish_oidc(
    State(app): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> Result<Response, ApiError> {
    let provider = provider(&app, &id)?;
    let (Some(state), Some(code), None) = (back.state, back.code, back.error) else {
        return Err(ApiError::WrongCredentials);
    };
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    let mut pairs = cookies.filter_map(|pair| pair.trim().split_once('='));
    let browser = pairs.find(|(name, _)| *name == COOKIE).map_or("", |(_, value)| value);
    let user = provider.finish(&app, &state, code, browser).await?;
    let (_, _, set) = begin_session(&app, &user, &format!("oidc {id}")).await?;
    let session = set.to_str().map_err(ApiError::inside)?.to_owned();
    let gone = format!("{COOKIE}=; Path=/api/v1/oidc/{id}; HttpOnly; SameSite=Lax; Max-Age=0");
    redirect("/", &[session, gone])
}
