//! `throughline attribute`.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder,
};
use clap::Parser;
use parquet::arrow::ArrowWriter;
use serde_json::Value;
use throughline_oneshot::attribute::AttributeArgs;
use throughline_oneshot::{Answer, OneShotError};

type Outcome = Result<(), Box<dyn Error>>;

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    args: AttributeArgs,
}

fn run(file: &Path, arguments: &[&str]) -> Result<Answer, OneShotError> {
    let file = file.display().to_string();
    let line = ["attribute", file.as_str()].into_iter().chain(arguments.iter().copied());
    Command::try_parse_from(line).expect("arguments").args.run()
}

fn csv(text: &str) -> Result<tempfile::NamedTempFile, Box<dyn Error>> {
    let file = tempfile::NamedTempFile::with_suffix(".csv")?;
    std::fs::write(file.path(), text)?;
    Ok(file)
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Result<tempfile::NamedTempFile, Box<dyn Error>> {
    let file = tempfile::NamedTempFile::with_suffix(".parquet")?;
    let batch = RecordBatch::try_from_iter(columns)?;
    let mut writer = ArrowWriter::try_new(file.reopen()?, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(file)
}

const COUNTS: &str = "path,conv,value,null\na > b,3,30,1\nb,1,5,4\na > c > a,2,20,0\n";
const COLUMNS: [&str; 6] = ["--conversions", "conv", "--value", "value", "--nulls", "null"];

fn with<'a>(columns: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    columns.iter().chain(more).copied().collect()
}

#[test]
fn counts_in_csv_and_parquet_give_the_same() -> Outcome {
    let text = csv(COUNTS)?;
    let binary = parquet(vec![
        ("path", Arc::new(StringArray::from(vec!["a > b", "b", "a > c > a"]))),
        ("conv", Arc::new(Int64Array::from(vec![3, 1, 2]))),
        ("value", Arc::new(Float64Array::from(vec![30.0, 5.0, 20.0]))),
        ("null", Arc::new(Int64Array::from(vec![Some(1), Some(4), None]))),
    ])?;
    let models = with(&COLUMNS, &["--model", "linear", "--model", "markov:1", "--compare"]);
    let (one, two) = (run(text.path(), &models)?, run(binary.path(), &models)?);
    assert_eq!(one.json, two.json);
    assert_eq!(one.json["totals"]["conversions"], 6.0);
    assert_eq!(one.json["models"][0]["interval_method"], "poisson bootstrap over journeys, 200 draws");
    assert!(one.text.contains("linear minus markov:1"), "{}", one.text);
    let differences = one.json["differences"].as_array().ok_or("no list")?;
    assert_eq!(differences.len(), 3);
    for d in differences {
        let (low, high) = (d["conversions_interval"][0].as_f64(), d["conversions_interval"][1].as_f64());
        assert!(low <= d["conversions"].as_f64() && d["conversions"].as_f64() <= high, "{d}");
    }
    Ok(())
}

#[test]
fn without_draws_there_are_no_intervals() -> Outcome {
    let file = csv(COUNTS)?;
    let found = run(file.path(), &with(&COLUMNS, &["--model", "last", "--draws", "0"]))?;
    let first = &found.json["models"][0];
    assert_eq!((&first["draws"], &first["interval_method"]), (&Value::from(0), &Value::Null));
    assert_eq!(first["credits"][0]["conversions"], 2.0);
    assert_eq!(first["credits"][0]["conversions_interval"], Value::Null);
    let error = run(file.path(), &with(&COLUMNS, &["--model", "last", "--draws", "0", "--compare"])).expect_err("no");
    assert!(error.to_string().contains("TL065"), "{error}");
    Ok(())
}

#[test]
fn persons_are_drawn_whole() -> Outcome {
    // 50 persons with eight journeys each, all alike: errors are √8 times those of 400 journeys.
    let mut text = String::from("who,path,bought,spent\n");
    for i in 0..400 {
        text.push_str(&format!("p{},a > b,1,2\n", i % 50));
    }
    text.push_str("q,b,0,\n,b,0,\n");
    let file = csv(&text)?;
    let columns = ["--conversions", "bought", "--value", "spent", "--model", "last", "--draws", "2000"];
    let persons = run(file.path(), &with(&columns, &["--person", "who"]))?;
    let rows = run(file.path(), &columns)?;
    let width = |answer: &Answer| {
        let interval = &answer.json["models"][0]["credits"][1]["conversions_interval"];
        interval[1].as_f64().zip(interval[0].as_f64()).map(|(high, low)| high - low).ok_or("no interval")
    };
    let ratio = width(&persons)? / width(&rows)?;
    assert!((ratio / 8.0_f64.sqrt() - 1.0).abs() < 0.15, "{ratio}");
    assert_eq!(persons.json["models"][0]["interval_method"], "poisson bootstrap over persons, 2000 draws");
    assert_eq!(persons.json["totals"]["nulls"], 2.0);
    assert_eq!(persons.json["diagnostics"][0]["code"], "TL450");
    Ok(())
}

#[test]
fn persons_in_parquet_may_be_numbers_and_paths_lists() -> Outcome {
    let mut paths = ListBuilder::new(StringBuilder::new());
    for path in [&["a", "b"][..], &["b"], &["c", "", "a"], &["a"]] {
        for step in path {
            paths.values().append_value(step);
        }
        paths.append(true);
    }
    let binary = parquet(vec![
        ("steps", Arc::new(paths.finish())),
        ("person", Arc::new(Int64Array::from(vec![7, 8, 7, i64::MAX]))),
        ("bought", Arc::new(BooleanArray::from(vec![true, false, true, false]))),
        ("value", Arc::new(Float64Array::from(vec![Some(3.0), None, Some(5.0), None]))),
    ])?;
    let text = csv(&format!("steps,person,bought,value\na > b,7,1,3\nb,8,0,\nc >  > a,7,1,5\na,{},0,\n", i64::MAX))?;
    let arguments = [
        "--path",
        "steps",
        "--person",
        "person",
        "--conversions",
        "bought",
        "--value",
        "value",
        "--model",
        "linear",
        "--model",
        "markov:2",
    ];
    let (one, two) = (run(binary.path(), &arguments)?, run(text.path(), &arguments)?);
    assert_eq!(one.json, two.json);
    assert_eq!((&one.json["totals"]["conversions"], &one.json["totals"]["value"]), (&2.0.into(), &8.0.into()));
    Ok(())
}

#[test]
fn rows_that_are_not_one_journey_are_left_out() -> Outcome {
    let file = csv("path,person,conv\na,x,1\nb,x,3\na,y,0.5\nb,y,0\n")?;
    let found = run(file.path(), &["--person", "person", "--conversions", "conv", "--model", "first"])?;
    let codes: Vec<_> = found.json["diagnostics"].as_array().ok_or("no list")?.iter().map(|d| &d["code"]).collect();
    assert_eq!(codes, ["TL460", "TL460"]);
    assert_eq!((&found.json["totals"]["conversions"], &found.json["totals"]["nulls"]), (&1.0.into(), &1.0.into()));
    Ok(())
}

#[track_caller]
fn check(result: Result<Answer, OneShotError>, expect: &str) {
    let error = result.expect_err("refused").to_string();
    assert!(error.contains(expect), "{error}");
}

#[test]
fn what_is_wrong_is_said() -> Outcome {
    let file = csv(COUNTS)?;
    check(run(file.path(), &["--model", "liner"]), "did you mean `linear`?");
    check(run(file.path(), &["--model", "last", "--conversions", "con"]), "did you mean `conv`?");
    check(run(file.path(), &["--model", "last", "--person", "who"]), "TL033");
    check(run(file.path(), &["--model", "last", "--level", "1.5"]), "TL045");
    check(run(csv("path,conv\n")?.path(), &["--model", "last"]), "TL046");
    check(run(file.path(), &["--model", "time_decay"]), "needs the time of every touch");
    check(run(Path::new("no-such.parquet"), &["--model", "last"]), "no-such.parquet");
    Ok(())
}
