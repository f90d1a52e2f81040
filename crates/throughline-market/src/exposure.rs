//! Which touches reach a person. Touches follow intent and earlier visits, never purchases: a counterfactual that removes
//! a channel's touches leaves everybody else's where they were.

use throughline_core::EventKind;

use crate::channel::{Campaign, Form};
use crate::noise::{self, Noise, Purpose};
use crate::person::arm_spec;
use crate::plan::{ChannelPlan, Plan};
use crate::{Arm, Channel, Person, Touch};

/// Touches fall between 06:00 and 17:00, purchases later: every touch of a day precedes the day's purchase.
const FIRST_SECOND: f64 = 6.0 * 3_600.0;
const SPAN_SECONDS: f64 = 11.0 * 3_600.0;
/// At most this many touches of one channel on one day.
const MOST: u32 = 4;
/// Days for which a visit keeps a person in the retargeting audience.
const AUDIENCE_DAYS: u32 = 7;
/// Newsletters go out on every seventh day, from day 2.
const NEWSLETTER_DAY: u32 = 2;

/// A person on a day.
struct Moment<'a> {
    plan: &'a Plan,
    person: &'a Person,
    noise: &'a Noise,
    day: u32,
    intent: f64,
}

/// The touches of a person, ordered by time.
pub(crate) fn touches(plan: &Plan, person: &Person, noise: &Noise, intent: &[f64], arm: Option<Arm>) -> Vec<Touch> {
    let mut touches: Vec<Touch> = Vec::new();
    let mut last_visit: Option<u32> = None;
    for (day, &intent) in (0..).zip(intent) {
        let moment = Moment { plan, person, noise, day, intent };
        let begin = touches.len();
        let in_audience = last_visit.is_some_and(|visit| day <= visit + AUDIENCE_DAYS);
        for channel in Channel::ALL {
            let Some(spec) = plan.channel(channel) else { continue };
            match channel.form() {
                Form::Message => moment.message(spec, arm, &mut touches),
                Form::Audience if !in_audience => {}
                form => moment.advertise(channel, form, spec, &mut touches),
            }
        }
        touches[begin..].sort_by_key(|t| (t.second, t.channel));
        if touches[begin..].iter().any(|t| matches!(t.kind, EventKind::Visit | EventKind::Click)) {
            last_visit = Some(day);
        }
    }
    touches
}

impl Moment<'_> {
    fn unit(&self, purpose: Purpose, channel: Channel, k: u32) -> f64 {
        self.noise.unit(purpose, self.day, slot(channel, k))
    }

    fn touch(&self, channel: Channel, kind: EventKind, k: u32, campaign: Campaign) -> Touch {
        let device = self.noise.index(Purpose::Device, self.day, slot(channel, k), self.person.devices);
        let second = second(self.unit(Purpose::Moment, channel, k));
        Touch { day: self.day, second, channel, kind, campaign, device, cost_micros: 0 }
    }

    fn advertise(&self, channel: Channel, form: Form, spec: &ChannelPlan, touches: &mut Vec<Touch>) {
        let mean = spec.reach * (spec.targeting * self.intent).exp();
        for k in 0..noise::poisson(self.unit(Purpose::Exposure, channel, 0), mean, MOST) {
            let kind = match form {
                Form::Visit => EventKind::Visit,
                Form::Clicked => EventKind::Click,
                _ => EventKind::Impression,
            };
            let campaign = spec.choose(self.unit(Purpose::Creative, channel, k), self.intent);
            let mut touch = self.touch(channel, kind, k, Campaign::Listed(campaign));
            touch.cost_micros = match form {
                Form::Visit => 0,
                Form::Clicked => spec.click_micros,
                _ => spec.impression_micros,
            };
            touches.push(touch);
            let clicks = self.unit(Purpose::Response, channel, k) < spec.click_rate * (0.3 * self.intent).exp();
            if clicks && kind == EventKind::Impression {
                let second = touch.second + 20;
                touches.push(Touch { kind: EventKind::Click, second, cost_micros: spec.click_micros, ..touch });
            }
        }
    }

    /// Newsletters rest while a test or a decided campaign runs, so that its arms stay clean.
    fn message(&self, spec: &ChannelPlan, arm: Option<Arm>, touches: &mut Vec<Touch>) {
        if !self.person.contactable() {
            return;
        }
        let test = &self.plan.scenario.experiment;
        let resting = |begin: u32| (begin..begin + test.window_days).contains(&self.day);
        let (campaign, cost_micros) = match arm {
            Some(arm) if self.day == test.day => match arm_spec(&self.plan.scenario, arm) {
                Some(arm_spec) => (Campaign::Test(arm), noise::fine(arm_spec.send_cost)),
                None => return,
            },
            _ if resting(test.day) || resting(self.plan.scenario.days) => return,
            _ if self.day % 7 == NEWSLETTER_DAY => (Campaign::Listed(0), spec.impression_micros),
            _ => return,
        };
        let mut sent = self.touch(Channel::Email, EventKind::EmailSent, 0, campaign);
        sent.second = second(0.0);
        touches.push(Touch { cost_micros, ..sent });
        if self.unit(Purpose::Exposure, Channel::Email, 0) < spec.reach * (spec.targeting * self.intent).exp() {
            let second = second(0.1 + 0.8 * self.unit(Purpose::Moment, Channel::Email, 1));
            touches.push(Touch { kind: EventKind::EmailOpened, second, ..sent });
            if self.unit(Purpose::Response, Channel::Email, 0) < spec.click_rate {
                touches.push(Touch { kind: EventKind::EmailClicked, second: second + 40, ..sent });
            }
        }
    }
}

fn slot(channel: Channel, k: u32) -> u32 {
    u32::try_from(channel.index()).unwrap_or(0) * 16 + k
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a second of the day")]
fn second(unit: f64) -> u32 {
    (FIRST_SECOND + SPAN_SECONDS * unit) as u32
}

/// Ends each day of a channel with a budget at the touch that exhausts it: in order of time, person by person, touches
/// after the budget is spent do not happen.
pub(crate) fn spend_budgets(plan: &Plan, lives: &mut [crate::Life]) {
    for (channel, budget) in
        Channel::ALL.into_iter().filter_map(|c| plan.channel(c).and_then(|s| s.budget_micros).map(|b| (c, b)))
    {
        let mut order: Vec<(u32, u32, usize, usize)> = Vec::new();
        for (who, life) in lives.iter().enumerate() {
            let of_channel = life.touches.iter().enumerate().filter(|(_, t)| t.channel == channel);
            order.extend(of_channel.map(|(index, t)| (t.day, t.second, who, index)));
        }
        order.sort_unstable();
        let (mut today, mut spent) = (0, 0_i64);
        let mut dropped: Vec<(usize, usize)> = Vec::new();
        for (day, _, who, index) in order {
            if day != today {
                (today, spent) = (day, 0);
            }
            if spent >= budget {
                dropped.push((who, index));
            } else {
                spent = spent.saturating_add(lives[who].touches[index].cost_micros);
            }
        }
        dropped.sort_unstable();
        for group in dropped.chunk_by(|a, b| a.0 == b.0) {
            let mut gone = group.iter().map(|(_, index)| *index).peekable();
            let mut index = 0;
            lives[group[0].0].touches.retain(|_| {
                let keep = gone.next_if_eq(&index).is_none();
                index += 1;
                keep
            });
        }
    }
}
