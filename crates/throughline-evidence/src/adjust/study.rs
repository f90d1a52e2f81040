//! Outcome, treatment and covariates, checked.

use throughline_core::Diagnostic;
use throughline_stats::linalg::{gram, independent_columns};

use super::settings::data;
use crate::EvidenceError;

/// A covariate is left out when earlier ones leave less than this share of its variation.
const COLLINEAR: f64 = 1e-10;

/// Units of an arm below which nothing is estimated.
pub(crate) const LEAST_ARM: usize = 5;

/// Units with outcome, treatment and covariates; all values are finite, covariates vary and none is a combination of others.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    pub(crate) outcome: Vec<f64>,
    pub(crate) treatment: Vec<f64>,
    pub(crate) binary: bool,
    pub(crate) covariates: Vec<(String, Vec<f64>)>,
    pub(crate) clusters: Option<Vec<u32>>,
    pub(crate) segments: Option<(String, Vec<u32>, Vec<String>)>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Study {
    /// Checks shapes and values. Covariates without variation (TL389) and combinations of earlier ones (TL390) are left out
    /// and said.
    ///
    /// # Errors
    /// Lengths that differ, values that are not finite, a treatment (TL386) or outcome (TL387) that does not vary, no
    /// covariate left (TL389), fewer than 5 units in an arm (TL386).
    pub fn new(
        outcome: Vec<f64>,
        treatment: Vec<f64>,
        covariates: Vec<(String, Vec<f64>)>,
    ) -> Result<Self, EvidenceError> {
        let n = outcome.len();
        if treatment.len() != n || covariates.iter().any(|(_, c)| c.len() != n) {
            return Err(EvidenceError::Shape { what: "outcome, treatment and covariates" });
        }
        let named = [("outcome", &outcome), ("treatment", &treatment)].into_iter();
        for (name, values) in named.chain(covariates.iter().map(|(name, values)| (name.as_str(), values))) {
            if !values.iter().all(|x| x.is_finite()) {
                return Err(EvidenceError::NotFinite { what: format!("column `{name}`") });
            }
        }
        let binary = treatment.iter().all(|d| *d == 0.0 || *d == 1.0);
        let mut study =
            Self { outcome, treatment, binary, covariates, clusters: None, segments: None, diagnostics: Vec::new() };
        study.check_arms()?;
        study.check_outcome()?;
        study.drop_useless()?;
        Ok(study)
    }

    /// Units that belong together, one code per unit: folds keep them together, errors are clustered.
    ///
    /// # Errors
    /// Another number of codes, or fewer than two clusters (TL397).
    pub fn with_clusters(mut self, codes: &[u32]) -> Result<Self, EvidenceError> {
        if codes.len() != self.n() {
            return Err(EvidenceError::Shape { what: "clusters" });
        }
        let mut known: Vec<u32> = codes.to_vec();
        known.sort_unstable();
        known.dedup();
        if known.len() < 2 {
            return Err(data(
                "TL397",
                "all units are in one cluster".into(),
                "leave the clusters out, or name another column",
            ));
        }
        let dense = |code: &u32| u32::try_from(known.partition_point(|k| k < code)).unwrap_or(u32::MAX);
        self.clusters = Some(codes.iter().map(dense).collect());
        Ok(self)
    }

    /// Segments whose effects are wanted too: one code per unit into `names`.
    pub fn with_segments(mut self, name: &str, codes: Vec<u32>, names: Vec<String>) -> Result<Self, EvidenceError> {
        if codes.len() != self.n() || codes.iter().any(|c| *c as usize >= names.len()) {
            return Err(EvidenceError::Shape { what: "segments" });
        }
        self.segments = Some((name.to_owned(), codes, names));
        Ok(self)
    }

    /// Units.
    pub const fn n(&self) -> usize {
        self.outcome.len()
    }

    /// Outcomes.
    pub fn outcome(&self) -> &[f64] {
        &self.outcome
    }

    /// Treatments: 0 and 1 where [`Study::is_binary`].
    pub fn treatment(&self) -> &[f64] {
        &self.treatment
    }

    /// Whether the treatment is 0 or 1.
    pub const fn is_binary(&self) -> bool {
        self.binary
    }

    /// Covariates kept.
    pub fn covariates(&self) -> &[(String, Vec<f64>)] {
        &self.covariates
    }

    /// What the checks found.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Units treated.
    pub(crate) fn treated(&self) -> usize {
        self.treatment.iter().filter(|d| **d == 1.0).count()
    }

    /// Whether the outcome is 0 or 1.
    pub(crate) fn outcome_is_binary(&self) -> bool {
        self.outcome.iter().all(|y| *y == 0.0 || *y == 1.0)
    }

    /// Columns of the covariates.
    pub(crate) fn columns(&self) -> Vec<&[f64]> {
        self.covariates.iter().map(|(_, c)| c.as_slice()).collect()
    }

    /// An error unless the treatment is 0 or 1.
    pub(crate) fn require_binary(&self) -> Result<(), EvidenceError> {
        if self.binary {
            return Ok(());
        }
        Err(data(
            "TL385",
            "the treatment has other values than 0 and 1".into(),
            "name the treated value with --treated, or use --method plr for a treatment in amounts",
        ))
    }

    fn check_arms(&self) -> Result<(), EvidenceError> {
        let (n, treated) = (self.n(), self.treated());
        if self.binary {
            for (arm, units) in [("treated", treated), ("control", n - treated)] {
                if units < LEAST_ARM {
                    return Err(data(
                        "TL386",
                        format!("{units} {arm} units of {n}, at least {LEAST_ARM} are needed in each arm"),
                        "check the treatment column, the treated value and the rows left out",
                    ));
                }
            }
            return Ok(());
        }
        if self.treatment.iter().all(|d| *d == self.treatment[0]) {
            return Err(data("TL386", "the treatment has one value only".into(), "there is nothing to compare with"));
        }
        Ok(())
    }

    fn check_outcome(&mut self) -> Result<(), EvidenceError> {
        let constant = |mut values: Box<dyn Iterator<Item = f64> + '_>| {
            let first = values.next();
            values.all(|y| Some(y) == first)
        };
        if constant(Box::new(self.outcome.iter().copied())) {
            let message = format!("the outcome is {} for every unit", self.outcome[0]);
            return Err(data("TL387", message, "check the outcome column and its window"));
        }
        if !self.binary {
            return Ok(());
        }
        for (arm, value) in [("treated", 1.0), ("control", 0.0)] {
            let of_arm = self.outcome.iter().zip(&self.treatment).filter(|(_, d)| **d == value).map(|(y, _)| *y);
            if constant(Box::new(of_arm)) {
                let message = format!("the outcome does not vary among the {arm} units; their error is understated");
                self.diagnostics.push(Diagnostic::warning("TL387", message));
            }
        }
        Ok(())
    }

    fn drop_useless(&mut self) -> Result<(), EvidenceError> {
        let n = self.n() as f64;
        let mut scaled = Vec::new();
        let (mut kept, mut constant, mut collinear) = (Vec::new(), Vec::new(), Vec::new());
        for (name, values) in std::mem::take(&mut self.covariates) {
            let mean = values.iter().sum::<f64>() / n;
            let scale = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
            let largest = values.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            if scale <= largest * 1e-13 {
                constant.push(name);
                continue;
            }
            scaled.push(values.iter().map(|x| (x - mean) / scale).collect::<Vec<f64>>());
            kept.push((name, values));
        }
        let refs: Vec<&[f64]> = scaled.iter().map(Vec::as_slice).collect();
        let independent = independent_columns(&gram(&refs), refs.len(), COLLINEAR);
        for (index, (name, values)) in kept.into_iter().enumerate() {
            if independent.contains(&index) {
                self.covariates.push((name, values));
            } else {
                collinear.push(name);
            }
        }
        let say = |code: &str, names: &[String], what: &str| {
            (!names.is_empty()).then(|| Diagnostic::warning(code, format!("left out, as {what}: {}", names.join(", "))))
        };
        self.diagnostics.extend(say("TL389", &constant, "the same for every unit"));
        self.diagnostics.extend(say("TL390", &collinear, "combinations of other covariates"));
        if self.covariates.is_empty() {
            return Err(data(
                "TL389",
                "no covariate varies: there is nothing to adjust for".into(),
                "name covariates with --covariates; for a randomised treatment use `throughline experiment read`",
            ));
        }
        if self.n() < self.covariates.len() + 10 {
            let message = format!("{} units are too few for {} covariates", self.n(), self.covariates.len());
            return Err(data("TL397", message, "name fewer covariates"));
        }
        Ok(())
    }
}
