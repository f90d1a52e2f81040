//! scikit-uplift's numbers on the Hillstrom test (64,000 customers), women's e-mail against none, outcome visit.

use std::path::PathBuf;

use serde_json::Value;
use throughline_core::Level;
use throughline_stats::stream::Stream;
use throughline_uplift::{
    EffectScores, GainCurve, Observed, PercentileStrategy, PoissonBootstrap, RankingVerdict, RateTarget, Scored,
    causalml_scores, evaluate, gain_bands, paired_difference, rate, rate_between, uplift_at, uplift_by_percentile,
    weighted_average_uplift,
};

struct Hillstrom {
    visit: Vec<f64>,
    treated: Vec<bool>,
    history: Vec<f64>,
    recency: Vec<f64>,
    womens: Vec<f64>,
    oracle: Value,
}

fn folder() -> PathBuf {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    PathBuf::from(std::env::var("THROUGHLINE_REFERENCE").unwrap_or_else(|_| default.to_owned())).join("hillstrom")
}

/// The two arms of the comparison, or `None` (said in the output) where the reference data is absent.
#[expect(clippy::print_stderr, reason = "a test that has nothing to read says so")]
fn load() -> Option<Hillstrom> {
    let folder = folder();
    let Ok(text) = std::fs::read_to_string(folder.join("qini_oracle.json")) else {
        eprintln!("reference data absent: {} (set THROUGHLINE_REFERENCE)", folder.display());
        return None;
    };
    let mut data = Hillstrom {
        visit: Vec::new(),
        treated: Vec::new(),
        history: Vec::new(),
        recency: Vec::new(),
        womens: Vec::new(),
        oracle: serde_json::from_str(&text).expect("JSON"),
    };
    let mut reader = csv::Reader::from_path(folder.join("hillstrom.csv")).expect("the data file");
    for record in reader.records() {
        let record = record.expect("a row");
        let segment = &record[8];
        if segment == "Mens E-Mail" {
            continue;
        }
        let number = |i: usize| record[i].parse::<f64>().expect("a number");
        data.recency.push(number(0));
        data.history.push(number(2));
        data.womens.push(number(4));
        data.visit.push(number(9));
        data.treated.push(segment == "Womens E-Mail");
    }
    Some(data)
}

#[track_caller]
fn check(data: &Hillstrom, name: &str, score: &[f64], keys: &[&str]) {
    let scored = Scored::new(score, &data.treated, &data.visit).expect("scored");
    let scores = throughline_uplift::qini_scores(&scored);
    let oracle = &data.oracle[format!("Womens E-Mail|{name}")];
    assert_eq!(oracle["n"].as_f64(), Some(scored.n() as f64));
    for key in keys {
        let got = match *key {
            "qini_auc" => scores.qini_auc,
            "qini_auc_noneg" => scores.qini_auc_no_negative,
            "uplift_auc" => scores.uplift_auc,
            "at30_overall" => scores.uplift_at_30_overall,
            _ => scores.uplift_at_30_by_group,
        };
        let (got, expect) = (got.expect("defined"), oracle[*key].as_f64().expect("a number"));
        assert!((got - expect).abs() < 1e-9, "{name} {key}: {got} is not {expect}");
    }
}

#[test]
fn named_scores_equal_the_published_ones() {
    let Some(data) = load() else { return };
    let order_free = ["qini_auc", "qini_auc_noneg", "uplift_auc"];
    check(&data, "history", &data.history, &order_free);
    check(&data, "neg_recency", &data.recency.iter().map(|r| -r).collect::<Vec<_>>(), &order_free);
    check(&data, "womens", &data.womens, &order_free);
    // No two scores tie here, so that the cut at 30 % does not depend on the order of rows either.
    let row: Vec<f64> = (0..data.visit.len()).map(|i| -(i as f64)).collect();
    let all = ["qini_auc", "qini_auc_noneg", "uplift_auc", "at30_overall", "at30_bygroup"];
    check(&data, "row_index_desc", &row, &all);
}

#[test]
fn verdicts_on_the_published_rankings() {
    let Some(data) = load() else { return };
    let run = |score: &[f64]| {
        let scored = Scored::new(score, &data.treated, &data.visit).expect("scored");
        evaluate(&scored, Level::P95).expect("evaluated")
    };
    let womens = run(&data.womens);
    assert_eq!(womens.verdict, RankingVerdict::BetterThanRandom);
    let overall = womens.overall.expect("an effect");
    assert!((overall.value - 0.045_233).abs() < 1e-6 && (overall.std_error.unwrap_or(0.0) - 0.003_234).abs() < 1e-6);
    let row: Vec<f64> = (0..data.visit.len()).map(|i| -(i as f64)).collect();
    let by_row = run(&row);
    assert_eq!((by_row.verdict, by_row.tenths.len()), (RankingVerdict::InsideNoise, 10));
}

/// What tools that do not group tied rows give, as plainly as possible: uplift at 30 % overall and by group with ties in
/// reverse order of the file (scikit-uplift reverses a rising sort), CausalML's normalised AUUC and its Qini score, raw and
/// normalised, with ties in the order of the file.
fn in_file_order(data: &Hillstrom, score: &[f64], file: &[usize]) -> [f64; 5] {
    let mut order = file.to_vec();
    order.sort_by(|&a, &b| score[b].total_cmp(&score[a]));
    let mut reversed: Vec<usize> = file.iter().rev().copied().collect();
    reversed.sort_by(|&a, &b| score[b].total_cmp(&score[a]));
    let n = order.len();
    let difference = |rows: &mut dyn Iterator<Item = usize>| {
        let mut sums = [(0.0, 0.0); 2];
        for row in rows {
            let arm = &mut sums[usize::from(data.treated[row])];
            *arm = (arm.0 + 1.0, arm.1 + data.visit[row]);
        }
        sums[1].1 / sums[1].0 - sums[0].1 / sums[0].0
    };
    let overall = difference(&mut reversed.iter().copied().take(n * 3 / 10));
    let best = |treated: bool| {
        let own: Vec<usize> = reversed.iter().copied().filter(|&row| data.treated[row] == treated).collect();
        let size = own.len() * 3 / 10;
        own[..size].to_vec()
    };
    let by_group = difference(&mut best(true).into_iter().chain(best(false)));
    let (mut lift, mut qini) = (vec![None; n], vec![None; n]);
    let (mut t, mut c) = ((0.0, 0.0), (0.0, 0.0));
    for (i, &row) in order.iter().enumerate() {
        let arm = if data.treated[row] { &mut t } else { &mut c };
        *arm = (arm.0 + 1.0, arm.1 + data.visit[row]);
        lift[i] = (t.0 > 0.0 && c.0 > 0.0).then(|| t.1 / t.0 - c.1 / c.0);
        qini[i] = (c.0 > 0.0).then(|| t.1 - c.1 * t.0 / c.0);
    }
    let filled = |curve: &[Option<f64>]| -> Vec<f64> {
        let first = curve.iter().position(Option::is_some).expect("both arms");
        let end = curve[first].expect("a value");
        (0..n).map(|i| curve[i].unwrap_or(end * (i + 1) as f64 / (first + 1) as f64)).collect()
    };
    let gain: Vec<f64> = filled(&lift).iter().enumerate().map(|(i, l)| l * (i + 1) as f64).collect();
    let qini = filled(&qini);
    let points = (n + 1) as f64;
    let auuc = gain.iter().sum::<f64>() / points / gain[n - 1].abs();
    let raw = qini.iter().sum::<f64>() / points - qini[n - 1] / 2.0;
    [overall, by_group, auuc, raw, raw / qini[n - 1].abs()]
}

/// The same in expectation over all orders of tied rows.
fn order_free(data: &Hillstrom, score: &[f64]) -> [f64; 5] {
    let scored = Scored::new(score, &data.treated, &data.visit).expect("scored");
    let at = |strategy| uplift_at(&scored, 0.3, strategy).expect("both arms");
    let found = causalml_scores(&scored).expect("both arms");
    let auuc = found.auuc_normalised.expect("a gain");
    let qini = found.qini_normalised.expect("a gain");
    [at(PercentileStrategy::Overall), at(PercentileStrategy::ByGroup), auuc, found.qini, qini]
}

const ORDER_DEPENDENT: [&str; 5] =
    ["at30_overall", "at30_bygroup", "causalml_auuc_norm", "causalml_qini_raw", "causalml_qini_norm"];

#[test]
#[expect(clippy::print_stdout, reason = "the figures of the comparison, with --no-capture")]
fn scores_that_depend_on_the_order_of_ties_are_given_in_expectation() {
    let Some(data) = load() else { return };
    let n = data.visit.len();
    let file: Vec<usize> = (0..n).collect();
    let row: Vec<f64> = (0..n).map(|i| -(i as f64)).collect();
    let neg_recency: Vec<f64> = data.recency.iter().map(|r| -r).collect();
    let scores = [("history", &data.history), ("neg_recency", &neg_recency), ("womens", &data.womens)];
    for (name, score) in scores.into_iter().chain([("row_index_desc", &row)]) {
        let oracle = &data.oracle[format!("Womens E-Mail|{name}")];
        let (plain, ours) = (in_file_order(&data, score, &file), order_free(&data, score));
        // Random orders of the file: their mean is what we give, their range is what the others may give.
        let shuffles = if name == "row_index_desc" { 0 } else { 40 };
        let draws: Vec<[f64; 5]> = (0..shuffles)
            .map(|draw| {
                let stream = Stream::new(draw, 70);
                let mut order = file.clone();
                order.sort_by_cached_key(|&i| stream.u64_at(i as u64));
                in_file_order(&data, score, &order)
            })
            .collect();
        for (i, key) in ORDER_DEPENDENT.iter().enumerate() {
            let published = oracle[*key].as_f64().expect("a number");
            let tolerance = 1e-9 * published.abs().max(1.0);
            assert!((plain[i] - published).abs() < tolerance, "{name} {key}: {} is not {published}", plain[i]);
            if shuffles == 0 {
                assert!((ours[i] - published).abs() < tolerance, "{name} {key}: {} is not {published}", ours[i]);
                println!("{name} {key}: published {published}, ours {}", ours[i]);
                continue;
            }
            let mean = draws.iter().map(|d| d[i]).sum::<f64>() / 40.0;
            let deviation = (draws.iter().map(|d| (d[i] - mean).powi(2)).sum::<f64>() / 39.0).sqrt();
            println!("{name} {key}: published {published}, ours {}, shuffled {mean} ± {deviation}", ours[i]);
            assert!((ours[i] - mean).abs() <= 4.5 * deviation / 40.0_f64.sqrt() + 1e-12, "{name} {key}");
            assert!((published - ours[i]).abs() <= 5.0 * deviation + 1e-12, "{name} {key}");
        }
    }
    // The stated ranges: 0.140 to 0.205 over random orders of the ties.
    let womens = order_free(&data, &data.womens);
    assert!((0.140..0.205).contains(&womens[4]), "{womens:?}");
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures of the comparison, with --no-capture")]
fn tables_rates_and_bands_of_the_published_rankings() {
    let Some(data) = load() else { return };
    let observed = Observed { treated: &data.treated, outcome: &data.visit };
    let scored = Scored::new(&data.womens, &data.treated, &data.visit).expect("scored");
    for strategy in [PercentileStrategy::Overall, PercentileStrategy::ByGroup] {
        let table = uplift_by_percentile(&scored, 10, strategy);
        let treated: f64 = table.iter().map(|r| r.treated).sum();
        assert!((treated - 21_387.0).abs() < 1e-6, "{treated}");
        // Five tenths of one value each way: the best ones tie.
        assert!((table[0].uplift.expect("both") - table[3].uplift.expect("both")).abs() < 2e-4, "{table:?}");
        assert!(table[0].uplift > table[9].uplift);
        let average = weighted_average_uplift(&table).expect("both arms");
        assert!((average - 0.045_233).abs() < 2e-4, "{average}");
        println!("womens {strategy:?}: best {:?} worst {:?} weighted {average}", table[0].uplift, table[9].uplift);
    }
    let scores = EffectScores::randomised(observed, None).expect("scores");
    let of = |priority: &[f64], target| rate(&scores, priority, target, Level::P95).expect("a rate");
    for target in [RateTarget::Autoc, RateTarget::Qini] {
        let (womens, history) = (of(&data.womens, target), of(&data.history, target));
        println!("{target:?}: womens {:?} history {:?}", womens.estimate, history.estimate);
        assert!(womens.estimate.interval().0 > 0.0 && history.estimate.set.contains(0.0));
        let better = rate_between(&scores, &womens, &history, Level::P95).expect("a difference");
        assert!(better.interval().0 > 0.0, "{better:?}");
    }
    let bootstrap = PoissonBootstrap { draws: 100, ..PoissonBootstrap::default() };
    let bands = gain_bands(GainCurve::Qini(observed), &[&data.womens, &data.history], &bootstrap).expect("bands");
    let area = bands[0].area(Level::P95).expect("an area");
    let paired = paired_difference(&bands[0], &bands[1], Level::P95).expect("a difference");
    println!("qini area per person: womens {area:?}, less history {paired:?}");
    assert!(area.interval().0 > 0.0 && paired.interval().0 > 0.0, "{area:?} {paired:?}");
    let n = scored.n() as f64;
    let named = throughline_uplift::qini_scores(&scored).qini_area;
    assert!((area.value - named / n / n).abs() < 1e-12);
}
