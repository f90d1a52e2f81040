//! `throughline journeys`: events of plain files become journeys, and paths with what came of them.

mod csv;
mod distinct;
mod out;
mod parquet;
mod people;
mod read;
mod rows;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::available_parallelism;

use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use throughline_core::{Diagnostic, EventKind, Lookback};
use throughline_paths::names::PathNames;
use throughline_paths::{
    Built, ConversionConfig, Counting, Fate, Gathered, JourneyConfig, Plan, Rule, Tally, TouchUnit, config_id,
};

use self::distinct::Distinct;
use self::out::{Batch, Ordered};
use self::people::People;
use self::rows::Found;
use crate::{Answer, OneShotError, answer};

/// What to read and how.
#[derive(Debug, Clone, Args)]
pub struct JourneysArgs {
    /// CSV or Parquet files of events, in any order.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Column of the person.
    #[arg(long)]
    pub entity: String,
    /// Column of the time: an instant, or a whole number in --time-unit since 1970.
    #[arg(long)]
    pub time: String,
    /// Column of the channel; an event without one is no touch.
    #[arg(long)]
    pub channel: String,
    /// Column that is true for conversions.
    #[arg(long)]
    pub conversion: String,
    /// Column of the value of conversions and refunds.
    #[arg(long)]
    pub value: Option<String>,
    /// Column of the interaction: click, view, engaged_view, visit, …
    #[arg(long)]
    pub interaction: Option<String>,
    /// Column of the campaign, for sessions that split at it.
    #[arg(long)]
    pub campaign: Option<String>,
    /// Column of the order id of conversions and refunds.
    #[arg(long)]
    pub order: Option<String>,
    /// Column that is true for refunds.
    #[arg(long)]
    pub refund: Option<String>,
    /// Column that is true where measurement was granted; blank is not.
    #[arg(long)]
    pub consent: Option<String>,
    /// Unit of times that are whole numbers.
    #[arg(long, value_enum, default_value_t = TimeUnit::Us)]
    pub time_unit: TimeUnit,
    /// Column delimiter of CSV files.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// File whose `journeys` section has the rules.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Window in days, instead of the configured one.
    #[arg(long)]
    pub lookback_days: Option<f64>,
    /// What a step is, instead of what is configured.
    #[arg(long, value_enum)]
    pub unit: Option<Unit>,
    /// A conversion's own channel is a touch of its journey.
    #[arg(long)]
    pub conversion_is_touch: bool,
    /// Which of a person's conversions count.
    #[arg(long, value_enum, default_value_t = Count::Every)]
    pub count: Count,
    /// Minutes that must lie between two conversions that count.
    #[arg(long, default_value_t = 0)]
    pub min_gap_minutes: u32,
    /// Write one row a journey to this Parquet file.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Write distinct paths with conversions, value and nulls to this Parquet or CSV file.
    #[arg(long)]
    pub paths: Option<PathBuf>,
    /// Between two steps of a written path.
    #[arg(long, default_value = " > ")]
    pub separator: String,
    /// Threads; one a core without. Their number changes no result.
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Unit of whole numbers that are times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TimeUnit {
    /// Seconds.
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
}

impl TimeUnit {
    const fn micros(self) -> i64 {
        match self {
            Self::S => 1_000_000,
            Self::Ms => 1000,
            Self::Us => 1,
        }
    }
}

/// What a step of a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Unit {
    /// A channel once a session.
    Session,
    /// Every touch.
    Touch,
}

/// Which conversions of a person count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Count {
    /// Each one.
    Every,
    /// The first.
    OncePerPerson,
    /// The first of each session.
    OncePerSession,
    /// The first of each order.
    OncePerOrder,
}

/// The part of `attribution.yaml` that is read here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ConfigFile {
    journeys: JourneyConfig,
}

/// Counts of a command, put together part by part.
#[derive(Debug, Default)]
struct Told {
    tally: Tally,
    path_chars: u64,
    distinct: Distinct,
}

impl JourneysArgs {
    /// Carries the command out. JSON: `{"events","journeys","converting","touches","kept","dropped":{rule: n},"conversions",
    /// "outcomes":{fate: n},"value","config_id","peak_mb",…}`; `kept` are the steps of all paths, `touches` what was
    /// considered, `value` is after refunds. With a file of journeys, `path_chars` are the characters of all its paths.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        let (config, conversion) = (self.journey_config()?, self.conversion_config());
        config.check()?;
        let threads = self.threads.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let read = read::read(self, &config, threads)?;
        let gathered = Gathered::new(read.shards)?;
        let plan = Plan::new(&config, &conversion, &gathered.channels)?;
        let names = PathNames::new(&gathered.channels, &self.separator);
        let (told, names) = (self.build(gathered, &plan, &names, read.people.as_ref(), threads)?, names);
        let paths = told.distinct.len();
        if let Some(path) = &self.paths {
            told.distinct.write(path, &names, plan.has_repeats())?;
        }
        let findings = findings(&read.found, &told.tally, conversion.count);
        let id = config_id(&config, &conversion);
        Ok(self.answer(&read.found, &told, paths, &id, &findings))
    }

    fn journey_config(&self) -> Result<JourneyConfig, OneShotError> {
        let mut config = match &self.config {
            None => JourneyConfig::default(),
            Some(path) => read_config(path)?,
        };
        if let Some(days) = self.lookback_days {
            config.lookback_days =
                Lookback::new(days).map_err(|e| OneShotError::finding(Diagnostic::error("TL473", e.to_string())))?;
        }
        if let Some(unit) = self.unit {
            config.unit = if unit == Unit::Touch { TouchUnit::Touch } else { TouchUnit::Session };
        }
        config.conversion_is_touch |= self.conversion_is_touch;
        Ok(config)
    }

    fn conversion_config(&self) -> ConversionConfig {
        let count = match self.count {
            Count::Every => Counting::Every,
            Count::OncePerPerson => Counting::OncePerPerson,
            Count::OncePerSession => Counting::OncePerSession,
            Count::OncePerOrder => Counting::OncePerOrder,
        };
        let named = ConversionConfig::new(&self.conversion, EventKind::Custom);
        ConversionConfig { count, min_gap_minutes: self.min_gap_minutes, ..named }
    }

    fn build(
        &self,
        gathered: Gathered<u64>,
        plan: &Plan,
        names: &PathNames,
        people: Option<&People>,
        threads: usize,
    ) -> Result<Told, OneShotError> {
        let writer = self.out.as_ref().map(|path| Ordered::create(path, people.is_some())).transpose()?;
        let distinct = Mutex::new(Distinct::default());
        let parts = gathered.build(plan, threads, |number, group| -> Result<(Tally, u64), OneShotError> {
            let mut tally = Tally::default();
            let mut batch = Batch::default();
            let mut mine = Distinct::default();
            group.each(|built: &Built<'_, u64>| {
                tally.add(built.output);
                if writer.is_some() {
                    batch.add(built, names, people);
                }
                if self.paths.is_some() {
                    mine.add(built.output);
                }
            })?;
            if self.paths.is_some() {
                distinct.lock().unwrap_or_else(std::sync::PoisonError::into_inner).merge(mine);
            }
            let chars = batch.path_chars();
            if let Some(writer) = &writer {
                writer.write(number, batch)?;
            }
            Ok((tally, chars))
        });
        let mut told = Told::default();
        for part in parts {
            let (tally, chars) = part?;
            told.tally.merge(&tally);
            told.path_chars += chars;
        }
        if let Some(writer) = writer {
            writer.finish()?;
        }
        told.distinct = distinct.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(told)
    }

    fn answer(&self, found: &Found, told: &Told, paths: usize, id: &str, findings: &[Diagnostic]) -> Answer {
        let tally = &told.tally;
        let value = tally.value_micros as f64 / 1e6;
        let dropped: Map<String, Value> = Rule::ALL
            .into_iter()
            .filter(|rule| *rule != Rule::Kept && tally.touches[*rule as usize] > 0)
            .map(|rule| (rule.name().to_owned(), tally.touches[rule as usize].into()))
            .collect();
        let outcomes: Map<String, Value> = Fate::ALL
            .into_iter()
            .filter(|fate| tally.fate(*fate) > 0)
            .map(|fate| (fate.name().to_owned(), tally.fate(fate).into()))
            .collect();
        let mut json = json!({
            "events": found.events, "journeys": tally.journeys, "converting": tally.converting,
            "touches": tally.considered(), "kept": tally.kept(), "dropped": dropped,
            "conversions": tally.fate(Fate::Counted), "outcomes": outcomes, "value": value,
            "not_touches": found.not_touches, "config_id": id, "peak_mb": peak_mb(), "diagnostics": findings,
        });
        if self.out.is_some() {
            json["path_chars"] = told.path_chars.into();
        }
        if self.paths.is_some() {
            json["paths"] = paths.into();
        }
        let mut rows = vec![
            row("events", found.events),
            row("journeys", tally.journeys),
            row("… that converted", tally.converting),
            row("touches considered", tally.considered()),
            row("… kept", tally.kept()),
        ];
        let dropped = dropped.iter().chain(outcomes.iter().filter(|(name, _)| *name != Fate::Counted.name()));
        rows.extend(dropped.map(|(name, n)| vec![format!("… {name}"), n.to_string()]));
        rows.push(vec!["value".into(), answer::number(value)]);
        let mut text = answer::table(&["", "count"], &[1], &rows);
        for finding in findings {
            text.push_str(&format!("\n{finding}"));
        }
        Answer { json, text }
    }
}

fn row(name: &str, count: u64) -> Vec<String> {
    vec![name.to_owned(), count.to_string()]
}

fn read_config(path: &Path) -> Result<JourneyConfig, OneShotError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| OneShotError::Io {
        doing: "read",
        path: shown.clone(),
        source,
    })?;
    let file: ConfigFile = serde_saphyr::from_str(&text).map_err(|error| {
        let place = error.location();
        let (line, column) = (place.map(|p| p.line()), place.map(|p| p.column()));
        OneShotError::finding(Diagnostic::error("TL473", error.to_string()).at(&shown, line, column))
    })?;
    Ok(file.journeys)
}

fn findings(found: &Found, tally: &Tally, count: Counting) -> Vec<Diagnostic> {
    let mut all = found.lines.clone();
    let mut say = |n: u64, code: &str, what: &str| {
        if n > 0 {
            all.push(Diagnostic::warning(code, format!("{n} {what}")));
        }
    };
    say(found.without_person_or_time, "TL476", "rows have no person or no time and are left out");
    say(found.outside_years, "TL477", "rows have a time outside the years 1990 to 2100 and are left out");
    say(found.bad_values, "TL478", "rows have a value that is no number within ±9·10¹²; they count without value");
    say(tally.fate(Fate::UnknownOrder), "TL474", "refunds name an order that no counted conversion of the person has");
    say(tally.fate(Fate::WithoutOrder), "TL479", "refunds have no order id and reduce nothing");
    if count == Counting::OncePerOrder {
        say(found.without_order, "TL475", "conversions have no order id, so that repeats cannot be told");
    }
    all
}

/// The largest resident memory of this process so far in MB, where the system tells.
fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some((line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 102.4).round() / 10.0)
}
