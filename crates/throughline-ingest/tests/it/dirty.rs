//! Random dirt: never a panic, and every row is accounted for.

use std::collections::BTreeMap;

use proptest::prelude::*;
use throughline_ingest::{Profile, list_units, profile};

use crate::harness::{ORDERS, Project, context};

fn look(connector: &str, content: &[u8], rest: &str) -> Profile {
    let project = Project::new();
    project.file("in", content);
    let source = project.compile(connector, "in", rest).expect("fits");
    let file = list_units(project.path(), source.config(), &BTreeMap::new()).expect("listed").remove(0);
    profile(&source, &file, &context(), u64::MAX).expect("read to the end")
}

fn balanced(profile: &Profile) -> bool {
    let r = &profile.report;
    r.rows_read == r.rows_emitted + r.rows_skipped + r.rows_quarantined()
        && r.events + r.duplicates >= r.rows_emitted
        && r.events <= r.rows_emitted
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("1".to_owned()),
        3 => Just("2026-03-01".to_owned()),
        2 => Just("ann@example.org".to_owned()),
        1 => Just("-5".to_owned()),
        1 => Just("\"".to_owned()),
        1 => Just("\"a\nb\"".to_owned()),
        1 => Just(String::new()),
        1 => Just("paid".to_owned()),
        1 => "\\PC{0,8}",
    ]
}

fn mapping() -> String {
    let when = ORDERS.replace("  - id", "  - when: \"status IS NULL OR status = 'paid'\"\n    id");
    format!("\nfailure_limit: 1\ncolumns: {{ id: text, ts: text, email: text, amount: text, status: text }}{when}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn delimited_text(rows in proptest::collection::vec(proptest::collection::vec(value(), 3..7), 0..20)) {
        let lines: Vec<String> = rows.iter().map(|r| r.join(",")).collect();
        let text = format!("id,ts,email,amount,status\n{}\n", lines.join("\n"));
        let seen = look("csv", text.as_bytes(), &mapping());
        prop_assert!(balanced(&seen), "{:?}", seen.report);
        prop_assert!(seen.report.rows_read <= text.lines().count() as u64);
    }

    #[test]
    fn delimited_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let text = [b"id,ts,email,amount,status\n".as_slice(), &bytes].concat();
        let seen = look("csv", &text, &mapping());
        prop_assert!(balanced(&seen), "{:?}", seen.report);
    }

    #[test]
    fn json_lines(rows in proptest::collection::vec(proptest::collection::vec(value(), 5), 0..20), cut in 0_usize..2000) {
        let mut text = String::new();
        for row in &rows {
            let names = ["id", "ts", "email", "amount", "status"];
            let object: BTreeMap<&str, &str> = names.into_iter().zip(row.iter().map(String::as_str)).collect();
            text += &serde_json::to_string(&object).expect("json");
            text.push('\n');
        }
        let whole = look("jsonl", text.as_bytes(), &mapping());
        prop_assert!(balanced(&whole), "{:?}", whole.report);
        prop_assert_eq!(whole.report.rows_read, rows.len() as u64);
        // A file that was cut off anywhere, also inside a character.
        let part = look("jsonl", &text.as_bytes()[..cut.min(text.len())], &mapping());
        prop_assert!(balanced(&part), "{:?}", part.report);
    }

    #[test]
    fn json_bytes(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'{'), Just(b'"'), Just(b'\n')], 0..300)) {
        let seen = look("jsonl", &bytes, &mapping());
        prop_assert!(balanced(&seen), "{:?}", seen.report);
    }
}
