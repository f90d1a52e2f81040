//! The rules of one journey, in their order: the first that drops a touch is written beside it.

use crate::config::{DirectRule, ViewThrough};
use crate::plan::{Plan, Step};
use crate::{Interaction, NONE, Output, Role, Rule, Signals};

/// What rules remember by channel. A cell counts only under the tick it was written at, so that nothing is cleared.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    tick: u64,
    seen: Vec<u64>,
    count: Vec<u32>,
}

impl Memory {
    pub(crate) fn new(channels: usize) -> Self {
        Self { tick: 0, seen: vec![0; channels], count: vec![0; channels] }
    }

    /// Forgets every channel.
    #[inline]
    fn forget(&mut self) {
        self.tick += 1;
    }

    /// Whether the channel comes for the first time.
    #[inline]
    fn is_new(&mut self, channel: u32) -> bool {
        std::mem::replace(&mut self.seen[channel as usize], self.tick) != self.tick
    }

    /// The cell of a channel, 0 at first.
    fn cell(&mut self, channel: u32) -> &mut u32 {
        let new = self.is_new(channel);
        let cell = &mut self.count[channel as usize];
        if new {
            *cell = 0;
        }
        cell
    }
}

/// The touches of one journey: those written to the ledger from `start` on.
#[derive(Debug)]
pub(crate) struct Judge<'a, 's> {
    pub(crate) plan: &'a Plan,
    pub(crate) signals: &'a Signals<'s>,
    pub(crate) memory: &'a mut Memory,
    pub(crate) out: &'a mut Output,
    pub(crate) start: usize,
}

impl Judge<'_, '_> {
    /// Applies the rules to touches of a journey that ends at `end`; gives the number of those kept.
    pub(crate) fn judge(&mut self, end: i64) -> usize {
        self.consent_and_window(end);
        if self.plan.view_through != ViewThrough::Counted {
            self.outrank();
        }
        if self.plan.direct_rule == DirectRule::Never {
            self.drop_channel(self.plan.direct, Rule::DirectNever);
        }
        if self.plan.per_session {
            self.once_per_session();
        }
        if self.plan.direct_rule == DirectRule::UnlessAlone && self.has_other_than(self.plan.direct) {
            self.drop_channel(self.plan.direct, Rule::DirectIgnored);
        }
        let plan = self.plan;
        for step in &plan.transforms {
            self.transform(*step);
        }
        self.limit()
    }

    fn consent_and_window(&mut self, end: i64) {
        let windows = &self.plan.windows;
        let places = self.out.touch_row[self.start..].iter().zip(&mut self.out.touch_rule[self.start..]);
        for (row, rule) in places {
            let row = *row as usize;
            let age = end.saturating_sub(self.signals.at[row]);
            if self.signals.role[row] & Role::NO_CONSENT != 0 {
                *rule = Rule::NoConsent;
            } else if age > windows.of(self.signals.channel[row], interaction(self.signals, row)) {
                *rule = Rule::OutsideLookback;
            }
        }
    }

    /// Marks kept touches that a predicate names, in time order. It gets the row and the session.
    #[inline]
    fn drop_where(&mut self, rule: Rule, mut drops: impl FnMut(&mut Memory, usize, u32) -> bool) {
        let sessions = &self.out.touch_session[self.start..];
        let places = self.out.touch_row[self.start..].iter().zip(sessions).zip(&mut self.out.touch_rule[self.start..]);
        for ((row, session), decided) in places {
            if *decided == Rule::Kept && drops(self.memory, *row as usize, *session) {
                *decided = rule;
            }
        }
    }

    /// Rows of the kept touches, in time order.
    fn kept(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        let rules = &self.out.touch_rule[self.start..];
        let places = self.out.touch_row[self.start..].iter().zip(rules);
        places.filter(|(_, rule)| **rule == Rule::Kept).map(|(row, _)| *row as usize)
    }

    fn outrank(&mut self) {
        let signals = self.signals;
        let rank = |row: usize| Interaction::from_code(interaction(signals, row)).rank();
        if self.plan.view_through == ViewThrough::UnlessClicked {
            let highest = self.kept().map(rank).max().unwrap_or_default();
            return self.drop_where(Rule::Outranked, |_, row, _| rank(row) < highest);
        }
        self.memory.forget();
        self.drop_where(Rule::Kept, |memory, row, _| {
            let highest = memory.cell(signals.channel[row]);
            *highest = (*highest).max(u32::from(rank(row)));
            false
        });
        self.drop_where(Rule::Outranked, |memory, row, _| u32::from(rank(row)) < *memory.cell(signals.channel[row]));
    }

    fn once_per_session(&mut self) {
        let channels = self.signals.channel;
        let mut current = NONE;
        self.drop_where(Rule::SameSession, |memory, row, session| {
            if session != current {
                current = session;
                memory.forget();
            }
            !memory.is_new(channels[row])
        });
    }

    fn has_other_than(&self, channel: u32) -> bool {
        self.kept().any(|row| self.signals.channel[row] != channel)
    }

    fn drop_channel(&mut self, channel: u32, rule: Rule) {
        let channels = self.signals.channel;
        self.drop_where(rule, |_, row, _| channels[row] == channel);
    }

    fn transform(&mut self, step: Step) {
        let channels = self.signals.channel;
        match step {
            Step::Exposure => {
                let mut previous = NONE;
                self.drop_where(Rule::RepeatedChannel, |_, row, _| {
                    std::mem::replace(&mut previous, channels[row]) == channels[row]
                });
            }
            Step::First => {
                self.memory.forget();
                self.drop_where(Rule::RepeatedChannel, |memory, row, _| !memory.is_new(channels[row]));
            }
            Step::Frequency => {
                self.memory.forget();
                self.drop_where(Rule::RepeatedChannel, |memory, row, _| {
                    let count = memory.cell(channels[row]);
                    *count += 1;
                    *count > 1
                });
            }
            Step::RemoveIfNotAll(channel) => {
                if self.has_other_than(channel) {
                    self.drop_channel(channel, Rule::RemovedChannel);
                }
            }
            Step::RemoveIfLastAndNotAll(channel) => {
                let mut trailing = self.kept().rev().take_while(|row| channels[*row] == channel).count();
                let mut before = self.kept().count() - trailing;
                if before == 0 {
                    trailing = 0;
                }
                self.drop_where(Rule::RemovedChannel, |_, _, _| {
                    let drops = before == 0 && trailing > 0;
                    before = before.saturating_sub(1);
                    drops
                });
            }
        }
    }

    fn limit(&mut self) -> usize {
        let kept = self.kept().count();
        let mut surplus = kept.saturating_sub(self.plan.max_touches);
        if surplus > 0 {
            self.drop_where(Rule::OverLimit, |_, _, _| {
                let over = surplus > 0;
                surplus = surplus.saturating_sub(1);
                over
            });
        }
        kept.min(self.plan.max_touches)
    }

    /// Writes the steps that are left; gives the time of the first.
    pub(crate) fn write_steps(&mut self) -> Option<i64> {
        let mut first = None;
        for place in self.start..self.out.touch_rule.len() {
            if self.out.touch_rule[place] == Rule::Kept {
                let row = self.out.touch_row[place] as usize;
                let channel = self.signals.channel[row];
                first = first.or(Some(self.signals.at[row]));
                self.out.steps.push(channel);
                if self.plan.has_repeats() {
                    // `frequency` is the last transform, so the counts of this journey still stand.
                    self.out.repeats.push(*self.memory.cell(channel));
                }
            }
        }
        first
    }
}

#[inline]
fn interaction(signals: &Signals<'_>, row: usize) -> u8 {
    signals.interaction.map_or(Interaction::Other.code(), |i| i[row])
}
