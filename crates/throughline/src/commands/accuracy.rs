//! `throughline identity draw` and `throughline identity accuracy`.

use std::process::ExitCode;

use throughline_run::{Accuracy, Project, Sampled, Stores, draw_matches, match_accuracy};

use super::identity::ACTOR;
use super::{block_on, variables};
use crate::cli::{IdentityAccuracyArgs, IdentityDrawArgs};
use crate::failure::Failure;
use crate::output::{print, print_json, table};

/// Draws pairs for people to look at.
pub(super) fn draw(args: &IdentityDrawArgs) -> Result<ExitCode, Failure> {
    let project = Project::load(&args.project, variables(&[]))?;
    let drawn = block_on(async {
        let stores = Stores::open(&project).await?;
        draw_matches(&project, &stores, args.size, ACTOR, throughline_server::system_clock().now()).await
    })??;
    if args.json {
        print_json(&serde_json::to_value(&drawn)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let of: Vec<String> = drawn.population.iter().map(|(outcome, n)| format!("{n} {outcome}")).collect();
    let of = if of.is_empty() { "no pair".to_owned() } else { of.join(", ") };
    print(&format!(
        "draw {}: {} pairs of {of}; each had a probability of at least {:.4}\n`throughline identity review` shows them",
        drawn.draw,
        drawn.pairs.len(),
        drawn.floor
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Says how accurate matching is.
pub(super) fn accuracy(args: &IdentityAccuracyArgs) -> Result<ExitCode, Failure> {
    let project = Project::load(&args.project, variables(&[]))?;
    let accuracy = block_on(async {
        let stores = Stores::open(&project).await?;
        match_accuracy(&project, &stores).await
    })??;
    if args.json {
        print_json(&serde_json::to_value(&accuracy)?)?;
    } else {
        print(&told(&accuracy))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn share(share: Option<&Sampled>) -> String {
    match share {
        Some(s) => format!("{:.3} [{:.3}, {:.3}] from {} labels", s.value, s.low, s.high, s.labels),
        None => "not known: no label tells it".to_owned(),
    }
}

fn told(accuracy: &Accuracy) -> String {
    let mut out = format!("Accuracy of matching, {:.0} % intervals\n\nBy labels", 100.0 * accuracy.level);
    if let Some(draw) = accuracy.draw {
        out += &format!(" of draw {draw}: {} of {} pairs are decided about", accuracy.labelled, accuracy.drawn);
    }
    out += &format!("\n  precision  {}", share(accuracy.precision.as_ref()));
    out += &format!("\n  recall     {}\n  {}\n\nBy later logins\n", share(accuracy.recall.as_ref()), accuracy.note);
    let logins = &accuracy.logins;
    let precision = match (logins.precision, logins.interval) {
        (Some(value), Some((low, high))) => format!("{value:.3} [{low:.3}, {high:.3}]"),
        _ => "not known".to_owned(),
    };
    out += &format!(
        "  precision  {precision}: {} of {} linked pairs confirmed, {} contradicted\n  {}\n\nCalibration\n",
        logins.confirmed, logins.linked, logins.contradicted, logins.note
    );
    let cells = |bin: &throughline_run::Bin| {
        vec![
            format!("{} to {}", bin.from, bin.to),
            format!("{:.3}", bin.said),
            format!("{:.3} [{:.3}, {:.3}]", bin.found.value, bin.found.low, bin.found.high),
            bin.found.labels.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = accuracy.calibration.bins.iter().map(cells).collect();
    if !rows.is_empty() {
        out += &table(&["probability", "said", "found", "labels"], &[3], &rows);
        out += "\n";
    }
    if let (Some(slope), Some(intercept)) = (accuracy.calibration.slope, accuracy.calibration.intercept) {
        let with = |of: throughline_run::Fitted| match of.interval {
            Some((low, high)) => format!("{:.3} [{low:.3}, {high:.3}]", of.value),
            None => format!("{:.3} (no interval: the fit gives none)", of.value),
        };
        out += &format!(
            "  weights are multiplied by {} (1 is calibrated); without evidence log-odds are {}\n",
            with(slope),
            with(intercept)
        );
    }
    out + "  " + &accuracy.calibration.note
}
