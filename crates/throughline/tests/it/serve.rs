//! The server as people use it: started from the command line, spoken to over HTTP, stopped, killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::support::{binary, shown, succeed};

/// A server of the binary, killed when dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
    sign_in: Option<String>,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn serve(root: &Path) -> Served {
    let mut child = Command::new(binary())
        .args(["serve", shown(root), "--port", "0", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output"));
    let mut text = String::new();
    let mut told = Value::Null;
    while told.is_null() {
        assert!(lines.read_line(&mut text).expect("a line") > 0, "it ended: {text}");
        told = serde_json::from_str(&text).unwrap_or_default();
    }
    std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    Served {
        child,
        url: told["url"].as_str().expect("where").to_owned(),
        sign_in: told["sign_in"].as_str().and_then(|l| l.split_once("#token=")).map(|(_, token)| token.to_owned()),
    }
}

/// Somebody signed in.
struct Person<'a> {
    served: &'a Served,
    http: Client,
    cookie: String,
    csrf: String,
}

impl<'a> Person<'a> {
    fn sign_in(served: &'a Served, credentials: &Value) -> Self {
        let http = Client::new();
        let answer = http.post(format!("{}/api/v1/session", served.url)).json(credentials).send().expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        let set = answer.headers().get("set-cookie").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let session: Value = answer.json().expect("a session");
        let cookie = set.split(';').next().unwrap_or_default().to_owned();
        Self { served, http, cookie, csrf: session["csrf_token"].as_str().unwrap_or_default().to_owned() }
    }

    fn send(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}/api/v1{path}", self.served.url);
        let mut request = self.http.request(method.parse().expect("a method"), url);
        request = request.header("cookie", &self.cookie).header("x-csrf-token", &self.csrf);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().expect("an answer");
        (answer.status().as_u16(), answer.json().unwrap_or_default())
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, None);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send("POST", path, Some(body))
    }

    /// Waits until no run is at work.
    fn settled(&self) -> Value {
        let begun = Instant::now();
        loop {
            let state = self.get("/runs/current");
            if state["status"] != "running" {
                return state;
            }
            assert!(begun.elapsed() < Duration::from_mins(3), "the run does not end: {state}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn run(&self, body: Value) -> Value {
        let (status, state) = self.post("/runs", body);
        assert_eq!(status, 202, "{state}");
        self.settled()
    }

    fn delivered(&self) -> u64 {
        let line = self.get("/line");
        let tables = line["stages"][8]["tables"].as_array().cloned().unwrap_or_default();
        tables.iter().filter(|t| t["name"] == "deliveries").filter_map(|t| t["rows"].as_u64()).sum()
    }
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill");
    assert!(status.success());
}

#[test]
fn a_team_agrees_delivers_freezes_and_can_prove_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("demo");
    succeed(&["init", shown(&root), "--example", "demo", "--people", "700"]);
    let mut served = serve(&root);
    let admin = Person::sign_in(&served, &json!({ "token": served.sign_in }));
    for (name, role) in [("mara", "marketer"), ("otto", "approver"), ("vera", "viewer")] {
        let user = json!({ "name": name, "roles": [role], "password": "a long password" });
        assert_eq!(admin.post("/users", user).0, 201);
    }
    let as_user = |name: &str| Person::sign_in(&served, &json!({ "name": name, "password": "a long password" }));
    let (mara, otto, vera) = (as_user("mara"), as_user("otto"), as_user("vera"));

    assert_eq!(vera.post("/runs", json!({})).0, 403);
    let state = mara.run(json!({}));
    assert_eq!((&state["status"], &state["requested_by"]), (&json!("succeeded"), &json!("mara")), "{state}");
    assert_eq!(mara.delivered(), 0, "nothing leaves before people agree");
    let asked = otto.get("/approvals?state=pending")["items"].clone();
    assert_eq!(asked.as_array().map(Vec::len), Some(1), "{asked}");
    let request = &asked[0];
    assert!(
        request["facts"]["cost"].as_f64().is_some_and(|c| c > 0.0) && request["facts"]["is_new"] == true,
        "{request}"
    );

    let path = format!("/approvals/{}/votes", request["id"].as_str().expect("an id"));
    let vote = |revision: &Value| json!({ "vote": "approve", "revision": revision });
    assert_eq!(mara.post(&path, vote(&request["revision"])).0, 403, "who asks does not decide, and is no approver");
    assert_eq!(otto.post(&path, vote(&json!(99))).0, 409, "about another revision");
    let (status, approved) = otto.post(&path, vote(&request["revision"]));
    assert_eq!((status, &approved["state"]), (200, &json!("approved")), "{approved}");
    otto.settled();
    assert!(otto.delivered() > 0);
    assert_eq!(otto.get(&path.replace("/votes", ""))["state"], "applied");
    let delivered = otto.delivered();
    mara.run(json!({}));
    assert_eq!(mara.delivered(), delivered, "agreed to once, delivered once");

    // A freeze needs no agreement and outranks one that was given.
    assert_eq!(otto.post("/freeze", json!({ "reason": "complaints" })).0, 200);
    mara.run(json!({ "stage": "activate" }));
    assert_eq!(mara.get("/line")["stages"][8]["gate"]["state"], "frozen");
    assert_eq!(mara.send("DELETE", "/freeze", Some(json!({ "reason": "solved" }))).0, 204);

    signal(&served.child, "-TERM");
    let begun = Instant::now();
    assert!(served.child.wait().is_ok_and(|s| s.success()), "it ends well");
    assert!(begun.elapsed() < Duration::from_secs(20));
    proofs_hold_offline(dir.path(), &root);
}

/// The log of a project, checked without a server, then damaged.
fn proofs_hold_offline(dir: &Path, root: &Path) {
    let head = dir.join("head.txt");
    std::fs::write(&head, succeed(&["audit", "head", shown(root)])).expect("a file");
    let proof = dir.join("proof.json");
    std::fs::write(&proof, succeed(&["audit", "prove", shown(root), "--seq", "3"])).expect("a file");
    let export = dir.join("audit.jsonl");
    std::fs::write(&export, succeed(&["audit", "export", shown(root)])).expect("a file");
    let key = std::fs::read_to_string(&head).expect("the head");
    let key = key.lines().find_map(|l| l.strip_prefix("key: ")).expect("the key").to_owned();
    let verify = |more: &[&str]| {
        let arguments = [&["audit", "verify"], more].concat();
        Command::new(binary()).args(arguments).output().expect("an answer").status.success()
    };
    assert!(verify(&[shown(root), "--head", shown(&head)]));
    assert!(verify(&["--proof", shown(&proof), "--head", shown(&head), "--key", &key]), "with no project at all");
    assert!(verify(&["--file", shown(&export), "--head", shown(&head), "--key", &key]));
    assert!(!verify(&["--proof", shown(&proof)]), "a proof without a head proves nothing");
    let text = std::fs::read_to_string(&export).expect("the log");
    std::fs::write(&export, text.replacen("mara", "lara", 1)).expect("a file");
    assert!(!verify(&["--file", shown(&export)]), "a changed actor");
    let shorter = text.lines().take(5).collect::<Vec<_>>().join("\n");
    std::fs::write(&export, shorter).expect("a file");
    assert!(verify(&["--file", shown(&export)]), "a beginning is whole in itself");
    assert!(!verify(&["--file", shown(&export), "--head", shown(&head), "--key", &key]), "but not up to the head");
}

#[test]
fn a_killed_server_comes_back_with_everything_it_acknowledged() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("demo");
    succeed(&["init", shown(&root), "--example", "demo", "--people", "700"]);
    let served = serve(&root);
    let admin = Person::sign_in(&served, &json!({ "token": served.sign_in }));
    let user = json!({ "name": "otto", "roles": ["approver"], "password": "a long password" });
    assert_eq!(admin.post("/users", user).0, 201);
    assert_eq!(admin.post("/runs", json!({})).0, 202);
    std::thread::sleep(Duration::from_millis(700));
    let cookie = (admin.cookie.clone(), admin.csrf.clone());
    drop(admin);
    drop(served);

    let served = serve(&root);
    assert!(served.sign_in.is_none(), "there are accounts");
    let otto = Person::sign_in(&served, &json!({ "name": "otto", "password": "a long password" }));
    assert_eq!(otto.get("/session")["user"]["name"], "otto");
    // The session lives in the ledger, not in the process.
    let admin = Person { served: &served, http: Client::new(), cookie: cookie.0, csrf: cookie.1 };
    assert_eq!(admin.run(json!({}))["status"], "succeeded", "the run is taken up again");
    let (_, check) = admin.post("/audit/verification", json!({}));
    assert_eq!(check["intact"], true, "{check}");
}
