//! The dbt fractribution sample through the whole line: raw events in, journeys and credits out.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use throughline_core::{Diagnostic, NoProgress, Timestamp};
use throughline_run::{Project, RunOptions, Stores, table_rows, tables};

use super::{Check, reference};
use crate::commands::{block_on, write_example};
use crate::examples::example;
use crate::failure::Failure;
use throughline_oneshot::files::{Csv, number, text};

const SOURCE: &str = "snowplow/dbt-snowplow-fractribution integration tests";

/// Runs the example in a temporary folder and returns journeys and credits.
fn run(dir: &Path) -> Result<(Vec<Value>, Vec<Value>), Failure> {
    let folder = tempfile::tempdir()?;
    let Some(example) = example("fractribution") else {
        return Err(Failure::finding(Diagnostic::error("TL041", "the example is not built in")));
    };
    write_example(example, folder.path())?;
    let variables = BTreeMap::from([("THROUGHLINE_REFERENCE".to_owned(), dir.display().to_string())]);
    let project = Project::load(folder.path(), variables)?;
    let options = RunOptions {
        clock: throughline_run::Clock::new(|| Timestamp::MIN.plus_days(12_000)),
        as_of: None,
        stage: None,
        from: None,
        requested_by: "verify".into(),
        holder: "verify".into(),
        is_alive: |_| false,
        threads: 1,
        progress: Arc::new(NoProgress),
        cancelled: Arc::new(AtomicBool::new(false)),
    };
    let rows = block_on(async {
        let stores = Stores::open(&project).await?;
        throughline_run::run(&project, &stores, &options).await?;
        Ok::<_, throughline_run::RunError>((
            table_rows(&stores, &tables::journeys()).await?,
            table_rows(&stores, &tables::credits()).await?,
        ))
    })??;
    Ok(rows)
}

pub(super) fn checks(dir: &Path) -> Result<Vec<Check>, Failure> {
    let summary = reference(dir, "fractribution/snowplow_fractribution_path_summary_expected.csv")?;
    let attribution = reference(dir, "fractribution/snowplow_fractribution_channel_attribution_expected.csv")?;
    let (journeys, credits) = run(dir)?;
    let mut out = Vec::new();
    let mut ours: BTreeMap<String, (f64, f64, f64)> = BTreeMap::new();
    for journey in &journeys {
        let path: Vec<&str> = journey["path"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let entry = ours.entry(path.join(" > ")).or_default();
        if journey["converted"] == true {
            entry.0 += 1.0;
            entry.2 += journey["value"].as_f64().unwrap_or(0.0);
        } else {
            entry.1 += 1.0;
        }
    }
    let mut csv = Csv::open(&summary, ",")?;
    let columns = ["transformed_path", "conversions", "non_conversions", "revenue"];
    let columns = columns.map(|c| csv.column(c));
    let [path, conversions, nulls, revenue] = columns;
    let (path, conversions, nulls, revenue) = (path?, conversions?, nulls?, revenue?);
    csv.rows(|_, record| {
        let name = text(record, path)?.to_owned();
        let (c, n, v) = ours.remove(&name).unwrap_or((f64::NAN, f64::NAN, f64::NAN));
        for (what, column, got) in [("conversions", conversions, c), ("without", nulls, n), ("revenue", revenue, v)] {
            let expected = number(record, column)?.unwrap_or(0.0);
            out.push(Check::absolute(format!("fractribution path `{name}`, {what}"), expected, got, 1e-9, SOURCE));
        }
        Ok(())
    })?;
    out.push(Check::absolute("fractribution paths not expected", 0.0, ours.len() as f64, 0.0, SOURCE));
    credit_checks(&attribution, &credits, &mut out)?;
    Ok(out)
}

fn credit_checks(file: &Path, credits: &[Value], out: &mut Vec<Check>) -> Result<(), Failure> {
    let mut csv = Csv::open(file, ",")?;
    let columns = ["CHANNEL", "CONVERSIONS", "REVENUE", "ATTRIBUTION_TYPE"].map(|c| csv.column(c));
    let [channel, conversions, revenue, kind] = columns;
    let (channel, conversions, revenue, kind) = (channel?, conversions?, revenue?, kind?);
    csv.rows(|_, record| {
        let channel = text(record, channel)?.to_owned();
        let model = if text(record, kind)? == "last_touch" { "last" } else { "leave_one_out" };
        let found = credits.iter().find(|c| c["model"] == model && c["channel"] == channel.as_str());
        let got = |key: &str| found.and_then(|c| c[key].as_f64()).unwrap_or(f64::NAN);
        for (what, column) in [("conversions", conversions), ("value", revenue)] {
            let expected = number(record, column)?.unwrap_or(f64::NAN);
            let name = format!("fractribution {model} {what}, {channel}");
            out.push(Check::absolute(name, expected, got(what), 1e-9, SOURCE));
        }
        Ok(())
    })?;
    Ok(())
}
