//! What the kernel writes: journeys, the ledger of touches and the ledger of conversions, in columns.

use std::ops::Range;

use crate::outcomes::index;
use crate::{Fate, NONE, Rule};

/// Journeys with their touches and steps. The vectors are meant to be used again: [`clear`](Self::clear) keeps what was
/// allocated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// The person of each journey, counted from 0 in the order of the signals.
    pub person: Vec<u32>,
    /// The row of its conversion; [`NONE`] for a journey that ended in none.
    pub conversion: Vec<u32>,
    /// The first step's time in µs; the end for a journey without step.
    pub started_at: Vec<i64>,
    /// The conversion's time in µs; the last touch's for a journey without conversion.
    pub ended_at: Vec<i64>,
    /// The conversion's value after refunds, in millionths; 0 without conversion.
    pub value_micros: Vec<i64>,
    /// Where the touches of each journey end in the ledger.
    pub touch_ends: Vec<u32>,
    /// Where the steps of each journey end.
    pub step_ends: Vec<u32>,
    /// Channel numbers of the kept touches.
    pub steps: Vec<u32>,
    /// How often the channel of a step stood in the path, where the transform is `frequency`; empty otherwise.
    pub repeats: Vec<u32>,
    /// The ledger of touches: the row of each touch considered, by journey, in time order.
    pub touch_row: Vec<u32>,
    /// Its session, counted from 0 within the journey.
    pub touch_session: Vec<u32>,
    /// What decided.
    pub touch_rule: Vec<Rule>,
    /// The ledger of conversions and refunds: the row of each.
    pub outcome_row: Vec<u32>,
    /// What became of it.
    pub outcome_fate: Vec<Fate>,
    /// The journey that it ended or whose value it reduced, or [`NONE`].
    pub outcome_journey: Vec<u32>,
    /// A conversion's value after refunds, a refund's amount (at least 0), in millionths.
    pub outcome_micros: Vec<i64>,
    /// Conversions for which earlier touches had served as often as they may.
    pub reuse_limited: u64,
}

/// One journey of an [`Output`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JourneyView<'a> {
    /// The person.
    pub person: u32,
    /// The row of the conversion.
    pub conversion: Option<u32>,
    /// Channel numbers of the path.
    pub steps: &'a [u32],
    /// The touches considered: places in the ledger.
    pub touches: Range<usize>,
}

impl Output {
    /// Number of journeys.
    pub fn len(&self) -> usize {
        self.person.len()
    }

    /// Whether there is no journey.
    pub fn is_empty(&self) -> bool {
        self.person.is_empty()
    }

    /// Places of a journey's touches in the ledger; none beyond the last journey.
    pub fn touches_of(&self, journey: usize) -> Range<usize> {
        part(&self.touch_ends, journey)
    }

    /// Places of a journey's steps; none beyond the last journey.
    pub fn steps_of(&self, journey: usize) -> Range<usize> {
        part(&self.step_ends, journey)
    }

    /// Every journey, in order.
    pub fn journeys(&self) -> impl ExactSizeIterator<Item = JourneyView<'_>> {
        (0..self.len()).map(|j| JourneyView {
            person: self.person[j],
            conversion: Some(self.conversion[j]).filter(|c| *c != NONE),
            steps: &self.steps[self.steps_of(j)],
            touches: self.touches_of(j),
        })
    }

    /// Appends another output whose rows and people are counted from `rows` and `people` on here.
    pub(crate) fn append(&mut self, other: &Self, rows: u32, people: u32) {
        let moved = |by: u32| move |place: &u32| if *place == NONE { NONE } else { *place + by };
        let (journeys, touches, steps) = (index(self.len()), index(self.touch_row.len()), index(self.steps.len()));
        self.person.extend(other.person.iter().map(moved(people)));
        self.conversion.extend(other.conversion.iter().map(moved(rows)));
        self.started_at.extend(&other.started_at);
        self.ended_at.extend(&other.ended_at);
        self.value_micros.extend(&other.value_micros);
        self.touch_ends.extend(other.touch_ends.iter().map(moved(touches)));
        self.step_ends.extend(other.step_ends.iter().map(moved(steps)));
        self.steps.extend(&other.steps);
        self.repeats.extend(&other.repeats);
        self.touch_row.extend(other.touch_row.iter().map(moved(rows)));
        self.touch_session.extend(&other.touch_session);
        self.touch_rule.extend(&other.touch_rule);
        self.outcome_row.extend(other.outcome_row.iter().map(moved(rows)));
        self.outcome_fate.extend(&other.outcome_fate);
        self.outcome_journey.extend(other.outcome_journey.iter().map(moved(journeys)));
        self.outcome_micros.extend(&other.outcome_micros);
        self.reuse_limited += other.reuse_limited;
    }

    /// Forgets everything but what was allocated.
    pub fn clear(&mut self) {
        self.person.clear();
        self.conversion.clear();
        self.started_at.clear();
        self.ended_at.clear();
        self.value_micros.clear();
        self.touch_ends.clear();
        self.step_ends.clear();
        self.steps.clear();
        self.repeats.clear();
        self.touch_row.clear();
        self.touch_session.clear();
        self.touch_rule.clear();
        self.outcome_row.clear();
        self.outcome_fate.clear();
        self.outcome_journey.clear();
        self.outcome_micros.clear();
        self.reuse_limited = 0;
    }
}

fn part(ends: &[u32], place: usize) -> Range<usize> {
    let start = place.checked_sub(1).and_then(|p| ends.get(p)).map_or(0, |e| *e as usize);
    ends.get(place).map_or(0..0, |end| start..*end as usize)
}
