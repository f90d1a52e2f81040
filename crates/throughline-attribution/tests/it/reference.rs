//! Published and independently computed values.

use throughline_attribution::models::markov::Markov;
use throughline_attribution::{ChannelCredit, Credits, Outcome, PathTable, Transform, read_spec};

use crate::support::{Row, check_close, credits, json, numbers, reference, rows, table};

/// Compares one field of every channel.
#[track_caller]
fn check_field(
    what: &str,
    credits: &Credits,
    field: impl Fn(&ChannelCredit) -> f64,
    expect: &[(&str, f64)],
    tolerance: f64,
) {
    assert_eq!(credits.channels().len(), expect.len(), "{what}: channels");
    for (name, value) in expect {
        let credit = credits.channel(name).unwrap_or_else(|| panic!("{what}: no channel {name}"));
        check_close(&format!("{what} {name}"), field(credit), *value, tolerance);
    }
}

/// Rows of a CSV file as text cells.
fn cells(path: &std::path::Path, delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_path(path).expect("readable");
    reader.records().map(|r| r.expect("a record").iter().map(str::to_owned).collect()).collect()
}

fn number(cell: &str) -> f64 {
    if cell.is_empty() { 0.0 } else { cell.parse().expect("a number") }
}

fn channel_paths() -> Option<(PathTable, PathTable, serde_json::Value)> {
    let data = reference("channel-paths/PathData.csv")?;
    let expected = json(&reference("channel-paths/expected_closed_form.json")?);
    let rows: Vec<Row> =
        cells(&data, b';').into_iter().map(|c| (c[0].clone(), number(&c[1]), number(&c[2]), number(&c[3]))).collect();
    let without: Vec<Row> = rows.iter().map(|r| (r.0.clone(), r.1, r.2, 0.0)).collect();
    Some((table(&rows), table(&without), expected))
}

#[test]
fn channel_paths_rules() {
    let Some((table, _, expected)) = channel_paths() else { return };
    let totals = table.totals();
    assert_eq!((table.len(), totals.conversions, totals.nulls), (10_000, 19_785.0, 68_602.0));
    for spec in ["first", "last", "linear"] {
        let (got, expect) = (credits(spec, &table), &expected["heuristic"][spec]);
        check_field(spec, &got, |c| c.conversions, &numbers(&expect["conversions"]), 1e-12);
        check_field(spec, &got, |c| c.value, &numbers(&expect["value"]), 1e-12);
    }
    let expect = numbers(&expected["shapley_zhao_simplified_conversions"]);
    check_field("shapley", &credits("shapley_simplified", &table), |c| c.conversions, &expect, 1e-11);
}

#[test]
fn channel_paths_markov() {
    let Some((with_nulls, without, expected)) = channel_paths() else { return };
    for (i, table) in [with_nulls, without].iter().enumerate() {
        let expect = &expected["markov"][i];
        assert_eq!(expect["use_null"].as_bool(), Some(i == 0));
        let got = credits("markov:1", table);
        let what = format!("markov, nulls {}", i == 0);
        let effect = |c: &ChannelCredit| c.removal_effect.expect("markov has effects");
        check_field(&what, &got, effect, &numbers(&expect["removal_effect"]), 1e-9);
        check_field(&what, &got, |c| c.conversions, &numbers(&expect["attributed_conversions"]), 1e-9);
        check_field(&what, &got, |c| c.value, &numbers(&expect["attributed_value"]), 1e-9);
        let probability = Markov::default().conversion_probability(table).expect("solves");
        check_close(&what, probability, expect["p_conv"].as_f64().expect("a number"), 1e-12);
    }
}

#[test]
fn channel_paths_conversion_rate_of_every_order() {
    let Some((table, _, _)) = channel_paths() else { return };
    for order in [1, 2, 3] {
        let probability = Markov::new(order).expect("an order").conversion_probability(&table).expect("solves");
        check_close(&format!("order {order}"), probability, 19_785.0 / (19_785.0 + 68_602.0), 1e-12);
    }
}

#[test]
fn adobe_example() {
    let Some(path) = reference("attribution-vectors/vectors.json") else { return };
    let example = &json(&path)["adobe_lookback_example"];
    let (mut steps, mut ages) = (Vec::new(), Vec::new());
    for touch in example["touches"].as_array().expect("touches") {
        steps.push(touch[0].as_str().expect("a name"));
        ages.push(touch[1].as_i64().expect("days") * 86_400_000_000);
    }
    let value = example["value"].as_f64().expect("a number");
    let mut builder = PathTable::builder();
    builder.push(&steps, Some(&ages), Outcome { conversions: 1.0, value, nulls: 0.0 });
    let table = builder.build().0;
    let expected = &example["expected"];
    let every = |list: &serde_json::Value| -> Vec<(String, f64)> {
        let list = list.as_array().expect("a list");
        steps.iter().zip(list).map(|(s, v)| ((*s).to_owned(), v.as_f64().expect("a number"))).collect()
    };
    for (spec, name) in [("linear", "linear"), ("participation", "participation")] {
        for (channel, value) in every(&expected[name]) {
            check_close(spec, credits(spec, &table).channel(&channel).expect("a channel").value, value, 1e-9);
        }
    }
    check_field("j", &credits("j", &table), |c| c.value, &numbers(&expected["j_shaped"]), 1e-9);
    // Printed to the cent.
    for (channel, value) in numbers(&expected["time_decay_halflife7"]) {
        let got = credits("time_decay:7d", &table).channel(channel).expect("a channel").value;
        assert!((got - value).abs() <= 0.005, "{channel}: {got} against {value}");
    }
}

#[test]
fn adobe_positions() {
    let Some(path) = reference("attribution-vectors/vectors.json") else { return };
    let rules = &json(&path)["adobe_rules"];
    let weights = |spec: &str, path: &str| {
        let table = table(&rows(&[(path, 1.0, 0.0, 0.0)]));
        read_spec(spec).and_then(|m| m.path_weights(&table)).expect("weights").of(0).to_vec()
    };
    for (spec, three, two) in [
        ("u", "u", "u_two"),
        ("j", "j_first_mid_last", "j_two_first_last"),
        ("inverse_j", "inverse_j_first_mid_last", "inverse_j_two"),
    ] {
        for (path, key) in [("a > b > c", three), ("a > b", two)] {
            let expect: Vec<f64> = serde_json::from_value(rules[key].clone()).expect("numbers");
            let got = weights(spec, path);
            assert_eq!(got.len(), expect.len());
            got.iter().zip(&expect).for_each(|(a, b)| check_close(key, *a, *b, 1e-9));
        }
    }
}

#[test]
fn mtapy_examples() {
    let Some(path) = reference("attribution-vectors/vectors.json") else { return };
    let example = &json(&path)["mtapy"];
    let paths = example["paths"].as_array().expect("paths");
    let rows: Vec<Row> = paths
        .iter()
        .map(|p| {
            let steps: Vec<String> = serde_json::from_value(p[0].clone()).expect("names");
            (steps.join(" > "), p[1].as_f64().expect("a count"), 0.0, 0.0)
        })
        .collect();
    let table = table(&rows);
    for (spec, key) in [("first", "first"), ("last", "last"), ("linear", "linear"), ("u", "ushape_40_20_40")] {
        // Printed to ten digits.
        check_field(spec, &credits(spec, &table), |c| c.conversions, &numbers(&example[key]), 1e-10);
    }
    // The published co-occurrence values come from a sum over coalitions that starts at one channel: each lacks the term
    // of the empty coalition, v({c}) / n, and their sum lacks what the channels convert alone.
    let alone = |channel: &str| rows.iter().filter(|r| r.0 == channel).map(|r| r.1).sum::<f64>();
    let expect: Vec<(&str, f64)> =
        numbers(&example["shapley_cooccurrence"]).into_iter().map(|(c, v)| (c, v + alone(c) / 3.0)).collect();
    check_field("shapley", &credits("shapley_simplified", &table), |c| c.conversions, &expect, 1e-10);
}

#[test]
fn mta_transitions() {
    let Some(path) = reference("attribution-vectors/vectors.json") else { return };
    let example = &json(&path)["mta"]["markov"];
    let rows: Vec<Row> = example["paths"]
        .as_array()
        .expect("paths")
        .iter()
        .map(|p| {
            let count = |i: usize| p[i].as_f64().expect("a count");
            (p[0].as_str().expect("a path").to_owned(), count(1), 0.0, count(2))
        })
        .collect();
    let got = credits("markov:1", &table(&rows));
    let p = |step: &str| example["transitions"][step].as_f64().expect("a probability");
    let (through_b, through_c) = (p("a>b") * p("b>conv"), p("a>c") * p("c>conv"));
    let whole = p("start>a") * (through_b + through_c);
    check_close("P", Markov::default().conversion_probability(&table(&rows)).expect("solves"), whole, 1e-9);
    let expect = [("a", 1.0), ("b", through_b / whole), ("c", through_c / whole)];
    check_field("removal effect", &got, |c| c.removal_effect.expect("markov has effects"), &expect, 1e-9);
}

#[test]
fn snowplow_path_transforms() {
    let Some(path) = reference("attribution-vectors/vectors.json") else { return };
    let example = &json(&path)["snowplow_path_transforms"];
    let check = |transform: &str, from: &serde_json::Value, to: &serde_json::Value| {
        let list = |v: &serde_json::Value| -> Vec<String> { serde_json::from_value(v.clone()).expect("names") };
        let from = list(from);
        let steps: Vec<_> = from.iter().map(|s| s.as_str().into()).collect();
        let transform: Transform = transform.parse().expect("a transform");
        assert_eq!(transform.apply(&steps), list(to), "{transform}");
    };
    for name in ["unique", "exposure", "first", "frequency"] {
        check(name, &example["in"], &example[&format!("{name}_path")]);
    }
    for name in ["remove_if_not_all", "remove_if_last_and_not_all"] {
        let case = &example[&format!("{name}_A")];
        check(&format!("{name}:A"), &case["in"], &case["out"]);
    }
}

#[test]
fn fractribution() {
    let folder = "fractribution/snowplow_fractribution_";
    let Some(summary) = reference(&format!("{folder}path_summary_expected.csv")) else { return };
    let Some(expected) = reference(&format!("{folder}channel_attribution_expected.csv")) else { return };
    let rows: Vec<Row> = cells(&summary, b',')
        .into_iter()
        .map(|c| (c[0].clone(), number(&c[1]), number(&c[3]), number(&c[2])))
        .collect();
    let table = table(&rows);
    // What the package calls "shapley" is leave-one-out.
    let mut seen = 0;
    for (spec, name) in [("leave_one_out", "shapley"), ("last", "last_touch")] {
        let got = credits(spec, &table);
        for row in cells(&expected, b',').iter().filter(|r| r[5] == name) {
            let credit = got.channel(&row[2]).expect("every channel of the summary");
            // Their path shares were rounded on the way: 12 decimals of a share, times conversions and revenue.
            check_close(&format!("{spec} conversions {}", row[2]), credit.conversions, number(&row[3]), 1e-9);
            check_close(&format!("{spec} revenue {}", row[2]), credit.value, number(&row[4]), 1e-9);
            seen += 1;
        }
    }
    assert_eq!(seen, 12);
}
