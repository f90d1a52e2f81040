//! What a look of a group sequential test says.

use throughline_core::{ConfidenceSet, Estimate, InferenceKind};
use throughline_stats::dist;

use super::{Boundaries, GroupSequential, Sides, unusable};
use crate::EvidenceError;

/// The most extreme p-values that are looked for.
const LEAST: f64 = 1e-14;
const MOST: f64 = 1.0 - 1e-9;

impl GroupSequential {
    /// A look as it stands, whether or not the test stops: the repeated confidence interval value ± c · se with c the boundary
    /// of this look at the estimate's level, which holds at all looks at once, and the repeated p-value, the least
    /// error rate at which the same plan would stop here. `look` counts from 0. The plan's own error rate is not used.
    /// Source: Jennison, Turnbull (1989), JRSS B 51(3). Errors: an estimate without standard error, a look that is not
    /// planned (TL336).
    pub fn repeated(&self, estimate: &Estimate, look: usize) -> Result<Estimate, EvidenceError> {
        let (plan, std_error) = self.until(estimate, look)?;
        let c = plan.boundaries()?.critical[look];
        let (value, alpha) = (estimate.value, estimate.level.alpha());
        let half = c * std_error;
        let (set, z) = match self.sides {
            Sides::One => (ConfidenceSet(vec![(value - half, f64::INFINITY)]), value / std_error),
            Sides::Two => (ConfidenceSet(vec![(value - half, value + half)]), (value / std_error).abs()),
        };
        let p = if std_error == 0.0 { certain(value, self.sides) } else { plan.repeated_p(look, z, c)? };
        // The set decides at its very ends, where the search for p has its own rounding.
        let p = if set.contains(0.0) { p.max(alpha) } else { p.min(alpha.next_down()) };
        Ok(estimate.at_look(set, p, format!("{}_repeated", estimate.method))?)
    }

    /// The test over: the stage-wise p-value and interval for a test that stopped at `look`, by crossing or because it was the
    /// last. Outcomes are ordered by direction, then earlier stop, then z; the set holds all effects whose p-value is at
    /// least 1 − level, and covers exactly. Source: Tsiatis, Rosner, Mehta (1984), Biometrics 40(3). Valid only once the test
    /// stopped. Errors: as [`GroupSequential::repeated`]; a look in between that did not cross (TL336).
    pub fn stopped(&self, estimate: &Estimate, look: usize) -> Result<Estimate, EvidenceError> {
        let (plan, std_error) = self.until(estimate, look)?;
        let bounds = plan.boundaries()?;
        let z = if std_error > 0.0 { estimate.value / std_error } else { estimate.value.signum() * f64::INFINITY };
        let crossed = match self.sides {
            Sides::One => z >= bounds.critical[look],
            Sides::Two => z.abs() >= bounds.critical[look],
        };
        if !crossed && look + 1 < self.looks.len() {
            let message = format!("look {} did not cross its boundary of {:.4}", look + 1, bounds.critical[look]);
            return Err(unusable("TL336", message, "the test goes on: read this look by its repeated interval"));
        }
        let alpha = estimate.level.alpha();
        if std_error == 0.0 {
            let set = ConfidenceSet(vec![(
                estimate.value,
                if self.sides == Sides::One { f64::INFINITY } else { estimate.value },
            )]);
            return Ok(estimate.at_look(
                set,
                certain(estimate.value, self.sides),
                format!("{}_stage_wise", estimate.method),
            )?);
        }
        // θ̂ has information 1 / se² at this look; δ = θ √(all information).
        let scale = std_error * self.looks[look].sqrt();
        let above = |drift: f64| bounds.stage_wise(look, z, drift);
        let tail = if self.sides == Sides::One { alpha } else { alpha / 2.0 };
        let low = scale * quantile(|drift| above(drift).1 - tail, z);
        let (high, p) = match self.sides {
            Sides::One => (f64::INFINITY, above(0.0).1),
            Sides::Two => {
                let (below, above_0) = above(0.0);
                (scale * quantile(|drift| tail - above(drift).0, z), (2.0 * below.min(above_0)).min(1.0))
            }
        };
        let set = ConfidenceSet(vec![(low, high.max(low))]);
        let p = if set.contains(0.0) { p.max(alpha) } else { p.min(alpha.next_down()) };
        Ok(estimate.at_look(set, p, format!("{}_stage_wise", estimate.method))?)
    }

    /// The plan up to a look at the estimate's level, and the standard error.
    fn until(&self, estimate: &Estimate, look: usize) -> Result<(Self, f64), EvidenceError> {
        if look >= self.looks.len() {
            let message = format!("look {} of a plan with {} looks", look + 1, self.looks.len());
            return Err(unusable("TL336", message, "plan the look before looking, at its fraction of the information"));
        }
        let (InferenceKind::Wald, Some(std_error)) = (estimate.inference, estimate.std_error) else {
            let message =
                format!("`{}` rests on {}, not on a standard error", estimate.method, estimate.inference.words());
            return Err(unusable("TL336", message, "read the look with a Wald estimate"));
        };
        let looks = self.looks[..=look].to_vec();
        Ok((Self { looks, alpha: estimate.level.alpha(), ..self.clone() }, std_error))
    }

    /// The least α at which the boundary of the last look is at most `z`; `c` is the boundary at the plan's own α.
    fn repeated_p(&self, look: usize, z: f64, c: f64) -> Result<f64, EvidenceError> {
        let critical = |alpha: f64| Ok::<_, EvidenceError>(Self { alpha, ..self.clone() }.boundaries()?.critical[look]);
        let (least, most) = if z >= c { (LEAST, self.alpha) } else { (self.alpha, MOST) };
        if z >= c && critical(least)? <= z {
            return Ok(least);
        }
        if z < c && critical(most)? > z {
            return Ok(1.0);
        }
        // Boundaries are nearly linear in the normal quantile of α.
        let (mut low, mut high) = (dist::normal_quantile(least), dist::normal_quantile(most));
        let gap = |q: f64| critical(dist::normal_cdf(q)).map_or(f64::NAN, |c| z - c);
        Ok(dist::normal_cdf(solve(gap, &mut low, &mut high)).min(1.0))
    }
}

fn certain(value: f64, sides: Sides) -> f64 {
    match sides {
        Sides::One => f64::from(u8::from(value <= 0.0)),
        Sides::Two => f64::from(u8::from(value == 0.0)),
    }
}

impl Boundaries {
    /// P(an outcome at most, and at least, as large as z at `look`) in the stage-wise order under a drift.
    fn stage_wise(&self, look: usize, z: f64, drift: f64) -> (f64, f64) {
        let (before, density, step) = self.walk(drift, look);
        let (below, above) = before.iter().fold((0.0, 0.0), |(b, a), (x, y)| (b + x, a + y));
        let Some(step) = step else { return (below, above) };
        let bound = z * self.looks[look].sqrt();
        (below + density.below(step, bound), above + density.above(step, bound))
    }
}

/// The drift at which an increasing function is 0, bracketed from around z.
fn quantile(f: impl Fn(f64) -> f64, z: f64) -> f64 {
    let (mut low, mut high, mut reach) = (z - 4.0, z + 4.0, 8.0);
    while f(low) > 0.0 && reach < 1e4 {
        reach *= 2.0;
        low = z - reach;
    }
    reach = 8.0;
    while f(high) < 0.0 && reach < 1e4 {
        reach *= 2.0;
        high = z + reach;
    }
    solve(f, &mut low, &mut high)
}

/// The zero of an increasing function in a bracket: regula falsi with halved ends (Illinois), falling back to bisection.
pub(super) fn solve(f: impl Fn(f64) -> f64, low: &mut f64, high: &mut f64) -> f64 {
    let (mut at_low, mut at_high) = (f(*low), f(*high));
    let mut side = 0_i32;
    for round in 0..200 {
        let secant = (*low * at_high - *high * at_low) / (at_high - at_low);
        let inside = secant > *low && secant < *high && round % 8 != 7;
        let middle = if inside { secant } else { f64::midpoint(*low, *high) };
        let value = f(middle);
        if value == 0.0 || (*high - *low).abs() < 1e-11 * (1.0 + middle.abs()) || value.abs() < 1e-13 {
            return middle;
        }
        if value > 0.0 {
            (*high, at_high) = (middle, value);
            if side == 1 {
                at_low /= 2.0;
            }
            side = 1;
        } else {
            (*low, at_low) = (middle, value);
            if side == -1 {
                at_high /= 2.0;
            }
            side = -1;
        }
    }
    f64::midpoint(*low, *high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequential::Spending;
    use throughline_core::Level;

    fn wald(value: f64, se: f64, level: Level) -> Estimate {
        Estimate::wald(value, se, None, 1000, level, "welch").expect("finite")
    }

    fn plan(sides: Sides) -> GroupSequential {
        GroupSequential::equal(4, Spending::ObrienFleming, 0.05, sides)
    }

    #[test]
    fn one_look_is_the_fixed_test() {
        let plan = GroupSequential::equal(1, Spending::Pocock, 0.05, Sides::Two);
        for value in [-3.0, -0.4, 0.0, 1.0, 1.97, 2.5] {
            let fixed = wald(value, 1.0, Level::P95);
            for e in [plan.repeated(&fixed, 0).expect("look"), plan.stopped(&fixed, 0).expect("look")] {
                assert!((e.p_value - fixed.p_value).abs() < 1e-6, "{e:?} {}", fixed.p_value);
                assert!((e.interval().0 - fixed.interval().0).abs() < 1e-6, "{e:?}");
                assert!((e.interval().1 - fixed.interval().1).abs() < 1e-6, "{e:?}");
            }
        }
    }

    #[test]
    fn set_and_p_agree_at_every_look() {
        for sides in [Sides::One, Sides::Two] {
            for level in [Level::HALF, Level::P90, Level::P95] {
                for i in (-40..=40).step_by(8) {
                    let e = wald(f64::from(i) / 7.0, 1.0, level);
                    for look in 0..4 {
                        let read = plan(sides).repeated(&e, look).expect("look");
                        assert_eq!(!read.set.contains(0.0), read.p_value < level.alpha(), "{read:?}");
                    }
                    let read = plan(sides).stopped(&e, 3).expect("last");
                    assert_eq!(!read.set.contains(0.0), read.p_value < level.alpha(), "{read:?}");
                }
            }
        }
    }

    #[test]
    fn the_repeated_p_is_where_the_boundary_meets() {
        let plan = plan(Sides::Two);
        let e = plan.repeated(&wald(2.7, 1.0, Level::P95), 1).expect("look");
        let at = GroupSequential { alpha: e.p_value, looks: plan.looks[..2].to_vec(), ..plan };
        assert!((at.boundaries().expect("a plan").critical[1] - 2.7).abs() < 1e-6, "{e:?}");
    }

    #[test]
    fn looks_outside_the_plan_and_open_tests_are_refused() {
        let e = wald(0.5, 1.0, Level::P95);
        assert!(matches!(plan(Sides::Two).repeated(&e, 4), Err(EvidenceError::Data { code: "TL336", .. })));
        assert!(matches!(plan(Sides::Two).stopped(&e, 1), Err(EvidenceError::Data { code: "TL336", .. })));
        let placebo = Estimate::ranked(2.0, &[0.5], 2, Level::P95, "placebo").expect("finite");
        assert!(matches!(plan(Sides::Two).repeated(&placebo, 0), Err(EvidenceError::Data { code: "TL336", .. })));
        let sure = plan(Sides::Two).repeated(&wald(1.0, 0.0, Level::P95), 0).expect("defined");
        assert_eq!(sure.interval(), (1.0, 1.0));
    }
}
