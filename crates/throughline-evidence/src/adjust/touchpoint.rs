//! What if a touchpoint disappeared: the effect of a channel's touches among those whom it touched, adjusted for what was known
//! before each touch.
//!
//! The unit is a person-day. It is treated if the channel touched the person on that day; its reference time is that first touch.
//! A person-day without one gets a reference time too: the time of day of a treated one, drawn at random. Everything before
//! the reference time is a covariate, everything within the window after it the outcome, in both arms alike. So nobody is
//! compared over a stretch of time in which one arm could not yet be treated or had to have survived untreated (immortal
//! time): who is a control today may be treated tomorrow, and no arm is chosen by what comes after its own reference time.
//!
//! Sources: Suissa (2008), American Journal of Epidemiology 167 (immortal time); Hernán, Robins (2016), AJE 183 (emulated trials that
//! begin at each time); Zhou et al. (2005), AJE 162 (reference times of the untreated from those of the treated).

use serde_json::json;
use throughline_core::{Diagnostic, Estimate, Level};
use throughline_stats::stream::Stream;

use super::settings::{AdjustSettings, Estimand, data};
use super::{Method, Study, effect};
use crate::{EvidenceError, Report};

/// A touch: person, instant in microseconds, channel.
pub type TouchAt = (u32, i64, u32);

const DAY: i64 = 86_400_000_000;
/// Days of the near one of the two spans in which earlier touches are counted.
const NEAR_DAYS: i64 = 7;

/// What people did and what is known about them. Persons are numbered from 0, in an order that depends on who they are and not on
/// how rows stand, so that random draws do not either.
#[derive(Debug, Clone, Copy)]
pub struct Touchpoints<'a> {
    /// How many persons.
    pub persons: u32,
    /// The channels' names.
    pub channels: &'a [String],
    /// Touches in any order.
    pub touches: &'a [TouchAt],
    /// Conversions in any order: person, instant in microseconds.
    pub conversions: &'a [(u32, i64)],
    /// What is known about each person beforehand: a value a person.
    pub covariates: &'a [(String, Vec<f64>)],
}

/// How the effect of a touchpoint is estimated.
#[derive(Debug, Clone, PartialEq)]
pub struct TouchpointSettings {
    /// Days after the reference time in which conversions count, 1 to 90.
    pub window_days: u32,
    /// Days before it from which covariates are made, 7 to 365. Days earlier than this after the first event are not used.
    pub lookback_days: u32,
    /// Untreated person-days drawn for each treated one, at most.
    pub controls: u32,
    /// Treated person-days used at most; a random part of them beyond.
    pub most_treated: u32,
    /// Confidence level.
    pub level: Level,
    /// Learners, folds, trimming, seed.
    pub adjust: AdjustSettings,
}

impl Default for TouchpointSettings {
    fn default() -> Self {
        Self {
            window_days: 14,
            lookback_days: 30,
            controls: 3,
            most_treated: 20_000,
            level: Level::P90,
            adjust: AdjustSettings::default(),
        }
    }
}

/// The effect of one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct TouchpointEffect {
    /// The channel.
    pub channel: String,
    /// Person-days on which it touched somebody, of those whose lookback and window are observed.
    pub touched_days: u64,
    /// Persons touched on them.
    pub touched_persons: u64,
    /// Conversions that its touches caused within their windows: ATT × touched days.
    pub incremental: Estimate,
    /// The report of the ATT, in conversions a touched day: balance, overlap, sensitivity.
    pub report: Report,
}

/// One person-day: person, reference time, whether treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PersonDay {
    person: u32,
    at: i64,
    treated: bool,
}

/// Events by person, each ordered by time.
struct Histories {
    touches: Vec<Vec<(i64, u32)>>,
    conversions: Vec<Vec<i64>>,
    /// Days that may be used.
    days: std::ops::Range<i64>,
}

/// The doubly robust effect of a channel's touches: [`aipw`](super::aipw) for the ATT over person-days, errors clustered by person.
///
/// Untreated person-days are a random sample. The ATT does not depend on the rate: the odds of treatment that weigh a control grow by
/// as much as controls are fewer. ATT × touched days is what all the channel's touches brought if the effects of a person's
/// touches add up; later touches of either arm come as they come. Assumes that, given the covariates, who is touched today is as
/// good as random: a wish to buy that no column shows breaks it, upwards where advertising follows that wish. Tier 1.
///
/// # Errors
/// A channel that is not there, settings out of bounds, too few days for lookback and window (TL397), and those of [`effect`].
pub fn touchpoint(
    data_in: &Touchpoints<'_>,
    channel: u32,
    settings: &TouchpointSettings,
) -> Result<TouchpointEffect, EvidenceError> {
    check(data_in, channel, settings)?;
    let histories = Histories::new(data_in, settings)?;
    let (units, touched_days, touched_persons) = units(&histories, channel, settings);
    let name = data_in.channels.get(channel as usize).cloned().unwrap_or_default();
    let study = study(data_in, &histories, &units, channel, settings)?;
    let mut report = effect(&study, Method::Aipw, Estimand::Att, &settings.adjust, &[], settings.level)?;
    let incremental = times(&report.estimate, touched_days as f64);
    report.assume("the effects of a person's touches add up, and later touches come as they come");
    report.assume("a touch works within the window");
    report.detail(
        "touchpoint",
        json!({
            "channel": name, "touched_days": touched_days, "touched_persons": touched_persons,
            "window_days": settings.window_days, "lookback_days": settings.lookback_days,
            "person_days": units.len(), "incremental_conversions": incremental,
        }),
    );
    let used = units.iter().filter(|u| u.treated).count() as u64;
    if used < touched_days {
        let message = format!("{used} of {touched_days} touched person-days of `{name}` were drawn at random and used");
        report.diagnose(Diagnostic::new(throughline_core::Severity::Info, "TL388", message));
    }
    Ok(TouchpointEffect { channel: name, touched_days, touched_persons, incremental, report })
}

fn check(given: &Touchpoints<'_>, channel: u32, settings: &TouchpointSettings) -> Result<(), EvidenceError> {
    let within = |what, value: u32, low: u32, high: u32, bounds| {
        if (low..=high).contains(&value) {
            return Ok(());
        }
        Err(EvidenceError::Setting { what, value: f64::from(value), bounds })
    };
    within("window in days", settings.window_days, 1, 90, "1 to 90")?;
    within("lookback in days", settings.lookback_days, 7, 365, "7 to 365")?;
    within("controls for each treated", settings.controls, 1, 100, "1 to 100")?;
    within("treated person-days used", settings.most_treated, 100, 10_000_000, "100 to 10,000,000")?;
    let named = |c: u32| (c as usize) < given.channels.len();
    let known = |p: u32| p < given.persons;
    let shapes = given.touches.iter().all(|t| known(t.0) && named(t.2))
        && given.conversions.iter().all(|c| known(c.0))
        && given.covariates.iter().all(|c| c.1.len() == given.persons as usize);
    if !named(channel) || !shapes {
        return Err(EvidenceError::Shape { what: "persons and channels of touches, conversions and covariates" });
    }
    // Instants far beyond any calendar would overflow when windows are added.
    let far = |at: i64| at.unsigned_abs() > i64::MAX as u64 / 4;
    if given.touches.iter().any(|t| far(t.1)) || given.conversions.iter().any(|c| far(c.1)) {
        return Err(EvidenceError::NotFinite { what: "an instant".to_owned() });
    }
    Ok(())
}

impl Histories {
    fn new(given: &Touchpoints<'_>, settings: &TouchpointSettings) -> Result<Self, EvidenceError> {
        let mut touches = vec![Vec::new(); given.persons as usize];
        let mut conversions = vec![Vec::new(); given.persons as usize];
        for (person, at, channel) in given.touches {
            touches[*person as usize].push((*at, *channel));
        }
        for (person, at) in given.conversions {
            conversions[*person as usize].push(*at);
        }
        for of_person in &mut touches {
            of_person.sort_unstable();
        }
        for of_person in &mut conversions {
            of_person.sort_unstable();
        }
        let instants = || given.touches.iter().map(|t| t.1).chain(given.conversions.iter().map(|c| c.1));
        let (first, last) =
            (instants().min().unwrap_or(0).div_euclid(DAY), instants().max().unwrap_or(0).div_euclid(DAY));
        let days = first + i64::from(settings.lookback_days)..last + 1 - i64::from(settings.window_days);
        if days.end <= days.start {
            let message = format!(
                "events of {} days leave none after a lookback of {} and before a window of {} days",
                last + 1 - first,
                settings.lookback_days,
                settings.window_days
            );
            return Err(data("TL397", message, "use a longer file, or a shorter lookback or window"));
        }
        Ok(Self { touches, conversions, days })
    }
}

/// Person-days used, and how many days and persons were touched in all.
fn units(histories: &Histories, channel: u32, settings: &TouchpointSettings) -> (Vec<PersonDay>, u64, u64) {
    let mut treated = Vec::new();
    let mut touched_persons = 0_u64;
    for (person, touches) in (0_u32..).zip(&histories.touches) {
        let before = treated.len();
        let mut last = None;
        for (at, _) in touches.iter().filter(|t| t.1 == channel) {
            let day = at.div_euclid(DAY);
            if last != Some(day) && histories.days.contains(&day) {
                treated.push(PersonDay { person, at: *at, treated: true });
            }
            last = Some(day);
        }
        touched_persons += u64::from(treated.len() > before);
    }
    let touched_days = treated.len() as u64;
    let days = (histories.days.end - histories.days.start) as f64;
    let untreated = (histories.touches.len() as f64 * days - treated.len() as f64).max(1.0);
    let mut hours: Vec<i64> = treated.iter().map(|u| u.at.rem_euclid(DAY)).collect();
    hours.sort_unstable();
    let part = (f64::from(settings.most_treated) / treated.len().max(1) as f64).min(1.0);
    let rate = f64::from(settings.controls) * part * treated.len() as f64 / untreated;
    let mut taken: Vec<PersonDay> = Vec::new();
    let mut next = treated.into_iter().peekable();
    for person in 0..u32::try_from(histories.touches.len()).unwrap_or(u32::MAX) {
        let stream = Stream::new(settings.adjust.seed, 0x746f_7563_0000_0000 | u64::from(person));
        for day in histories.days.clone() {
            let counter = 2 * (day - histories.days.start).unsigned_abs();
            let chosen = stream.uniform_at(counter);
            match next.peek().copied() {
                Some(unit) if unit.person == person && unit.at.div_euclid(DAY) == day => {
                    next.next();
                    taken.extend((chosen < part).then_some(unit));
                }
                _ if chosen < rate && !hours.is_empty() => {
                    let index = usize::try_from(stream.index_at(counter + 1, hours.len() as u64)).unwrap_or(0);
                    taken.push(PersonDay { person, at: day * DAY + hours[index], treated: false });
                }
                _ => {}
            }
        }
    }
    (taken, touched_days, touched_persons)
}

/// The study of the person-days.
fn study(
    given: &Touchpoints<'_>,
    histories: &Histories,
    units: &[PersonDay],
    channel: u32,
    settings: &TouchpointSettings,
) -> Result<Study, EvidenceError> {
    let window = i64::from(settings.window_days) * DAY;
    let outcome = units.iter().map(|u| {
        let conversions = &histories.conversions[u.person as usize];
        let within = conversions.partition_point(|c| *c <= u.at)..conversions.partition_point(|c| *c <= u.at + window);
        within.len() as f64
    });
    let treatment = units.iter().map(|u| f64::from(u8::from(u.treated)));
    let mut columns =
        names(given, channel).into_iter().map(|n| (n, Vec::with_capacity(units.len()))).collect::<Vec<_>>();
    for unit in units {
        let row = before(histories, unit, given.channels.len(), channel, settings);
        columns.iter_mut().zip(row).for_each(|(column, x)| column.1.push(x));
    }
    for (name, values) in given.covariates {
        columns.push((name.clone(), units.iter().map(|u| values[u.person as usize]).collect()));
    }
    let study = Study::new(outcome.collect(), treatment.collect(), columns)?;
    study.with_clusters(&units.iter().map(|u| u.person).collect::<Vec<u32>>())
}

/// The names of what [`before`] tells.
fn names(given: &Touchpoints<'_>, channel: u32) -> Vec<String> {
    let own = given.channels.get(channel as usize).map_or("", String::as_str);
    let mut names: Vec<String> = given
        .channels
        .iter()
        .flat_map(|c| [format!("touches of {c}, {NEAR_DAYS} days"), format!("touches of {c}, lookback")])
        .collect();
    names.extend([
        "days since any touch".to_owned(),
        format!("days since a touch of {own}"),
        "conversions, lookback".to_owned(),
        "days since a conversion".to_owned(),
        "converted before".to_owned(),
        "hour".to_owned(),
        "day".to_owned(),
    ]);
    names.extend((1..7).map(|d| format!("day of the week {d}")));
    names
}

/// What was known before the reference time: ln(1 + count) of earlier touches by channel in two spans, ln(1 + days) since the last
/// touch, touch of the channel and conversion (the lookback where there was none), earlier conversions, time.
fn before(
    histories: &Histories,
    unit: &PersonDay,
    channels: usize,
    channel: u32,
    settings: &TouchpointSettings,
) -> Vec<f64> {
    let lookback = i64::from(settings.lookback_days) * DAY;
    let touches = &histories.touches[unit.person as usize];
    let upto = touches.partition_point(|t| t.0 < unit.at);
    let from = touches.partition_point(|t| t.0 < unit.at - lookback);
    let mut counts = vec![0.0; 2 * channels];
    let (mut last, mut last_own) = (lookback, lookback);
    for (at, which) in &touches[from..upto] {
        let age = unit.at - at;
        last = last.min(age);
        if *which == channel {
            last_own = last_own.min(age);
        }
        counts[2 * *which as usize] += f64::from(u8::from(age <= NEAR_DAYS * DAY));
        counts[2 * *which as usize + 1] += 1.0;
    }
    let conversions = &histories.conversions[unit.person as usize];
    let upto = conversions.partition_point(|c| *c < unit.at);
    let from = conversions.partition_point(|c| *c < unit.at - lookback);
    let since = conversions[..upto].last().map_or(lookback, |c| (unit.at - c).min(lookback));
    let days = |age: i64| (1.0 + age as f64 / DAY as f64).ln();
    let day = unit.at.div_euclid(DAY);
    let mut row: Vec<f64> = counts.into_iter().map(f64::ln_1p).collect();
    row.extend([days(last), days(last_own), ((upto - from) as f64).ln_1p(), days(since)]);
    row.push(f64::from(u8::from(upto > 0)));
    row.push(unit.at.rem_euclid(DAY) as f64 / (DAY as f64 / 24.0));
    row.push((day - histories.days.start) as f64);
    row.extend((1..7).map(|d| f64::from(u8::from(day.rem_euclid(7) == d))));
    row
}

/// An estimate times a positive number.
fn times(estimate: &Estimate, factor: f64) -> Estimate {
    let mut scaled = estimate.clone();
    scaled.value *= factor;
    scaled.std_error = scaled.std_error.map(|e| e * factor);
    scaled.set.0.iter_mut().for_each(|part| *part = (part.0 * factor, part.1 * factor));
    scaled
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = DAY / 24;

    fn channels() -> Vec<String> {
        vec!["a".into(), "b".into()]
    }

    /// People with a taste that channel `a` follows and conversions follow too; a touch of `a` adds `effect` to the chance of a
    /// conversion two hours later. Taste shows in a covariate.
    type Market = (Vec<TouchAt>, Vec<(u32, i64)>, Vec<(String, Vec<f64>)>);

    fn market(persons: u32, effect: f64) -> Market {
        let (mut touches, mut conversions, mut taste) = (Vec::new(), Vec::new(), Vec::new());
        for person in 0..persons {
            let stream = Stream::new(11, u64::from(person));
            let likes = stream.uniform_at(0) < 0.5;
            taste.push(f64::from(u8::from(likes)));
            for day in 0..60_i64 {
                let u = |slot: u64| stream.uniform_at(10 + 8 * day.unsigned_abs() + slot);
                let (seen, buys) = if likes { (0.12, 0.06) } else { (0.03, 0.01) };
                let noon = day * DAY + 12 * HOUR;
                let touched = u(0) < seen;
                if touched {
                    touches.push((person, noon, 0));
                }
                if u(1) < 0.1 {
                    touches.push((person, day * DAY + 9 * HOUR, 1));
                }
                if u(2) < buys || (touched && u(3) < effect) {
                    conversions.push((person, noon + 2 * HOUR));
                }
            }
        }
        (touches, conversions, vec![("taste".to_owned(), taste)])
    }

    fn run(effect: f64, known: bool) -> TouchpointEffect {
        let (touches, conversions, covariates) = market(1_500, effect);
        let channels = channels();
        let covariates = if known { covariates.as_slice() } else { &[] };
        let given = Touchpoints {
            persons: 1_500,
            channels: &channels,
            touches: &touches,
            conversions: &conversions,
            covariates,
        };
        let settings = TouchpointSettings { window_days: 3, lookback_days: 14, ..TouchpointSettings::default() };
        touchpoint(&given, 0, &settings).expect("it can be estimated")
    }

    #[test]
    fn a_known_effect_is_found_and_none_is_not_invented() {
        for effect in [0.0, 0.1] {
            let found = run(effect, true);
            let error = found.report.estimate.std_error.expect("Wald");
            // A touched day that would have bought anyway cannot buy twice: 0.1 × (1 − buys) of those touched.
            assert!((found.report.estimate.value - effect * 0.95).abs() < 3.5 * error + 0.003, "{effect}: {found:?}");
            let per_day = found.incremental.value / found.touched_days as f64;
            assert!((per_day - found.report.estimate.value).abs() < 1e-12);
        }
    }

    #[test]
    fn what_no_column_shows_biases_upwards() {
        let (blind, seeing) = (run(0.0, false), run(0.0, true));
        assert!(blind.report.estimate.value > seeing.report.estimate.value + 0.005, "{blind:?} {seeing:?}");
    }

    #[test]
    fn the_order_of_events_changes_nothing() {
        let (mut touches, mut conversions, covariates) = market(300, 0.1);
        let channels = channels();
        let settings = TouchpointSettings { window_days: 3, lookback_days: 14, ..TouchpointSettings::default() };
        let mut both = Vec::new();
        for _ in 0..2 {
            let given = Touchpoints {
                persons: 300,
                channels: &channels,
                touches: &touches,
                conversions: &conversions,
                covariates: &covariates,
            };
            both.push(touchpoint(&given, 0, &settings).expect("estimated"));
            touches.reverse();
            conversions.reverse();
        }
        assert_eq!(both[0], both[1]);
    }

    #[test]
    fn units_by_hand() {
        // One person, touched by `a` twice on day 20 and once on day 5 (before the lookback is over).
        let touches =
            [(0, 20 * DAY + 10 * HOUR, 0), (0, 20 * DAY + 12 * HOUR, 0), (0, 5 * DAY, 0), (1, 0, 1), (1, 40 * DAY, 1)];
        let conversions = [(0, 19 * DAY)];
        let channels = channels();
        let given = Touchpoints {
            persons: 2,
            channels: &channels,
            touches: &touches,
            conversions: &conversions,
            covariates: &[],
        };
        let settings =
            TouchpointSettings { window_days: 5, lookback_days: 14, controls: 100, ..TouchpointSettings::default() };
        let histories = Histories::new(&given, &settings).expect("enough days");
        assert_eq!(histories.days, 14..36);
        let (taken, days, persons) = units(&histories, 0, &settings);
        assert_eq!((days, persons), (1, 1));
        let treated: Vec<_> = taken.iter().filter(|u| u.treated).collect();
        assert_eq!(treated, [&PersonDay { person: 0, at: 20 * DAY + 10 * HOUR, treated: true }]);
        // Every other person-day is a control at the only hour there is.
        assert_eq!(taken.len(), 2 * 22);
        assert!(taken.iter().all(|u| u.at.rem_euclid(DAY) == 10 * HOUR));
        let row = before(&histories, treated[0], 2, 0, &settings);
        // No touch within 14 days before; a conversion 34 hours before.
        assert_eq!(row[..4], [0.0; 4]);
        assert_eq!(row[4], 15.0_f64.ln());
        assert!((row[7] - (1.0 + 34.0 / 24.0_f64).ln()).abs() < 1e-12 && row[8] == 1.0, "{row:?}");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let channels = channels();
        let short = [(0, 0, 0), (0, 5 * DAY, 0)];
        let given =
            |touches| Touchpoints { persons: 1, channels: &channels, touches, conversions: &[], covariates: &[] };
        let settings = TouchpointSettings::default();
        let error = touchpoint(&given(&short), 0, &settings).expect_err("too short").to_string();
        assert!(error.contains("events of 6 days leave none"), "{error}");
        assert!(touchpoint(&given(&short), 7, &settings).is_err());
        assert!(touchpoint(&given(&[(9, 0, 0)]), 0, &settings).is_err());
        assert!(touchpoint(&given(&[(0, i64::MAX, 0)]), 0, &settings).is_err());
    }
}
