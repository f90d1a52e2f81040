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
pub(crate) fn fresh(root: &Path) {
    succeed(&["init", shown(root), "--example", "demo", "--people", PEOPLE]);
    // Nobody is there to agree: what is delivered is delivered at once.
    std::fs::remove_dir_all(root.join("approvals")).expect("no approvals");
    same_key(root);
}

/// Gives a project the vault key that all of them share.
pub(crate) fn same_key(root: &Path) {
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
pub(crate) fn outcome(root: &Path) -> BTreeMap<String, Vec<String>> {
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

/// What a run that was left alone leaves, and how long it took.
pub(crate) struct Alone {
    pub(crate) outcome: BTreeMap<String, Vec<String>>,
    length: Duration,
}

impl Alone {
    /// Runs the demo.
    pub(crate) fn run(root: &Path) -> Self {
        fresh(root);
        let alone = Self::of(root);
        let outcome = &alone.outcome;
        assert!(outcome["decisions"].len() > 100 && outcome["credits"].len() > 10);
        assert!(!outcome["delivered files"].is_empty() && !outcome["quarantine"].is_empty());
        alone
    }

    /// Runs a project.
    pub(crate) fn of(root: &Path) -> Self {
        let started = Instant::now();
        succeed(&["run", shown(root), "--quiet"]);
        Self { length: started.elapsed(), outcome: outcome(root) }
    }

    /// Runs a fresh project that is killed up to ten times and resumed each time, so that late stages are hit as well, and
    /// compares what it leaves. Returns how often it was killed.
    pub(crate) fn compare_killed(&self, root: &Path, moments: &mut impl Iterator<Item = f64>) -> u64 {
        let mut kills = 0;
        let mut finished = false;
        for moment in moments.take(10) {
            let mut child = spawn(root);
            std::thread::sleep(Duration::from_secs_f64(0.6 * self.length.as_secs_f64() * moment));
            if child.try_wait().expect("a state").is_some() {
                finished = true;
                break;
            }
            child.kill().expect("killed");
            child.wait().expect("gone");
            kills += 1;
        }
        if !finished {
            succeed(&["run", shown(root), "--quiet"]);
        }
        let got = outcome(root);
        for (table, rows) in &self.outcome {
            assert_eq!(rows.len(), got[table].len(), "rows of {table} after {kills} kills");
            assert!(*rows == got[table], "{table} differs after {kills} kills");
        }
        kills
    }
}

/// Moments of a run, as shares of its length.
pub(crate) fn moments() -> impl Iterator<Item = f64> {
    let stream = Stream::new(20_260_401, 0);
    (1..).map(move |draw| stream.uniform_at(draw))
}

#[test]
fn kills_at_any_moment_lose_and_double_nothing() {
    let kills: u64 = std::env::var("THROUGHLINE_KILLS").ok().and_then(|k| k.parse().ok()).unwrap_or(SHORT_FORM_KILLS);
    let dir = tempfile::tempdir().expect("a folder");
    let alone = Alone::run(&dir.path().join("alone"));
    let mut moments = moments();
    let (mut done, mut round) = (0, 0);
    while done < kills {
        round += 1;
        let root = dir.path().join(format!("killed-{round}"));
        fresh(&root);
        done += alone.compare_killed(&root, &mut moments);
        std::fs::remove_dir_all(&root).expect("removed");
    }
    eprintln!("{done} kills, a run of {:.1} s", alone.length.as_secs_f64());
}
