//! `journeys` on files: formats agree, threads and order change no byte, what cannot be used is counted.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray as _, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::Int64Type;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};
use throughline_oneshot::{OneShotError, command};

const HOUR: i64 = 3_600_000_000;
const START: i64 = 1_767_225_600_000_000;
const CHANNELS: [&str; 5] = ["search", "Brand > UK", "email", "direct", "\"quoted\""];

/// (person, time, channel, conversion, value), in no order.
type Event = (i64, i64, Option<&'static str>, bool, f64);

fn events(n: u32) -> Vec<Event> {
    let stream = throughline_stats::stream::Stream::new(7, 7);
    (0..u64::from(n))
        .map(|i| {
            let draw = |k: u64, below: u64| i64::try_from(stream.index_at(5 * i + k, below)).expect("small");
            let converts = draw(0, 12) == 0;
            let channel = (draw(1, 9) > 0).then(|| CHANNELS[usize::try_from(draw(2, 5)).expect("small")]);
            let value = if converts { draw(3, 10_000) as f64 / 100.0 } else { 0.0 };
            (draw(4, u64::from(n / 9 + 1)), START + draw(0, 97) * draw(2, 20) * HOUR / 7, channel, converts, value)
        })
        .collect()
}

fn write_parquet(path: &Path, events: &[Event], texts: bool) {
    let person: ArrayRef = if texts {
        Arc::new(events.iter().map(|e| Some(format!("p{}", e.0))).collect::<StringArray>())
    } else {
        Arc::new(events.iter().map(|e| e.0).collect::<Int64Array>())
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("who", person),
        ("at", Arc::new(events.iter().map(|e| Some(e.1)).collect::<TimestampMicrosecondArray>())),
        ("channel", Arc::new(events.iter().map(|e| e.2).collect::<StringArray>())),
        ("unused", Arc::new(events.iter().map(|e| e.2).collect::<StringArray>())),
        ("sale", Arc::new(events.iter().map(|e| Some(e.3)).collect::<BooleanArray>())),
        ("value", Arc::new(events.iter().map(|e| e.4).collect::<Float64Array>())),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let small = WriterProperties::builder().set_max_row_group_row_count(Some(1000)).build();
    let mut writer =
        ArrowWriter::try_new(File::create(path).expect("a file"), batch.schema(), Some(small)).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
}

fn write_csv(path: &Path, events: &[Event]) {
    let mut to = csv::Writer::from_path(path).expect("a file");
    to.write_record(["who", "at", "channel", "sale", "value"]).expect("written");
    for (who, at, channel, sale, value) in events {
        let row = [
            format!("p{who}"),
            at.to_string(),
            channel.unwrap_or_default().to_owned(),
            sale.to_string(),
            value.to_string(),
        ];
        to.write_record(row).expect("written");
    }
    to.flush().expect("written");
}

fn run(files: &[&Path], more: &[(&str, &str)]) -> Result<Value, OneShotError> {
    let mut options: Vec<(String, Vec<String>)> =
        [("entity", "who"), ("time", "at"), ("channel", "channel"), ("conversion", "sale"), ("value", "value")]
            .iter()
            .filter(|(name, _)| !more.iter().any(|(other, _)| other == name))
            .chain(more)
            .map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]))
            .collect();
    options.retain(|(_, values)| values[0] != "-");
    let (first, rest) = files.split_first().expect("a file");
    let words = rest.iter().fold("journeys".to_owned(), |words, file| format!("{words} {}", file.display()));
    let mut json = command::parse(&words, first, &options)?.run()?.json;
    json.as_object_mut().expect("an object").remove("peak_mb");
    Ok(json)
}

fn table(path: &Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).expect("a file")).expect("readable");
    let schema = reader.schema().clone();
    let batches: Vec<RecordBatch> = reader.build().expect("readable").map(|b| b.expect("a batch")).collect();
    concat_batches(&schema, &batches).expect("one batch")
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).expect("written");
        self.path(name)
    }
}

#[test]
fn formats_order_and_threads_change_no_byte() {
    let folder = Folder::new();
    let mut rows = events(70_000);
    let (texts, csv, out) = (folder.path("t.parquet"), folder.path("t.csv"), folder.path("out.parquet"));
    write_parquet(&texts, &rows, true);
    write_csv(&csv, &rows);
    let out_option = ("out", out.to_str().expect("text"));
    let bytes = |files: &[&Path], threads: &str| {
        let json = run(files, &[out_option, ("threads", threads)]).expect("an answer");
        (json, std::fs::read(&out).expect("a file"))
    };
    let one = bytes(&[&texts], "1");
    assert_eq!(one.0["events"], 70_000);
    assert_eq!(bytes(&[&texts], "3"), one);
    rows.reverse();
    let (head, tail) = rows.split_at(12_345);
    let (first, second) = (folder.path("a.parquet"), folder.path("b.parquet"));
    write_parquet(&first, head, true);
    write_parquet(&second, tail, true);
    assert_eq!(bytes(&[&first, &second], "2"), one);
    // The number of rows of a CSV file is guessed, so row groups may be cut elsewhere; the rows are the same.
    let before = table(&out);
    let from_csv = bytes(&[&csv], "2");
    assert_eq!((from_csv.0, table(&out)), (one.0, before));
}

#[test]
fn journeys_and_paths_tie_out() {
    let folder = Folder::new();
    let (file, out) = (folder.path("n.parquet"), folder.path("out.parquet"));
    let rows = events(20_000);
    write_parquet(&file, &rows, false);
    let (csv, parquet) = (folder.path("paths.csv"), folder.path("paths.parquet"));
    let json = run(&[&file], &[("out", out.to_str().expect("text")), ("paths", csv.to_str().expect("text"))])
        .expect("an answer");
    let again = run(&[&file], &[("paths", parquet.to_str().expect("text")), ("threads", "2")]).expect("an answer");
    assert_eq!((&json["journeys"], &json["paths"]), (&again["journeys"], &again["paths"]));
    let (journeys, paths) = (table(&out), table(&parquet));
    assert_eq!(journeys.num_rows() as u64, json["journeys"].as_u64().expect("a number"));
    let people = journeys["entity"].as_primitive::<Int64Type>();
    assert!(people.values().iter().all(|p| (0..=2222).contains(p)));
    let chars: usize = journeys["path"].as_string::<i32>().iter().flatten().map(|p| p.chars().count()).sum();
    assert_eq!(json["path_chars"], chars);
    let conversions: i64 = rows.iter().map(|e| i64::from(e.3)).sum();
    let value: f64 = rows.iter().map(|e| e.4).sum();
    assert_eq!((json["conversions"].as_i64(), json["converting"].as_i64()), (Some(conversions), Some(conversions)));
    assert!((json["value"].as_f64().expect("a number") - value).abs() < 1e-6);
    let mut reader = csv::Reader::from_path(&csv).expect("a file");
    let (mut total, mut last) = (0, String::new());
    for (row, record) in reader.records().enumerate() {
        let record = record.expect("a row");
        assert_eq!(&record[0], paths["path"].as_string::<i32>().value(row));
        total += record[1].parse::<i64>().expect("a count");
        last.clone_from(&record[0].to_owned());
    }
    assert_eq!((total, paths.num_rows() as u64), (conversions, json["paths"].as_u64().expect("a number")));
    assert!(!last.is_empty());
    assert!(journeys["path"].as_string::<i32>().iter().flatten().any(|p| p.contains("\"Brand > UK\"")));
}

#[test]
fn what_cannot_be_used_is_counted_and_said() {
    let folder = Folder::new();
    let file = folder.file(
        "e.csv",
        "who,at,channel,sale,value\n\
         a,2026-01-01,search,0,\n\
         ,2026-01-01,search,0,\n\
         a,,search,0,\n\
         a,1970-01-01,search,0,\n\
         a,2099-12-31T23:59:59Z,,no,\n\
         a,2026-01-02,,yes,lots\n\
         a,2026-01-02,,maybe,1\n\
         a,tomorrow,x,no,1\n\
         b,2026-01-02,email,true,7.5\n",
    );
    let json = run(&[&file], &[]).expect("an answer");
    assert_eq!((&json["events"], &json["converting"], &json["kept"]), (&json!(7), &json!(2), &json!(1)));
    assert_eq!((&json["value"], &json["not_touches"]), (&json!(7.5), &json!(1)));
    let codes: Vec<&str> =
        json["diagnostics"].as_array().into_iter().flatten().filter_map(|d| d["code"].as_str()).collect();
    assert_eq!(codes, ["TL482", "TL482", "TL476", "TL477", "TL478"]);
}

#[test]
fn refunds_consent_orders_and_kinds_have_columns() {
    let folder = Folder::new();
    let file = folder.file(
        "e.csv",
        "who,at,channel,sale,value,order,back,ok,kind\n\
         a,2026-01-01T10:00Z,search,,,,,1,view\n\
         a,2026-01-01T11:00Z,email,,,,,0,click\n\
         a,2026-01-01T12:00Z,,1,10,o1,,1,\n\
         a,2026-01-01T12:01Z,,1,10,o1,,1,\n\
         a,2026-01-02T12:00Z,,,4,o1,1,1,\n\
         a,2026-01-02T13:00Z,,,5,o9,1,1,\n",
    );
    let config = folder.file(
        "attribution.yaml",
        "apiVersion: throughline/v1\nkind: Attribution\nmodels: [linear]\njourneys: { unit: touch }\n",
    );
    let options = [
        ("order", "order"),
        ("refund", "back"),
        ("consent", "ok"),
        ("interaction", "kind"),
        ("count", "once-per-order"),
        ("config", config.to_str().expect("text")),
    ];
    let json = run(&[&file], &options).expect("an answer");
    assert_eq!(
        (&json["value"], &json["kept"], &json["dropped"]),
        (&json!(6.0), &json!(1), &json!({ "no_consent": 1 }))
    );
    let outcomes = json!({ "counted": 1, "repeated_order": 1, "refunded": 1, "unknown_order": 1 });
    assert_eq!(json["outcomes"], outcomes);
    let kinds = folder.file("kinds.yaml", "journeys: { touch_kinds: [click] }\n");
    let json = run(&[&file], &[("interaction", "kind"), ("config", kinds.to_str().expect("text"))]).expect("an answer");
    assert_eq!((&json["touches"], &json["not_touches"]), (&json!(1), &json!(3)));
    let typo = folder.file("typo.yaml", "journeys: { lookback_dayz: 1 }\n");
    let Err(OneShotError::Findings(found)) = run(&[&file], &[("config", typo.to_str().expect("text"))]) else {
        panic!("a finding")
    };
    assert_eq!((found[0].code.as_str(), found[0].location.as_ref().and_then(|l| l.line)), ("TL473", Some(1)));
}

#[test]
fn columns_that_are_not_there_or_of_another_type() {
    let folder = Folder::new();
    let file = folder.path("n.parquet");
    write_parquet(&file, &events(50), false);
    let code = |more: &[(&str, &str)]| match run(&[&file], more) {
        Err(OneShotError::Findings(found)) => found[0].code.clone(),
        other => format!("{other:?}"),
    };
    assert_eq!(code(&[("channel", "chanel")]), "TL033");
    assert_eq!(code(&[("time", "sale")]), "TL481");
    assert_eq!(code(&[("lookback-days", "400")]), "TL473");
    // Channels may be any column; numbers are read as texts.
    assert!(run(&[&file], &[("channel", "who")]).is_ok());
    assert!(
        run(&[&file], &[("time", "who"), ("time-unit", "s")]).expect("an answer")["diagnostics"][0]["code"] == "TL477"
    );
}
