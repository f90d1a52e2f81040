//! Erasing people: what is left of them, what others keep, and what a kill in between changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use throughline_run::{Project, Stores, features_table, labels_table, row_objects, tables};

use crate::identity::{project, run};
use crate::kills;
use crate::support::{binary, json, refused, shown, succeed, throughline};

/// Every row of every file of every table, whichever version names it; with `published`, of the published version only.
fn rows(root: &Path, published: bool) -> BTreeMap<String, Vec<String>> {
    let project = Project::load(root, BTreeMap::new()).expect("a project");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let stores = Stores::open(&project).await.expect("stores");
        let manifest = stores.ledger.manifest().await.expect("a manifest");
        let mut out = BTreeMap::new();
        for spec in tables::all().into_iter().chain([features_table(&project.features.value), labels_table()]) {
            let snapshot = if published {
                stores.lake.snapshot(&spec, manifest.get(&spec.name).copied()).await.expect("a version")
            } else {
                stores.lake.every_file(&spec).await.expect("files")
            };
            let mut rows = Vec::new();
            for file in snapshot.files() {
                for batch in snapshot.read_file(file, None).await.expect("a file") {
                    rows.extend(row_objects(&batch).into_iter().map(|row| Value::Object(row).to_string()));
                }
            }
            if published {
                // What the log says of the files is what they hold.
                assert_eq!(snapshot.row_count(), rows.len() as u64, "{}", spec.name);
            }
            rows.sort();
            out.insert(spec.name.clone(), rows);
        }
        out
    })
}

/// Text that stands in any file below a folder, the vault's key apart.
fn stands(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return stands(&path, text);
        }
        let bytes = std::fs::read(&path).expect("a file");
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

/// Rows that name none of the texts.
fn without(rows: &BTreeMap<String, Vec<String>>, gone: &[String]) -> BTreeMap<String, Vec<String>> {
    let keep = |row: &&String| !gone.iter().any(|text| row.contains(text));
    rows.iter().map(|(table, rows)| (table.clone(), rows.iter().filter(keep).cloned().collect())).collect()
}

#[test]
fn an_erased_person_is_gone_from_every_version_and_stays_gone() {
    let dir = project("'granted'", "", "matching: { one_record_per_person: [crm, till] }\n");
    let root = dir.path();
    run(root);
    let linked = json(&["identity", "review", shown(root), "--outcome", "linked", "--limit", "500", "--open"]);
    let pair = &linked["pairs"][0];
    let tokens = [0, 1].map(|i| pair[["token", "other_token"][i]].as_str().expect("a token").to_owned());
    let said: Vec<String> =
        ["street", "last"].iter().filter_map(|f| pair["said"][0][*f].as_str().map(Into::into)).collect();
    // A second version of the tables, a decision about the person, and what it was decided for.
    let reason = "father and son of one name";
    succeed(&["identity", "part", &tokens[0], &tokens[1], shown(root), "--reason", reason]);
    run(root);
    succeed(&["identity", "undo", &tokens[0], &tokens[1], shown(root)]);
    run(root);
    let (all, before) = (rows(root, false), rows(root, true));
    let person = person_of(&before, &tokens[0]);
    let planned = json(&["erase", &person, shown(root), "--dry-run"]);
    assert_eq!(rows(root, false), all, "a dry run changes nothing");
    assert_eq!(planned["erasure"]["identifiers"].as_array().map(Vec::len), Some(2), "{planned}");
    assert_eq!(planned["erasure"]["profiles"].as_array().map(Vec::len), Some(2), "{planned}");
    // In the version in which they were apart, one of the two had another id.
    assert_eq!(planned["erasure"]["persons"].as_array().map(Vec::len), Some(2), "{planned}");
    assert!(
        planned["erasure"]["tables"]["timeline"]["rows"].as_u64()
            > planned["erasure"]["tables"]["timeline"]["published"].as_u64()
    );
    let note = note_of(root, &tokens);
    assert_eq!(open_note(root, &note).as_deref(), Some(reason));

    let erased = json(&["erase", &person, shown(root)]);
    assert_eq!(erased["erasure"], planned["erasure"], "as planned");
    let gone: Vec<String> =
        ["persons", "identifiers", "profiles"].iter().flat_map(|k| texts(&erased["erasure"][*k])).collect();
    let after = rows(root, false);
    for (table, rows) in after.iter().filter(|(table, _)| *table != "person_changes") {
        assert!(!rows.iter().any(|row| gone.iter().any(|text| row.contains(text))), "{table}");
    }
    assert_eq!(without(&after, &gone), without(&all, &gone), "others keep every row of every version");
    assert_eq!(open_note(root, &note), None, "a note ends with its subject");
    for text in said.iter().chain([&reason.to_owned()]) {
        assert!(!stands(&root.join(".throughline"), text), "{text}");
    }
    assert!(succeed(&["audit", "verify", shown(root)]).contains("records"));
    assert!(succeed(&["audit", "export", shown(root)]).lines().any(|line| line.contains("\"erased\"")));

    // The next run computes the rest as it was, retires the ids, and says how many were erased.
    let counted = run(root);
    assert_eq!((counted["erased"].as_u64(), counted["retired"].as_u64()), (Some(2), Some(2)), "{counted}");
    let again = rows(root, true);
    for table in ["events", "profiles", "persons", "timeline"] {
        assert_eq!(again[table], without(&before, &gone)[table], "{table}");
    }
    assert!(again["person_changes"].iter().any(|row| row.contains("retired") && row.contains(&person)));
    stays_gone(root, &person, &erased["erasure"], &again["persons"]);
}

/// Nothing brings an erased person back, and erasing again does nothing.
fn stays_gone(root: &Path, person: &str, erasure: &Value, persons: &[String]) {
    // The same files, read again, do not bring the person back, and nothing is retired twice.
    let report = json(&["run", shown(root), "--from", "ingest"]);
    let left_out: u64 = report["stages"][0]["units"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|u| u["metrics"]["erased"].as_u64())
        .sum();
    assert_eq!(left_out, 2, "{report}");
    assert_eq!(rows(root, true)["persons"], persons);
    assert_eq!(run(root)["retired"], 0);
    let repeated = json(&["erase", person, shown(root)]);
    assert_eq!((repeated["already"].as_bool(), &repeated["erasure"]), (Some(true), erasure));
    refused(&["erase", &"0".repeat(32), shown(root)], &["person `0000", "is not known"]);
    let nobody = throughline(&["erase", "emial:ann@example.org", shown(root)]);
    let error = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert!(!nobody.status.success() && error.contains("TL061") && !error.contains("emial:ann"), "{error}");
}

fn person_of(rows: &BTreeMap<String, Vec<String>>, token: &str) -> String {
    let row = rows["persons"].iter().find(|row| row.contains(token)).expect("a person");
    let row: Value = serde_json::from_str(row).expect("JSON");
    row["person_id"].as_str().expect("an id").to_owned()
}

/// The sealed reason of the decision about two identifiers: under which token, and the bytes.
fn note_of(root: &Path, tokens: &[String; 2]) -> (String, String) {
    let project = Project::load(root, BTreeMap::new()).expect("a project");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let stores = Stores::open(&project).await.expect("stores");
        let kept = stores.ledger.artefacts("identity_decision").await.expect("decisions");
        let decision = kept.iter().find(|a| a.metadata["same"] == false).expect("the decision");
        assert_eq!(decision.metadata["token"].as_str(), Some(tokens[0].as_str()));
        (tokens[0].clone(), decision.metadata["reason"].as_str().expect("a note").to_owned())
    })
}

fn open_note(root: &Path, (token, note): &(String, String)) -> Option<String> {
    let project = Project::load(root, BTreeMap::new()).expect("a project");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let stores = Stores::open(&project).await.expect("stores");
        let bytes: Vec<u8> =
            (0..note.len() / 2).map(|i| u8::from_str_radix(&note[2 * i..2 * i + 2], 16).expect("hex")).collect();
        let opened = stores.vault.open_note(token.parse().expect("a token"), &bytes).await.expect("the vault");
        opened.map(|text| text.to_string())
    })
}

/// The raw e-mail address of somebody who was delivered, and the id.
fn delivered(root: &Path) -> (String, String) {
    let rows = rows(root, true);
    let sent = rows["deliveries"].iter().find(|row| row.contains("\"sent\"")).expect("a delivery");
    let sent: Value = serde_json::from_str(sent).expect("JSON");
    let person = sent["entity_id"].as_str().expect("an id").to_owned();
    let files: Vec<String> = kills::outcome(root).remove("delivered files").unwrap_or_default();
    (person, files.join("\n"))
}

#[test]
fn destinations_are_asked_to_delete_and_a_kill_changes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let first = dir.path().join("first");
    kills::fresh(&first);
    succeed(&["run", shown(&first), "--quiet"]);
    let (person, files) = delivered(&first);
    let copy = |name: &str| {
        let to = dir.path().join(name);
        let done = Command::new("cp").args(["-r", shown(&first), shown(&to)]).status().expect("cp");
        assert!(done.success());
        to
    };
    let alone = copy("alone");
    let started = Instant::now();
    let report = json(&["erase", &person, shown(&alone)]);
    let length = started.elapsed();
    let deletion = &report["deletions"][0];
    assert_eq!(deletion["destination"], "email_service");
    let request =
        std::fs::read_to_string(alone.join(deletion["request"].as_str().expect("a place"))).expect("a request");
    let request: Value = serde_json::from_str(&request).expect("JSON");
    let addresses = texts(&request["identifiers"]);
    assert!(!addresses.is_empty() && files.contains(&addresses[0]), "{request}");
    assert!(texts(&request["entity_ids"]).contains(&person));
    assert!(!stands(&alone.join(".throughline"), &addresses[0]), "the address is in no file of ours");
    let erased = rows(&alone, false);
    // The next run delivers nothing twice and nothing of the person.
    assert!(succeed(&["run", shown(&alone), "--quiet"]).contains("except for"));
    let (before, after) = (rows(&first, true), rows(&alone, true));
    let gone = [texts(&report["erasure"]["persons"]), texts(&report["erasure"]["identifiers"])].concat();
    for table in ["events", "persons", "timeline", "journeys", "touches"] {
        assert_eq!(after[table], without(&before, &gone)[table], "{table}");
    }
    let entities = |rows: &[String]| -> BTreeSet<(String, String)> {
        let of = |row: &String| {
            let row: Value = serde_json::from_str(row).expect("JSON");
            (row["entity_id"].to_string(), row["batch_id"].to_string())
        };
        rows.iter().filter(|row| row.contains("\"sent\"")).map(of).collect()
    };
    let sent_before = entities(&without(&before, &gone)["deliveries"]);
    assert!(entities(&after["deliveries"]).is_superset(&sent_before), "who was delivered stays delivered");
    let told = succeed(&["erasures", shown(&alone)]);
    assert!(told.contains("email_service") && told.contains("asked: out/email_service/deletions/"), "{told}");
    let name = format!("{}/email_service", report["erasure"]["id"].as_str().expect("an id"));
    assert!(succeed(&["erasures", shown(&alone), "--deleted", &name]).contains("confirmed"));
    refused(&["erasures", shown(&alone), "--deleted", "0/nowhere"], &["deletion `0/nowhere`", "is not known"]);

    let mut kills = 0;
    for (round, moment) in kills::moments().take(4).enumerate() {
        let root = copy(&format!("killed-{round}"));
        let mut child = Command::new(binary())
            .args(["erase", &person, shown(&root)])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        std::thread::sleep(Duration::from_secs_f64(length.as_secs_f64() * moment));
        kills += u32::from(child.try_wait().expect("a state").is_none());
        child.kill().ok();
        child.wait().expect("gone");
        let again = json(&["erase", &person, shown(&root)]);
        assert_eq!(again["erasure"]["identifiers"], report["erasure"]["identifiers"]);
        assert_eq!(rows(&root, false), erased, "after a kill at {moment} of its length");
        assert!(root.join(deletion["request"].as_str().expect("a place")).exists());
        assert!(succeed(&["audit", "verify", shown(&root)]).contains("records"));
        std::fs::remove_dir_all(&root).expect("removed");
    }
    eprintln!("{kills} kills, an erasure of {:.2} s", length.as_secs_f64());
}
