//! Uplift of parts of a ranking: uplift at k, uplift by percentile and its weighted average, as scikit-uplift names them.

use std::ops::Range;

use super::part::Part;
use crate::ranking::{Block, Scored, Tally};

/// Which rows make up "the best 30 %".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PercentileStrategy {
    /// The best of all rows, whatever arms they are from.
    Overall,
    /// The best of the treated and the best of the control rows.
    ByGroup,
}

/// One part of a ranking, in expectation over all orders of tied rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PercentileRow {
    /// Number of the part, 1 for the best.
    pub part: usize,
    /// Treated rows in it; a fraction where the cut falls into tied rows.
    pub treated: f64,
    /// Control rows in it.
    pub control: f64,
    /// Mean outcome of its treated rows, over the orders in which it has rows of both arms.
    pub treated_rate: Option<f64>,
    /// Mean outcome of its control rows, over the same orders.
    pub control_rate: Option<f64>,
    /// Treated less control rate; `None` where no order gives the part both arms.
    pub uplift: Option<f64>,
    /// √(p(1 − p) / n) of both arms together, as published (`std`); for outcomes of 0 and 1.
    pub std_error: Option<f64>,
    /// E[treated rows · uplift], for the weighted average.
    weighted: Option<f64>,
}

/// `uplift_at_k`: the effect among the best `share` of the rows (⌊n · share⌋ of them, of each arm for
/// [`PercentileStrategy::ByGroup`]), in the unit of the outcome.
///
/// Where the cut falls into tied rows it is the mean over all orders of those rows in which both arms have rows: the
/// number of treated rows above the cut is hypergeometric. `None` where no order gives both arms a row. A share
/// outside 0 to 1 is moved to the nearer end.
pub fn uplift_at(scored: &Scored, share: f64, strategy: PercentileStrategy) -> Option<f64> {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    match strategy {
        PercentileStrategy::Overall => Part::of(scored, 0..floor_share(scored.n(), share)).rates()?.uplift(),
        PercentileStrategy::ByGroup => {
            let best = |arm: fn(&Block) -> Tally| mean_of(scored, arm, 0..floor_share(rows_of(scored, arm), share));
            Some(best(|b| b.treated)? - best(|b| b.control)?)
        }
    }
}

/// `uplift_by_percentile`: `bins` parts of nearly equal size, best first, the first ones one row larger where the rows do
/// not divide (as published). Empty for 0 bins; at most as many bins as rows.
pub fn uplift_by_percentile(scored: &Scored, bins: usize, strategy: PercentileStrategy) -> Vec<PercentileRow> {
    let bins = bins.min(scored.n());
    let rates = |part: usize| match strategy {
        PercentileStrategy::Overall => {
            let cut = split(scored.n(), bins, part);
            Row::of(&Part::of(scored, cut))
        }
        PercentileStrategy::ByGroup => {
            let arm = |arm: fn(&Block) -> Tally| {
                let cut = split(rows_of(scored, arm), bins, part);
                (cut.len() as f64, mean_of(scored, arm, cut))
            };
            let ((treated, treated_rate), (control, control_rate)) = (arm(|b| b.treated), arm(|b| b.control));
            Row {
                treated,
                control,
                treated_rate,
                control_rate,
                weighted: treated_rate.zip(control_rate).map(|(t, c)| (t - c) * treated),
            }
        }
    };
    (0..bins).map(|part| rates(part).finish(part + 1, scored.binary)).collect()
}

/// `weighted_average_uplift`: Σ treated rows · uplift / Σ treated rows over the parts, E of it over all orders of tied rows.
/// `None` where a part lacks an arm (the published function gives NaN) or there are no parts.
pub fn weighted_average_uplift(rows: &[PercentileRow]) -> Option<f64> {
    let (mut sum, mut treated) = (0.0, 0.0);
    for row in rows {
        sum += row.weighted?;
        treated += row.treated;
    }
    (treated > 0.0).then(|| sum / treated)
}

/// Part `part` of `bins` in 0..n: sizes differ by at most one, the larger first.
fn split(n: usize, bins: usize, part: usize) -> Range<usize> {
    let (size, more) = (n / bins, n % bins);
    let start = part * size + part.min(more);
    start..start + size + usize::from(part < more)
}

/// ⌊n · share⌋, as the published functions count.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
fn floor_share(n: usize, share: f64) -> usize {
    (n as f64 * share) as usize
}

fn rows_of(scored: &Scored, arm: fn(&Block) -> Tally) -> usize {
    scored.blocks.iter().map(|b| arm(b).rows).sum()
}

/// The mean outcome of the rows of one arm within a range of that arm's ranking; linear, hence a block counts in proportion.
fn mean_of(scored: &Scored, arm: fn(&Block) -> Tally, cut: Range<usize>) -> Option<f64> {
    let (mut start, mut total) = (0, 0.0);
    for tally in scored.blocks.iter().map(arm) {
        let end = start + tally.rows;
        let taken = end.min(cut.end).saturating_sub(start.max(cut.start));
        total += if taken == tally.rows { tally.total } else { tally.mean() * taken as f64 };
        start = end;
    }
    (!cut.is_empty()).then(|| total / cut.len() as f64)
}

/// What both strategies say of a part.
struct Row {
    treated: f64,
    control: f64,
    treated_rate: Option<f64>,
    control_rate: Option<f64>,
    weighted: Option<f64>,
}

impl Row {
    fn of(part: &Part) -> Self {
        let rates = part.rates().unwrap_or_default();
        let given = |sum: f64| (rates.chance > 0.0).then(|| sum / rates.chance);
        Self {
            treated: rates.treated_rows,
            control: rates.control_rows,
            treated_rate: given(rates.treated_rate),
            control_rate: given(rates.control_rate),
            weighted: given(rates.weighted),
        }
    }

    fn finish(self, part: usize, binary: bool) -> PercentileRow {
        let both = self.treated_rate.zip(self.control_rate);
        let variance = |rate: f64, rows: f64| (rate * (1.0 - rate)).max(0.0) / rows;
        PercentileRow {
            part,
            treated: self.treated,
            control: self.control,
            treated_rate: self.treated_rate,
            control_rate: self.control_rate,
            uplift: both.map(|(t, c)| t - c),
            std_error: both
                .filter(|_| binary)
                .map(|(t, c)| (variance(t, self.treated) + variance(c, self.control)).sqrt()),
            weighted: self.weighted,
        }
    }
}

#[cfg(test)]
mod tests {
    use throughline_stats::stream::Stream;

    use super::*;

    type Data = Vec<(f64, bool, f64)>;

    fn scored(rows: &Data) -> Scored {
        let treated: Vec<bool> = rows.iter().map(|r| r.1).collect();
        let column = |f: fn(&(f64, bool, f64)) -> f64| -> Vec<f64> { rows.iter().map(f).collect() };
        Scored::new(&column(|r| r.0), &treated, &column(|r| r.2)).expect("scored")
    }

    /// All orders of the rows, each put into the order of the scores by a stable sort.
    fn orders(rows: &Data) -> Vec<Data> {
        fn grow(rest: &Data, so_far: &mut Data, out: &mut Vec<Data>) {
            if rest.is_empty() {
                let mut sorted = so_far.clone();
                sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
                out.push(sorted);
            }
            for i in 0..rest.len() {
                let mut others = rest.clone();
                so_far.push(others.remove(i));
                grow(&others, so_far, out);
                so_far.pop();
            }
        }
        let mut out = Vec::new();
        grow(rows, &mut Vec::new(), &mut out);
        out
    }

    fn rate(rows: &[(f64, bool, f64)], treated: bool) -> Option<f64> {
        let y: Vec<f64> = rows.iter().filter(|r| r.1 == treated).map(|r| r.2).collect();
        (!y.is_empty()).then(|| y.iter().sum::<f64>() / y.len() as f64)
    }

    fn mean(values: &[f64]) -> Option<f64> {
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    #[track_caller]
    fn close(a: Option<f64>, b: Option<f64>, what: &str) {
        match (a, b) {
            (Some(a), Some(b)) => assert!((a - b).abs() < 1e-12, "{what}: {a} against {b}"),
            _ => assert_eq!(a, b, "{what}"),
        }
    }

    #[test]
    fn every_part_is_the_mean_over_all_orders() {
        let mut weighted_seen = 0;
        for seed in 0..60 {
            let stream = Stream::new(seed, 41);
            let n = 2 + stream.index_at(0, 5);
            let row = |i: u64| {
                let score = stream.index_at(10 * i + 11, 1 + seed % 3) as f64;
                (score, stream.index_at(10 * i + 12, 2) == 0, stream.index_at(10 * i + 13, 3) as f64)
            };
            let rows: Data = (0..n).map(row).collect();
            let (all, data) = (orders(&rows), scored(&rows));
            for bins in 1..=3.min(rows.len()) {
                let table = uplift_by_percentile(&data, bins, PercentileStrategy::Overall);
                let grouped = uplift_by_percentile(&data, bins, PercentileStrategy::ByGroup);
                for part in 0..bins {
                    let cut = split(rows.len(), bins, part);
                    let both = |o: &Data| Some(rate(&o[cut.clone()], true)? - rate(&o[cut.clone()], false)?);
                    let expect: Vec<f64> = all.iter().filter_map(both).collect();
                    close(table[part].uplift, mean(&expect), "overall");
                    let best = |o: &Data, treated: bool| {
                        let own: Data = o.iter().filter(|r| r.1 == treated).copied().collect();
                        rate(&own[split(own.len(), bins, part)], treated)
                    };
                    let by_group = |o: &Data| Some(best(o, true)? - best(o, false)?);
                    let expect: Vec<f64> = all.iter().filter_map(by_group).collect();
                    close(grouped[part].uplift, mean(&expect), "by group");
                }
                let weighted = |o: &Data| -> Option<f64> {
                    let treated = o.iter().filter(|r| r.1).count() as f64;
                    (0..bins)
                        .map(|part| {
                            let cut = &o[split(o.len(), bins, part)];
                            let uplift = rate(cut, true)? - rate(cut, false)?;
                            Some(uplift * cut.iter().filter(|r| r.1).count() as f64 / treated)
                        })
                        .sum()
                };
                // Defined for every order: no conditioning between parts.
                if let Some(expect) = all.iter().map(weighted).collect::<Option<Vec<f64>>>() {
                    weighted_seen += 1;
                    close(weighted_average_uplift(&table), mean(&expect), "weighted average");
                }
            }
            let top = |o: &Data| {
                let cut = floor_share(o.len(), 0.7);
                Some(rate(&o[..cut], true)? - rate(&o[..cut], false)?)
            };
            let expect: Vec<f64> = all.iter().filter_map(top).collect();
            close(uplift_at(&data, 0.7, PercentileStrategy::Overall), mean(&expect), "at 70 %");
        }
        assert!(weighted_seen > 30, "{weighted_seen}");
    }

    #[test]
    fn the_weighted_average_counts_treated_rows() {
        let rows: Data =
            (0..40).map(|i| (f64::from(40 - i), i % 3 == 0, f64::from(u8::from((i * 7) % 5 < 2)))).collect();
        let table = uplift_by_percentile(&scored(&rows), 4, PercentileStrategy::Overall);
        let expect = table.iter().map(|r| r.treated * r.uplift.expect("both arms")).sum::<f64>() / 14.0;
        close(weighted_average_uplift(&table), Some(expect), "weighted");
        assert!(table.iter().all(|r| r.std_error.is_some_and(|s| s > 0.0)));
        // One part is the whole: the difference of means.
        let one = uplift_by_percentile(&scored(&rows), 1, PercentileStrategy::ByGroup);
        close(
            weighted_average_uplift(&one),
            Some(rate(&rows, true).unwrap_or(0.0) - rate(&rows, false).unwrap_or(0.0)),
            "all",
        );
    }

    #[test]
    fn absent_arms_have_no_uplift() {
        let rows: Data = vec![(2.0, true, 1.0), (2.0, true, 0.0), (1.0, false, 1.0)];
        let data = scored(&rows);
        for strategy in [PercentileStrategy::Overall, PercentileStrategy::ByGroup] {
            assert_eq!(uplift_at(&data, 0.0, strategy), None);
            assert_eq!(uplift_at(&data, f64::NAN, strategy), None);
            assert!(uplift_by_percentile(&data, 0, strategy).is_empty());
            let table = uplift_by_percentile(&data, 7, strategy);
            assert_eq!(weighted_average_uplift(&table), None);
            assert!(table.iter().all(|r| r.treated.is_finite() && r.control.is_finite()));
        }
        assert_eq!(uplift_at(&data, 0.7, PercentileStrategy::Overall), None);
        close(uplift_at(&data, 9.0, PercentileStrategy::Overall), Some(-0.5), "all rows");
    }
}
