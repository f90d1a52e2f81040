//! How a platform counts.

use serde::{Deserialize, Serialize};

/// How often one touch may be followed by a conversion that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// Every conversion.
    #[default]
    Every,
    /// One after each touch.
    One,
}

/// The day under which a conversion is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatedBy {
    /// That of the conversion.
    #[default]
    Conversion,
    /// That of the touch that is credited.
    Touch,
}

/// A platform that reports conversions of its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Platform {
    /// Its name.
    pub name: String,
    /// The channels it sells, sorted.
    pub channels: Vec<String>,
    /// How long after a click a conversion counts, in µs.
    pub click_window: i64,
    /// How long after an impression; 0 where impressions do not count.
    pub view_window: i64,
    /// Whether it counts touches of people who did not permit measurement to us.
    pub sees_without_consent: bool,
    /// How often.
    pub counting: Counting,
    /// Under which day.
    pub dated_by: DatedBy,
}
