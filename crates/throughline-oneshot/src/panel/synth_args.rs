//! What synthetic controls, synthetic difference-in-differences and geo readings have for settings.

use clap::{Args, ValueEnum};
use throughline_core::Diagnostic;
use throughline_evidence::Panel;
use throughline_evidence::synth::conformal::Permutations;
use throughline_evidence::synth::control::Solver;
use throughline_evidence::synth::ridge::Ridge;
use throughline_evidence::synth::variance::Variance;
use throughline_evidence::synth::{Inference, PredictorSpec};

use crate::OneShotError;

/// How weights are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SolverChoice {
    /// The steps with which the published figures were made (Frank–Wolfe, stopped early and made sparse).
    Published,
    /// The optimum.
    Exact,
}

/// Which inference is the answer of a synthetic control; the others stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InferenceChoice {
    /// Rank of the ratio of gaps after and before among placebos.
    Ratio,
    /// Rank of the effect among placebos.
    Rank,
    /// Permutations over time.
    Conformal,
}

/// Orders of residuals that are as likely as the observed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PermutationChoice {
    /// Cyclic shifts.
    Block,
    /// Random orders.
    Iid,
}

/// Where the standard error of a synthetic difference-in-differences comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VarianceChoice {
    /// Effects on donors.
    Placebo,
    /// Leaving out units.
    Jackknife,
    /// Drawing units.
    Bootstrap,
}

/// How predictors are weighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImportanceChoice {
    /// By the fit of the outcome.
    Nested,
    /// All alike.
    Equal,
}

/// Settings of `sc`, `sdid` and `geo`.
#[derive(Debug, Clone, Args)]
pub struct SynthArgs {
    /// sc, sdid: how weights are found; the answer says what the other way gives.
    #[arg(long, value_enum, default_value = "published")]
    pub solver: SolverChoice,
    /// sc: compare after taking off each unit's mean before the treatment.
    #[arg(long)]
    pub intercept: bool,
    /// sc, geo: augment by a ridge regression, its penalty by cross-validation.
    #[arg(long)]
    pub ridge: bool,
    /// sc, geo: augment by a ridge regression of this penalty.
    #[arg(long)]
    pub ridge_penalty: Option<f64>,
    /// sc: which inference is the answer.
    #[arg(long, value_enum, default_value = "ratio")]
    pub inference: InferenceChoice,
    /// sc, geo: orders of the conformal test (sc: block without, geo: iid without).
    #[arg(long, value_enum)]
    pub permutations: Option<PermutationChoice>,
    /// sc, geo: random orders. sdid: draws of the bootstrap.
    #[arg(long, default_value_t = 999)]
    pub draws: u32,
    /// sc: match the mean of a column instead of all outcomes, as COLUMN, COLUMN@PERIOD or COLUMN@FIRST:LAST; may be given
    /// several times.
    #[arg(long = "predictor")]
    pub predictors: Vec<String>,
    /// sc: how predictors are weighted.
    #[arg(long, value_enum, default_value = "nested")]
    pub predictor_weights: ImportanceChoice,
    /// sc: periods whose outcome chooses the weights of predictors, as FIRST:LAST; all before the treatment without.
    #[arg(long)]
    pub fit_periods: Option<String>,
    /// sdid: where the standard error comes from.
    #[arg(long, value_enum, default_value = "placebo")]
    pub variance: VarianceChoice,
    /// sc, sdid: placebo assignments at most.
    #[arg(long, default_value_t = 500)]
    pub placebos: usize,
    /// geo: what the test cost in all; negative when spend was cut.
    #[arg(long, allow_hyphen_values = true)]
    pub spend: Option<f64>,
}

impl SynthArgs {
    pub(super) const fn solver(&self) -> Solver {
        match self.solver {
            SolverChoice::Published => Solver::FrankWolfe,
            SolverChoice::Exact => Solver::Exact,
        }
    }

    pub(super) const fn ridge(&self) -> Option<Ridge> {
        if self.ridge || self.ridge_penalty.is_some() { Some(Ridge { lambda: self.ridge_penalty }) } else { None }
    }

    pub(super) const fn inference(&self) -> Inference {
        match self.inference {
            InferenceChoice::Ratio => Inference::Ratio,
            InferenceChoice::Rank => Inference::Rank,
            InferenceChoice::Conformal => Inference::Conformal,
        }
    }

    pub(super) const fn permutations(&self, default: PermutationChoice, seed: u64) -> Permutations {
        let choice = match self.permutations {
            Some(choice) => choice,
            None => default,
        };
        match choice {
            PermutationChoice::Block => Permutations::Block,
            PermutationChoice::Iid => Permutations::Iid { draws: self.draws, seed },
        }
    }

    pub(super) const fn variance(&self, seed: u64) -> Variance {
        match self.variance {
            VarianceChoice::Placebo => Variance::Placebo { most: self.placebos, seed },
            VarianceChoice::Jackknife => Variance::Jackknife,
            VarianceChoice::Bootstrap => Variance::Bootstrap { draws: self.draws, seed },
        }
    }

    /// Columns of the predictors, each once.
    pub(super) fn predictor_columns(&self) -> Vec<&str> {
        let mut out: Vec<&str> = Vec::new();
        for column in self.predictors.iter().map(|p| p.split_once('@').map_or(p.as_str(), |(c, _)| c)) {
            if !out.contains(&column) {
                out.push(column);
            }
        }
        out
    }

    /// The predictors of a panel that holds their columns as covariates; without periods, those before the treatment.
    pub(super) fn predictors(&self, panel: &Panel) -> Result<Vec<PredictorSpec>, OneShotError> {
        let before = panel.groups().first().map_or(0, |g| g.0);
        let one = |text: &String| {
            let (column, periods) = match text.split_once('@') {
                Some((column, range)) => (column, window(panel, range)?),
                None => (text.as_str(), (0..before).collect()),
            };
            let values = panel.covariates().find(|(name, _)| *name == column).map(|(_, v)| v.to_vec());
            Ok(PredictorSpec { name: text.clone(), values: values.unwrap_or_default(), periods })
        };
        self.predictors.iter().map(one).collect()
    }

    /// The periods whose outcome chooses the weights of predictors.
    pub(super) fn fitted(&self, panel: &Panel) -> Result<Option<Vec<usize>>, OneShotError> {
        self.fit_periods.as_ref().map(|range| window(panel, range)).transpose()
    }
}

/// Periods from FIRST to LAST, or a single one.
fn window(panel: &Panel, range: &str) -> Result<Vec<usize>, OneShotError> {
    let (first, last) = range.split_once(':').unwrap_or((range, range));
    let from = panel.period_from(first)?;
    let upto = panel.period_from(last)?;
    let upto = if upto < panel.periods() && panel.time_name(upto) == last.trim() { upto + 1 } else { upto };
    if from >= upto {
        let message = format!("no period of the panel lies in `{range}`");
        return Err(OneShotError::finding(
            Diagnostic::error("TL363", message).help("write periods as in the data, as FIRST:LAST"),
        ));
    }
    Ok((from..upto).collect())
}
