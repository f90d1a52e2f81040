//! Who may depend on whom: the layer table against `cargo metadata`.

use std::process::Command;

use serde_json::Value;

use crate::workspace::{Finding, Workspace};

const MODELS_MAY: &[&str] = &["core", "stats"];
/// Models that are built on base learners.
const LEARNING_MAY: &[&str] = &["core", "stats", "learn"];
const DATA_PLANE_MAY: &[&str] = &["core", "stats", "lake"];

/// Crate (without its `throughline-` prefix) and the workspace crates it may name, bottom up.
const LAYERS: &[(&str, &[&str])] = &[
    ("stats", &[]),
    ("core", &["stats"]),
    ("postgres", &["core"]),
    ("ledger", &["core", "postgres"]),
    ("vault", &["core"]),
    ("lake", &["core", "stats"]),
    ("ingest", &["core", "stats", "lake", "vault", "postgres"]),
    ("linkage", MODELS_MAY),
    ("identity", &["core", "stats", "lake", "vault", "linkage"]),
    ("activate", &["core", "stats", "lake", "vault", "ledger"]),
    ("paths", MODELS_MAY),
    ("journeys", &["core", "stats", "lake", "paths"]),
    ("features", DATA_PLANE_MAY),
    ("watch", DATA_PLANE_MAY),
    ("learn", MODELS_MAY),
    ("attribution", MODELS_MAY),
    ("evidence", LEARNING_MAY),
    ("uplift", LEARNING_MAY),
    ("decide", MODELS_MAY),
    ("market", MODELS_MAY),
    ("govern", &["core"]),
    ("oneshot", &["core", "stats", "attribution", "evidence", "market", "paths", "uplift"]),
    (
        "run",
        &[
            "oneshot",
            "core",
            "stats",
            "lake",
            "ledger",
            "vault",
            "ingest",
            "identity",
            "journeys",
            "paths",
            "features",
            "attribution",
            "evidence",
            "uplift",
            "decide",
            "activate",
            "watch",
            "govern",
        ],
    ),
    ("server", &["core", "govern", "lake", "ledger", "run", "vault"]),
    (
        "throughline",
        &[
            "oneshot",
            "core",
            "stats",
            "run",
            "market",
            "linkage",
            "attribution",
            "evidence",
            "uplift",
            "decide",
            "ledger",
            "server",
        ],
    ),
    ("testbed", &[]),
    ("xtask", &[]),
];

/// External crates that only some of ours may name.
const OWNED: &[(&str, &[&str])] = &[
    ("datafusion", &["lake", "ingest", "identity", "journeys", "features", "activate", "watch", "run"]),
    ("deltalake-core", &["lake"]),
    ("sqlx", &["postgres", "ledger", "vault", "ingest"]),
    ("cedar-policy", &["govern"]),
    ("hessboost", &["learn"]),
];

/// Crates that compute and nothing else, and what they may never name.
const PURE: &[&str] =
    &["core", "stats", "learn", "attribution", "evidence", "uplift", "decide", "market", "govern", "linkage", "paths"];
const IMPURE: &[&str] = &["datafusion", "deltalake-core", "sqlx", "reqwest", "axum", "object_store", "tokio"];

/// A dependency as `cargo metadata` tells it; development dependencies are marked.
struct Dependency<'a> {
    from: &'a str,
    to: &'a str,
    dev: bool,
}

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    match metadata(workspace) {
        Ok(metadata) => {
            breaches(&metadata).into_iter().map(|(from, to, message)| place(workspace, &from, &to, message)).collect()
        }
        Err(error) => vec![Finding::new("Cargo.toml", 1, error)],
    }
}

fn metadata(workspace: &Workspace) -> Result<Value, String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(&workspace.root)
        .output()
        .map_err(|error| format!("cannot start cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// The line of the crate's manifest that names the dependency.
fn place(workspace: &Workspace, from: &str, to: &str, message: String) -> Finding {
    let path = if from == "xtask" { "xtask/Cargo.toml".to_owned() } else { format!("crates/{from}/Cargo.toml") };
    let line = workspace.file(&path).and_then(|f| f.text.lines().position(|l| l.starts_with(to))).map_or(1, |i| i + 1);
    Finding::new(&path, line, message)
}

/// (crate, dependency, message) for each breach.
fn breaches(metadata: &Value) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let from = package["name"].as_str().unwrap_or_default();
        if !LAYERS.iter().any(|(name, _)| *name == short(from)) {
            found.push((from.to_owned(), "[package]".to_owned(), format!("`{from}` has no row in the layer table")));
            continue;
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            let edge = Dependency { from: short(from), to, dev: dependency["kind"] == "dev" };
            if let Some(message) = refuse(&edge) {
                found.push((from.to_owned(), to.to_owned(), message));
            }
        }
    }
    found
}

fn short(name: &str) -> &str {
    name.strip_prefix("throughline-").unwrap_or(name)
}

fn refuse(edge: &Dependency<'_>) -> Option<String> {
    let Dependency { from, to, dev } = *edge;
    let ours = to == "throughline" || to.starts_with("throughline-") || to == "xtask";
    if to == "throughline" || to == "xtask" {
        return Some(format!("nothing may depend on the shell `{to}`"));
    }
    if dev {
        // Tests may use the simulator and neighbours; the shipped crate does not see them.
        return None;
    }
    if ours {
        let allowed = LAYERS.iter().find(|(name, _)| *name == from).map_or(&[][..], |(_, allowed)| allowed);
        return (!allowed.contains(&short(to))).then(|| {
            let list = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
            format!("`{from}` may not depend on `{to}` (allowed: {list})")
        });
    }
    if PURE.contains(&from) && IMPURE.contains(&to) {
        return Some(format!("`{from}` computes only and may not name `{to}`"));
    }
    OWNED
        .iter()
        .find(|(name, owners)| *name == to && !owners.contains(&from))
        .map(|(_, owners)| format!("`{to}` belongs to {}, not to `{from}`", owners.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: &str, to: &str, expect: Option<&str>) {
        let metadata = serde_json::json!({"packages": [{"name": from, "dependencies": [{"name": to, "kind": null}]}]});
        let found: Vec<String> = breaches(&metadata).into_iter().map(|b| b.2).collect();
        assert_eq!(found.first().map(String::as_str), expect, "{from} → {to}");
    }

    #[test]
    fn arrows_point_down() {
        check("throughline-core", "throughline-stats", None);
        check(
            "throughline-stats",
            "throughline-core",
            Some("`stats` may not depend on `throughline-core` (allowed: nothing)"),
        );
        check("throughline-run", "throughline-vault", None);
        check(
            "throughline-journeys",
            "throughline-vault",
            Some("`journeys` may not depend on `throughline-vault` (allowed: core, stats, lake, paths)"),
        );
        check("throughline-run", "throughline", Some("nothing may depend on the shell `throughline`"));
        check("throughline-new", "serde", Some("`throughline-new` has no row in the layer table"));
    }

    #[test]
    fn heavy_crates_have_owners() {
        check("throughline-decide", "tokio", Some("`decide` computes only and may not name `tokio`"));
        check("throughline-lake", "datafusion", None);
        check("throughline-run", "sqlx", Some("`sqlx` belongs to postgres, ledger, vault, ingest, not to `run`"));
        check("throughline", "deltalake-core", Some("`deltalake-core` belongs to lake, not to `throughline`"));
    }

    #[test]
    fn tests_may_use_the_market() {
        let edge = Dependency { from: "run", to: "throughline-market", dev: true };
        assert_eq!(refuse(&edge), None);
        assert!(refuse(&Dependency { dev: false, ..edge }).is_some());
    }
}
