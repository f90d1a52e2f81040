//! A PostgreSQL server of a test.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::programs::{TestbedError, User, command, folder, run};

/// How long a server may take to come up, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// Starts the server and waits for its input to end, which it does with the test's process, even a killed one. Then the
/// server ends and its folder goes.
const SUPERVISOR: &str = r#"
bin=$1 home=$2; shift 2
"$bin/postgres" -D "$home/data" "$@" >"$home/log" 2>&1 &
trap '' INT TERM HUP
cat >/dev/null
kill -QUIT $! 2>/dev/null
wait
rm -rf -- "$home"
"#;

/// How a server is set up.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setup<'a> {
    /// Whether it listens on a port of 127.0.0.1, where passwords are asked for.
    pub loopback: bool,
    /// Whether it has a certificate for `localhost`, issued by [`PostgresServer::authority`].
    pub tls: bool,
    /// Arguments of `initdb`.
    pub initdb: &'a [&'a str],
}

/// A server that ends with this value.
#[derive(Debug)]
pub struct PostgresServer {
    bin: PathBuf,
    home: TempDir,
    port: u16,
    supervisor: Child,
}

impl PostgresServer {
    /// A server on a Unix socket, with the superuser `throughline` and the database `postgres`.
    pub fn start() -> Result<Self, TestbedError> {
        Self::start_with(Setup::default())
    }

    /// A server set up otherwise. Nothing it writes is synced to disk.
    pub fn start_with(setup: Setup<'_>) -> Result<Self, TestbedError> {
        let bin = folder()?;
        let home = tempfile::Builder::new().prefix("pg").tempdir()?;
        let user = User::without_privileges(home.path())?;
        user.map_or(Ok(()), |user| user.own(home.path()))?;
        let data = home.path().join("data");
        let mut initdb = command(&bin.join("initdb"), user);
        initdb.current_dir(home.path()).arg("-D").arg(&data);
        initdb.args(["--no-sync", "-U", "throughline", "--auth-local=trust", "--auth-host=scram-sha-256"]);
        run(initdb.args(if setup.initdb.is_empty() { &["--no-locale", "-E", "UTF8"] } else { setup.initdb }))?;
        let port = if setup.loopback { TcpListener::bind("127.0.0.1:0")?.local_addr()?.port() } else { 5432 };
        let mut arguments = vec![
            format!("unix_socket_directories={}", home.path().display()),
            format!("listen_addresses={}", if setup.loopback { "127.0.0.1" } else { "" }),
            format!("port={port}"),
        ];
        arguments
            .extend(["fsync=off", "full_page_writes=off", "autovacuum=off", "shared_buffers=16MB"].map(String::from));
        if setup.tls {
            arguments.extend(certify(home.path(), user)?);
        }
        let mut supervisor = command(Path::new("/bin/sh"), user);
        supervisor.args(["-c", SUPERVISOR, "sh"]).arg(&bin).arg(home.path());
        for argument in arguments {
            supervisor.args(["-c", &argument]);
        }
        let supervisor = supervisor.current_dir(home.path()).stdin(Stdio::piped()).spawn()?;
        let server = Self { bin, home, port, supervisor };
        server.wait()?;
        Ok(server)
    }

    /// Waits until the server says in its own file that it is ready.
    fn wait(&self) -> Result<(), TestbedError> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let state = std::fs::read_to_string(self.home.path().join("data/postmaster.pid")).unwrap_or_default();
            if state.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let log = std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
        Err(TestbedError::NotReady { seconds: PATIENCE.as_secs(), log })
    }

    /// The URL of a database for a user (and `user:password`), over the socket.
    pub fn url(&self, user: &str, database: &str) -> String {
        let socket = self.home.path().display().to_string().replace('/', "%2F");
        format!("postgres://{user}@{socket}:{}/{database}", self.port)
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of the authority that issued the server's, where it has one.
    pub fn authority(&self) -> PathBuf {
        self.home.path().join("ca.pem")
    }

    /// Runs SQL as the superuser and gives what it answered, columns behind `|`.
    pub fn sql(&self, database: &str, sql: &str) -> Result<String, TestbedError> {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.env_clear().args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "throughline", "-p"]).arg(self.port.to_string());
        run(psql.arg("-h").arg(self.home.path()).args(["-d", database, "-c", sql]))
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        // A supervisor that cannot be waited for has ended.
        self.supervisor.wait().ok();
    }
}

/// Makes an authority and a certificate for `localhost`, and gives the settings that use it.
fn certify(home: &Path, user: Option<User>) -> Result<Vec<String>, TestbedError> {
    let openssl = |arguments: &str| {
        run(command(Path::new("openssl"), user).current_dir(home).args(arguments.split(' '))).map(|_| ())
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=testbed"))?;
    openssl(&format!(
        "req -x509 {key} -keyout server.key -out server.pem -days 2 -subj /CN=localhost -CA ca.pem -CAkey ca.key \
         -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE"
    ))?;
    let path = |name: &str| home.join(name).display().to_string();
    Ok(vec![
        "ssl=on".into(),
        format!("ssl_cert_file={}", path("server.pem")),
        format!("ssl_key_file={}", path("server.key")),
    ])
}
