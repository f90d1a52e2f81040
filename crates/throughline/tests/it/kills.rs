//! Killed at random moments, resumed, and compared with a run that was left alone: nothing lost, nothing doubled.
//!
//! `THROUGHLINE_KILLS` sets the number of kills (the short form has a few; `make soak` has 200).

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use throughline_run::{Project, Stores, features_table, labels_table, table_rows, tables};
use throughline_stats::stream::Stream;

use crate::support::{binary, shown, succeed};

const PEOPLE: &str = "700";
const SHORT_FORM_KILLS: u64 = 5;

/// A fresh project. All share one vault key, so that the same input gives the same tokens.
fn fresh(root: &Path) {
    succeed(&["init", shown(root), "--example", "demo", "--people", PEOPLE]);
    // Nobody is there to agree: what is delivered is delivered at once.
    std::fs::remove_dir_all(root.join("approvals")).expect("no approvals");
    let vault = root.join(".throughline/vault");
    std::fs::create_dir_all(&vault).expect("folders");
    let key = vault.join("vault.key");
    std::fs::write(&key, "ab".repeat(32)).expect("a key");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("permissions");
    }
}

/// Everything a run leaves: the rows of every table, sorted, and the delivered files.
fn outcome(root: &Path) -> BTreeMap<String, Vec<String>> {
    let project = Project::load(root, BTreeMap::new()).expect("a project");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut out = runtime.block_on(async {
        let stores = Stores::open(&project).await.expect("stores");
        let mut out = BTreeMap::new();
        let features = features_table(&project.features.value);
        for spec in tables::all().into_iter().chain([features, labels_table()]) {
            let rows = table_rows(&stores, &spec).await.expect("rows");
            // Health is a history, a row a metric and run. A kill between the end of a run and the end of its process
            // makes the next start a second run, which observes again; everything else must be as one run left it.
            let first_run = |row: &&serde_json::Value| row.get("run_seq").is_none_or(|seq| *seq == 1);
            let mut rows: Vec<String> = rows.iter().filter(first_run).map(ToString::to_string).collect();
            rows.sort();
            out.insert(spec.name.clone(), rows);
        }
        out
    });
    let mut files = Vec::new();
    collect(&root.join("out"), &mut files);
    files.sort();
    out.insert("delivered files".into(), files);
    out
}

fn collect(folder: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            files.push(format!("{} {}", entry.file_name().to_string_lossy(), String::from_utf8_lossy(&bytes)));
        }
    }
}

fn spawn(root: &Path) -> std::process::Child {
    Command::new(binary())
        .args(["run", shown(root), "--quiet"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts")
}

#[test]
fn kills_at_any_moment_lose_and_double_nothing() {
    let kills: u64 = std::env::var("THROUGHLINE_KILLS").ok().and_then(|k| k.parse().ok()).unwrap_or(SHORT_FORM_KILLS);
    let dir = tempfile::tempdir().expect("a folder");
    let alone = dir.path().join("alone");
    fresh(&alone);
    let started = Instant::now();
    succeed(&["run", shown(&alone), "--quiet"]);
    let length = started.elapsed();
    let expected = outcome(&alone);
    assert!(expected["decisions"].len() > 100 && expected["credits"].len() > 10);
    assert!(!expected["delivered files"].is_empty() && !expected["quarantine"].is_empty());

    let moments = Stream::new(20_260_401, 0);
    let (mut done, mut draw, mut round) = (0, 0, 0);
    while done < kills {
        round += 1;
        let root = dir.path().join(format!("killed-{round}"));
        fresh(&root);
        // Many kills on one project: each resumes what the one before left, so that late stages are hit as well.
        let mut finished = false;
        for _ in 0..10 {
            draw += 1;
            let wait = Duration::from_secs_f64(0.6 * length.as_secs_f64() * moments.uniform_at(draw));
            let mut child = spawn(&root);
            std::thread::sleep(wait);
            if child.try_wait().expect("a state").is_some() {
                finished = true;
                break;
            }
            child.kill().expect("killed");
            child.wait().expect("gone");
            done += 1;
        }
        if !finished {
            succeed(&["run", shown(&root), "--quiet"]);
        }
        let got = outcome(&root);
        for (table, rows) in &expected {
            assert_eq!(rows.len(), got[table].len(), "rows of {table} after {done} kills");
            assert!(*rows == got[table], "{table} differs after {done} kills");
        }
        std::fs::remove_dir_all(&root).expect("removed");
    }
    eprintln!("{done} kills, a run of {:.1} s", length.as_secs_f64());
}
