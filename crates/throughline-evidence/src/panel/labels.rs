//! Distinct values of a column in ascending order.

use std::collections::HashMap;

use throughline_core::diagnostic::closest;

use crate::{Column, EvidenceError};

/// Names of units or periods, sorted: numbers by value, texts by their characters.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels {
    values: Vec<f64>,
    /// The texts, where the column holds texts; `values` are then their positions.
    texts: Option<Vec<String>>,
}

impl Labels {
    /// Of numbers in ascending order.
    pub const fn numbers(values: Vec<f64>) -> Self {
        Self { values, texts: None }
    }

    /// Of texts in ascending order.
    pub fn texts(texts: Vec<String>) -> Self {
        Self { values: (0..texts.len()).map(|i| i as f64).collect(), texts: Some(texts) }
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether they are texts.
    pub const fn are_texts(&self) -> bool {
        self.texts.is_some()
    }

    /// Label `i` as the data write it.
    pub fn label(&self, i: usize) -> String {
        self.texts.as_ref().map_or_else(|| self.values[i].to_string(), |t| t[i].clone())
    }

    /// The number, or the position of a text.
    pub fn value(&self, i: usize) -> f64 {
        self.values[i]
    }

    /// Some of them, in the order given; texts keep no earlier positions.
    #[must_use]
    pub fn of(&self, positions: &[usize]) -> Self {
        match &self.texts {
            Some(texts) => Self::texts(positions.iter().map(|i| texts[*i].clone()).collect()),
            None => Self::numbers(positions.iter().map(|i| self.values[*i]).collect()),
        }
    }

    /// The first position whose label is at or after `value`; the length when all are before. Errors: no number where
    /// labels are numbers.
    pub fn at_or_after(&self, value: &str) -> Result<usize, EvidenceError> {
        if let Some(texts) = &self.texts {
            return Ok(texts.partition_point(|t| t.as_str() < value));
        }
        let number = value.trim().parse::<f64>().ok().filter(|v| v.is_finite());
        let number = number.ok_or_else(|| {
            let known: Vec<String> = (0..self.len()).map(|i| self.label(i)).collect();
            let near = closest(value, known.iter().map(String::as_str)).map(|n| format!(", for example `{n}`"));
            EvidenceError::Data {
                code: "TL353",
                message: format!("`{value}` is not a period: the periods of the data are numbers"),
                help: format!("write it as the data write it{}", near.unwrap_or_default()),
            }
        })?;
        Ok(self.values.partition_point(|v| *v < number))
    }

    /// The last position whose label is at or before `value`. Errors: as [`Labels::at_or_after`].
    pub fn at_or_before(&self, value: &str) -> Result<Option<usize>, EvidenceError> {
        let next = self.at_or_after(value)?;
        let same = next < self.len()
            && match &self.texts {
                Some(texts) => texts[next] == value,
                None => value.trim().parse() == Ok(self.values[next]),
            };
        Ok(if same { Some(next) } else { next.checked_sub(1) })
    }

    /// The distinct values of a column and the position of each row's value; `u32::MAX` where there is none.
    pub(super) fn of_column(column: &Column) -> (Self, Vec<u32>) {
        match column {
            Column::Numbers(values) => of_numbers(values),
            Column::Texts { codes, names } => of_texts(codes, names),
        }
    }
}

fn of_numbers(values: &[f64]) -> (Labels, Vec<u32>) {
    let mut known: HashMap<u64, u32> = HashMap::new();
    let mut distinct: Vec<f64> = Vec::new();
    // Rows of one unit usually follow each other: the last value is looked at first.
    let mut last = (f64::NAN.to_bits(), u32::MAX);
    let mut codes = Vec::with_capacity(values.len());
    for value in values {
        // −0 and 0 are one label.
        let value = value + 0.0;
        if value.is_nan() {
            codes.push(u32::MAX);
            continue;
        }
        if value.to_bits() != last.0 {
            let code = *known.entry(value.to_bits()).or_insert_with(|| {
                distinct.push(value);
                u32::try_from(distinct.len() - 1).unwrap_or(u32::MAX)
            });
            last = (value.to_bits(), code);
        }
        codes.push(last.1);
    }
    drop(known);
    let order = ranks(distinct.len(), |a, b| distinct[a].total_cmp(&distinct[b]));
    let mut sorted = vec![0.0; distinct.len()];
    distinct.iter().zip(&order).for_each(|(v, rank)| sorted[*rank as usize] = *v);
    recode(&mut codes, &order);
    (Labels::numbers(sorted), codes)
}

fn of_texts(codes: &[u32], names: &[String]) -> (Labels, Vec<u32>) {
    let order = ranks(names.len(), |a, b| names[a].cmp(&names[b]));
    let mut sorted = vec![String::new(); names.len()];
    names.iter().zip(&order).for_each(|(name, rank)| sorted[*rank as usize].clone_from(name));
    let mut codes = codes.to_vec();
    recode(&mut codes, &order);
    (Labels::texts(sorted), codes)
}

fn recode(codes: &mut [u32], ranks: &[u32]) {
    codes.iter_mut().filter(|c| **c != u32::MAX).for_each(|c| *c = ranks[*c as usize]);
}

/// The rank of each of `n` things.
fn ranks(n: usize, compare: impl Fn(usize, usize) -> std::cmp::Ordering) -> Vec<u32> {
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| compare(*a, *b));
    let mut ranks = vec![0; n];
    for (rank, thing) in order.into_iter().enumerate() {
        ranks[thing] = u32::try_from(rank).unwrap_or(u32::MAX);
    }
    ranks
}
