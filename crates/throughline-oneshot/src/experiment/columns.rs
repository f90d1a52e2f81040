//! The columns a plan needs, with times as numbers.

use throughline_core::{Diagnostic, Timestamp};
use throughline_evidence::experiment::{Kind, Plan};
use throughline_evidence::{Column, Table};

use super::args::flag;
use crate::OneShotError;

/// Names of all columns a plan reads.
pub(super) fn wanted(plan: &Plan) -> Vec<&str> {
    let mut out: Vec<&str> = vec![&plan.assignment];
    out.extend(measured(plan));
    let single = [&plan.strata, &plan.cluster, &plan.unit, &plan.time];
    out.extend(single.into_iter().flatten().chain(&plan.segments).map(String::as_str));
    out.extend(plan.metrics.iter().filter_map(|m| times(&m.kind)).flatten());
    out
}

/// Columns that must be numbers.
fn measured(plan: &Plan) -> Vec<&str> {
    let mut out: Vec<&str> = plan.covariates.iter().map(String::as_str).collect();
    for metric in &plan.metrics {
        match &metric.kind {
            Kind::Column { column, .. } | Kind::Quantile { column, .. } => out.push(column),
            Kind::Ratio { numerator, denominator } => out.extend([numerator.as_str(), denominator.as_str()]),
            Kind::Conversion { .. } => {}
        }
        out.extend(metric.cuped.iter().flat_map(|c| c.split('/')));
    }
    out
}

fn times(kind: &Kind) -> Option<[&str; 2]> {
    match kind {
        Kind::Conversion { time, exposed, .. } => Some([time, exposed]),
        _ => None,
    }
}

/// A length of time with its unit: in seconds, and whether it had one. Without a unit the number stands.
pub(super) fn duration(text: &str) -> Result<(f64, bool), OneShotError> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "" => None,
        "s" => Some(1.0),
        "m" => Some(60.0),
        "h" => Some(3600.0),
        "d" => Some(86_400.0),
        "w" => Some(604_800.0),
        _ => return Err(flag(text, "a length such as 7d, 12h, 30m or 90s")),
    };
    let number: f64 = number.trim().parse().map_err(|_| flag(text, "a length such as 7d, 12h, 30m or 90s"))?;
    Ok((number * seconds.unwrap_or(1.0), seconds.is_some()))
}

/// The table with numbers where the plan needs them: instants as seconds (for windows) or days (for trends), and texts in a
/// column of numbers as absent, which is said. `until` is when the data end.
pub(super) fn typed(
    table: Table,
    plan: &mut Plan,
    until: Option<&str>,
    within: Option<&str>,
    found: &mut Vec<Diagnostic>,
) -> Result<Table, OneShotError> {
    let mut replaced: Vec<(String, Vec<f64>)> = Vec::new();
    for name in measured(plan) {
        if let Column::Texts { codes, names } = table.column(name)? {
            replaced.push((name.to_owned(), mostly_numbers(name, codes, names, found)?));
        }
    }
    let unit = within.map(duration).transpose()?.is_some_and(|(_, unit)| unit);
    for metric in &mut plan.metrics {
        let Some(columns) = times(&metric.kind).map(|c| c.map(str::to_owned)) else { continue };
        for name in columns {
            replaced.push((name.clone(), seconds(&name, table.column(&name)?, unit)?));
        }
        if let (Kind::Conversion { until: end, .. }, Some(text)) = (&mut metric.kind, until) {
            let number = text.parse::<f64>().ok().map(|v| if unit { v * scale(v) } else { v });
            *end = Some(number.or_else(|| instant(text)).ok_or_else(|| flag(text, "an instant such as 2026-03-01"))?);
        }
    }
    if let Some(name) = &plan.time
        && let Column::Texts { codes, names } = table.column(name)?
    {
        let days: Vec<Option<f64>> = names.iter().map(|n| instant(n).map(|s| (s / 86_400.0).floor())).collect();
        refuse_texts(name, names, &days)?;
        replaced.push((name.clone(), spread(codes, &days)));
    }
    if replaced.is_empty() {
        return Ok(table);
    }
    let mut out = Table::new();
    for name in table.names() {
        let column = match replaced.iter().position(|(n, _)| n == name) {
            Some(i) => Column::Numbers(std::mem::take(&mut replaced[i].1)),
            None => table.column(name)?.clone(),
        };
        out.push(name.clone(), column)?;
    }
    Ok(out)
}

/// Numbers of a column in which some texts are none; refused where most are.
fn mostly_numbers(
    name: &str,
    codes: &[u32],
    names: &[String],
    found: &mut Vec<Diagnostic>,
) -> Result<Vec<f64>, OneShotError> {
    let parsed: Vec<Option<f64>> = names.iter().map(|n| n.parse().ok().filter(|v: &f64| v.is_finite())).collect();
    let values = spread(codes, &parsed);
    let rows = codes.iter().filter(|c| **c != u32::MAX).count();
    let good = values.iter().filter(|v| v.is_finite()).count();
    let first = names.iter().zip(&parsed).find(|(_, p)| p.is_none()).map_or("", |(n, _)| n.as_str());
    let shown: String = first.chars().take(30).collect();
    if 2 * good < rows {
        let message = format!("column `{name}` holds `{shown}` and other texts where numbers are needed");
        return Err(OneShotError::finding(Diagnostic::error("TL037", message).help("name a column of numbers")));
    }
    let message = format!("{} fields of `{name}` are not numbers (`{shown}`) and count as missing", rows - good);
    found.push(Diagnostic::warning("TL037", message));
    Ok(values)
}

/// Instants as seconds since 1970. Numbers stand where the window has no unit of its own; otherwise they are Unix times in
/// seconds, milliseconds or microseconds by their size.
fn seconds(name: &str, column: &Column, unit: bool) -> Result<Vec<f64>, OneShotError> {
    match column {
        Column::Numbers(values) if unit => {
            let scale = scale(values.iter().copied().filter(|v| v.is_finite()).fold(0.0, |m, v| v.abs().max(m)));
            Ok(values.iter().map(|v| v * scale).collect())
        }
        Column::Numbers(values) => Ok(values.clone()),
        Column::Texts { .. } if !unit => Err(flag("--within", "a unit, as in 7d, for columns of instants")),
        Column::Texts { codes, names } => {
            let parsed: Vec<Option<f64>> = names.iter().map(|n| instant(n)).collect();
            refuse_texts(name, names, &parsed)?;
            Ok(spread(codes, &parsed))
        }
    }
}

/// What turns a Unix time of this size into seconds: from 1e14 on they are microseconds, from 1e11 on milliseconds.
fn scale(size: f64) -> f64 {
    if size.abs() >= 1e14 {
        1e-6
    } else if size.abs() >= 1e11 {
        1e-3
    } else {
        1.0
    }
}

fn instant(text: &str) -> Option<f64> {
    text.parse::<Timestamp>().ok().map(|t| t.micros() as f64 / 1e6)
}

fn refuse_texts(name: &str, names: &[String], parsed: &[Option<f64>]) -> Result<(), OneShotError> {
    let Some((text, _)) = names.iter().zip(parsed).find(|(_, p)| p.is_none()) else { return Ok(()) };
    let shown: String = text.chars().take(30).collect();
    let message = format!("column `{name}` holds `{shown}`, which is no instant");
    let help = "use RFC 3339 or YYYY-MM-DD, and leave the field blank where nothing happened";
    Err(OneShotError::finding(Diagnostic::error("TL037", message).help(help)))
}

fn spread(codes: &[u32], values: &[Option<f64>]) -> Vec<f64> {
    codes.iter().map(|c| values.get(*c as usize).copied().flatten().unwrap_or(f64::NAN)).collect()
}
