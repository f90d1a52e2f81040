//! Evidence-calibrated credits: what each channel caused, as far as experiments can tell.
//!
//! A credit is an association. Where experiments measured what channels cause, the ratio of effect to credit is known for
//! them, with error; a hierarchical model carries it to channels and periods without an experiment of their own, and widens
//! as it does. Without any evidence there is no number at all.
//!
//! ```
//! use throughline_attribution::causal::{Credit, Effect, Evidence, Period, Settings, Span, calibrate};
//! use throughline_core::{EvidenceTier, Timestamp};
//!
//! let day = |d: i64| Timestamp::from_micros(0).plus_days(d);
//! let span = Span::new(day(0), day(90))?;
//! let period = Period { span, conversions: 1_000.0, value: 50_000.0 };
//! let credits = [Credit::new("search", 0, 400.0, 20_000.0), Credit::new("social", 0, 300.0, 15_000.0)];
//! let experiment = Evidence {
//!     id: "geo-2026-q1".into(),
//!     source: "geo-2026-q1".into(),
//!     channel: "search".into(),
//!     span,
//!     scope: None,
//!     credit: None,
//!     credit_variance: 0.0,
//!     effect: Effect::Conversions { estimate: 100.0, variance: 400.0 },
//!     tier: EvidenceTier::Randomised,
//!     healthy: true,
//!     current: true,
//! };
//! let found = calibrate(&[period], &credits, &[experiment], &Settings::default())?;
//! let search = found.cell("search", 0).and_then(|c| c.conversions.as_ref()).expect("it has evidence of its own");
//! assert!((search.mean - 100.0).abs() < 2.0);
//! let social = found.cell("social", 0).and_then(|c| c.conversions.as_ref()).expect("the population speaks for it");
//! assert!(social.std_dev > 2.0 * search.std_dev);
//! # Ok::<(), throughline_attribution::AttributionError>(())
//! ```

mod input;

mod select;

mod heterogeneity;

mod mixture;

mod process;

mod posterior;

mod report;

#[cfg(test)]
mod tests;

pub use heterogeneity::Heterogeneity;
pub use input::{Credit, Effect, Evidence, Period, Settings, Span};
pub use mixture::{Distribution, LEVELS, Mixture};
pub use report::{Calibrated, Calibration, PeriodTotal, Population, Support, calibrate};
