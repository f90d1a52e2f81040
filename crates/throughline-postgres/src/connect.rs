//! Connecting.

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use crate::PostgresAddress;

/// Why a database cannot be spoken to.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to {place}")]
pub struct ConnectError {
    /// Which database.
    pub place: String,
    /// The answer, if there was one.
    #[source]
    pub source: sqlx::Error,
}

impl PostgresAddress {
    /// Options for connections that begin with these settings of the server.
    pub fn options(&self, settings: &[(&str, &str)]) -> PgConnectOptions {
        self.options.as_ref().clone().options(settings.iter().copied())
    }

    /// Connects, within the time that the address gives.
    pub async fn connect(&self, settings: &[(&str, &str)]) -> Result<PgConnection, ConnectError> {
        // Two providers are in the tree, so one must be chosen; where the process has chosen already, that one stays.
        drop(rustls::crypto::ring::default_provider().install_default());
        let failed = |source| ConnectError { place: self.to_string(), source };
        match tokio::time::timeout(self.timeout, self.options(settings).connect()).await {
            Ok(connected) => connected.map_err(failed),
            Err(_) => Err(failed(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))),
        }
    }
}
