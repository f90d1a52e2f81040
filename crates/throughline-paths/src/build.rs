//! The kernel: signals of people in, journeys and judged touches out.

use crate::config::NullJourneys;
use crate::judge::{Judge, Memory};
use crate::outcomes::{Outcomes, index};
use crate::plan::Plan;
use crate::sessions::Sessions;
use crate::{Fate, NONE, Output, PathsError, Role, Rule, Signals};

/// Builds journeys by one plan. Its memory is used again from call to call; nothing is allocated for a journey.
///
/// Cost is linear in signals and touches written, whatever lies between: with `reuse_touches` a touch is written at most
/// `reuse_limit` times.
#[derive(Debug)]
pub struct Builder<'p> {
    plan: &'p Plan,
    memory: Memory,
    outcomes: Outcomes,
    /// Rows and sessions of the touches of the person at hand.
    touches: Vec<(u32, u32)>,
    /// Where the touches of its counted conversions end.
    ends: Vec<u32>,
}

impl<'p> Builder<'p> {
    /// A builder.
    pub fn new(plan: &'p Plan) -> Self {
        let memory = Memory::new(plan.channels);
        Self { plan, memory, outcomes: Outcomes::default(), touches: Vec::new(), ends: Vec::new() }
    }

    /// Appends the journeys of all people to `out`, by person and time; rows in it are rows of `signals`. A conversion
    /// without a kept touch is a journey with an empty path. Errors: columns that do not fit ([`Signals::check`]), or so many
    /// touches that their number has no 32 bits; `out` is then not to be used.
    pub fn build(&mut self, signals: &Signals<'_>, out: &mut Output) -> Result<(), PathsError> {
        signals.check(self.plan.channels)?;
        if signals.len() >= NONE as usize {
            return Err(PathsError::Shape { what: "signals", got: signals.len(), expected: NONE as usize - 1 });
        }
        for (person, rows) in signals.persons.windows(2).enumerate() {
            self.person(signals, index(person), rows[0] as usize..rows[1] as usize, out)?;
        }
        Ok(())
    }

    fn person(
        &mut self,
        signals: &Signals<'_>,
        person: u32,
        rows: std::ops::Range<usize>,
        out: &mut Output,
    ) -> Result<(), PathsError> {
        self.list(signals, rows);
        self.outcomes.settle(self.plan, signals);
        self.ends.clear();
        let (mut previous, mut oldest) = (0, 0);
        for place in 0..self.outcomes.all.len() {
            let outcome = self.outcomes.all[place];
            if outcome.fate != Fate::Counted {
                continue;
            }
            let (end, until) = (signals.at[outcome.row as usize], outcome.touches as usize);
            let mut from = previous;
            if let Some(limit) = self.plan.reuse {
                oldest = self.oldest(signals, oldest, end, limit, out);
                from = oldest.min(previous);
            }
            self.outcomes.all[place].journey = index(out.len());
            self.journey(signals, from..until, (person, outcome.row, end, outcome.micros), out)?;
            previous = until;
            self.ends.push(outcome.touches);
        }
        let rest = match self.plan.null_journeys {
            NullJourneys::Remainder => true,
            NullJourneys::NeverConverted => self.ends.is_empty(),
            NullJourneys::None => false,
        };
        if let Some((last, _)) = self.touches.last().filter(|_| rest && previous < self.touches.len()) {
            let end = signals.at[*last as usize];
            self.journey(signals, previous..self.touches.len(), (person, NONE, end, 0), out)?;
        }
        for outcome in &self.outcomes.all {
            out.outcome_row.push(outcome.row);
            out.outcome_fate.push(outcome.fate);
            out.outcome_journey.push(self.outcomes.journey(outcome));
            out.outcome_micros.push(outcome.micros);
        }
        Ok(())
    }

    /// Lists touches, conversions and refunds of a person, with their sessions.
    fn list(&mut self, signals: &Signals<'_>, rows: std::ops::Range<usize>) {
        self.touches.clear();
        self.outcomes.clear();
        let mut sessions = Sessions::new(self.plan);
        let touch_bits = if self.plan.conversion_is_touch { Role::TOUCH | Role::CONVERSION } else { Role::TOUCH };
        for row in rows {
            let role = signals.role[row];
            let is_touch = role & touch_bits != 0 && signals.channel[row] != NONE;
            let is_outcome = role & (Role::CONVERSION | Role::REFUND) != 0;
            let is_activity = is_touch || role & (Role::CONVERSION | Role::NO_CONSENT) == Role::CONVERSION;
            let session = if is_activity { sessions.next(signals, row) } else { 0 };
            if is_touch {
                self.touches.push((index(row), session));
            }
            if is_outcome {
                self.outcomes.push(signals, row, session, self.touches.len());
            }
        }
    }

    /// The first touch that a conversion at `end` may use again.
    fn oldest(&self, signals: &Signals<'_>, from: usize, end: i64, limit: usize, out: &mut Output) -> usize {
        let earliest = end.saturating_sub(self.plan.windows.longest);
        let mut oldest = from;
        while self.touches.get(oldest).is_some_and(|(row, _)| signals.at[*row as usize] < earliest) {
            oldest += 1;
        }
        let used_up = self.ends.len().checked_sub(limit).map_or(0, |place| self.ends[place] as usize);
        out.reuse_limited += u64::from(used_up > oldest);
        oldest.max(used_up)
    }

    /// Writes one journey over some of the person's touches; one that ended in no conversion needs a kept touch.
    fn journey(
        &mut self,
        signals: &Signals<'_>,
        touches: std::ops::Range<usize>,
        (person, conversion, end, micros): (u32, u32, i64, i64),
        out: &mut Output,
    ) -> Result<(), PathsError> {
        let considered = &self.touches[touches];
        let start = out.touch_row.len();
        let total = start + considered.len();
        if total >= NONE as usize {
            return Err(PathsError::Shape { what: "touches", got: total, expected: NONE as usize - 1 });
        }
        let base = considered.first().map_or(0, |(_, session)| *session);
        out.touch_row.extend(considered.iter().map(|(row, _)| *row));
        out.touch_session.extend(considered.iter().map(|(_, session)| *session - base));
        out.touch_rule.resize(total, Rule::Kept);
        let mut judge = Judge { plan: self.plan, signals, memory: &mut self.memory, out, start };
        if judge.judge(end) == 0 && conversion == NONE {
            out.touch_row.truncate(start);
            out.touch_session.truncate(start);
            out.touch_rule.truncate(start);
            return Ok(());
        }
        let first = judge.write_steps();
        out.person.push(person);
        out.conversion.push(conversion);
        out.started_at.push(first.unwrap_or(end));
        out.ended_at.push(end);
        out.value_micros.push(micros);
        out.touch_ends.push(index(total));
        out.step_ends.push(index(out.steps.len()));
        Ok(())
    }
}
