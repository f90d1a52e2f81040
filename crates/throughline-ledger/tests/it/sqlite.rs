//! `SQLite`: the suite in memory and on disk, and what a file adds: permissions, damage, tampering, sudden death.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Executor};
use tempfile::TempDir;
use throughline_ledger::{AuditEntry, AuditFault, AuditLog as _, AuditRecord, LedgerError, Repository, SqliteLedger};

use crate::{Outcome, people, suite};

macro_rules! in_memory_and_on_disk {
    ($suite:ident: $($test:ident),* $(,)?) => {
        $(#[tokio::test]
        async fn $test() -> Outcome {
            $suite::$test(&SqliteLedger::in_memory().await?).await?;
            let (folder, path) = place()?;
            $suite::$test(&SqliteLedger::open(&path).await?).await?;
            drop(folder);
            Ok(())
        })*
    };
}

in_memory_and_on_disk!(suite:
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

in_memory_and_on_disk!(people:
    accounts_are_found_by_name_and_never_doubled,
    a_slower_hand_does_not_overwrite_an_approval,
    the_tree_proves_every_record_and_every_beginning,
);

fn place() -> std::io::Result<(TempDir, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("state").join("ledger.db");
    Ok((folder, path))
}

/// Two handles on one file, opened at the same moment while it is absent.
async fn two_handles(path: &Path) -> Result<[Arc<dyn Repository>; 2], LedgerError> {
    let (one, two) = tokio::join!(SqliteLedger::open(path), SqliteLedger::open(path));
    Ok([Arc::new(one?), Arc::new(two?)])
}

async fn raw(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new().filename(path).connect().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn races_have_one_winner_and_lose_nothing() -> Outcome {
    let (_folder, path) = place()?;
    suite::one_of_many_racers_gets_the_lease(&two_handles(&path).await?).await?;
    let (_folder, path) = place()?;
    suite::concurrent_appends_stay_in_one_chain(&two_handles(&path).await?).await?;
    let (_folder, path) = place()?;
    suite::nothing_is_published_under_a_fence_that_was_lost(&two_handles(&path).await?).await
}

#[tokio::test]
async fn what_is_committed_is_there_after_opening_again() -> Outcome {
    let (_folder, path) = place()?;
    let ledger = SqliteLedger::open(&path).await?;
    let run = suite::begun(&ledger).await?;
    suite::publish(&ledger, run, "", 4).await?;
    let again = SqliteLedger::open(&path).await?;
    assert_eq!(again.manifest().await?["events"], 4);
    assert_eq!(again.verify_audit().await?.records, 2);
    Ok(())
}

#[tokio::test]
async fn a_publication_dropped_anywhere_happened_wholly_or_not() -> Outcome {
    let (mut absent, mut whole) = (0, 0);
    for polls in 1.. {
        let (_folder, path) = place()?;
        let cut = suite::a_publication_dropped_after(polls, &SqliteLedger::open(&path).await?).await?;
        *(if cut.visible { &mut whole } else { &mut absent }) += 1;
        if cut.done {
            break;
        }
    }
    assert!(absent >= 5 && whole >= 1, "{absent} absent, {whole} whole");
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_it() -> Outcome {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = place()?;
    std::fs::create_dir_all(path.parent().ok_or("no folder")?)?;
    std::fs::write(&path, "")?;
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644))?;
    let ledger = SqliteLedger::open(&path).await?;
    suite::begun(&ledger).await?;
    for file in std::fs::read_dir(path.parent().ok_or("no folder")?)? {
        let file = file?;
        assert_eq!(file.metadata()?.permissions().mode() & 0o777, 0o600, "{file:?}");
    }
    Ok(())
}

#[tokio::test]
async fn files_that_are_no_ledger_are_refused() -> Outcome {
    let refusal = async |path: &Path| match SqliteLedger::open(path).await {
        Ok(_) => "opened".to_owned(),
        Err(e) => e.to_string().replace(&path.display().to_string(), "FILE"),
    };
    let (_folder, path) = place()?;
    std::fs::create_dir_all(path.parent().ok_or("no folder")?)?;
    std::fs::write(&path, "this is not a database at all, but it is long enough to have a header ".repeat(20))?;
    let damaged = "the ledger is damaged (noticed while trying to open its file): restore it from a backup";
    assert_eq!(refusal(&path).await, damaged);

    std::fs::remove_file(&path)?;
    std::fs::write(&path, "")?;
    let mut connection = raw(&path).await?;
    connection.execute("CREATE TABLE theirs (x)").await?;
    assert_eq!(refusal(&path).await, "FILE is not a ledger of this program (application id 0x0, expected 0x544c4c47)");
    drop(connection);

    let (_folder, path) = place()?;
    drop(SqliteLedger::open(&path).await?);
    raw(&path).await?.execute("PRAGMA user_version = 99").await?;
    let newer = "FILE has ledger schema 99, this release knows up to 3: use a newer release";
    assert_eq!(refusal(&path).await, newer);

    let folder = path.parent().ok_or("no folder")?;
    assert_eq!(refusal(folder).await, "cannot open FILE");
    Ok(())
}

/// A ledger of five audit records, changed behind its back with the triggers off.
async fn tampered(change: &'static str) -> Result<Vec<AuditFault>, Box<dyn std::error::Error>> {
    let (_folder, path) = place()?;
    let ledger = SqliteLedger::open(&path).await?;
    for i in 1..=5 {
        let payload = json!({ "i": i });
        ledger.append_audit(AuditEntry { kind: "k", actor: "a", payload: &payload, at: suite::at(i) }).await?;
    }
    assert!(ledger.verify_audit().await?.is_intact());
    let mut connection = raw(&path).await?;
    for trigger in ["DROP TRIGGER audit_keep", "DROP TRIGGER audit_stay", "DROP TRIGGER audit_next"] {
        connection.execute(trigger).await?;
    }
    connection.execute(change).await?;
    let mut check = ledger.verify_audit().await?;
    assert_eq!(check.fault_count, check.faults.len() as u64);
    // What the records say and what the tree says differ as well, unless only hashes beside them were touched.
    let tree = check.faults.pop_if(|f| *f == AuditFault::Tree).is_some();
    assert_eq!(tree, !change.contains("SET leaf"), "{change}");
    Ok(check.faults)
}

#[tokio::test]
async fn a_damaged_tree_is_found_though_every_record_is_whole() -> Outcome {
    assert_eq!(tampered("UPDATE audit_nodes SET hash = zeroblob(32) WHERE level = 2").await?, []);
    assert_eq!(tampered("DELETE FROM audit_nodes").await?, []);
    Ok(())
}

#[tokio::test]
async fn a_log_kept_before_there_was_a_tree_grows_one() -> Outcome {
    let (_folder, path) = place()?;
    std::fs::create_dir_all(path.parent().ok_or("no folder")?)?;
    let mut old = SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await?;
    old.execute(include_str!("../../migrations/sqlite/0001_ledger.sql")).await?;
    let mut prev = [0; 32];
    for seq in 1..=1030_i64 {
        let (kind, actor, payload) = ("k".to_owned(), "a".to_owned(), "{}".to_owned());
        let leaf = [0; 32];
        let mut record = AuditRecord { seq: seq.cast_unsigned(), kind, actor, payload, at: suite::at(seq), prev, leaf };
        record.leaf = record.compute_leaf();
        sqlx::query("INSERT INTO audit VALUES (?, 'k', 'a', '{}', ?, ?, ?)")
            .bind(seq)
            .bind(record.at.micros())
            .bind(&record.prev[..])
            .bind(&record.leaf[..])
            .execute(&mut old)
            .await?;
        prev = record.leaf;
    }
    sqlx::query("UPDATE audit_head SET size = 1030, leaf = ?").bind(&prev[..]).execute(&mut old).await?;
    let ledger = SqliteLedger::open(&path).await?;
    assert!(ledger.verify_audit().await?.is_intact());
    assert!(ledger.prove_inclusion(1000, 1030).await?.holds());
    ledger.append_audit(AuditEntry { kind: "k", actor: "a", payload: &json!({}), at: suite::at(9999) }).await?;
    assert!(ledger.prove_consistency(1030, 1031).await?.holds() && ledger.verify_audit().await?.is_intact());
    Ok(())
}

#[tokio::test]
async fn tampering_is_found() -> Outcome {
    let altered = |seq| AuditFault::Altered { seq };
    assert_eq!(tampered("UPDATE audit SET payload = '{\"i\":7}' WHERE seq = 2").await?, [altered(2)]);
    assert_eq!(tampered("UPDATE audit SET actor = 'b' WHERE seq = 5").await?, [altered(5)]);
    assert_eq!(tampered("UPDATE audit SET at = at + 1 WHERE seq = 1").await?, [altered(1)]);
    assert_eq!(tampered("DELETE FROM audit WHERE seq = 3").await?, [AuditFault::Gap { expected: 3, found: 4 }]);
    assert_eq!(tampered("DELETE FROM audit WHERE seq = 5").await?, [AuditFault::Ending { expected: 5, found: 4 }]);
    assert_eq!(tampered("DELETE FROM audit").await?, [AuditFault::Ending { expected: 5, found: 0 }]);
    let swapped = tampered("UPDATE audit SET leaf = zeroblob(32) WHERE seq = 4").await?;
    assert_eq!(swapped, [altered(4), AuditFault::Unchained { seq: 5 }]);
    let ending = "UPDATE audit_head SET leaf = zeroblob(32)";
    assert_eq!(tampered(ending).await?, [AuditFault::Ending { expected: 5, found: 5 }]);
    Ok(())
}

#[tokio::test]
async fn the_database_itself_refuses_changes_to_the_log() -> Outcome {
    let (_folder, path) = place()?;
    let ledger = SqliteLedger::open(&path).await?;
    suite::begun(&ledger).await?;
    ledger.record_evidence("e", &json!({}), suite::at(0)).await?;
    let mut connection = raw(&path).await?;
    let mut refusal = async |sql: &'static str| match connection.execute(sql).await {
        Ok(_) => "done".to_owned(),
        Err(e) => e.as_database_error().map_or_else(|| e.to_string(), |d| d.message().to_owned()),
    };
    assert_eq!(refusal("UPDATE audit SET actor = 'b'").await, "audit records are append-only");
    assert_eq!(refusal("DELETE FROM audit").await, "audit records are append-only");
    let replace = "REPLACE INTO audit SELECT seq, kind, 'b', payload, at, prev, leaf FROM audit WHERE seq = 1";
    assert_eq!(refusal(replace).await, "audit records have no gaps");
    assert_eq!(refusal("DELETE FROM evidence").await, "evidence is immutable");
    Ok(())
}
