//! Factorial experiments: several factors crossed, main effects and interactions.

use serde::{Deserialize, Serialize};
use throughline_core::{Diagnostic, EvidenceTier, Level};
use throughline_stats::moments::Moments;

use super::unusable;
use crate::{EvidenceError, Joint, Report, Table};

/// A factor and its levels, the first of which is the base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Factor {
    /// Name.
    pub name: String,
    /// Levels, the base first.
    pub levels: Vec<String>,
}

/// A cell as it was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The level of each factor.
    pub levels: Vec<String>,
    /// Units.
    pub n: u64,
    /// Mean outcome.
    pub mean: Option<f64>,
}

/// A contrast of cells: its name and one weight per cell.
pub type Contrast = (String, Vec<f64>);

/// The most cells of a design.
const MOST: usize = 1024;

/// The cells of the full cross, the last factor fastest: one level per factor. Errors: no factor, a factor with fewer than
/// two levels or levels that repeat, more than 1,024 cells (TL342).
pub fn cells(factors: &[Factor]) -> Result<Vec<Vec<usize>>, EvidenceError> {
    for factor in factors {
        let repeats = factor.levels.iter().enumerate().any(|(i, l)| factor.levels[..i].contains(l));
        if factor.levels.len() < 2 || repeats {
            let message = format!("factor `{}` has levels {:?}", factor.name, factor.levels);
            return Err(unusable("TL342", message, "give at least two different levels, the base first"));
        }
    }
    let count = factors.iter().fold(1_usize, |n, f| n.saturating_mul(f.levels.len()));
    if factors.is_empty() || count > MOST {
        let message = format!("{} factors make {count} cells", factors.len());
        return Err(unusable("TL342", message, "cross fewer factors or levels; up to 1,024 cells are possible"));
    }
    let cell = |mut index: usize| {
        let mut levels = vec![0; factors.len()];
        for (level, factor) in levels.iter_mut().zip(factors).rev() {
            *level = index % factor.levels.len();
            index /= factor.levels.len();
        }
        levels
    };
    Ok((0..count).map(cell).collect())
}

/// Main effects and two-way interactions as contrasts of cell means: a main effect is a level against the base, averaged over
/// all levels of the other factors alike; an interaction is by how much that difference differs between a level of another
/// factor and its base. With two levels each and N units in equal cells their variances are 4 σ² / N and 16 σ² / N: an
/// interaction needs four times the units. Source: Wu, Hamada (2021), Experiments, ch. 4. Errors: see [`cells`].
pub fn contrasts(factors: &[Factor]) -> Result<Vec<Contrast>, EvidenceError> {
    let cells = cells(factors)?;
    let sign = |level: usize, of: usize| match level {
        l if l == of => 1.0,
        0 => -1.0,
        _ => 0.0,
    };
    let mut out = Vec::new();
    for (f, factor) in factors.iter().enumerate() {
        for l in 1..factor.levels.len() {
            let others = (cells.len() / factor.levels.len()) as f64;
            out.push((
                format!("{}={}", factor.name, factor.levels[l]),
                cells.iter().map(|c| sign(c[f], l) / others).collect(),
            ));
        }
    }
    for (f, first) in factors.iter().enumerate() {
        for (g, second) in factors.iter().enumerate().skip(f + 1) {
            for (l, m) in (1..first.levels.len()).flat_map(|l| (1..second.levels.len()).map(move |m| (l, m))) {
                let others = (cells.len() / first.levels.len() / second.levels.len()) as f64;
                let name = format!("{}={} × {}={}", first.name, first.levels[l], second.name, second.levels[m]);
                out.push((name, cells.iter().map(|c| sign(c[f], l) * sign(c[g], m) / others).collect()));
            }
        }
    }
    Ok(out)
}

/// Effects of a factorial experiment, one row a unit: all main effects, then all two-way interactions, with the cells they rest
/// on. `factors` are columns whose values are levels, the base of each named by the caller or the first found. Cell means are
/// independent with variance s² / n, and contrasts are linear in them.
///
/// Errors: an unknown column or base, a factor with one level, a cell with fewer than two units (TL342).
pub fn effects(
    table: &Table,
    factors: &[(&str, Option<&str>)],
    metric: &str,
) -> Result<(Joint, Vec<Cell>, u64), EvidenceError> {
    let values = table.numbers(metric)?;
    let (mut design, mut codes) = (Vec::new(), Vec::new());
    for (name, base) in factors {
        let (factor, code) = factor(table, name, *base)?;
        design.push(factor);
        codes.push(code);
    }
    let (contrasts, all) = (contrasts(&design)?, cells(&design)?);
    let mut moments = vec![Moments::default(); all.len()];
    let mut left_out = 0_u64;
    for (row, value) in values.iter().enumerate() {
        let index = codes.iter().zip(&design).try_fold(0_usize, |index, (code, factor)| {
            (code[row] != u32::MAX).then(|| index * factor.levels.len() + code[row] as usize)
        });
        match index.filter(|_| value.is_finite()) {
            Some(index) => moments[index].push(*value),
            None => left_out += 1,
        }
    }
    let of = |(levels, m): (&Vec<usize>, &Moments)| Cell {
        levels: levels.iter().zip(&design).map(|(l, f)| f.levels[*l].clone()).collect(),
        n: m.n(),
        mean: m.mean(),
    };
    let cells = all.iter().zip(&moments).map(of).collect::<Vec<_>>();
    Ok((joint(&moments, &cells)?.combine(&contrasts)?, cells, left_out))
}

/// A column as a factor with its base first, and the codes of its rows.
fn factor(table: &Table, name: &str, base: Option<&str>) -> Result<(Factor, Vec<u32>), EvidenceError> {
    let (code, mut levels) = table.codes(name)?;
    let first = match base {
        None => 0,
        Some(base) => levels.iter().position(|l| l == base).ok_or_else(|| {
            let message = format!("factor `{name}` has no level `{base}`");
            unusable("TL342", message, &format!("its levels are {}", levels.join(", ")))
        })?,
    };
    if !levels.is_empty() {
        levels.swap(0, first);
    }
    let swap = |c: u32| match c as usize {
        0 => u32::try_from(first).unwrap_or(u32::MAX),
        c if c == first => 0,
        _ => c,
    };
    Ok((Factor { name: name.to_owned(), levels }, code.into_iter().map(swap).collect()))
}

/// Reads a factorial experiment, see [`effects`]: the estimate is the first main effect, the comparisons are all of them, and a
/// simultaneous band over all is in the details under `simultaneous`. Errors: see [`effects`].
pub fn read(
    table: &Table,
    factors: &[(&str, Option<&str>)],
    metric: &str,
    level: Level,
) -> Result<Report, EvidenceError> {
    let (joint, cells, left_out) = effects(table, factors, metric)?;
    let mut report = Report::new("factorial", EvidenceTier::Randomised, joint.estimate(0, level)?);
    for j in 0..joint.len() {
        report.find(joint.names()[j].clone(), joint.estimate(j, level)?);
    }
    for assumption in [
        "units were assigned to the cells at random",
        "a unit's outcome does not depend on the cells of other units",
        "a main effect is the average over the other factors' levels, all alike",
    ] {
        report.assume(assumption);
    }
    if left_out > 0 {
        let message = format!("{left_out} units without a level or a value are left out");
        report.diagnose(Diagnostic::warning("TL344", message).help("give 0 where nothing happened"));
    }
    let band = joint.band(level, 1)?;
    let simultaneous = serde_json::json!({
        "critical_value": band.critical_value, "intervals": band.intervals, "p_values": band.p_values,
    });
    report.detail("simultaneous", simultaneous);
    report.detail("cells", serde_json::json!(cells));
    Ok(report)
}

fn joint(moments: &[Moments], cells: &[Cell]) -> Result<Joint, EvidenceError> {
    let k = moments.len();
    let mut covariance = vec![0.0; k * k];
    let (mut means, mut names) = (Vec::new(), Vec::new());
    for (i, (m, cell)) in moments.iter().zip(cells).enumerate() {
        let name = cell.levels.join(" × ");
        let (Some(mean), Some(error)) = (m.mean(), m.std_error()) else {
            let message = format!("cell {name} has {} units", m.n());
            let help = "every cell needs two units; drop a level, or read the factors apart";
            return Err(unusable("TL342", message, help));
        };
        means.push(mean);
        names.push(name);
        covariance[i * k + i] = error * error;
    }
    let (n, least) = (moments.iter().map(Moments::n).sum::<u64>(), moments.iter().map(Moments::n).min().unwrap_or(0));
    // Every contrast weighs several cells, so it has at least the degrees of freedom of the smallest.
    let df = if least < 30 { least as f64 - 1.0 } else { n as f64 - k as f64 };
    Ok(Joint::from_covariance(names, means, covariance, n, "factorial")?.with_df(df))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    fn factor(name: &str, levels: &[&str]) -> Factor {
        Factor { name: name.into(), levels: levels.iter().map(|l| (*l).to_owned()).collect() }
    }

    #[test]
    fn contrasts_of_two_by_two() {
        let got = contrasts(&[factor("a", &["0", "1"]), factor("b", &["0", "1"])]).expect("a design");
        let weights: Vec<&[f64]> = got.iter().map(|(_, w)| w.as_slice()).collect();
        assert_eq!(weights, [[-0.5, -0.5, 0.5, 0.5], [-0.5, 0.5, -0.5, 0.5], [1.0, -1.0, -1.0, 1.0]]);
        assert_eq!(got[2].0, "a=1 × b=1");
        // Three levels: every contrast sums to 0.
        let got = contrasts(&[factor("a", &["0", "1", "2"]), factor("b", &["0", "1"]), factor("c", &["x", "y"])])
            .expect("a design");
        assert_eq!(got.len(), 4 + 2 + 2 + 1);
        assert!(got.iter().all(|(_, w)| w.iter().sum::<f64>().abs() < 1e-12));
    }

    fn two_by_two() -> Table {
        let texts = |f: &dyn Fn(usize) -> u32| Column::Texts {
            codes: (0..400).map(f).collect(),
            names: vec!["off".into(), "on".into()],
        };
        let mut table = Table::new();
        table.push("a", texts(&|i| u32::from(i % 2 == 0))).expect("a column");
        table.push("b", texts(&|i| u32::from(i % 4 < 2))).expect("a column");
        let y = (0..400_usize).map(|i| {
            let (a, b) = (f64::from(u8::from(i % 2 == 0)), f64::from(u8::from(i % 4 < 2)));
            1.0 + 2.0 * a + 3.0 * b + 4.0 * a * b + f64::from(u8::from(i % 8 < 4)) - 0.5
        });
        table.push("y", Column::Numbers(y.collect())).expect("a column");
        table
    }

    #[test]
    fn effects_are_found_and_the_base_can_be_named() {
        let report = read(&two_by_two(), &[("a", None), ("b", None)], "y", Level::P95).expect("a report");
        let values: Vec<f64> = report.comparisons.iter().map(|f| f.estimate.value).collect();
        for (got, expected) in values.iter().zip([4.0, 5.0, 4.0]) {
            assert!((got - expected).abs() < 1e-9, "{values:?}");
        }
        let (main, interaction) = (&report.comparisons[0].estimate, &report.comparisons[2].estimate);
        assert!((interaction.std_error.expect("wald") / main.std_error.expect("wald") - 2.0).abs() < 1e-9);
        let turned = read(&two_by_two(), &[("a", Some("on")), ("b", None)], "y", Level::P95).expect("a report");
        assert!((turned.comparisons[0].estimate.value + 4.0).abs() < 1e-9);
    }

    #[test]
    fn impossible_designs_are_refused() {
        let refused = |r: Result<Report, EvidenceError>| matches!(r, Err(EvidenceError::Data { code: "TL342", .. }));
        assert!(refused(read(&two_by_two(), &[("a", Some("of"))], "y", Level::P95)));
        assert!(refused(read(&two_by_two(), &[], "y", Level::P95)));
        assert!(cells(&vec![factor("a", &["0", "1"]); 11]).is_err() && cells(&[factor("a", &["0"])]).is_err());
        // A cell without units.
        let table = Table::new()
            .with("a", vec![0.0, 0.0, 1.0, 1.0])
            .and_then(|t| t.with("b", vec![0.0, 0.0, 1.0, 1.0]))
            .and_then(|t| t.with("y", vec![1.0, 2.0, 3.0, 5.0]));
        assert!(refused(read(&table.expect("a table"), &[("a", None), ("b", None)], "y", Level::P95)));
    }
}
