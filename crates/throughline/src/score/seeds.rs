//! Scores of several markets together.

use std::collections::BTreeMap;

use serde::Serialize;
use throughline_stats::dist::critical_value;
use throughline_stats::goodness::{Alternative, binomial_test};
use throughline_stats::moments::Moments;
use throughline_stats::proportion::wilson;

use super::{Coverage, Part, Row};

/// Level of the intervals over seeds.
const LEVEL: f64 = 0.9;
/// A coverage is rejected when chance alone would be as far off with less than this probability.
const ALPHA: f64 = 0.01;

/// Intervals of all seeds together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Pooled {
    /// Intervals that hold the truth.
    pub(crate) covered: u64,
    /// Intervals.
    pub(crate) total: u64,
    /// The share that should.
    pub(crate) nominal: f64,
    /// Two-sided exact binomial probability of a share as unlikely as this one, if intervals were independent.
    pub(crate) p_value: f64,
    /// Whether that is below 1 %: the intervals are not what they promise.
    pub(crate) rejected: bool,
}

/// One measure over the seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Summary {
    /// The part of the line.
    pub(crate) part: &'static str,
    /// What was scored.
    pub(crate) name: String,
    /// What was measured.
    pub(crate) measure: &'static str,
    /// Unit; empty for a plain number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) unit: String,
    /// Seeds that have the number.
    pub(crate) seeds: usize,
    /// Mean over those seeds; for a coverage, the share of all intervals.
    pub(crate) mean: Option<f64>,
    /// 90 % interval of the mean (Student's t over seeds), or of the share (Wilson); absent below two seeds.
    pub(crate) interval: Option<(f64, f64)>,
    /// Smallest.
    pub(crate) min: Option<f64>,
    /// Largest.
    pub(crate) max: Option<f64>,
    /// The intervals of all seeds, for a coverage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pooled: Option<Pooled>,
    /// Notes, and in how many seeds they stood; the most frequent first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<(String, usize)>,
}

/// One part of the line over the seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct SummaryPart {
    /// Its name.
    pub(crate) part: &'static str,
    /// What is compared with what.
    pub(crate) about: &'static str,
    /// Why there was nothing to score, and in how many seeds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) absent: Vec<(String, usize)>,
    /// The measures, in the order in which they first appeared.
    pub(crate) rows: Vec<Summary>,
}

/// Puts the scores of several seeds together.
pub(crate) fn summarise(seeds: &[Vec<Part>]) -> Vec<SummaryPart> {
    let Some(first) = seeds.first() else { return Vec::new() };
    let parts = first.iter().enumerate().map(|(place, part)| {
        let same: Vec<&Part> = seeds.iter().filter_map(|parts| parts.get(place)).collect();
        let mut keys: Vec<(&str, &'static str)> = Vec::new();
        let mut rows: BTreeMap<(&str, &'static str), Vec<&Row>> = BTreeMap::new();
        for row in same.iter().flat_map(|p| &p.rows) {
            let key = (row.name.as_str(), row.measure);
            if !rows.contains_key(&key) {
                keys.push(key);
            }
            rows.entry(key).or_default().push(row);
        }
        SummaryPart {
            part: part.name,
            about: part.about,
            absent: counted(same.iter().filter_map(|p| p.absent.as_deref())),
            rows: keys.iter().filter_map(|key| Some(together(rows.get(key)?))).collect(),
        }
    });
    parts.collect()
}

/// The same measure of several seeds; there is at least one.
fn together(rows: &[&Row]) -> Summary {
    let values: Vec<f64> = rows.iter().filter_map(|r| r.value).collect();
    let moments: Moments = values.iter().copied().collect();
    let pooled = pool(&rows.iter().filter_map(|r| r.coverage).collect::<Vec<_>>());
    let (mean, interval) = match &pooled {
        Some(p) => (Some(p.covered as f64 / p.total as f64), wilson(p.covered, p.total, LEVEL)),
        None => (moments.mean(), mean_interval(&moments)),
    };
    let extreme = |pick: fn(f64, f64) -> f64| values.iter().copied().reduce(pick);
    Summary {
        part: rows.first().map_or("", |r| r.part),
        name: rows.first().map_or_else(String::new, |r| r.name.clone()),
        measure: rows.first().map_or("", |r| r.measure),
        unit: rows.iter().map(|r| &r.unit).find(|u| !u.is_empty()).cloned().unwrap_or_default(),
        seeds: values.len(),
        mean,
        interval,
        min: extreme(f64::min),
        max: extreme(f64::max),
        pooled,
        notes: counted(rows.iter().map(|r| r.note.as_str()).filter(|n| !n.is_empty())),
    }
}

/// mean ± t · s / √k over k seeds, with k − 1 degrees of freedom.
fn mean_interval(moments: &Moments) -> Option<(f64, f64)> {
    let (mean, error) = (moments.mean()?, moments.std_error()?);
    let df = moments.summary().n as f64 - 1.0;
    let half = if error > 0.0 { critical_value(LEVEL, Some(df)) * error } else { 0.0 };
    Some((mean - half, mean + half))
}

/// Adds up intervals; `None` without any.
fn pool(all: &[Coverage]) -> Option<Pooled> {
    let nominal = all.first()?.nominal;
    let (covered, total) = all.iter().fold((0, 0), |(c, t), one| (c + one.covered, t + one.total));
    let p_value = binomial_test(covered, total, nominal, Alternative::TwoSided).unwrap_or(1.0);
    (total > 0).then_some(Pooled { covered, total, nominal, p_value, rejected: p_value < ALPHA })
}

/// Texts and how often they stand there, the most frequent first, then in the order of the alphabet.
fn counted<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    texts.for_each(|t| *counts.entry(t).or_default() += 1);
    let mut all: Vec<(String, usize)> = counts.into_iter().map(|(t, n)| (t.to_owned(), n)).collect();
    all.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(absent: Option<&str>, rows: Vec<Row>) -> Vec<Part> {
        vec![Part { name: "p", about: "", absent: absent.map(str::to_owned), rows, details: Vec::new() }]
    }

    #[test]
    fn a_mean_has_the_interval_of_students_t() {
        let seeds: Vec<_> = [1.0, 2.0, 3.0, 6.0].map(|v| part(None, vec![Row::new("a", "bias", v, 1)])).into();
        let summary = &summarise(&seeds)[0].rows[0];
        assert_eq!((summary.mean, summary.min, summary.max, summary.seeds), (Some(3.0), Some(1.0), Some(6.0), 4));
        // s = √(14/3), t(0.95; 3) = 2.353363.
        let half = 2.353_363_434_801_8 * (14.0_f64 / 3.0).sqrt() / 2.0;
        let (low, high) = summary.interval.expect("four seeds");
        assert!((low - (3.0 - half)).abs() < 1e-9 && (high - (3.0 + half)).abs() < 1e-9, "{low} {high}");
        assert_eq!(summarise(&seeds[..1])[0].rows[0].interval, None);
    }

    #[test]
    fn coverage_is_pooled_over_intervals_and_not_averaged_over_seeds() {
        let seeds: Vec<_> = [(1, 1), (4, 10), (5, 9)]
            .map(|(covered, total)| part(None, vec![Row::covered("m", covered, total, 0.9)]))
            .into();
        let summary = &summarise(&seeds)[0].rows[0];
        let pooled = summary.pooled.expect("intervals");
        assert_eq!((summary.mean, pooled.covered, pooled.total), (Some(0.5), 10, 20));
        // With z = 1.644854: (0.5 + z²/40 ± z √(1/80 + z²/1600)) / (1 + z²/20).
        let (low, high) = summary.interval.expect("an interval");
        assert!((low - 0.327_404).abs() < 1e-5 && (high - 0.672_596).abs() < 1e-5, "{low} {high}");
        assert!(pooled.rejected && pooled.p_value < 1e-4, "{pooled:?}");
        let fine = pool(&[Coverage { covered: 18, total: 20, nominal: 0.9 }]).expect("intervals");
        assert!(!fine.rejected && fine.p_value == 1.0, "{fine:?}");
    }

    #[test]
    fn what_some_seeds_lack_is_counted() {
        let seeds = [
            part(None, vec![Row::new("a", "qini", 0.5, 1).say("x")]),
            part(None, vec![Row::undefined("a", "qini", 1, "all equal"), Row::new("b", "qini", 1.0, 1)]),
            part(Some("no policy"), Vec::new()),
        ];
        let summary = &summarise(&seeds)[0];
        assert_eq!(summary.absent, [("no policy".to_owned(), 1)]);
        let names: Vec<(&str, usize)> = summary.rows.iter().map(|r| (r.name.as_str(), r.seeds)).collect();
        assert_eq!(names, [("a", 1), ("b", 1)]);
        assert_eq!(summary.rows[0].notes, [("all equal".to_owned(), 1), ("x".to_owned(), 1)]);
        assert!(summarise(&[]).is_empty());
    }
}
