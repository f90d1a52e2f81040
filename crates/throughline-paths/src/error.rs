//! What can go wrong before a journey is built.

use throughline_core::Diagnostic;

/// Why a configuration or columns of signals are refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PathsError {
    /// Two overrides for one channel and interaction.
    #[error("two lookbacks for {what}")]
    DoubleLookback {
        /// What both are about.
        what: String,
    },
    /// `frequency` changes names, so nothing that looks at names may follow it.
    #[error("the transform `frequency` must be the last one, but `{after}` follows it")]
    FrequencyNotLast {
        /// The transform behind it.
        after: String,
    },
    /// A transform that is not known.
    #[error("`{given}` is no path transform{}", suggestion.as_ref().map(|s| format!(": did you mean `{s}`?")).unwrap_or_default())]
    UnknownTransform {
        /// What was written.
        given: String,
        /// The closest that is known.
        suggestion: Option<String>,
    },
    /// A time zone that the bundled IANA database does not hold.
    #[error("`{name}` is no time zone of the IANA database")]
    UnknownZone {
        /// What was written.
        name: String,
    },
    /// A number outside its bounds.
    #[error("{what} of {value} is outside {bounds}")]
    OutOfBounds {
        /// The setting.
        what: &'static str,
        /// Its value.
        value: u64,
        /// What is accepted.
        bounds: &'static str,
    },
    /// Columns of different lengths, or a code beyond its dictionary.
    #[error("{what}: {got} where {expected} was expected")]
    Shape {
        /// Which column.
        what: &'static str,
        /// What it is.
        got: usize,
        /// What it should be.
        expected: usize,
    },
    /// Signals of a person that go back in time.
    #[error("signal {row} lies before the one above it")]
    Unsorted {
        /// Its row.
        row: usize,
    },
}

impl PathsError {
    /// The finding for people, with its code.
    pub fn diagnostic(&self) -> Diagnostic {
        let code = match self {
            Self::DoubleLookback { .. } => "TL470",
            Self::FrequencyNotLast { .. } => "TL471",
            Self::UnknownZone { .. } => "TL472",
            Self::UnknownTransform { .. } | Self::OutOfBounds { .. } => "TL473",
            Self::Shape { .. } | Self::Unsorted { .. } => "TL480",
        };
        Diagnostic::error(code, self.to_string())
    }
}
