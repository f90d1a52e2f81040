//! Who is compared with whom, and between which periods.

use throughline_core::Diagnostic;

use super::options::{Base, Controls, CsOptions};
use crate::{EvidenceError, Panel};

/// Groups of fewer units than this are reported: their standard errors rest on very few changes.
const SMALL_GROUP: usize = 5;

/// When an effect is measured, seen from the beginning of the treatment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before any effect is possible: what is measured is a difference of trends.
    Before,
    /// Before the treatment, within the time of anticipation.
    Anticipation,
    /// From the beginning of the treatment on.
    After,
}

impl Phase {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Anticipation => "anticipation",
            Self::After => "after",
        }
    }
}

/// One group in one period, against a base period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Position of the group.
    pub group: usize,
    /// Index of the period.
    pub time: usize,
    /// Index of the base period.
    pub base: usize,
    /// Period minus the beginning of the treatment, in the units of the periods.
    pub event: f64,
    /// Before or after.
    pub phase: Phase,
}

/// Groups, controls and cells of a panel.
#[derive(Debug, Clone)]
pub(super) struct Design {
    /// Index of the first treated period of each group.
    pub(super) groups: Vec<usize>,
    /// Units of each group, and of the never treated as the last.
    pub(super) sizes: Vec<usize>,
    /// Group of each unit; the number of groups for the never treated, [`OUT`] for units that take no part.
    pub(super) codes: Vec<u32>,
    /// Last period before each group's treatment (and its anticipation).
    bases: Vec<usize>,
    pub(super) cells: Vec<Cell>,
    pub(super) diagnostics: Vec<Diagnostic>,
    times: Vec<f64>,
    options: CsOptions,
}

/// The code of a unit that takes no part.
pub(super) const OUT: u32 = u32::MAX;

impl Design {
    /// Errors: TL354 nothing to compare, TL356 too few units, an anticipation that is no length of time.
    pub(super) fn of(panel: &Panel, options: &CsOptions) -> Result<Self, EvidenceError> {
        if !(options.anticipation >= 0.0 && options.anticipation.is_finite()) {
            let (what, bounds) = ("anticipation", "0 and up");
            return Err(EvidenceError::Setting { what, value: options.anticipation, bounds });
        }
        let times: Vec<f64> = (0..panel.periods()).map(|t| panel.time(t)).collect();
        let base_of = |g: usize| (0..g).rev().find(|p| times[*p] + options.anticipation < times[g]);
        let mut diagnostics = Vec::new();
        let (mut groups, mut bases, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        let all = panel.groups();
        if all.is_empty() {
            let help = "the treatment column must be 1 in treated cells, or hold the first treated period of each unit";
            return Err(nothing("no unit is treated in the panel".into(), help));
        }
        let name = |g: usize| panel.time_name(g);
        for (g, n) in &all {
            match base_of(*g) {
                None => diagnostics.push(early(&name(*g), *n)),
                Some(_) if *n == 1 => diagnostics.push(single(panel, *g)),
                Some(base) => {
                    groups.push(*g);
                    bases.push(base);
                    sizes.push(*n);
                }
            }
        }
        if groups.is_empty() {
            return Err(no_group(panel, &all, &base_of));
        }
        let small: Vec<String> = groups
            .iter()
            .zip(&sizes)
            .filter(|(_, n)| **n < SMALL_GROUP)
            .map(|(g, n)| format!("{} ({n})", name(*g)))
            .collect();
        if !small.is_empty() {
            let message = format!("treated groups with fewer than {SMALL_GROUP} units: {}", small.join(", "));
            let help = "read their effects with caution: join periods into longer ones, or read the aggregated effects";
            diagnostics.push(Diagnostic::warning("TL356", message).help(help));
        }
        let code = |i: usize| match panel.start(i) {
            None => groups.len(),
            Some(s) => groups.iter().position(|g| *g == s).unwrap_or(OUT as usize),
        };
        let codes: Vec<u32> = (0..panel.units()).map(|i| u32::try_from(code(i)).unwrap_or(OUT)).collect();
        let never = u32::try_from(groups.len()).unwrap_or(OUT);
        sizes.push(codes.iter().filter(|c| **c == never).count());
        let cells = Vec::new();
        let mut design = Self { groups, sizes, codes, bases, cells, diagnostics, times, options: *options };
        design.check_controls()?;
        design.cells = design.all_cells();
        Ok(design)
    }

    fn check_controls(&self) -> Result<(), EvidenceError> {
        let never = self.sizes[self.groups.len()];
        match (self.options.controls, never) {
            (_, 0) if self.groups.len() == 1 => Err(nothing(
                "all units are treated from the same period on: there is nothing to compare with".into(),
                "add units that are not treated, or treated later; for one series see --method its",
            )),
            (Controls::Never, 0) => Err(nothing(
                "every unit is treated in some period: there are no never-treated units to compare with".into(),
                "compare with units that are not treated yet: --method cs --control-group notyet",
            )),
            (Controls::Never, 1) => Err(EvidenceError::Data {
                code: "TL356",
                message: "there is a single never-treated unit: its own ups and downs cannot be told from a trend"
                    .into(),
                help: "add untreated units, or compare with --control-group notyet".into(),
            }),
            _ => Ok(()),
        }
    }

    fn all_cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for (group, (g, last)) in self.groups.iter().zip(&self.bases).enumerate() {
            for time in 0..self.times.len() {
                let base = match self.options.base {
                    _ if time > *last => *last,
                    Base::Varying if time == 0 => continue,
                    Base::Varying => time - 1,
                    Base::Universal if time == *last => continue,
                    Base::Universal => *last,
                };
                let phase = match time {
                    t if t <= *last => Phase::Before,
                    t if t < *g => Phase::Anticipation,
                    _ => Phase::After,
                };
                cells.push(Cell { group, time, base, event: self.times[time] - self.times[*g], phase });
            }
        }
        cells.retain(|cell| self.controls(cell) > 1);
        cells
    }

    /// Whether the units of group `other` are controls in a cell.
    pub(super) fn is_control(&self, cell: &Cell, other: usize) -> bool {
        let later = self.times[cell.time].max(self.times[cell.base]) + self.options.anticipation;
        match self.groups.get(other) {
            None => other == self.groups.len(),
            Some(start) => {
                self.options.controls == Controls::NotYet && other != cell.group && self.times[*start] > later
            }
        }
    }

    /// Control units of a cell.
    pub(super) fn controls(&self, cell: &Cell) -> usize {
        self.sizes.iter().enumerate().filter(|(h, _)| self.is_control(cell, *h)).map(|(_, n)| n).sum()
    }

    /// Units that take part.
    pub(super) fn units(&self) -> usize {
        self.sizes.iter().sum()
    }
}

fn nothing(message: String, help: &str) -> EvidenceError {
    EvidenceError::Data { code: "TL354", message, help: help.to_owned() }
}

fn early(group: &str, units: usize) -> Diagnostic {
    let message = format!("{units} units treated from {group} on have no period before the treatment and are left out");
    Diagnostic::warning("TL354", message).help("add earlier periods, or allow less anticipation")
}

fn single(panel: &Panel, g: usize) -> Diagnostic {
    let unit = (0..panel.units()).find(|i| panel.start(*i) == Some(g)).map(|i| panel.unit_name(i)).unwrap_or_default();
    let message = format!("unit `{unit}` alone is treated from {} on and is left out", panel.time_name(g));
    Diagnostic::warning("TL356", message)
        .help("one unit gives no standard error here: join periods so that it has company, or see --method sc or sdid")
}

fn no_group(panel: &Panel, all: &[(usize, usize)], base_of: &impl Fn(usize) -> Option<usize>) -> EvidenceError {
    if all.iter().all(|(g, _)| base_of(*g).is_none()) {
        return nothing(
            format!("no treated unit has a period before its treatment (the panel begins in {})", panel.time_name(0)),
            "add periods before the treatment; if the treatment column only marks the treated units, say when it began: \
             --treated-from PERIOD",
        );
    }
    EvidenceError::Data {
        code: "TL356",
        message: "no period has more than one unit whose treatment begins in it".into(),
        help:
            "difference-in-differences needs several treated units that begin together: join periods, or use --method \
               sc or sdid for a single treated unit"
                .into(),
    }
}
