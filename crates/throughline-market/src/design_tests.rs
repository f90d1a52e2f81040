//! Each design gives back the effect that the market states, read as a careful analyst would read it, over 200 seeds; and a
//! careless reading errs as predicted.

use std::collections::BTreeMap;
use std::ops::Range;

use throughline_stats::dist;

use crate::interventions::{is_called, voucher_score};
use crate::{
    Arm, Channel, GeoTestSpec, Life, LotterySpec, OutreachSpec, RolloutSpec, Scenario, VoucherSpec, WaveSpec, World,
    designs, person,
};

const SEEDS: u64 = 200;
/// Binomial(200, 0.95) lies below this with a probability of less than 1 %.
const ENOUGH: u32 = 182;

/// The demo with three channels and frequent purchases: small worlds that tell much.
fn scenario(people: u32) -> Scenario {
    let mut scenario = Scenario::default().with_people(people);
    scenario.channels.retain(|name, _| ["paid_social", "email", "direct"].contains(&name.as_str()));
    scenario.interactions.clear();
    for segment in [&mut scenario.segments.new, &mut scenario.segments.regular, &mut scenario.segments.vip] {
        segment.log_odds += 1.5;
    }
    scenario
}

/// How often intervals cover over the seeds, and what each estimate errs by.
struct Tally {
    covered: u32,
    errors: Vec<f64>,
}

fn over_seeds<const N: usize>(scenario: &Scenario, read: impl Fn(&World) -> [(f64, f64); N]) -> [Tally; N] {
    let z = dist::critical_value(0.95, None);
    let mut tallies = [const { Tally { covered: 0, errors: Vec::new() } }; N];
    for seed in 0..SEEDS {
        let world = World::simulate(scenario, seed).expect("valid");
        for (tally, (error, std_error)) in tallies.iter_mut().zip(read(&world)) {
            tally.covered += u32::from(error.abs() <= z * std_error);
            tally.errors.push(error);
        }
    }
    tallies
}

impl Tally {
    fn mean(&self) -> (f64, f64) {
        let n = self.errors.len() as f64;
        let mean = self.errors.iter().sum::<f64>() / n;
        let variance = self.errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, (variance / n).sqrt())
    }

    #[track_caller]
    fn recovers(&self) {
        let (mean, error) = self.mean();
        assert!(self.covered >= ENOUGH, "{} of {SEEDS} covered", self.covered);
        assert!(mean.abs() < 3.5 * error, "biased by {mean} ± {error}");
    }
}

fn bought(life: &Life, days: Range<u32>) -> f64 {
    f64::from(u8::from(life.purchases.iter().any(|p| days.contains(&p.day))))
}

/// Mean and variance of the mean.
fn mean(of: &[f64]) -> (f64, f64) {
    let n = of.len() as f64;
    let mean = of.iter().sum::<f64>() / n;
    (mean, of.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (n - 1.0) / n)
}

#[test]
fn the_mail_test_gives_back_its_effect() {
    let [read] = over_seeds(&scenario(500), |world| {
        let test = &world.scenario().experiment;
        let of = |arm| {
            let lives = world.lives().iter().filter(|l| l.arm == Some(arm));
            mean(&lives.map(|l| bought(l, test.day..test.day + test.window_days)).collect::<Vec<_>>())
        };
        let ((with, a), (without, b)) = (of(Arm::EmailOffer), of(Arm::None));
        [(with - without - world.mail_test()[0].true_effect, (a + b).sqrt())]
    });
    read.recovers();
}

/// Difference in differences of purchases a person and day: (estimate, standard error over areas).
fn differences(world: &World, treated: &dyn Fn(u32) -> bool, before: Range<u32>, during: Range<u32>) -> (f64, f64) {
    let mut areas: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for life in world.lives() {
        let cell = areas.entry(life.person.area).or_default();
        let rate = |days: &Range<u32>| {
            life.purchases.iter().filter(|p| days.contains(&p.day)).count() as f64 / f64::from(days.end - days.start)
        };
        *cell = (cell.0 + rate(&during) - rate(&before), cell.1 + 1.0);
    }
    let side = |wanted: bool| {
        let cells: Vec<(f64, f64)> = areas.iter().filter(|(a, _)| treated(**a) == wanted).map(|(_, c)| *c).collect();
        let (change, people) = cells.iter().fold((0.0, 0.0), |s, c| (s.0 + c.0, s.1 + c.1));
        let ratio = change / people;
        let n = cells.len() as f64;
        let spread: f64 = cells.iter().map(|(c, p)| (c - ratio * p).powi(2)).sum();
        (ratio, spread * n / (n - 1.0) / (people * people))
    };
    let ((a, va), (b, vb)) = (side(true), side(false));
    // Twenty areas a side: Student's t rather than the normal.
    (a - b, (va + vb).sqrt() * dist::critical_value(0.95, Some(38.0)) / dist::critical_value(0.95, None))
}

fn geo(spillover: f64) -> Scenario {
    let mut scenario = scenario(500);
    scenario.interventions.geo_test = Some(GeoTestSpec {
        channel: "paid_social".into(),
        from_day: 30,
        days: 28,
        factor: 4.0,
        treated_areas: 20,
        spillover,
    });
    scenario
}

fn read_geo(world: &World) -> [(f64, f64); 1] {
    let treated = |area: u32| world.plan().areas[area as usize].treated;
    let (estimate, error) = differences(world, &treated, 0..30, 30..58);
    [(estimate - world.geo_test()[0].true_effect, error)]
}

#[test]
fn the_geo_test_gives_back_its_effect_and_spillover_hides_part_of_it() {
    let [alone] = over_seeds(&geo(0.0), read_geo);
    alone.recovers();
    let [spilled] = over_seeds(&geo(0.8), read_geo);
    let (bias, error) = spilled.mean();
    assert!(bias < -3.5 * error, "controls are treated too: {bias} ± {error}");
}

#[test]
fn the_rollout_gives_back_its_effect() {
    let mut scenario = scenario(600);
    scenario.interventions.rollout = Some(RolloutSpec { lift: 0.4, waves: vec![WaveSpec { day: 45, areas: 20 }] });
    let [read] = over_seeds(&scenario, |world| {
        let treated = |area: u32| world.plan().areas[area as usize].launch.is_some();
        let (estimate, error) = differences(world, &treated, 0..45, 45..90);
        let truth = world.rollout().expect("in use").true_effect;
        assert!(truth > 0.0);
        [(estimate - truth, error)]
    });
    read.recovers();
}

#[test]
fn the_lottery_gives_back_the_effect_of_opening_and_openers_differ_anyway() {
    let mut scenario = scenario(600);
    scenario.interventions.lottery = Some(LotterySpec { day: 20, window_days: 7, share: 0.5, boost: 2.5 });
    let email = scenario.channels.get_mut("email").expect("in use");
    (email.effect, email.targeting) = (1.5, 1.0);
    let [read, naive] = over_seeds(&scenario, |world| {
        let told = world.lottery().expect("in use");
        let days = told.from_day..told.to_day;
        let got: Vec<&Life> = world
            .lives()
            .iter()
            .filter(|l| l.touches.iter().any(|t| t.day == days.start && t.channel == Channel::Email))
            .collect();
        let sides = |of: &dyn Fn(&Life) -> bool, value: &dyn Fn(&Life) -> f64| {
            [true, false].map(|side| mean(&got.iter().filter(|l| of(l) == side).map(|l| value(l)).collect::<Vec<_>>()))
        };
        let opened = |l: &Life| designs::opened(l, days.start);
        let [openers, others] = sides(&opened, &|l| bought(l, days.clone()));
        // Anderson and Rubin (1949): at the true effect the outcome less effect times opening does not depend on the hour.
        let rest = |l: &Life| bought(l, days.clone()) - told.true_effect * f64::from(u8::from(opened(l)));
        let [early, late] = sides(&|l| world.won(l), &rest);
        [
            (early.0 - late.0, (early.1 + late.1).sqrt()),
            (openers.0 - others.0 - told.true_effect, (openers.1 + others.1).sqrt()),
        ]
    });
    read.recovers();
    let (bias, error) = naive.mean();
    assert!(bias > 3.5 * error, "who opens wants to buy: {bias} ± {error}");
}

/// A local line at 0 and the variance of its value there (heteroscedasticity-robust).
fn line_at_zero(points: &[(f64, f64)], bandwidth: f64) -> (f64, f64) {
    let near: Vec<(f64, f64, f64)> =
        points.iter().map(|(x, y)| (*x, *y, 1.0 - x.abs() / bandwidth)).filter(|(.., w)| *w > 0.0).collect();
    let sum = |f: &dyn Fn(&(f64, f64, f64)) -> f64| near.iter().map(f).sum::<f64>();
    let (s0, s1, s2) = (sum(&|p| p.2), sum(&|p| p.2 * p.0), sum(&|p| p.2 * p.0 * p.0));
    let determinant = s0 * s2 - s1 * s1;
    let weight = |p: &(f64, f64, f64)| p.2 * (s2 - s1 * p.0) / determinant;
    let value = sum(&|p| weight(p) * p.1);
    let slope = (s0 * sum(&|p| p.2 * p.0 * p.1) - s1 * sum(&|p| p.2 * p.1)) / determinant;
    let n = near.len() as f64;
    let rest = |p: &(f64, f64, f64)| p.1 - value - slope * p.0;
    (value, sum(&|p| (weight(p) * rest(p)).powi(2)) * n / (n - 2.0))
}

#[test]
fn the_voucher_gives_back_its_effect_at_the_cut_and_who_gets_one_buys_more_anyway() {
    let mut scenario = scenario(1_000);
    scenario.interventions.voucher =
        Some(VoucherSpec { day: 20, window_days: 14, cut: 60.0, lift: 0.8, discount: 0.1 });
    let [read, naive] = over_seeds(&scenario, |world| {
        let told = world.voucher().expect("in use");
        let days = told.from_day..told.to_day;
        let asked = world.lives().iter().filter(|l| l.person.contactable_on(20));
        let points: Vec<(f64, f64)> =
            asked.map(|l| (voucher_score(world.plan(), &l.person) - 60.0, bought(l, days.clone()))).collect();
        let (got, not): (Vec<_>, Vec<_>) = points.into_iter().partition(|(x, _)| *x >= 0.0);
        let [level, line] = [
            |side: &[(f64, f64)]| mean(&side.iter().map(|p| p.1).collect::<Vec<_>>()),
            |side: &[(f64, f64)]| line_at_zero(side, 25.0),
        ]
        .map(|of| (of(&got), of(&not)))
        .map(|((a, va), (b, vb))| (a - b - told.true_effect, (va + vb).sqrt()));
        [line, level]
    });
    read.recovers();
    let (bias, error) = naive.mean();
    assert!(bias > 3.5 * error, "the score follows the wish to buy: {bias} ± {error}");
}

#[test]
fn outreach_looks_better_than_it_is_by_what_the_market_predicts() {
    let mut scenario = scenario(500);
    let spec = OutreachSpec {
        day: 40,
        window_days: 14,
        log_odds: -0.5,
        on_coupons: 0.3,
        on_intent: 2.0,
        lift: 0.5,
        half_life_days: 7.0,
    };
    let called = |world: &World, life: &Life| {
        let intent = person::intent(&world.scenario().intent, &world.noise(life), world.plan().horizon());
        is_called(world.scenario().interventions.outreach.as_ref().expect("set"), &life.person, &intent)
    };
    let read = |world: &World| {
        let [told, _] = world.outreach().expect("in use");
        let asked: Vec<&Life> = world.lives().iter().filter(|l| l.person.contactable_on(40)).collect();
        let of = |side: bool| {
            let lives = asked.iter().filter(|l| called(world, l) == side);
            mean(&lives.map(|l| bought(l, 40..54)).collect::<Vec<_>>())
        };
        let ((a, va), (b, vb)) = (of(true), of(false));
        let against = |truth: f64| (a - b - truth, (va + vb).sqrt());
        [against(told.true_effect), against(told.naive_difference.expect("two sides"))]
    };
    scenario.interventions.outreach = Some(spec.clone());
    let [of_effect, of_prediction] = over_seeds(&scenario, read);
    let (bias, error) = of_effect.mean();
    assert!(bias > 3.5 * error, "staff call those who buy anyway: {bias} ± {error}");
    of_prediction.recovers();
    scenario.interventions.outreach = Some(OutreachSpec { on_coupons: 0.0, on_intent: 0.0, ..spec });
    let [at_random, _] = over_seeds(&scenario, read);
    at_random.recovers();
}
