//! One number from many: effects of groups and periods, weighted by group sizes that are estimates themselves.
//!
//! With p the shares of the groups, every aggregation is θ = Σ w(p) ATT / Σ w(p). The joint estimate of the ATT and of p
//! carries the uncertainty of both: θ has the influence values Σ ∂θ/∂ATT φ + Σ ∂θ/∂p φ. As θ does not change when all
//! p grow alike, Σ p ∂θ/∂p = 0, so the same linear combination gives θ itself.

use super::design::Phase;
use super::group_time::GroupTime;
use super::options::Aggregate;
use crate::{EvidenceError, Joint};

/// Weights of the cells and of the shares.
#[derive(Debug, Clone)]
struct Combination {
    value: f64,
    weights: Vec<f64>,
}

/// An aggregation: its parts, then the whole.
#[derive(Debug, Clone)]
pub struct Aggregation {
    /// Which.
    pub kind: Aggregate,
    /// What each part is of: the event time, the group or the period; empty for `simple`.
    pub labels: Vec<String>,
    /// Event times, for `dynamic`.
    pub events: Vec<f64>,
    /// The parts, then the overall effect as the last.
    pub joint: Joint,
}

impl Aggregation {
    /// Position of the overall effect.
    pub const fn overall(&self) -> usize {
        self.joint.len() - 1
    }
}

impl GroupTime {
    /// Aggregates. The event times of `dynamic` reach back before the treatment; its overall effect is the mean over those
    /// from 0 on. Source: Callaway, Sant'Anna (2021), §3. Errors: no cell after the beginning of a treatment.
    pub fn aggregate(&self, kind: Aggregate) -> Result<Aggregation, EvidenceError> {
        let after = self.in_phase(Phase::After);
        if after.is_empty() {
            return Err(EvidenceError::Data {
                code: "TL354",
                message: "no treated group has controls in a period after its treatment began".into(),
                help: "add untreated units or units that are treated later".into(),
            });
        }
        let (labels, events, parts, overall) = match kind {
            Aggregate::Simple => (Vec::new(), Vec::new(), Vec::new(), self.weighted(&after)),
            Aggregate::Group => self.by_group(&after),
            Aggregate::Dynamic => self.by_event(),
            Aggregate::Calendar => self.by_period(&after),
        };
        let what = match kind {
            Aggregate::Dynamic => "event",
            Aggregate::Calendar => "time",
            _ => "group",
        };
        let named = labels.iter().map(|l| format!("{what}={l}")).chain([kind.words().to_owned()]);
        let combinations: Vec<(String, Vec<f64>)> =
            named.zip(parts.into_iter().chain([overall])).map(|(name, c)| (name, c.weights)).collect();
        Ok(Aggregation { kind, labels, events, joint: self.joint.combine(&combinations)? })
    }

    fn share(&self, group: usize) -> f64 {
        self.joint.values()[self.cells.len() + group]
    }

    /// θ = Σ p ATT / Σ p over some cells.
    fn weighted(&self, of: &[usize]) -> Combination {
        let total: f64 = of.iter().map(|c| self.share(self.cells[*c].group)).sum();
        let values = self.joint.values();
        let value = of.iter().map(|c| self.share(self.cells[*c].group) * values[*c]).sum::<f64>() / total;
        let mut weights = vec![0.0; self.joint.len()];
        for c in of {
            let group = self.cells[*c].group;
            weights[*c] += self.share(group) / total;
            weights[self.cells.len() + group] += (values[*c] - value) / total;
        }
        Combination { value, weights }
    }

    /// The plain mean of combinations.
    fn mean(&self, of: &[&Combination]) -> Combination {
        let n = of.len() as f64;
        let mut weights = vec![0.0; self.joint.len()];
        for c in of {
            weights.iter_mut().zip(&c.weights).for_each(|(w, v)| *w += v / n);
        }
        Combination { value: of.iter().map(|c| c.value).sum::<f64>() / n, weights }
    }

    fn by_group(&self, after: &[usize]) -> Parts {
        let (mut labels, mut parts, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for (group, name) in self.groups.iter().enumerate() {
            let own: Vec<usize> = after.iter().copied().filter(|c| self.cells[*c].group == group).collect();
            if own.is_empty() {
                continue;
            }
            // Within one group the shares cancel: a plain mean.
            let mut weights = vec![0.0; self.joint.len()];
            for c in &own {
                weights[*c] = 1.0 / own.len() as f64;
            }
            let value = own.iter().map(|c| self.joint.values()[*c]).sum::<f64>() / own.len() as f64;
            parts.push(Combination { value, weights });
            labels.push(name.clone());
            groups.push(group);
        }
        let total: f64 = groups.iter().map(|g| self.share(*g)).sum();
        let value = groups.iter().zip(&parts).map(|(g, p)| self.share(*g) * p.value).sum::<f64>() / total;
        let mut weights = vec![0.0; self.joint.len()];
        for (group, part) in groups.iter().zip(&parts) {
            let share = self.share(*group) / total;
            weights.iter_mut().zip(&part.weights).for_each(|(w, v)| *w += share * v);
            weights[self.cells.len() + group] += (part.value - value) / total;
        }
        (labels, Vec::new(), parts, Combination { value, weights })
    }

    fn by_event(&self) -> Parts {
        let mut events: Vec<f64> = self.cells.iter().map(|c| c.event).collect();
        events.sort_by(f64::total_cmp);
        events.dedup();
        let of = |e: f64| (0..self.cells.len()).filter(|c| self.cells[*c].event == e).collect::<Vec<_>>();
        let parts: Vec<Combination> = events.iter().map(|e| self.weighted(&of(*e))).collect();
        let after: Vec<&Combination> = events.iter().zip(&parts).filter(|(e, _)| **e >= 0.0).map(|(_, p)| p).collect();
        let overall = self.mean(&after);
        (events.iter().map(ToString::to_string).collect(), events, parts, overall)
    }

    fn by_period(&self, after: &[usize]) -> Parts {
        let (mut labels, mut parts) = (Vec::new(), Vec::new());
        for (time, name) in self.periods.iter().enumerate() {
            let own: Vec<usize> = after.iter().copied().filter(|c| self.cells[*c].time == time).collect();
            if !own.is_empty() {
                parts.push(self.weighted(&own));
                labels.push(name.clone());
            }
        }
        let overall = self.mean(&parts.iter().collect::<Vec<_>>());
        (labels, Vec::new(), parts, overall)
    }
}

type Parts = (Vec<String>, Vec<f64>, Vec<Combination>, Combination);
