//! The game over up to 20 channels, solved for all coalitions at once by subset transforms.

use crate::sets::{SetOutcome, Sets};

/// Channel sets as bits.
#[derive(Debug)]
pub(super) struct Dense {
    channels: usize,
    /// The bits of each set.
    masks: Vec<usize>,
}

impl Dense {
    pub(super) fn new(sets: &Sets) -> Self {
        let masks = sets.iter().map(|members| members.iter().fold(0, |mask, m| mask | 1 << m)).collect();
        Self { channels: sets.channels(), masks }
    }

    /// Shapley values of the games of conversions and of value.
    ///
    /// With d the dividends of the rate game, r(S) = Σ_{U ⊆ S} d(U), the worth Σ_T N_T r(S ∩ T) has the dividends
    /// d(U) · Σ_{T ⊇ U} N_T, and a channel's Shapley value is the sum of dividends of the coalitions that hold it, each
    /// over the coalition's size. Two kinds of transforms of n · 2^(n − 1) additions, and a fold.
    pub(super) fn values(&self, outcomes: &[SetOutcome]) -> [Vec<f64>; 2] {
        let mut journeys = self.spread(outcomes, |o| o.journeys);
        up(&mut journeys);
        [SetOutcome::rate, SetOutcome::value_rate].map(|rate| {
            let mut worth = self.spread(outcomes, rate);
            dividends(&mut worth);
            for (coalition, (worth, journeys)) in worth.iter_mut().zip(&journeys).enumerate().skip(1) {
                *worth *= journeys / f64::from(coalition.count_ones());
            }
            self.fold(worth)
        })
    }

    /// The Shapley values of the rate game within each observed set, in the order of the sets' members.
    pub(super) fn within(&self, sets: &Sets, outcomes: &[SetOutcome]) -> Vec<f64> {
        let mut shares = vec![0.0; sets.members.len()];
        let mut worth = self.spread(outcomes, SetOutcome::rate);
        dividends(&mut worth);
        for (coalition, worth) in worth.iter_mut().enumerate().skip(1) {
            *worth /= f64::from(coalition.count_ones());
        }
        let mut held = Vec::with_capacity(worth.len() / 2);
        for channel in 0..self.channels {
            // The coalitions that hold the channel, as coalitions of the others.
            held.clear();
            worth.chunks_exact(2 << channel).for_each(|block| held.extend_from_slice(&block[1 << channel..]));
            down(&mut held);
            let low = (1_usize << channel) - 1;
            for (set, &mask) in self.masks.iter().enumerate() {
                if mask >> channel & 1 == 1 {
                    let at = mask & low | mask >> (channel + 1) << channel;
                    let place = (mask & low).count_ones() as usize;
                    shares[sets.offsets[set] + place] = held[at];
                }
            }
        }
        shares
    }

    fn spread(&self, outcomes: &[SetOutcome], of: impl Fn(&SetOutcome) -> f64) -> Vec<f64> {
        let mut all = vec![0.0; 1 << self.channels];
        for (&mask, outcome) in self.masks.iter().zip(outcomes) {
            all[mask] = of(outcome);
        }
        all
    }

    /// For each channel the sum over the coalitions that hold it.
    fn fold(&self, mut all: Vec<f64>) -> Vec<f64> {
        let mut sums = vec![0.0; self.channels];
        for (channel, sum) in sums.iter_mut().enumerate().rev() {
            let (without, with) = all.split_at_mut(1 << channel);
            *sum = with.iter().sum();
            without.iter_mut().zip(with.iter()).for_each(|(a, b)| *a += b);
            all.truncate(1 << channel);
        }
        sums
    }
}

/// Applies `step` to every pair of coalitions that differ in one channel: without, with.
fn pairs(all: &mut [f64], step: impl Fn(&mut f64, &mut f64)) {
    let mut half = 1;
    while half < all.len() {
        for block in all.chunks_exact_mut(2 * half) {
            let (without, with) = block.split_at_mut(half);
            without.iter_mut().zip(with).for_each(|(a, b)| step(a, b));
        }
        half *= 2;
    }
}

/// Worths to Harsanyi dividends (Möbius transform over subsets).
fn dividends(all: &mut [f64]) {
    pairs(all, |without, with| *with -= *without);
}

/// Sums over subsets.
fn down(all: &mut [f64]) {
    pairs(all, |without, with| *with += *without);
}

/// Sums over supersets.
fn up(all: &mut [f64]) {
    pairs(all, |without, with| *without += *with);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transforms_by_hand() {
        let mut all = [0.0, 1.0, 2.0, 7.0];
        dividends(&mut all);
        assert_eq!(all, [0.0, 1.0, 2.0, 4.0]);
        down(&mut all);
        assert_eq!(all, [0.0, 1.0, 2.0, 7.0]);
        up(&mut all);
        assert_eq!(all, [10.0, 8.0, 9.0, 7.0]);
    }
}
