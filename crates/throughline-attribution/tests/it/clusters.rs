//! Journeys of persons: what draws of clusters, breakdowns and their laws must hold.

use std::collections::BTreeMap;

use proptest::prelude::*;
use throughline_attribution::rule::Weigher;
use throughline_attribution::{
    AttributionError, Breakdown, Conservation, Days, Dimension, Draws, Ending, Journeys, MODELS, Model, Outcome,
    PathTable, PathWeights, Prepared, Quantity, Ratio, Rule, Split, Summation, Units, bootstrap, bootstrap_clusters,
    break_down, cluster_key, read_spec,
};
use throughline_core::Level;

/// Steps with ages in hours, person, ending, value, and the day of the outcome.
#[derive(Debug, Clone)]
struct Line {
    steps: Vec<(u8, i64)>,
    person: Option<u8>,
    ending: Ending,
    value: f64,
    day: usize,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let ending = prop_oneof![3 => Just(Ending::Conversion), 3 => Just(Ending::Null), 1 => Just(Ending::Adjustment)];
    let value = prop_oneof![3 => Just(0.0), 4 => (0_i32..5).prop_map(|v| f64::from(v) * 10.1), 1 => -30.0_f64..0.0];
    let steps = prop::collection::vec((0_u8..4, 0_i64..300), 1..6);
    let line = (steps, prop::option::weighted(0.9, 0_u8..6), ending, value, 0_usize..3)
        .prop_map(|(steps, person, ending, value, day)| Line { steps, person, ending, value, day });
    prop::collection::vec(line, 0..30)
}

fn build(lines: &[Line], ages: bool) -> Journeys {
    let mut builder = Journeys::builder("persons");
    for line in lines {
        let names: Vec<String> = line.steps.iter().map(|s| format!("c{}", s.0)).collect();
        let hours: Vec<i64> = line.steps.iter().map(|s| s.1 * 3_600_000_000).collect();
        let key = line.person.map(|p| cluster_key(&p.to_string()));
        assert!(builder.push(&names, ages.then_some(hours.as_slice()), key, line.ending, line.value));
    }
    builder.build().0
}

/// The same journeys as rows of their own.
fn single(lines: &[Line], ages: bool) -> PathTable {
    let mut builder = PathTable::builder();
    for line in lines {
        let names: Vec<String> = line.steps.iter().map(|s| format!("c{}", s.0)).collect();
        let hours: Vec<i64> = line.steps.iter().map(|s| s.1 * 3_600_000_000).collect();
        let is = |ending: Ending| f64::from(u8::from(line.ending == ending));
        let outcome = Outcome { conversions: is(Ending::Conversion), value: line.value, nulls: is(Ending::Null) };
        builder.push(&names, ages.then_some(hours.as_slice()), outcome);
    }
    builder.build().0
}

fn model(spec: &str) -> Box<dyn Model> {
    read_spec(spec).expect("a model")
}

/// Every model that works without being given anything more.
fn every_model(ages: bool) -> Vec<Box<dyn Model>> {
    let timed = ["time_decay", "same_touch", "hazard"];
    MODELS.iter().filter(|e| ages || !timed.contains(&e.name)).map(|e| model(e.name)).collect()
}

const DRAWS: Draws = Draws { draws: 30, seed: 4, level: Level::P90 };

/// Touch by touch: the channel beside it, so that cells are no channels.
fn by_touch(lines: &[Line], row: usize, touch: usize) -> usize {
    usize::from(lines[row].steps[touch].0) * 2 + touch % 2
}

fn broken_down(journeys: &Journeys, spec: &str, lines: &[Line]) -> Breakdown {
    let cell = |row: usize, touch: usize| by_touch(lines, row, touch);
    let day = |row: usize| lines[row].day;
    let dimension = Dimension { name: "campaign", cells: 8, cell: &cell };
    break_down(journeys, model(spec).as_ref(), &dimension, Some(&Days { days: 3, day: &day }), DRAWS).expect("defined")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn credits_are_those_of_single_rows(lines in lines(), ages in any::<bool>()) {
        let (journeys, rows) = (build(&lines, ages), single(&lines, ages));
        let models = every_model(ages);
        let got = bootstrap_clusters(&journeys, &models, 8, 1, Level::P90).expect("defined");
        for (model, got) in models.iter().zip(&got) {
            let expect = model.attribute(&rows).expect("defined");
            for (a, b) in got.credits.channels().iter().zip(expect.channels()) {
                prop_assert!((a.conversions - b.conversions).abs() < 1e-9 && (a.value - b.value).abs() < 1e-6,
                    "{}: {a:?} {b:?}", model.spec());
            }
        }
    }

    #[test]
    fn the_order_of_rows_changes_no_bit(
        (lines, shuffled) in lines().prop_flat_map(|l| (Just(l.clone()), Just(l).prop_shuffle())),
        ages in any::<bool>(),
    ) {
        let models = every_model(ages);
        let run = |lines: &[Line]| {
            bootstrap_clusters(&build(lines, ages), &models, 9, 7, Level::P90).expect("defined")
        };
        prop_assert_eq!(format!("{:?}", run(&lines)), format!("{:?}", run(&shuffled)));
        let keyed = |lines: &[Line]| lines.iter().filter(|l| l.person.is_some()).cloned().collect::<Vec<_>>();
        let (lines, shuffled) = (keyed(&lines), keyed(&shuffled));
        let one = broken_down(&build(&lines, ages), "linear", &lines);
        let two = broken_down(&build(&shuffled, ages), "linear", &shuffled);
        prop_assert_eq!(one, two);
    }

    #[test]
    fn models_that_split_paths_are_sums_over_paths(lines in lines(), scale in 1_u32..5) {
        let table = single(&lines, true);
        let mut other = PathTable::builder();
        for (i, line) in lines.iter().enumerate() {
            let names: Vec<String> = line.steps.iter().map(|s| format!("c{}", s.0)).collect();
            let hours: Vec<i64> = line.steps.iter().map(|s| s.1 * 3_600_000_000).collect();
            let conversions = f64::from(scale) + (i % 3) as f64;
            other.push(&names, Some(&hours), Outcome { conversions, value: 1.0, nulls: i as f64 });
        }
        let other = other.build().0;
        for model in every_model(true).into_iter().filter(|m| m.splits_paths()) {
            let weights = model.path_weights(&table).expect("defined");
            prop_assert_eq!(&weights, &model.path_weights(&other).expect("defined"), "{}", model.spec());
            let credits = model.attribute(&table).expect("defined");
            let mut sums = vec![[0.0; 2]; table.channels().len()];
            for (p, path) in table.paths().enumerate() {
                for (step, weight) in path.steps.iter().zip(weights.of(p)) {
                    sums[*step as usize][0] += weight * table.units().conversions[p];
                    sums[*step as usize][1] += weight * table.units().values[p];
                }
            }
            for (sum, credit) in sums.iter().zip(credits.channels()) {
                prop_assert!((sum[0] - credit.conversions).abs() < 1e-9 && (sum[1] - credit.value).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_breakdown_by_channel_is_the_credit_of_channels(lines in lines(), ages in any::<bool>()) {
        let journeys = build(&lines, ages);
        let names: BTreeMap<&str, usize> = journeys.channels().iter().map(String::as_str).zip(0..).collect();
        let cell = |row: usize, touch: usize| names[format!("c{}", lines[row].steps[touch].0).as_str()];
        let dimension = Dimension { name: "channel", cells: names.len(), cell: &cell };
        let models: Vec<_> = every_model(ages).into_iter().filter(|m| m.splits_paths()).collect();
        let Draws { draws, seed, level } = DRAWS;
        let expect = bootstrap_clusters(&journeys, &models, draws, seed, level).expect("defined");
        for (model, expect) in models.iter().zip(&expect) {
            let got = break_down(&journeys, model.as_ref(), &dimension, None, DRAWS).expect("defined");
            for (channel, intervals) in expect.intervals.iter().enumerate() {
                for (what, wanted) in
                    [(Quantity::Conversions, &intervals.conversions), (Quantity::Value, &intervals.value)] {
                    let found = got.credit(channel, what).expect("a cell");
                    let close = |a: f64, b: f64| (a.is_infinite() && a == b) || (a - b).abs() < 1e-9;
                    let (a, b) = (found.interval(), wanted.interval());
                    prop_assert!(close(found.value, wanted.value) && close(a.0, b.0) && close(a.1, b.1),
                        "{}: {found:?} {wanted:?}", model.spec());
                }
            }
        }
    }

    #[test]
    fn cells_add_up_to_conversions_and_value(lines in lines()) {
        let journeys = build(&lines, true);
        for spec in ["first", "linear", "time_decay:2d", "shapley_simplified", "u", "path:markov:1", "logistic", "hazard"] {
            let got = broken_down(&journeys, spec, &lines);
            let sum = |what| (0..8).map(|c| got.credit(c, what).expect("a cell").value).sum::<f64>();
            let totals = journeys.totals();
            prop_assert!((sum(Quantity::Conversions) - totals.conversions).abs() < 1e-9);
            prop_assert!((sum(Quantity::Value) - totals.value).abs() < 1e-9);
        }
    }
}

/// Person, path, conversion, value.
fn journeys_of(rows: &[(&str, &str, bool, f64)]) -> Journeys {
    let mut builder = Journeys::builder("persons");
    for &(person, path, converted, value) in rows {
        let ending = if converted { Ending::Conversion } else { Ending::Null };
        assert!(builder.push_text(path, " ", Some(cluster_key(person)), ending, value));
    }
    builder.build().0
}

#[test]
fn persons_are_drawn_whole() {
    // 100 persons convert four times each: the variance of the count is 100 · 16, of 400 persons once each 400.
    let rows =
        |persons: usize| -> Vec<(String, f64)> { (0..400).map(|i| (format!("p{}", i % persons), 1.0)).collect() };
    let error = |persons: usize| {
        let mut builder = Journeys::builder("persons");
        for (person, value) in rows(persons) {
            builder.push(&["a"], None, Some(cluster_key(&person)), Ending::Conversion, value);
        }
        let got = bootstrap_clusters(&builder.build().0, &[model("last")], 3000, 1, Level::P90).expect("defined");
        let conversions = &got[0].intervals[0].conversions;
        assert_eq!(conversions.n, persons as u64);
        assert_eq!(got[0].method, "poisson bootstrap over persons, 3000 draws");
        conversions.std_error.expect("draws")
    };
    // A standard deviation of 3000 draws is known to 1.3 %; five of these. The 100 or 400 persons are the population here.
    assert!((error(100) / 40.0 - 1.0).abs() < 0.065, "{}", error(100));
    assert!((error(400) / 20.0 - 1.0).abs() < 0.065, "{}", error(400));
}

#[test]
fn other_persons_change_no_draw() {
    let few = journeys_of(&[("x", "m n", true, 5.0), ("y", "n", false, 0.0)]);
    let more = [("z", "a", true, 1.0), ("y", "n", false, 0.0), ("x", "m n", true, 5.0), ("w", "d m", true, 2.0)];
    let more = journeys_of(&more);
    let draws = |journeys: &Journeys, seed| {
        let got = bootstrap_clusters(journeys, &[model("first")], 50, seed, Level::P90).expect("defined");
        let channel = journeys.channels().iter().position(|c| c == "m").expect("a channel");
        got[0].draws_of(channel, Quantity::Value).expect("a channel")
    };
    assert_eq!(draws(&few, 3), draws(&more, 3));
    assert_ne!(draws(&few, 3), draws(&few, 4));
}

#[test]
fn values_of_one_person_are_summed_in_one_order() {
    let rows = [1e16, 1.0, -1e16, 3.0].map(|value| ("x", "a", true, value));
    let expect = [-1e16, 1.0, 3.0, 1e16].map(|value| ("x", "a", true, value));
    let run = |rows: &[_]| bootstrap_clusters(&journeys_of(rows), &[model("last")], 40, 1, Level::P90);
    assert_eq!(run(&rows).expect("defined"), run(&expect).expect("defined"));
}

#[test]
fn equal_journeys_are_summed_by_their_cells() {
    let cells = [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1], [2, 1, 0]];
    let journeys = journeys_of(&[("x", "a b c", true, 0.1); 5]);
    let run = |turn: usize| {
        let cell = |row: usize, touch: usize| cells[(row + turn) % 5][touch];
        let dimension = Dimension { name: "campaign", cells: 3, cell: &cell };
        break_down(&journeys, model("position:0.7,0.2,0.1").as_ref(), &dimension, None, DRAWS).expect("defined")
    };
    for turn in 1..5 {
        assert_eq!(run(turn), run(0), "turned by {turn}");
    }
}

/// A model that needs ages and every journey: it tells the nulls it saw where others tell a removal effect.
#[derive(Debug)]
struct Watchful;

struct Watching(usize);

impl Prepared for Watching {
    fn split(&self, units: Units<'_>, _: Summation) -> Result<Split, AttributionError> {
        let sum = |column: &[f64]| column.iter().sum::<f64>() / self.0 as f64;
        let each = |column: &[f64]| vec![sum(column); self.0];
        let effect = Some(vec![units.nulls.iter().sum(); self.0]);
        Ok(Split {
            conversions: each(units.conversions),
            value: each(units.values),
            removal_effect: effect,
            diagnostics: vec![],
        })
    }
}

impl Model for Watchful {
    fn name(&self) -> &'static str {
        "watchful"
    }

    fn spec(&self) -> String {
        self.name().to_owned()
    }

    fn prepare<'t>(&self, table: &'t PathTable) -> Result<Box<dyn Prepared + 't>, AttributionError> {
        assert!(table.has_ages() && table.paths().all(|p| p.ages.is_some()));
        Ok(Box::new(Watching(table.channels().len())))
    }

    fn path_weights(&self, _: &PathTable) -> Result<PathWeights, AttributionError> {
        Err(AttributionError::NotByPath { model: self.spec() })
    }
}

#[test]
fn models_that_read_ages_see_every_journey() {
    let mut builder = Journeys::builder("persons");
    for (person, ending) in [(1, Ending::Conversion), (2, Ending::Null), (3, Ending::Null), (4, Ending::Adjustment)] {
        assert!(builder.push(&["a", "b"], Some(&[5, 5]), Some(person), ending, 0.0));
    }
    let models: Vec<Box<dyn Model>> = vec![model("time_decay"), Box::new(Watchful), model("linear")];
    let got = bootstrap_clusters(&builder.build().0, &models, 400, 1, Level::P90).expect("defined");
    let nulls = got[1].intervals[0].removal_effect.as_ref().expect("nulls");
    assert_eq!(nulls.value, 2.0);
    assert!((nulls.std_error.expect("draws") / 2.0_f64.sqrt() - 1.0).abs() < 0.2, "{nulls:?}");
    assert_eq!(got[0].draws_of(0, Quantity::Conversions), got[1].draws_of(0, Quantity::Conversions));
}

#[test]
fn draws_of_rows_and_of_lone_persons_agree_in_distribution() {
    let mut builder = Journeys::builder("persons");
    for i in 0..300 {
        builder.push(&[["a", "b"][i % 2]], None, None, Ending::Conversion, 2.0);
    }
    let (journeys, found) = builder.build();
    assert_eq!(found[0].code, "TL450");
    assert_eq!(journeys.clusters(), 300);
    let one = bootstrap_clusters(&journeys, &[model("last")], 3000, 1, Level::P90).expect("defined");
    let two = bootstrap(journeys.paths(), &[model("last")], 3000, 1, Level::P90).expect("defined");
    let errors = [&one, &two].map(|r| r[0].intervals[0].conversions.std_error.expect("draws"));
    assert!((errors[0] / errors[1] - 1.0).abs() < 0.1, "{errors:?}");
    assert_eq!(two[0].method, "poisson bootstrap over journeys, 3000 draws");
}

#[test]
fn differences_have_intervals() {
    let rows: Vec<(String, &str)> =
        (0..200).map(|i| (format!("p{i}"), if i % 4 == 0 { "b a" } else { "a b" })).collect();
    let rows: Vec<(&str, &str, bool, f64)> = rows.iter().map(|(p, path)| (p.as_str(), *path, true, 1.0)).collect();
    let got = bootstrap_clusters(&journeys_of(&rows), &[model("first"), model("last")], 400, 1, Level::P90);
    let got = got.expect("defined");
    let models = got[0].difference(&got[1], 0, Quantity::Conversions).expect("comparable");
    // 150 − 50, each person ±1: a standard error of √200.
    assert_eq!(models.value, 100.0);
    assert!((models.std_error.expect("draws") / 200.0_f64.sqrt() - 1.0).abs() < 0.2, "{models:?}");
    let channels = got[0].between_channels(0, 1, Quantity::Conversions).expect("channels");
    assert_eq!((channels.value, channels.std_error), (100.0, models.std_error));
    assert_eq!(got[0].between_channels(0, 9, Quantity::Value), Err(AttributionError::NoChannel { channel: 9 }));
}

#[test]
fn bad_rows_of_journeys_are_refused_and_counted() {
    let mut builder = Journeys::builder("geos");
    assert!(!builder.push_text(" ", " > ", Some(1), Ending::Conversion, 3.0));
    assert!(!builder.push(&["a", "b"], Some(&[1]), Some(1), Ending::Null, 0.0));
    assert!(!builder.push(&["a"], Some(&[-1]), Some(1), Ending::Null, 0.0));
    assert!(!builder.push(&["a"], None, Some(1), Ending::Null, f64::NAN));
    assert!(!builder.push_numbers(&[40], None, Some(1), Ending::Null, 0.0));
    assert!(builder.push(&["a", " ", "c"], Some(&[3, 2, 1]), Some(1), Ending::Conversion, 1.0));
    assert!(builder.push(&["a"], None, Some(1), Ending::Conversion, 1.0));
    let (journeys, found) = builder.build();
    let codes: Vec<&str> = found.iter().map(|d| d.code.as_str()).collect();
    assert_eq!(codes, ["TL401", "TL405", "TL405", "TL404", "TL407", "TL402", "TL406"]);
    assert!(found[0].message.contains("row 1") && found[0].message.contains("a conversion worth 3"), "{}", found[0]);
    assert_eq!((journeys.len(), journeys.has_ages(), journeys.channels().len()), (2, false, 2));
}

#[test]
fn nothing_at_all() {
    let (journeys, _) = Journeys::builder("persons").build();
    let models = every_model(true);
    for result in bootstrap_clusters(&journeys, &models, 10, 1, Level::P95).expect("defined") {
        assert!(result.intervals.is_empty());
    }
    let nowhere = |_: usize, _: usize| 0;
    let dimension = Dimension { name: "geo", cells: 0, cell: &nowhere };
    let got = break_down(&journeys, model("last").as_ref(), &dimension, None, DRAWS).expect("defined");
    assert_eq!(got.cells(), 0);
}

#[test]
fn what_cannot_be_broken_down_is_refused() {
    let journeys = journeys_of(&[("x", "a b", true, 5.0)]);
    let cell = |_: usize, touch: usize| touch;
    let of = |spec: &str, cells, draws| {
        let dimension = Dimension { name: "campaign", cells, cell: &cell };
        break_down(&journeys, model(spec).as_ref(), &dimension, None, Draws { draws, ..DRAWS }).expect_err("refused")
    };
    assert_eq!(of("markov:1", 2, 10), AttributionError::NotByPath { model: "markov:1".to_owned() });
    assert_eq!(of("leave_one_out", 2, 10), AttributionError::NotByPath { model: "leave_one_out".to_owned() });
    let error = of("last", 1, 10).to_string();
    assert_eq!(error, "dimension `campaign` has 1 cells and no number 1 (row 1)");
    assert!(matches!(of("last", 2, 1), AttributionError::TooFewDraws { draws: 1 }));
    assert!(matches!(of("last", 1 << 20, 200), AttributionError::TooManyCells { .. }));
}

/// A rule that forgets a tenth.
#[derive(Debug)]
struct Forgetful;

impl Rule for Forgetful {
    fn name(&self) -> &'static str {
        "forgetful"
    }

    fn weigher<'t>(&self, _: &'t PathTable) -> Result<Weigher<'t>, AttributionError> {
        Ok(Box::new(|_, _, weights| {
            let share = 0.9 / weights.len() as f64;
            weights.fill(share);
        }))
    }
}

#[test]
fn credit_that_gets_lost_is_an_error() {
    let journeys = journeys_of(&[("x", "a b", true, 5.0)]);
    let cell = |_: usize, _: usize| 0;
    let dimension = Dimension { name: "geo", cells: 1, cell: &cell };
    let error = break_down(&journeys, &Forgetful, &dimension, None, DRAWS).expect_err("refused");
    assert!(matches!(error, AttributionError::NotConserved { what: "shares of a path", .. }), "{error}");
    let models: Vec<Box<dyn Model>> = vec![Box::new(Forgetful)];
    let error = bootstrap_clusters(&journeys, &models, 10, 1, Level::P90).expect_err("refused");
    assert!(matches!(error, AttributionError::NotConserved { what: "conversions", .. }), "{error}");
}

#[test]
fn days_must_be_known() {
    let journeys = journeys_of(&[("x", "a", true, 5.0), ("y", "a", true, 5.0)]);
    let cell = |_: usize, _: usize| 0;
    let day = |row: usize| row;
    let dimension = Dimension { name: "geo", cells: 1, cell: &cell };
    let of = |days| break_down(&journeys, model("last").as_ref(), &dimension, Some(&Days { days, day: &day }), DRAWS);
    assert!(of(2).is_ok());
    assert!(of(1).is_err_and(|e| e.to_string().contains("dimension `day` has 1 cells and no number 1")));
}

/// Ratios of a geo with many conversions, one with a single one, and one with none.
#[test]
fn ratios_are_numbers_or_say_why_not() {
    let mut rows: Vec<(String, &str, bool, f64)> = (0..100).map(|i| (format!("p{i}"), "a", true, 3.0)).collect();
    rows.push(("rare".to_owned(), "a b", true, 7.0));
    rows.push(("never".to_owned(), "b", false, 0.0));
    let given: Vec<_> = rows.iter().map(|(p, path, c, v)| (p.as_str(), *path, *c, *v)).collect();
    let journeys = journeys_of(&given);
    let cell = |row: usize, _: usize| row.saturating_sub(99);
    let dimension = Dimension { name: "geo", cells: 3, cell: &cell };
    let draws = Draws { draws: 200, ..DRAWS };
    let got = break_down(&journeys, model("linear").as_ref(), &dimension, None, draws).expect("defined");
    let number = |ratio: Result<Ratio, AttributionError>| ratio.expect("a cell").number().expect("a number").clone();
    let why = |ratio: Result<Ratio, AttributionError>| match ratio.expect("a cell") {
        Ratio::Undefined { because } => because,
        Ratio::Number(estimate) => format!("{estimate:?}"),
    };
    let cpa = number(got.cost_per_conversion(0, 500.0));
    assert_eq!(cpa.value, 5.0);
    let (low, high) = cpa.interval();
    // Conversions are 100 ± 16.45 at 90 %.
    assert!((low - 500.0 / 116.5).abs() < 0.2 && (high - 500.0 / 83.5).abs() < 0.4, "{low} {high}");
    assert_eq!(number(got.return_on_spend(0, 100.0)).value, 3.0);
    assert_eq!(number(got.share(0, Quantity::Conversions)).value, 100.0 / 101.0);
    assert!(why(got.cost_per_conversion(1, 5.0)).starts_with("the conversions are 0 in "));
    assert_eq!(why(got.cost_per_conversion(2, 5.0)), "the conversions are 0");
    assert_eq!(why(got.return_on_spend(0, 0.0)), "nothing was spent");
    assert_eq!(why(got.return_on_spend(0, f64::NAN)), "the spend is not a number of at least 0");
    assert!(got.share(3, Quantity::Value).is_err());
}

#[test]
fn shares_of_nothing_have_a_reason() {
    let journeys = journeys_of(&[("x", "a", true, 5.0), ("y", "a", true, -5.0)]);
    let cell = |row: usize, _: usize| row;
    let dimension = Dimension { name: "geo", cells: 2, cell: &cell };
    let got = break_down(&journeys, model("last").as_ref(), &dimension, None, DRAWS).expect("defined");
    let ratio = got.share(0, Quantity::Value).expect("a cell");
    assert_eq!(ratio, Ratio::Undefined { because: "the value of all cells is 0".to_owned() });
}

#[test]
fn participation_is_exempt_and_says_so() {
    let journeys = journeys_of(&[("x", "a b", true, 5.0), ("y", "a", true, 5.0)]);
    let cell = |_: usize, _: usize| 0;
    let dimension = Dimension { name: "geo", cells: 1, cell: &cell };
    let got = break_down(&journeys, model("participation").as_ref(), &dimension, None, DRAWS).expect("defined");
    assert_eq!(got.conservation(), Conservation::Exempt);
    assert_eq!(got.credit(0, Quantity::Conversions).expect("a cell").value, 3.0);
}

#[test]
fn ten_thousand_campaigns() {
    let mut builder = Journeys::builder("persons");
    for i in 0..20_000_u64 {
        builder.push(&["a", "b"], None, Some(i / 2), Ending::Conversion, 1.0);
    }
    let (journeys, _) = builder.build();
    let cell = |row: usize, touch: usize| (row * 7 + touch * 13) % 10_000;
    let dimension = Dimension { name: "campaign", cells: 10_000, cell: &cell };
    let got = break_down(&journeys, model("linear").as_ref(), &dimension, None, DRAWS).expect("defined");
    let sum: f64 = (0..10_000).map(|c| got.credit(c, Quantity::Conversions).expect("a cell").value).sum();
    assert!((sum - 20_000.0).abs() < 1e-6);
}
