//! What the profiles of sources say that should be mended, in plain words.

use std::collections::BTreeSet;

use serde::Serialize;
use throughline_core::{Diagnostic, Timestamp};
use throughline_ingest::Tally;

use super::check::SourceCheck;
use crate::project::Project;

/// Days of activity below which gaps say nothing.
const FEW_DAYS: usize = 7;
/// Share of its days on which a source must have rows to be a daily one.
const DAILY: f64 = 0.8;
/// Orders below which two systems are not compared.
const FEW_ORDERS: usize = 20;
/// Share of orders in common from which two systems are about the same orders.
const SAME_ORDERS: f64 = 0.05;
/// Share that is worth a word.
const NOTABLE: f64 = 0.01;
/// Days that are named.
const NAMED: usize = 3;

/// How many events there are for a conversion or label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabelCheck {
    /// Conversion, experiment, or experiment and metric.
    pub label: String,
    /// What is counted.
    pub counts: String,
    /// How many of them; absent where only a run can tell.
    pub events: Option<u64>,
}

/// A finding with its rank: lower comes first.
type Ranked = (u8, Diagnostic);

fn finding(rank: u8, code: &str, message: String, help: &str) -> Ranked {
    (rank, Diagnostic::warning(code, message).help(help))
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64)
}

/// Everything to mend, most important first.
pub(super) fn all(
    project: &Project,
    sources: &[SourceCheck],
    labels: &[LabelCheck],
    drifts: Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let mut found: Vec<Ranked> = Vec::new();
    for check in sources {
        let config = project.sources.iter().find(|s| s.value.name.value == check.source);
        let place = config.map_or("", |s| s.file.as_str());
        let limit = config.map_or(1.0, |s| s.value.failure_limit());
        let of = own(check, limit).into_iter().map(|(rank, d)| (rank, d.at(place, None, None)));
        found.extend(of);
    }
    found.extend(labels.iter().filter(|l| l.events == Some(0)).map(|label| {
        let message = format!("{} has no data: no {}", label.label, label.counts);
        finding(1, "TL029", message, "check the kinds and names that sources give their events, and the definition")
    }));
    found.extend(orders(sources));
    found.extend(days(sources));
    found.extend(drifts.into_iter().map(|d| (if d.message.contains("which the mapping reads") { 3 } else { 9 }, d)));
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// What the rows of one source say.
fn own(check: &SourceCheck, limit: f64) -> Vec<Ranked> {
    let (name, tally) = (&check.source, &check.profile);
    let mut found = Vec::new();
    let duplicates = tally.quarantined.get("TL207").copied().unwrap_or(0);
    let refused = tally.quarantined.values().sum::<u64>() - duplicates;
    if refused > 0 {
        let share = refused as f64 / tally.rows_read.max(1) as f64;
        let codes: Vec<String> =
            tally.quarantined.iter().filter(|(c, _)| **c != "TL207").map(|(c, n)| format!("{n} {c}")).collect();
        let example =
            tally.examples.first().map(|e| format!("; for example line {}: {}", e.line, e.reason)).unwrap_or_default();
        let (rank, then) =
            if share > limit { (0, "; more than its failure_limit, so files will be refused") } else { (4, "") };
        let message = format!(
            "{refused} of {} rows of `{name}` ({}) cannot be used ({}){example}{then}",
            tally.rows_read,
            percent(refused, tally.rows_read),
            codes.join(", ")
        );
        found.push(finding(
            rank,
            "TL022",
            message,
            "docs/diagnostics.md says what each code means; correct the mapping or the export",
        ));
    }
    if tally.events + tally.spend_rows == 0 {
        let message = format!(
            "`{name}` gives neither events nor spend: {} rows were read, {} not wanted",
            tally.rows_read, tally.rows_skipped
        );
        found.push(finding(0, "TL022", message, "look at `when` of its emits, and at the files at its location"));
    }
    found.extend(clock(name, tally));
    if tally.without_channel > 0 && tally.without_channel as f64 >= NOTABLE * tally.touches as f64 {
        let message = format!(
            "{} of {} visits and clicks of `{name}` ({}) have no channel",
            tally.without_channel,
            tally.touches,
            percent(tally.without_channel, tally.touches)
        );
        found.push(finding(
            5,
            "TL025",
            message,
            "map `channel`, or add rules to channels.yaml (docs/sources.md, Channels)",
        ));
    }
    found.extend(ids(name, tally, duplicates));
    found.extend(empty(name, tally));
    found
}

/// Ids that were there before.
fn ids(name: &str, tally: &Tally, duplicates: u64) -> Vec<Ranked> {
    let mut found = Vec::new();
    let twice = duplicates + tally.ids_in_several_files;
    if twice > 0 {
        let message = format!(
            "{twice} rows of `{name}` have an id that was there before ({duplicates} in one file, {} in several)",
            tally.ids_in_several_files
        );
        let help = "in one file the first row counts, of several files the newest; where rows are different things, give them ids of their own";
        let many = twice as f64 > 0.05 * tally.rows_read as f64 && duplicates > 0;
        found.push(finding(if many { 5 } else { 8 }, "TL023", message, help));
    }
    found
}

/// Mapped fields that are mostly empty.
fn empty(name: &str, tally: &Tally) -> Vec<Ranked> {
    let mut found = Vec::new();
    for field in tally.fields.iter().filter(|f| f.of > 0 && f.nulls * 2 > f.of && !f.field.starts_with("subjects.")) {
        let message = format!(
            "`{}` of `{name}` is empty in {} of {} rows ({})",
            field.field,
            field.nulls,
            field.of,
            percent(field.nulls, field.of)
        );
        let empty = field.nulls == field.of;
        found.push(finding(
            if empty { 6 } else { 8 },
            "TL026",
            message,
            "nothing to do where that is as it should be; else check the column behind it",
        ));
    }
    found
}

fn clock(name: &str, tally: &Tally) -> Vec<Ranked> {
    let mut found = Vec::new();
    let future = tally.quarantined.get("TL211").copied().unwrap_or(0);
    let say = |n: u64, what: &str, help: &str| {
        let message = format!("{n} of {} events of `{name}` {what}", tally.events + future);
        finding(2, "TL024", message, help)
    };
    if future > 0 {
        found.push(say(future, "lie in the future", "is the time zone right, and seconds not taken for milliseconds?"));
    }
    if tally.before_2000 > 0 {
        found.push(say(
            tally.before_2000,
            "lie before the year 2000",
            "a clock that was never set, or seconds taken for milliseconds",
        ));
    }
    if tally.received_before_happened > 0 {
        let help = "clocks of devices run ahead; they count as known when they happened";
        found.push(say(tally.received_before_happened, "were received before they happened", help));
    }
    found
}

/// Orders that one system has and another has not, where both are about the same orders.
fn orders(sources: &[SourceCheck]) -> Vec<Ranked> {
    let mut found = Vec::new();
    for a in sources {
        for b in sources.iter().filter(|b| b.source != a.source) {
            let (of_a, of_b) = (&a.profile.orders, &b.profile.orders);
            if of_a.len() < FEW_ORDERS || of_b.len() < FEW_ORDERS || b.profile.sampled {
                continue;
            }
            let span = |days: &mut dyn Iterator<Item = i64>| {
                days.fold((i64::MAX, i64::MIN), |(low, high), day| (low.min(day), high.max(day)))
            };
            let (first, last) = span(&mut of_b.values().copied());
            let within: Vec<&u64> =
                of_a.iter().filter(|(_, day)| (first..=last).contains(*day)).map(|(o, _)| o).collect();
            let missing = within.iter().filter(|order| !of_b.contains_key(**order)).count();
            let common = within.len() - missing;
            let same = common as f64 >= SAME_ORDERS * within.len().min(of_b.len()) as f64 && common > 0;
            if same && missing as f64 >= NOTABLE * within.len() as f64 && missing > 0 {
                let message = format!(
                    "{missing} of {} orders of `{}` ({}) are missing in `{}`, which has the others",
                    within.len(),
                    a.source,
                    percent(missing as u64, within.len() as u64),
                    b.source
                );
                let help = "tracking that is blocked or fires late loses orders; count conversions by the system that has them all";
                found.push(finding(3, "TL028", message, help));
            }
        }
    }
    found
}

/// Days without rows of a daily source on which another has some.
fn days(sources: &[SourceCheck]) -> Vec<Ranked> {
    let number = |day: &String| day.parse::<Timestamp>().ok().map(Timestamp::day_number);
    let of = |check: &SourceCheck| check.profile.days.keys().filter_map(number).collect::<BTreeSet<i64>>();
    let all: Vec<(&SourceCheck, BTreeSet<i64>)> = sources.iter().map(|check| (check, of(check))).collect();
    let shown = |day: i64| Timestamp::from_micros(day.saturating_mul(throughline_core::time::DAY_US)).date();
    let mut found = Vec::new();
    for (check, days) in &all {
        let (Some(first), Some(last)) = (days.first(), days.last()) else { continue };
        let span = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
        if days.len() < FEW_DAYS || (days.len() as f64) < DAILY * span as f64 || check.profile.sampled {
            continue;
        }
        let others = all.iter().filter(|(other, _)| other.source != check.source);
        let elsewhere: BTreeSet<i64> = others.flat_map(|(_, days)| days.iter().copied()).collect();
        let missing: Vec<i64> = (*first..=*last).filter(|day| !days.contains(day) && elsewhere.contains(day)).collect();
        if !missing.is_empty() {
            let named: Vec<String> = missing.iter().take(NAMED).map(|day| shown(*day)).collect();
            let more =
                if missing.len() > NAMED { format!(" and {} more", missing.len() - NAMED) } else { String::new() };
            let message = format!(
                "`{}` has no rows on {}{more}, on which other sources have some",
                check.source,
                named.join(", ")
            );
            found.push(finding(4, "TL027", message, "have the export of these days made again"));
        }
        let newest = elsewhere.last().copied().unwrap_or(*last);
        if newest - last > 3 {
            let message =
                format!("`{}` ends on {}, other sources go on until {}", check.source, shown(*last), shown(newest));
            found.push(finding(4, "TL027", message, "look whether its export still runs"));
        }
    }
    found
}

/// Conversions and labels, and how many events there are for each.
pub(super) fn labels(project: &Project, sources: &[SourceCheck]) -> Vec<LabelCheck> {
    let count = |wanted: &dyn Fn(&str, Option<&str>) -> bool| {
        let all = sources.iter().flat_map(|s| &s.profile.kinds);
        let kind_of =
            |key: &str| key.split_once('/').map_or((key.to_owned(), None), |(k, n)| (k.to_owned(), Some(n.to_owned())));
        all.filter(|(key, _)| {
            let (kind, name) = kind_of(key);
            wanted(&kind, name.as_deref())
        })
        .map(|(_, n)| n)
        .sum::<u64>()
    };
    let mut out = Vec::new();
    for conversion in &project.config.value.conversions {
        let kind = conversion.kind.to_string();
        let named = conversion.event_name.as_ref().map(|n| format!(" named `{n}`")).unwrap_or_default();
        out.push(LabelCheck {
            label: format!("conversion `{}`", conversion.name),
            counts: format!("event of kind {kind}{named}"),
            events: Some(count(&|k, name| {
                k == kind && conversion.event_name.as_deref().is_none_or(|n| name == Some(n))
            })),
        });
    }
    for experiment in &project.experiments {
        let config = &experiment.value.config;
        let (name, event) = (&config.name.value, &config.assignment.event_name);
        out.push(LabelCheck {
            label: format!("experiment `{name}`"),
            counts: format!("assignment named `{event}`"),
            events: Some(count(&|_, n| n == Some(event.as_str()))),
        });
        for metric in &config.metrics {
            let condition = metric.condition.as_ref().map_or("", |c| c.value.as_str());
            let kind = kind_named(condition);
            out.push(LabelCheck {
                label: format!("metric `{}` of experiment `{name}`", metric.name.value),
                counts: kind.map_or_else(|| format!("event with {condition}"), |kind| format!("event of kind {kind}")),
                events: kind.map(|kind| count(&|k, _| k == kind)),
            });
        }
    }
    out
}

/// The kind of a condition that is about nothing else.
fn kind_named(condition: &str) -> Option<&str> {
    let rest = condition.trim().strip_prefix("kind")?.trim_start().strip_prefix('=')?.trim();
    let kind = rest.strip_prefix('\'')?.strip_suffix('\'')?;
    (!kind.contains('\'')).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_where_the_condition_is_about_nothing_else() {
        assert_eq!(kind_named("kind = 'purchase'"), Some("purchase"));
        assert_eq!(kind_named(" kind='visit' "), Some("visit"));
        assert_eq!(kind_named("kind = 'visit' AND channel = 'email'"), None);
        assert_eq!(kind_named("value > 3"), None);
    }
}
