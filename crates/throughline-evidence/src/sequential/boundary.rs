//! Boundaries of a group sequential test.

use serde::{Deserialize, Serialize};
use throughline_stats::dist;

use super::recursion::{Density, Step};
use super::{Spending, unusable};
use crate::EvidenceError;

/// Which findings stop a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    /// Effects above 0.
    One,
    /// Effects in either direction, each with half of the error rate.
    Two,
}

/// |z| beyond which no boundary is placed: what would be spent there is less than 1e-15.
const FARTHEST: f64 = 8.0;

/// The least distance of two looks in information.
const NEAREST: f64 = 1e-5;

/// The most looks of a plan.
const MOST: usize = 2000;

/// A plan of looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupSequential {
    /// Information fractions of the looks, increasing, above 0 and at most 1.
    pub looks: Vec<f64>,
    /// How the error rate is spent.
    pub spending: Spending,
    /// Error rate over all looks.
    pub alpha: f64,
    /// Which findings stop.
    pub sides: Sides,
}

/// Boundaries: the test stops at look k when z ≥ critical (or |z|, two-sided).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Boundaries {
    /// Information fractions of the looks.
    pub looks: Vec<f64>,
    /// Critical value of each look, at most 8.
    pub critical: Vec<f64>,
    /// Error rate spent up to each look.
    pub spent: Vec<f64>,
    /// Which findings stop.
    pub sides: Sides,
}

impl GroupSequential {
    /// A plan of `k` looks at equal steps of information.
    pub fn equal(k: usize, spending: Spending, alpha: f64, sides: Sides) -> Self {
        Self { looks: (1..=k).map(|i| i as f64 / k as f64).collect(), spending, alpha, sides }
    }

    /// Errors: looks that do not increase by at least 1e-5 within 0 to 1, none or more than 2,000 of them, or an error rate
    /// outside 0 to 1 (TL335).
    pub fn validate(&self) -> Result<(), EvidenceError> {
        self.spending.validate()?;
        if !(self.alpha > 0.0 && self.alpha < 1.0) {
            let message = format!("an error rate of {} is outside 0 to 1", self.alpha);
            return Err(unusable("TL335", message, "give for example 0.05"));
        }
        if self.looks.is_empty() || self.looks.len() > MOST {
            let message = format!("{} looks are planned, from 1 to {MOST} are possible", self.looks.len());
            return Err(unusable("TL335", message, "plan fewer looks, or use a confidence sequence for any number"));
        }
        let mut before = 0.0;
        for look in &self.looks {
            if !(*look <= 1.0 && look - before >= NEAREST * (1.0 - 1e-6)) {
                let message = format!("a look at {look} after one at {before} of the information");
                let help = "give increasing fractions of the planned information, at most 1 and at least 0.00001 apart; \
                            when more units came than planned, divide by the units of the last look";
                return Err(unusable("TL335", message, help));
            }
            before = *look;
        }
        Ok(())
    }

    /// The boundaries. At each look the critical value is where the probability to cross for the first time is what the
    /// spending function has released and not yet used; two-sided, half of it in each direction with f(α / 2), as `ldbounds`
    /// does. Beyond |z| = 8 no boundary is placed. Errors: see [`GroupSequential::validate`].
    pub fn boundaries(&self) -> Result<Boundaries, EvidenceError> {
        self.validate()?;
        let (sides, alpha) = match self.sides {
            Sides::One => (1.0, self.alpha),
            Sides::Two => (2.0, self.alpha / 2.0),
        };
        let mut out =
            Boundaries { looks: self.looks.clone(), critical: Vec::new(), spent: Vec::new(), sides: self.sides };
        let (mut density, mut from, mut spent) = (Density::start(), 0.0, 0.0);
        for (i, &to) in self.looks.iter().enumerate() {
            let step = Step { from, to, drift: 0.0 };
            let release = self.spending.spent(alpha, to) - spent;
            let z = critical(&density, step, release, out.critical.last().copied());
            spent += density.above(step, z * to.sqrt());
            out.critical.push(z);
            out.spent.push(sides * spent);
            if let Some(next) = self.looks.get(i + 1) {
                let (low, high) = out.region(i);
                density = density.step(step, low, high, Some(next - to));
            }
            from = to;
        }
        Ok(out)
    }
}

/// z with P(cross z for the first time) = `release`: Newton's steps on the logarithm, inside a bracket.
fn critical(density: &Density, step: Step, release: f64, guess: Option<f64>) -> f64 {
    let root = step.to.sqrt();
    let above = |z: f64| density.above(step, z * root);
    if release <= 0.0 || above(FARTHEST) >= release {
        return FARTHEST;
    }
    let (mut low, mut high) = (-FARTHEST, FARTHEST);
    let mut z = guess.filter(|g| *g < FARTHEST).unwrap_or_else(|| -dist::normal_quantile(release)).clamp(low, high);
    for _ in 0..200 {
        let p = above(z);
        if p > release {
            low = z;
        } else {
            high = z;
        }
        let slope = density.density(step, z * root) * root;
        let newton = z + (p / release).ln() * p / slope;
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        if (next - z).abs() < 1e-13 * (1.0 + z.abs()) || high - low < 1e-14 {
            return next;
        }
        z = next;
    }
    z
}

impl Boundaries {
    /// The region of B(t) = Z(t) √t at look `i` in which the test goes on.
    fn region(&self, i: usize) -> (f64, f64) {
        let high = self.critical[i] * self.looks[i].sqrt();
        match self.sides {
            Sides::One => (f64::NEG_INFINITY, high),
            Sides::Two => (-high, high),
        }
    }

    /// The chance to stop below and above at each look, for the drift δ = E(Z) with all information.
    pub fn crossing(&self, drift: f64) -> Vec<(f64, f64)> {
        self.walk(drift, self.looks.len()).0
    }

    /// The chances to stop at the first `looks` looks, and the density and step with which the next look is reached.
    pub(super) fn walk(&self, drift: f64, looks: usize) -> (Vec<(f64, f64)>, Density, Option<Step>) {
        let (mut density, mut from, mut out) = (Density::start(), 0.0, Vec::new());
        for i in 0..looks {
            let to = self.looks[i];
            let step = Step { from, to, drift };
            let (low, high) = self.region(i);
            let below = if low.is_finite() { density.below(step, low) } else { 0.0 };
            out.push((below, density.above(step, high)));
            let next = self.looks.get(i + 1).map(|next| next - to);
            if next.is_some() {
                density = density.step(step, low, high, next);
            }
            from = to;
        }
        (out, density, self.looks.get(looks).map(|to| Step { from, to: *to, drift }))
    }

    /// The chance to stop at any look.
    pub fn power(&self, drift: f64) -> f64 {
        self.crossing(drift).iter().map(|(below, above)| below + above).sum::<f64>().min(1.0)
    }

    /// The drift δ = E(Z) with all information that gives a chance of `power` to stop above. A test without looks in between needs
    /// z₁₋α⁄₂ + z_power; the square of the ratio is by how much the looks lengthen the longest run.
    pub fn drift(&self, power: f64) -> f64 {
        let (mut low, mut high) = (0.0, 4.0);
        let above = |drift: f64| self.crossing(drift).iter().map(|(_, above)| above).sum::<f64>();
        while above(high) < power && high < 1e3 {
            high *= 2.0;
        }
        super::inference::solve(|drift| above(drift) - power, &mut low, &mut high)
    }

    /// Expected information when the test stops at the first crossing or at the last look, of the planned 1.
    pub fn expected_information(&self, drift: f64) -> f64 {
        let crossing = self.crossing(drift);
        let (mut going, mut out, mut before) = (1.0, 0.0, 0.0);
        for ((below, above), look) in crossing.iter().zip(&self.looks) {
            out += going * (look - before);
            going = (going - below - above).max(0.0);
            before = *look;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use throughline_stats::stream::Stream;

    fn check(spending: &str, alpha: f64, sides: Sides, expected: &[f64], tolerance: f64) {
        let spending = spending.parse().expect("known");
        let bounds = GroupSequential::equal(expected.len(), spending, alpha, sides).boundaries().expect("a plan");
        for (got, expected) in bounds.critical.iter().zip(expected) {
            assert!((got - expected).abs() < tolerance, "{spending:?}: {:?}", bounds.critical);
        }
        assert!((bounds.spent.last().expect("a look") - alpha).abs() < 1e-12, "{:?}", bounds.spent);
    }

    #[test]
    fn boundaries_are_the_published_ones() {
        // gsDesign (R), test.type = 1, α = 0.025.
        check("obrien-fleming", 0.025, Sides::One, &[4.332_634, 2.963_131, 2.359_044, 2.014_090], 5e-6);
        check("pocock", 0.025, Sides::One, &[2.368_328, 2.367_524, 2.358_168, 2.350_036], 5e-6);
        check("hwang-shih-decani:1", 0.025, Sides::One, &[2.283_141, 2.284_441, 2.301_255], 5e-6);
        check("power:2", 0.025, Sides::One, &[3.090_232, 2.714_112, 2.472_777, 2.279_863, 2.114_028], 5e-6);
        // ldbounds, two-sided 0.05.
        check("obrien-fleming", 0.05, Sides::Two, &[4.8769, 3.3569, 2.6803, 2.2898, 2.0310], 5e-4);
    }

    const WALKS: u64 = 40_000;

    #[test]
    fn a_walk_simulated_step_by_step_crosses_as_often() {
        let plan = GroupSequential {
            looks: vec![0.1, 0.35, 0.4, 1.0],
            spending: Spending::Pocock,
            alpha: 0.2,
            sides: Sides::Two,
        };
        let bounds = plan.boundaries().expect("a plan");
        let expected = bounds.crossing(1.2);
        let mut seen = vec![(0_u32, 0_u32); 4];
        for walk in 0..WALKS {
            let stream = Stream::new(11, walk);
            let (mut b, mut from) = (0.0, 0.0);
            for (i, &to) in plan.looks.iter().enumerate() {
                let step: f64 = to - from;
                b += 1.2 * step + step.sqrt() * stream.normal_at(i as u64);
                from = to;
                let z = b / to.sqrt();
                if z.abs() >= bounds.critical[i] {
                    if z < 0.0 {
                        seen[i].0 += 1;
                    } else {
                        seen[i].1 += 1;
                    }
                    break;
                }
            }
        }
        for ((below, above), seen) in expected.iter().zip(seen) {
            for (p, n) in [(below, seen.0), (above, seen.1)] {
                let error = (p * (1.0 - p) / WALKS as f64).sqrt();
                assert!((f64::from(n) / WALKS as f64 - p).abs() < 4.5 * error + 1e-9, "{expected:?} {seen:?}");
            }
        }
    }

    #[test]
    fn power_and_drift_invert_each_other() {
        let bounds = GroupSequential::equal(5, Spending::ObrienFleming, 0.05, Sides::Two).boundaries().expect("a plan");
        assert!((bounds.power(0.0) - 0.05).abs() < 1e-10);
        let drift = bounds.drift(0.8);
        // Stops on the wrong side are left out of the drift.
        assert!((bounds.power(drift) - 0.8).abs() < 1e-5);
        // One look is the fixed test.
        let one = GroupSequential::equal(1, Spending::Pocock, 0.05, Sides::Two).boundaries().expect("a plan");
        assert!((one.critical[0] - 1.959_963_984_540_054).abs() < 1e-10);
        let expected = bounds.expected_information(drift);
        assert!(expected > 0.5 && expected < 1.0, "{expected}");
    }

    #[test]
    fn hundreds_of_looks_and_looks_close_together() {
        for k in [181, 500] {
            let bounds =
                GroupSequential::equal(k, Spending::Power { rho: 2.0 }, 0.05, Sides::Two).boundaries().expect("a plan");
            assert!(bounds.critical.windows(2).skip(5).all(|w| w[1] < w[0]), "{:?}", &bounds.critical[..9]);
            assert!((bounds.spent[k - 1] - 0.05).abs() < 1e-12);
            assert!((bounds.power(0.0) - 0.05).abs() < 1e-8, "{}", bounds.power(0.0));
        }
        let near = GroupSequential {
            looks: vec![1e-5, 2e-5, 0.5, 0.500_01, 1.0],
            ..GroupSequential::equal(1, Spending::Pocock, 0.05, Sides::One)
        };
        assert!((near.boundaries().expect("a plan").power(0.0) - 0.05).abs() < 1e-8);
    }

    #[test]
    fn impossible_plans_are_refused() {
        let plan =
            |looks: Vec<f64>, alpha| GroupSequential { looks, spending: Spending::Pocock, alpha, sides: Sides::Two };
        for plan in [
            plan(vec![], 0.05),
            plan(vec![0.5, 0.5], 0.05),
            plan(vec![0.5, 1.2], 0.05),
            plan(vec![f64::NAN], 0.05),
            plan(vec![1.0], 0.0),
            plan(vec![-0.1, 1.0], 0.05),
            plan(vec![1.0; 3000], 0.1),
        ] {
            assert!(matches!(plan.boundaries(), Err(EvidenceError::Data { code: "TL335", .. })), "{plan:?}");
        }
    }
}
