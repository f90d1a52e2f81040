//! Checks of slices, and numbers kept bit for bit.

use serde_json::{Value, json};

use crate::LearnError;

pub(crate) fn same_length(what: &str, got: usize, expected: usize) -> Result<(), LearnError> {
    if got == expected {
        return Ok(());
    }
    Err(LearnError::LengthMismatch { what: what.to_owned(), expected, got })
}

pub(crate) fn all(
    what: &'static str,
    values: &[f64],
    bound: &'static str,
    accept: impl Fn(f64) -> bool,
) -> Result<(), LearnError> {
    let mut bad = values.iter().enumerate().filter(|(_, v)| !accept(**v));
    let Some((row, _)) = bad.next() else { return Ok(()) };
    Err(LearnError::BadValues { what, count: 1 + bad.count(), row, bound })
}

pub(crate) fn finite(what: &'static str, values: &[f64]) -> Result<(), LearnError> {
    all(what, values, "finite", f64::is_finite)
}

pub(crate) fn probabilities(what: &'static str, values: &[f64]) -> Result<(), LearnError> {
    all(what, values, "between 0 and 1", |v| (0.0..=1.0).contains(&v))
}

/// Numbers as the hexadecimal of their bits: decimal text does not promise the same bits.
pub(crate) fn bits(numbers: &[f64]) -> Value {
    let bytes: Vec<u8> = numbers.iter().flat_map(|v| v.to_le_bytes()).collect();
    json!({ "bits": hex::encode(bytes) })
}

/// The numbers of [`bits`], all finite.
pub(crate) fn from_bits(state: &Value) -> Result<Vec<f64>, LearnError> {
    let text = state.get("bits").and_then(Value::as_str).ok_or_else(|| damaged(&"it has no `bits`"))?;
    let bytes = hex::decode(text).map_err(|e| damaged(&e))?;
    let (chunks, rest) = bytes.as_chunks::<8>();
    let numbers: Vec<f64> = chunks.iter().map(|c| f64::from_le_bytes(*c)).collect();
    if !rest.is_empty() || numbers.iter().any(|x| !x.is_finite()) {
        return Err(damaged(&"its numbers are not finite"));
    }
    Ok(numbers)
}

pub(crate) fn damaged(message: &dyn std::fmt::Display) -> LearnError {
    LearnError::State { message: message.to_string() }
}
