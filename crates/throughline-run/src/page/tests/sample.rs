//! A full report with invented numbers.

use serde_json::{Value, json};

pub(super) const HOSTILE: &str = "<script>alert('paid & \"search\"')</script>";

const CHANNELS: [(&str, f64, f64, f64); 6] = [
    (HOSTILE, 310.0, 80.9, 4682.15),
    ("paid_social", 402.0, 573.0, 3619.24),
    ("display", 151.0, 181.7, 948.56),
    ("retargeting", 388.0, 50.7, 2353.33),
    ("email", 260.0, 218.0, 99.6),
    ("organic", 120.0, 16.7, 0.0),
];
const MODELS: [&str; 6] = ["first", "last", "linear", "time_decay:7d", "position", "markov:1"];

pub(super) fn estimate(value: f64, half: f64) -> Value {
    let p = if value.abs() > half { 0.0004 } else { 0.31 };
    json!({ "value": value, "std_error": half / 1.96, "set": [[value - half, value + half]], "level": 0.95, "p_value": p,
            "n": 42613, "inference": "wald", "method": "welch" })
}

#[expect(clippy::needless_pass_by_value, reason = "the caller is a literal")]
fn unit(name: &str, seconds: f64, metrics: Value) -> Value {
    let status = if seconds > 0.0 { "ran" } else { "unchanged" };
    json!({ "name": name, "fingerprint": "9f2c4e1b77aa03d5519d", "status": status, "seconds": seconds,
            "rows": { "events": 1200 }, "metrics": metrics })
}

#[expect(clippy::needless_pass_by_value, reason = "the caller is a literal")]
fn stage(name: &str, units: Vec<Value>) -> Value {
    json!({ "name": name, "version": 1, "units": units })
}

fn diagnostic(severity: &str, code: &str, message: &str) -> Value {
    json!({ "severity": severity, "code": code, "message": message, "help": "look at `sources/ads.yaml`",
            "location": { "file": "sources/ads.yaml", "line": 12, "column": 5 } })
}

fn ingest() -> Value {
    let file = |source: &str, rows: u64, quarantined: Value| {
        json!({ "source": source, "file": format!("data/{source}.csv"), "rows_read": rows, "rows_emitted": rows - 40,
                "rows_skipped": 0, "events": rows - 40, "spend_rows": 12, "quarantined": quarantined, "duplicates": 3,
                "first_occurred_at": "2026-01-02T08:00:00Z", "last_occurred_at": "2026-04-04T21:13:05.25Z",
                "columns_unused": ["utm_term"], "warnings": [diagnostic("info", "TL140", "a column is not read")] })
    };
    stage(
        "ingest",
        vec![
            unit("ads/data/ads.csv", 2.31, file("ads", 61_204, json!({ "TL209": 31, "TL216": 9 }))),
            unit("shop/data/shop.csv", 0.0, file("shop", 18_022, json!({ "TL207": 40 }))),
            unit("crm/data/crm.csv", 0.4, file("crm", 5_040, json!({}))),
        ],
    )
}

fn attribution() -> Value {
    let model = |m: usize| {
        let channels: Vec<Value> = CHANNELS
            .iter()
            .enumerate()
            .map(|(i, (name, credit, _, spend))| {
                let credit = credit * (1.0 + 0.35 * ((m * 7 + i * 5) % 6) as f64 / 5.0 - 0.17);
                json!({ "channel": name, "conversions": credit, "conversions_interval": [credit - 19.3, credit + 21.1],
                        "value": credit * 61.0, "value_interval": [credit * 55.0, credit * 68.0], "removal_effect": 0.2,
                        "spend": if *spend > 0.0 { json!(spend) } else { Value::Null } })
            })
            .collect();
        json!({ "model": MODELS[m], "interval_method": "poisson bootstrap over journeys, 200 draws", "level": 0.9,
                "draws": 200, "channels": channels })
    };
    let models: Vec<Value> = (0..MODELS.len()).map(model).collect();
    let conversions = json!([{ "conversion": "purchase", "totals": { "conversions": 1631.0, "value": 99_482.5, "nulls": 8210.0 },
        "conversions_without_touch": 214, "models": models, "diagnostics": [] }]);
    stage("attribute", vec![unit("all", 3.9, json!({ "conversions": conversions }))])
}

fn prove() -> Value {
    let comparison = |arm: &str, metric: &str, value: f64, half: f64| {
        json!({ "arm": arm, "control": "none", "metric": metric, "estimate": estimate(value, half),
                "relative": estimate(value * 4.0, half * 4.5), "adjusted_p_value": 0.01, "significant": value > half })
    };
    let arm = |name: &str, units: u64| {
        json!({ "arm": name, "weight": 1.0, "units": units, "metrics": [
            { "metric": "purchase", "n": units, "missing": 0, "invalid": 0, "mean": 0.0712, "std_error": 0.0031 },
            { "metric": "spend", "n": units, "missing": 1, "invalid": 0 } ] })
    };
    let reading = json!({
        "srm": { "p_value": 0.831, "statistic": 0.37, "df": 2, "observed": [1401, 1388, 1420],
                 "expected": [1403.0, 1403.0, 1403.0], "alarm": false },
        "arms": [arm("none", 1401), arm("email_offer", 1388), arm("email_news", 1420)],
        "comparisons": [
            comparison("email_offer", "purchase", 0.0312, 0.0107),
            comparison("email_news", "purchase", 0.0061, 0.0098),
            comparison("email_offer", "spend", 1.91, 0.83),
            { "arm": "email_news", "control": "none", "metric": "spend", "estimate_absent": "nobody spent anything", "significant": false },
        ],
        "tier": "randomised", "health": "healthy", "diagnostics": [],
    });
    let labels = json!({ "assigned": {}, "repeated": { "spring_mail": 4 }, "unknown_arm": {}, "incomplete": { "spring_mail": 17 } });
    let experiments =
        json!([{ "experiment": "spring_mail", "file": "experiments/spring_mail.yaml", "reading": reading }]);
    stage("prove", vec![unit("all", 1.2, json!({ "labels": labels, "experiments": experiments }))])
}

fn model() -> Value {
    let tenths: Vec<Value> = (1..=10_u32)
        .map(|t| {
            let promised = 2.4 - 0.37 * f64::from(t);
            let effect = if t == 9 { Value::Null } else { estimate(promised * 0.7 + 0.3, 1.1) };
            json!({ "tenth": t, "promised": promised, "treated": 140, "control": 139, "effect": effect })
        })
        .collect();
    let evaluation = |arm: &str, verdict: &str, d: f64| {
        json!({ "arm": arm, "n": 2798, "overall": estimate(0.9, 0.4), "tenths": tenths, "top_less_bottom": estimate(d, 0.8),
                "verdict": verdict })
    };
    let warning = diagnostic(
        "warning",
        "TL709",
        "the ranking is inside the noise: its better half does not differ from its worse",
    );
    stage(
        "model",
        vec![unit(
            "spring_mail",
            4.4,
            json!({
                "policy": "spring_mail", "model": "two_model", "version": 3, "content_hash": "1d4f9a6b33c2e88071", "experiment": "spring_mail",
                "outcome": "spend", "training_rows": 2104, "evaluation_rows": 2105,
                "evaluations": [evaluation("email_offer", "BetterThanRandom", 1.4), evaluation("email_news", "InsideNoise", 0.2)],
                "diagnostics": [warning],
            }),
        )],
    )
}

fn decide() -> Value {
    let constant = |action: &str, value: f64, less: f64| {
        json!({ "action": action, "ips": estimate(value, 0.21), "snips": estimate(value * 1.01, 0.19),
                "policy_less_this": estimate(less, 0.15) })
    };
    let value = json!({
        "unit": "net profit per person", "people": 2105, "method": "inverse propensity scoring on people the model has not seen",
        "policy": { "ips": estimate(2.874, 0.24), "snips": estimate(2.86, 0.22), "effective_sample_size": 702.4 },
        "constant_policies": [constant("none", 2.41, 0.464), constant("email_offer", 2.51, 0.36), constant("email_news", 2.80, 0.07)],
        "diagnostics": [],
    });
    stage(
        "decide",
        vec![unit(
            "spring_mail@2026-04-05T00:00:00Z",
            2.8,
            json!({
                "policy": "spring_mail", "policy_version": 2, "cycle_id": "spring_mail@2026-04-05T00:00:00Z", "people": 5000,
                "held_out": 248, "explored": 212, "exploration_rate": 0.0497, "without_score": 3,
                "actions": { "email_news": 1874, "email_offer": 1650, "none": 1476 }, "expected_net_value": 15_021.33, "cost": 70.48,
                "certificate": { "primal": 15_003.2, "dual": 15_003.9, "gap": 0.7, "shadow_prices": { "budget": 3.2 },
                                 "primal_micros": 15_003_200_000_i64, "spend_micros": 76_000_000, "budget_micros": 80_000_000 },
                "evidence_tier": 3, "value": value, "diagnostics": [],
            }),
        )],
    )
}

fn activate() -> Value {
    stage(
        "activate",
        vec![unit(
            "email_service/spring_mail@2026-04-05T00:00:00Z",
            0.6,
            json!({
                "destination": "email_service", "adapter": "file", "cycle_id": "spring_mail@2026-04-05T00:00:00Z",
                "fates": { "decisions": 5000, "to_send": 3211, "carried": 0, "suppressed": { "holdout": 248, "filtered": 1476, "no_consent": 61 },
                           "rejected": { "no_identifier": 4 } },
                "batches_sent": 4, "batches_found": 1, "batches": [], "openings": [{ "actor": "run" }],
            }),
        )],
    )
}

fn observe() -> Value {
    let row = |metric: &str, scope: &str, value: f64, status: &str, note: &str| json!({ "metric": metric, "scope": scope, "value": value, "previous": 12_000.0, "usual": null, "status": status, "note": note });
    stage(
        "observe",
        vec![unit(
            "run-7",
            0.3,
            json!({ "detector": "median_mad", "as_of": "2026-04-05T00:00:00Z", "first": 1, "ok": 1,
        "changed": 1, "alarms": 1, "rows": [
            row("rows", "events/source=ads", 3000.0, "alarm", "rows of `events` from source `ads` fell to 3,000, usually 12,000 (-75 %)"),
            row("null_share", "events.campaign", 0.31, "changed", "share of missing values in `events.campaign` rose to 31 %"),
            row("age_hours", "events", 3.2, "ok", "age of the newest row of `events`: 3.2 hours, as usual"),
            row("rows", "credits", 48.0, "first", "rows of `credits`: 48, first observation"),
        ] }),
        )],
    )
}

/// Held against the truth: numbers, an interval, a coverage, a measure without a number, a part with nothing.
fn scores() -> Value {
    let row = |name: &str, measure: &str, value: Value, more: Value| {
        let mut row = json!({ "part": "p", "name": name, "measure": measure, "value": value, "n": 8 });
        if let (Some(row), Some(more)) = (row.as_object_mut(), more.as_object()) {
            row.extend(more.clone());
        }
        row
    };
    let coverage = |covered: u32, total: u32, nominal: f64| json!({ "coverage": { "covered": covered, "total": total, "nominal": nominal } });
    json!([
        { "part": "attribution", "about": "Credited against caused.", "rows": [
            row("markov:1", "share_error", json!(0.31), json!({ "unit": "share of credit" })),
            row("markov:1", "coverage", json!(0.375), coverage(3, 8, 0.9)),
        ] },
        { "part": "evidence", "about": "Estimated against known.", "rows": [
            row("email_offer spend", "estimate", json!(1.91), json!({ "unit": "EUR", "interval": [1.08, null] })),
            row("email_offer spend", "coverage", json!(0.0), coverage(0, 1, 0.95)),
            row(HOSTILE, "qini", Value::Null, json!({ "note": "all true effects are equal" })),
        ] },
        { "part": "policy", "about": "Earned.", "absent": "no two policies", "rows": [] },
    ])
}

fn removed(what: &str, purpose: &str, considered: u64, [unknown, denied, withdrawn]: [u64; 3]) -> Value {
    json!({ "what": what, "purpose": purpose, "considered": considered, "unknown": unknown, "denied": denied,
            "withdrawn": withdrawn })
}

/// Every section has data.
pub(super) fn full() -> Value {
    let link = json!({ "events": 84_186, "identifiers": 13_044, "persons": 5000, "links": 9120, "links_refused": 2,
                       "unlinked_without_consent": 311, "unlinked_by_source": 0, "timeline_rows": 84_140, "duplicates": 46,
                       "merged": 12, "split": 0,
                       "removed_by_consent": [removed("events with several identifiers", "linking", 9431, [120, 180, 11])] });
    let journeys = json!({ "persons": 4120, "converting": 1845, "not_converting": 8210, "conversions_without_consent": 33,
        "removed_by_consent": [removed("touches", "measurement", 28_466, [211, 190, 1]),
                               removed("conversions", "measurement", 1878, [0, 30, 3])],
        "touches": { "kept": 21_033, "same_session": 6120, "outside_lookback": 911, "no_consent": 402 } });
    let features =
        json!({ "features": 12, "scoring_rows": 5000, "training_rows": 4209, "missing": [["spend_60d", 0.4]] });
    let channels: Vec<Value> = CHANNELS
        .iter()
        .map(|(c, _, caused, cost)| json!({ "channel": c, "true_conversions": caused, "true_value": caused * 60.0, "cost": cost }))
        .collect();
    json!({
        "throughline": "0.1.0", "project": "Spring & summer", "currency": "EUR", "run_seq": 7, "as_of": "2026-04-05T00:00:00Z",
        "questions": ["Which channels bring purchases that would not have happened anyway?", "Who should get which e-mail, and who none?"],
        "started_at": "2026-04-05T06:30:12Z", "seed": 7, "resumed": 1,
        "stages": [ingest(), stage("link", vec![unit("all", 1.7, link)]), stage("journeys", vec![unit("all", 0.0, journeys)]),
                   attribution(), prove(), stage("features", vec![unit("all", 1.1, features)]), model(), decide(), activate(), observe()],
        "tables": { "events": 14, "timeline": 7, "credits": 7 },
        "lineage": [{ "stage": "ingest", "reads": [], "writes": ["events", "spend", "quarantine"] },
                    { "stage": "link", "reads": ["events"], "writes": ["links", "persons", "timeline"] }],
        "warnings": [diagnostic("warning", "TL030", "unknown field `lookbak_days`")],
        "truth": { "channels": channels, "credited_conversions_total": 1631.0,
                   "policy": { "profit": 14_402.1, "oracle_profit": 15_459.05, "regret": 1056.95,
                               "constant": { "none": 13_236.5, "email_offer": 12_999.7, "email_news": 13_864.2 },
                               "decided": 5000, "people": 5000, "not_permitted": 0 },
                   "scores": scores(),
                   "note": "Computed by running the market again without each channel." },
    })
}
