//! Panels: the same units seen in several periods, some treated from some period on.
//!
//! A [`Panel`] is a dense matrix, units × periods, read from a [`Table`](crate::Table) with one row per unit and period.
//! Units and periods are sorted by value, so the order of the rows changes nothing. Treatment is absorbing: once it has
//! begun it stays.

mod labels;

mod read;

#[cfg(test)]
mod tests;

pub use labels::Labels;
pub(crate) use read::without_gaps;

use crate::EvidenceError;

/// Which columns make the panel.
#[derive(Debug, Clone, Copy, Default)]
pub struct PanelSpec<'a> {
    /// Column of the unit.
    pub unit: &'a str,
    /// Column of the period: numbers, or texts that sort as they stand (ISO dates).
    pub time: &'a str,
    /// Column of the outcome; blank means that the cell is missing.
    pub outcome: &'a str,
    /// Column of the treatment: 0/1 per cell, or the first treated period of the unit (blank, 0 or a period after the
    /// last one means never). Any value beside 0 and 1 makes it a column of first treated periods.
    pub treatment: &'a str,
    /// The first treated period of all treated units: the treatment column then only marks which units these are.
    pub treated_from: Option<&'a str>,
    /// Columns of numbers that come along as matrices of the same shape.
    pub covariates: &'a [&'a str],
    /// Column whose values say which units belong together; constant within a unit.
    pub cluster: Option<&'a str>,
}

/// Marks a unit that is never treated.
const NEVER: u32 = u32::MAX;

/// Units × periods.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    units: Labels,
    times: Labels,
    /// Unit-major; NaN where the cell is missing.
    outcomes: Vec<f64>,
    /// Index of the first treated period of each unit, or [`NEVER`].
    starts: Vec<u32>,
    covariates: Vec<(String, Vec<f64>)>,
    clusters: Option<Vec<u32>>,
    missing: usize,
}

impl Panel {
    /// A panel of numbers that are already in memory: unit-major outcomes (NaN where missing), the period values in
    /// ascending order, and the index of the first treated period of each unit. Errors: lengths that differ, no unit, fewer
    /// than two periods, infinite outcomes.
    pub fn from_matrix(
        outcomes: Vec<f64>,
        times: Vec<f64>,
        starts: &[Option<usize>],
        clusters: Option<Vec<u32>>,
    ) -> Result<Self, EvidenceError> {
        let units = Labels::numbers((0..starts.len()).map(|i| i as f64).collect());
        let shaped = outcomes.len() == starts.len() * times.len()
            && times.windows(2).all(|w| w[0] < w[1])
            && clusters.as_ref().is_none_or(|c| c.len() == starts.len());
        if !shaped {
            return Err(EvidenceError::Shape { what: "outcomes, periods, treatment starts and clusters" });
        }
        let periods = times.len();
        let start = |s: &Option<usize>| s.filter(|t| *t < periods).map_or(NEVER, |t| u32::try_from(t).unwrap_or(NEVER));
        let starts = starts.iter().map(start).collect();
        let missing = outcomes.iter().filter(|y| y.is_nan()).count();
        Self { units, times: Labels::numbers(times), outcomes, starts, covariates: Vec::new(), clusters, missing }
            .checked()
    }

    fn checked(self) -> Result<Self, EvidenceError> {
        if self.units() == 0 {
            return Err(EvidenceError::TooFew { what: "units", got: 0, needed: 2 });
        }
        if self.periods() < 2 {
            return Err(EvidenceError::TooFew { what: "periods", got: self.periods(), needed: 2 });
        }
        if self.outcomes.iter().any(|y| y.is_infinite()) {
            return Err(EvidenceError::NotFinite { what: "an outcome of the panel".into() });
        }
        Ok(self)
    }

    /// Adds a covariate, unit-major like the outcomes, NaN where missing. Errors: another length.
    pub fn with_covariate(mut self, name: &str, values: Vec<f64>) -> Result<Self, EvidenceError> {
        if values.len() != self.outcomes.len() {
            return Err(EvidenceError::Shape { what: "covariate of the panel" });
        }
        self.covariates.push((name.to_owned(), values));
        Ok(self)
    }

    /// How many units.
    pub const fn units(&self) -> usize {
        self.starts.len()
    }

    /// How many periods.
    pub const fn periods(&self) -> usize {
        self.times.len()
    }

    /// The name of unit `i` as the data write it.
    pub fn unit_name(&self, i: usize) -> String {
        self.units.label(i)
    }

    /// The position of the unit of this name.
    pub fn unit_position(&self, name: &str) -> Option<usize> {
        (0..self.units()).find(|i| self.units.label(*i) == name)
    }

    /// The name of period `t` as the data write it.
    pub fn time_name(&self, t: usize) -> String {
        self.times.label(t)
    }

    /// The value of period `t`: the number in the data, or its position where periods are texts.
    pub fn time(&self, t: usize) -> f64 {
        self.times.value(t)
    }

    /// The first period at or after a value written as in the data; the number of periods when all are before.
    pub fn period_from(&self, value: &str) -> Result<usize, EvidenceError> {
        self.times.at_or_after(value)
    }

    /// All outcomes, unit-major; NaN where a cell is missing.
    pub fn outcomes(&self) -> &[f64] {
        &self.outcomes
    }

    /// The outcomes of unit `i` over the periods.
    pub fn outcomes_of(&self, i: usize) -> &[f64] {
        let n = self.periods();
        &self.outcomes[i * n..(i + 1) * n]
    }

    /// The period in which the treatment of unit `i` begins; none when it is never treated within the panel.
    pub fn start(&self, i: usize) -> Option<usize> {
        Some(self.starts[i]).filter(|s| *s != NEVER).map(|s| s as usize)
    }

    /// Units that are treated in some period.
    pub fn treated(&self) -> Vec<usize> {
        (0..self.units()).filter(|i| self.starts[*i] != NEVER).collect()
    }

    /// Units that are treated in no period.
    pub fn never_treated(&self) -> Vec<usize> {
        (0..self.units()).filter(|i| self.starts[*i] == NEVER).collect()
    }

    /// The distinct periods in which treatments begin, with the number of units of each.
    pub fn groups(&self) -> Vec<(usize, usize)> {
        let mut counts = vec![0; self.periods()];
        self.starts.iter().filter(|s| **s != NEVER).for_each(|s| counts[*s as usize] += 1);
        counts.into_iter().enumerate().filter(|(_, n)| *n > 0).collect()
    }

    /// A covariate by position: its name and its matrix.
    pub fn covariates(&self) -> impl Iterator<Item = (&str, &[f64])> {
        self.covariates.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// One code per unit, from 0 without gaps, where a column of clusters was named.
    pub fn clusters(&self) -> Option<&[u32]> {
        self.clusters.as_deref()
    }

    /// Cells without an outcome.
    pub const fn missing_cells(&self) -> usize {
        self.missing
    }

    /// Whether every unit has an outcome in every period.
    pub const fn is_balanced(&self) -> bool {
        self.missing == 0
    }

    /// Units with an outcome in every period.
    pub fn complete_units(&self) -> Vec<usize> {
        (0..self.units()).filter(|i| self.outcomes_of(*i).iter().all(|y| !y.is_nan())).collect()
    }

    /// Some missing cells in words, for a message: `unit 7 in 2004, unit 9 in 2006`.
    pub fn missing_in_words(&self, most: usize) -> String {
        let n = self.periods();
        let cells = self.outcomes.iter().enumerate().filter(|(_, y)| y.is_nan()).take(most);
        let shown: Vec<String> =
            cells.map(|(c, _)| format!("`{}` in {}", self.unit_name(c / n), self.time_name(c % n))).collect();
        let more = self.missing.saturating_sub(shown.len());
        shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
    }

    /// For methods that need every cell. Errors: TL351 with the cells that are missing.
    pub fn require_balanced(&self) -> Result<(), EvidenceError> {
        if self.is_balanced() {
            return Ok(());
        }
        Err(EvidenceError::Data {
            code: "TL351",
            message: format!("{} cells of the panel have no outcome: {}", self.missing, self.missing_in_words(3)),
            help: "this method needs every unit in every period: fill the cells, or leave these units or periods out"
                .into(),
        })
    }

    /// The panel of some units, in the order given; clusters keep their meaning.
    #[must_use]
    pub fn of_units(&self, units: &[usize]) -> Self {
        let rows = |values: &[f64]| -> Vec<f64> {
            let n = self.periods();
            units.iter().flat_map(|i| values[i * n..(i + 1) * n].iter().copied()).collect()
        };
        let outcomes = rows(&self.outcomes);
        Self {
            units: self.units.of(units),
            times: self.times.clone(),
            missing: outcomes.iter().filter(|y| y.is_nan()).count(),
            outcomes,
            starts: units.iter().map(|i| self.starts[*i]).collect(),
            covariates: self.covariates.iter().map(|(name, v)| (name.clone(), rows(v))).collect(),
            clusters: self.clusters.as_ref().map(|c| {
                let kept: Vec<u32> = units.iter().map(|i| c[*i]).collect();
                read::without_gaps(&kept)
            }),
        }
    }

    /// The panel between two periods, both included, written as in the data. A treatment that begins after the last of
    /// them is none; one that began before the first counts from the first. Errors: fewer than two periods.
    pub fn between(&self, first: Option<&str>, last: Option<&str>) -> Result<Self, EvidenceError> {
        let from = first.map_or(Ok(0), |v| self.times.at_or_after(v))?;
        let upto = match last {
            None => self.periods(),
            Some(v) => self.times.at_or_before(v)?.map_or(0, |t| t + 1),
        };
        let kept: Vec<usize> = (from..upto).collect();
        let n = self.periods();
        let columns = |values: &[f64]| -> Vec<f64> {
            values.chunks(n).flat_map(|row| row[from.min(n)..upto.max(from).min(n)].iter().copied()).collect()
        };
        let outcomes = columns(&self.outcomes);
        let start = |s: &u32| match *s as usize {
            s if s >= upto => NEVER,
            s => u32::try_from(s.saturating_sub(from)).unwrap_or(NEVER),
        };
        Self {
            units: self.units.clone(),
            times: self.times.of(&kept),
            missing: outcomes.iter().filter(|y| y.is_nan()).count(),
            outcomes,
            starts: self.starts.iter().map(start).collect(),
            covariates: self.covariates.iter().map(|(name, v)| (name.clone(), columns(v))).collect(),
            clusters: self.clusters.clone(),
        }
        .checked()
    }
}
