//! A table of plain columns: what a file or a stage hands to an estimator.

use std::collections::HashMap;

use throughline_core::diagnostic::closest;

use crate::EvidenceError;

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Numbers; NaN where there is none.
    Numbers(Vec<f64>),
    /// Texts as codes into `names`, in the order in which they first stand; `u32::MAX` where there is none.
    Texts {
        /// One code per row.
        codes: Vec<u32>,
        /// The texts.
        names: Vec<String>,
    },
}

/// Columns of equal length by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    names: Vec<String>,
    columns: Vec<Column>,
    rows: usize,
}

impl Table {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column. Errors: a name that stands, or another length.
    pub fn push(&mut self, name: impl Into<String>, column: Column) -> Result<(), EvidenceError> {
        let name = name.into();
        let length = match &column {
            Column::Numbers(values) => values.len(),
            Column::Texts { codes, .. } => codes.len(),
        };
        if self.names.contains(&name) {
            return Err(EvidenceError::Duplicate { what: "column", name });
        }
        if !self.columns.is_empty() && length != self.rows {
            return Err(EvidenceError::Shape { what: "columns" });
        }
        self.rows = length;
        self.names.push(name);
        self.columns.push(column);
        Ok(())
    }

    /// Adds a column of numbers.
    #[must_use = "the table is returned"]
    pub fn with(mut self, name: &str, values: Vec<f64>) -> Result<Self, EvidenceError> {
        self.push(name, Column::Numbers(values))?;
        Ok(self)
    }

    /// Rows.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// A column; an unknown name answers with the known ones.
    pub fn column(&self, name: &str) -> Result<&Column, EvidenceError> {
        let position = self.names.iter().position(|n| n == name);
        position.map(|i| &self.columns[i]).ok_or_else(|| EvidenceError::UnknownColumn {
            name: name.to_owned(),
            suggestion: closest(name, self.names.iter().map(String::as_str)).map(str::to_owned),
            known: self.names.join(", "),
        })
    }

    /// A column of numbers, NaN where there is none. Errors: a column of texts.
    pub fn numbers(&self, name: &str) -> Result<&[f64], EvidenceError> {
        match self.column(name)? {
            Column::Numbers(values) => Ok(values),
            Column::Texts { codes, names } => {
                let first = codes.iter().position(|c| *c != u32::MAX).unwrap_or_default();
                let shown = codes.get(first).and_then(|c| names.get(*c as usize)).cloned().unwrap_or_default();
                Err(EvidenceError::NotNumbers { name: name.to_owned(), value: shown, row: first + 1 })
            }
        }
    }

    /// A column as codes of its distinct values, in the order in which they first stand, with their texts; `u32::MAX`
    /// where there is none. Numbers are groups too.
    pub fn codes(&self, name: &str) -> Result<(Vec<u32>, Vec<String>), EvidenceError> {
        match self.column(name)? {
            Column::Texts { codes, names } => Ok((codes.clone(), names.clone())),
            Column::Numbers(values) => {
                let (mut known, mut names) = (HashMap::new(), Vec::new());
                let mut code = |v: f64| {
                    // −0 and 0 are one group.
                    *known.entry((v + 0.0).to_bits()).or_insert_with(|| {
                        names.push(v.to_string());
                        u32::try_from(names.len() - 1).unwrap_or(u32::MAX)
                    })
                };
                let codes = values.iter().map(|v| if v.is_nan() { u32::MAX } else { code(*v) }).collect();
                Ok((codes, names))
            }
        }
    }
}
