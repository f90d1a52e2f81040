//! Every connector of a vendor: a source of five lines on each of its fixtures gives what stands in `expected.txt`, and
//! nothing hostile does harm.
//!
//! `THROUGHLINE_WRITE_EXPECTED=1 cargo test` writes the expected files anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use throughline_ingest::connector::{CONNECTORS, Connector};
use throughline_ingest::{CompiledSource, Profile, SourceConfig, SourceFile, list_units, profile};

use crate::harness::{Done, Project, context};

fn folder(connector: &dyn Connector) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(connector.name())
}

fn vendors() -> impl Iterator<Item = &'static dyn Connector> {
    CONNECTORS.iter().copied().filter(|c| c.preset().is_some())
}

/// Files of a vendor's folder by name, without the expected text.
fn files(connector: &dyn Connector) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder(connector)).expect("every vendor has fixtures");
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.expect("readable").path())
        .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), path))
        .filter(|(name, _)| name != "expected.txt")
        .map(|(name, path)| (name, std::fs::read(path).expect("readable")))
        .collect();
    files.sort();
    files
}

/// Files that lie beside data and are none.
fn is_beside(name: &str) -> bool {
    matches!(name, "column_headers.tsv" | "event.tsv" | "browser.tsv")
}

/// A project with all files of a vendor, and the names of those with data.
fn project(connector: &dyn Connector) -> (Project, Vec<String>) {
    let project = Project::new();
    let files = files(connector);
    for (name, content) in &files {
        project.file(name, content);
    }
    let data: Vec<String> = files.into_iter().map(|(name, _)| name).filter(|name| !is_beside(name)).collect();
    assert!(!data.is_empty(), "{} has no fixture", connector.name());
    (project, data)
}

const ALL: &str = "\nfailure_limit: 1\n";

fn shown(name: &str, done: &Done) -> String {
    let mut text = format!("# {name}\n");
    let report = &done.report;
    let counts = (report.rows_read, report.rows_emitted, report.rows_skipped, report.duplicates);
    let _infallible =
        writeln!(text, "read {} emitted {} skipped {} duplicates {}", counts.0, counts.1, counts.2, counts.3);
    for (title, lines) in [("events", &done.events), ("spend", &done.spend), ("refused", &done.quarantine)] {
        for line in lines {
            let _infallible = writeln!(text, "{title}: {line}");
        }
    }
    for (line, tokens) in done.events.iter().zip(&done.tokens) {
        assert!(!tokens.is_empty(), "an event without a subject: {line}");
    }
    text + "\n"
}

#[tokio::test]
async fn five_lines_give_what_is_expected() {
    for connector in vendors() {
        let (project, data) = project(connector);
        let mut text = String::new();
        for name in &data {
            let done = project.ingest(connector.name(), name, ALL).await.expect("ingested");
            text += &shown(name, &done);
        }
        let path = folder(connector).join("expected.txt");
        if std::env::var_os("THROUGHLINE_WRITE_EXPECTED").is_some() {
            std::fs::write(&path, &text).expect("written");
        }
        let expected = std::fs::read_to_string(&path).expect("expected.txt");
        for (got, expect) in text.lines().zip(expected.lines()) {
            assert_eq!(got, expect, "{}", connector.name());
        }
        assert_eq!(text.lines().count(), expected.lines().count(), "{}", connector.name());
    }
}

fn source(project: &Project, connector: &dyn Connector, location: &str) -> (CompiledSource, SourceFile) {
    let compiled = project.compile(connector.name(), location, ALL).expect("fits");
    let file = list_units(project.path(), compiled.config(), &BTreeMap::new()).expect("listed").remove(0);
    (compiled, file)
}

#[test]
fn documented_columns_are_in_every_file_and_are_read() {
    for connector in vendors() {
        let (project, data) = project(connector);
        let documented = connector.documented();
        let own: Vec<&str> = documented.iter().map(|(name, _)| *name).filter(|name| !name.contains('.')).collect();
        assert!(documented.iter().all(|(_, doc)| doc.len() > 3), "{} lacks words", connector.name());
        for name in &data {
            let (_, file) = source(&project, connector, name);
            let found = connector.columns(&file, &BTreeMap::new()).expect("columns").columns;
            let found: Vec<String> = found.into_iter().map(|c| c.name).collect();
            assert_eq!(found.iter().take(own.len()).collect::<Vec<_>>(), own, "{}", connector.name());
            let mut reader = connector.read(&file, &BTreeMap::new(), &found).expect("opened");
            let mut rows = 0;
            while let Some(batch) = reader.next_batch().expect("read") {
                assert_eq!(batch.columns.len(), found.len());
                assert!(batch.columns.iter().all(|c| c.len() == batch.numbers.len() && c.len() == batch.lines.len()));
                rows += batch.numbers.len() + batch.refused.len();
            }
            assert_eq!(reader.rows_read(), rows as u64, "{name}");
        }
    }
}

#[test]
fn the_documentation_has_every_vendor_and_column() {
    let page = include_str!("../../../../docs/sources.md");
    for connector in vendors() {
        let section = page
            .split("\n### ")
            .find(|part| part.lines().next().is_some_and(|l| l.ends_with(&format!(": `{}`", connector.name()))));
        let section = section.unwrap_or_else(|| panic!("no section on {}", connector.name()));
        for (name, doc) in connector.documented() {
            assert!(section.contains(&format!("| `{name}` | {doc} |")), "{}: {name}", connector.name());
        }
    }
}

fn look(connector: &dyn Connector, project: &Project, location: &str) -> Result<Profile, String> {
    let compiled = project.compile(connector.name(), location, ALL)?;
    let file = list_units(project.path(), compiled.config(), &BTreeMap::new()).expect("listed").remove(0);
    profile(&compiled, &file, &context(), u64::MAX).map_err(|e| e.to_string())
}

#[track_caller]
fn balanced(connector: &dyn Connector, what: &str, seen: &Profile) {
    let r = &seen.report;
    let sum = r.rows_emitted + r.rows_skipped + r.rows_quarantined();
    assert_eq!(r.rows_read, sum, "{} {what}: {r:?}", connector.name());
}

/// The first fixture of rows that stand on lines of their own, with its lines.
fn by_line(connector: &dyn Connector) -> (Project, String, Vec<u8>) {
    let (project, data) = project(connector);
    let name = data
        .into_iter()
        .rev()
        .find(|n| n.rsplit('.').next() != Some("json") && n != "excel.csv")
        .expect("a fixture by line");
    let content = std::fs::read(folder(connector).join(&name)).expect("readable");
    (project, name, content)
}

#[test]
fn files_cut_off_anywhere_are_read_as_far_as_they_go() {
    for connector in vendors() {
        let (project, data) = project(connector);
        for name in data {
            let content = std::fs::read(folder(connector).join(&name)).expect("readable");
            let last = content.iter().rposition(|b| *b == b'\n').unwrap_or(0);
            for cut in (1..content.len()).step_by(content.len() / 12 + 1).chain([last, content.len() - 1]) {
                project.file(&name, &content[..cut]);
                // A file that ends before its header is refused; any other is read.
                if let Ok(seen) = look(connector, &project, &name) {
                    balanced(connector, &format!("{name} cut at {cut}"), &seen);
                }
            }
            project.file(&name, &content);
            assert!(look(connector, &project, &name).expect("whole").report.rows_emitted > 0, "{name}");
        }
    }
}

#[test]
fn hostile_rows_are_refused_one_by_one() {
    for connector in vendors() {
        let (project, name, content) = by_line(connector);
        let good = look(connector, &project, &name).expect("whole").report;
        let json = content.starts_with(b"{");
        let text = content.strip_suffix(b"\n").unwrap_or(&content);
        let last = text.rsplit(|b| *b == b'\n').next().expect("a line").to_vec();
        let invalid = if json { [b"{\"\xff\":1,", &last[1..]].concat() } else { [b"x\xff", &last[1..]].concat() };
        let long = "x".repeat(1_200_000);
        let long = if json {
            [b"{\"a\":\"", long.as_bytes(), b"\",", &last[1..]].concat()
        } else {
            [long.as_bytes(), &last].concat()
        };
        let bomb = [b"{\"a\":", "[".repeat(100_000).as_bytes()].concat();
        let all = [("TL202", invalid, true), ("TL204", long, true), ("TL203", bomb, json)];
        for (code, row, applies) in all.into_iter().filter(|(.., applies)| *applies) {
            assert!(applies);
            project.file(&name, [text, b"\n", &row, b"\n", &last, b"\n"].concat());
            let seen = look(connector, &project, &name).expect("read to the end");
            balanced(connector, code, &seen);
            let count = |r: &throughline_ingest::IngestReport| r.quarantined.get(code).copied().unwrap_or(0);
            assert_eq!(count(&seen.report), count(&good) + 1, "{} {code}: {:?}", connector.name(), seen.report);
            assert_eq!(seen.report.rows_read, good.rows_read + 2, "{} {code}", connector.name());
        }
    }
}

#[test]
fn empty_and_foreign_files_are_told_apart() {
    for connector in vendors() {
        let (project, name, _) = by_line(connector);
        project.file(&name, "");
        match look(connector, &project, &name) {
            Ok(seen) => {
                assert_eq!(seen.report.rows_read, 0);
                assert!(seen.report.warnings[0].to_string().contains("is empty"), "{:?}", seen.report.warnings);
            }
            Err(shown) => assert!(shown.contains("TL122") && shown.contains("is empty"), "{shown}"),
        }
        if connector.name() == "adobe_feed" {
            continue;
        }
        for foreign in ["{\"lorem\":1,\"ipsum\":2}\n", "[{\"lorem\":1}]"] {
            project.file(&name, foreign);
            let shown = look(connector, &project, &name).expect_err("not of this vendor");
            assert!(shown.contains("TL124") && shown.contains(connector.name()), "{shown}");
        }
    }
    let project = Project::new();
    project.file("a.csv", "lorem,ipsum\n1,2\n");
    let shown = project.compile("google_ads", "a.csv", "").expect_err("foreign");
    assert!(shown.contains("no line has the names of its columns; expected Day or Date"), "{shown}");
    project.file("hit_data.tsv", "1\t2\n");
    let shown = project.compile("adobe_feed", "hit_data.tsv", "").expect_err("no header");
    assert!(shown.contains("put `column_headers.tsv` beside it"), "{shown}");
}

#[tokio::test]
async fn nested_columns_of_parquet_say_what_lines_of_json_say() {
    let (project, _) = project(vendors().find(|c| c.name() == "ga4").expect("registered"));
    let text = std::fs::read(project.path().join("events.jsonl")).expect("readable");
    let (schema, _) = arrow::json::reader::infer_json_schema(text.as_slice(), None).expect("nested columns");
    let schema = std::sync::Arc::new(schema);
    let rows = arrow::json::ReaderBuilder::new(std::sync::Arc::clone(&schema)).build(text.as_slice()).expect("rows");
    let file = std::fs::File::create(project.path().join("events.parquet")).expect("a file");
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, schema, None).expect("a writer");
    for batch in rows {
        writer.write(&batch.expect("rows")).expect("written");
    }
    writer.close().expect("closed");
    let json = project.ingest("ga4", "events.jsonl", ALL).await.expect("ingested");
    let parquet = project.ingest("ga4", "events.parquet", ALL).await.expect("ingested");
    assert!(json.events.len() > 4);
    assert_eq!((parquet.events, parquet.tokens, parquet.quarantine), (json.events, json.tokens, json.quarantine));
}

#[tokio::test]
async fn what_the_user_writes_wins_key_by_key() {
    let (project, _) = project(vendors().find(|c| c.name() == "email_service").expect("registered"));
    let own = "\nfailure_limit: 1\nlatency_hours: 2\nconsent: \"'granted'\"\nemits:\n  - when: \"action = 'clicked'\"\n    \
               id: event_id\n    kind: \"'click'\"\n    occurred_at: occurred_at\n    subjects: { email: email }\n";
    let done = project.ingest("email_service", "events.jsonl", own).await.expect("ingested");
    assert_eq!(done.events.len(), 1);
    assert!(
        done.events[0].contains("kind=click ") && done.events[0].contains("consent=measurement=granted"),
        "{:?}",
        done.events
    );
    assert!(done.events[0].contains("occurred_at=2026-03-01T13:00:10Z available_at=2026-03-01T15:00:10Z"));
}

#[test]
fn faults_in_a_preset_name_it_and_stand_at_the_connector() {
    let project = Project::new();
    project.file("events.jsonl", "{\"event_timestamp\":1,\"event_name\":\"x\"}\n");
    // The user's type does not fit what the preset makes of the column.
    let shown = project.compile("ga4", "events.jsonl", "\ncolumns: { event_timestamp: text }\n").expect_err("refused");
    assert!(shown.contains("sources/orders.yaml:4:12: error[TL108]: preset of `ga4`, emit 1, occurred_at"), "{shown}");
}

#[test]
fn headers_and_lookups_beside_a_file_are_part_of_what_it_says() {
    let (project, data) = project(vendors().find(|c| c.name() == "adobe_feed").expect("registered"));
    let hash = || {
        let config = SourceConfig::parse(
            &format!(
                "apiVersion: throughline/v1\nkind: Source\nname: a\nconnector: adobe_feed\nlocation: {}\n",
                data[0]
            ),
            "sources/a.yaml",
        );
        let config = config.expect("a source");
        list_units(project.path(), &config, &BTreeMap::new()).expect("listed").remove(0).content_hash
    };
    let before = hash();
    project.file("event.tsv", "1\tOther\n");
    assert_ne!(hash(), before);
}

#[tokio::test]
async fn numbers_of_two_regions_in_one_file_need_a_word() {
    let project = Project::new();
    let rows =
        "Day,Campaign,Cost,Clicks,Impr.,Currency code\n2026-03-01,a,\"1,50\",1,1,EUR\n2026-03-02,a,1.50,1,1,EUR\n";
    project.file("a.csv", rows);
    let done = project.ingest("google_ads", "a.csv", ALL).await.expect_err("refused");
    assert!(done.to_string().contains("set `options: { decimal: … }`"), "{done}");
    let done = project
        .ingest("google_ads", "a.csv", "\nfailure_limit: 1\noptions: { decimal: '.' }\n")
        .await
        .expect("ingested");
    assert_eq!((done.spend.len(), done.quarantine.len()), (1, 1));
    let shown = project.compile("google_ads", "a.csv", "\noptions: { decimal: x }\n").expect_err("refused");
    assert!(shown.contains("decimal `x` is neither"), "{shown}");
    project.file("r.csv", "receipt,local_time,value\n1,2026-03-01 12:00:00,5\n");
    let shown = project.compile("pos", "r.csv", "\noptions: { zone: Mars/Base }\n").expect_err("refused");
    assert!(shown.contains("zone `Mars/Base` is not in the time zone database"), "{shown}");
    let options = "\noptions: { zone: Europe/Berlin, currency: EUR }\n";
    let done = project.ingest("pos", "r.csv", options).await.expect("ingested");
    assert!(done.events[0].contains("occurred_at=2026-03-01T11:00:00Z"), "{:?}", done.events);
}
