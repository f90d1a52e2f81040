//! `throughline consent report`.

use std::process::ExitCode;

use throughline_core::Purpose;
use throughline_run::consent::{ConsentReport, Share, States};
use throughline_run::{Project, Stores, consent_report};

use super::{block_on, variables};
use crate::cli::ProjectArgs;
use crate::failure::Failure;
use crate::output::{print, print_json, table};

/// Days of changes that are listed; JSON has all.
const DAYS_SHOWN: usize = 14;

/// Says what is documented about consent, and who may be activated where.
pub(super) fn report(args: &ProjectArgs) -> Result<ExitCode, Failure> {
    let project = Project::load(&args.project, variables(&args.variables))?;
    let report = block_on(async {
        let stores = Stores::open(&project).await?;
        consent_report(&project, &stores).await
    })??;
    if args.json {
        print_json(&serde_json::to_value(&report)?)?;
    } else {
        print(text(&report).trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(report: &ConsentReport) -> String {
    let mut out = format!(
        "{} people, {} events; withdrawals work {}; shares with {:.0} % intervals\n",
        report.people,
        report.events,
        report.withdrawal.name(),
        100.0 * report.level
    );
    let mut part = |title: &str, header: &[&str], right: &[usize], rows: &[Vec<String>], none: &str| {
        let body = if rows.is_empty() { none.to_owned() } else { table(header, right, rows) };
        out.push_str(&format!("\n{title}\n{body}\n"));
    };
    part(
        "What stands, by purpose",
        &[
            "purpose",
            "granted",
            "denied",
            "unknown",
            "share granted",
            "coverage",
            "conflicts",
            "withdrawn",
            "given back",
        ],
        &[1, 2, 3, 6, 7, 8],
        &standing(report),
        "nobody yet: run the line first",
    );
    let header =
        &["source", "purpose", "people", "granted", "denied", "unknown", "share granted", "coverage", "events granted"];
    part("What each source documents", header, &[2, 3, 4, 5, 8], &documented(report), "nothing");
    let header = &["purpose", "granted by", "denied by (wins)", "people", "grant is later"];
    part("Contradictions", header, &[3, 4], &contradictions(report), "none");
    part("Changes by day", &["day", "purpose", "withdrawn", "given back"], &[2, 3], &changes(report), "none");
    let header = &["destination", "purpose", "permitted", "of them reachable", "denied", "unknown"];
    part("Who may be activated where", header, &[2, 3, 4, 5], &activation(report), "no destinations");
    part("What may not be linked", &["sources", "forbidden by"], &[], &forbidden(report), "nothing is forbidden");
    let header = &["stage", "unit", "what", "purpose", "considered", "not said", "denied", "withdrawn"];
    part("What consent removed", header, &[4, 5, 6, 7], &removed(report), "nothing was run yet");
    out
}

fn share(share: &Share) -> String {
    let percent = |x: f64| format!("{:.1}", 100.0 * x);
    match (share.value, share.interval) {
        (Some(value), Some((low, high))) => format!("{} % [{}, {}]", percent(value), percent(low), percent(high)),
        _ => "–".to_owned(),
    }
}

fn counts(states: &States) -> [String; 3] {
    [states.granted, states.denied, states.unknown].map(|n| n.to_string())
}

fn standing(report: &ConsentReport) -> Vec<Vec<String>> {
    let row = |p: &throughline_run::consent::PurposeConsent| {
        let numbers = [p.conflicts, p.withdrawn, p.given_back].map(|n| n.to_string());
        let shares = [share(&p.granted), share(&p.coverage)];
        [p.purpose.to_string()].into_iter().chain(counts(&p.people)).chain(shares).chain(numbers).collect()
    };
    report.purposes.iter().filter(|_| report.people > 0).map(row).collect()
}

fn documented(report: &ConsentReport) -> Vec<Vec<String>> {
    let rows = report.sources.iter().flat_map(|source| {
        source.purposes.iter().map(move |p| {
            let head = [source.source.clone(), p.purpose.to_string(), source.people.to_string()];
            let shares = [share(&p.granted), share(&p.coverage), p.events.granted.to_string()];
            head.into_iter().chain(counts(&p.people)).chain(shares).collect()
        })
    });
    rows.collect()
}

fn contradictions(report: &ConsentReport) -> Vec<Vec<String>> {
    let row = |c: &throughline_run::consent::Conflict| {
        let names = [c.purpose.to_string(), c.granted_by.clone(), c.denied_by.clone()];
        names.into_iter().chain([c.people, c.grant_is_later].map(|n| n.to_string())).collect()
    };
    report.conflicts.iter().map(row).collect()
}

/// The latest days, the newest last; how many are left out is said.
fn changes(report: &ConsentReport) -> Vec<Vec<String>> {
    let (all, purposes) = (&report.changes, Purpose::ALL.len());
    let from = all.len().saturating_sub(DAYS_SHOWN * purposes);
    let mut rows: Vec<Vec<String>> = all[from..]
        .iter()
        .map(|c| vec![c.day.clone(), c.purpose.to_string(), c.withdrawn.to_string(), c.given_back.to_string()])
        .collect();
    if from > 0 {
        let earlier = &all[..from];
        let sum = |f: fn(&throughline_run::consent::Changes) -> u64| earlier.iter().map(f).sum::<u64>().to_string();
        rows.insert(0, vec!["earlier".into(), "all".into(), sum(|c| c.withdrawn), sum(|c| c.given_back)]);
    }
    rows
}

fn activation(report: &ConsentReport) -> Vec<Vec<String>> {
    let row = |a: &throughline_run::consent::Activation| {
        let numbers = [a.people.granted, a.reachable, a.people.denied, a.people.unknown].map(|n| n.to_string());
        [a.destination.clone(), a.purpose.to_string()].into_iter().chain(numbers).collect()
    };
    report.activation.iter().map(row).collect()
}

fn forbidden(report: &ConsentReport) -> Vec<Vec<String>> {
    let sources = |names: &[String]| match names {
        [one] => format!("{one} with any other"),
        several => several.join(" with "),
    };
    let by = |of: &std::collections::BTreeSet<String>| of.iter().cloned().collect::<Vec<_>>().join(", ");
    report.linking.iter().map(|link| vec![sources(&link.sources), by(&link.forbidden_by)]).collect()
}

fn removed(report: &ConsentReport) -> Vec<Vec<String>> {
    let row = |r: &throughline_run::consent::RemovedFrom| {
        let names = [r.stage.clone(), r.unit.clone().unwrap_or_default(), r.what.clone(), r.purpose.clone()];
        names.into_iter().chain([r.considered, r.unknown, r.denied, r.withdrawn].map(|n| n.to_string())).collect()
    };
    report.removed.iter().map(row).collect()
}
