//! Randomness that can be replayed: who is held out, who is explored, and what the explored get.

use throughline_core::{Diagnostic, PersonId};

/// Most of a budget that may be set aside for exploration.
const MAX_RESERVED_SHARE: f64 = 0.5;

/// Salts of the three independent draws of a person.
#[derive(Debug)]
pub(crate) struct Salts {
    holdout: String,
    explore: String,
    draw: String,
}

impl Salts {
    /// The holdout's salt leaves out the cycle: it stays the same people.
    pub(crate) fn new(salt: &str, cycle: &str) -> Self {
        Self {
            holdout: format!("{salt}/holdout"),
            explore: format!("{salt}/explore/{cycle}"),
            draw: format!("{salt}/draw/{cycle}"),
        }
    }

    pub(crate) fn holds_out(&self, person: PersonId, share: f64) -> bool {
        person.unit_interval(&self.holdout) < share
    }

    /// A uniform position among `count`, which must be at least 1.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index below the count")]
    pub(crate) fn draw(&self, person: PersonId, count: usize) -> usize {
        ((person.unit_interval(&self.draw) * count as f64) as usize).min(count.saturating_sub(1))
    }
}

/// A person who may be explored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Explorable {
    draw: f64,
    person: PersonId,
    max_cost_micros: i64,
}

impl Explorable {
    pub(crate) fn new(person: PersonId, max_cost_micros: i64, salts: &Salts) -> Self {
        Self { draw: person.unit_interval(&salts.explore), person, max_cost_micros }
    }
}

/// Who is explored: a fixed number of people, those with the smallest salted draws.
///
/// The number is fixed before any draw is looked at, and so is the part of the budget set aside for it: the sum of as many
/// of the largest costs. Hence no draw can exceed the budget, nobody's chosen action depends on a draw, and each
/// explorable person is explored with probability exactly `explored / explorable`.
#[derive(Debug)]
pub(crate) struct Exploration {
    pub(crate) explorable: usize,
    wanted: usize,
    pub(crate) explored: usize,
    pub(crate) reserved_micros: i64,
    /// The last one explored, in order of draw and person.
    cutoff: Option<(f64, PersonId)>,
}

impl Exploration {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shares of counts and of budgets")]
    pub(crate) fn fix(mut people: Vec<Explorable>, share: f64, budget_micros: Option<i64>) -> Self {
        let wanted = (people.len() as f64 * share) as usize;
        let limit = budget_micros.map_or(i64::MAX, |b| (b as f64 * MAX_RESERVED_SHARE) as i64);
        people.sort_unstable_by_key(|p| std::cmp::Reverse(p.max_cost_micros));
        let (mut explored, mut reserved_micros) = (0_usize, 0_i64);
        for person in people.iter().take(wanted) {
            let more = reserved_micros.saturating_add(person.max_cost_micros);
            if more > limit {
                break;
            }
            (explored, reserved_micros) = (explored + 1, more);
        }
        people.sort_unstable_by(|a, b| a.draw.total_cmp(&b.draw).then(a.person.cmp(&b.person)));
        let cutoff = explored.checked_sub(1).and_then(|last| people.get(last)).map(|p| (p.draw, p.person));
        Self { explorable: people.len(), wanted, explored, reserved_micros, cutoff }
    }

    /// Whether a person is among the explored.
    pub(crate) fn includes(&self, person: PersonId, salts: &Salts) -> bool {
        let draw = person.unit_interval(&salts.explore);
        self.cutoff.is_some_and(|(last, who)| draw.total_cmp(&last).then(person.cmp(&who)).is_le())
    }

    /// Probability of being explored, the same for every explorable person.
    pub(crate) fn rate(&self) -> f64 {
        if self.explorable == 0 { 0.0 } else { self.explored as f64 / self.explorable as f64 }
    }

    pub(crate) fn diagnostics(&self, share: f64) -> Vec<Diagnostic> {
        if self.explored < self.wanted {
            let message = format!(
                "exploring {} of {} people could cost more than half the budget; {} are explored",
                self.wanted, self.explorable, self.explored
            );
            return vec![Diagnostic::warning("TL907", message).help("raise the budget or lower `exploration`")];
        }
        if share > 0.0 && self.explored == 0 && self.explorable > 0 {
            let message = format!("{share} of {} people is less than one: nobody is explored", self.explorable);
            return vec![Diagnostic::warning("TL907", message)];
        }
        Vec::new()
    }
}
