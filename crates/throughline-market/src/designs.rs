//! What each design really caused: this market against the same one with the design's field changed, every random number kept.
//! Means are exact given people and touches ([`crate::Truth`] says how); nothing here is estimated.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::interventions::{is_called, voucher_score, wins};
use crate::plan::Plan;
use crate::response::{self, Course, Drive};
use crate::scenario::Scenario;
use crate::{Arm, Life, Source, World, exposure, person};

/// People on each side of a cut within this distance of the score tell the effect at it.
const BANDWIDTH: f64 = 10.0;

/// A design and what it caused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DesignTruth {
    /// Name: that of the design, with the arm where there are several.
    pub design: String,
    /// What the number is the mean of.
    pub estimand: String,
    /// Its unit.
    pub unit: String,
    /// The true value.
    pub true_effect: f64,
    /// Mean difference between those treated and the others, which a reader without the design would take; empty where
    /// there is no such pair.
    pub naive_difference: Option<f64>,
    /// People, or people times days, over which it is a mean.
    pub n: f64,
    /// The first day of the outcome's window.
    pub from_day: u32,
    /// The first day after it.
    pub to_day: u32,
}

/// A weighted mean in the making.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    weight: f64,
}

impl Mean {
    fn add(&mut self, value: f64, weight: f64) {
        self.sum += value * weight;
        self.weight += weight;
    }

    /// 0 for a mean over nobody.
    fn value(self) -> f64 {
        if self.weight == 0.0 { 0.0 } else { self.sum / self.weight }
    }
}

impl World {
    /// What every design of the scenario caused, the e-mail test first.
    pub fn designs(&self) -> Vec<DesignTruth> {
        let mut designs = self.mail_test();
        designs.extend(self.geo_test());
        designs.extend(self.rollout());
        designs.extend(self.lottery());
        designs.extend(self.voucher());
        designs.extend(self.outreach().into_iter().flatten());
        designs
    }

    /// The course of one person in another market whose touches are drawn anew.
    fn redrawn(&self, source: &Source, life: &Life) -> (Life, Course) {
        let other = source.life(life.person.number);
        let intent = person::intent(&self.scenario().intent, &self.noise(life), self.plan().horizon());
        let course = Drive::new(&source.plan, &other.person, &intent, &other.touches).course(None, &other.sent);
        (other, course)
    }

    /// The course of one person in another market with the same touches.
    fn course_in(&self, plan: &Plan, life: &Life) -> Course {
        self.drive_in(plan, life).course(None, &life.sent)
    }

    /// Probability of a purchase within a window, given the purchases before.
    fn any(&self, course: &Course, life: &Life, days: Range<u32>) -> f64 {
        let state = response::state(self.plan(), &life.purchases, days.start);
        response::expect(self.plan(), course, state, days).any
    }

    /// Mean purchases over days from the first day on.
    fn mean_purchases(&self, course: &Course, days: &Range<u32>) -> f64 {
        let until = |end: u32| response::expect(self.plan(), course, self.plan().recovery.len() - 1, 0..end).purchases;
        until(days.end) - until(days.start)
    }

    pub(crate) fn mail_test(&self) -> Vec<DesignTruth> {
        let test = &self.scenario().experiment;
        let tested: Vec<&Life> = self.lives().iter().filter(|l| l.arm.is_some()).collect();
        let outlooks: Vec<_> = tested.iter().map(|l| self.outlook(l, &self.drive(l), test.day)).collect();
        let arms = [Arm::EmailOffer, Arm::EmailNews];
        let of = |arm: Arm| {
            let (mut effect, mut got, mut not) = (Mean::default(), Mean::default(), Mean::default());
            for (life, outlook) in tested.iter().zip(&outlooks) {
                let [none, with] = [Arm::None, arm].map(|a| outlook.probability[a.index()]);
                effect.add(with - none, 1.0);
                match life.arm {
                    Some(a) if a == arm => got.add(with, 1.0),
                    Some(Arm::None) => not.add(none, 1.0),
                    _ => {}
                }
            }
            told(
                &format!("mail_test:{arm}"),
                "mean effect on everybody in the test",
                PURCHASE,
                effect,
                Some((got, not)),
                test.day..test.day + test.window_days,
            )
        };
        arms.into_iter().map(of).collect()
    }

    pub(crate) fn geo_test(&self) -> Vec<DesignTruth> {
        let Some(test) = &self.scenario().interventions.geo_test else { return Vec::new() };
        let without = self.counterfactual(|s| s.interventions.geo_test = None);
        let days = test.from_day..(test.from_day + test.days).min(self.scenario().days);
        let length = f64::from(days.end.saturating_sub(days.start));
        let parts = self.each_life(|life| {
            let now = self.mean_purchases(&self.course_in(self.plan(), life), &days);
            let then = self.mean_purchases(&self.redrawn(&without, life).1, &days);
            (life.person.area_on(days.start), now, now - then)
        });
        let area = |area: u32| self.plan().areas.get(area as usize).copied().unwrap_or_default();
        let mut means = [Mean::default(); 2];
        let mut levels = [Mean::default(); 2];
        for (home, now, caused) in &parts {
            let side = usize::from(!area(*home).treated);
            // A person weighs as many days as the test has: the mean is per person and day.
            means[side].add(caused / length.max(1.0), length);
            levels[side].add(now / length.max(1.0), length);
        }
        let [treated, others] = means;
        vec![
            told(
                "geo_test",
                "mean over people in treated areas",
                PER_DAY,
                treated,
                Some((levels[0], levels[1])),
                days.clone(),
            ),
            told("geo_test:spillover", "mean over people in the other areas", PER_DAY, others, None, days),
        ]
    }

    pub(crate) fn rollout(&self) -> Option<DesignTruth> {
        let spec = self.scenario().interventions.rollout.as_ref()?;
        let without = self.counterfactual(|s| s.interventions.rollout = None);
        let end = self.scenario().days;
        let parts = self.each_life(|life| {
            let launch = self.plan().areas.get(life.person.area as usize).and_then(|a| a.launch);
            let from = launch.filter(|day| *day < end && life.person.moves.is_none())?;
            let of = |plan| self.mean_purchases(&self.course_in(plan, life), &(from..end));
            Some((of(self.plan()) - of(&without.plan), f64::from(end - from)))
        });
        let mut mean = Mean::default();
        parts.into_iter().flatten().for_each(|(caused, days)| mean.add(caused / days, days));
        let first = spec.waves.iter().map(|w| w.day).min().unwrap_or(0);
        Some(told("rollout", "mean over exposed days of people who stay", PER_DAY, mean, None, first..end))
    }

    /// The effect of opening the newsletter on those whom the better hour makes open it.
    pub(crate) fn lottery(&self) -> Option<DesignTruth> {
        let spec = self.scenario().interventions.lottery.as_ref()?;
        let mail = self.plan().channel(crate::Channel::Email)?;
        let day = exposure::newsletter_from(mail, spec.day);
        let days = day..day + spec.window_days;
        let [all, nobody] = [1.0, 0.0].map(|share| {
            self.counterfactual(|s| {
                if let Some(lottery) = s.interventions.lottery.as_mut() {
                    lottery.share = share;
                }
            })
        });
        let parts = self.each_life(|life| {
            if !life.person.contactable_on(day) {
                return (None, None);
            }
            let [(always, with), (never, without)] = [&all, &nobody].map(|source| self.redrawn(source, life));
            let complies = opened(&always, day) && !opened(&never, day);
            let [with, without] = [with, without].map(|course| self.any(&course, life, days.clone()));
            let level = if opened(life, day) == opened(&always, day) { with } else { without };
            (complies.then_some(with - without), Some((opened(life, day), level)))
        });
        let (mut effect, mut read, mut not) = (Mean::default(), Mean::default(), Mean::default());
        for (caused, level) in parts {
            if let Some(caused) = caused {
                effect.add(caused, 1.0);
            }
            if let Some((opened, level)) = level {
                let side = if opened { &mut read } else { &mut not };
                side.add(level, 1.0);
            }
        }
        let what = "effect of opening on those who open because of the hour";
        Some(told("lottery", what, PURCHASE, effect, Some((read, not)), days))
    }

    /// The effect of the voucher on people at the cut: a local line through everybody's own effect.
    pub(crate) fn voucher(&self) -> Option<DesignTruth> {
        let spec = self.scenario().interventions.voucher.as_ref()?;
        let days = spec.day..spec.day + spec.window_days;
        let [all, nobody] = [-1.0, 101.0].map(|cut| self.counterfactual(|s| cut_at(s, cut)));
        let parts = self.each_life(|life| {
            let score = voucher_score(self.plan(), &life.person);
            let asked = life.person.contactable_on(spec.day);
            let any = |source: &Source| self.any(&self.course_in(&source.plan, life), life, days.clone());
            asked.then(|| (score, any(&all), any(&nobody)))
        });
        let (mut at_cut, mut got, mut not) = (Line::default(), Mean::default(), Mean::default());
        for (score, with, without) in parts.into_iter().flatten() {
            at_cut.add(score - spec.cut, with - without, (1.0 - (score - spec.cut).abs() / BANDWIDTH).max(0.0));
            if score >= spec.cut { got.add(with, 1.0) } else { not.add(without, 1.0) }
        }
        let mean = Mean { sum: at_cut.at_zero() * at_cut.weight, weight: at_cut.weight };
        Some(told("voucher", "effect on people at the cut", PURCHASE, mean, Some((got, not)), days))
    }

    /// The effect of a call: on those called, and on everybody who might have been.
    pub(crate) fn outreach(&self) -> Option<[DesignTruth; 2]> {
        let spec = self.scenario().interventions.outreach.as_ref()?;
        let days = spec.day..spec.day + spec.window_days;
        let [all, nobody] = [1e3, -1e3].map(|log_odds| {
            self.counterfactual(|s| {
                if let Some(outreach) = s.interventions.outreach.as_mut() {
                    outreach.log_odds = log_odds;
                }
            })
        });
        let parts = self.each_life(|life| {
            let intent = person::intent(&self.scenario().intent, &self.noise(life), self.plan().horizon());
            let asked = life.person.contactable_on(spec.day);
            asked.then(|| {
                let [with, without] =
                    [&all, &nobody].map(|s| self.any(&self.course_in(&s.plan, life), life, days.clone()));
                (is_called(spec, &life.person, &intent), with, without)
            })
        });
        let (mut called, mut everybody) = (Mean::default(), Mean::default());
        let (mut got, mut not) = (Mean::default(), Mean::default());
        for (is_called, with, without) in parts.into_iter().flatten() {
            everybody.add(with - without, 1.0);
            if is_called {
                called.add(with - without, 1.0);
                got.add(with, 1.0);
            } else {
                not.add(without, 1.0);
            }
        }
        let naive = Some((got, not));
        Some([
            told("outreach", "mean effect on those called", PURCHASE, called, naive, days.clone()),
            told("outreach:everybody", "mean effect on everybody who may be called", PURCHASE, everybody, naive, days),
        ])
    }

    /// Whether a person's newsletter was the one at the better hour.
    pub(crate) fn won(&self, life: &Life) -> bool {
        self.scenario().interventions.lottery.as_ref().is_some_and(|spec| wins(spec, &life.person))
    }
}

fn told(
    design: &str,
    estimand: &str,
    unit: &str,
    effect: Mean,
    levels: Option<(Mean, Mean)>,
    days: Range<u32>,
) -> DesignTruth {
    DesignTruth {
        design: design.to_owned(),
        estimand: estimand.to_owned(),
        unit: unit.to_owned(),
        true_effect: effect.value(),
        naive_difference: levels.map(|(treated, others)| treated.value() - others.value()),
        n: effect.weight,
        from_day: days.start,
        to_day: days.end,
    }
}

const PURCHASE: &str = "probability of a purchase in the window";
const PER_DAY: &str = "purchases a person and day";

/// Whether a life opened the e-mail of a day.
pub(crate) fn opened(life: &Life, day: u32) -> bool {
    life.touches.iter().any(|t| t.day == day && t.kind == throughline_core::EventKind::EmailOpened)
}

fn cut_at(scenario: &mut Scenario, cut: f64) {
    if let Some(voucher) = scenario.interventions.voucher.as_mut() {
        voucher.cut = cut;
    }
}

/// A weighted least-squares line.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    weight: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
}

impl Line {
    fn add(&mut self, x: f64, y: f64, weight: f64) {
        self.weight += weight;
        self.x += weight * x;
        self.y += weight * y;
        self.xx += weight * x * x;
        self.xy += weight * x * y;
    }

    /// Its value at 0; the mean where all points share one x, 0 without any.
    fn at_zero(&self) -> f64 {
        let determinant = self.weight * self.xx - self.x * self.x;
        if determinant > 1e-9 * self.weight * self.xx {
            (self.xx * self.y - self.x * self.xy) / determinant
        } else if self.weight > 0.0 {
            self.y / self.weight
        } else {
            0.0
        }
    }
}
