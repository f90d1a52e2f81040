//! What a file says does not depend on the format it is written in.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray,
    TimestampMillisecondArray, UInt64Array,
};
use parquet::arrow::ArrowWriter;
use throughline_ingest::{list_units, profile};

use crate::harness::{ORDERS, Project, context};

fn write_parquet(project: &Project, name: &str, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).expect("rows");
    let file = File::create(project.path().join(name)).expect("a file");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
}

const SAME: &str = "
latency_hours: 6
consent: consent
columns: { visits: int }
emits:
  - id: id
    kind: \"'purchase'\"
    name: \"'order'\"
    occurred_at: ts
    subjects: { crm: customer, email: email }
    channel: coalesce(channel, 'direct')
    value: amount
    currency: \"'eur'\"
    properties: { visits: visits, big: visits > 2, line: _line }
";

#[tokio::test]
async fn csv_jsonl_and_parquet_give_the_same_events() {
    let project = Project::new();
    project.file(
        "in.csv",
        "id,ts,customer,email,channel,amount,visits,consent\n\
         a,2026-03-01T10:00:00Z,17,Ann@Example.org ,search,12.5,3,granted\n\
         b,2026-03-02T23:30:00Z,18,,,7,1,messaging=granted\n\
         c,2026-03-01T08:00:00Z,,ann@example.org,email,,,\n",
    );
    project.file(
        "in.jsonl",
        "{\"id\":\"a\",\"ts\":\"2026-03-01T12:00:00+02:00\",\"customer\":17,\"email\":\"Ann@Example.org \",\"channel\":\"search\",\"amount\":12.5,\"visits\":3,\"consent\":\"granted\"}\r\n\
         {\"id\":\"b\",\"ts\":\"2026-03-02T23:30:00Z\",\"customer\":18,\"email\":null,\"amount\":7,\"visits\":1,\"consent\":\"messaging=granted\"}\n\
         \n\
         {\"id\":\"c\",\"ts\":\"2026-03-01T08:00:00Z\",\"email\":\"ann@example.org\",\"channel\":\"email\"}",
    );
    let ts = [1_772_359_200_000, 1_772_494_200_000, 1_772_352_000_000];
    write_parquet(
        &project,
        "in.parquet",
        vec![
            ("id", Arc::new(StringArray::from(vec!["a", "b", "c"]))),
            ("ts", Arc::new(TimestampMillisecondArray::from(ts.to_vec()))),
            ("customer", Arc::new(Int32Array::from(vec![Some(17), Some(18), None]))),
            (
                "email",
                Arc::new(BinaryArray::from_opt_vec(vec![Some(b"Ann@Example.org "), None, Some(b"ann@example.org")])),
            ),
            ("channel", Arc::new(StringArray::from(vec![Some("search"), None, Some("email")]))),
            ("amount", Arc::new(Float64Array::from(vec![Some(12.5), Some(7.0), None]))),
            ("visits", Arc::new(Int32Array::from(vec![Some(3), Some(1), None]))),
            ("consent", Arc::new(StringArray::from(vec![Some("granted"), Some("messaging=granted"), None]))),
        ],
    );
    let csv = project.ingest("csv", "in.csv", SAME).await.expect("ingested");
    let jsonl = project.ingest("jsonl", "in.jsonl", SAME).await.expect("ingested");
    let parquet = project.ingest("parquet", "in.parquet", SAME).await.expect("ingested");
    assert_eq!(csv.events.len(), 3);
    assert_eq!(
        csv.events[1],
        "source_event_id=b revision=1 kind=purchase name=order occurred_at=2026-03-02T23:30:00Z \
         available_at=2026-03-03T05:30:00Z channel=direct value_micros=7000000 currency=EUR \
         properties={\"big\":false,\"line\":2,\"visits\":1} consent=messaging=granted date=2026-03-02"
    );
    assert!(csv.events[2].contains("channel=email properties={\"line\":3} consent="), "{}", csv.events[2]);
    assert_eq!((&jsonl.events, &jsonl.tokens), (&csv.events, &csv.tokens));
    assert_eq!((&parquet.events, &parquet.tokens), (&csv.events, &csv.tokens));
    // Ann's two spellings are one subject; her event a has two identifiers.
    assert_eq!((csv.tokens[0].len(), csv.tokens[1].len(), csv.tokens[2].len()), (2, 1, 1));
    assert!(csv.tokens[0].contains(&csv.tokens[2][0]));
}

#[tokio::test]
async fn what_could_be_known_when() {
    let mapping = "
latency_hours: 0.5
emits:
  - id: id
    kind: \"'visit'\"
    occurred_at: ts
    available_at: known
    subjects: { cookie: id }
";
    let project = Project::new();
    let rows = "a,2026-03-02,\nb,2026-03-01,2026-03-05\nc,2026-03-01,2026-02-01\nd,2026-03-01,2027-01-01\n";
    project.file("in", format!("id,ts,known\n{rows}"));
    let done = project.ingest("csv", "in", mapping).await.expect("ingested");
    let known: Vec<&str> =
        done.events.iter().filter_map(|e| e.split("available_at=").nth(1)?.split(' ').next()).collect();
    // The latency where nothing is stated; never before the event; later than the run is possible.
    assert_eq!(known, ["2026-03-02T00:30:00Z", "2026-03-05T00:00:00Z", "2026-03-01T00:00:00Z", "2027-01-01T00:00:00Z"]);
    let dates: Vec<&str> = done.events.iter().filter_map(|e| e.split(" date=").nth(1)).collect();
    assert_eq!(dates, ["2026-03-02", "2026-03-01", "2026-03-01", "2026-03-01"]);
}

#[tokio::test]
async fn spend_by_business_date() {
    let mapping = "
emits:
  - table: spend
    id: \"day || '/' || campaign\"
    date: day
    channel: \"'search'\"
    campaign: campaign
    cost: cost
    currency: \"'USD'\"
    impressions: views
    clicks: clicks
";
    let project = Project::new();
    project.file("in.csv", "day,campaign,cost,views,clicks\n2026-03-01,brand,10.25,100,7\n2026-03-02,brand,1,,0\n2026-03-02,x,-1,1,1\n2026-03-02,y,,1,1\n2026-03-02,z,1,1.5,1\n2026-3-2,q,1,1,1\n");
    let done = project.ingest("csv", "in.csv", &format!("\nfailure_limit: 1{mapping}")).await.expect("ingested");
    assert_eq!(
        done.spend,
        [
            "source_row_id=2026-03-01/brand revision=1 channel=search campaign=brand cost_micros=10250000 currency=USD impressions=100 clicks=7 date=2026-03-01",
            "source_row_id=2026-03-02/brand revision=1 channel=search campaign=brand cost_micros=1000000 currency=USD clicks=0 date=2026-03-02",
        ]
    );
    let codes: Vec<&str> = done.quarantine.iter().map(|q| &q[2..7]).collect();
    assert_eq!(codes, ["TL216", "TL215", "TL218", "TL209"]);
    assert_eq!((done.report.spend_rows, done.report.events), (2, 0));
    // A date column of Parquet, and a whole number as amount.
    write_parquet(
        &project,
        "in.parquet",
        vec![
            ("day", Arc::new(Date32Array::from(vec![20_513, 20_513]))),
            ("campaign", Arc::new(StringArray::from(vec!["brand", "other"]))),
            ("cost", Arc::new(Int32Array::from(vec![3, 4]))),
            ("views", Arc::new(Int32Array::from(vec![1, 2]))),
            ("clicks", Arc::new(UInt64Array::from(vec![1, u64::MAX]))),
        ],
    );
    let mapping = mapping.replace("day || '/' || campaign", "campaign");
    let done =
        project.ingest("parquet", "in.parquet", &format!("\nfailure_limit: 1{mapping}")).await.expect("ingested");
    assert!(done.spend[0].contains("cost_micros=3000000"), "{:?}", done.spend);
    assert!(done.quarantine[0].starts_with("2 TL205 column `clicks`"), "{:?}", done.quarantine);
    assert_eq!(done.sealed, 1);
}

#[tokio::test]
async fn delimited_text_as_it_comes() {
    let events = |text: &'static [u8], options: &'static str| async move {
        let project = Project::new();
        project.file("in", text);
        let done = project.ingest("csv", "in", &format!("{options}{ORDERS}")).await.expect("ingested");
        assert!(done.quarantine.is_empty(), "{:?}", done.quarantine);
        done.events
    };
    let plain = events(b"id,ts,email,amount\n1,2026-03-01,a@b.c,2\n", "").await;
    assert_eq!(plain.len(), 1);
    for (text, options) in [
        (&b"\xef\xbb\xbfid,ts,email,amount\r\n\r\n1,2026-03-01,a@b.c,2\r\n"[..], ""),
        (b"id;ts;email;amount\n1;2026-03-01;a@b.c;2", "\noptions: { delimiter: ; }"),
        (b"id\tts\temail\tamount\n1\t2026-03-01\ta@b.c\t2\n", "\noptions: { delimiter: tab }"),
        (b" id , ts,email,amount\n\"1\",\"2026-03-01\",\"a@b.c\",\"2\"\n", ""),
        (b"id,ts,email,amount\n'1',2026-03-01,'a@b.c',2\n", "\noptions: { quote: \"'\" }"),
        (b"amount,extra,,ts,id,email,id\n2,\"a\n\"\"b\"\"\",,2026-03-01,1,a@b.c,9\n", ""),
    ] {
        assert_eq!(events(text, options).await, plain, "{}", String::from_utf8_lossy(text));
    }
    let utf16: Vec<u8> =
        "\u{feff}id,ts,email,amount\n1,2026-03-01,a@b.c,2\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let project = Project::new();
    project.file("in", utf16);
    assert_eq!(project.ingest("csv", "in", ORDERS).await.expect("ingested").events, plain);
}

#[tokio::test]
async fn files_without_rows() {
    let project = Project::new();
    project.file("header.csv", "id,ts,email,amount\n");
    let done = project.ingest("csv", "header.csv", ORDERS).await.expect("ingested");
    assert_eq!((done.report.rows_read, done.events.len()), (0, 0));
    project.file("empty.jsonl", "");
    let columns = "\ncolumns: { id: text, ts: text, email: text, amount: float }";
    let done = project.ingest("jsonl", "empty.jsonl", &format!("{columns}{ORDERS}")).await.expect("ingested");
    assert_eq!(done.report.rows_read, 0);
    assert!(done.report.warnings[0].to_string().contains("`empty.jsonl` is empty"), "{:?}", done.report.warnings);
}

#[tokio::test]
async fn nested_json_and_declared_rare_columns() {
    let mapping = "
columns: { context.campaign: text }
emits:
  - id: id
    kind: \"'visit'\"
    occurred_at: ts::timestamp
    subjects: { cookie: '\"user.anonymous id\"' }
    campaign: '\"context.campaign\"'
    properties: { tags: tags, file: _file }
";
    let project = Project::new();
    project.file("in", r#"{"id":12345678901234567890123,"ts":"2026-03-01T00:00:00Z","user":{"anonymous id":"c1","x":[1]},"tags":["a", 1]}"#);
    let done = project.ingest("jsonl", "in", mapping).await.expect("ingested");
    assert!(done.events[0].starts_with("source_event_id=12345678901234567890123 "), "{:?}", done.events);
    assert!(done.events[0].contains(r#"properties={"file":"in","tags":"[\"a\", 1]"}"#), "{:?}", done.events);
    assert_eq!(done.report.columns_unused, ["user.x"]);
}

#[tokio::test]
async fn typed_formats_refuse_what_is_not_finite() {
    let project = Project::new();
    write_parquet(
        &project,
        "in",
        vec![
            ("id", Arc::new(StringArray::from(vec!["a", "b"]))),
            ("ts", Arc::new(StringArray::from(vec!["2026-03-01", "2026-03-01"]))),
            ("email", Arc::new(StringArray::from(vec!["a@b.c", "a@b.c"]))),
            ("amount", Arc::new(Float64Array::from(vec![1.0, f64::NAN]))),
            ("flag", Arc::new(BooleanArray::from(vec![true, false]))),
        ],
    );
    let mapping = ORDERS
        .replace("value: amount", "value: \"amount * 2\"")
        .replace("    kind", "    when: flag OR TRUE\n    kind");
    let done = project.ingest("parquet", "in", &format!("\nfailure_limit: 1{mapping}")).await.expect("ingested");
    assert_eq!(done.quarantine, ["2 TL215 column `amount` holds a number that is not finite"]);
    assert!(done.events[0].contains("value_micros=2000000"), "{:?}", done.events);
}

#[test]
fn a_profile_writes_nothing() {
    let project = Project::new();
    let row = |i: i32| format!("{i},{},a@b.c,,\n", if i % 10 == 0 { "never" } else { "2026-03-01" });
    let rows: Vec<String> = (0..20_000).map(row).collect();
    project.file("in", "id,ts,email,amount,note\n".to_owned() + &rows.concat());
    let source = project.compile("csv", "in", ORDERS).expect("fits");
    let file =
        list_units(project.path(), source.config(), &std::collections::BTreeMap::new()).expect("listed").remove(0);
    let all = profile(&source, &file, &context(), u64::MAX).expect("profiled");
    assert_eq!((all.report.rows_read, all.report.events, all.partial), (20_000, 18_000, false));
    assert_eq!(all.report.quarantined.get("TL209"), Some(&2000));
    let shares: Vec<(&str, f64)> = all.columns.iter().map(|c| (c.name.as_str(), c.null_share)).collect();
    assert_eq!(shares, [("id", 0.0), ("ts", 0.0), ("email", 0.0), ("amount", 1.0), ("note", 1.0)]);
    assert_eq!((all.examples.len(), all.examples[0].line), (20, 2));
    let part = profile(&source, &file, &context(), 100).expect("profiled");
    assert_eq!((part.report.rows_read, part.partial), (8192, true));
    assert!(!project.path().join("stores").exists());
}

#[tokio::test]
async fn files_longer_than_what_is_collected_in_memory() {
    let project = Project::new();
    let rows: Vec<String> = (0..70_000).map(|i| format!("{i},2026-03-0{},a@b.c,1\n", 1 + i % 3)).collect();
    project.file("in", "id,ts,email,amount\n".to_owned() + &rows.concat());
    let done = project.ingest("csv", "in", ORDERS).await.expect("ingested");
    assert_eq!((done.report.rows_read, done.report.events, done.events.len()), (70_000, 70_000, 70_000));
    assert!(done.tokens.iter().all(|t| *t == done.tokens[0] && t.len() == 1));
}
