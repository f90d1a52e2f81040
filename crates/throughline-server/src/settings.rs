//! `server.yaml` of a project and the flags of `throughline serve`: where to listen, how people sign in, where traces go.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::Deserialize;
use throughline_core::Diagnostic;
use throughline_govern::{Role, SignOff};

/// The port of the studio.
pub const DEFAULT_PORT: u16 = 7171;

/// `server.yaml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Version of the file format.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `Server`.
    pub kind: String,
    /// Where people reach the studio, such as `https://studio.example.com`, when a proxy stands before it.
    pub public_url: Option<String>,
    /// Where traces are sent over OTLP/HTTP, such as `http://127.0.0.1:4318/v1/traces`.
    pub traces: Option<String>,
    /// Identity providers people may sign in with.
    pub oidc: Vec<OidcConfig>,
}

/// An OpenID Connect provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcConfig {
    /// Name in addresses: letters, digits, `_` and `-`.
    pub id: String,
    /// Name on the button.
    pub label: String,
    /// The issuer, whose `/.well-known/openid-configuration` is read.
    pub issuer: String,
    /// Client id.
    pub client_id: String,
    /// Environment variable with the client secret; none for public clients.
    #[serde(default)]
    pub client_secret_env: Option<String>,
    /// Further scopes to ask for, such as `groups`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Claim with the groups of a person.
    #[serde(default = "default_claim")]
    pub groups_claim: String,
    /// Roles by group. People without any of these groups may not sign in, unless `default_roles` says so.
    #[serde(default)]
    pub roles: BTreeMap<String, Vec<Role>>,
    /// Sign-offs by group.
    #[serde(default)]
    pub sign_offs: BTreeMap<String, Vec<SignOff>>,
    /// Roles of everybody whom the provider lets in.
    #[serde(default)]
    pub default_roles: Vec<Role>,
}

fn default_claim() -> String {
    "groups".into()
}

impl ServerConfig {
    /// Reads `server.yaml`.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        throughline_run::project::parse_yaml(text, "server.yaml")
    }
}

/// How to serve.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address to listen on; loopback unless told otherwise.
    pub address: SocketAddr,
    /// Where people reach the studio, without a slash at the end.
    pub public_url: String,
    /// The rest.
    pub config: ServerConfig,
}

impl Settings {
    /// Listens on loopback, and on the port given (0 for any free one).
    pub fn new(config: ServerConfig, host: Option<IpAddr>, port: u16) -> Self {
        let address = SocketAddr::new(host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), port);
        let mut settings = Self { address, public_url: String::new(), config };
        settings.listening_on(address);
        settings
    }

    /// Tells the address that was given by the system.
    pub fn listening_on(&mut self, address: SocketAddr) {
        self.address = address;
        let url = self.config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        url.trim_end_matches('/').clone_into(&mut self.public_url);
    }

    /// Whether people come over TLS, so that cookies can be kept to it.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The origins of our own pages.
    pub fn origins(&self) -> Vec<String> {
        let port = self.address.port();
        let mut origins = vec![self.public_url.clone()];
        if self.address.ip().is_loopback() {
            origins.extend([format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}")]);
        }
        origins
    }
}
