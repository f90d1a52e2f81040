//! The routes: one file a resource, each with its shapes. The document is made from them.

mod approvals;
mod attribution;
mod audit;
mod body;
mod breakdown;
mod consent;
mod conversions;
mod decisions;
mod document;
mod evidence;
mod experiments;
mod line;
mod matches;
mod oidc;
mod page;
mod part;
mod paths;
mod persons;
mod runs;
mod safety;
mod session;
pub(crate) mod shapes;
mod sources;
mod sql;
mod stream;
mod system;
mod tokens;
mod users;

pub(crate) use body::{Body, Query};
pub(crate) use document::document;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Shared;

/// Where the API lives.
pub(crate) const BASE: &str = "/api/v1";

#[derive(OpenApi)]
#[openapi(
    info(title = "Throughline", description = "Every customer signal along one traceable line."),
    components(schemas(crate::problem::Problem)),
    security(("session" = []), ("token" = []))
)]
struct Document;

/// All routes and their document.
pub(crate) fn routes() -> OpenApiRouter<Shared> {
    let api = OpenApiRouter::new()
        .routes(routes!(session::sign_in_methods))
        .routes(routes!(session::create_session, session::get_session, session::delete_session))
        .routes(routes!(session::change_own_password))
        .routes(routes!(oidc::start_oidc))
        .routes(routes!(oidc::finish_oidc))
        .routes(routes!(line::get_line))
        .routes(routes!(runs::list_runs, runs::start_run))
        .routes(routes!(runs::get_current_run, runs::cancel_run))
        .routes(routes!(runs::get_run))
        .routes(routes!(runs::get_run_page))
        .routes(routes!(stream::stream_events))
        .routes(routes!(safety::freeze, safety::unfreeze))
        .routes(routes!(attribution::get_attribution))
        .routes(routes!(breakdown::list_cells))
        .routes(routes!(breakdown::list_bridges))
        .routes(routes!(paths::list_paths))
        .routes(routes!(consent::get_consent))
        .routes(routes!(sources::list_sources))
        .routes(routes!(conversions::list_conversions))
        .routes(routes!(conversions::explain_conversion))
        .routes(routes!(decisions::list_decisions))
        .routes(routes!(decisions::explain_decision))
        .routes(routes!(matches::list_matches))
        .routes(routes!(matches::draw_matches))
        .routes(routes!(matches::open_records))
        .routes(routes!(matches::decide_match))
        .routes(routes!(matches::get_match_accuracy))
        .routes(routes!(evidence::list_all))
        .routes(routes!(evidence::approve))
        .routes(routes!(evidence::retire))
        .routes(routes!(experiments::list_experiments))
        .routes(routes!(persons::explain_person))
        .routes(routes!(persons::reveal_identifiers))
        .routes(routes!(approvals::list_approvals, approvals::request_approval))
        .routes(routes!(approvals::get_approval))
        .routes(routes!(approvals::vote_approval))
        .routes(routes!(approvals::comment_approval))
        .routes(routes!(approvals::withdraw_approval))
        .routes(routes!(audit::list_audit))
        .routes(routes!(audit::get_audit_head))
        .routes(routes!(audit::verify_audit))
        .routes(routes!(audit::get_audit_record))
        .routes(routes!(audit::prove_audit))
        .routes(routes!(audit::export_audit))
        .routes(routes!(users::list_users, users::create_user))
        .routes(routes!(users::change_user))
        .routes(routes!(tokens::list_tokens, tokens::create_token))
        .routes(routes!(tokens::revoke_token))
        .routes(routes!(system::list_configuration))
        .routes(routes!(system::get_open_api));
    let mut all = OpenApiRouter::with_openapi(Document::openapi())
        .nest(BASE, api)
        .routes(routes!(system::get_health))
        .routes(routes!(system::get_readiness))
        .routes(routes!(system::get_metrics));
    let document = all.get_openapi_mut();
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    let components = document.components.get_or_insert_default();
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::access::COOKIE)));
    components.security_schemes.insert("session".into(), cookie.into());
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    components.security_schemes.insert("token".into(), bearer.into());
    all
}
