//! The page as a whole.

mod format;
mod sample;

use serde_json::{Value, json};

use super::charts::{Bar, DotChart, Look, Mark, Row, Series, bar_chart, dot_chart};
use super::format::Unit;
use super::render;
use sample::{HOSTILE, full};

/// Elements without an end.
const VOID: [&str; 1] = ["meta"];

/// Every element closed in order, every attribute quoted, every `<` and `&` of a text escaped.
#[track_caller]
fn assert_well_formed(page: &str) {
    let body = page.strip_prefix("<!doctype html>").unwrap_or(page);
    let (before, rest) = body.split_once("<style>").unwrap_or((body, "</style>"));
    let (_, after) = rest.split_once("</style>").expect("the style sheet ends");
    let mut open: Vec<String> = Vec::new();
    let text = format!("{before}{after}");
    let mut rest = text.as_str();
    while let Some((words, tail)) = rest.split_once('<') {
        assert_text(words);
        let (tag, tail) = tail.split_once('>').expect("a tag ends");
        assert!(!tag.contains('<'), "`<` within the tag {tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "`</{name}>` closes something else");
        } else {
            let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "odd name of an element: {tag}");
            assert_eq!(attributes.matches('"').count() % 2, 0, "odd quotes in {tag}");
            attributes.split('"').skip(1).step_by(2).for_each(assert_text);
            if !VOID.contains(&name) {
                open.push(name.to_owned());
            }
        }
        rest = tail;
    }
    assert_text(rest);
    assert!(open.is_empty(), "never closed: {open:?}");
}

#[track_caller]
fn assert_text(text: &str) {
    for after in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|e| after.starts_with(e));
        assert!(known, "a bare & before {after:.20}");
    }
}

#[track_caller]
fn assert_sound(report: &Value) -> String {
    let page = render(report);
    assert_well_formed(&page);
    for never in ["NaN", ">null<", "<script", "http://", "https://", "javascript:", "{}", "inf%", " src=", "undefined"]
    {
        assert!(!page.contains(never), "`{never}` in the page, near {:?}", page.split(never).next().map(tail));
    }
    page
}

fn tail(text: &str) -> String {
    let mut last: Vec<char> = text.chars().rev().take(80).collect();
    last.reverse();
    last.into_iter().collect()
}

#[test]
fn an_empty_report_is_a_page() {
    for report in
        [Value::Null, json!({}), json!([]), json!("text"), json!({ "stages": {}, "truth": 3, "warnings": "x" })]
    {
        let page = assert_sound(&report);
        assert!(page.contains("Run report") && !page.contains("<section"), "{report}");
    }
}

#[test]
fn a_full_report_has_every_section() {
    let page = assert_sound(&full());
    let ids = [
        "findings",
        "sources",
        "people",
        "consent",
        "journeys",
        "attribution",
        "experiments",
        "model",
        "policy",
        "decisions",
        "deliveries",
        "truth",
        "health",
        "reproduce",
    ];
    for id in ids {
        assert!(page.contains(&format!("<section id=\"{id}\"")), "no section {id}");
        assert!(page.contains(&format!("href=\"#{id}\"")), "nothing leads to {id}");
    }
    // Quarantine, touches, credits, two metrics, two arms' tenths, values, differences, truth, actions, deliveries.
    assert_eq!(page.matches("role=\"img\"").count(), 12);
    assert_eq!(page.matches("<figure>").count(), page.matches("The numbers as a table").count());
    for words in [
        "1\u{a0}alarm and 2\u{a0}warnings",
        "tier 0",
        "<strong>linear</strong> is furthest from it",
        "first comes closest",
        "cannot be told apart",
        "no effect is stated, because nobody spent anything",
        "no allocation under the same rules could bring more than",
        "One more EUR of budget would bring about EUR\u{a0}3.20 net",
        "Every decision is accounted for",
        "resumed 1\u{a0}time after an interruption",
        "93.2\u{202f}% of what an oracle would",
        "<strong>3 of 9</strong> hold the truth",
        "<strong>746 of 39,775\u{a0}rows</strong>",
        "3 of 8, promised 90\u{202f}%",
        "1.91 EUR<span class=\"under\">1.08 to ∞</span>",
        "Nothing to score: no two policies.",
    ] {
        assert!(page.contains(words), "the page does not say: {words}");
    }
}

#[test]
fn texts_of_the_report_stay_texts() {
    let page = assert_sound(&full());
    assert!(!page.contains(HOSTILE));
    assert!(page.contains("&lt;script&gt;alert(&#39;paid &amp; &quot;search&quot;&#39;)&lt;/script&gt;"));
    let mut report = full();
    poison(&mut report, false);
    assert_sound(&report);
    poison(&mut report, true);
    assert_sound(&report);
}

/// Puts markup into every text, and into every key when asked to.
fn poison(value: &mut Value, keys: bool) {
    match value {
        Value::String(text) => text.push_str("\"><img onerror='x' a=`<b>&"),
        Value::Array(items) => items.iter_mut().for_each(|v| poison(v, keys)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|v| poison(v, keys));
            if keys {
                *fields = std::mem::take(fields).into_iter().map(|(k, v)| (format!("{k}<b>\"&"), v)).collect();
            }
        }
        _ => {}
    }
}

/// Every place of a value, as paths of keys and positions.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(i, v)| places(v, &format!("{at}/{i}"), out)),
        Value::Object(fields) => fields.iter().for_each(|(k, v)| places(v, &format!("{at}/{k}"), out)),
        _ => {}
    }
    out.push(at.to_owned());
}

#[test]
fn whatever_is_missing_or_odd_is_left_out() {
    let report = full();
    let mut all = Vec::new();
    places(&report, "", &mut all);
    let odd = [Value::Null, json!([]), json!(-1), json!(1e308), json!([[null, null]])];
    // Every ninth place with one odd value in turn: all places would take half a minute.
    for (i, place) in all.iter().enumerate().filter(|(i, p)| i % 9 == 0 && !p.is_empty()) {
        let mut broken = report.clone();
        if let Some(value) = broken.pointer_mut(place) {
            *value = odd[i / 9 % odd.len()].clone();
        }
        assert_well_formed(&render(&broken));
    }
}

fn dots(values: &[(f64, Option<(f64, f64)>)]) -> Option<String> {
    let mark = |(value, span): &(f64, Option<(f64, f64)>)| Mark {
        series: 0,
        lane: usize::MAX,
        value: *value,
        span: *span,
        title: "mark".into(),
    };
    let row = Row { label: "row".into(), readout: "readout".into(), marks: values.iter().map(mark).collect() };
    let series = [Series { name: "s".into(), look: Look::Nth(99) }];
    let chart = DotChart { label: "chart", unit: &Unit::Plain, series: &series, rows: &[row], from_zero: false };
    dot_chart(&chart).map(super::html::Html::into_string)
}

#[test]
fn charts_take_any_numbers() {
    let infinity = f64::INFINITY;
    for values in [
        &[(0.0, None)][..],
        &[(5.0, Some((5.0, 5.0)))],
        &[(1e308, Some((-1e308, 1e308))), (-1e308, None)],
        &[(1e-300, Some((0.0, 1e-290)))],
        &[(2.0, Some((-infinity, infinity)))],
        &[(f64::NAN, None), (1.0, Some((f64::NAN, 2.0)))],
    ] {
        let svg = dots(values).expect("a finite number is drawn");
        assert_well_formed(&svg);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(svg.contains("<title>mark</title>"));
    }
    assert_eq!(dots(&[(f64::NAN, None), (infinity, None)]), None);
    assert_eq!(dots(&[]), None);
}

#[test]
fn bars_take_any_numbers() {
    let bar = |value: f64| Bar { label: "bar".into(), readout: "readout".into(), value, look: Look::Main };
    for values in [&[0.0][..], &[0.0, 0.0], &[-3.0, 4.0], &[1e308, -1e308, 1.0], &[f64::NAN, 2.0]] {
        let bars: Vec<Bar> = values.iter().copied().map(bar).collect();
        let svg = bar_chart("bars", &bars).expect("a finite number is drawn").into_string();
        assert_well_formed(&svg);
        assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("\"-"), "{svg}");
    }
    assert!(bar_chart("bars", &[]).is_none() && bar_chart("bars", &[bar(f64::NAN)]).is_none());
}

#[test]
fn unbounded_intervals_end_in_arrows() {
    let arrows = |svg: String| svg.matches("l-6 4l6 4z").count() + svg.matches("l6 4l-6 4z").count();
    assert_eq!(dots(&[(2.0, Some((f64::NEG_INFINITY, 5.0)))]).map(arrows), Some(1));
    assert_eq!(dots(&[(2.0, Some((1.0, 5.0)))]).map(arrows), Some(0));
}
