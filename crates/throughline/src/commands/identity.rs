//! `throughline identity`: pairs that may be of one person, and decisions about them.

use std::process::ExitCode;

use serde_json::{Value, json};
use throughline_core::{Diagnostic, SubjectToken};
use throughline_run::{OUTCOMES, Project, ReviewPair, ReviewQuery, Stores, decide_identity, review_queue};

use super::{block_on, variables};
use crate::cli::{IdentityDecisionArgs, IdentityReviewArgs};
use crate::failure::Failure;
use crate::output::{print, print_json, table};

/// Who decides on the command line.
pub(super) const ACTOR: &str = "command line";

/// Shows the pairs of an outcome.
pub(super) fn review(args: &IdentityReviewArgs) -> Result<ExitCode, Failure> {
    let outcome = args.outcome.as_str();
    if !OUTCOMES.contains(&outcome) {
        let message = format!("no outcome `{outcome}` (known: {})", OUTCOMES.join(", "));
        return Err(Failure::finding(Diagnostic::error("TL058", message)));
    }
    let project = Project::load(&args.project, variables(&[]))?;
    let pairs = block_on(async {
        let stores = Stores::open(&project).await?;
        let query = ReviewQuery { outcome, limit: args.limit, open_for: args.open.then_some(ACTOR) };
        review_queue(&stores, query, throughline_server::system_clock().now()).await
    })??;
    if args.json {
        print_json(&json!({ "outcome": outcome, "pairs": pairs }))?;
    } else if pairs.is_empty() {
        print(&match outcome {
            "queue" => {
                "no drawn pair is left: `throughline identity draw` draws some, `--outcome review` lists all".to_owned()
            }
            _ => format!("no pair is `{outcome}`"),
        })?;
    } else {
        print(&shown(&pairs))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(pairs: &[ReviewPair]) -> String {
    let mut text = String::new();
    for pair in pairs {
        let margin = pair.margin_bits.map_or("no rival".to_owned(), |m| format!("{m:+.1} bits over the next"));
        text += &format!(
            "{} {}\n  {} and {}: probability {:.3}, {:.1} bits, {margin}; {} purchases of {:.2} would change hands; {}\n",
            pair.token,
            pair.other_token,
            pair.sources[0],
            pair.sources[1],
            pair.probability,
            pair.weight_bits,
            pair.purchases,
            pair.value,
            pair.reason,
        );
        text += &indented(&columns(pair));
    }
    text.trim_end().to_owned()
}

/// Column by column: the level, and what was said where it was opened.
fn columns(pair: &ReviewPair) -> String {
    let said = |place: usize, name: &str| {
        let value = pair.said.as_ref().map_or(&Value::Null, |said| &said[place][name]);
        value
            .as_str()
            .map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, ToOwned::to_owned)
    };
    let level = |level: u64| match level {
        0 => "missing",
        1 => "different",
        5 => "equal",
        _ => "alike",
    };
    let levels = pair.levels.as_object().into_iter().flatten();
    let rows: Vec<Vec<String>> = levels
        .map(|(name, of)| {
            let agreement = level(of.as_u64().unwrap_or_default()).to_owned();
            let bits = pair.weights[name].as_f64().map_or_else(String::new, |bits| format!("{bits:+.1}"));
            vec![name.clone(), agreement, bits, said(0, name), said(1, name)]
        })
        .collect();
    table(&["column", "agreement", "bits", &pair.sources[0], &pair.sources[1]], &[2], &rows)
}

fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["    ", line, "\n"]).collect()
}

/// Keeps a decision about two identifiers.
pub(super) fn decide(args: &IdentityDecisionArgs, same: Option<bool>) -> Result<ExitCode, Failure> {
    let token = |text: &str| -> Result<SubjectToken, Failure> {
        text.parse().map_err(|_| {
            let finding = Diagnostic::error("TL059", format!("`{text}` is not an identifier's token"));
            Failure::finding(finding.help("tokens have 32 hexadecimal digits, as `throughline identity review` shows"))
        })
    };
    let pair = (token(&args.token)?, token(&args.other_token)?);
    let project = Project::load(&args.project, variables(&[]))?;
    block_on(async {
        let stores = Stores::open(&project).await?;
        let now = throughline_server::system_clock().now();
        decide_identity(&stores, pair, same, &args.reason, ACTOR, now).await
    })??;
    print(match same {
        Some(true) => "kept: the next run makes them one person",
        Some(false) => "kept: the next run keeps them apart",
        None => "taken back: the next run goes by the evidence",
    })?;
    Ok(ExitCode::SUCCESS)
}
