//! Whether pieces of evidence say the same, and how much more they differ than their errors allow.

use serde::{Deserialize, Serialize};
use throughline_stats::dist;

/// Below this chance evidence is said to be in conflict.
pub(super) const CONFLICT: f64 = 0.05;

/// Cochran's test of equality. Q = Σ w (r − r̄)² with w = 1/variance, χ² with one degree of freedom less than there are pieces
/// where all are of one ratio. I² = max(0, (Q − df)/Q): the share of the variation that is not sampling error.
/// Sources: Cochran (1954), Biometrics 10; Higgins and Thompson (2002), Statistics in Medicine 21.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heterogeneity {
    /// What was compared: a channel, or `all channels`.
    pub of: String,
    /// The pieces, by id.
    pub ids: Vec<String>,
    /// Their common ratio, weighted by precision.
    pub ratio: f64,
    /// Cochran's Q.
    pub q: f64,
    /// Degrees of freedom.
    pub df: usize,
    /// The chance of a Q at least this large where all are equal.
    pub p_value: f64,
    /// I², 0 to 1.
    pub i_squared: f64,
}

impl Heterogeneity {
    /// Of ratios with their variances (all positive); `None` for fewer than two.
    pub(super) fn of(of: impl Into<String>, pieces: &[(&str, f64, f64)]) -> Option<Self> {
        if pieces.len() < 2 {
            return None;
        }
        let total: f64 = pieces.iter().map(|p| 1.0 / p.2).sum();
        let ratio = pieces.iter().map(|p| p.1 / p.2).sum::<f64>() / total;
        let q: f64 = pieces.iter().map(|p| (p.1 - ratio).powi(2) / p.2).sum();
        let df = pieces.len() - 1;
        Some(Self {
            of: of.into(),
            ids: pieces.iter().map(|p| p.0.to_owned()).collect(),
            ratio,
            q,
            df,
            p_value: dist::chi_squared_sf(q, df as f64),
            i_squared: if q > 0.0 { ((q - df as f64) / q).max(0.0) } else { 0.0 },
        })
    }

    /// Factor on the variances with which the pieces would agree: max(1, Q/df). Source: Birge (1932), Physical Review 40, as
    /// used by the Particle Data Group.
    pub(super) fn widening(&self) -> f64 {
        (self.q / self.df as f64).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pieces_by_hand() {
        // 0 and 1, each ± 0.5: mean 0.5, Q = 2 · 0.25/0.25 = 2, df 1, I² = ½; P(χ²₁ > 2) = 0.1573.
        let h = Heterogeneity::of("c", &[("a", 0.0, 0.25), ("b", 1.0, 0.25)]).expect("two");
        assert_eq!((h.ratio, h.q, h.df, h.i_squared, h.widening()), (0.5, 2.0, 1, 0.5, 2.0));
        assert!((h.p_value - 0.157_299).abs() < 1e-6);
        let same = Heterogeneity::of("c", &[("a", 1.0, 0.25), ("b", 1.0, 4.0)]).expect("two");
        assert_eq!((same.q, same.i_squared, same.widening(), same.p_value), (0.0, 0.0, 1.0, 1.0));
        assert_eq!(Heterogeneity::of("c", &[("a", 1.0, 1.0)]), None);
    }
}
