//! Building a path table: names to numbers, bad rows to diagnostics.

use throughline_core::{Diagnostic, Severity};

use crate::PathTable;
use crate::names::Names;
use crate::parse::for_each_step;

/// The largest count of a row: beyond 2^53, adding one no longer changes an `f64`.
const MAX_COUNT: f64 = 9_007_199_254_740_992.0;
/// The largest absolute value of a row, so that no total overflows.
const MAX_VALUE: f64 = 1e18;

/// What became of the journeys that took a path.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcome {
    /// Conversions, usually a count; at least 0.
    pub conversions: f64,
    /// Their value together; negative after refunds.
    pub value: f64,
    /// Journeys that ended without conversion; at least 0.
    pub nulls: f64,
}

/// Collects rows; [`build`](Self::build) gives the table and what was wrong.
///
/// Names are trimmed. Blank steps are skipped. A row is refused, with a diagnostic of its own that names the row (counted
/// from 1) and what is lost with it, when it has no step, when a count is negative or not finite (or above 2^53), when
/// the value is not finite (or beyond 10^18), or when ages do not fit the steps. Value without conversions is accepted:
/// a refund may fall outside the window of its conversion.
#[derive(Debug, Clone)]
pub struct PathTableBuilder {
    table: PathTable,
    names: Names,
    diagnostics: Vec<Diagnostic>,
    pushed: usize,
    blank_steps: usize,
    ages: Vec<i64>,
    without_ages: usize,
}

impl Default for PathTableBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl PathTableBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self {
            table: PathTable { offsets: vec![0], ..PathTable::default() },
            names: Names::default(),
            diagnostics: Vec::new(),
            pushed: 0,
            blank_steps: 0,
            ages: Vec::new(),
            without_ages: 0,
        }
    }

    /// The number of a channel for [`push_numbers`](Self::push_numbers); `None` for a blank name.
    pub fn intern(&mut self, name: &str) -> Option<u32> {
        self.names.number(name)
    }

    /// Adds a row by channel names, with the age of each step in microseconds where known. Returns the number of the path in
    /// the table, or `None` when the row was refused.
    pub fn push<S: AsRef<str>>(&mut self, steps: &[S], ages: Option<&[i64]>, outcome: Outcome) -> Option<usize> {
        self.pushed += 1;
        if let Err(diagnostic) = check(steps.len(), ages, outcome) {
            return self.refuse(diagnostic);
        }
        let start = self.table.steps.len();
        for (i, step) in steps.iter().enumerate() {
            match self.names.number(step.as_ref()) {
                Some(number) => self.touch(number, ages.map(|a| a[i])),
                None => self.blank_steps += 1,
            }
        }
        self.finish(start, ages.is_some(), outcome)
    }

    /// Adds a row by the text of its path, as [`parse_path`](crate::parse_path) reads it.
    pub fn push_text(&mut self, text: &str, separator: &str, outcome: Outcome) -> Option<usize> {
        self.pushed += 1;
        if let Err(diagnostic) = check(0, None, outcome) {
            return self.refuse(diagnostic);
        }
        let Self { table, names, ages, blank_steps, .. } = self;
        let start = table.steps.len();
        for_each_step(text, separator, |step| match names.number(step) {
            Some(number) => {
                table.steps.push(number);
                ages.push(0);
            }
            None => *blank_steps += 1,
        });
        self.finish(start, false, outcome)
    }

    /// Adds a row by numbers from [`intern`](Self::intern); for many rows over few channels.
    pub fn push_numbers(&mut self, steps: &[u32], ages: Option<&[i64]>, outcome: Outcome) -> Option<usize> {
        self.pushed += 1;
        let known = self.names.names.len();
        let checked =
            check(steps.len(), ages, outcome).and_then(|()| match steps.iter().find(|s| **s as usize >= known) {
                Some(s) => Err(("TL407", format!("channel number {s} is not one of the {known} interned"))),
                None => Ok(()),
            });
        if let Err(reason) = checked {
            return self.refuse(reason);
        }
        let start = self.table.steps.len();
        for (i, &step) in steps.iter().enumerate() {
            self.touch(step, ages.map(|a| a[i]));
        }
        self.finish(start, ages.is_some(), outcome)
    }

    fn touch(&mut self, number: u32, age: Option<i64>) {
        self.table.steps.push(number);
        self.ages.push(age.unwrap_or(0));
    }

    fn refuse(&mut self, (code, reason): (&str, String)) -> Option<usize> {
        self.diagnostics.push(Diagnostic::warning(code, format!("row {}: {reason}; row refused", self.pushed)));
        None
    }

    fn finish(&mut self, start: usize, has_ages: bool, outcome: Outcome) -> Option<usize> {
        if self.table.steps.len() == start {
            let Outcome { conversions, value, nulls } = outcome;
            let lost = format!("{conversions} conversions worth {value} and {nulls} journeys without");
            return self.refuse(("TL401", format!("path has no steps, so {lost} cannot be credited")));
        }
        self.without_ages += usize::from(!has_ages);
        self.table.offsets.push(self.table.steps.len());
        self.table.conversions.push(outcome.conversions);
        // −0 and +0 are one value; only one of them may reach the sort and the sums.
        self.table.values.push(outcome.value + 0.0);
        self.table.nulls.push(outcome.nulls);
        self.table.rows.push(self.pushed - 1);
        Some(self.table.len() - 1)
    }

    /// The table, and what was wrong with the rows.
    pub fn build(mut self) -> (PathTable, Vec<Diagnostic>) {
        if self.blank_steps > 0 {
            let message = format!("{} blank steps were skipped", self.blank_steps);
            self.diagnostics.push(Diagnostic::new(Severity::Info, "TL402", message));
        }
        let paths = self.table.len();
        if self.without_ages == 0 && paths > 0 {
            self.table.ages = Some(self.ages);
        } else if self.without_ages < paths {
            let message = format!("{} of {paths} paths carry no touch times, so none are used", self.without_ages);
            let help = "give the time of every touch, or leave out models that weigh by time";
            self.diagnostics.push(Diagnostic::warning("TL406", message).help(help));
        }
        self.table.channels = self.names.names;
        sort_channels(&mut self.table);
        (self.table, self.diagnostics)
    }
}

/// Why a row cannot be used: code and reason.
pub(crate) fn check(steps: usize, ages: Option<&[i64]>, outcome: Outcome) -> Result<(), (&'static str, String)> {
    for (what, count) in [("conversions", outcome.conversions), ("nulls", outcome.nulls)] {
        if !(0.0..=MAX_COUNT).contains(&count) {
            return Err(("TL403", format!("{what} of {count} is outside 0 to {MAX_COUNT}")));
        }
    }
    if !outcome.value.is_finite() || outcome.value.abs() > MAX_VALUE {
        return Err(("TL404", format!("value of {} is outside ±{MAX_VALUE:e}", outcome.value)));
    }
    let Some(ages) = ages else { return Ok(()) };
    if ages.len() != steps {
        return Err(("TL405", format!("{} ages for {steps} steps", ages.len())));
    }
    match ages.iter().find(|a| **a < 0) {
        Some(age) => Err(("TL405", format!("a touch {} µs after the conversion", age.unsigned_abs()))),
        None => Ok(()),
    }
}

/// Renumbers channels by name and drops those of refused rows only.
pub(crate) fn sort_channels(table: &mut PathTable) {
    let mut used = vec![false; table.channels.len()];
    table.steps.iter().for_each(|s| used[*s as usize] = true);
    let mut named: Vec<(String, u32)> = std::mem::take(&mut table.channels).into_iter().zip(0..).collect();
    named.retain(|(_, number)| used[*number as usize]);
    named.sort();
    let mut renumbered = vec![0_u32; used.len()];
    for ((name, old), new) in named.into_iter().zip(0..) {
        renumbered[old as usize] = new;
        table.channels.push(name);
    }
    table.steps.iter_mut().for_each(|s| *s = renumbered[*s as usize]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PathView;

    /// Pushes one row beside a good one; expects the row refused for this reason.
    #[track_caller]
    fn check_refused(steps: &[&str], ages: Option<&[i64]>, outcome: Outcome, expect: &str) {
        let mut builder = PathTableBuilder::new();
        assert_eq!(
            builder.push(&["z", "a"], Some(&[1, 0]), Outcome { conversions: 1.0, ..Outcome::default() }),
            Some(0)
        );
        assert_eq!(builder.push(steps, ages, outcome), None);
        let (table, diagnostics) = builder.build();
        assert_eq!((table.len(), table.channels()), (1, ["a".to_owned(), "z".to_owned()].as_slice()));
        let messages: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        assert!(messages[0].contains(expect), "{messages:?}");
    }

    #[test]
    fn bad_rows_are_refused_with_their_reason() {
        let one = Outcome { conversions: 1.0, value: 2.5, nulls: 3.0 };
        let check = check_refused;
        check(&[], None, one, "TL401]: row 2: path has no steps, so 1 conversions worth 2.5 and 3 journeys without");
        check(&[" ", ""], None, one, "TL401");
        check(&["b"], None, Outcome { conversions: -1.0, ..one }, "TL403]: row 2: conversions of -1 is outside 0 to");
        check(&["b"], None, Outcome { nulls: f64::NAN, ..one }, "TL403]: row 2: nulls of NaN is outside");
        check(&["b"], None, Outcome { value: f64::INFINITY, ..one }, "TL404]: row 2: value of inf is outside ±1e18");
        check(&["b"], Some(&[1, 2]), one, "TL405]: row 2: 2 ages for 1 steps");
        check(&["b"], Some(&[-5]), one, "TL405]: row 2: a touch 5 µs after the conversion");
    }

    #[test]
    fn blanks_are_skipped_and_refunds_accepted() {
        let mut builder = PathTableBuilder::new();
        builder.push(&["b ", " ", "a"], Some(&[3, 2, 1]), Outcome { conversions: 0.0, value: -4.0, nulls: 0.0 });
        let (table, diagnostics) = builder.build();
        assert_eq!(table.path(0), PathView { steps: &[1, 0], ages: Some(&[3, 1]) });
        assert_eq!(diagnostics[0].code, "TL402");
        assert_eq!(table.totals().value, -4.0);
    }

    #[test]
    fn ages_are_used_only_when_all_have_them() {
        let mut builder = PathTableBuilder::new();
        builder.push(&["a"], Some(&[1]), Outcome::default());
        builder.push(&["a"], None, Outcome::default());
        let (table, diagnostics) = builder.build();
        assert!(!table.has_ages());
        assert_eq!(diagnostics[0].code, "TL406");
    }

    #[test]
    fn numbers_and_names_agree() {
        let mut builder = PathTableBuilder::new();
        let numbers: Vec<u32> = ["b", "a", "unused"].iter().filter_map(|n| builder.intern(n)).collect();
        builder.push_numbers(&[numbers[0], numbers[1], numbers[0]], None, Outcome::default());
        assert_eq!(builder.push_numbers(&[9], None, Outcome::default()), None);
        assert_eq!(builder.intern(" "), None);
        let (table, diagnostics) = builder.build();
        assert_eq!((table.channels().join(" "), table.path(0).steps), ("a b".to_owned(), [1, 0, 1].as_slice()));
        assert_eq!(diagnostics[0].code, "TL407");
    }
}
