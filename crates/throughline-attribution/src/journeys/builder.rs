//! Building journeys: paths counted once, lines sorted, bad rows to diagnostics.

use std::cmp::Ordering;
use std::ops::Range;

use throughline_core::{Diagnostic, Severity};
use throughline_stats::sum::{ExactSum, exact_sum};

use super::distinct::Distinct;
use super::{Ending, Journeys};
use crate::builder::{check, sort_channels};
use crate::names::{Names, cluster_key, combined};
use crate::parse::for_each_step;
use crate::{Outcome, PathTable, Totals};

/// Collects journeys; [`build`](Self::build) gives the table and what was wrong. Rows are refused for the reasons of
/// [`PathTableBuilder`](crate::PathTableBuilder).
#[derive(Debug, Clone)]
pub struct JourneysBuilder {
    unit: String,
    names: Names,
    distinct: Distinct,
    lines: Lines,
    diagnostics: Vec<Diagnostic>,
    pushed: u32,
    blank_steps: usize,
    without_ages: usize,
    steps: Vec<u32>,
}

/// Journeys as they came.
#[derive(Debug, Clone, Default)]
struct Lines {
    paths: Vec<u32>,
    keys: Vec<u64>,
    keyless: Vec<bool>,
    values: Vec<f64>,
    endings: Vec<Ending>,
    rows: Vec<u32>,
    ages: Vec<i64>,
    /// Ends of each journey's ages; empty while no journey has any.
    age_ends: Vec<usize>,
}

impl JourneysBuilder {
    pub(super) fn new(unit: impl Into<String>) -> Self {
        Self {
            unit: unit.into(),
            names: Names::default(),
            distinct: Distinct::default(),
            lines: Lines::default(),
            diagnostics: Vec::new(),
            pushed: 0,
            blank_steps: 0,
            without_ages: 0,
            steps: Vec::new(),
        }
    }

    /// The number of a channel for [`push_numbers`](Self::push_numbers); `None` for a blank name.
    pub fn intern(&mut self, name: &str) -> Option<u32> {
        self.names.number(name)
    }

    /// Adds a journey by channel names: the age of each step in microseconds where known, the key of its cluster (see
    /// [`cluster_key`]; a journey without one is a cluster of its own), its ending and its value. Whether it was taken.
    pub fn push<S: AsRef<str>>(
        &mut self,
        steps: &[S],
        ages: Option<&[i64]>,
        key: Option<u64>,
        ending: Ending,
        value: f64,
    ) -> bool {
        if let Some(ages) = ages.filter(|a| a.len() != steps.len()) {
            self.pushed = self.pushed.saturating_add(1);
            return self.refuse(("TL405", format!("{} ages for {} steps", ages.len(), steps.len())));
        }
        let mut numbers = std::mem::take(&mut self.steps);
        numbers.clear();
        let mut kept = Vec::new();
        for (i, step) in steps.iter().enumerate() {
            match self.names.number(step.as_ref()) {
                Some(number) => {
                    numbers.push(number);
                    kept.extend(ages.map(|a| a[i]));
                }
                None => self.blank_steps += 1,
            }
        }
        let taken = self.push_numbers(&numbers, ages.map(|_| kept.as_slice()), key, ending, value);
        self.steps = numbers;
        taken
    }

    /// Adds a journey by the text of its path, as [`parse_path`](crate::parse_path) reads it.
    pub fn push_text(&mut self, text: &str, separator: &str, key: Option<u64>, ending: Ending, value: f64) -> bool {
        let mut numbers = std::mem::take(&mut self.steps);
        numbers.clear();
        for_each_step(text, separator, |step| match self.names.number(step) {
            Some(number) => numbers.push(number),
            None => self.blank_steps += 1,
        });
        let taken = self.push_numbers(&numbers, None, key, ending, value);
        self.steps = numbers;
        taken
    }

    /// Adds a journey by numbers from [`intern`](Self::intern).
    pub fn push_numbers(
        &mut self,
        steps: &[u32],
        ages: Option<&[i64]>,
        key: Option<u64>,
        ending: Ending,
        value: f64,
    ) -> bool {
        self.pushed = self.pushed.saturating_add(1);
        match self.add(steps, ages, key, ending, value) {
            Ok(()) => true,
            Err(reason) => self.refuse(reason),
        }
    }

    fn refuse(&mut self, (code, reason): (&str, String)) -> bool {
        self.diagnostics.push(Diagnostic::warning(code, format!("row {}: {reason}; row refused", self.pushed)));
        false
    }

    fn add(
        &mut self,
        steps: &[u32],
        ages: Option<&[i64]>,
        key: Option<u64>,
        ending: Ending,
        value: f64,
    ) -> Result<(), (&'static str, String)> {
        check(steps.len(), ages, Outcome { conversions: 1.0, value, nulls: 0.0 })?;
        if steps.is_empty() {
            let lost = match ending {
                Ending::Conversion => format!("a conversion worth {value}"),
                Ending::Null => "a journey without conversion".to_owned(),
                Ending::Adjustment => format!("a value of {value}"),
            };
            return Err(("TL401", format!("path has no steps, so {lost} cannot be credited")));
        }
        let known = self.names.names.len();
        if let Some(step) = steps.iter().find(|s| **s as usize >= known) {
            return Err(("TL407", format!("channel number {step} is not one of the {known} interned")));
        }
        let full = || ("TL456", format!("more than {} journeys or paths", u32::MAX - 1));
        if self.pushed == u32::MAX {
            return Err(full());
        }
        let path = self.distinct.number(steps).ok_or_else(full)?;
        let lines = &mut self.lines;
        if let Some(ages) = ages.filter(|_| self.without_ages == 0) {
            lines.ages.extend_from_slice(ages);
            lines.age_ends.push(lines.ages.len());
        } else {
            self.without_ages += usize::from(ages.is_none());
        }
        lines.paths.push(path);
        lines.keys.push(key.unwrap_or(0));
        lines.keyless.push(key.is_none());
        // −0 and +0 are one value; only one of them may reach the sort and the sums.
        lines.values.push(value + 0.0);
        lines.endings.push(ending);
        lines.rows.push(self.pushed - 1);
        Ok(())
    }

    /// The journeys, and what was wrong with the rows.
    pub fn build(mut self) -> (Journeys, Vec<Diagnostic>) {
        if self.blank_steps > 0 {
            let message = format!("{} blank steps were skipped", self.blank_steps);
            self.diagnostics.push(Diagnostic::new(Severity::Info, "TL402", message));
        }
        let journeys = self.lines.paths.len();
        let keyless = self.lines.keyless.iter().filter(|k| **k).count();
        if keyless > 0 {
            let unit = &self.unit;
            let message = format!("{keyless} of {journeys} journeys name none of the {unit}; each counts as one alone");
            self.diagnostics.push(Diagnostic::new(Severity::Info, "TL450", message));
        }
        let some_ages = !self.lines.age_ends.is_empty();
        if self.without_ages > 0 && some_ages {
            let message =
                format!("{} or more of {journeys} journeys carry no touch times, so none are used", self.without_ages);
            let help = "give the time of every touch, or leave out models that weigh by time";
            self.diagnostics.push(Diagnostic::warning("TL406", message).help(help));
        }
        if self.without_ages > 0 {
            (self.lines.ages, self.lines.age_ends) = (Vec::new(), Vec::new());
        }
        let (paths, order) = canonical_paths(self.names.names, self.distinct);
        (sorted(self.unit, paths, &order, self.lines), self.diagnostics)
    }
}

/// The different paths with channels numbered by name, sorted, without outcomes; and the new number of each old one.
fn canonical_paths(channels: Vec<String>, distinct: Distinct) -> (PathTable, Vec<u32>) {
    let count = distinct.len();
    let Distinct { offsets, steps, .. } = distinct;
    let mut met = PathTable { channels, offsets, steps, ..PathTable::default() };
    sort_channels(&mut met);
    let path = |number: u32| &met.steps[met.offsets[number as usize]..met.offsets[number as usize + 1]];
    let mut order: Vec<u32> = (0..u32::try_from(count).unwrap_or(u32::MAX)).collect();
    order.sort_unstable_by(|a, b| path(*a).cmp(path(*b)));
    let mut renumbered = vec![0; count];
    let mut table = PathTable { offsets: vec![0], steps: Vec::with_capacity(met.steps.len()), ..PathTable::default() };
    for (old, new) in order.into_iter().zip(0..) {
        renumbered[old as usize] = new;
        table.steps.extend_from_slice(path(old));
        table.offsets.push(table.steps.len());
    }
    table.channels = met.channels;
    (table, renumbered)
}

/// Lines sorted by path, key, ending, value and ages.
fn sorted(unit: String, mut paths: PathTable, renumbered: &[u32], mut lines: Lines) -> Journeys {
    let count = renumbered.len();
    let mut starts = vec![0_usize; count + 1];
    for path in &mut lines.paths {
        *path = renumbered[*path as usize];
        starts[*path as usize + 1] += 1;
    }
    for path in 0..count {
        starts[path + 1] += starts[path];
    }
    let mut next = starts.clone();
    let mut order = vec![0_u32; lines.paths.len()];
    for (path, line) in lines.paths.iter().zip(0..) {
        let place = &mut next[*path as usize];
        order[*place] = line;
        *place += 1;
    }
    for path in 0..count {
        let group = &mut order[starts[path]..starts[path + 1]];
        if group.len() > 1 {
            group.sort_unstable_by(|a, b| lines.compare(*a, *b).then(a.cmp(b)));
        }
        name_keyless(&mut lines, group, &paths, path);
    }
    let ages = (!lines.age_ends.is_empty()).then(|| {
        let mut ages = Vec::with_capacity(lines.ages.len());
        for line in &order {
            ages.extend_from_slice(&lines.ages[lines.age_range(*line)]);
        }
        ages
    });
    (lines.ages, lines.age_ends, lines.paths) = (Vec::new(), Vec::new(), Vec::new());
    let keys = gathered(&order, std::mem::take(&mut lines.keys));
    let values = gathered(&order, std::mem::take(&mut lines.values));
    let endings = gathered(&order, std::mem::take(&mut lines.endings));
    let rows = gathered(&order, std::mem::take(&mut lines.rows));
    drop(order);
    let clusters = different(&keys);
    let totals = with_outcomes(&mut paths, &starts, &values, &endings, &rows);
    Journeys { unit, paths, starts, keys, values, endings, rows, ages, clusters, totals }
}

/// A column in this order; the old one is let go at once.
#[expect(clippy::needless_pass_by_value, reason = "its memory is not needed any more")]
fn gathered<T: Copy>(order: &[u32], column: Vec<T>) -> Vec<T> {
    order.iter().map(|line| column[*line as usize]).collect()
}

fn different(keys: &[u64]) -> u64 {
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    sorted.chunk_by(|a, b| a == b).count() as u64
}

impl Lines {
    fn age_range(&self, line: u32) -> Range<usize> {
        let line = line as usize;
        let Some(end) = self.age_ends.get(line) else { return 0..0 };
        let start = if line == 0 { 0 } else { self.age_ends[line - 1] };
        start..*end
    }

    fn compare(&self, a: u32, b: u32) -> Ordering {
        let (i, j) = (a as usize, b as usize);
        (self.keyless[i], self.keys[i], self.endings[i])
            .cmp(&(self.keyless[j], self.keys[j], self.endings[j]))
            .then_with(|| self.values[i].total_cmp(&self.values[j]))
            .then_with(|| self.ages[self.age_range(a)].cmp(&self.ages[self.age_range(b)]))
    }
}

/// Gives journeys without a key one of their own, made of what they are and of how many equal ones came before: no other
/// journey changes it.
fn name_keyless(lines: &mut Lines, group: &[u32], paths: &PathTable, path: usize) {
    let from = group.partition_point(|line| !lines.keyless[*line as usize]);
    if from == group.len() {
        return;
    }
    let steps = &paths.steps[paths.offsets[path]..paths.offsets[path + 1]];
    let of_path = combined(steps.iter().map(|s| cluster_key(&paths.channels[*s as usize])));
    let group = &group[from..];
    let runs: Vec<usize> = group.chunk_by(|a, b| lines.compare(*a, *b) == Ordering::Equal).map(<[u32]>::len).collect();
    for (line, alike) in group.iter().zip(runs.into_iter().flat_map(|run| 0..run as u64)) {
        let at = *line as usize;
        let ages = combined(lines.ages[lines.age_range(*line)].iter().map(|a| a.cast_unsigned()));
        lines.keys[at] = combined([of_path, lines.endings[at] as u64, lines.values[at].to_bits(), ages, alike]);
    }
}

/// Sums the outcomes of every path, and of all.
fn with_outcomes(paths: &mut PathTable, starts: &[usize], values: &[f64], endings: &[Ending], rows: &[u32]) -> Totals {
    for bounds in starts.windows(2) {
        let range = bounds[0]..bounds[1];
        let count = |wanted: Ending| endings[range.clone()].iter().filter(|e| **e == wanted).count() as f64;
        paths.conversions.push(count(Ending::Conversion));
        paths.nulls.push(count(Ending::Null));
        let value = match &values[range.clone()] {
            [only] => *only,
            several if several.iter().all(|v| *v == 0.0) => 0.0,
            several => exact_sum(several.iter().copied()),
        };
        paths.values.push(value);
        paths.rows.push(rows[range].iter().min().map_or(0, |row| *row as usize));
    }
    let (mut value, mut absolute) = (ExactSum::new(), ExactSum::new());
    for v in values.iter().filter(|v| **v != 0.0) {
        value.add(*v);
        absolute.add(v.abs());
    }
    Totals {
        conversions: exact_sum(paths.conversions.iter().copied()),
        value: value.value(),
        nulls: exact_sum(paths.nulls.iter().copied()),
        absolute_value: absolute.value(),
    }
}
