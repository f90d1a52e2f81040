//! From a table with one row per unit and period to the matrix, with every fault named.

use super::{Labels, NEVER, Panel, PanelSpec};
use crate::{Column, EvidenceError, Table};

impl Panel {
    /// Reads a panel. Time and memory grow with rows and with units × periods.
    ///
    /// Errors: unknown columns; an outcome or covariate of texts; TL350 several rows for a unit and period; TL352 a
    /// treatment that switches off; TL353 a treatment, period or cluster that cannot be read as one; a panel of no unit or
    /// of fewer than two periods. Missing cells are no error here: see [`Panel::require_balanced`].
    pub fn of(table: &Table, spec: &PanelSpec<'_>) -> Result<Self, EvidenceError> {
        let (units, unit_of) = Labels::of_column(table.column(spec.unit)?);
        let (times, time_of) = Labels::of_column(table.column(spec.time)?);
        blank_keys(spec, &unit_of, &time_of)?;
        sortable(spec.time, &times)?;
        let grid = Grid { units: &units, times: &times, unit_of: &unit_of, time_of: &time_of };
        // A table of many units and many periods of few rows would be an enormous empty matrix.
        let cells = units.len().checked_mul(times.len()).filter(|c| *c / 200 <= table.rows().max(1_000));
        let Some(cells) = cells else { return Err(sparse(&grid, table.rows())) };
        let taken = grid.taken(cells)?;
        let outcomes = grid.matrix(table.numbers(spec.outcome)?, cells);
        let starts = grid.starts(table, spec, &taken)?;
        let mut covariates = Vec::new();
        for name in spec.covariates {
            covariates.push(((*name).to_owned(), grid.matrix(table.numbers(name)?, cells)));
        }
        let clusters = spec.cluster.map(|name| grid.clusters(table, name)).transpose()?;
        let missing = outcomes.iter().filter(|y| y.is_nan()).count();
        Self { units, times, outcomes, starts, covariates, clusters, missing }.checked()
    }
}

fn data(code: &'static str, message: String, help: &str) -> EvidenceError {
    EvidenceError::Data { code, message, help: help.to_owned() }
}

fn blank_keys(spec: &PanelSpec<'_>, unit_of: &[u32], time_of: &[u32]) -> Result<(), EvidenceError> {
    for (name, codes) in [(spec.unit, unit_of), (spec.time, time_of)] {
        let blank = codes.iter().filter(|c| **c == u32::MAX).count();
        if blank > 0 {
            let message = format!("{blank} rows have no value in `{name}`");
            return Err(data("TL353", message, "every row must name its unit and its period: fill or remove them"));
        }
    }
    Ok(())
}

/// Texts must sort in the order of time: all of one length and made of digits and the signs of ISO 8601 only, or ISO weeks.
fn sortable(name: &str, times: &Labels) -> Result<(), EvidenceError> {
    if !times.are_texts() {
        return Ok(());
    }
    let first = times.label(0);
    let sign = |c: char| c.is_ascii_digit() || "-:./TWQZ+ ".contains(c);
    let odd = (0..times.len()).map(|t| times.label(t)).find(|l| {
        l.chars().count() != first.chars().count()
            || !l.chars().all(sign)
            || !l.starts_with(|c: char| c.is_ascii_digit())
    });
    // Day or month first is not the order of time: the year must lead.
    let leading = |l: &str| l.chars().take_while(char::is_ascii_digit).count();
    match odd.or_else(|| Some(first).filter(|l| leading(l) < 4)) {
        None => Ok(()),
        Some(text) => Err(data(
            "TL353",
            format!("the period `{text}` in `{name}` cannot be put in order of time"),
            "write periods as numbers or as ISO dates, such as 2024-03-01 or 2024-W09",
        )),
    }
}

fn sparse(grid: &Grid<'_>, rows: usize) -> EvidenceError {
    data(
        "TL351",
        format!("{rows} rows cannot fill a panel of {} units and {} periods", grid.units.len(), grid.times.len()),
        "are the columns of unit and period the right ones? Coarser periods (weeks, months) make a fuller panel",
    )
}

/// Where the rows stand.
struct Grid<'a> {
    units: &'a Labels,
    times: &'a Labels,
    unit_of: &'a [u32],
    time_of: &'a [u32],
}

impl Grid<'_> {
    fn cells(&self) -> impl Iterator<Item = usize> {
        let n = self.times.len();
        self.unit_of.iter().zip(self.time_of).map(move |(u, t)| *u as usize * n + *t as usize)
    }

    /// Which cells have a row. Errors: TL350.
    fn taken(&self, cells: usize) -> Result<Vec<bool>, EvidenceError> {
        let mut taken = vec![false; cells];
        let (mut twice, mut first) = (0_usize, None);
        for cell in self.cells() {
            if std::mem::replace(&mut taken[cell], true) {
                twice += 1;
                first = first.or(Some(cell));
            }
        }
        let Some(cell) = first else { return Ok(taken) };
        let (unit, time) = (self.units.label(cell / self.times.len()), self.times.label(cell % self.times.len()));
        let message =
            format!("{twice} rows repeat a unit and period, the first of them unit `{unit}` in period {time}");
        Err(data("TL350", message, "a panel has one row per unit and period: sum or average them first"))
    }

    fn matrix(&self, values: &[f64], cells: usize) -> Vec<f64> {
        let mut out = vec![f64::NAN; cells];
        self.cells().zip(values).for_each(|(cell, v)| out[cell] = *v);
        out
    }

    /// The first treated period of every unit.
    fn starts(&self, table: &Table, spec: &PanelSpec<'_>, taken: &[bool]) -> Result<Vec<u32>, EvidenceError> {
        let column = table.column(spec.treatment)?;
        if let Some(from) = spec.treated_from {
            let start = self.times.at_or_after(from)?;
            return self.marked(column, spec.treatment, start);
        }
        match column {
            Column::Numbers(v) if v.iter().all(|d| *d == 0.0 || *d == 1.0 || d.is_nan()) => {
                self.switched(v, spec, table, taken)
            }
            Column::Numbers(v) => {
                let whole = |d: f64| if d == 0.0 || d.is_nan() { None } else { Some(d) };
                self.constant(spec.treatment, |row| whole(v[row]), |d| self.position_of_number(*d))
            }
            Column::Texts { codes, names } => self.constant(
                spec.treatment,
                |row| Some(codes[row]).filter(|c| *c != u32::MAX && names[*c as usize] != "0"),
                |c| self.times.at_or_after(&names[*c as usize]),
            ),
        }
    }

    fn position_of_number(&self, first: f64) -> Result<usize, EvidenceError> {
        if self.times.are_texts() {
            let message = format!("the first treated period {first} is a number, and the periods are texts");
            return Err(data("TL353", message, "write the first treated period as the periods are written"));
        }
        Ok((0..self.times.len()).find(|t| self.times.value(*t) >= first).unwrap_or(self.times.len()))
    }

    /// Units that are marked in any row start together.
    fn marked(&self, column: &Column, name: &str, start: usize) -> Result<Vec<u32>, EvidenceError> {
        let mut starts = vec![NEVER; self.units.len()];
        let start = u32::try_from(start).ok().filter(|s| (*s as usize) < self.times.len()).ok_or_else(|| {
            let last = self.times.label(self.times.len() - 1);
            data("TL354", format!("the treatment begins after the last period, {last}"), "name a period of the data")
        })?;
        let mut set = |row: usize| starts[self.unit_of[row] as usize] = start;
        match column {
            Column::Numbers(v) => {
                v.iter().enumerate().filter(|(_, d)| **d != 0.0 && !d.is_nan()).for_each(|(r, _)| set(r));
            }
            Column::Texts { names, .. } => {
                let shown = names.first().cloned().unwrap_or_default();
                let message = format!("`{name}` holds `{shown}` where 1 marks treated units and 0 the others");
                return Err(data("TL353", message, "name a column of 0 and 1"));
            }
        }
        Ok(starts)
    }

    /// 0/1 per cell. Errors: TL352, TL353.
    fn switched(
        &self,
        values: &[f64],
        spec: &PanelSpec<'_>,
        table: &Table,
        taken: &[bool],
    ) -> Result<Vec<u32>, EvidenceError> {
        let outcomes = table.numbers(spec.outcome)?;
        let n = self.times.len();
        let mut on = vec![false; taken.len()];
        for ((row, cell), d) in self.cells().enumerate().zip(values) {
            if d.is_nan() && !outcomes[row].is_nan() {
                let message = format!("`{}` is blank in row {}, which has an outcome", spec.treatment, row + 1);
                return Err(data("TL353", message, "say 0 or 1 for every unit and period with an outcome"));
            }
            on[cell] = *d == 1.0;
        }
        let start = |(unit, on): (usize, &[bool])| {
            let Some(first) = on.iter().position(|d| *d) else { return Ok(NEVER) };
            // A cell without a row says nothing about the treatment.
            match (first..n).find(|t| taken[unit * n + t] && !on[*t]) {
                None => Ok(u32::try_from(first).unwrap_or(NEVER)),
                Some(off) => Err(data(
                    "TL352",
                    format!(
                        "unit `{}` is treated from {} and no longer in {}",
                        self.units.label(unit),
                        self.times.label(first),
                        self.times.label(off)
                    ),
                    "these methods are for a treatment that stays: end the panel before it is switched off, or mark the \
                     unit as treated from its first period on",
                )),
            }
        };
        on.chunks(n).enumerate().map(start).collect()
    }

    /// A value per unit that says when its treatment begins, the same in all of its rows. Errors: TL353.
    fn constant<T: PartialEq + Copy>(
        &self,
        name: &str,
        value: impl Fn(usize) -> Option<T>,
        position: impl Fn(&T) -> Result<usize, EvidenceError>,
    ) -> Result<Vec<u32>, EvidenceError> {
        let mut seen: Vec<Option<Option<T>>> = vec![None; self.units.len()];
        for (row, unit) in self.unit_of.iter().enumerate() {
            let now = value(row);
            if *seen[*unit as usize].get_or_insert(now) != now {
                let message =
                    format!("`{name}` is not the same in all rows of unit `{}`", self.units.label(*unit as usize));
                let help = "it must be 0 or 1 per period, or the first treated period of the unit in all of its rows";
                return Err(data("TL353", message, help));
            }
        }
        let start = |v: Option<Option<T>>| match v.flatten() {
            None => Ok(NEVER),
            Some(v) => {
                let t = position(&v)?;
                Ok(if t < self.times.len() { u32::try_from(t).unwrap_or(NEVER) } else { NEVER })
            }
        };
        seen.into_iter().map(start).collect()
    }

    /// One code per unit. Errors: TL353 for a unit in two clusters or in none.
    fn clusters(&self, table: &Table, name: &str) -> Result<Vec<u32>, EvidenceError> {
        let (codes, _) = table.codes(name)?;
        let mut of = vec![u32::MAX; self.units.len()];
        for (unit, code) in self.unit_of.iter().zip(codes) {
            let known = &mut of[*unit as usize];
            if code == u32::MAX || (*known != u32::MAX && *known != code) {
                let how = if code == u32::MAX { "in no cluster" } else { "in two clusters" };
                let message = format!("unit `{}` is {how} of `{name}`", self.units.label(*unit as usize));
                return Err(data("TL353", message, "each unit must belong to one cluster in all of its rows"));
            }
            *known = code;
        }
        Ok(without_gaps(&of))
    }
}

/// Codes from 0 without gaps, in the order of the units.
pub(crate) fn without_gaps(codes: &[u32]) -> Vec<u32> {
    let most = codes.iter().max().map_or(0, |m| *m as usize + 1);
    let (mut new, mut next) = (vec![u32::MAX; most], 0);
    let mut of = |code: u32| {
        let known = &mut new[code as usize];
        if *known == u32::MAX {
            *known = next;
            next += 1;
        }
        *known
    };
    codes.iter().map(|c| of(*c)).collect()
}
