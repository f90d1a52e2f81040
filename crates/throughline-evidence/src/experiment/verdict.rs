//! What a comparison says in plain language, and what to do.

use throughline_core::{Estimate, Level};

use super::NonInferiority;
use crate::{Comparison, Health};

/// One or two sentences on a comparison.
pub(crate) fn of(comparison: &Comparison, health: Health, level: Level) -> String {
    let Comparison { arm, metric, .. } = comparison;
    let mut said = match &comparison.estimate {
        None => {
            let why = comparison.estimate_absent.as_deref().unwrap_or("there are too few data");
            format!("no answer for {metric}: {why}.")
        }
        Some(estimate) => {
            let (low, high) = comparison.band.unwrap_or_else(|| estimate.interval());
            let percent = format!("{} % confidence", trimmed(level.get() * 100.0));
            let lift = comparison.relative.as_ref().map(|r| relative(r, comparison)).unwrap_or_default();
            if comparison.significant && (low > 0.0 || high < 0.0) {
                let verb = if low > 0.0 { "raises" } else { "lowers" };
                format!("{arm} {verb} {metric} by {}{lift}, at {percent}.", size(low, high))
            } else if comparison.significant || low > 0.0 || high < 0.0 {
                // The pointwise interval excludes 0 but the correction for several comparisons does not allow the claim.
                format!(
                    "{arm} may change {metric} by {}{lift}, but this does not stand after the correction for several comparisons; hold.",
                    range(low, high)
                )
            } else {
                format!(
                    "inconclusive: {arm} changes {metric} by {}{lift}, at {percent}; hold, more units or time are needed.",
                    range(low, high)
                )
            }
        }
    };
    if let Some(margin) = &comparison.non_inferiority {
        said.push_str(&format!(" {}", non_inferiority(margin, arm, metric)));
    }
    if health == Health::Suspect {
        said.insert_str(0, "Do not use before the failed check is explained: ");
    }
    said
}

fn non_inferiority(margin: &NonInferiority, arm: &str, metric: &str) -> String {
    let size = if margin.relative {
        format!("{} % of the control", trimmed(margin.margin * 100.0))
    } else {
        number(margin.margin)
    };
    let verb = if margin.shown { "is shown not to be" } else { "is not shown not to be" };
    format!("{arm} {verb} worse on {metric} by more than the margin of {size}.")
}

/// The size of an effect on one side of 0.
fn size(low: f64, high: f64) -> String {
    let (small, large) = if low > 0.0 { (low, high) } else { (-high, -low) };
    if large.is_finite() {
        format!("{} to {}", number(small), number(large))
    } else {
        format!("at least {}", number(small))
    }
}

/// The range of an effect that may be on either side.
fn range(low: f64, high: f64) -> String {
    match (low.is_finite(), high.is_finite()) {
        (true, true) => format!("{} to {}", signed(low), signed(high)),
        (true, false) => format!("{} or more", signed(low)),
        (false, true) => format!("{} or less", signed(high)),
        (false, false) => "any amount".into(),
    }
}

/// The relative lift in brackets.
fn relative(lift: &Estimate, comparison: &Comparison) -> String {
    // A band is wider than the pointwise lift, so the two are not put side by side.
    if comparison.band.is_some() {
        return String::new();
    }
    let percent = |x: f64| format!("{}{}", if x >= 0.0 { "+" } else { "−" }, trimmed((x * 100.0).abs()));
    match lift.interval() {
        (low, high) if low.is_finite() && high.is_finite() => format!(" ({} % to {} %)", percent(low), percent(high)),
        (low, _) if low.is_finite() => format!(" ({} % or more)", percent(low)),
        (_, high) if high.is_finite() => format!(" ({} % or less)", percent(high)),
        _ => String::new(),
    }
}

fn signed(x: f64) -> String {
    format!(
        "{}{}",
        if x > 0.0 {
            "+"
        } else if x < 0.0 {
            "−"
        } else {
            ""
        },
        number(x.abs())
    )
}

/// Three significant digits, without an exponent where it can be read.
fn number(x: f64) -> String {
    let magnitude = x.abs();
    if magnitude == 0.0 {
        "0".into()
    } else if !(1e-6..1e6).contains(&magnitude) {
        format!("{x:.2e}")
    } else if magnitude >= 100.0 {
        format!("{x:.0}")
    } else {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 8")]
        let digits = (2.0 - magnitude.log10().floor()).clamp(0.0, 8.0) as usize;
        format!("{x:.digits$}")
    }
}

/// At most one decimal, none where it is 0.
fn trimmed(x: f64) -> String {
    let text = format!("{x:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
