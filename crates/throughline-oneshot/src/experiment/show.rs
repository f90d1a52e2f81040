//! A reading as JSON and as text.

use serde_json::{Value, json};
use throughline_core::{Diagnostic, Estimate};
use throughline_evidence::experiment::{HealthChecks, Segmentation, Trend};
use throughline_evidence::{Comparison, Health, Reading};

use crate::answer::{estimate_json, interval, number, table};

/// Findings about the file that are shown as text.
const SHOWN: usize = 10;

/// `{"estimate","comparisons","srm","health","tier","arms","checks","segments","diagnostics"}`; `estimate` is that of the
/// first comparison.
pub(super) fn json(reading: &Reading, findings: &[Diagnostic]) -> Value {
    let first = reading.comparisons.first().and_then(|c| c.estimate.as_ref());
    json!({
        "estimate": first.map(estimate_json),
        "comparisons": reading.comparisons.iter().map(comparison).collect::<Vec<_>>(),
        "srm": reading.srm,
        "health": reading.health,
        "tier": reading.tier.number(),
        "arms": reading.arms,
        "checks": reading.checks.as_ref().map(checks),
        "segments": reading.segments.iter().map(segmentation).collect::<Vec<_>>(),
        "diagnostics": reading.diagnostics.iter().chain(findings).collect::<Vec<_>>(),
    })
}

fn comparison(c: &Comparison) -> Value {
    let margin = c.non_inferiority.as_ref().map(|m| {
        json!({
            "margin": m.margin,
            "relative": m.relative,
            "shown": m.shown,
            "estimate": estimate_json(&m.estimate),
        })
    });
    json!({
        "arm": c.arm,
        "control": c.control,
        "metric": c.metric,
        "lower_is_better": c.lower_is_better,
        "estimate": c.estimate.as_ref().map(estimate_json),
        "estimate_absent": c.estimate_absent,
        "relative": c.relative.as_ref().map(estimate_json),
        "relative_absent": c.relative_absent,
        "adjusted_p_value": c.adjusted_p_value,
        "significant": c.significant,
        "band": c.band,
        "variance_reduction": c.variance_reduction,
        "non_inferiority": margin,
        "posterior": c.posterior,
        "verdict": c.verdict,
        "assumptions": c.estimate.as_ref().map(|e| &e.assumptions),
    })
}

fn checks(checks: &HealthChecks) -> Value {
    let trend = |t: &Trend| {
        let period = |(time, effect, std_error): &(f64, f64, f64)| json!({ "time": time, "effect": effect, "std_error": std_error });
        json!({
            "arm": t.arm,
            "metric": t.metric,
            "slope": estimate_json(&t.slope),
            "alarm": t.alarm,
            "periods": t.periods.iter().map(period).collect::<Vec<_>>(),
        })
    };
    json!({
        "crossover": checks.crossover,
        "outliers": checks.outliers,
        "trends": checks.trends.iter().map(trend).collect::<Vec<_>>(),
        "implausible": checks.implausible,
    })
}

fn segmentation(s: &Segmentation) -> Value {
    let effects = s.effects.iter().map(|e| {
        json!({
            "segment": e.segment,
            "estimate": estimate_json(&e.estimate),
            "adjusted_p_value": e.adjusted_p_value,
            "significant": e.significant,
            "shrunk": estimate_json(&e.shrunk),
        })
    });
    json!({
        "column": s.column,
        "arm": s.arm,
        "metric": s.metric,
        "heterogeneity": s.heterogeneity,
        "between": s.between,
        "effects": effects.collect::<Vec<_>>(),
    })
}

/// Checks first, then effects, verdicts, segments and findings.
pub(super) fn text(reading: &Reading, findings: &[Diagnostic]) -> String {
    let health = match reading.health {
        Health::Healthy => "healthy",
        Health::Suspect => "suspect: a check failed, and differences may not be effects",
    };
    let tier = reading.tier.number();
    let mut out = format!("sample ratio: p = {:.4}; {health} (evidence tier {tier})\n", reading.srm.p_value);
    let rows: Vec<Vec<String>> = reading.comparisons.iter().map(row).collect();
    let header = ["metric", "arm", "effect", "interval", "p", "lift", "n"];
    out.push_str(&table(&header, &[2, 4, 6], &rows));
    out.push('\n');
    reading.comparisons.iter().for_each(|c| out.push_str(&format!("\n{}", c.verdict)));
    reading.segments.iter().for_each(|s| out.push_str(&segments(s)));
    for finding in reading.diagnostics.iter().chain(findings.iter().take(SHOWN)) {
        out.push_str(&format!("\n{finding}"));
    }
    out
}

fn row(c: &Comparison) -> Vec<String> {
    let Some(e) = &c.estimate else {
        let why = c.estimate_absent.clone().unwrap_or_default();
        let mut row = vec![c.metric.clone(), c.arm.clone(), "–".into(), why];
        row.resize(7, String::new());
        return row;
    };
    let lift = |e: &Estimate| {
        let percent = |x: f64| {
            if x.is_finite() {
                format!("{:.1}", 100.0 * x)
            } else if x < 0.0 {
                "−∞".into()
            } else {
                "∞".into()
            }
        };
        let (low, high) = e.interval();
        format!("{} % [{}, {}]", percent(e.value), percent(low), percent(high))
    };
    vec![
        c.metric.clone(),
        c.arm.clone(),
        number(e.value),
        interval(c.band.unwrap_or_else(|| e.interval())),
        format!("{:.4}", c.adjusted_p_value.unwrap_or(e.p_value)),
        c.relative.as_ref().map_or_else(|| "–".into(), lift),
        e.n.to_string(),
    ]
}

fn segments(s: &Segmentation) -> String {
    let rows: Vec<Vec<String>> = s
        .effects
        .iter()
        .map(|e| {
            vec![
                e.segment.clone(),
                number(e.estimate.value),
                interval(e.estimate.interval()),
                format!("{:.4}", e.adjusted_p_value),
                number(e.shrunk.value),
                interval(e.shrunk.interval()),
                e.estimate.n.to_string(),
            ]
        })
        .collect();
    let header = ["segment", "effect", "interval", "p (corrected)", "shrunk", "interval (shrunk)", "n"];
    let same = s.heterogeneity.map_or_else(String::new, |q| format!("; same effect everywhere: p = {:.4}", q.p_value));
    format!("\n\n{} of {} by {}{same}\n{}\n", s.metric, s.arm, s.column, table(&header, &[1, 3, 4, 6], &rows))
}
