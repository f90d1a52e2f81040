//! Why an expression is refused.

use std::fmt;

use super::functions;
use super::ty::Type;
use crate::diagnostic::Diagnostic;

/// A place inside an expression, 1-based and counted in characters; line 0 when unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Line.
    pub line: u64,
    /// Column.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => Ok(()),
            line => write!(f, " at line {line}, column {}", self.column),
        }
    }
}

/// An expression that is not accepted. [`ExprError::help`] says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExprError {
    /// No text.
    #[error("the expression is empty")]
    Empty,
    /// Too many bytes.
    #[error("expression of {bytes} bytes exceeds the limit of {limit}")]
    TooLong {
        /// Length.
        bytes: usize,
        /// Longest accepted.
        limit: usize,
    },
    /// Too many levels of brackets, CASE, NOT or minus.
    #[error("expression is nested deeper than the limit of {limit} levels")]
    TooDeep {
        /// Deepest accepted.
        limit: usize,
    },
    /// Too many operators, functions, columns and literals.
    #[error("expression has more than the limit of {limit} nodes")]
    TooManyNodes {
        /// Most accepted.
        limit: usize,
    },
    /// Too many items of IN.
    #[error("IN list of {items} items exceeds the limit of {limit}{place}")]
    ListTooLong {
        /// Items.
        items: usize,
        /// Most accepted.
        limit: usize,
        /// Where.
        place: Place,
    },
    /// A comment, which could hide a part of the rule from its reader.
    #[error("comments are not allowed in expressions{place}")]
    Comment {
        /// Where.
        place: Place,
    },
    /// Text after the end of the expression.
    #[error("expected the end of the expression, found `{found}`{place}")]
    Trailing {
        /// What stands there.
        found: String,
        /// Where.
        place: Place,
    },
    /// Not SQL.
    #[error("syntax error: {message}{place}")]
    Syntax {
        /// What the parser said.
        message: String,
        /// Where.
        place: Place,
    },
    /// SQL, but outside the language.
    #[error("{what} are not allowed in expressions{place}")]
    Refused {
        /// What was used, in the plural.
        what: String,
        /// What to do instead.
        help: String,
        /// Where.
        place: Place,
    },
    /// A column the schema does not have.
    #[error("unknown column `{name}`{place}")]
    UnknownColumn {
        /// As written.
        name: String,
        /// Similar name of the schema.
        closest: Option<String>,
        /// All names of the schema.
        known: Vec<String>,
        /// Where.
        place: Place,
    },
    /// A function that is not in the allow-list.
    #[error("unknown function `{name}`{place}")]
    UnknownFunction {
        /// As written.
        name: String,
        /// Similar name of the allow-list.
        closest: Option<String>,
        /// Where.
        place: Place,
    },
    /// Wrong number of arguments, or an argument that must be a literal and is not.
    #[error("`{usage}`: {message}{place}")]
    Arguments {
        /// How the function is called.
        usage: &'static str,
        /// What is wrong.
        message: String,
        /// Where.
        place: Place,
    },
    /// Operands of types that do not fit.
    #[error("type error: {message}{place}")]
    Type {
        /// What was needed and what was given.
        message: String,
        /// What to do.
        help: Option<String>,
        /// Where.
        place: Place,
    },
    /// The whole expression has another type than its user needs.
    #[error("type error: expected an expression of type {expected}, got {got}")]
    Result {
        /// Needed.
        expected: Type,
        /// Given.
        got: Type,
    },
    /// The SQL parser could not run or gave up; a fault of the program, not of the text.
    #[error("the expression parser failed: {reason}")]
    Failed {
        /// Why.
        reason: String,
    },
    /// A literal without a value.
    #[error("{message}{place}")]
    Literal {
        /// What is wrong with it.
        message: String,
        /// Where.
        place: Place,
    },
}

impl ExprError {
    /// Where, when known.
    pub fn place(&self) -> Option<Place> {
        let place = match self {
            Self::Empty
            | Self::TooLong { .. }
            | Self::TooDeep { .. }
            | Self::TooManyNodes { .. }
            | Self::Failed { .. }
            | Self::Result { .. } => return None,
            Self::ListTooLong { place, .. }
            | Self::Comment { place }
            | Self::Trailing { place, .. }
            | Self::Syntax { place, .. }
            | Self::Refused { place, .. }
            | Self::UnknownColumn { place, .. }
            | Self::UnknownFunction { place, .. }
            | Self::Arguments { place, .. }
            | Self::Type { place, .. }
            | Self::Literal { place, .. } => *place,
        };
        (place.line > 0).then_some(place)
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::TooLong { .. } | Self::TooManyNodes { .. } | Self::TooDeep { .. } => {
                Some("split it into several features, segments or columns".to_owned())
            }
            Self::ListTooLong { .. } => Some("join a table of these values instead".to_owned()),
            Self::Comment { .. } => Some("put the comment into the YAML file".to_owned()),
            Self::Trailing { found, .. } if found == "," || found == ";" => {
                Some("write exactly one expression".to_owned())
            }
            Self::Refused { help, .. } => Some(help.clone()),
            Self::UnknownColumn { closest, known, .. } => Some(did_you_mean(closest.as_deref(), "columns", known)),
            Self::UnknownFunction { closest, .. } => {
                let known: Vec<String> = functions::all().map(|f| f.name().to_owned()).collect();
                Some(did_you_mean(closest.as_deref(), "functions", &known))
            }
            Self::Type { help, .. } => help.clone(),
            Self::Result { expected: Type::Bool, .. } => Some("write a condition, for example `x > 0`".to_owned()),
            Self::Result { expected, got } if got.casts_to(*expected) => {
                Some(format!("cast it: `(…)::{}` (NULL where impossible)", expected.sql()))
            }
            _ => None,
        }
    }

    /// The finding to show, under a stable code of the caller.
    pub fn diagnostic(&self, code: &str) -> Diagnostic {
        let finding = Diagnostic::error(code, self.to_string());
        match self.help() {
            Some(help) => finding.help(help),
            None => finding,
        }
    }
}

fn did_you_mean(closest: Option<&str>, what: &str, known: &[String]) -> String {
    const SHOWN: usize = 60;
    let more = if known.len() > SHOWN { ", …" } else { "" };
    let list = known.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let list = if known.is_empty() { "none".to_owned() } else { list };
    let hint = closest.map(|c| format!("did you mean `{c}`? ")).unwrap_or_default();
    format!("{hint}known {what}: {list}{more}")
}
