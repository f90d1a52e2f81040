//! From raw columns to the feature matrix, the same way in training and in scoring.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use throughline_core::Diagnostic;
use throughline_core::diagnostic::closest;
use throughline_learn::narrow;

use crate::{FeatureMatrix, UpliftError};

/// Levels kept per categorical column: the most frequent ones; rarer ones are read as missing.
pub const MAX_LEVELS: usize = 10_000;

/// The values of one raw column.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw<'a> {
    /// Numbers; `None` and NaN mean missing.
    Number(Vec<Option<f64>>),
    /// Categories; `None` means missing.
    Category(Vec<Option<&'a str>>),
}

/// One raw column.
#[derive(Debug, Clone, PartialEq)]
pub struct RawColumn<'a> {
    /// Name of the feature.
    pub name: String,
    /// Its values, one per row.
    pub values: Raw<'a>,
}

impl<'a> RawColumn<'a> {
    /// A column of numbers without missing values (NaN still means missing).
    pub fn numbers(name: impl Into<String>, values: &[f64]) -> Self {
        Self { name: name.into(), values: Raw::Number(values.iter().copied().map(Some).collect()) }
    }

    /// A column of categories without missing values.
    pub fn categories(name: impl Into<String>, values: &[&'a str]) -> Self {
        Self { name: name.into(), values: Raw::Category(values.iter().copied().map(Some).collect()) }
    }
}

/// How one column becomes numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As it is.
    Number,
    /// The position of the level in this list, which is in alphabetical order; other levels are missing.
    Category(Vec<String>),
}

impl Encoding {
    fn kind(&self) -> &'static str {
        match self {
            Self::Number => "numbers",
            Self::Category(_) => "categories",
        }
    }
}

/// The columns of the feature matrix and how each is made, learnt once from training data and stored with the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoder {
    columns: Vec<(String, Encoding)>,
}

impl Encoder {
    /// Learns the columns, in the order given, and the levels of each category. More than [`MAX_LEVELS`] levels in a
    /// column are cut to the most frequent (ties in alphabetical order), with a diagnostic (`TL704`).
    pub fn fit(columns: &[RawColumn<'_>]) -> Result<(Self, Vec<Diagnostic>), UpliftError> {
        let mut diagnostics = Vec::new();
        let mut learnt: Vec<(String, Encoding)> = Vec::with_capacity(columns.len());
        for column in columns {
            if learnt.iter().any(|(name, _)| *name == column.name) {
                return Err(UpliftError::DuplicateFeature { name: column.name.clone() });
            }
            let encoding = match &column.values {
                Raw::Number(_) => Encoding::Number,
                Raw::Category(values) => Encoding::Category(levels(&column.name, values, &mut diagnostics)),
            };
            learnt.push((column.name.clone(), encoding));
        }
        Ok((Self { columns: learnt }, diagnostics))
    }

    /// The columns and their encodings, in order.
    pub fn columns(&self) -> &[(String, Encoding)] {
        &self.columns
    }

    /// The feature matrix of raw columns, found by name (their order and extra columns do not matter). Levels never
    /// seen in training are read as missing and counted (`TL705`), as are infinite numbers (`TL701`).
    pub fn transform(&self, raw: &[RawColumn<'_>]) -> Result<(FeatureMatrix, Vec<Diagnostic>), UpliftError> {
        let mut diagnostics = Vec::new();
        let mut encoded = Vec::with_capacity(self.columns.len());
        for (name, encoding) in &self.columns {
            let column = raw.iter().find(|c| c.name == *name).ok_or_else(|| UpliftError::MissingFeature {
                name: name.clone(),
                suggestion: closest(name, raw.iter().map(|c| c.name.as_str())).map(str::to_owned),
            })?;
            let (values, found) = encode(name, encoding, &column.values)?;
            diagnostics.extend(found);
            encoded.push((name.clone(), values));
        }
        Ok((FeatureMatrix::from_columns(encoded)?, diagnostics))
    }
}

fn levels(name: &str, values: &[Option<&str>], diagnostics: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for level in values.iter().flatten() {
        *counts.entry(level).or_default() += 1;
    }
    let mut ranked: Vec<(&str, usize)> = counts.into_iter().collect();
    if ranked.len() > MAX_LEVELS {
        diagnostics.push(
            Diagnostic::warning(
                "TL704",
                format!(
                    "feature `{name}` has {} levels; the {MAX_LEVELS} most frequent are kept, the rest are read as missing",
                    ranked.len()
                ),
            )
            .help("group rare levels before they reach the model"),
        );
        // A stable sort: equal counts stay in alphabetical order.
        ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        ranked.truncate(MAX_LEVELS);
        ranked.sort_unstable();
    }
    ranked.into_iter().map(|(level, _)| level.to_owned()).collect()
}

fn encode(name: &str, encoding: &Encoding, raw: &Raw<'_>) -> Result<(Vec<f32>, Option<Diagnostic>), UpliftError> {
    match (encoding, raw) {
        (Encoding::Number, Raw::Number(values)) => Ok(narrow(name, values.iter().copied())),
        (Encoding::Category(levels), Raw::Category(values)) => {
            let mut unseen = 0;
            let column = values.iter().map(|value| code(levels, *value, &mut unseen)).collect();
            let found = (unseen > 0).then(|| {
                Diagnostic::warning(
                    "TL705",
                    format!(
                        "feature `{name}` has {unseen} rows with levels unseen in training; they are read as missing"
                    ),
                )
            });
            Ok((column, found))
        }
        (expected, given) => Err(UpliftError::FeatureType {
            name: name.to_owned(),
            expected: expected.kind(),
            got: if matches!(given, Raw::Number(_)) { "numbers" } else { "categories" },
        }),
    }
}

fn code(levels: &[String], value: Option<&str>, unseen: &mut usize) -> f32 {
    let Some(value) = value else { return f32::NAN };
    levels.binary_search_by(|level| level.as_str().cmp(value)).map_or_else(
        |_| {
            *unseen += 1;
            f32::NAN
        },
        |position| position as f32,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unseen_levels_and_missing_values_are_missing() {
        let (encoder, _) = Encoder::fit(&[RawColumn::categories("channel", &["web", "phone", "web"])]).expect("fits");
        let (matrix, found) =
            encoder.transform(&[RawColumn::categories("channel", &["web", "fax", "phone"])]).expect("encodes");
        let column = matrix.column(0).expect("one column");
        assert_eq!((column[0], column[1].is_nan(), column[2]), (1.0, true, 0.0));
        assert_eq!(found[0].code, "TL705");
        assert!(found[0].message.contains("1 rows"), "{}", found[0].message);
    }

    #[test]
    fn columns_are_found_by_name() {
        let (encoder, _) = Encoder::fit(&[RawColumn::numbers("recency", &[1.0])]).expect("fits");
        let error = encoder.transform(&[RawColumn::numbers("recencx", &[1.0])]).expect_err("missing").to_string();
        assert_eq!(error, "feature `recency` is missing (is it `recencx`?)");
        let error = encoder.transform(&[RawColumn::categories("recency", &["1"])]).expect_err("type").to_string();
        assert_eq!(error, "feature `recency` was learnt as numbers, but is given as categories");
        let both = [RawColumn::numbers("extra", &[9.0]), RawColumn::numbers("recency", &[7.0])];
        assert_eq!(encoder.transform(&both).expect("encodes").0.column(0), Some(&[7.0_f32][..]));
    }

    #[test]
    fn many_levels_keep_the_most_frequent() {
        let names: Vec<String> = (0..MAX_LEVELS + 5).map(|i| format!("level{i:06}")).collect();
        let mut values: Vec<&str> = names.iter().map(String::as_str).collect();
        values.push("level010004");
        let (encoder, found) = Encoder::fit(&[RawColumn::categories("sku", &values)]).expect("fits");
        assert_eq!(found[0].code, "TL704");
        let Encoding::Category(levels) = &encoder.columns()[0].1 else { panic!("a category") };
        assert_eq!(levels.len(), MAX_LEVELS);
        assert!(levels.contains(&"level010004".to_owned()) && !levels.contains(&"level010003".to_owned()));
    }
}
