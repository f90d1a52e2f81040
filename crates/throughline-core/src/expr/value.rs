//! Values of the language.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::instant;
use super::limits::MAX_TEXT_BYTES;
use super::ty::Type;
use crate::time::Timestamp;

/// One value. Equality is exact and NULL equals NULL here; the `=` of the language is [`Value::compare`].
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// No value, of any type.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A finite float; build it with [`Value::float`].
    Float(f64),
    /// Text.
    Text(Arc<str>),
    /// An instant.
    Time(Timestamp),
}

impl Value {
    /// A float; NULL when it is not finite. Negative zero becomes zero, so that equal numbers are the same bits.
    pub fn float(value: f64) -> Self {
        if value.is_finite() { Self::Float(value + 0.0) } else { Self::Null }
    }

    /// Text of any length.
    pub fn text(value: impl Into<Arc<str>>) -> Self {
        Self::Text(value.into())
    }

    /// Text made by an operation; NULL above [`MAX_TEXT_BYTES`].
    pub(super) fn made_text(value: impl Into<Arc<str>> + AsRef<str>) -> Self {
        if value.as_ref().len() > MAX_TEXT_BYTES { Self::Null } else { Self::Text(value.into()) }
    }

    /// An instant from microseconds since the epoch; NULL outside the years 1 to 9999.
    pub fn time_micros(micros: i64) -> Self {
        if instant::RANGE.contains(&micros) { Self::Time(Timestamp::from_micros(micros)) } else { Self::Null }
    }

    /// Its type; NULL has none.
    pub const fn ty(&self) -> Option<Type> {
        match self {
            Self::Null => None,
            Self::Bool(_) => Some(Type::Bool),
            Self::Int(_) => Some(Type::Int),
            Self::Float(_) => Some(Type::Float),
            Self::Text(_) => Some(Type::Text),
            Self::Time(_) => Some(Type::Time),
        }
    }

    /// Whether it is NULL.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The truth value; `None` for NULL and for other types.
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(b) = self { Some(*b) } else { None }
    }

    /// The number as a float; `None` for NULL and for other types.
    pub const fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(i) => Some(*i as f64),
            Self::Float(f) => Some(*f),
            _ => None,
        }
    }

    /// The text; `None` for NULL and for other types.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(t) = self { Some(t) } else { None }
    }

    /// The instant; `None` for NULL and for other types.
    pub const fn as_time(&self) -> Option<Timestamp> {
        if let Self::Time(t) = self { Some(*t) } else { None }
    }

    /// This value as a legal value of `ty`: NULL when it has another type (an integer is promoted to a float), when it
    /// is a float that is not finite, or an instant out of range. What a row hands in passes through here.
    #[must_use]
    pub fn conform(self, ty: Type) -> Self {
        match (self, ty) {
            (Self::Int(i), Type::Float) => Self::Float(i as f64),
            (Self::Float(f), Type::Float) => Self::float(f),
            (Self::Time(t), Type::Time) => Self::time_micros(t.micros()),
            (value, _) if value.ty() == Some(ty) => value,
            _ => Self::Null,
        }
    }

    /// The order of two values of one type: FALSE before TRUE, numbers by size, text by bytes, instants by time.
    /// `None` when either is NULL or the types differ.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Text(a), Self::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

/// The literal of the language that gives this value.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Bool(true) => f.write_str("TRUE"),
            Self::Bool(false) => f.write_str("FALSE"),
            Self::Int(i) => write!(f, "{i}"),
            // Debug prints the shortest digits that read back to the same bits, always with a point or an exponent.
            Self::Float(x) => write!(f, "{x:?}"),
            Self::Text(t) => write!(f, "'{}'", t.replace('\'', "''")),
            Self::Time(t) => write!(f, "TIMESTAMP '{}'", instant::text(t.micros())),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::text(value)
    }
}
