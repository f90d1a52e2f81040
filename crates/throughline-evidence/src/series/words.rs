//! The answer in plain language, from the very numbers of the estimates: text and table cannot contradict each other.

use throughline_core::Estimate;

use super::effects::Effects;

/// A number with four significant digits, or whole from 1,000 on.
fn number(x: f64) -> String {
    let size = x.abs();
    let decimals = if size >= 1000.0 || size == 0.0 {
        0
    } else if size >= 100.0 {
        1
    } else if size >= 10.0 {
        2
    } else if size >= 1.0 {
        3
    } else {
        4
    };
    format!("{x:.decimals$}").replace('-', "−")
}

fn between(e: &Estimate, shown: impl Fn(f64) -> String) -> String {
    let end = |x: f64| if x.is_finite() { shown(x) } else { format!("{}∞", if x < 0.0 { "−" } else { "" }) };
    let (low, high) = e.interval();
    format!("{:.0} % interval {} to {}", 100.0 * e.level.get(), end(low), end(high))
}

/// Percent with one digit.
fn percent(x: f64) -> String {
    format!("{:.1} %", 100.0 * x).replace('-', "−")
}

/// The effects of a window in words. `from` and `to` are its first and last measured time; `warnings` the codes of checks that
/// failed.
pub fn in_words(effects: &Effects, from: &str, to: &str, warnings: &[String]) -> String {
    let e = &effects.average;
    let mut out = format!(
        "From {from} to {to} ({} times) the outcome averaged {}. Without the intervention it would have averaged {} ({}). The \
         difference is {} a time ({}) and {} in all ({})",
        effects.measured.len(),
        number(effects.actual),
        number(effects.predicted.value),
        between(&effects.predicted, number),
        number(e.value),
        between(e, number),
        number(effects.cumulative.value),
        between(&effects.cumulative, number),
    );
    if let Some(r) = &effects.relative {
        out.push_str(&format!(", or {} ({})", percent(r.value), between(r, percent)));
    }
    let p = if e.p_value < 0.0001 { "p < 0.0001".to_owned() } else { format!("p = {:.4}", e.p_value) };
    let direction = if e.value > 0.0 { "an increase" } else { "a decrease" };
    if e.set.contains(0.0) {
        out.push_str(&format!(
            ". The interval includes 0 ({p}): the data agree with no effect, and with every value inside it."
        ));
    } else {
        out.push_str(&format!(
            ". The interval excludes 0 ({p}): if the assumptions hold, the intervention caused {direction}."
        ));
    }
    if !warnings.is_empty() {
        out.push_str(&format!(" Checks that failed: {}. Read them before relying on the result.", warnings.join(", ")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        let shown = [12_345.6, 123.45, 12.345, -1.2345, 0.012_345, 0.0].map(number);
        assert_eq!(shown, ["12346", "123.5", "12.35", "−1.234", "0.0123", "0"]);
    }
}
