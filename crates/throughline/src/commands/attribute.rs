//! `throughline attribute`: paths in a file, credits with intervals out.

use std::process::ExitCode;

use serde_json::{Value, json};
use throughline_attribution::{
    CreditsWithIntervals, Outcome, PathTable, PathTableBuilder, bootstrap, parse_path, read_spec,
};
use throughline_core::{Diagnostic, Level};

use crate::cli::AttributeArgs;
use crate::failure::Failure;
use crate::output::{interval, number as shown, print, print_json, table};
use throughline_oneshot::files::{Csv, number, text};

/// Attributes a file of paths.
pub(super) fn attribute(args: &AttributeArgs) -> Result<ExitCode, Failure> {
    let level = Level::new(args.level)
        .map_err(|e| Failure::finding(Diagnostic::error("TL045", e.to_string()).help("for example --level 0.9")))?;
    let models = args.models.iter().map(|m| read_spec(m)).collect::<Result<Vec<_>, _>>()?;
    let (paths, findings) = read_paths(args)?;
    let credits = bootstrap(&paths, &models, args.draws, args.seed, level)?;
    if args.json {
        print_json(&as_json(&paths, &credits, &findings))?;
    } else {
        print(&as_table(&paths, &credits))?;
        for finding in findings.iter().take(10) {
            print(&finding.to_string())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The paths of the file and what was wrong with its rows.
fn read_paths(args: &AttributeArgs) -> Result<(PathTable, Vec<Diagnostic>), Failure> {
    let mut csv = Csv::open(&args.file, &args.delimiter)?;
    let path = csv.column(&args.path)?;
    let optional = |name: &Option<String>| name.as_ref().map(|n| csv.column(n)).transpose();
    let (conversions, value, nulls) = (optional(&args.conversions)?, optional(&args.value)?, optional(&args.nulls)?);
    let mut builder = PathTableBuilder::new();
    let mut rows = 0_u64;
    let mut found = csv.rows(|_, record| {
        let amount = |column: Option<usize>| column.map_or(Ok(None), |c| number(record, c));
        let outcome = Outcome {
            conversions: match conversions {
                Some(column) => number(record, column)?.unwrap_or(0.0),
                None => 1.0,
            },
            value: amount(value)?.unwrap_or(0.0),
            nulls: amount(nulls)?.unwrap_or(0.0),
        };
        builder.push(&parse_path(text(record, path)?, &args.separator), None, outcome);
        rows += 1;
        Ok(())
    })?;
    if rows == 0 {
        let finding = Diagnostic::error("TL046", "no usable row").at(args.file.display().to_string(), None, None);
        found.insert(0, finding);
        return Err(Failure::Findings(found));
    }
    let (table, diagnostics) = builder.build();
    found.extend(diagnostics);
    Ok((table, found))
}

fn as_json(paths: &PathTable, credits: &[CreditsWithIntervals], findings: &[Diagnostic]) -> Value {
    let totals = paths.totals();
    let models: Vec<Value> = credits
        .iter()
        .map(|m| {
            let channels: Vec<Value> = m
                .credits
                .channels()
                .iter()
                .zip(&m.intervals)
                .map(|(c, i)| {
                    json!({
                        "channel": c.channel,
                        "conversions": c.conversions,
                        "conversions_interval": i.conversions.interval(),
                        "value": c.value,
                        "value_interval": i.value.interval(),
                        "removal_effect": c.removal_effect,
                        "removal_effect_interval": i.removal_effect.as_ref().map(throughline_core::Estimate::interval),
                    })
                })
                .collect();
            json!({
                "model": m.credits.model(),
                "credits": channels,
                "interval_method": m.method,
                "level": m.level.get(),
                "draws": m.draws,
                "diagnostics": m.credits.diagnostics(),
            })
        })
        .collect();
    json!({
        "totals": { "conversions": totals.conversions, "value": totals.value, "nulls": totals.nulls },
        "models": models,
        "diagnostics": findings,
    })
}

fn as_table(paths: &PathTable, credits: &[CreditsWithIntervals]) -> String {
    let totals = paths.totals();
    let mut out = format!("{} conversions, value {}\n", shown(totals.conversions), shown(totals.value));
    for m in credits {
        let rows: Vec<Vec<String>> = m
            .credits
            .channels()
            .iter()
            .zip(&m.intervals)
            .map(|(c, i)| {
                vec![
                    c.channel.clone(),
                    shown(c.conversions),
                    interval(i.conversions.interval()),
                    shown(c.value),
                    interval(i.value.interval()),
                    c.removal_effect.map_or_else(String::new, shown),
                ]
            })
            .collect();
        let header = ["channel", "conversions", "interval", "value", "interval", "removal effect"];
        out.push_str(&format!(
            "\n{} ({} % intervals, {})\n{}\n",
            m.credits.model(),
            m.level.get() * 100.0,
            m.method,
            table(&header, &[1, 3, 5], &rows)
        ));
    }
    out
}
