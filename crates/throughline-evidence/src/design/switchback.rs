//! Switchback experiments: a whole market is in one arm at a time, and the arm switches between periods.

use serde::{Deserialize, Serialize};
use throughline_core::{Diagnostic, EvidenceTier, Level, Salted};
use throughline_stats::dist;

use super::unusable;
use crate::{EvidenceError, Joint, Report};

/// One period of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// From 0.
    pub period: usize,
    /// The randomised block, a pair of stretches of which one is treated.
    pub block: usize,
    /// Whether the treatment is on.
    pub treated: bool,
    /// Whether the period counts: not while the arm before can still be felt.
    pub counted: bool,
}

/// A randomised schedule of `periods` periods in stretches of `stretch` periods with the same arm. Two stretches make a block, in
/// which a salted hash of `market` decides which is treated; the first `washout` periods after a change of arm do not count.
/// An odd stretch at the end is decided alone. Source: Bojinov, Simchi-Levi, Zhao (2023), "Design and analysis of switchback
/// experiments", Management Science 69(7): stretches at least as long as effects carry over. Errors: no periods, a stretch
/// no longer than the washout (TL348).
pub fn schedule(
    salt: &str,
    market: &str,
    periods: usize,
    stretch: usize,
    washout: usize,
) -> Result<Vec<Period>, EvidenceError> {
    if stretch == 0 || washout >= stretch || periods < 2 * stretch {
        let message = format!("{periods} periods in stretches of {stretch} with a washout of {washout}");
        return Err(unusable("TL348", message, "make stretches longer than the washout, and at least two of them"));
    }
    let salted = Salted::new(&format!("{salt}\0switchback"));
    let mut out: Vec<Period> = Vec::with_capacity(periods);
    let mut since = 0;
    for period in 0..periods {
        let block = period / (2 * stretch);
        let first = salted.unit_interval(format!("{market}\0{block}").as_bytes()) < 0.5;
        let treated = first == (period / stretch).is_multiple_of(2);
        let changed = out.last().is_none_or(|p| p.treated != treated);
        since = if changed { 0 } else { since + 1 };
        out.push(Period { period, block, treated, counted: since >= washout });
    }
    Ok(out)
}

/// What was seen of one market in one period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The market, by code.
    pub market: u32,
    /// When: the order of periods within the market.
    pub time: f64,
    /// Whether the treatment was on.
    pub treated: bool,
    /// The outcome of the period, for example a mean or a total.
    pub outcome: f64,
    /// The randomised block, if known.
    pub block: Option<u32>,
}

/// How errors that follow each other are allowed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Errors {
    /// Clustered by the randomised blocks, or by stretches of one arm where no block is given.
    Blocks,
    /// Newey and West's, within markets.
    NeweyWest {
        /// Lags; ⌊4 (T / 100)^(2/9)⌋ for T periods of a market without.
        lags: Option<usize>,
    },
}

/// Fewer clusters than this make a rough approximation.
const FEW: usize = 20;

/// Reads a switchback: the mean outcome of treated periods less that of the others, over periods at least `washout` after a
/// change of arm (and after the start of a market). With influence values φ = ±(y − mean of its arm) / periods of its
/// arm: clustered by block with t on blocks − 1 (for complete blocks of two stretches, the paired t test), or HAC with
/// Bartlett weights, Σ over lags (1 − l / (L + 1)) φₜ φₜ₋ₗ, times n / (n − 2 − L), with t on the kernel's equivalent degrees
/// of freedom 1.5 n / (L + 1) (Newey, West 1987, Econometrica 55(3); lags 1994; Priestley 1981, table 6.2).
///
/// Errors: fewer than two periods or one block of an arm left (TL347), two rows of one market and time (TL347). Findings: few
/// blocks (TL347), periods dropped by the washout, and the estimate with one period more of washout among the comparisons: when both
/// differ by more than their errors, effects carry over for longer.
pub fn read(seen: &[Observation], washout: usize, errors: Errors, level: Level) -> Result<Report, EvidenceError> {
    let mut seen: Vec<Observation> =
        seen.iter().copied().filter(|o| o.outcome.is_finite() && o.time.is_finite()).collect();
    seen.sort_by(|a, b| a.market.cmp(&b.market).then(a.time.total_cmp(&b.time)));
    if let Some(pair) = seen.windows(2).find(|p| p[0].market == p[1].market && p[0].time == p[1].time) {
        let message = format!("market {} has two rows at time {}", pair[0].market, pair[0].time);
        return Err(unusable(
            "TL347",
            message,
            "give one row per market and period, for example the sum or mean of its units",
        ));
    }
    let stretches = stretches(&seen);
    let kept = kept(&stretches, washout);
    let joint = joint(&seen, &stretches, &kept, errors)?;
    let mut report = Report::new("switchback", EvidenceTier::Randomised, joint.0.estimate(0, level)?);
    for assumption in [
        "the arm of each block was drawn at random",
        "effects carry over for no longer than the washout",
        "the outcome of a market does not depend on the arms of other markets",
    ] {
        report.assume(assumption);
    }
    if joint.1 < FEW {
        let message = format!("{} independent blocks: the interval is a rough approximation", joint.1);
        report.diagnose(Diagnostic::warning("TL347", message).help("run longer, switch more often, or add markets"));
    }
    if let Ok((longer, _)) = self::joint(&seen, &stretches, &self::kept(&stretches, washout + 1), errors) {
        report.find(format!("washout {}", washout + 1), longer.estimate(0, level)?);
    }
    report.detail("periods", seen.len());
    report.detail("counted", kept.iter().filter(|k| **k).count());
    report.detail("washout", washout);
    report.detail("blocks", joint.1);
    Ok(report)
}

/// For each period, the number of its stretch and its place in it.
fn stretches(seen: &[Observation]) -> Vec<(u32, usize)> {
    let mut out: Vec<(u32, usize)> = Vec::with_capacity(seen.len());
    for (i, o) in seen.iter().enumerate() {
        let same = i > 0 && seen[i - 1].market == o.market && seen[i - 1].treated == o.treated;
        out.push(match out.last() {
            Some((stretch, place)) if same => (*stretch, place + 1),
            Some((stretch, _)) => (stretch + 1, 0),
            None => (0, 0),
        });
    }
    out
}

fn kept(stretches: &[(u32, usize)], washout: usize) -> Vec<bool> {
    stretches.iter().map(|(_, place)| *place >= washout).collect()
}

/// The difference, and the number of independent clusters (or of periods, for HAC).
fn joint(
    seen: &[Observation],
    stretches: &[(u32, usize)],
    kept: &[bool],
    errors: Errors,
) -> Result<(Joint, usize), EvidenceError> {
    let (mut sums, mut counts) = ([0.0, 0.0], [0_usize, 0]);
    for (o, _) in seen.iter().zip(kept).filter(|(_, kept)| **kept) {
        sums[usize::from(o.treated)] += o.outcome;
        counts[usize::from(o.treated)] += 1;
    }
    if counts[0] < 2 || counts[1] < 2 {
        let message = format!("{} periods with the treatment and {} without count", counts[1], counts[0]);
        return Err(unusable("TL347", message, "run longer, or shorten the washout"));
    }
    let means = [sums[0] / counts[0] as f64, sums[1] / counts[1] as f64];
    let influence: Vec<f64> = seen
        .iter()
        .zip(kept)
        .map(|(o, kept)| {
            let arm = usize::from(o.treated);
            let sign = if o.treated { 1.0 } else { -1.0 };
            if *kept { sign * (o.outcome - means[arm]) / counts[arm] as f64 } else { 0.0 }
        })
        .collect();
    let (names, values, n) = (vec!["effect".to_owned()], vec![means[1] - means[0]], (counts[0] + counts[1]) as u64);
    match errors {
        Errors::Blocks => {
            let (codes, groups) = clusters(seen, stretches, kept);
            // Dropped periods take no part: their influence is 0 and their code that of any kept one.
            let joint = Joint::from_influence(names, values, vec![influence], n, "switchback_blocks")?;
            Ok((joint.clustered(&codes)?, groups))
        }
        Errors::NeweyWest { lags } => {
            let (variance, lags) = newey_west(seen, &influence, lags);
            // What estimating the means takes from a kernel of so many lags, and its equivalent degrees of freedom.
            let periods = n as f64;
            let factor = periods / (periods - 2.0 - lags as f64).max(1.0);
            let df = (1.5 * periods / (lags as f64 + 1.0)).min(periods - 2.0).max(1.0);
            let joint = Joint::from_covariance(names, values, vec![variance * factor], n, "switchback_newey_west")?;
            Ok((joint.with_df(df), counts[0] + counts[1]))
        }
    }
}

/// Codes of the clusters that have a kept period, numbered as they come; dropped periods join cluster 0.
fn clusters(seen: &[Observation], stretches: &[(u32, usize)], kept: &[bool]) -> (Vec<u32>, usize) {
    let mut known = std::collections::HashMap::new();
    let mut codes = Vec::with_capacity(seen.len());
    for ((o, (stretch, _)), kept) in seen.iter().zip(stretches).zip(kept) {
        let key = o.block.map_or((u32::MAX, *stretch), |block| (o.market, block));
        let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
        codes.push(if *kept { *known.entry(key).or_insert(next) } else { 0 });
    }
    (codes, known.len())
}

/// The HAC variance, and the most lags used in a market.
fn newey_west(seen: &[Observation], influence: &[f64], lags: Option<usize>) -> (f64, usize) {
    let (mut total, mut most) = (0.0, 0);
    let mut start = 0;
    while start < seen.len() {
        let end = start + seen[start..].partition_point(|o| o.market == seen[start].market);
        let phi = &influence[start..end];
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
        let usual = (4.0 * (phi.len() as f64 / 100.0).powf(2.0 / 9.0)).floor() as usize;
        let lags = lags.unwrap_or(usual).min(phi.len() - 1);
        most = most.max(lags);
        total += phi.iter().map(|x| x * x).sum::<f64>();
        for lag in 1..=lags {
            let weight = 1.0 - lag as f64 / (lags as f64 + 1.0);
            total += 2.0 * weight * phi[lag..].iter().zip(phi).map(|(x, y)| x * y).sum::<f64>();
        }
        start = end;
    }
    (total, most)
}

/// Blocks a switchback needs: the least number of complete blocks with a chance of `power` to find `effect`, when the difference
/// within a block (treated less untreated stretch) varies by `block_sd`: the paired t test on blocks. Errors: settings that
/// are none (TL339).
pub fn blocks_needed(effect: f64, block_sd: f64, level: Level, power: f64) -> Result<usize, EvidenceError> {
    if !(effect != 0.0 && effect.is_finite() && block_sd > 0.0 && block_sd.is_finite() && power > 0.0 && power < 1.0) {
        let message = format!("an effect of {effect} with blocks that vary by {block_sd} and a power of {power}");
        return Err(unusable(
            "TL339",
            message,
            "give an effect other than 0, a deviation above 0 and a power within 0 to 1",
        ));
    }
    let found = |blocks: usize| {
        let df = blocks as f64 - 1.0;
        let drift = effect.abs() / block_sd * (blocks as f64).sqrt();
        throughline_stats::noncentral::noncentral_t_sf(dist::t_quantile(1.0 - level.alpha() / 2.0, df), df, drift)
    };
    let (mut low, mut high) = (1, 2);
    while found(high) < power {
        if high > 1 << 30 {
            let message = format!("an effect of {effect} needs more than {high} blocks");
            return Err(unusable("TL340", message, "look for a larger effect or a steadier metric"));
        }
        (low, high) = (high, high * 2);
    }
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        if found(middle) >= power { high = middle } else { low = middle }
    }
    Ok(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observations(schedule: &[Period], outcome: impl Fn(&Period) -> f64) -> Vec<Observation> {
        let of = |p: &Period| Observation {
            market: 0,
            time: p.period as f64,
            treated: p.treated,
            outcome: outcome(p),
            block: Some(u32::try_from(p.block).unwrap_or(0)),
        };
        schedule.iter().map(of).collect()
    }

    #[test]
    fn a_schedule_is_balanced_and_drops_what_carries_over() {
        let periods = schedule("exp", "berlin", 240, 4, 1).expect("a schedule");
        assert_eq!(periods.iter().filter(|p| p.treated).count(), 120);
        for block in periods.chunks(8) {
            assert_eq!(block.iter().filter(|p| p.treated).count(), 4);
        }
        for pair in periods.windows(2) {
            assert!(pair[0].treated == pair[1].treated || !pair[1].counted);
        }
        assert_ne!(periods, schedule("exp", "hamburg", 240, 4, 1).expect("a schedule"));
        assert!(schedule("exp", "x", 10, 2, 2).is_err() && schedule("exp", "x", 0, 1, 0).is_err());
    }

    #[test]
    fn complete_blocks_give_the_paired_t_test() {
        let periods = schedule("s", "m", 40, 1, 0).expect("a schedule");
        let y = |p: &Period| ((p.period * 37) % 11) as f64 + if p.treated { 2.0 } else { 0.0 };
        let report = read(&observations(&periods, y), 0, Errors::Blocks, Level::P95).expect("a report");
        let differences: Vec<f64> =
            periods.chunks(2).map(|pair| pair.iter().map(|p| if p.treated { y(p) } else { -y(p) }).sum()).collect();
        let mean = differences.iter().sum::<f64>() / 20.0;
        let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 19.0;
        assert!((report.estimate.value - mean).abs() < 1e-12);
        assert!((report.estimate.std_error.expect("wald") - (variance / 20.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn the_washout_removes_a_carry_over() {
        let periods = schedule("s", "m", 400, 4, 1).expect("a schedule");
        let lagged = |p: &Period| if p.period > 0 && periods[p.period - 1].treated { 1.0 } else { 0.0 };
        let noise = |p: &Period| f64::from(u8::from((p.period * 7919).is_multiple_of(5))) * 0.1;
        let seen = observations(&periods, |p| lagged(p) + noise(p));
        let with = read(&seen, 1, Errors::Blocks, Level::P95).expect("a report");
        assert!((with.estimate.value - 1.0).abs() < 0.03, "{:?}", with.estimate);
        let without = read(&seen, 0, Errors::NeweyWest { lags: None }, Level::P95).expect("a report");
        assert!(without.estimate.value < 0.9 && without.comparisons[0].estimate.value > 0.95, "{without:?}");
    }

    #[test]
    fn newey_west_without_lags_is_the_white_variance() {
        let periods = schedule("s", "m", 40, 2, 0).expect("a schedule");
        let seen = observations(&periods, |p| ((p.period * 37) % 11) as f64);
        let phi: Vec<f64> = (0..40).map(|i| f64::from(i % 7) - 3.0).collect();
        let white: f64 = phi.iter().map(|x| x * x).sum();
        assert_eq!(newey_west(&seen, &phi, Some(0)), (white, 0));
        let one = white + phi.windows(2).map(|p| p[0] * p[1]).sum::<f64>();
        assert!((newey_west(&seen, &phi, Some(1)).0 - one).abs() < 1e-12);
    }

    #[test]
    fn unusable_data_are_refused() {
        let o = |time: f64, treated| Observation { market: 0, time, treated, outcome: 1.0, block: None };
        let refused = |seen: &[Observation]| {
            matches!(read(seen, 0, Errors::Blocks, Level::P95), Err(EvidenceError::Data { code: "TL347", .. }))
        };
        assert!(refused(&[]) && refused(&[o(0.0, true), o(1.0, true), o(2.0, true)]));
        assert!(refused(&[o(0.0, true), o(0.0, false)]));
    }

    #[test]
    fn blocks_are_those_of_the_paired_t_test() {
        // R: power.t.test(delta = 0.5, sd = 1, power = 0.8, type = "paired") gives n = 33.36713.
        assert_eq!(blocks_needed(0.5, 1.0, Level::P95, 0.8).expect("a size"), 34);
        assert!(blocks_needed(0.0, 1.0, Level::P95, 0.8).is_err());
    }
}
