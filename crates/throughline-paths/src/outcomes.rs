//! Which conversions count, and what refunds take from them.

use crate::config::{Counting, Refunds};
use crate::plan::Plan;
use crate::{Fate, NO_ORDER, NONE, Role, Signals};

/// A conversion or refund of the person at hand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) row: u32,
    pub(crate) fate: Fate,
    /// Its session; of conversions that may count.
    pub(crate) session: u32,
    /// Touches of the person up to it, itself included where it is one.
    pub(crate) touches: u32,
    pub(crate) micros: i64,
    pub(crate) journey: u32,
    /// For a refund: the place of its conversion.
    link: u32,
}

/// The outcomes of the person at hand; memory is used again for the next one.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    pub(crate) all: Vec<Outcome>,
    orders: Vec<(u64, u32)>,
    refunds: bool,
}

impl Outcomes {
    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.refunds = false;
    }

    /// Takes a conversion or refund in; its fate is settled by [`settle`](Self::settle).
    pub(crate) fn push(&mut self, signals: &Signals<'_>, row: usize, session: u32, touches: usize) {
        let role = signals.role[row];
        let value = signals.value.map_or(0, |v| v[row]);
        let refund = role & Role::CONVERSION == 0;
        self.refunds |= refund;
        let fate = if role & Role::NO_CONSENT != 0 {
            Fate::NoConsent
        } else if refund {
            Fate::UnknownOrder
        } else {
            Fate::Counted
        };
        self.all.push(Outcome {
            row: index(row),
            fate,
            session,
            touches: index(touches),
            micros: if refund { value.saturating_abs() } else { value },
            journey: NONE,
            link: NONE,
        });
    }

    /// Decides about every outcome: consent, repeats, gap, then refunds.
    pub(crate) fn settle(&mut self, plan: &Plan, signals: &Signals<'_>) {
        if plan.count == Counting::OncePerOrder {
            self.drop_repeated_orders(signals);
        }
        if plan.count != Counting::Every || plan.gap > 0 {
            self.drop_repeats(plan, signals);
        }
        if self.refunds {
            self.refund(plan, signals);
        }
    }

    fn collect_orders(&mut self, signals: &Signals<'_>) {
        self.orders.clear();
        for (place, outcome) in self.all.iter().enumerate() {
            let order = order(signals, outcome.row);
            if outcome.fate == Fate::Counted && order != NO_ORDER {
                self.orders.push((order, index(place)));
            }
        }
        self.orders.sort_unstable();
    }

    fn drop_repeated_orders(&mut self, signals: &Signals<'_>) {
        self.collect_orders(signals);
        for pair in self.orders.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            self.all[pair[1].1 as usize].fate = Fate::RepeatedOrder;
        }
    }

    fn drop_repeats(&mut self, plan: &Plan, signals: &Signals<'_>) {
        let mut last: Option<(i64, u32)> = None;
        for outcome in self.all.iter_mut().filter(|o| o.fate == Fate::Counted) {
            let at = signals.at[outcome.row as usize];
            match last {
                Some(_) if plan.count == Counting::OncePerPerson => outcome.fate = Fate::RepeatedPerson,
                Some((_, session)) if plan.count == Counting::OncePerSession && session == outcome.session => {
                    outcome.fate = Fate::RepeatedSession;
                }
                Some((before, _)) if at.saturating_sub(before) < plan.gap => outcome.fate = Fate::WithinGap,
                _ => last = Some((at, outcome.session)),
            }
        }
    }

    fn refund(&mut self, plan: &Plan, signals: &Signals<'_>) {
        self.collect_orders(signals);
        for place in 0..self.all.len() {
            let refund = self.all[place];
            if refund.fate != Fate::UnknownOrder {
                continue;
            }
            let order = order(signals, refund.row);
            let first = self.orders.partition_point(|(known, _)| *known < order);
            let conversion = self.orders.get(first).filter(|(known, _)| *known == order).map(|(_, place)| *place);
            self.all[place].fate = match conversion {
                _ if plan.refunds == Refunds::Ignore => Fate::RefundIgnored,
                _ if order == NO_ORDER => Fate::WithoutOrder,
                None => Fate::UnknownOrder,
                Some(conversion) => {
                    let reduced = &mut self.all[conversion as usize].micros;
                    *reduced = reduced.saturating_sub(refund.micros);
                    self.all[place].link = conversion;
                    Fate::Refunded
                }
            };
        }
    }

    /// The journey of an outcome, once journeys are built.
    pub(crate) fn journey(&self, outcome: &Outcome) -> u32 {
        self.all.get(outcome.link as usize).map_or(outcome.journey, |conversion| conversion.journey)
    }
}

fn order(signals: &Signals<'_>, row: u32) -> u64 {
    signals.order.map_or(NO_ORDER, |o| o[row as usize])
}

/// Rows of one call are fewer than 2³², see [`Builder::build`](crate::Builder::build).
#[expect(clippy::cast_possible_truncation, reason = "the number of rows is checked")]
pub(crate) const fn index(place: usize) -> u32 {
    place as u32
}
