//! California's Proposition 99: synthetic difference-in-differences, synthetic control and difference-in-differences as published.

use std::path::Path;

use throughline_evidence::synth::control::{ControlSpec, Solver, fit};
use throughline_evidence::synth::ridge::Ridge;
use throughline_evidence::synth::sdid::{Kind, SdidFit, SdidSpec, fit_all};
use throughline_evidence::synth::study::Study;
use throughline_evidence::{Panel, PanelSpec};

use super::{Check, reference};
use crate::OneShotError;
use crate::files::read_table;

const SOURCE: &str = "Arkhangelsky et al. 2021; algorithm and defaults of synthdid 0.0.9";

/// Weights of donors, as published to 3 digits.
const OMEGA: [(&str, f64); 5] =
    [("Nevada", 0.124), ("New Hampshire", 0.105), ("Connecticut", 0.078), ("Delaware", 0.070), ("Colorado", 0.058)];

const LAMBDA: [(&str, f64); 3] = [("1986", 0.366), ("1987", 0.206), ("1988", 0.427)];

const SC: [(&str, f64); 5] =
    [("Utah", 0.396), ("Montana", 0.232), ("Nevada", 0.204), ("Connecticut", 0.104), ("New Hampshire", 0.045)];

pub(super) fn checks(dir: &Path) -> Result<Vec<Check>, OneShotError> {
    let file = reference(dir, "prop99/california_prop99.csv")?;
    let (table, _) = read_table(&file, ";", &["State", "Year", "PacksPerCapita", "treated"])?;
    let spec = PanelSpec {
        unit: "State",
        time: "Year",
        outcome: "PacksPerCapita",
        treatment: "treated",
        ..PanelSpec::default()
    };
    let panel = Panel::of(&table, &spec)?;
    let study = Study::of(&panel)?;
    let of = |kind, solver| {
        Ok::<SdidFit, OneShotError>(fit_all(&study, &SdidSpec { kind, solver, noise: None })?.1.remove(0))
    };
    let (sdid, sc, did) =
        (of(Kind::Sdid, Solver::FrankWolfe)?, of(Kind::Sc, Solver::FrankWolfe)?, of(Kind::Did, Solver::Exact)?);
    let mut out = vec![
        Check::relative("prop99 synthetic DiD", -15.603_827_872_733_856, sdid.att, 1e-4, SOURCE),
        Check::relative("prop99 synthetic control", -19.619_663_470_944_012, sc.att, 1e-4, SOURCE),
        Check::relative("prop99 DiD", -27.349_111_083_614_922, did.att, 1e-4, SOURCE),
        Check::relative("prop99 noise level", 5.494_401_018_579_512, sdid.noise, 1e-9, SOURCE),
    ];
    // The reference package holds itself to 3 % of the optimum.
    for (name, kind, published) in [("synthetic DiD", Kind::Sdid, sdid.att), ("synthetic control", Kind::Sc, sc.att)] {
        let exact = of(kind, Solver::Exact)?.att;
        out.push(Check::relative(format!("prop99 {name}, optimum"), published, exact, 0.03, SOURCE));
    }
    let donor = |fit: &SdidFit, name: &str| {
        study.donors.iter().position(|i| panel.unit_name(*i) == name).map_or(f64::NAN, |j| fit.omega[j])
    };
    for (state, weight) in OMEGA {
        out.push(Check::absolute(format!("prop99 SDID weight, {state}"), weight, donor(&sdid, state), 6e-4, SOURCE));
    }
    for (state, weight) in SC {
        out.push(Check::absolute(format!("prop99 SC weight, {state}"), weight, donor(&sc, state), 6e-4, SOURCE));
    }
    for (year, weight) in LAMBDA {
        let got = (0..19).find(|t| panel.time_name(*t) == year).map_or(f64::NAN, |t| sdid.lambda[t]);
        out.push(Check::absolute(format!("prop99 period weight, {year}"), weight, got, 6e-4, SOURCE));
    }
    let block = study.block(&study.cohorts[0]);
    let augmented = ControlSpec { ridge: Some(Ridge::default()), ..ControlSpec::default() };
    let augmented = fit(&block.donors, &block.treated, block.pre, &augmented)?;
    for (name, expected, got) in [
        ("effect", -15.952_594_348, augmented.att()),
        ("penalty", 429.837_582_813, augmented.lambda.unwrap_or(f64::NAN)),
        ("L2 imbalance", 3.197_953_280, augmented.l2),
    ] {
        let source = "pysyncon 1.7.0, AugSynth without covariates (its weights come from SLSQP)";
        out.push(Check::relative(format!("prop99 augmented, {name}"), expected, got, 1e-5, source));
    }
    Ok(out)
}
