//! The address of a database: a `postgres://` URL, taken apart by us.
//!
//! The URL holds a password, so nothing of it is repeated in errors but what cannot be part of one: the host, the database
//! and names that we know. A password with an unescaped `/`, `?`, `#` or `@` is recognised by what it does to the rest.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use url::Url;

use crate::parameters::Parameters;

/// Why an address cannot be used. The problem repeats nothing that may be a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the address of the database cannot be used: {problem}")]
pub struct AddressError {
    /// What is wrong with it.
    pub problem: String,
}

const LONGEST: usize = 4096;
const ESCAPE: &str = "in a password, `/`, `?`, `#`, `@`, `:` and `%` are written as %2F, %3F, %23, %40, %3A and %25";

/// Where a database is, and as whom it is spoken to. As text it is host, port and database, never user or password.
#[derive(Clone)]
pub struct PostgresAddress {
    place: String,
    schema: Option<String>,
    password: bool,
    pub(crate) timeout: Duration,
    pub(crate) options: Box<PgConnectOptions>,
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresAddress").field(&self.place).finish()
    }
}

impl PostgresAddress {
    /// Whether a text wants to be an address of this kind.
    pub fn claims(text: &str) -> bool {
        text.starts_with("postgres:") || text.starts_with("postgresql:")
    }

    /// The schema it names.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// Whether it holds a password.
    pub const fn has_password(&self) -> bool {
        self.password
    }
}

impl FromStr for PostgresAddress {
    type Err = AddressError;

    /// Reads `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?PARAMETER=VALUE&…]`.
    ///
    /// Without `sslmode`, another machine must show a certificate for its name (`verify-full`), this one need not
    /// (`prefer`). A host that begins with `%2F` is the folder of a Unix socket. Parameters that are not known are refused;
    /// `options` is not, because it could undo what whoever connects relies on.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let url = url(text)?;
        let user = decoded(url.username())?;
        if user.is_empty() {
            return Err(refused("it names no user: postgres://USER:PASSWORD@HOST/DATABASE"));
        }
        let database = decoded(url.path().strip_prefix('/').unwrap_or_default())?;
        if database.is_empty() {
            return Err(refused("it names no database: postgres://USER:PASSWORD@HOST/DATABASE"));
        }
        if database.contains(['/', '@', ':']) {
            return Err(refused(format!("its database has a name with `/`, `@` or `:`; {ESCAPE}")));
        }
        let given = Parameters::read(&url)?;
        let mut options = PgConnectOptions::new_without_pgpass().username(&user).database(&database);
        if let Some(password) = url.password() {
            options = options.password(&decoded(password)?);
        }
        let (host, local) = host(&url)?;
        let port = url.port().unwrap_or(5432);
        options = if host.starts_with('/') { options.socket(&host) } else { options.host(&host) }.port(port);
        options = given.tls(options, local)?;
        options = options.application_name(given.get("application_name").unwrap_or("throughline"));
        Ok(Self {
            place: format!("{host}:{port}/{database}"),
            schema: given.schema()?,
            password: url.password().is_some(),
            timeout: given.timeout()?,
            options: Box::new(options),
        })
    }
}

fn url(text: &str) -> Result<Url, AddressError> {
    if text.len() > LONGEST {
        return Err(refused(format!("it has {} bytes, more than {LONGEST}", text.len())));
    }
    if text.chars().any(char::is_control) {
        return Err(refused("it holds a control character, such as a line end"));
    }
    let url = Url::parse(text).map_err(|e| refused(format!("it is no URL ({e}); {ESCAPE}")))?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(refused("it does not begin with postgres://"));
    }
    if url.fragment().is_some() {
        return Err(refused(format!("it holds a `#`; {ESCAPE}")));
    }
    Ok(url)
}

/// The host (or folder of the socket), and whether it is this machine.
fn host(url: &Url) -> Result<(String, bool), AddressError> {
    let named = decoded(url.host_str().unwrap_or_default())?;
    if named.is_empty() {
        return Err(refused("it names no host: postgres://USER:PASSWORD@HOST/DATABASE"));
    }
    let host = named.trim_start_matches('[').trim_end_matches(']').to_owned();
    if host.contains(',') {
        return Err(refused("it names several hosts: name the one that writes"));
    }
    if url.port() == Some(0) {
        return Err(refused("its port is 0"));
    }
    let local = host.starts_with('/')
        || host == "localhost"
        || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    Ok((host, local))
}

fn decoded(text: &str) -> Result<String, AddressError> {
    let bad = || refused("a part of it is not UTF-8 when its %XX are read, or holds a control character");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let mut byte = [0];
                hex::decode_to_slice([*high, *low], &mut byte)
                    .map_err(|_| refused(format!("it holds a single `%`; {ESCAPE}")))?;
                bytes.push(byte[0]);
                tail
            }
            (b'%', _) => return Err(refused(format!("it holds a single `%`; {ESCAPE}"))),
            _ => {
                bytes.push(*first);
                tail
            }
        };
    }
    String::from_utf8(bytes).ok().filter(|t| !t.chars().any(char::is_control)).ok_or_else(bad)
}

pub(crate) fn refused(problem: impl Into<String>) -> AddressError {
    AddressError { problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn place(text: &str) -> String {
        match text.parse::<PostgresAddress>() {
            Ok(address) => address.to_string(),
            Err(error) => error.to_string().replace("the address of the database cannot be used: ", "refused: "),
        }
    }

    #[test]
    fn what_is_shown_names_the_place_alone() {
        assert_eq!(place("postgres://u:p@db.example:5433/shop"), "db.example:5433/shop");
        assert_eq!(place("postgresql://u@[::1]/shop?schema=a_1"), "::1:5432/shop");
        assert_eq!(place("postgres://u@%2Frun%2Fpg/shop"), "/run/pg:5432/shop");
        let address = "postgres://me:hush%2Fhush@db/shop?schema=s".parse::<PostgresAddress>().expect("an address");
        assert_eq!(format!("{address:?}"), "PostgresAddress(\"db:5432/shop\")");
        assert_eq!((address.schema(), address.has_password()), (Some("s"), true));
    }

    #[test]
    fn another_machine_must_prove_its_name_unless_told_otherwise() {
        let mode =
            |text: &str| format!("{:?}", text.parse::<PostgresAddress>().expect("an address").options.get_ssl_mode());
        assert_eq!(mode("postgres://u:p@db.example/shop"), "VerifyFull");
        assert_eq!(mode("postgres://u:p@db.example/shop?sslmode=require"), "Require");
        for local in ["localhost", "127.0.0.1", "[::1]", "%2Frun"] {
            assert_eq!(mode(&format!("postgres://u:p@{local}/shop")), "Prefer");
        }
    }

    #[test]
    fn hostile_and_mistaken_addresses_are_refused_without_repeating_the_password() {
        let long = format!("postgres://u:hush@h/{}", "x".repeat(5000));
        for (text, expect) in [
            ("", "it is no URL"),
            ("hush", "it is no URL"),
            ("mysql://u:hush@h/d", "does not begin with postgres://"),
            ("postgres://u:hush@h", "names no database"),
            ("postgres://u:hush@/d", "it is no URL"),
            ("postgres:///d", "names no user"),
            ("postgres:u@h/d", "names no user"),
            ("postgres://:hush@h/d", "names no user"),
            ("postgres://u:hush/hush@h/d", "it is no URL (invalid port number)"),
            ("postgres://u:12/hush@h/d", "names no user"),
            ("postgres://v@u:12/hush@h/d", "a name with `/`, `@` or `:`"),
            ("postgres://u:hush#hush@h/d", "it is no URL (invalid port number)"),
            ("postgres://x@u:#hush@h/d", "holds a `#`"),
            ("postgres://x@u/d?hush@h/d", "a parameter that is not known"),
            ("postgres://u:hush%zz@h/d", "a single `%`"),
            ("postgres://u:hush%00@h/d", "holds a control character"),
            ("postgres://u:hush%ff@h/d", "not UTF-8"),
            ("postgres://u:hush@h/d\n", "holds a control character"),
            ("postgres://u:hush@h/d?sslmod=require", "did you mean `sslmode`?"),
            ("postgres://u:hush@h/d?sslmode=allow", "`sslmode` is none of disable, prefer"),
            ("postgres://u:hush@h/d?sslmode=require&sslmode=disable", "`sslmode` is given twice"),
            ("postgres://u:hush@h/d?options=-c%20search_path%3Dhush", "a parameter that is not known"),
            ("postgres://u:hush@h/d?schema=a%22;drop%20schema%20hush", "`schema` is no plain name"),
            ("postgres://u:hush@h/d?schema=pg_catalog", "`schema` is no plain name"),
            ("postgres://u:hush@h/d?sslrootcert=/hush/nowhere.pem", "`sslrootcert` names no file"),
            ("postgres://u:hush@h/d?sslcert=/etc/hostname", "go together"),
            ("postgres://u:hush@h/d?host=/run", "a parameter that is not known"),
            ("postgres://u:hush@h/d?connect_timeout=0", "not within 1 to 600"),
            ("postgres://u:hush@h:0/d", "port is 0"),
            ("postgres://u:hush@a,b/d", "several hosts"),
            (long.as_str(), "more than 4096"),
        ] {
            let said = place(text);
            assert!(said.starts_with("refused: ") && said.contains(expect), "{text}\n{said}");
            assert!(!said.contains("hush"), "{text}\n{said}");
        }
    }
}
