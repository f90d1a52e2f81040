//! The Shapley value of the conversion-rate game.

mod dense;

mod sparse;

use throughline_core::{Diagnostic, Severity};

use self::dense::Dense;
use self::sparse::Sparse;
use super::shapley_simplified::ShapleySimplified;
use crate::sets::{DENSE_CHANNELS, SetOutcome, Sets};
use crate::{AttributionError, Model, PathTable, PathWeights, Prepared, Split, Summation, Units};

/// Credit by the Shapley value: a channel's mean marginal contribution to a coalition over all orders of channels.
///
/// Every journey holds a set T of different channels. With N_T journeys of exactly that set, of which C_T convert, the
/// conversion rate of a coalition is r(S) = C_S / N_S, and 0 for a coalition nobody was seen with.
///
/// - `shapley` or `shapley:rate`: v(S) = Σ_T N_T · r(S ∩ T): what all journeys would convert to if each were left with
///   those of its channels that are in S, at the rate of the journeys observed with just these. v(all) is the number
///   of conversions, so credits add up without scaling. Value is the same game with the value a journey. Sets that
///   never converted count: this is where journeys without conversion enter.
/// - `shapley:count`: v(S) = conversions of journeys within S. Its value in closed form is
///   [`ShapleySimplified`](super::shapley_simplified::ShapleySimplified); journeys without conversion do not matter.
///
/// Sources: L. S. Shapley, "A value for n-person games" (1953); the rate of the exact set of channels as a coalition's
/// worth: B. Dalessandro, C. Perlich, O. Stitelman, F. Provost, "Causally motivated attribution for online
/// advertising", ADKDD (2012), and DP6's `marketing_attribution_models` (`conv_rate`), which leaves out the sets that
/// never converted. One pooled rate, conversions within S over journeys within S, is not used: it compares coalitions
/// by whom they reach, so that a channel whose few journeys convert well outranks one that converts thousands.
///
/// **Credits may be negative**: where journeys with a channel convert less than the same journeys without it, its
/// contribution is. They add up all the same, and a diagnostic (TL413) names them. [`Path`](super::path::Path), as in
/// `path:shapley`, splits each path by the contributions above 0 and has no negative credit.
///
/// Cost: with up to 20 channels subset transforms of n · 2^(n − 1) additions (2^20 numbers of 8 bytes, three times, at
/// 20); beyond, sums over the observed subsets of each observed set, also exact. Only sets whose subsets cost more than
/// [`Effort::exact`] steps to find are sampled: orders are drawn from a fixed seed, each with its reverse, coalitions of
/// one and of all channels are counted exactly, credits still add up, and TL414 says how far they may be off
/// ([`sampling_errors`](Shapley::sampling_errors)).
///
/// Failure modes: rates of rarely seen sets are noise, and "never seen" counts as "never converts", as it must for the
/// credits of unseen parts to fall to the whole; a channel's rate also reflects who is reached by it.
///
/// A path's own outcome is split in proportion to the contributions within its set, those below 0 as 0, evenly when
/// none is above; touches of one channel share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shapley {
    game: Game,
    effort: Effort,
}

/// What a coalition is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Game {
    /// Conversion rates of exact sets, over all journeys.
    #[default]
    Rate,
    /// Conversions of the journeys within the coalition.
    Count,
}

/// How much work may go into more than 20 channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Steps to find observed subsets; sets beyond them, largest first, are sampled.
    pub exact: usize,
    /// Channels in drawn orders, over all sampled sets: between 4 and 64 pairs of orders a set.
    pub drawn: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self { exact: 1 << 26, drawn: 1 << 26 }
    }
}

/// How far sampling may have moved a channel's credit.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingError {
    /// The channel.
    pub channel: String,
    /// Standard errors of conversions and of value, from the spread between drawn pairs of orders.
    pub std_error: [f64; 2],
    /// The true credits of conversions and of value lie within so much of ours with a probability of at least 95 % for
    /// each (Hoeffding's inequality, over the draws; the data are held fixed).
    pub bound: [f64; 2],
}

impl Shapley {
    /// With a game.
    pub const fn new(game: Game) -> Self {
        Self { game, effort: Effort { exact: 1 << 26, drawn: 1 << 26 } }
    }

    /// With other limits of work; credits of sampled sets change with them.
    #[must_use]
    pub const fn with_effort(self, effort: Effort) -> Self {
        Self { effort, ..self }
    }

    /// How far sampling may have moved each credit: empty where nothing was sampled.
    pub fn sampling_errors(&self, table: &PathTable) -> Vec<SamplingError> {
        if self.game == Game::Count {
            return Vec::new();
        }
        let coalitions = Coalitions::new(table, self.effort);
        let outcomes = coalitions.sets.outcomes(table.units(), Summation::Exact);
        let errors = coalitions.errors(&outcomes);
        let named = table.channels().iter().zip(errors);
        named.map(|(c, e)| SamplingError { channel: c.clone(), std_error: e.0, bound: e.1 }).collect()
    }

    /// Reads the part of a specification after the colon.
    pub(crate) fn read(parameter: Option<&str>) -> Result<Self, AttributionError> {
        match parameter {
            None | Some("rate") => Ok(Self::new(Game::Rate)),
            Some("count") => Ok(Self::new(Game::Count)),
            Some(given) => Err(AttributionError::BadParameter {
                model: "shapley",
                given: given.chars().take(80).collect(),
                expected: "rate or count",
            }),
        }
    }
}

/// The game bound to the sets of a table.
struct Coalitions<'t> {
    table: &'t PathTable,
    sets: Sets,
    solver: Solver,
}

enum Solver {
    Dense(Dense),
    Sparse(Sparse),
}

impl<'t> Coalitions<'t> {
    fn new(table: &'t PathTable, effort: Effort) -> Self {
        let sets = Sets::new(table);
        let solver = if sets.channels() <= DENSE_CHANNELS {
            Solver::Dense(Dense::new(&sets))
        } else {
            Solver::Sparse(Sparse::new(&sets, effort))
        };
        Self { table, sets, solver }
    }

    fn values(&self, outcomes: &[SetOutcome]) -> [Vec<f64>; 2] {
        let mut values = match &self.solver {
            Solver::Dense(dense) => dense.values(outcomes),
            Solver::Sparse(sparse) => sparse.values(&self.sets, outcomes),
        };
        // Value without any journey is a refund outside its window: no rate, so the set's channels share evenly.
        for (members, outcome) in self.sets.iter().zip(outcomes) {
            if outcome.journeys <= 0.0 && outcome.value != 0.0 {
                let share = outcome.value / members.len() as f64;
                for &member in members {
                    values[1][member as usize] += share;
                }
            }
        }
        values
    }

    /// Standard errors and bounds by channel, of conversions and of value; empty where nothing was sampled.
    fn errors(&self, outcomes: &[SetOutcome]) -> Vec<([f64; 2], [f64; 2])> {
        let Solver::Sparse(sparse) = &self.solver else { return Vec::new() };
        if sparse.sampled_sets() == 0 {
            return Vec::new();
        }
        let mut errors = vec![([0.0; 2], [0.0; 2]); self.sets.channels()];
        for (which, rate) in [SetOutcome::rate, SetOutcome::value_rate].into_iter().enumerate() {
            let rates: Vec<f64> = outcomes.iter().map(rate).collect();
            let (low, high) = rates.iter().fold((0.0_f64, 0.0_f64), |(low, high), r| (low.min(*r), high.max(*r)));
            // A pair's contribution lies within ± (high − low), so its range is twice that.
            let factor = 2.0 * (high - low) * ((2.0 / 0.05_f64).ln() / 2.0).sqrt();
            for (error, open) in errors.iter_mut().zip(sparse.open(&self.sets, &rates, outcomes)) {
                error.0[which] = open.variance.sqrt();
                error.1[which] = factor * open.scale.sqrt();
            }
        }
        errors
    }

    fn diagnostics(&self, outcomes: &[SetOutcome], conversions: &[f64]) -> Vec<Diagnostic> {
        let names = self.table.channels();
        let mut found = Vec::new();
        let scale: f64 = outcomes.iter().map(|o| o.conversions).sum();
        let negative: Vec<usize> = (0..names.len()).filter(|&c| conversions[c] < -1e-9 * scale).collect();
        if let Some(&worst) = negative.iter().min_by(|&&a, &&b| conversions[a].total_cmp(&conversions[b])) {
            let message = format!(
                "{} of {} channels have negative credit, the least `{}` with {:.4}: journeys with them convert less than \
                 without",
                negative.len(),
                names.len(),
                names[worst],
                conversions[worst]
            );
            let help = "path:shapley splits each path without negative credit";
            found.push(Diagnostic::new(Severity::Info, "TL413", message).help(help));
        }
        let errors = self.errors(outcomes);
        let widest = (0..errors.len()).max_by(|&a, &b| errors[a].1[0].total_cmp(&errors[b].1[0]));
        if let (Some(widest), Solver::Sparse(sparse)) = (widest, &self.solver) {
            let ([error, _], [bound, _]) = errors[widest];
            let message = format!(
                "{} of {} sets of channels have too many observed subsets and were sampled: the least certain credit, of \
                 `{}`, has a standard error of {error:.4} conversions and is within {bound:.4} with 95 %",
                sparse.sampled_sets(),
                self.sets.len(),
                names[widest]
            );
            found.push(Diagnostic::warning("TL414", message).help("group channels to have an exact answer"));
        }
        found
    }
}

/// Rounding of the transforms leaves a sum off its total in the last digits; it is spread in proportion.
fn settle(credits: &mut [f64], total: f64) {
    let sum: f64 = credits.iter().sum();
    let scale: f64 = credits.iter().map(|c| c.abs()).sum();
    let rest = total - sum;
    if scale > 0.0 && rest.abs() <= 1e-6 * scale {
        for credit in credits {
            *credit += rest * (credit.abs() / scale);
        }
    }
}

impl Prepared for Coalitions<'_> {
    fn split(&self, units: Units<'_>, summation: Summation) -> Result<Split, AttributionError> {
        let outcomes = self.sets.outcomes(units, summation);
        let [mut conversions, mut value] = self.values(&outcomes);
        settle(&mut conversions, outcomes.iter().map(|o| o.conversions).sum());
        settle(&mut value, outcomes.iter().map(|o| o.value).sum());
        let diagnostics = match summation {
            Summation::Exact => self.diagnostics(&outcomes, &conversions),
            Summation::InOrder => Vec::new(),
        };
        Ok(Split { conversions, value, removal_effect: None, diagnostics })
    }

    fn path_weights(&self, units: Units<'_>, summation: Summation) -> Result<Option<Vec<f64>>, AttributionError> {
        let outcomes = self.sets.outcomes(units, summation);
        let shares = match &self.solver {
            Solver::Dense(dense) => dense.within(&self.sets, &outcomes),
            Solver::Sparse(sparse) => sparse.within(&self.sets, &outcomes),
        };
        Ok(Some(self.sets.touch_weights(self.table, &shares)))
    }
}

impl Model for Shapley {
    fn name(&self) -> &'static str {
        "shapley"
    }

    fn spec(&self) -> String {
        match self.game {
            Game::Rate => "shapley:rate".to_owned(),
            Game::Count => "shapley:count".to_owned(),
        }
    }

    fn reads_ages(&self) -> bool {
        false
    }

    fn prepare<'t>(&self, table: &'t PathTable) -> Result<Box<dyn Prepared + 't>, AttributionError> {
        match self.game {
            Game::Rate => Ok(Box::new(Coalitions::new(table, self.effort))),
            Game::Count => Model::prepare(&ShapleySimplified, table),
        }
    }

    fn path_weights(&self, table: &PathTable) -> Result<PathWeights, AttributionError> {
        match self.game {
            Game::Rate => PathWeights::prepared(&*self.prepare(table)?, table),
            Game::Count => Model::path_weights(&ShapleySimplified, table),
        }
    }
}

#[cfg(test)]
mod tests;
