//! Why a server does not start or does not go on.

use std::net::SocketAddr;

/// Errors of serving.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be used.
    #[error("cannot listen on {address}; is another server running? (`--port` chooses another port)")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The access rules are broken.
    #[error(transparent)]
    Govern(#[from] throughline_govern::GovernError),
    /// The project or its stores cannot be used.
    #[error(transparent)]
    Run(#[from] throughline_run::RunError),
    /// A route and the access rules do not agree.
    #[error("routes and access rules do not agree: {detail}")]
    Rules {
        /// Which ones.
        detail: String,
    },
    /// Logs, metrics or traces cannot be set up.
    #[error("telemetry: {detail}")]
    Telemetry {
        /// Why.
        detail: String,
    },
    /// A secret is not in the environment.
    #[error("environment variable {name}, named in server.yaml, is not set")]
    NoSecret {
        /// Its name.
        name: String,
    },
    /// Something inside failed.
    #[error("the server could not begin")]
    Begin(#[from] crate::problem::ApiError),
}
