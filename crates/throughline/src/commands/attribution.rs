//! `throughline attribution`: two configurations side by side, and ours beside what platforms report.

use std::collections::BTreeSet;
use std::process::ExitCode;

use throughline_run::{
    Compared, JourneyFilter, PartOfCredit, PlatformBridge, Project, Ratio, Stores, compare_attribution, credit_of_part,
    reconcile_platforms,
};

use super::{block_on, variables};
use crate::cli::{CompareArgs, ReconcileArgs, ShowArgs};
use crate::failure::Failure;
use crate::output::{interval, number, print, print_json, table};

/// Compares two configurations.
pub(super) fn compare(args: &CompareArgs) -> Result<ExitCode, Failure> {
    let project = Project::load(&args.project.project, variables(&args.project.variables))?;
    let found = block_on(async {
        let stores = Stores::open(&project).await?;
        compare_attribution(&project, &stores, [&args.left, &args.right]).await
    })??;
    if args.project.json {
        print_json(&serde_json::to_value(&found)?)?;
    } else {
        print(&compared(&found))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn compared(found: &Compared) -> String {
    let sides = [&found.left, &found.right];
    let mut out = String::new();
    for side in sides {
        let ids: Vec<&str> = side.journeys.config_ids.values().map(String::as_str).collect();
        let journeys = &side.journeys;
        out.push_str(&format!(
            "{} ({}): {} converting journeys, {} without\n",
            side.file,
            ids.join(", "),
            journeys.converting,
            journeys.not_converting
        ));
    }
    let rules: BTreeSet<&String> = sides.iter().flat_map(|s| s.journeys.touches.keys()).collect();
    let count = |side: usize, rule: &String| sides[side].journeys.touches.get(rule).copied().unwrap_or(0);
    let rows: Vec<Vec<String>> = rules
        .into_iter()
        .map(|rule| vec![rule.clone(), count(0, rule).to_string(), count(1, rule).to_string()])
        .collect();
    out.push_str(&format!("\n{}\n", table(&["touches", "first", "second"], &[1, 2], &rows)));
    let rows: Vec<Vec<String>> = found
        .credits
        .iter()
        .map(|c| {
            let (difference, ends) = (number(c.difference.value), interval(c.difference.interval()));
            vec![
                c.conversion.clone(),
                c.model.clone(),
                c.channel.clone(),
                number(c.left),
                number(c.right),
                difference,
                ends,
            ]
        })
        .collect();
    let header = ["conversion", "model", "channel", "first", "second", "difference", "interval"];
    out.push_str(&format!("\n{}\n", table(&header, &[3, 4, 5], &rows)));
    out
}

/// Shows the credit of a part of the journeys.
pub(super) fn show(args: &ShowArgs) -> Result<ExitCode, Failure> {
    let project = Project::load(&args.project.project, variables(&args.project.variables))?;
    let filter = JourneyFilter {
        from: args.from.clone(),
        to: args.to.clone(),
        geo: args.geo.clone(),
        device: args.device.clone(),
        cohort: args.cohort.clone(),
        segment: args.segment.clone(),
    };
    let found = block_on(async {
        let stores = Stores::open(&project).await?;
        credit_of_part(&project, &stores, &filter, args.conversion.as_deref()).await
    })??;
    if args.project.json {
        print_json(&serde_json::json!({ "filter": filter, "parts": found }))?;
    } else if found.is_empty() {
        print("no journey is credited yet: add attribution.yaml and run the project")?;
    } else {
        print(&found.iter().map(part).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn part(found: &PartOfCredit) -> String {
    let ratio = |of: Option<&Ratio>| match of.and_then(Ratio::number) {
        Some(estimate) => {
            let (low, high) = estimate.interval();
            let high = if high.is_finite() { number(high) } else { "∞".to_owned() };
            format!("{} [{}, {high}]", number(estimate.value), number(low))
        }
        None => "-".to_owned(),
    };
    let rows = found.models.iter().flat_map(|model| {
        model.channels.iter().map(|channel| {
            vec![
                model.model.clone(),
                channel.channel.clone(),
                number(channel.conversions.value),
                interval(channel.conversions.interval()),
                number(channel.value.value),
                interval(channel.value.interval()),
                channel.spend.map_or_else(|| "-".to_owned(), number),
                ratio(channel.cpa.as_ref()),
                ratio(channel.roas.as_ref()),
                ratio(channel.marginal.as_ref().map(|m| &m.cost_per_conversion)),
                ratio(channel.marginal.as_ref().map(|m| &m.return_on_spend)),
            ]
        })
    });
    let header = [
        "model",
        "channel",
        "conversions",
        "interval",
        "value",
        "interval",
        "spend",
        "CPA",
        "ROAS",
        "marginal CPA",
        "marginal ROAS",
    ];
    let mut out = format!(
        "{}: {} of {} journeys, {} conversions worth {}\n{}\n",
        found.conversion,
        found.journeys,
        found.of_journeys,
        number(found.conversions),
        number(found.value),
        table(&header, &[2, 4, 6, 7, 8, 9, 10], &rows.collect::<Vec<_>>())
    );
    if !found.without_parts.is_empty() {
        out.push_str(&format!("credit of totals has no parts: {}\n", found.without_parts.join(", ")));
    }
    out
}

/// Tells why platforms report other numbers.
pub(super) fn reconcile(args: &ReconcileArgs) -> Result<ExitCode, Failure> {
    let project = Project::load(&args.project.project, variables(&args.project.variables))?;
    let found = block_on(async {
        let stores = Stores::open(&project).await?;
        reconcile_platforms(&project, &stores, args.model.as_deref()).await
    })??;
    if args.project.json {
        print_json(&serde_json::to_value(&found)?)?;
    } else if found.is_empty() {
        print("attribution.yaml names no platform; add `platforms`")?;
    } else {
        print(&found.iter().map(bridge).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn units(micros: i64) -> String {
    number(micros as f64 / 1e6)
}

fn bridge(found: &PlatformBridge) -> String {
    let b = &found.bridge;
    let Some((from, until)) = &found.days else {
        return format!("{}: no row of spend carries what it reports\n", b.platform);
    };
    let mut rows =
        vec![vec![format!("ours, {}", found.model), units(b.ours.conversions_micros), units(b.ours.value_micros)]];
    rows.extend(b.lines.iter().map(|line| {
        let d = line.difference;
        vec![line.cause.name().to_owned(), units(d.conversions_micros), units(d.value_micros)]
    }));
    rows.push(vec!["reported".into(), units(b.reported.conversions_micros), units(b.reported.value_micros)]);
    let head = format!("{}, {} from {from} to {until}", b.platform, found.conversion);
    format!("{head}\n{}\n", table(&["", "conversions", "value"], &[1, 2], &rows))
}
