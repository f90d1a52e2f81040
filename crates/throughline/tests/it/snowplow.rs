//! Snowplow's own expected tables, out of its own events, by the questions of the example.

use std::collections::BTreeMap;
use std::path::PathBuf;

use throughline_core::Timestamp;

use crate::support::{reference, refused, shown, succeed};

type Row = BTreeMap<String, String>;

/// Rows of CSV by the names of their columns.
fn rows(text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// A value in one notation: times of both sides are written differently, and so are truth values.
fn plain(text: &str) -> String {
    let text = text.trim();
    match text.parse::<Timestamp>() {
        Ok(time) if text.len() > 10 => time.micros().to_string(),
        _ => match text.parse::<f64>() {
            Ok(number) => number.to_string(),
            Err(_) => text.to_lowercase(),
        },
    }
}

/// The columns of rows, sorted.
fn columns(rows: &[Row], names: &[&str]) -> Vec<Vec<String>> {
    let of = |row: &Row| names.iter().map(|name| plain(row.get(*name).unwrap_or_else(|| panic!("{name}")))).collect();
    let mut found: Vec<Vec<String>> = rows.iter().map(of).collect();
    found.sort();
    found
}

struct Vectors {
    project: PathBuf,
    expected: PathBuf,
}

impl Vectors {
    fn ask(&self, question: &str) -> Vec<Row> {
        let file = self.project.join("queries").join(question).with_extension("sql");
        rows(&succeed(&["query", shown(&self.project), "--file", shown(&file), "--format", "csv"]))
    }

    /// Asks a question and holds its columns against an expected table.
    #[track_caller]
    fn check(&self, question: &str, table: &str, names: &[&str], count: usize) {
        let file = self.expected.join(format!("snowplow_web_{table}_expected.csv"));
        let expect = rows(&std::fs::read_to_string(file).expect("an expected table"));
        let got = self.ask(question);
        assert_eq!(columns(&got, names), columns(&expect, names), "{question}");
        assert_eq!(got.len(), count, "{question}");
    }
}

/// Each question of the example with the expected table, the columns compared and the rows.
const TABLES: &[(&str, &str, &[&str], usize)] = &[
    (
        "sessions",
        "sessions",
        &["domain_sessionid", "start_tstamp", "end_tstamp", "page_views", "engaged_time_in_s", "total_events"],
        18,
    ),
    ("users", "users", &["start_tstamp", "end_tstamp", "page_views", "sessions", "engaged_time_in_s"], 11),
    (
        "consent_log",
        "consent_log",
        &[
            "event_id",
            "domain_sessionid",
            "derived_tstamp",
            "load_tstamp",
            "event_name",
            "event_type",
            "basis_for_processing",
            "consent_url",
            "consent_version",
            "consent_scopes",
            "domains_applied",
            "gdpr_applies",
            "cmp_load_time",
        ],
        65,
    ),
    (
        "consent_users",
        "consent_users",
        &[
            "cmp_events",
            "consent_events",
            "last_cmp_event_tstamp",
            "last_consent_event_tstamp",
            "last_consent_event_type",
            "last_consent_scopes",
            "last_consent_version",
            "last_consent_url",
            "last_domains_applied",
            "last_processed_event",
            "is_latest_version",
        ],
        26,
    ),
    (
        "consent_versions",
        "consent_versions",
        &[
            "consent_version",
            "version_start_tstamp",
            "consent_scopes",
            "consent_url",
            "domains_applied",
            "is_latest_version",
            "last_allow_all_event",
        ],
        2,
    ),
    (
        "consent_versions",
        "consent_totals",
        &[
            "consent_version",
            "total_visitors",
            "allow_all",
            "allow_selected",
            "allow",
            "pending",
            "denied",
            "expired",
            "withdrawn",
            "implicit_consent",
        ],
        2,
    ),
    ("consent_scope_status", "consent_scope_status", &["scope", "total_consent"], 4),
    (
        "consent_cmp_stats",
        "consent_cmp_stats",
        &[
            "event_id",
            "domain_sessionid",
            "cmp_load_time",
            "cmp_tstamp",
            "first_consent_event_tstamp",
            "first_consent_event_type",
            "cmp_interaction_time",
        ],
        33,
    ),
];

#[test]
fn sessions_users_and_consent_tables_are_those_of_snowplow() {
    let Some(data) = reference() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let project = folder.path().join("site");
    succeed(&["init", shown(&project), "--example", "snowplow"]);
    succeed(&["run", shown(&project)]);
    let vectors = Vectors { project, expected: data.join("snowplow-web/expected") };
    for (question, table, names, count) in TABLES {
        vectors.check(question, table, names, *count);
    }
    for statement in ["COPY events TO 'events.csv'", "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/hosts'"] {
        refused(&["query", shown(&vectors.project), statement], &["not supported"]);
    }
    let formula = succeed(&["query", shown(&vectors.project), "SELECT '=1+1' AS a, -1 AS b", "--format", "csv"]);
    assert_eq!(formula.trim(), "a,b\n'=1+1,-1");
}
