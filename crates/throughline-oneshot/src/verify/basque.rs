//! Terrorism in the Basque Country: a synthetic control that matches predictors, their weights chosen by nested search.

use std::path::Path;

use throughline_evidence::synth::control::ControlFit;
use throughline_evidence::synth::predictors::{Predictor, PredictorWeights, matched};
use throughline_evidence::{Column, Panel, PanelSpec};

use super::{Check, reference};
use crate::OneShotError;
use crate::files::read_table;

const SOURCE: &str = "pysyncon tests, reconciled with R's Synth; Abadie, Gardeazabal 2003";

/// Column and the years it is the mean of.
const PREDICTORS: [(&str, u16, u16); 14] = [
    ("school.illit", 1964, 1969),
    ("school.prim", 1964, 1969),
    ("school.med", 1964, 1969),
    ("school.high", 1964, 1969),
    ("school.post.high", 1964, 1969),
    ("invest", 1964, 1969),
    ("gdpcap", 1960, 1969),
    ("sec.agriculture", 1961, 1969),
    ("sec.energy", 1961, 1969),
    ("sec.industry", 1961, 1969),
    ("sec.construction", 1961, 1969),
    ("sec.services.venta", 1961, 1969),
    ("sec.services.nonventa", 1961, 1969),
    ("popdens", 1969, 1969),
];

const TREATED: f64 = 17.0;

/// The regions, and the national total, with the Basque Country treated from 1975.
fn panel(dir: &Path) -> Result<(Panel, Vec<String>), OneShotError> {
    let file = reference(dir, "basque/basque.csv")?;
    let mut columns = vec!["regionno", "regionname", "year"];
    let names: Vec<&str> = PREDICTORS.iter().map(|p| p.0).collect();
    columns.extend(&names);
    let (mut table, _) = read_table(&file, ",", &columns)?;
    let mark = table.numbers("regionno")?.iter().map(|r| f64::from(u8::from(*r == TREATED))).collect();
    table.push("treated", Column::Numbers(mark))?;
    let spec = PanelSpec {
        unit: "regionname",
        time: "year",
        outcome: "gdpcap",
        treatment: "treated",
        treated_from: Some("1975"),
        covariates: &names,
        cluster: None,
    };
    let panel = Panel::of(&table, &spec)?;
    let regions = (0..panel.units()).map(|i| panel.unit_name(i)).collect();
    Ok((panel, regions))
}

/// The fit of one region by others.
fn fit(panel: &Panel, unit: usize, donors: &[usize]) -> Result<ControlFit, OneShotError> {
    let periods = panel.periods();
    let years = |first: u16, last: u16| -> Vec<usize> {
        (0..periods).filter(|t| (f64::from(first)..=f64::from(last)).contains(&panel.time(*t))).collect()
    };
    let predictors: Vec<Predictor> = panel
        .covariates()
        .zip(PREDICTORS)
        .map(|((name, values), (_, first, last))| {
            let of = |i: usize| {
                let known: Vec<f64> =
                    years(first, last).iter().map(|t| values[i * periods + t]).filter(|x| !x.is_nan()).collect();
                known.iter().sum::<f64>() / known.len() as f64
            };
            Predictor { name: name.to_owned(), treated: of(unit), donors: donors.iter().map(|i| of(*i)).collect() }
        })
        .collect();
    let fitted = years(1960, 1969);
    let over = |i: usize| -> Vec<f64> { fitted.iter().map(|t| panel.outcomes_of(i)[*t]).collect() };
    let outcomes: Vec<Vec<f64>> = donors.iter().map(|i| over(*i)).collect();
    let outcomes: Vec<&[f64]> = outcomes.iter().map(Vec::as_slice).collect();
    let found = matched(&predictors, &PredictorWeights::Nested, &outcomes, &over(unit))?;
    let series: Vec<&[f64]> = donors.iter().map(|i| panel.outcomes_of(*i)).collect();
    Ok(ControlFit::of_weights(&series, panel.outcomes_of(unit), 20, found.weights, false))
}

pub(super) fn checks(dir: &Path) -> Result<Vec<Check>, OneShotError> {
    let (panel, regions) = panel(dir)?;
    let unit = panel.treated().first().copied().unwrap_or_default();
    // The published weights are of the regions alone, without the national total.
    let donors: Vec<usize> = (0..panel.units()).filter(|i| *i != unit && !regions[*i].starts_with("Spain")).collect();
    let own = fit(&panel, unit, &donors)?;
    let weight =
        |name: &str| donors.iter().position(|i| regions[*i].starts_with(name)).map_or(f64::NAN, |j| own.weights[j]);
    let mut out = vec![
        Check::absolute("basque weight, Cataluna", 0.850_816_306, weight("Cataluna"), 2e-3, SOURCE),
        Check::absolute("basque weight, Madrid", 0.149_183_694, weight("Madrid"), 2e-3, SOURCE),
        Check::absolute("basque ATT 1975–1997", -0.699_564_784_211, own.att(), 2e-3, SOURCE),
    ];
    for (year, gap) in [(1976.0, 0.012_256), (1977.0, -0.121_307)] {
        let t = (0..panel.periods()).find(|t| panel.time(*t) == year).unwrap_or_default();
        out.push(Check::absolute(format!("basque gap {year}"), gap, own.gaps[t], 2e-3, SOURCE));
    }
    Ok(out)
}
