//! A server over a small project, and clients of it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use throughline_core::Timestamp;
use throughline_run::{Clock, Project};
use throughline_server::{Server, ServerConfig, Settings, Shared, first_link, sign_in_link};

use crate::contract;

type Failure = Box<dyn std::error::Error>;

const PROJECT: &str = "apiVersion: throughline/v1
kind: Project
name: small
currency: EUR
as_of: 2026-03-01T00:00:00Z
conversions:
  - { name: purchase, kind: purchase }
";

const SOURCE: &str = "apiVersion: throughline/v1
kind: Source
name: shop
connector: csv
location: data/events.csv
consent: \"'measurement=granted;linking=granted'\"
emits:
  - id: \"id\"
    kind: \"kind\"
    occurred_at: \"at\"
    subjects: { email: \"email\" }
    channel: \"channel\"
    value: \"to_float(value)\"
    currency: \"'EUR'\"
";

const ATTRIBUTION: &str = "apiVersion: throughline/v1
kind: Attribution
models: [linear, \"markov:1\"]
";

/// A server at work, stopped when dropped.
pub(crate) struct House {
    pub(crate) url: String,
    pub(crate) app: Shared,
    pub(crate) dir: tempfile::TempDir,
    clock: Arc<Mutex<i64>>,
    stop: tokio::sync::oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<Result<(), throughline_server::ServeError>>,
}

/// Writes the small project.
pub(crate) fn write_project(root: &Path) -> Result<(), Failure> {
    for folder in ["sources", "data", "approvals"] {
        std::fs::create_dir_all(root.join(folder))?;
    }
    std::fs::write(root.join("throughline.yaml"), PROJECT)?;
    std::fs::write(root.join("sources/shop.yaml"), SOURCE)?;
    std::fs::write(root.join("attribution.yaml"), ATTRIBUTION)?;
    let mut rows = String::from("id,kind,at,channel,value,email\n");
    for i in 0..40 {
        let channel = ["search", "social", "email"][i % 3];
        let day = 1 + i % 20;
        rows.push_str(&format!("c{i},click,2026-02-{day:02}T10:00:00Z,{channel},,p{i}@example.com\n"));
        if i % 2 == 0 {
            rows.push_str(&format!("o{i},purchase,2026-02-{day:02}T12:00:00Z,,{}.5,p{i}@example.com\n", 10 + i));
        }
    }
    std::fs::write(root.join("data/events.csv"), rows)?;
    Ok(())
}

impl House {
    /// A server with default settings.
    pub(crate) async fn open() -> Result<Self, Failure> {
        Self::with(ServerConfig::default(), &[]).await
    }

    /// A server with settings and further files of the project.
    pub(crate) async fn with(config: ServerConfig, files: &[(&str, &str)]) -> Result<Self, Failure> {
        let dir = tempfile::tempdir()?;
        write_project(dir.path())?;
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap_or(dir.path()))?;
            std::fs::write(path, text)?;
        }
        Self::over(dir, config).await
    }

    /// A server over a project that exists.
    pub(crate) async fn over(dir: tempfile::TempDir, config: ServerConfig) -> Result<Self, Failure> {
        let project = Project::load(dir.path(), std::collections::BTreeMap::new())?;
        let clock = Arc::new(Mutex::new(1_780_000_000_000_000));
        let told = Arc::clone(&clock);
        let clock_of = Clock::new(move || Timestamp::from_micros(*told.lock().expect("clock")));
        let server = Server::bind(project, Settings::new(config, None, 0), clock_of).await?;
        let app = Arc::clone(server.app());
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let ended = tokio::spawn(server.run(async move { drop(stopped.await) }));
        Ok(Self { url: app.settings.public_url.clone(), app, dir, clock, stop, ended })
    }

    /// Ends the server and leaves its project.
    pub(crate) async fn close(self) -> Result<tempfile::TempDir, Failure> {
        drop(self.stop);
        self.ended.await??;
        Ok(self.dir)
    }

    /// Lets time pass.
    pub(crate) fn pass_hours(&self, hours: i64) {
        *self.clock.lock().expect("clock") += hours * 3_600_000_000;
    }

    /// The token of the first account's link.
    pub(crate) async fn first_token(&self) -> Result<String, Failure> {
        let link =
            first_link(self.app.ledger(), &self.url, self.app.now()).await?.ok_or("there are accounts already")?;
        Ok(link.split_once("#token=").ok_or("no token in the link")?.1.to_owned())
    }

    /// A client that signs requests with a token that carries all scopes of a user.
    pub(crate) async fn token_of(&self, name: &str) -> Result<Client, Failure> {
        let link = sign_in_link(self.app.ledger(), name, &self.url, self.app.now()).await?;
        Ok(self.bearer(link.split_once("#token=").ok_or("no token in the link")?.1))
    }

    /// The first administrator, by token.
    pub(crate) async fn admin(&self) -> Result<Client, Failure> {
        let token = self.first_token().await?;
        Ok(self.bearer(&token))
    }

    /// A user with these roles and sign-offs, by token.
    pub(crate) async fn user(
        &self,
        admin: &Client,
        name: &str,
        roles: &[&str],
        sign_offs: &[&str],
    ) -> Result<Client, Failure> {
        let body = json!({ "name": name, "roles": roles, "sign_offs": sign_offs });
        let answer = admin.send("POST", "/api/v1/users", Some(body)).await?;
        assert_eq!(answer.status, 201, "{}", answer.body);
        self.token_of(name).await
    }

    /// A client with this token.
    pub(crate) fn bearer(&self, token: &str) -> Client {
        Client { url: self.url.clone(), headers: vec![("authorization".into(), format!("Bearer {token}"))] }
    }

    /// A client that is nobody.
    pub(crate) fn nobody(&self) -> Client {
        Client { url: self.url.clone(), headers: Vec::new() }
    }

    /// A browser that signed in with a token: its client, with cookie and token against forged requests.
    pub(crate) async fn browser(&self, token: &str) -> Result<Client, Failure> {
        let answer = self.nobody().send("POST", "/api/v1/session", Some(json!({ "token": token }))).await?;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        let csrf = answer.json()?["csrf_token"].as_str().unwrap_or_default().to_owned();
        Ok(Client { url: self.url.clone(), headers: vec![("cookie".into(), cookie), ("x-csrf-token".into(), csrf)] })
    }

    /// Runs the line and waits for its end.
    pub(crate) async fn run(&self, client: &Client) -> Result<Value, Failure> {
        let answer = client.send("POST", "/api/v1/runs", Some(json!({}))).await?;
        assert_eq!(answer.status, 202, "{}", answer.body);
        for _ in 0..600 {
            let state = client.get("/api/v1/runs/current").await?.json()?;
            if state["status"] != "running" {
                return Ok(state);
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Err("the run did not end".into())
    }
}

/// Sends requests with some headers.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// What came back.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Result<Value, Failure> {
        Ok(serde_json::from_str(&self.body)?)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
}

impl Client {
    /// The same client with one header more.
    pub(crate) fn and(&self, name: &str, value: &str) -> Self {
        let mut more = self.clone();
        more.headers.retain(|(n, _)| n != name);
        more.headers.push((name.to_owned(), value.to_owned()));
        more
    }

    /// The same client without a header.
    pub(crate) fn without(&self, name: &str) -> Self {
        let mut fewer = self.clone();
        fewer.headers.retain(|(n, _)| n != name);
        fewer
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answered, Failure> {
        self.send("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Answered, Failure> {
        self.send("POST", path, Some(body)).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Result<Answered, Failure> {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        let mut request = http.request(method.parse()?, format!("{}{path}", self.url));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Answered { status, headers, body: response.text().await? };
        contract::check(method, path, &answer);
        Ok(answer)
    }
}
