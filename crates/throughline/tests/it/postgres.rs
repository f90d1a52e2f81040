//! A project whose ledger is a PostgreSQL server: the same tables as with a file, killed or not, and everything that
//! reads the ledger works over it.

use std::path::Path;
use std::process::{Command, Output};

use reqwest::blocking::Client;
use serde_json::Value;
use throughline_testbed::{PostgresServer, Setup};

use crate::kills::{Alone, fresh, moments};
use crate::serve::serve;
use crate::support::{binary, json, refused, shown, succeed};

const NAME: &str = "THROUGHLINE_LEDGER";

/// Adds a line to the project's own file.
fn keep_ledger_in(root: &Path, place: &str) {
    let path = root.join("throughline.yaml");
    let text = std::fs::read_to_string(&path).expect("a project");
    std::fs::write(path, format!("{text}ledger: \"{place}\"\n")).expect("written");
}

fn with_environment(arguments: &[&str], address: &str) -> Output {
    Command::new(binary()).env(NAME, address).args(arguments).output().expect("the binary starts")
}

#[test]
fn the_line_leaves_the_same_tables_as_with_a_file_even_when_it_is_killed() {
    let server = PostgresServer::start().expect("a server");
    let address = server.url("throughline", "postgres");
    let dir = tempfile::tempdir().expect("a folder");
    let alone = Alone::run(&dir.path().join("alone"));
    let root = dir.path().join("demo");
    fresh(&root);
    keep_ledger_in(&root, &address);
    let kills = alone.compare_killed(&root, &mut moments().take(4));
    assert!(kills >= 1, "no kill hit");
    assert!(!root.join(".throughline/ledger.db").exists());
    let sql = |sql: &str| server.sql("postgres", sql).expect("an answer");
    assert_eq!(sql("SELECT count(*) FROM throughline.runs WHERE status = 'running'"), "0");
    assert_eq!(sql("SELECT count(*) = max(seq), min(seq) FROM throughline.audit"), "t|1");

    let root = shown(&root);
    let again = json(&["run", root]);
    let ran = again["stages"].as_array().expect("stages").iter().filter(|s| s["name"] != "observe");
    assert!(ran.flat_map(|s| s["units"].as_array().expect("units")).all(|u| u["status"] == "unchanged"), "{again}");
    assert!(json(&["explain", "decision", "--project", root])["deliveries"].as_array().is_some_and(|d| !d.is_empty()));
    let check = json(&["audit", "verify", root]);
    assert_eq!((&check["intact"], &check["faults"]), (&Value::Bool(true), &Value::Array(vec![])), "{check}");
    sql("ALTER TABLE throughline.audit DISABLE TRIGGER ALL");
    sql("UPDATE throughline.audit SET actor = 'nobody' WHERE seq = 3");
    let output = Command::new(binary()).args(["audit", "verify", root]).output().expect("the binary starts");
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stdout).contains("NOT INTACT"));
}

#[test]
fn a_server_serves_over_it_and_says_when_it_is_gone() {
    let database = PostgresServer::start().expect("a server");
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("empty");
    succeed(&["init", shown(&root)]);
    keep_ledger_in(&root, &database.url("throughline", "postgres"));
    let served = serve(&root);
    let ready = |served: &crate::serve::Served| {
        Client::new().get(format!("{}/readyz", served.url)).send().expect("an answer").status().as_u16()
    };
    assert_eq!(ready(&served), 200);
    let names = database.sql("postgres", "SELECT name FROM throughline.users").expect("an answer");
    assert_eq!(names, "admin", "the first administrator is in the database");
    drop(database);
    assert_eq!(ready(&served), 500);
}

#[test]
fn an_address_is_read_from_the_environment_and_never_shown() {
    let server = PostgresServer::start_with(Setup { loopback: true, ..Setup::default() }).expect("a server");
    server.sql("postgres", "CREATE ROLE ana SUPERUSER LOGIN PASSWORD 'hush'").expect("a role");
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("empty");
    succeed(&["init", shown(&root)]);
    keep_ledger_in(&root, "${THROUGHLINE_LEDGER}");
    let root = shown(&root);
    refused(&["check", root], &["throughline.yaml", "error[TL016]", "`THROUGHLINE_LEDGER`, which is not set"]);

    let good = format!("postgres://ana:hush@127.0.0.1:{}/postgres", server.port());
    let verified = with_environment(&["audit", "verify", root], &good);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let said = |address: &str| {
        let output = with_environment(&["audit", "verify", root], address);
        assert_eq!(output.status.code(), Some(1));
        let all = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&all).into_owned();
        assert!(!text.contains("hush") && !text.contains("panicked"), "{text}");
        text
    };
    assert!(said(&good.replace("hush", "hush2")).contains("password authentication failed"));
    assert!(said("postgres://ana:hush/hush@127.0.0.1/postgres").contains("error[TL016]"));
    assert!(said("postgres://ana:hush@127.0.0.1:1/postgres").contains("cannot connect to 127.0.0.1:1/postgres"));
    assert!(said("mysql://ana:hush@db/postgres").contains("no postgres:// address"));
}
