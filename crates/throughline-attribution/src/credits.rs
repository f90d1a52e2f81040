//! Credits: the answer of a model, and the law that they add up.

use serde::Serialize;
use throughline_core::Diagnostic;
use throughline_stats::sum::exact_sum;

use crate::AttributionError;

/// Relative difference allowed between credits and totals.
const TOLERANCE: f64 = 1e-9;

/// What there is to credit.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Totals {
    /// Conversions.
    pub conversions: f64,
    /// Their value.
    pub value: f64,
    /// Journeys without conversion.
    pub nulls: f64,
    /// Sum of the absolute values of the rows: the scale of [`value`](Self::value) where refunds cancel sales.
    #[serde(skip)]
    pub absolute_value: f64,
}

/// The credit of one channel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelCredit {
    /// The channel.
    pub channel: String,
    /// Conversions credited.
    pub conversions: f64,
    /// Value credited.
    pub value: f64,
    /// Share of the conversion probability lost without the channel, where the model defines it.
    pub removal_effect: Option<f64>,
}

/// Whether credits must add up to the totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conservation {
    /// Σ credits = totals, or there is no result.
    Enforced,
    /// The model counts conversions more than once by definition (participation); its credits must not be added up.
    Exempt,
}

/// The credits of one model over all channels of a table, sorted by channel. Every number is finite, and under
/// [`Conservation::Enforced`] conversions and value add up to the totals within 1e-9 of their scale (for value, the sum
/// of absolute values).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Credits {
    model: String,
    conservation: Conservation,
    totals: Totals,
    channels: Vec<ChannelCredit>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    diagnostics: Vec<Diagnostic>,
}

impl Credits {
    /// Checks conservation.
    pub fn new(
        model: String,
        conservation: Conservation,
        totals: Totals,
        channels: Vec<ChannelCredit>,
        diagnostics: Vec<Diagnostic>,
    ) -> Result<Self, AttributionError> {
        let credited = [
            ("conversions", exact_sum(channels.iter().map(|c| c.conversions)), totals.conversions, totals.conversions),
            ("value", exact_sum(channels.iter().map(|c| c.value)), totals.value, totals.absolute_value),
        ];
        for (what, credited, total, scale) in credited {
            let tolerance = TOLERANCE * scale;
            let conserved = conservation == Conservation::Exempt || (credited - total).abs() <= tolerance;
            if !credited.is_finite() || !conserved {
                return Err(AttributionError::NotConserved { model, what, credited, total, tolerance });
            }
        }
        Ok(Self { model, conservation, totals, channels, diagnostics })
    }

    /// The model's specification, for example `markov:1`.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Whether the credits add up to the totals.
    pub const fn conservation(&self) -> Conservation {
        self.conservation
    }

    /// What was credited.
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// One credit a channel, sorted by name; channels that never converted are there with 0.
    pub fn channels(&self) -> &[ChannelCredit] {
        &self.channels
    }

    /// The credit of a channel.
    pub fn channel(&self, name: &str) -> Option<&ChannelCredit> {
        self.channels.binary_search_by(|c| c.channel.as_str().cmp(name)).ok().map(|i| &self.channels[i])
    }

    /// What to know about these credits, for example that a fallback was used.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(conservation: Conservation, credits: &[(f64, f64)], totals: Totals, ok: bool) {
        let channels = credits
            .iter()
            .map(|&(conversions, value)| ChannelCredit {
                channel: "c".to_owned(),
                conversions,
                value,
                removal_effect: None,
            })
            .collect();
        let got = Credits::new("m".to_owned(), conservation, totals, channels, Vec::new());
        assert_eq!(got.is_ok(), ok, "{got:?}");
    }

    #[test]
    fn credits_must_add_up() {
        let totals = Totals { conversions: 3.0, value: 10.0, nulls: 5.0, absolute_value: 30.0 };
        check(Conservation::Enforced, &[(1.0, 4.0), (2.0, 6.0)], totals, true);
        check(Conservation::Enforced, &[(1.0, 4.0), (2.0 + 2e-9, 6.0 + 2e-8)], totals, true);
        check(Conservation::Enforced, &[(1.0, 4.0), (2.0 + 4e-9, 6.0)], totals, false);
        check(Conservation::Enforced, &[(1.0, 4.0), (2.0, 6.0 + 4e-8)], totals, false);
        check(Conservation::Enforced, &[], totals, false);
        check(Conservation::Enforced, &[], Totals::default(), true);
        check(Conservation::Exempt, &[(3.0, 10.0), (3.0, 10.0)], totals, true);
        check(Conservation::Exempt, &[(f64::NAN, 0.0)], totals, false);
    }
}
