//! The estimators of this family with data that meet their assumptions.

use throughline_core::{EvidenceTier, Level};
use throughline_stats::stream::Stream;

use super::plan::{Alternative, Cap, Kind, Metric, Plan};
use super::read::read;
use crate::{Column, EstimatorEntry, EvidenceError, Simulated, Table};

/// The estimators.
pub const ESTIMATORS: &[EstimatorEntry] = &[
    entry("experiment/welch_mean", welch_mean),
    entry("experiment/proportion", proportion),
    entry("experiment/relative_lift", relative_lift),
    entry("experiment/one_sided", one_sided),
    entry("experiment/ratio", ratio),
    entry("experiment/quantile", quantile),
    entry("experiment/conversion_window", conversion),
    entry("experiment/winsorised", winsorised),
    entry("experiment/cuped", cuped),
    entry("experiment/cuped_ratio", cuped_ratio),
    entry("experiment/regression_adjusted", regression),
    entry("experiment/post_stratified", post_stratified),
    entry("experiment/clustered", clustered),
    entry("experiment/quantile_clustered", quantile_clustered),
    entry("experiment/segment", segment),
    // Valid at every look at once, so a single look holds the truth more often than its level.
    EstimatorEntry { conservative: true, ..entry("experiment/confidence_sequence", sequence) },
];

type Simulate = fn(u64, Level) -> Result<Simulated, EvidenceError>;

const fn entry(name: &'static str, simulate: Simulate) -> EstimatorEntry {
    EstimatorEntry { name, tier: EvidenceTier::Randomised, conservative: false, simulate }
}

/// Units with an arm, alternating, and random numbers of their own.
struct Units {
    n: u64,
    seed: u64,
}

impl Units {
    /// One number per unit from its arm (0 or 1) and its position.
    fn column(&self, of: impl Fn(u64, f64) -> f64) -> Vec<f64> {
        (0..self.n).map(|i| of(i, (i % 2) as f64)).collect()
    }

    /// A standard normal number of each unit for one purpose.
    fn normal(&self, purpose: u64, unit: u64) -> f64 {
        Stream::new(self.seed, 2 * purpose).normal_at(unit)
    }

    /// A uniform number of each unit for one purpose.
    fn uniform(&self, purpose: u64, unit: u64) -> f64 {
        Stream::new(self.seed, 2 * purpose + 1).uniform_at(unit)
    }

    /// A whole number from 0 to `most` − 1.
    fn whole(&self, purpose: u64, unit: u64, most: f64) -> f64 {
        (self.uniform(purpose, unit) * most).floor()
    }

    /// A table with the arm.
    fn table(&self) -> Result<Table, EvidenceError> {
        let mut table = Table::new();
        let codes = (0..self.n).map(|i| u32::from(i % 2 == 1)).collect();
        table.push("arm", Column::Texts { codes, names: vec!["a".into(), "b".into()] })?;
        Ok(table)
    }
}

fn plan(level: Level, metric: Metric) -> Plan {
    Plan { level, ..Plan::new("arm", "a").metric(metric) }
}

/// The first comparison's difference.
fn first(table: &Table, plan: &Plan, truth: f64) -> Result<Simulated, EvidenceError> {
    let reading = read(table, plan)?;
    let comparison = &reading.comparisons[0];
    let estimate = comparison.estimate.clone().ok_or_else(|| EvidenceError::NoEstimate {
        arm: comparison.arm.clone(),
        metric: comparison.metric.clone(),
        reason: comparison.estimate_absent.clone().unwrap_or_default(),
    })?;
    Ok(Simulated { estimate, truth })
}

fn normals(seed: u64, n: u64) -> Result<Table, EvidenceError> {
    let units = Units { n, seed };
    units.table()?.with("y", units.column(|i, arm| 10.0 + 0.5 * arm + (1.0 + 2.0 * arm) * units.normal(1, i)))
}

fn welch_mean(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    first(&normals(seed, 120)?, &plan(level, Metric::column("y")), 0.5)
}

fn one_sided(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let plan = Plan { alternative: Alternative::Greater, ..plan(level, Metric::column("y")) };
    first(&normals(seed, 120)?, &plan, 0.5)
}

fn sequence(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let plan = Plan {
        sequential: Some(super::Looks::ConfidenceSequence { tuned_at: 400.0 }),
        ..plan(level, Metric::column("y"))
    };
    first(&normals(seed, 400)?, &plan, 0.5)
}

fn relative_lift(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let reading = read(&normals(seed, 400)?, &plan(level, Metric::column("y")))?;
    let estimate = reading.comparisons[0].relative.clone();
    let estimate = estimate.ok_or(EvidenceError::TooFew { what: "comparisons with a lift", got: 0, needed: 1 })?;
    Ok(Simulated { estimate, truth: 0.05 })
}

fn proportion(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let units = Units { n: 2000, seed };
    let hit = |i, arm: f64| f64::from(u8::from(units.uniform(1, i) < 0.2 + 0.05 * arm));
    first(&units.table()?.with("y", units.column(hit))?, &plan(level, Metric::column("y")), 0.05)
}

/// Baskets of 1 to 5 orders with a price per unit that makes large baskets cheaper: both sums vary together.
fn baskets(units: &Units) -> Result<Table, EvidenceError> {
    let orders = |i| 1.0 + units.whole(1, i, 5.0);
    let taste = |i| units.normal(3, i);
    let spent = |i, arm: f64| orders(i) * (10.0 + arm + taste(i)) + 2.0 * units.normal(2, i);
    let before = |i| orders(i) * (10.0 + taste(i)) + 2.0 * units.normal(4, i);
    let table = units.table()?.with("orders", units.column(|i, _| orders(i)))?;
    let table = table.with("spent", units.column(spent))?;
    table.with("orders_before", units.column(|i, _| orders(i)))?.with("spent_before", units.column(|i, _| before(i)))
}

fn ratio_metric() -> Metric {
    Metric::new("ratio", Kind::Ratio { numerator: "spent".into(), denominator: "orders".into() })
}

fn ratio(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    first(&baskets(&Units { n: 600, seed })?, &plan(level, ratio_metric()), 1.0)
}

fn cuped_ratio(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let metric = Metric { cuped: Some("spent_before/orders_before".into()), ..ratio_metric() };
    first(&baskets(&Units { n: 600, seed })?, &plan(level, metric), 1.0)
}

/// The 90 % point of the standard normal distribution.
const Z90: f64 = 1.281_551_565_544_600_4;

fn quantile_metric() -> Metric {
    Metric::new("y@0.9", Kind::Quantile { column: "y".into(), at: 0.9 })
}

fn quantile(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let units = Units { n: 2000, seed };
    let y = units.column(|i, arm| 0.2 * arm + (1.0 + 0.2 * arm) * units.normal(1, i));
    first(&units.table()?.with("y", y)?, &plan(level, quantile_metric()), 0.2 + 0.2 * Z90)
}

fn conversion(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let units = Units { n: 2000, seed };
    let exposed = |i| 30.0 * units.uniform(1, i);
    // Waiting times are exponential with a mean of 20 days, or 15.
    let time = |i, arm: f64| exposed(i) - (20.0 - 5.0 * arm) * (1.0 - units.uniform(2, i)).ln();
    let table = units.table()?.with("exposed", units.column(|i, _| exposed(i)))?.with("time", units.column(time))?;
    let kind = Kind::Conversion { time: "time".into(), exposed: "exposed".into(), within: 7.0, until: None };
    let share = |mean: f64| 1.0 - (-7.0 / mean).exp();
    first(&table, &plan(level, Metric::new("conversion", kind)), share(15.0) - share(20.0))
}

fn winsorised(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let units = Units { n: 800, seed };
    let y = units.column(|i, arm| -(10.0 + 2.0 * arm) * (1.0 - units.uniform(1, i)).ln());
    let metric = Metric { cap: Some(Cap::Value(30.0)), ..Metric::column("y") };
    let mean = |m: f64| m * (1.0 - (-30.0 / m).exp());
    first(&units.table()?.with("y", y)?, &plan(level, metric), mean(12.0) - mean(10.0))
}

fn cuped(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let units = Units { n: 300, seed };
    let before = |i| units.normal(1, i);
    let y = units.column(|i, arm| 5.0 + arm + 2.0 * before(i) + (1.0 + arm) * units.normal(2, i));
    let table = units.table()?.with("before", units.column(|i, _| before(i)))?.with("y", y)?;
    first(&table, &plan(level, Metric { cuped: Some("before".into()), ..Metric::column("y") }), 1.0)
}

fn regression(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let units = Units { n: 300, seed };
    let (u, v) = (|i| units.normal(1, i), |i| units.normal(2, i));
    // The effect is 1 + u: slopes differ between arms.
    let y = units.column(|i, arm| arm * (1.0 + u(i)) + u(i) - v(i) + units.normal(3, i));
    let table = units.table()?.with("u", units.column(|i, _| u(i)))?.with("v", units.column(|i, _| v(i)))?;
    let plan = Plan { covariates: vec!["u".into(), "v".into()], ..plan(level, Metric::column("y")) };
    first(&table.with("y", y)?, &plan, 1.0)
}

fn post_stratified(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let units = Units { n: 400, seed };
    let stratum = |i| units.whole(1, i, 4.0);
    let y = units.column(|i, arm| 3.0 * stratum(i) + arm * stratum(i) + (1.0 + arm) * units.normal(2, i));
    let table = units.table()?.with("stratum", units.column(|i, _| stratum(i)))?.with("y", y)?;
    first(&table, &Plan { strata: Some("stratum".into()), ..plan(level, Metric::column("y")) }, 1.5)
}

/// Clusters of up to `most` units with a common part; clusters alternate between arms.
fn in_clusters(seed: u64, clusters: u64, most: u64) -> Result<Table, EvidenceError> {
    let of = Units { n: clusters, seed };
    let (mut arm, mut cluster, mut y) = (Vec::new(), Vec::new(), Vec::new());
    let (mut unit, sizes) = (0, Stream::new(seed, 3));
    for c in 0..clusters {
        for _ in 0..=sizes.index_at(c, most) {
            arm.push(u32::from(c % 2 == 1));
            cluster.push(c as f64);
            y.push((c % 2) as f64 + of.normal(2, c) + of.normal(3, unit));
            unit += 1;
        }
    }
    let mut table = Table::new();
    table.push("arm", Column::Texts { codes: arm, names: vec!["a".into(), "b".into()] })?;
    table.with("cluster", cluster)?.with("y", y)
}

fn clustered(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let plan = Plan { cluster: Some("cluster".into()), ..plan(level, Metric::column("y")) };
    first(&in_clusters(seed, 80, 9)?, &plan, 1.0)
}

fn quantile_clustered(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let metric = Metric::new("y@0.5", Kind::Quantile { column: "y".into(), at: 0.5 });
    let plan = Plan { cluster: Some("cluster".into()), ..plan(level, metric) };
    first(&in_clusters(seed, 300, 9)?, &plan, 1.0)
}

fn segment(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let units = Units { n: 600, seed };
    let group = |i| units.whole(1, i, 3.0);
    let y = units.column(|i, arm| arm * group(i) + units.normal(2, i));
    let table = units.table()?.with("group", units.column(|i, _| group(i)))?.with("y", y)?;
    let reading = read(&table, &Plan { segments: vec!["group".into()], ..plan(level, Metric::column("y")) })?;
    let found = reading.segments.first().and_then(|s| s.effects.iter().find(|e| e.segment == "2"));
    let found = found.ok_or(EvidenceError::TooFew { what: "segments with an effect", got: 0, needed: 1 })?;
    Ok(Simulated { estimate: found.estimate.clone(), truth: 2.0 })
}
