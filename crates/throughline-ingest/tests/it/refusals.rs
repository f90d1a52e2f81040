//! Configuration and files that are refused, with place, code and what to do.

use std::collections::BTreeMap;

use throughline_ingest::{IngestError, list_units, profile};

use crate::harness::{ORDERS, Project, config, context};

const CSV: &str = "id,ts,email,amount\n1,2026-03-01,a@b.c,1\n";

/// The findings hold all of these.
#[track_caller]
fn check(content: &str, rest: &str, expect: &[&str]) {
    let project = Project::new();
    project.file("in", content);
    let shown = project.compile("csv", "in", rest).expect_err("refused");
    for part in expect {
        assert!(shown.contains(part), "lacks {part:?}:\n{shown}");
    }
}

#[track_caller]
fn check_mapping(from: &str, to: &str, expect: &[&str]) {
    assert!(ORDERS.contains(from));
    check(CSV, &ORDERS.replace(from, to), expect);
}

#[test]
fn expressions_are_checked_against_the_columns() {
    check_mapping(
        "email: email",
        "email: emial",
        &[
            "sources/orders.yaml:11:24: error[TL107]: emit 1, subject email: unknown column `emial`",
            "help: did you mean `email`?",
        ],
    );
    check_mapping(
        "value: amount",
        "value: (SELECT max(amount) FROM x)",
        &[
            "sources/orders.yaml:12:12: error[TL108]: emit 1, value: ",
            "are not allowed in expressions at line 1, column ",
        ],
    );
    check_mapping(
        "value: amount",
        "value: amount > '1'",
        &["error[TL109]: emit 1, value: the expression has type Bool, expected Float or Int or Text"],
    );
    check_mapping("id: id", "id: amount::float", &["error[TL109]", "help: cast it: `(…)::TEXT`"]);
    check_mapping(
        "occurred_at: ts",
        "occurred_at: now()",
        &["error[TL108]", "clock functions such as `now` are not allowed"],
    );
    check_mapping("id: id", "id: id ||", &["error[TL108]: emit 1, id: syntax error"]);
    check_mapping("  - id", "  - when: amount\n    id", &["error[TL109]", "write a condition"]);
}

#[test]
fn constants_are_checked_once() {
    check_mapping("'purchase'", "'purchse'", &["error[TL111]: unknown event kind `purchse`; did you mean `purchase`?"]);
    check_mapping("'EUR'", "'EURO'", &["error[TL111]: `EURO` is not an ISO 4217 currency code"]);
    check_mapping("'granted'", "'perhaps=granted'", &["error[TL111]: unknown consent purpose `perhaps`"]);
    check_mapping("{ email:", "{ emial:", &["error[TL111]: unknown identifier kind `emial`", "did you mean `email`?"]);
    check_mapping("  - id", "  - table: event\n    id", &["error[TL111]: unknown table `event`", "events, spend"]);
}

#[test]
fn fields_must_be_there_and_in_their_table() {
    check_mapping("    occurred_at: ts\n", "", &["sources/orders.yaml:", "error[TL110]: emit 1 has no `occurred_at`"]);
    check_mapping("    subjects: { email: email }\n", "", &["emit 1 has no `subjects`"]);
    check_mapping("    currency: \"'EUR'\"\n", "", &["emit 1 has an amount but no `currency`"]);
    check_mapping(
        "    value",
        "    clicks: amount\n    value",
        &["error[TL110]: emit 1: `clicks` belongs to table spend"],
    );
    check_mapping(
        "  - id",
        "  - table: spend\n    id",
        &[
            "emit 1 has no `date`",
            "emit 1 has no `cost`",
            "`kind` belongs to table events",
            "`subjects` and `properties` belong to table events",
        ],
    );
}

#[test]
fn connectors_options_and_columns() {
    let project = Project::new();
    project.file("in", CSV);
    let shown = project.compile("jsn", "in", ORDERS).expect_err("refused");
    assert!(shown.contains(":4:12: error[TL104]: unknown connector `jsn`"), "{shown}");
    assert!(shown.contains("known connectors: csv, jsonl, parquet, postgres, delta, google_ads"), "{shown}");
    check(CSV, &format!("\noptions: {{ delimeter: ';' }}{ORDERS}"), &["error[TL105]", "did you mean `delimiter`?"]);
    check(CSV, &format!("\noptions: {{ delimiter: ab }}{ORDERS}"), &[":6:23: error[TL105]: delimiter `ab` is not one"]);
    check(CSV, &format!("\noptions: {{ quote: ',' }}{ORDERS}"), &["delimiter and quote are the same"]);
    check(CSV, &format!("\ncolumns: {{ amuont: float }}{ORDERS}"), &["error[TL107]", "did you mean `amount`?"]);
    check(
        CSV,
        &format!("\ncolumns: {{ amount: money }}{ORDERS}"),
        &["error[TL106]", "text, int, float, bool, timestamp"],
    );
}

#[test]
fn a_wrong_delimiter_is_noticed() {
    check(
        "id;ts;email;amount\n1;2;3;4\n",
        ORDERS,
        &[
            "sources/orders.yaml:5:11: error[TL123]: `in` has the single column `id;ts;email;amount`: is the delimiter `;`?",
            "options: { delimiter: … }",
        ],
    );
    check("id\tts\n1\t2\n", ORDERS, &["is the delimiter `tab`?"]);
}

#[test]
fn files_that_cannot_be_used() {
    check(
        "",
        ORDERS,
        &["sources/orders.yaml:5:11: error[TL122]: `in` of source `orders` is empty (0 rows, no header)"],
    );
    check("\n\n", ORDERS, &["error[TL124]: `in` is not readable as csv: it has no header"]);
    check("\u{feff}", ORDERS, &["it has no header"]);
    let project = Project::new();
    let shown = project.compile("csv", "orders.csv", ORDERS).expect_err("refused");
    assert!(shown.contains(":5:11: error[TL121]") && shown.contains("location `orders.csv` (looked for `"), "{shown}");
    project.file("in", b"id,na\xefve\n");
    assert!(project.compile("csv", "in", ORDERS).expect_err("refused").contains("its header is not"));
    project.file("in", CSV);
    let shown = project.compile("parquet", "in", ORDERS).expect_err("refused");
    assert!(shown.contains("error[TL124]: `in` is not readable as parquet"), "{shown}");
}

#[test]
fn files_of_one_source_must_fit_together() {
    let project = Project::new();
    project.file("a.csv", CSV);
    project.file("b.csv", "id,ts,amount\n");
    let shown = project.compile("csv", "'*.csv'", ORDERS).expect_err("refused");
    assert!(shown.contains("error[TL107]: `b.csv` lacks the column `email`, which the mapping reads"), "{shown}");
    let read = ORDERS.replace("email: email", "crm: id");
    assert!(project.compile("csv", "'*.csv'", &read).is_ok());
}

#[test]
fn a_file_that_changed_is_refused() {
    let project = Project::new();
    let path = project.file("in", CSV);
    let source = project.compile("csv", "in", ORDERS).expect("fits");
    let file = list_units(project.path(), source.config(), &BTreeMap::new()).expect("listed").remove(0);
    std::fs::write(path, format!("{CSV}more\n")).expect("written");
    let changed = profile(&source, &file, &context(), 10).expect_err("refused");
    assert!(matches!(changed, IngestError::Changed { listed: 40, found: 45, .. }), "{changed}");
}

#[tokio::test]
async fn too_many_bad_rows_refuse_the_file() {
    let project = Project::new();
    let rows = |bad: usize| {
        let row = |i: usize| format!("{i},{},a@b.c,1\n", if i < bad { "never" } else { "2026-03-01" });
        let rows: Vec<String> = (0..100).map(row).collect();
        // Duplicates are no failure.
        "id,ts,email,amount\n".to_owned() + &rows.concat() + &"99,2026-03-01,a@b.c,1\n".repeat(100)
    };
    project.file("in", rows(10));
    assert!(project.ingest("csv", "in", ORDERS).await.is_ok(), "10 of 200 is the limit of 5 %");
    project.file("in", rows(11));
    let refused = project.ingest("csv", "in", ORDERS).await.expect_err("11 of 200 are too many");
    let IngestError::TooManyBadRows { share, limit, ref examples, .. } = refused else { panic!("{refused}") };
    assert_eq!((share, limit, examples.len(), examples[0].line), (0.055, 0.05, 3, 2));
    let shown = refused.diagnostics()[0].to_string();
    assert!(shown.contains("error[TL130]: 5.5 % of the rows of `in` (source `orders`) are unusable"), "{shown}");
    assert!(shown.contains("; line 2: occurred_at has the form `aaaaa`"), "{shown}");
}

#[test]
fn fingerprints_follow_content_and_mapping() {
    let project = Project::new();
    project.file("in", CSV);
    let print = |rest: &str| {
        let source = project.compile("csv", "in", rest).expect("fits");
        let file = list_units(project.path(), source.config(), &BTreeMap::new()).expect("listed").remove(0);
        source.fingerprint(&file)
    };
    let before = print(ORDERS);
    assert_eq!(before, print(ORDERS));
    assert_ne!(before, print(&format!("\nlinkable: false{ORDERS}")));
    project.file("in", CSV.replace("a@b.c", "a@b.d"));
    assert_ne!(before, print(ORDERS));
    assert!(config("csv", "in", ORDERS).expect("a source").linkable);
}

#[tokio::test]
async fn a_small_file_may_have_a_few_bad_rows_unless_a_limit_is_stated() {
    let rows = |good: usize, bad: usize| {
        let good = (0..good).map(|i| format!("g{i},2026-03-01,a@b.c,1\n"));
        let bad = (0..bad).map(|i| format!("b{i},yesterday,a@b.c,1\n"));
        ["id,ts,email,amount\n".to_owned()].into_iter().chain(good).chain(bad).collect::<String>()
    };
    for (good, bad, limit, taken) in [
        (30, 2, "", true),
        (30, 2, "\nfailure_limit: 0.05", false),
        (30, 6, "", false),
        (2, 3, "", false),
        (0, 1, "", false),
        (300, 15, "", true),
        (300, 16, "", false),
    ] {
        let project = Project::new();
        project.file("in", rows(good, bad));
        let done = project.ingest("csv", "in", &format!("{limit}{ORDERS}")).await;
        assert_eq!(done.is_ok(), taken, "{good} good, {bad} bad{limit}");
    }
}
