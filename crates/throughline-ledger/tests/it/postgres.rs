//! PostgreSQL: the suite on a real server, and what a server adds: two processes that open at once, rights, certificates,
//! connections that die, tampering.

use std::sync::Arc;

use serde_json::json;
use throughline_ledger::{
    AuditEntry, AuditFault, AuditLog as _, LedgerError, PeopleStore as _, PostgresAddress, PostgresLedger, Repository,
};
use throughline_testbed::{PostgresServer, Setup};

use crate::{Outcome, people, suite};

/// A ledger of project `shop` in a schema of its own.
fn address(server: &PostgresServer, schema: &str) -> PostgresAddress {
    format!("{}?schema={schema}", server.url("throughline", "postgres")).parse().expect("an address")
}

async fn ledger(server: &PostgresServer, schema: &str) -> Result<PostgresLedger, LedgerError> {
    PostgresLedger::open(&address(server, schema), "shop").await
}

/// The refusal with its causes.
async fn refusal(address: &str) -> String {
    let address = address.parse().expect("an address");
    let opened = PostgresLedger::open(&address, "shop").await;
    let Err(error) = opened else { return "opened".to_owned() };
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

macro_rules! on_one_server {
    ($name:ident, $suite:ident: $($test:ident),* $(,)?) => {
        #[tokio::test]
        async fn $name() -> Outcome {
            let server = PostgresServer::start()?;
            $($suite::$test(&ledger(&server, stringify!($test)).await?)
                .await
                .map_err(|e| format!("{}: {e}", stringify!($test)))?;)*
            Ok(())
        }
    };
}

on_one_server!(the_suite_holds, suite:
    the_lease_passes_on_and_raises_its_fence,
    every_steering_write_is_fenced,
    an_expired_lease_writes_until_it_is_taken_over,
    a_killed_run_is_resumed_when_its_inputs_are_the_same,
    a_run_ends_once,
    publishing_is_idempotent_and_keeps_history,
    a_refused_publication_leaves_nothing,
    artefacts_are_numbered_by_content,
    evidence_is_immutable,
    notes_about_evidence_are_made_once,
    a_delivery_is_sent_once,
    the_audit_log_is_a_chain,
);

on_one_server!(people_and_proofs_hold, people:
    accounts_are_found_by_name_and_never_doubled,
    a_slower_hand_does_not_overwrite_an_approval,
    the_tree_proves_every_record_and_every_beginning,
);

/// Two handles on one schema, opened at the same moment while it is absent.
async fn two_handles(server: &PostgresServer, schema: &str) -> Result<[Arc<dyn Repository>; 2], LedgerError> {
    let (one, two) = tokio::join!(ledger(server, schema), ledger(server, schema));
    Ok([Arc::new(one?), Arc::new(two?)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn races_have_one_winner_and_lose_nothing() -> Outcome {
    let server = PostgresServer::start()?;
    // Servers may be set up to another level; the ledger names its own.
    server.sql("postgres", "ALTER SYSTEM SET default_transaction_isolation = 'repeatable read'")?;
    server.sql("postgres", "SELECT pg_reload_conf()")?;
    suite::one_of_many_racers_gets_the_lease(&two_handles(&server, "lease").await?).await?;
    suite::concurrent_appends_stay_in_one_chain(&two_handles(&server, "appends").await?).await?;
    suite::nothing_is_published_under_a_fence_that_was_lost(&two_handles(&server, "fence").await?).await?;
    // Many processes that open at the same moment make one schema.
    let opened = (0..8).map(|_| {
        let address = address(&server, "eight");
        tokio::spawn(async move { PostgresLedger::open(&address, "shop").await.map(drop) })
    });
    for opened in opened.collect::<Vec<_>>() {
        opened.await??;
    }
    assert_eq!(server.sql("postgres", "SELECT count(*), max(schema_number) FROM eight.ledger")?, "1|3");
    Ok(())
}

#[tokio::test]
async fn a_publication_dropped_anywhere_happened_wholly_or_not() -> Outcome {
    let server = PostgresServer::start()?;
    let (mut absent, mut whole) = (0, 0);
    for polls in 1.. {
        let ledger = ledger(&server, &format!("cut_{polls}")).await?;
        let cut = suite::a_publication_dropped_after(polls, &ledger).await?;
        *(if cut.visible { &mut whole } else { &mut absent }) += 1;
        if cut.done {
            break;
        }
    }
    assert!(absent >= 5 && whole >= 1, "{absent} absent, {whole} whole");
    Ok(())
}

/// The blocks of SQL in the page about the ledger: for the administrator, and for the owner of the tables.
fn documented_sql() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ledger.md"))?;
    let blocks = page.split("```sql\n").skip(1);
    Ok(blocks.map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect())
}

/// What the service may not do, though it works.
const DENIED: [&str; 10] = [
    "UPDATE audit SET actor = 'b'",
    "DELETE FROM audit",
    "TRUNCATE audit",
    "DELETE FROM evidence",
    "UPDATE artefacts SET name = 'b'",
    "DROP TABLE audit",
    "ALTER TABLE audit DISABLE TRIGGER ALL",
    "UPDATE ledger SET project = 'mine'",
    "DELETE FROM lease",
    "DELETE FROM audit_heads",
];

/// A ledger in a schema that the documented owner made, opened by the documented service.
async fn service(server: &PostgresServer, schema: &str) -> Result<PostgresLedger, Box<dyn std::error::Error>> {
    let url = |user: &str| format!("{}?schema={schema}", server.url(user, "throughline"));
    let early = refusal(&url("throughline_service")).await;
    assert!(early.contains("make its schema") && early.contains("permission denied"), "{early}");
    PostgresLedger::open(&url("throughline_owner").parse()?, "shop").await?;
    let grants = documented_sql()?[1].replace("SCHEMA throughline", &format!("SCHEMA {schema}"));
    let grants = grants.replace("search_path = throughline", &format!("search_path = {schema}"));
    server.sql("throughline", &format!("SET ROLE throughline_owner; {grants}"))?;
    for denied in DENIED {
        let sql = format!("SET ROLE throughline_service; SET search_path = {schema}; {denied}");
        let said = server.sql("throughline", &sql).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(said.contains("permission denied") || said.contains("must be owner"), "{denied}: {said}");
    }
    Ok(PostgresLedger::open(&url("throughline_service").parse()?, "shop").await?)
}

#[tokio::test]
async fn the_documented_rights_are_enough_and_guard_the_log() -> Outcome {
    let server = PostgresServer::start()?;
    for statement in documented_sql()?[0].split(';').filter(|s| s.contains("CREATE")) {
        server.sql("postgres", statement)?;
    }
    macro_rules! as_the_service {
        ($($suite:ident::$test:ident),* $(,)?) => {$(
            $suite::$test(&service(&server, stringify!($test)).await?).await?;
        )*};
    }
    as_the_service!(
        suite::every_steering_write_is_fenced,
        suite::publishing_is_idempotent_and_keeps_history,
        suite::artefacts_are_numbered_by_content,
        suite::evidence_is_immutable,
        suite::notes_about_evidence_are_made_once,
        suite::a_delivery_is_sent_once,
        people::accounts_are_found_by_name_and_never_doubled,
        people::a_slower_hand_does_not_overwrite_an_approval,
        people::the_tree_proves_every_record_and_every_beginning,
    );
    Ok(())
}

#[tokio::test]
async fn a_server_must_prove_itself_where_it_is_asked_to() -> Outcome {
    let server = PostgresServer::start_with(Setup { loopback: true, tls: true, ..Setup::default() })?;
    server.sql("postgres", "CREATE ROLE ana SUPERUSER LOGIN PASSWORD 'hush/hush'")?;
    let url = |password: &str, parameters: &str| {
        format!("postgres://ana:{password}@localhost:{}/postgres?{parameters}", server.port())
    };
    let ca = server.authority().display().to_string();
    assert_eq!(refusal(&url("hush%2Fhush", &format!("sslmode=verify-full&sslrootcert={ca}"))).await, "opened");
    let tls = server.sql("postgres", "SELECT count(*) FROM pg_stat_ssl WHERE ssl")?;
    assert_eq!(tls, "0", "the first connection is closed, the others come when they are needed");
    let ledger =
        PostgresLedger::open(&url("hush%2Fhush", &format!("sslmode=verify-full&sslrootcert={ca}")).parse()?, "shop")
            .await?;
    assert_eq!(ledger.lease().await?, None);
    assert_eq!(server.sql("postgres", "SELECT count(*) FROM pg_stat_ssl WHERE ssl")?, "1");

    let stranger = refusal(&url("hush%2Fhush", "sslmode=verify-full")).await;
    assert!(stranger.starts_with("cannot open the ledger: cannot connect to localhost:"), "{stranger}");
    assert!(stranger.contains("UnknownIssuer"), "{stranger}");
    let by_number =
        url("hush%2Fhush", &format!("sslmode=verify-full&sslrootcert={ca}")).replace("localhost", "127.0.0.1");
    let other_name = refusal(&by_number).await;
    assert!(other_name.to_lowercase().contains("not valid for name"), "{other_name}");
    assert_eq!(refusal(&by_number.replace("verify-full", "verify-ca")).await, "opened");
    assert_eq!(refusal(&url("hush%2Fhush", "sslmode=disable")).await, "opened");

    let wrong = refusal(&url("hush", "sslmode=require")).await;
    assert!(wrong.contains("password authentication failed for user"), "{wrong}");
    assert!(!wrong.contains("hush"), "{wrong}");
    Ok(())
}

#[tokio::test]
async fn databases_that_cannot_be_the_ledger_are_refused() -> Outcome {
    let server = PostgresServer::start()?;
    let url = |rest: &str| server.url("throughline", rest);
    ledger(&server, "throughline").await?;
    let other = PostgresLedger::open(&url("postgres").parse()?, "other").await;
    let said = other.expect_err("of another project").to_string();
    assert!(said.contains("is the ledger of project `shop`, not of `other`"), "{said}");

    server.sql("postgres", "CREATE SCHEMA theirs; CREATE TABLE theirs.ledger (x int)")?;
    server.sql("postgres", "CREATE SCHEMA others; CREATE VIEW others.v AS SELECT 1 AS x")?;
    for schema in ["theirs", "others"] {
        let said = refusal(&url(&format!("postgres?schema={schema}"))).await;
        assert!(said.contains("holds tables that are no ledger"), "{said}");
    }
    server.sql("postgres", "UPDATE throughline.ledger SET schema_number = 99")?;
    let said = refusal(&url("postgres")).await;
    assert!(said.contains("has ledger schema 99, this release knows up to 3"), "{said}");

    server.sql("postgres", "CREATE DATABASE old ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")?;
    let said = refusal(&url("old")).await;
    assert!(said.contains("has the encoding LATIN1"), "{said}");
    let said = refusal(&url("nowhere")).await;
    assert!(
        said.starts_with("cannot open the ledger: cannot connect to ")
            && said.contains("database \"nowhere\" does not exist"),
        "{said}"
    );
    let said = refusal("postgres://u:hush@127.0.0.1:1/d").await;
    assert!(
        said.starts_with("cannot open the ledger: cannot connect to 127.0.0.1:1/d") && said.contains("refused"),
        "{said}"
    );
    Ok(())
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() -> Outcome {
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    let url = format!("postgres://u@127.0.0.1:{}/d?connect_timeout=1", silent.local_addr()?.port());
    let said = refusal(&url).await;
    assert!(said.contains("cannot connect to 127.0.0.1:") && said.contains("timed out"), "{said}");
    Ok(())
}

#[tokio::test]
async fn connections_that_died_are_replaced() -> Outcome {
    let server = PostgresServer::start()?;
    let ledger = ledger(&server, "throughline").await?;
    let run = suite::begun(&ledger).await?;
    // Every connection of the pool dies, as in a restart.
    server.sql(
        "postgres",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'throughline'",
    )?;
    suite::publish(&ledger, run, "", 1).await?;
    assert_eq!(ledger.manifest().await?["events"], 1);
    assert!(ledger.verify_audit().await?.is_intact());
    Ok(())
}

#[tokio::test]
async fn text_with_a_zero_character_is_refused_by_name() -> Outcome {
    let server = PostgresServer::start()?;
    let ledger = ledger(&server, "throughline").await?;
    let nothing = json!({});
    let entry = |actor| AuditEntry { kind: "k", actor, payload: &nothing, at: suite::at(0) };
    let refused = ledger.append_audit(entry("a\0b")).await;
    assert!(matches!(refused, Err(LedgerError::NulCharacter { .. })), "{refused:?}");
    assert!(matches!(ledger.user_named("a\0").await, Err(LedgerError::NulCharacter { .. })));
    // In JSON it is escaped, and other characters are whole.
    let payload = json!({ "text": "\0 \u{1f980} é" });
    let kept = ledger.append_audit(AuditEntry { payload: &payload, ..entry("Zoë 🦀") }).await?;
    assert_eq!(ledger.audit_records(0, 9).await?, [kept]);
    Ok(())
}

/// A ledger of five audit records, changed behind its back with the triggers off.
async fn tampered(
    server: &PostgresServer,
    schema: &str,
    change: &str,
) -> Result<Vec<AuditFault>, Box<dyn std::error::Error>> {
    let ledger = ledger(server, schema).await?;
    for i in 1..=5 {
        let payload = json!({ "i": i });
        ledger.append_audit(AuditEntry { kind: "k", actor: "a", payload: &payload, at: suite::at(i) }).await?;
    }
    assert!(ledger.verify_audit().await?.is_intact());
    server.sql("postgres", &format!("SET search_path = {schema}; ALTER TABLE audit DISABLE TRIGGER ALL; {change}"))?;
    let mut faults = ledger.verify_audit().await?.faults;
    // What the records say and what the tree says differ as well, unless only hashes beside them were touched.
    let tree = faults.pop_if(|f| *f == AuditFault::Tree).is_some();
    assert_eq!(tree, !change.contains("SET leaf"), "{change}");
    Ok(faults)
}

#[tokio::test]
async fn tampering_is_found() -> Outcome {
    let server = PostgresServer::start()?;
    let altered = |seq| AuditFault::Altered { seq };
    let zeros = "decode(repeat('00', 32), 'hex')";
    for (n, (change, expect)) in [
        ("UPDATE audit SET payload = '{\"i\":7}' WHERE seq = 2".to_owned(), vec![altered(2)]),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1".to_owned(), vec![altered(1)]),
        ("DELETE FROM audit WHERE seq = 3".to_owned(), vec![AuditFault::Gap { expected: 3, found: 4 }]),
        ("DELETE FROM audit WHERE seq = 5".to_owned(), vec![AuditFault::Ending { expected: 5, found: 4 }]),
        ("TRUNCATE audit".to_owned(), vec![AuditFault::Ending { expected: 5, found: 0 }]),
        (format!("UPDATE audit SET leaf = {zeros} WHERE seq = 4"), vec![altered(4), AuditFault::Unchained { seq: 5 }]),
        (format!("UPDATE audit_head SET leaf = {zeros}"), vec![AuditFault::Ending { expected: 5, found: 5 }]),
        (format!("UPDATE audit_nodes SET hash = {zeros} WHERE level = 2"), vec![]),
        ("DELETE FROM audit_nodes".to_owned(), vec![]),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(tampered(&server, &format!("t{n}"), &change).await?, expect, "{change}");
    }
    Ok(())
}

#[tokio::test]
async fn the_database_itself_refuses_changes_to_the_log() -> Outcome {
    let server = PostgresServer::start()?;
    let ledger = ledger(&server, "throughline").await?;
    suite::begun(&ledger).await?;
    ledger.record_evidence("e", &json!({}), suite::at(0)).await?;
    let refused = |sql: &str| {
        let said = server.sql("postgres", &format!("SET search_path = throughline; {sql}")).err();
        said.map_or_else(|| "done".to_owned(), |e| e.to_string())
    };
    for sql in ["UPDATE audit SET actor = 'b'", "DELETE FROM audit", "TRUNCATE audit"] {
        assert!(refused(sql).contains("audit records are append-only"), "{sql}");
    }
    let gap = "INSERT INTO audit SELECT seq + 7, kind, actor, payload, at, prev, leaf FROM audit WHERE seq = 1";
    assert!(refused(gap).contains("audit records have no gaps"));
    let again = "INSERT INTO audit SELECT seq, kind, 'b', payload, at, prev, leaf FROM audit WHERE seq = 1 \
                 ON CONFLICT (seq) DO UPDATE SET actor = 'b'";
    assert_ne!(refused(again), "done");
    assert!(refused("DELETE FROM evidence").contains("evidence is immutable"));
    Ok(())
}
