//! `throughline touchpoint`: what if a channel's touches disappeared, from a file of events.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use throughline_core::{Diagnostic, Level, Timestamp};
use throughline_evidence::adjust::{
    AdjustSettings, LearnerSpec, TouchAt, TouchpointEffect, TouchpointSettings, Touchpoints, touchpoint,
};
use throughline_evidence::{Column, EvidenceError, Table};

use crate::answer::{estimate_json, interval, number, table};
use crate::files::read_table;
use crate::{Answer, OneShotError};

/// Levels of a text covariate, at most.
const MOST_LEVELS: usize = 50;

/// Which events, and how the effect is estimated.
#[derive(Debug, Args)]
pub struct TouchpointArgs {
    /// CSV or Parquet file with one row an event: a touch where a channel stands, a conversion where the conversion column
    /// is above 0; both where both.
    pub file: PathBuf,
    /// Column delimiter.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// Column of the person.
    #[arg(long)]
    pub person: String,
    /// Column of the instant: RFC 3339, or a date with a time in UTC.
    #[arg(long)]
    pub time: String,
    /// Column of the channel; blank where the event is no touch.
    #[arg(long)]
    pub channel: String,
    /// Column of conversions: above 0 where the event is one.
    #[arg(long)]
    pub conversion: String,
    /// Channels whose effect is wanted; all without.
    #[arg(long)]
    pub only: Vec<String>,
    /// Column of what is known about the person beforehand (segment, region, device): of a person's first event.
    #[arg(long = "covariate")]
    pub covariates: Vec<String>,
    /// Days after a touch in which conversions count.
    #[arg(long, default_value_t = 14)]
    pub window_days: u32,
    /// Days before it from which covariates are made.
    #[arg(long, default_value_t = 30)]
    pub lookback_days: u32,
    /// Untreated person-days for each touched one.
    #[arg(long, default_value_t = 3)]
    pub controls: u32,
    /// Learner of outcome and treatment: linear or boosted_trees.
    #[arg(long, default_value = "linear")]
    pub learner: String,
    /// Propensities are kept below 1 − TRIM.
    #[arg(long, default_value_t = 0.01)]
    pub trim: f64,
    /// Seed of folds and controls.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Confidence level.
    #[arg(long, default_value_t = 0.9)]
    pub level: f64,
    /// Fits at a time; the result does not depend on it.
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// A file of events, persons and channels numbered in the order of their names.
struct Events {
    persons: u32,
    channels: Vec<String>,
    touches: Vec<TouchAt>,
    conversions: Vec<(u32, i64)>,
    covariates: Vec<(String, Vec<f64>)>,
    found: Vec<Diagnostic>,
}

impl TouchpointArgs {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        let settings = self.settings()?;
        let events = self.events()?;
        let given = Touchpoints {
            persons: events.persons,
            channels: &events.channels,
            touches: &events.touches,
            conversions: &events.conversions,
            covariates: &events.covariates,
        };
        let mut effects = Vec::new();
        for channel in self.wanted(&events.channels)? {
            let name = events.channels[channel as usize].clone();
            effects.push((name, touchpoint(&given, channel, &settings)));
        }
        // Where no channel has an answer, the reason is the error; a single one that cannot be estimated is told among the others.
        if effects.iter().all(|(_, e)| e.is_err())
            && let Some(error) = effects.iter_mut().find_map(|(_, e)| e.as_ref().err().cloned())
        {
            return Err(error.into());
        }
        Ok(answer(&effects, &events.found))
    }

    fn settings(&self) -> Result<TouchpointSettings, OneShotError> {
        let level =
            Level::new(self.level).map_err(|e| OneShotError::finding(Diagnostic::error("TL045", e.to_string())))?;
        let learner = || LearnerSpec::named(self.learner.clone());
        Ok(TouchpointSettings {
            window_days: self.window_days,
            lookback_days: self.lookback_days,
            controls: self.controls,
            level,
            adjust: AdjustSettings {
                outcome: learner(),
                treatment: learner(),
                trim: self.trim,
                seed: self.seed,
                threads: self.threads,
                ..AdjustSettings::default()
            },
            ..TouchpointSettings::default()
        })
    }

    fn wanted(&self, channels: &[String]) -> Result<Vec<u32>, OneShotError> {
        let number = |name: &String| {
            let found = channels.binary_search(name).ok().and_then(|i| u32::try_from(i).ok());
            found.ok_or_else(|| {
                let message = format!("no touch of channel `{name}` (there are: {})", channels.join(", "));
                OneShotError::finding(Diagnostic::error("TL065", message))
            })
        };
        if self.only.is_empty() {
            return Ok((0..u32::try_from(channels.len()).unwrap_or(u32::MAX)).collect());
        }
        self.only.iter().map(number).collect()
    }

    fn events(&self) -> Result<Events, OneShotError> {
        let mut columns = vec![self.person.as_str(), &self.time, &self.channel, &self.conversion];
        columns.extend(self.covariates.iter().map(String::as_str));
        let (file, mut found) = read_table(&self.file, &self.delimiter, &columns)?;
        let (persons, person_names) = sorted_codes(&file, &self.person)?;
        let (channels, channel_names) = sorted_codes(&file, &self.channel)?;
        let times = instants(&file, &self.time)?;
        let converted = file.numbers(&self.conversion)?;
        let (mut touches, mut conversions, mut refused) = (Vec::new(), Vec::new(), 0_usize);
        let mut first: Vec<Option<(i64, usize)>> = vec![None; person_names.len()];
        for row in 0..persons.len() {
            let (person, Some(at)) = (persons[row], times[row]) else {
                refused += 1;
                continue;
            };
            let Some(begun) = first.get_mut(person as usize) else {
                refused += 1;
                continue;
            };
            if begun.is_none_or(|b| at < b.0) {
                *begun = Some((at, row));
            }
            if channels[row] != u32::MAX {
                touches.push((person, at, channels[row]));
            }
            if converted[row] > 0.0 {
                // The touch of a row comes before its conversion.
                conversions.push((person, at + 1));
            }
        }
        if refused > 0 {
            let message = format!("{refused} of {} rows have no person or no readable instant", persons.len());
            found.push(Diagnostic::warning("TL388", message));
        }
        let covariates = self.known(&file, &first)?;
        let persons = u32::try_from(person_names.len()).unwrap_or(u32::MAX);
        Ok(Events { persons, channels: channel_names, touches, conversions, covariates, found })
    }

    /// What is known about each person: numbers as they are (the mean and an indicator where there is none), texts as indicators.
    fn known(&self, file: &Table, first: &[Option<(i64, usize)>]) -> Result<Vec<(String, Vec<f64>)>, OneShotError> {
        let mut out = Vec::new();
        for name in &self.covariates {
            if let Column::Numbers(values) = file.column(name)? {
                let of: Vec<f64> = first.iter().map(|f| f.map_or(f64::NAN, |(_, row)| values[row])).collect();
                let there: Vec<f64> = of.iter().copied().filter(|x| x.is_finite()).collect();
                let mean = there.iter().sum::<f64>() / there.len().max(1) as f64;
                out.push((name.clone(), of.iter().map(|x| if x.is_finite() { *x } else { mean }).collect()));
                if there.len() < of.len() {
                    let missing = of.iter().map(|x| f64::from(u8::from(!x.is_finite()))).collect();
                    out.push((format!("{name} missing"), missing));
                }
                continue;
            }
            let (codes, names) = sorted_codes(file, name)?;
            if names.len() > MOST_LEVELS {
                let message = format!("`{name}` has {} levels, at most {MOST_LEVELS} become covariates", names.len());
                return Err(OneShotError::finding(Diagnostic::error("TL391", message).help("group its levels")));
            }
            for (level, text) in names.iter().enumerate().skip(1) {
                let is = |f: &Option<(i64, usize)>| f.is_some_and(|(_, row)| codes[row] as usize == level);
                out.push((format!("{name}={text}"), first.iter().map(|f| f64::from(u8::from(is(f)))).collect()));
            }
        }
        Ok(out)
    }
}

/// Codes of a column in the order of its texts, so that they do not depend on the order of rows.
fn sorted_codes(file: &Table, name: &str) -> Result<(Vec<u32>, Vec<String>), EvidenceError> {
    let (codes, names) = file.codes(name)?;
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|a, b| names[*a].cmp(&names[*b]));
    let mut place = vec![u32::MAX; names.len()];
    order.iter().enumerate().for_each(|(new, old)| place[*old] = u32::try_from(new).unwrap_or(u32::MAX));
    let sorted = order.iter().map(|i| names[*i].clone()).collect();
    Ok((codes.iter().map(|c| place.get(*c as usize).copied().unwrap_or(u32::MAX)).collect(), sorted))
}

/// Instants in microseconds; none where a text is none.
fn instants(file: &Table, name: &str) -> Result<Vec<Option<i64>>, OneShotError> {
    let Column::Texts { codes, names } = file.column(name)? else {
        let message = format!("`{name}` holds numbers, and an instant is a text such as 2026-03-01T12:00:00Z");
        return Err(OneShotError::finding(Diagnostic::error("TL065", message)));
    };
    let read: Vec<Option<i64>> = names.iter().map(|n| n.parse::<Timestamp>().ok().map(Timestamp::micros)).collect();
    Ok(codes.iter().map(|c| read.get(*c as usize).copied().flatten()).collect())
}

/// `{"tier": 1, "channels": [{"channel", "touched_days", "touched_persons", "incremental_conversions": {…}, "per_touched_day": {…},
/// "overlap", "balance", "sensitivity", "diagnostics"} or {"channel", "no_estimate"}], "assumptions", "diagnostics"}`.
fn answer(effects: &[(String, Result<TouchpointEffect, EvidenceError>)], found: &[Diagnostic]) -> Answer {
    let detail = |e: &TouchpointEffect, name: &str| e.report.details.get(name).cloned().unwrap_or(Value::Null);
    let channels: Vec<Value> = effects
        .iter()
        .map(|(name, effect)| match effect {
            Ok(e) => json!({
                "channel": name, "touched_days": e.touched_days, "touched_persons": e.touched_persons,
                "incremental_conversions": estimate_json(&e.incremental), "per_touched_day": estimate_json(&e.report.estimate),
                "overlap": detail(e, "overlap"), "balance": detail(e, "balance"),
                "nuisances": detail(e, "nuisances"), "sensitivity": detail(e, "sensitivity"),
                "diagnostics": e.report.diagnostics,
            }),
            Err(error) => json!({ "channel": name, "no_estimate": error.to_string() }),
        })
        .collect();
    let first = effects.iter().find_map(|(_, e)| e.as_ref().ok());
    let assumptions = first.map(|e| e.report.assumptions.clone()).unwrap_or_default();
    let rows: Vec<Vec<String>> = effects
        .iter()
        .map(|(name, effect)| match effect {
            Ok(e) => {
                let trimmed = detail(e, "overlap")["share_trimmed"].as_f64().unwrap_or(f64::NAN);
                let e_value = detail(e, "sensitivity")["e_value"]["point"].as_f64();
                vec![
                    name.clone(),
                    e.touched_days.to_string(),
                    number(e.incremental.value),
                    interval(e.incremental.interval()),
                    format!("{:.2} %", 100.0 * trimmed),
                    e_value.map_or_else(|| "–".to_owned(), number),
                ]
            }
            Err(error) => vec![name.clone(), "–".into(), format!("no estimate: {error}")],
        })
        .collect();
    let header = ["channel", "touched days", "conversions caused", "interval", "trimmed", "E-value"];
    let mut text = format!("aipw_att over person-days (evidence tier 1)\n{}", table(&header, &[1, 2, 4, 5], &rows));
    if !assumptions.is_empty() {
        text.push_str("\n\nThis holds if:");
        for assumption in &assumptions {
            text.push_str(&format!("\n  - {assumption}"));
        }
    }
    for (name, effect) in effects {
        for diagnostic in effect.iter().flat_map(|e| &e.report.diagnostics) {
            text.push_str(&format!("\n{name}: {diagnostic}"));
        }
    }
    for diagnostic in found {
        text.push_str(&format!("\n{diagnostic}"));
    }
    let json = json!({ "tier": 1, "channels": channels, "assumptions": assumptions, "diagnostics": found });
    Answer { json, text }
}
