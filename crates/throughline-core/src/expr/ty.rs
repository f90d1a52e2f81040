//! The five types of the language.

use std::fmt;

/// The type of an expression. Every value of every type may be NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// True or false.
    Bool,
    /// A 64-bit signed integer.
    Int,
    /// A finite 64-bit float; never NaN, infinity or negative zero.
    Float,
    /// UTF-8 text, compared by bytes.
    Text,
    /// An instant in UTC microseconds, within the years 1 to 9999.
    Time,
}

impl Type {
    /// All types.
    pub const ALL: [Self; 5] = [Self::Bool, Self::Int, Self::Float, Self::Text, Self::Time];

    /// The name used after `::` in canonical text.
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::Int => "INT",
            Self::Float => "FLOAT",
            Self::Text => "TEXT",
            Self::Time => "TIMESTAMP",
        }
    }

    /// The type of a SQL type name, in any case; `None` for types that would promise more than the language keeps
    /// (`DATE`, `DECIMAL`, `SMALLINT`, …).
    pub fn from_sql(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "BOOL" | "BOOLEAN" => Some(Self::Bool),
            "INT" | "INTEGER" | "BIGINT" => Some(Self::Int),
            "FLOAT" | "DOUBLE" => Some(Self::Float),
            "TEXT" | "VARCHAR" | "STRING" => Some(Self::Text),
            "TIMESTAMP" => Some(Self::Time),
            _ => None,
        }
    }

    /// Whether arithmetic is defined.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Float)
    }

    /// Whether `CAST(self AS to)` is defined; the table stands in the guide of [`expr`](super).
    pub const fn casts_to(self, to: Self) -> bool {
        matches!(
            (self, to),
            (_, Self::Text)
                | (Self::Text, _)
                | (Self::Bool | Self::Int, Self::Bool | Self::Int | Self::Float)
                | (Self::Float, Self::Int | Self::Float)
                | (Self::Time, Self::Time)
        )
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
