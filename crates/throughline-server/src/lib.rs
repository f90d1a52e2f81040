#![doc = include_str!("../README.md")]

mod error;

mod diagnostics;

mod problem;

mod clock;

mod settings;

mod telemetry;

mod app;

mod access;

mod http;

mod api;

mod work;

mod studio;

mod serve;

pub use access::{first_link, sign_in_link};
pub use app::{App, Shared};
pub use clock::{holder, system as system_clock};
pub use error::ServeError;
pub use problem::{ApiError, Problem};
pub use serve::Server;
pub use settings::{DEFAULT_PORT, OidcConfig, ServerConfig, Settings};
pub use telemetry::{Telemetry, begin as begin_telemetry};

/// The OpenAPI document of the server.
pub fn openapi() -> &'static serde_json::Value {
    api::document()
}
