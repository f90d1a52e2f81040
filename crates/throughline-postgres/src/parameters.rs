//! What a URL may say behind its `?`.

use std::path::Path;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use throughline_core::diagnostic::closest;
use url::Url;

use crate::AddressError;
use crate::address::refused;

/// Parameters that a URL may carry behind its `?`.
const PARAMETERS: [&str; 7] =
    ["sslmode", "sslrootcert", "sslcert", "sslkey", "schema", "connect_timeout", "application_name"];
const SSL_MODES: [(&str, PgSslMode); 5] = [
    ("disable", PgSslMode::Disable),
    ("prefer", PgSslMode::Prefer),
    ("require", PgSslMode::Require),
    ("verify-ca", PgSslMode::VerifyCa),
    ("verify-full", PgSslMode::VerifyFull),
];

/// The parameters of a URL, each known and given once.
pub(crate) struct Parameters(Vec<(&'static str, String)>);

impl Parameters {
    pub(crate) fn read(url: &Url) -> Result<Self, AddressError> {
        let mut read: Vec<(&'static str, String)> = Vec::new();
        for (key, value) in url.query_pairs() {
            let Some(name) = PARAMETERS.into_iter().find(|p| *p == key) else {
                let close = closest(&key, PARAMETERS).map(|p| format!("; did you mean `{p}`?")).unwrap_or_default();
                return Err(refused(format!(
                    "it has a parameter that is not known (known: {}){close}",
                    PARAMETERS.join(", ")
                )));
            };
            if read.iter().any(|(other, _)| *other == name) {
                return Err(refused(format!("`{name}` is given twice")));
            }
            if value.is_empty() || value.chars().any(char::is_control) {
                return Err(refused(format!("`{name}` is empty or holds a control character")));
            }
            read.push((name, value.into_owned()));
        }
        Ok(Self(read))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn tls(&self, mut options: PgConnectOptions, local: bool) -> Result<PgConnectOptions, AddressError> {
        let mode = self.get("sslmode").unwrap_or(if local { "prefer" } else { "verify-full" });
        let known = || SSL_MODES.map(|(name, _)| name).join(", ");
        let (_, mode) = SSL_MODES
            .into_iter()
            .find(|(name, _)| *name == mode)
            .ok_or_else(|| refused(format!("`sslmode` is none of {}", known())))?;
        options = options.ssl_mode(mode);
        for name in ["sslrootcert", "sslcert", "sslkey"] {
            let Some(path) = self.get(name) else { continue };
            if !Path::new(path).is_file() {
                return Err(refused(format!("`{name}` names no file")));
            }
            options = match name {
                "sslrootcert" => options.ssl_root_cert(path),
                "sslcert" => options.ssl_client_cert(path),
                _ => options.ssl_client_key(path),
            };
        }
        if self.get("sslcert").is_some() != self.get("sslkey").is_some() {
            return Err(refused("`sslcert` and `sslkey` go together"));
        }
        Ok(options)
    }

    /// A plain name, so that it can stand in SQL and in the search path.
    pub(crate) fn schema(&self) -> Result<Option<String>, AddressError> {
        let Some(schema) = self.get("schema") else { return Ok(None) };
        let plain = schema.starts_with(|c: char| c.is_ascii_lowercase())
            && schema.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && schema.len() <= 63
            && !schema.starts_with("pg_")
            && schema != "information_schema";
        if plain {
            Ok(Some(schema.to_owned()))
        } else {
            Err(refused("`schema` is no plain name of small letters, digits and `_`"))
        }
    }

    pub(crate) fn timeout(&self) -> Result<Duration, AddressError> {
        let seconds = self.get("connect_timeout").map_or(Ok(10), str::parse).ok().filter(|s| (1..=600).contains(s));
        seconds.map(Duration::from_secs).ok_or_else(|| refused("`connect_timeout` is not within 1 to 600 seconds"))
    }
}
