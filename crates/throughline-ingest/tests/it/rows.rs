//! Every kind of bad row, in every connector that can have it, goes to quarantine and takes nothing with it.

use throughline_core::{Purpose, SubjectToken};
use throughline_ingest::IngestError;

use crate::harness::{NOW, ORDERS, Project, context};

/// A mapping that reads everything a row can get wrong.
const ALL: &str = "
failure_limit: 1
columns: { n: int, phone: text }
consent: consent
emits:
  - id: id
    revision: revision
    kind: coalesce(kind, 'purchase')
    occurred_at: ts
    subjects: { email: email, phone: phone }
    value: amount
    currency: currency
    properties: { n: n }
";

const COLUMNS: [&str; 10] = ["id", "revision", "kind", "ts", "email", "phone", "amount", "currency", "consent", "n"];
const GOOD: [&str; 10] =
    ["g1", "1", "purchase", "2026-03-01 12:00:00", "ann@example.org", "", "12.50", "EUR", "granted", "3"];

/// The good row with some values replaced.
fn row(id: &str, changes: &[(&str, &str)]) -> Vec<String> {
    let mut values = GOOD.map(str::to_owned).to_vec();
    id.clone_into(&mut values[0]);
    for (column, value) in changes {
        let at = COLUMNS.iter().position(|c| c == column).expect("a column");
        (*value).clone_into(&mut values[at]);
    }
    values
}

fn csv(rows: &[Vec<String>]) -> String {
    let mut text = COLUMNS.join(",") + "\n";
    for row in rows {
        text += &(row.join(",") + "\n");
    }
    text
}

fn jsonl(rows: &[Vec<String>]) -> String {
    let object = |row: &Vec<String>| {
        let members = COLUMNS.iter().zip(row).filter(|(_, v)| !v.is_empty());
        let map: serde_json::Map<String, serde_json::Value> =
            members.map(|(k, v)| ((*k).to_owned(), serde_json::Value::from(v.as_str()))).collect();
        serde_json::Value::Object(map).to_string() + "\n"
    };
    rows.iter().map(object).collect()
}

/// Changes to the good row, the code, and a part of the reason.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

/// Each changed row is refused under its own line, and the good rows between them stay, in CSV and JSON lines.
async fn check(cases: &[Case<'_>]) {
    let mut rows = vec![row("g", &[])];
    for (i, (changes, ..)) in cases.iter().enumerate() {
        rows.extend([row(&format!("bad{i}"), changes), row(&format!("g{i}"), &[])]);
    }
    for (connector, content, header) in [("csv", csv(&rows), 1), ("jsonl", jsonl(&rows), 0)] {
        let project = Project::new();
        project.file("in", content);
        let done = project.ingest(connector, "in", ALL).await.expect("ingested");
        assert_eq!(done.quarantine.len(), cases.len(), "{connector}: {:?}", done.quarantine);
        for (i, (shown, (changes, code, reason))) in done.quarantine.iter().zip(cases).enumerate() {
            let start = format!("{} {code} ", header + 2 + 2 * i);
            assert!(shown.starts_with(&start) && shown.contains(reason), "{connector} {changes:?}: {shown}");
        }
        assert_eq!((done.events.len(), done.sealed), (cases.len() + 1, cases.len()), "{connector}");
        assert_eq!(done.report.rows_quarantined(), cases.len() as u64);
    }
}

#[tokio::test]
async fn values_that_refuse_a_row() {
    let long = "x".repeat(1025);
    check(&[
        (&[("id", "")], "TL206", "id is NULL or blank"),
        (&[("id", "g")], "TL207", "the first row is kept"),
        (&[("revision", "two")], "TL218", "revision has the form `aaa`"),
        (&[("revision", "")], "TL218", "revision is NULL"),
        (&[("kind", "purchse")], "TL213", "kind has the form `aaaaaaa`"),
        (&[("ts", "")], "TL209", "occurred_at is NULL"),
        (&[("ts", "01.03.2026")], "TL209", "has the form `99.99.9999`"),
        (&[("ts", "1970-01-01")], "TL210", "outside the years 1990 to 2100"),
        (&[("ts", "2099-01-01")], "TL211", "more than 1 day after the start of the run"),
        (&[("email", " ")], "TL212", "none of the identifiers has a value (email, phone)"),
        (&[("email", ""), ("phone", "none")], "TL212", "none of the identifiers"),
        (&[("email", &long)], "TL204", "the email identifier has 1025 bytes, the limit is 1024"),
        (&[("consent", "maybe=granted")], "TL214", "consent has the form `aaaaa=aaaaaaa`"),
        (&[("amount", "12;50")], "TL215", "value has the form `99;99`"),
        (&[("amount", "inf")], "TL215", "which is no number"),
        (&[("amount", "1e30")], "TL215", "exceeds ±9,223,372,036,854 units"),
        (&[("amount", "-1")], "TL216", "kind refund"),
        (&[("currency", "")], "TL217", "currency is NULL"),
        (&[("currency", "EURO")], "TL217", "expected three letters"),
        (&[("n", "3.5")], "TL205", "column `n` holds text of the form `9.9`, which is not of type Int"),
    ])
    .await;
}

#[tokio::test]
async fn values_that_do_not() {
    let rows = [
        row("a", &[("kind", "refund"), ("amount", "-1")]),
        row("b", &[("amount", ""), ("currency", "")]),
        row("c", &[("consent", ""), ("kind", "")]),
        row("d", &[("ts", "2026-06-01T23:59:59Z")]),
        row("a", &[("revision", "2")]),
        row("e", &[("email", ""), ("phone", "+49 30 1234")]),
        row("f", &[("n", "")]),
    ];
    for (connector, content) in [("csv", csv(&rows)), ("jsonl", jsonl(&rows))] {
        let project = Project::new();
        project.file("in", content);
        let done = project.ingest(connector, "in", ALL).await.expect("ingested");
        assert_eq!(done.quarantine, Vec::<String>::new(), "{connector}");
        assert_eq!(done.events.len(), rows.len(), "{connector}");
        assert_eq!(done.report.last_occurred_at, Some("2026-06-01T23:59:59Z".parse().expect("a time")));
    }
}

#[tokio::test]
async fn a_consent_signal_that_cannot_be_read_keeps_the_event_and_grants_nothing() {
    let project = Project::new();
    let mapping = ALL.replace("consent: consent", "consent: consent_gcs(consent)");
    let content = [
        row("a", &[("consent", "G111")]),
        row("b", &[("consent", "G1?")]),
        row("c", &[("consent", "")]),
        row("d", &[("consent", "111")]),
        row("e", &[("consent", "111"), ("id", "")]),
    ];
    project.file("in", csv(&content));
    let done = project.ingest("csv", "in", &mapping).await.expect("ingested");
    let consents: Vec<&str> = done.events.iter().filter_map(|e| e.split("consent=").nth(1)).collect();
    let granted = consents.iter().filter(|c| c.starts_with("measurement=granted")).count();
    assert_eq!((done.events.len(), granted, done.quarantine.len()), (4, 1, 1), "{consents:?}");
    assert_eq!(done.report.consent_unreadable, 2);
    let [warning] = &done.report.warnings[..] else { panic!("{:?}", done.report.warnings) };
    assert_eq!(warning.code, "TL135");
    assert!(
        warning.message.contains("2 of 4 events") && warning.message.contains("gcs has not the form"),
        "{warning:?}"
    );
}

#[tokio::test]
async fn rows_that_cannot_be_read() {
    let good = "g1,2026-03-01,a@b.c,1\n";
    for (bad, code, reason) in [
        (&b"x,2026-03-01,a@b.c\n"[..], "TL201", "the row has 3 fields, the header 4"),
        (b"x,2026-03-01,a@b.c,1,2\n", "TL201", "the row has 5 fields, the header 4"),
        (b"x,2026-03-01,M\xfcller,1\n", "TL202", "field 3 is not UTF-8"),
        (b"x\xc3,\xa9,a@b.c,1\n", "TL202", "field 1 is not UTF-8"),
    ] {
        let project = Project::new();
        let content = [b"id,ts,email,amount\n", good.as_bytes(), bad, b"g2,2026-03-01,a@b.c,1\n"].concat();
        project.file("in", content);
        let done = project.ingest("csv", "in", &format!("\nfailure_limit: 1{ORDERS}")).await.expect("ingested");
        assert_eq!(done.quarantine.len(), 1, "{done:?}");
        assert!(done.quarantine[0].starts_with(&format!("3 {code} {reason}")), "{:?}", done.quarantine);
        assert_eq!((done.events.len(), done.sealed), (2, 1));
    }
    let good = r#"{"id":"g1","ts":"2026-03-01","email":"a@b.c","amount":1}"#;
    for (bad, code, reason) in [
        (&b"{\"id\":\"x\",\"ts\":\n"[..], "TL203", "the JSON ends too early"),
        (b"[1,2]\n", "TL203", "the line is not a JSON object"),
        (b"{'id':1}\n", "TL203", "the JSON is malformed at character 2"),
        (b"{\"id\":\"\xff\"}\n", "TL202", "the line is not UTF-8 (byte 8)"),
    ] {
        let project = Project::new();
        let next = good.replace("g1", "g2");
        project.file("in", [good.as_bytes(), b"\n\n", bad, next.as_bytes()].concat());
        let done = project.ingest("jsonl", "in", &format!("\nfailure_limit: 1{ORDERS}")).await.expect("ingested");
        assert_eq!(done.quarantine.len(), 1, "{done:?}");
        assert!(done.quarantine[0].starts_with(&format!("3 {code} {reason}")), "{:?}", done.quarantine);
        assert_eq!((done.events.len(), done.sealed), (2, 1));
    }
}

#[tokio::test]
async fn megabytes_are_bounded() {
    let long = "x".repeat(1_200_000);
    let project = Project::new();
    // A quote that is never closed would swallow the rest; here the next quote closes it, megabytes later.
    let text = format!(
        "id,ts,email,amount\na,2026-03-01,a@b.c,1\nb,2026-03-01,\"{long}\n\",2\nc,2026-03-01,{long},1\nd,2026-03-01,a@b.c,1\n"
    );
    project.file("in.csv", text);
    let done = project.ingest("csv", "in.csv", &format!("\nfailure_limit: 1{ORDERS}")).await.expect("ingested");
    assert_eq!(done.events.len(), 2);
    let places: Vec<&str> = done.quarantine.iter().map(|q| &q[..7]).collect();
    assert_eq!(places, ["3 TL204", "5 TL204"]);
    let line = |id: &str, email: &str| format!("{{\"id\":\"{id}\",\"ts\":\"2026-03-01\",\"email\":\"{email}\"}}\n");
    project.file("in.jsonl", line("a", "a@b.c") + &line("b", &long) + &line("c", "a@b.c"));
    let mapping = ORDERS.replace("    value: amount\n    currency: \"'EUR'\"\n", "");
    let done = project.ingest("jsonl", "in.jsonl", &format!("\nfailure_limit: 1{mapping}")).await.expect("ingested");
    assert_eq!((done.events.len(), done.sealed), (2, 1));
    assert!(done.quarantine[0].starts_with("2 TL204 the line exceeds 1048576 bytes"), "{:?}", done.quarantine);
}

#[tokio::test]
async fn raw_rows_are_sealed_and_can_be_opened_again() {
    let project = Project::new();
    project.file("in", "id,ts,email,amount\n7,yesterday,ann@example.org,\"1,5\"\n");
    let done = project.ingest("csv", "in", &format!("\nfailure_limit: 1{ORDERS}")).await.expect("ingested");
    assert!(!done.quarantine[0].contains("ann") && !done.quarantine[0].contains("yesterday"), "{:?}", done.quarantine);
    let vault = project.vault().await;
    let stats = vault.stats().await.expect("counts");
    assert_eq!(stats.identifiers.len(), 1, "only the record was sealed: {stats:?}");
    let raw = "7,yesterday,ann@example.org,\"1,5\"";
    let token = vault.tokenise("orders", &[(throughline_core::IdentifierKind::Record, raw)]).await.expect("a token")[0];
    let token: SubjectToken = token.expect("content");
    let now = NOW.parse().expect("a time");
    let revealed = vault.reveal(&[token], Purpose::Measurement, "test", now).await.expect("opened");
    assert_eq!(revealed.values[0].as_ref().map(|v| v.expose().to_owned()), Some(raw.to_owned()));
    assert_eq!(vault.stats().await.expect("counts").identifiers, stats.identifiers, "it was there already");
}

#[tokio::test]
async fn a_row_is_used_whole_or_not_at_all() {
    let mapping = "
failure_limit: 1
emits:
  - id: id
    kind: \"'purchase'\"
    occurred_at: ts
    subjects: { email: email }
  - when: refund IS NOT NULL
    id: id || '-refund'
    kind: \"'refund'\"
    occurred_at: ts
    subjects: { email: email }
    value: refund
    currency: \"'EUR'\"
  - when: refund = 'same'
    id: id
    kind: \"'refund'\"
    occurred_at: ts
    subjects: { email: email }
";
    let project = Project::new();
    project.file(
        "in",
        "id,ts,email,refund\n1,2026-03-01,a@b.c,\n2,2026-03-01,a@b.c,5\n3,2026-03-01,a@b.c,x\n3,2026-03-01,a@b.c,\n",
    );
    let done = project.ingest("csv", "in", mapping).await.expect("ingested");
    let ids: Vec<&str> = done.events.iter().filter_map(|e| e.split(' ').next()).collect();
    // The second row 3 is used: the first one was refused before its id counted.
    assert_eq!(ids, ["source_event_id=1", "source_event_id=2", "source_event_id=2-refund", "source_event_id=3"]);
    assert_eq!((done.report.rows_emitted, done.report.events, done.report.duplicates), (3, 4, 0));
    assert!(done.quarantine[0].starts_with("4 TL215"), "{:?}", done.quarantine);

    let twice = mapping.replace("    value: refund\n", "    value: \"NULL\"\n");
    project.file("in", "id,ts,email,refund\n1,2026-03-01,a@b.c,same\n");
    let done = project.ingest("csv", "in", &twice).await.expect("ingested");
    assert!(done.quarantine[0].starts_with("2 TL208 two emits of the row give the same id"), "{:?}", done.quarantine);
}

#[tokio::test]
async fn a_header_repeated_per_line_counts_once() {
    let mapping = "
emits:
  - id: order_id
    kind: \"'purchase'\"
    occurred_at: ts
    subjects: { email: email }
  - id: order_id || '-' || item
    kind: \"'custom'\"
    occurred_at: ts
    subjects: { email: email }
";
    let project = Project::new();
    project.file("in", "order_id,item,ts,email\n1,a,2026-03-01,a@b.c\n1,b,2026-03-01,a@b.c\n1,b,2026-03-01,a@b.c\n");
    let done = project.ingest("csv", "in", mapping).await.expect("ingested");
    assert_eq!((done.report.events, done.report.rows_emitted, done.report.duplicates), (3, 2, 2));
    assert_eq!(done.report.quarantined.get("TL207"), Some(&1));
}

#[tokio::test]
async fn rows_that_no_when_wants_are_counted() {
    let project = Project::new();
    project
        .file("in", "id,ts,email,amount,status\n1,2026-03-01,a@b.c,1,paid\n2,never,,x,open\n3,2026-03-01,a@b.c,1,\n");
    let mapping = ORDERS.replace("  - id", "  - when: status = 'paid'\n    id");
    let done = project.ingest("csv", "in", &mapping).await.expect("ingested");
    assert_eq!((done.report.rows_read, done.report.rows_emitted, done.report.rows_skipped), (3, 1, 2));
    assert!(done.quarantine.is_empty());
}

#[tokio::test]
async fn a_stopped_run_stops_at_the_next_batch() {
    let project = Project::new();
    project.file("in", "id,ts,email,amount\n1,2026-03-01,a@b.c,1\n");
    let context = context();
    context.cancel();
    let stopped = project.ingest_with(&context, "csv", "in", ORDERS).await.expect_err("stopped");
    assert_eq!(stopped.to_string(), "stopped while reading `in`");
}

#[tokio::test]
async fn what_a_row_says_about_somebody_is_sealed_under_its_first_identifier() -> Result<(), IngestError> {
    let project = Project::new();
    let long = "x".repeat(5_000);
    project.file(
        "a.csv",
        format!("id,email,crm,first,born\n1,a@x.example,7,Ann,1971-06-24\n2,b@x.example,,,\n3,a@x.example,7,Ann,1971-06-24\n4,c@x.example,9,{long},\n"),
    );
    let mapping = "
failure_limit: 0.5
consent: \"'granted'\"
emits:
  - id: id
    kind: \"'signup'\"
    occurred_at: \"'2026-05-01T00:00:00Z'\"
    subjects: { email: email, crm: crm }
    profile: { given_name: \"nullif(first, '')\", born: \"nullif(born, '')\" }
";
    let done = project.ingest("csv", "a.csv", mapping).await?;
    assert_eq!(done.events.len(), 3);
    // Row 2 says nothing; rows 1 and 3 say the same, which is sealed once; row 4 says too much.
    assert_eq!(done.profiles.len(), 2);
    let (holder, sealed, rest) = &done.profiles[0];
    assert_eq!((holder, sealed), (&done.profiles[1].0, &done.profiles[1].1));
    assert!(done.tokens.iter().any(|tokens| tokens.first() == Some(holder)) && holder != sealed);
    assert!(rest.contains("consent=") && !rest.contains("Ann"), "{rest}");
    assert_eq!(done.quarantine.len(), 1);
    assert!(done.quarantine[0].contains("the profile has"), "{:?}", done.quarantine);
    let token = hex::decode(sealed).expect("bytes").try_into().map(SubjectToken).expect("16 bytes");
    let opened = project.vault().await.reveal(&[token], Purpose::Linking, "test", context().now).await.expect("opened");
    let text = opened.values[0].as_ref().expect("a value").expose().to_owned();
    assert_eq!(text, r#"{"born":"1971-06-24","given_name":"Ann"}"#);
    Ok(())
}
