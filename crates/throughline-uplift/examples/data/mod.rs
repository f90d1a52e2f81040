//! People with known effects: 25 features (15 normal, 5 codes of four levels, 5 exponential), a fair coin as treatment, an outcome
//! of 0 or 1 on the logit scale; effects are differences of probabilities.

use throughline_stats::stream::Stream;
use throughline_uplift::FeatureMatrix;

/// Rows with their true effects.
pub(crate) struct Data {
    pub(crate) features: FeatureMatrix,
    pub(crate) arm: Vec<u32>,
    pub(crate) outcome: Vec<f64>,
    pub(crate) effect: Vec<f64>,
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// Chances of the outcome without and with treatment.
fn chances(x: &dyn Fn(usize) -> f64) -> (f64, f64) {
    let is = |yes: bool| f64::from(u8::from(yes));
    let base = -1.6 + 0.6 * x(0) + 0.4 * (2.0 * x(1)).sin() + 0.3 * x(2) * x(3) - 0.3 * is(x(15) == 2.0)
        + 0.2 * x(20).min(3.0);
    let lift = 0.35 + 0.5 * x(4).tanh() + 0.4 * is(x(5) > 0.5 && x(0) < 0.0) - 0.5 * is(x(16) == 1.0)
        + 0.25 * x(6) * is(x(21) > 1.0);
    (sigmoid(base), sigmoid(base + lift))
}

#[expect(clippy::cast_possible_truncation, reason = "features are in single precision")]
pub(crate) fn made(rows: usize, seed: u64) -> Result<Data, Box<dyn std::error::Error>> {
    let of = |column: usize| Stream::new(seed, column as u64);
    let value = |column: usize, row: usize| match column {
        0..15 => of(column).normal_at(row as u64) as f32,
        15..20 => of(column).index_at(row as u64, 4) as f32,
        _ => -(1.0 - of(column).uniform_at(row as u64)).ln() as f32,
    };
    let columns: Vec<Vec<f32>> = (0..25).map(|c| (0..rows).map(|row| value(c, row)).collect()).collect();
    let (assigned, happened) = (of(30), of(31));
    let person = |row: usize| {
        let (without, with) = chances(&|column| f64::from(columns[column][row]));
        let treated = assigned.uniform_at(row as u64) < 0.5;
        let outcome = happened.uniform_at(row as u64) < if treated { with } else { without };
        (u32::from(treated), f64::from(u8::from(outcome)), with - without)
    };
    let (mut arm, mut outcome, mut effect) = (Vec::new(), Vec::new(), Vec::new());
    for (treated, y, true_effect) in (0..rows).map(person) {
        arm.push(treated);
        outcome.push(y);
        effect.push(true_effect);
    }
    let named = columns.into_iter().enumerate().map(|(i, values)| (format!("x{i}"), values)).collect();
    Ok(Data { features: FeatureMatrix::from_columns(named)?, arm, outcome, effect })
}
