//! Sessions: where a person's activity splits.

use crate::plan::Plan;
use crate::{NONE, Signals};

/// Numbers a person's sessions from 0, one signal after the other.
#[derive(Debug)]
pub(crate) struct Sessions<'a> {
    plan: &'a Plan,
    number: u32,
    begun: bool,
    started: i64,
    last: i64,
    day: i64,
    campaign: u32,
}

impl<'a> Sessions<'a> {
    pub(crate) const fn new(plan: &'a Plan) -> Self {
        Self { plan, number: 0, begun: false, started: 0, last: 0, day: 0, campaign: NONE }
    }

    /// The session of the next signal.
    #[inline]
    pub(crate) fn next(&mut self, signals: &Signals<'_>, row: usize) -> u32 {
        let at = signals.at[row];
        let campaign = if self.plan.at_campaign_change { signals.campaign.map_or(NONE, |c| c[row]) } else { NONE };
        let day = self.plan.zone.as_ref().map_or(0, |zone| zone.day(at));
        let splits = at.saturating_sub(self.last) > self.plan.pause
            || at.saturating_sub(self.started) > self.plan.longest_session
            || day != self.day
            || (campaign != NONE && campaign != self.campaign);
        if !self.begun || splits {
            self.number += u32::from(self.begun);
            self.begun = true;
            self.started = at;
            self.campaign = NONE;
        }
        if campaign != NONE {
            self.campaign = campaign;
        }
        self.last = at;
        self.day = day;
        self.number
    }
}
