//! What consent removed from each stage, and why.

use serde_json::Value;

use crate::page::format::{count, counted, in_words, percent};
use crate::page::html::{Html, Table, code, figure, p, text, words};
use crate::page::read::{Read, metrics};

use super::Section;

/// Stages that ask for consent, in the order of the line.
const STAGES: [&str; 6] = ["link", "journeys", "prove", "features", "decide", "activate"];

/// The section.
pub(super) fn section(report: &Value) -> Option<Section> {
    let mut table = Table::new(
        "Counted one by one, so these figures are exact and have no interval.",
        &["Stage", "Removed", "Purpose", "Considered", "Nothing said", "Denied", "Withdrawn", "Share removed"],
    );
    let (mut asked, mut removed) = (0_u64, 0_u64);
    for stage in STAGES {
        for (unit, found) in metrics(report, stage) {
            for row in crate::consent::removed_rows(found) {
                let n = |key| row.whole(key).unwrap_or(0);
                let (considered, reasons) = (n("considered"), ["unknown", "denied", "withdrawn"].map(n));
                let gone = reasons.iter().fold(0_u64, |sum, n| sum.saturating_add(*n));
                asked = asked.saturating_add(considered);
                removed = removed.saturating_add(gone);
                let place = if unit == "all" { stage } else { unit.split('@').next().unwrap_or(stage) };
                let mut cells = vec![code(place), words(row.word("what")?), words(in_words(row.word("purpose")?))];
                cells.extend([considered].into_iter().chain(reasons).map(|n| figure(count(n))));
                let share = if considered == 0 { "–".to_owned() } else { percent(gone as f64 / considered as f64) };
                cells.push(figure(share));
                table.row(cells);
            }
        }
    }
    if table.is_empty() {
        return None;
    }
    let lede = match removed {
        0 => text("Consent was asked for ").strong(counted(asked, "time", "times")).text(" and removed nothing."),
        n => text("Consent removed ")
            .strong(format!("{} of {}", count(n), counted(asked, "row", "rows")))
            .text(" for which it was asked, over all stages."),
    };
    let note = "Unknown is not permission. Withdrawn means that the row came with a grant, but the person denied it \
                elsewhere or later.";
    Some(Section { lede, body: Html::default().with(table.html()).with(p("note", text(note))) })
}
