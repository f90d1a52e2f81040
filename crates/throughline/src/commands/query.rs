//! `throughline query`.

use std::fs;
use std::process::ExitCode;

use serde_json::{Map, Number, Value};
use throughline_run::{Answer, Project, Stores};

use super::{block_on, variables};
use crate::cli::{QueryArgs, QueryFormat};
use crate::failure::Failure;
use crate::output::{print, print_json, table};

/// Rows that people are shown.
const SHOWN: usize = 1000;

/// Answers a question in SQL.
pub(super) fn query(args: &QueryArgs) -> Result<ExitCode, Failure> {
    let project = Project::load(&args.project, variables(&args.variables))?;
    let sql = match (&args.sql, &args.file) {
        (Some(sql), _) => sql.clone(),
        (None, Some(file)) => fs::read_to_string(file).map_err(|source| {
            let path = file.display().to_string();
            Failure::Io { doing: "read", path, source }
        })?,
        // The command line asks for one of them.
        (None, None) => String::new(),
    };
    let answer = block_on(async {
        let stores = Stores::open(&project).await?;
        throughline_run::query(&project, &stores, &sql).await
    })??;
    match args.format {
        QueryFormat::Table => print(&text(&answer))?,
        QueryFormat::Csv => print(csv(&answer)?.trim_end())?,
        QueryFormat::Json => print_json(&json(&answer))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn text(answer: &Answer) -> String {
    let names: Vec<&str> = answer.columns.iter().map(|(name, _)| name.as_str()).collect();
    let right: Vec<usize> = (0..names.len()).filter(|i| answer.columns[*i].1).collect();
    let shown = answer.rows.iter().take(SHOWN);
    let rows: Vec<Vec<String>> = shown.map(|row| row.iter().map(|c| c.clone().unwrap_or_default()).collect()).collect();
    let left = answer.rows.len() - rows.len();
    let count = match left {
        0 => format!("{} rows", rows.len()),
        _ => format!("{left} further rows; `--format csv` writes all"),
    };
    if names.is_empty() { "no rows".to_owned() } else { format!("{}\n{count}", table(&names, &right, &rows)) }
}

/// A header and rows. A text that a spreadsheet would take for a formula gets an apostrophe in front.
fn csv(answer: &Answer) -> Result<String, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |e: csv::Error| Failure::Io { doing: "write", path: "the answer".into(), source: e.into() };
    writer.write_record(answer.columns.iter().map(|(name, _)| name)).map_err(failed)?;
    for row in &answer.rows {
        let cells = row.iter().zip(&answer.columns).map(|(cell, (_, bare))| match cell.as_deref() {
            Some(text) if !bare && text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
            text => text.unwrap_or_default().to_owned(),
        });
        writer.write_record(cells).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|e| failed(e.into_error().into()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn json(answer: &Answer) -> Value {
    let cell = |text: &Option<String>, bare: bool| match text {
        None => Value::Null,
        Some(text) if bare => match text.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            // A float that is not finite has no form in JSON.
            number => number.parse::<Number>().map_or_else(|_| Value::from(number), Value::Number),
        },
        Some(text) => Value::from(text.as_str()),
    };
    let rows = answer.rows.iter().map(|row| {
        let members = row.iter().zip(&answer.columns).map(|(text, (name, bare))| (name.clone(), cell(text, *bare)));
        Value::Object(members.collect::<Map<_, _>>())
    });
    Value::Array(rows.collect())
}
