//! Where a number stands on an axis.

/// Numbers beyond this are drawn as this: twice it must still be finite.
const LARGEST: f64 = 1e150;

/// Left and right end of the plot, in percent of the width: room for half a mark.
const EDGES: (f64, f64) = (2.0, 98.0);

/// A linear axis; its position is a percentage of the width, so that a chart fits any screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    lo: f64,
    hi: f64,
    step: f64,
}

impl Scale {
    /// An axis that holds every finite number given, a little wider; `None` without any. A range of one point gets a
    /// width of its own.
    pub(super) fn holding(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let finite = numbers.into_iter().filter(|x| x.is_finite()).map(|x| x.clamp(-LARGEST, LARGEST));
        let (lo, hi) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| (lo.min(x), hi.max(x)));
        if lo > hi {
            return None;
        }
        // Zero stays an end when nothing is beyond it: bars and counts begin there.
        let (wide, flat) = (hi - lo, hi - lo <= f64::EPSILON * lo.abs().max(hi.abs()));
        let pad = if flat { (lo.abs() / 2.0).max(1e-9) } else { wide * 0.03 };
        let pad = if flat && lo == 0.0 { 1.0 } else { pad };
        let low = if lo == 0.0 && !flat { 0.0 } else { lo - pad };
        let high = if hi == 0.0 && !flat { 0.0 } else { hi + pad };
        Some(Self { lo: low, hi: high, step: nice_step((high - low) / 4.0) })
    }

    /// Position in percent; what lies outside is at the edge.
    pub(super) fn at(&self, x: f64) -> f64 {
        let share = if x.is_nan() { 0.0 } else { ((x - self.lo) / (self.hi - self.lo)).clamp(0.0, 1.0) };
        EDGES.0 + share * (EDGES.1 - EDGES.0)
    }

    /// Whether a number is within the axis.
    pub(super) fn holds(&self, x: f64) -> bool {
        self.lo <= x && x <= self.hi
    }

    /// Distance of two ticks.
    pub(super) fn step(&self) -> f64 {
        self.step
    }

    /// Round numbers along the axis.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let first = (self.lo / self.step).ceil();
        (0..12).map(|i| (first + f64::from(i)) * self.step).take_while(|t| *t <= self.hi).collect()
    }
}

/// The round number at or above a step.
fn nice_step(step: f64) -> f64 {
    let size = 10_f64.powf(step.log10().floor());
    let digit = step / size;
    let nice = [1.0, 2.0, 2.5, 5.0].into_iter().find(|n| digit <= n * 1.000_001).unwrap_or(10.0);
    nice * size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(numbers: &[f64]) {
        let scale = Scale::holding(numbers.iter().copied()).expect("a number");
        let ticks = scale.ticks();
        assert!((2..=8).contains(&ticks.len()), "{numbers:?}: {ticks:?}");
        assert!(ticks.windows(2).all(|t| t[0] < t[1]) && ticks.iter().all(|t| t.is_finite()), "{ticks:?}");
        for x in numbers.iter().chain(&ticks) {
            let at = scale.at(*x);
            assert!((EDGES.0..=EDGES.1).contains(&at), "{numbers:?}: {x} at {at}");
        }
    }

    #[test]
    fn any_range_has_ticks_and_positions_within_the_plot() {
        for numbers in [
            &[0.0, 100.0][..],
            &[0.0],
            &[5.0, 5.0],
            &[-3.0],
            &[1e-12, 2e-12],
            &[1e300, -1e300],
            &[f64::MAX, f64::MIN_POSITIVE],
            &[0.1, f64::NAN, f64::INFINITY],
            &[-0.02, 0.013],
            &[1e15, 1e15 + 2.0],
            &[-7.0, 0.0],
        ] {
            check(numbers);
        }
        assert_eq!(Scale::holding([f64::NAN, f64::INFINITY]), None);
        assert_eq!(Scale::holding([]), None);
    }

    #[test]
    fn zero_is_an_end_when_nothing_is_beyond() {
        let scale = Scale::holding([0.0, 10.0]).expect("a number");
        assert!((scale.at(0.0) - EDGES.0).abs() < 1e-12 && scale.holds(0.0) && !scale.holds(-0.1));
        let alone = Scale::holding([0.0]).expect("a number");
        assert!(alone.holds(0.9) && alone.holds(-0.9) && (alone.at(0.0) - 50.0).abs() < 1e-9);
    }
}
