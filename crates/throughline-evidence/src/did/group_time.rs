//! Effects by group and period: ATT(g, t).

use throughline_core::Diagnostic;

use super::columns::columns;
use super::design::{Cell, Design, Phase};
use super::options::CsOptions;
use super::sums;
use crate::{EvidenceError, Joint, Panel, WaldTest};

/// Influence values that are kept per unit: beyond this many a balanced panel without covariates goes by sums alone.
const MOST_KEPT: usize = 4_000_000;

/// Effects of all groups in all periods, with what their aggregation needs.
#[derive(Debug, Clone)]
pub struct GroupTime {
    /// The cells, in the order of `joint`.
    pub cells: Vec<Cell>,
    /// Treated and control units of each cell.
    pub counts: Vec<(usize, usize)>,
    /// The cells' effects, then the shares of the groups.
    pub joint: Joint,
    /// What must be said about the data.
    pub diagnostics: Vec<Diagnostic>,
    /// Name of each group: its first treated period.
    pub groups: Vec<String>,
    /// Units of each group.
    pub sizes: Vec<usize>,
    /// Name of each period.
    pub periods: Vec<String>,
    /// Value of each period.
    pub times: Vec<f64>,
    /// Settings.
    pub options: CsOptions,
}

impl GroupTime {
    /// Estimates ATT(g, t) = E[Y_t − Y_b | G = g] − E[Y_t − Y_b | controls] for every group g and period t, adjusted for
    /// covariates in the earlier of the two periods. Source: Callaway, Sant'Anna (2021), Journal of Econometrics 225(2).
    ///
    /// Each comparison of two periods uses the units that have an outcome in both. A balanced panel without covariates takes
    /// one pass over its cells and memory for periods² per group; otherwise time and memory grow with units × (group,
    /// period) pairs.
    ///
    /// Errors: TL354 nothing to compare, TL356 too few units, TL357 and TL358 when covariates allow no comparison at all.
    pub fn of(panel: &Panel, options: &CsOptions) -> Result<Self, EvidenceError> {
        let design = Design::of(panel, options)?;
        Self::of_design(panel, options, &design, MOST_KEPT)
    }

    /// Influence values that are kept per unit: beyond `most_kept` a balanced panel without covariates goes by sums alone.
    pub(super) fn of_design(
        panel: &Panel,
        options: &CsOptions,
        design: &Design,
        most_kept: usize,
    ) -> Result<Self, EvidenceError> {
        let groups: Vec<String> = design.groups.iter().map(|g| panel.time_name(*g)).collect();
        let name = |c: &Cell| format!("ATT(g={}, t={})", groups[c.group], panel.time_name(c.time));
        let shares = groups.iter().map(|g| format!("share of {g}")).collect::<Vec<_>>();
        let plain = panel.is_balanced() && panel.covariates().next().is_none();
        let estimates = design.cells.len() + groups.len();
        let by_sums = plain && !design.cells.is_empty() && estimates * panel.units() > most_kept;
        let mut diagnostics = design.diagnostics.clone();
        diagnostics.extend(missing(panel));
        let (joint, kept, counts) = if by_sums {
            let names = design.cells.iter().map(name).chain(shares).collect();
            let count = |c: &Cell| (design.sizes[c.group], design.controls(c));
            let counts = design.cells.iter().map(count).collect();
            (sums::joint(panel, design, names)?, (0..design.cells.len()).collect(), counts)
        } else {
            let found = columns(panel, design, options.adjustment, name, shares)?;
            diagnostics.extend(found.diagnostics);
            (found.joint, found.kept, found.counts)
        };
        Ok(Self {
            cells: kept.iter().map(|p| design.cells[*p]).collect(),
            counts,
            joint,
            diagnostics,
            sizes: design.sizes[..groups.len()].to_vec(),
            groups,
            periods: (0..panel.periods()).map(|t| panel.time_name(t)).collect(),
            times: (0..panel.periods()).map(|t| panel.time(t)).collect(),
            options: *options,
        })
    }

    /// Positions of the cells in a phase.
    pub fn in_phase(&self, phase: Phase) -> Vec<usize> {
        (0..self.cells.len()).filter(|c| self.cells[*c].phase == phase).collect()
    }

    /// The effect of a group in a period, both named as in the data.
    pub fn position(&self, group: &str, time: &str) -> Option<usize> {
        self.cells.iter().position(|c| self.groups[c.group] == group && self.periods[c.time] == time)
    }

    /// The Wald test that all differences of trends before the treatment are 0; none where there is no such cell.
    pub fn pre_test(&self) -> Option<WaldTest> {
        self.joint.wald_test(&self.in_phase(Phase::Before)).ok()
    }
}

fn missing(panel: &Panel) -> Option<Diagnostic> {
    let n = panel.missing_cells();
    (n > 0).then(|| {
        let message = format!("{n} cells have no outcome: {}", panel.missing_in_words(3));
        Diagnostic::warning("TL351", message).help(
            "each comparison of two periods uses the units seen in both; if units drop out because of the treatment, the \
             effects are biased",
        )
    })
}
