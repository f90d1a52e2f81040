//! The `platforms` section of `attribution.yaml`: how platforms count the conversions that they report.

use serde::Deserialize;
use throughline_attribution::reconcile::{Counting, DatedBy, Platform};
use throughline_core::Diagnostic;
use throughline_core::time::DAY_US;
use throughline_paths::zone::Zone;

/// Whose habits a platform has, where the file does not say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Habit {
    /// 30 days after a click, a day after a view, under the day of the click.
    #[default]
    GoogleAds,
    /// 7 days after a click, a day after a view, under the day of the conversion.
    Meta,
    /// 90 days after a visit, no views, under the day of the conversion.
    Ga4,
}

/// A platform that reports conversions of its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformConfig {
    /// Its name.
    pub name: String,
    /// Whose habits it has.
    #[serde(default)]
    pub like: Habit,
    /// Sources whose spend rows carry what it reports.
    pub sources: Vec<String>,
    /// The channels it sells.
    pub channels: Vec<String>,
    /// The conversion it reports.
    pub conversion: String,
    /// Days after a click.
    #[serde(default)]
    pub click_days: Option<f64>,
    /// Days after a view; 0 where views do not count.
    #[serde(default)]
    pub view_days: Option<f64>,
    /// How often a touch may be followed by a conversion that counts.
    #[serde(default)]
    pub counts: Counting,
    /// Under which day.
    #[serde(default)]
    pub dated_by: Option<DatedBy>,
    /// Whether it counts touches of people who did not permit measurement to us.
    #[serde(default = "yes")]
    pub sees_without_consent: bool,
    /// IANA name of its account's time zone.
    #[serde(default = "utc")]
    pub time_zone: String,
}

const fn yes() -> bool {
    true
}

fn utc() -> String {
    "UTC".into()
}

impl PlatformConfig {
    /// The platform as the bridge reads it, and the zone of its days.
    pub(crate) fn compile(&self, file: &str) -> Result<(Platform, Zone), Diagnostic> {
        let refuse = |message: String, help: &str| Diagnostic::error("TL006", message).help(help).at(file, None, None);
        let (click, view, dated_by) = match self.like {
            Habit::GoogleAds => (30.0, 1.0, DatedBy::Touch),
            Habit::Meta => (7.0, 1.0, DatedBy::Conversion),
            Habit::Ga4 => (90.0, 0.0, DatedBy::Conversion),
        };
        let days = |given: Option<f64>, usual: f64, what: &str| -> Result<i64, Diagnostic> {
            let days = given.unwrap_or(usual);
            if !(0.0..=3650.0).contains(&days) {
                let message = format!("platform `{}`: {what} of {days} is no number of days", self.name);
                return Err(refuse(message, "give 0 to 3650 days"));
            }
            #[expect(clippy::cast_possible_truncation, reason = "at most ten years of microseconds")]
            Ok((days * DAY_US as f64) as i64)
        };
        let zone = Zone::named(&self.time_zone)
            .map_err(|e| refuse(format!("platform `{}`: {e}", self.name), "use a name such as Europe/Berlin"))?;
        let mut channels = self.channels.clone();
        channels.sort();
        let platform = Platform {
            name: self.name.clone(),
            channels,
            click_window: days(self.click_days, click, "click_days")?,
            view_window: days(self.view_days, view, "view_days")?,
            sees_without_consent: self.sees_without_consent,
            counting: self.counts,
            dated_by: self.dated_by.unwrap_or(dated_by),
        };
        Ok((platform, zone))
    }
}
