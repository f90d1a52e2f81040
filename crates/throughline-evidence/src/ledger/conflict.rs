//! Where evidence contradicts itself, and what may be counted together.

use serde::{Deserialize, Serialize};
use throughline_core::Timestamp;
use throughline_stats::dist;

use super::{EvidenceRecord, Kept, Standing};
use crate::EvidenceError;

/// Two records of different sources about the same question that say different things.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// The one of the higher tier.
    pub first: String,
    /// The other.
    pub second: String,
    /// Their difference: the first minus the second.
    pub difference: f64,
    /// The chance of a difference at least this large between independent estimates of one effect; absent where one of
    /// them has no standard error, and their sets are disjoint.
    pub p_value: Option<f64>,
    /// Whether the signs differ and both sets exclude 0.
    pub opposed: bool,
}

/// Below this chance two records contradict each other.
const DISAGREE: f64 = 0.05;

/// All conflicts among records that stand or only lack approval, in the order of their ids. They are shown, never
/// averaged away: z = (a − b) / √(se_a² + se_b²), which holds for independent sources.
pub fn conflicts(all: &[Kept], at: Timestamp) -> Vec<Conflict> {
    let mut live: Vec<&Kept> =
        all.iter().filter(|k| matches!(k.standing(all, at), Standing::Standing | Standing::Unapproved)).collect();
    live.sort_by(|a, b| a.record.id.cmp(&b.record.id));
    let mut found = Vec::new();
    for (i, a) in live.iter().enumerate() {
        for b in &live[i + 1..] {
            if comparable(&a.record, &b.record) {
                let (a, b) = if a.record.tier >= b.record.tier { (a, b) } else { (b, a) };
                found.extend(conflict(&a.record, &b.record));
            }
        }
    }
    found
}

/// The same quantity and scope from different sources. Records without a segment or region speak for everybody, which is not
/// the same as a part.
fn comparable(a: &EvidenceRecord, b: &EvidenceRecord) -> bool {
    a.source_name() != b.source_name()
        && a.estimand.metric == b.estimand.metric
        && a.estimand.contrast == b.estimand.contrast
        && a.scope.action == b.scope.action
        && a.scope.segment == b.scope.segment
        && a.scope.geo == b.scope.geo
}

fn conflict(a: &EvidenceRecord, b: &EvidenceRecord) -> Option<Conflict> {
    let difference = a.estimate.value - b.estimate.value;
    let errors = a.estimate.std_error.zip(b.estimate.std_error).map(|(a, b)| a.hypot(b)).filter(|se| *se > 0.0);
    let p_value = errors.map(|se| dist::two_sided_p(difference / se, None));
    let ((a_lo, a_hi), (b_lo, b_hi)) = (a.estimate.interval(), b.estimate.interval());
    let disjoint = a_lo > b_hi || b_lo > a_hi;
    let disagree = p_value.map_or(disjoint, |p| p < DISAGREE);
    let sign = |lo: f64, hi: f64| {
        if lo > 0.0 {
            1
        } else if hi < 0.0 {
            -1
        } else {
            0
        }
    };
    let opposed = sign(a_lo, a_hi) * sign(b_lo, b_hi) == -1;
    disagree.then(|| Conflict { first: a.id.clone(), second: b.id.clone(), difference, p_value, opposed })
}

/// Whether records may be counted together, for example to calibrate a model: each source once. Errors: two records
/// of one source whose scopes and periods overlap, because they rest on the same people.
pub fn independent(records: &[&EvidenceRecord]) -> Result<(), EvidenceError> {
    for (i, a) in records.iter().enumerate() {
        for b in &records[i + 1..] {
            let apart = |x: &Option<String>, y: &Option<String>| x.is_some() && y.is_some() && x != y;
            let overlap = a.source_name() == b.source_name()
                && a.estimand.metric == b.estimand.metric
                && a.scope.period_start <= b.scope.period_end
                && b.scope.period_start <= a.scope.period_end
                && !apart(&a.scope.segment, &b.scope.segment)
                && !apart(&a.scope.geo, &b.scope.geo);
            if overlap {
                return Err(EvidenceError::CountedTwice { first: a.id.clone(), second: b.id.clone() });
            }
        }
    }
    Ok(())
}
