//! Power against published figures and against itself.

use throughline_core::Level;

use super::{Allocation, Clusters, Effect, Looks, MetricPlan, PowerPlan};
use crate::EvidenceError;
use crate::sequential::Spending;

fn mean(sd: f64, effect: f64) -> PowerPlan {
    PowerPlan::new(MetricPlan::Mean { baseline: 10.0, sd }, Effect::Absolute(effect))
}

fn per_arm(plan: &PowerPlan) -> u64 {
    plan.sample_size().expect("a size").arms[1].n
}

#[test]
fn sizes_are_the_published_ones() {
    // R: power.t.test(power = .90, delta = 1) n = 22.02110; (delta = 0.2, power = .8) n = 393.4057.
    assert_eq!(per_arm(&PowerPlan { power: 0.9, ..mean(1.0, 1.0) }), 23);
    assert_eq!(per_arm(&mean(1.0, 0.2)), 394);
    // Unpooled shares: (1.959964 + 0.841621)² (0.10 · 0.90 + 0.12 · 0.88) / 0.02² = 3839.0 by hand, t adds 1.
    let share = PowerPlan::new(MetricPlan::Proportion { baseline: 0.1 }, Effect::Absolute(0.02));
    assert!((3838..=3841).contains(&per_arm(&share)), "{}", per_arm(&share));
    // One-sided at 5 %, nothing expected, margin of a fifth of a deviation: (1.644854 + 0.841621)² · 2 / 0.04 = 309.1.
    let margin = PowerPlan { margin: Some(0.2), effect: Effect::Absolute(0.0), ..mean(1.0, 0.0) };
    assert!((310..=311).contains(&per_arm(&margin)), "{}", per_arm(&margin));
}

#[test]
fn designs_change_sizes_as_theory_says() {
    let base = mean(5.0, 0.2);
    let n = per_arm(&base) as f64;
    let ratio = |plan: &PowerPlan| per_arm(plan) as f64 / n;
    assert!((ratio(&PowerPlan { cuped_correlation: 0.6, ..base.clone() }) - 0.64).abs() < 1e-3);
    let clusters = Clusters { size: 20.0, icc: 0.05, size_cv: 0.0 };
    let clustered = PowerPlan { clusters: Some(clusters), ..base.clone() };
    assert!((ratio(&clustered) - 1.95).abs() < 0.01, "{}", ratio(&clustered));
    assert_eq!(clustered.sample_size().expect("a size").arms[0].clusters.map(|c| c * 20), Some(per_arm(&clustered)));
    // O'Brien–Fleming spending at five looks lengthens by about 1.028 (Jennison, Turnbull 2000, table 7.2 is for ρ-family).
    let looks =
        Looks::Group { looks: (1..=5).map(|i| f64::from(i) / 5.0).collect(), spending: Spending::ObrienFleming };
    let group = PowerPlan { looks, ..base.clone() }.sample_size().expect("a size");
    assert!((group.inflation - 1.03).abs() < 0.01, "{}", group.inflation);
    assert!(group.expected_n.expect("group") < base.sample_size().expect("a size").n_total as f64);
    let sequence = PowerPlan { looks: Looks::ConfidenceSequence { tuned_for: None }, ..base.clone() };
    let c: f64 = 3.0266;
    assert!((ratio(&sequence) - ((c + 0.8416) / 2.8016).powi(2)).abs() < 0.01, "{}", ratio(&sequence));
    // Four treatments: α / 4 each; the square root rule needs fewer in all than equal arms.
    let four = PowerPlan { treatments: 4, ..base };
    let root = PowerPlan { allocation: Allocation::SquareRoot, ..four.clone() };
    let (equal, root) = (four.sample_size().expect("a size"), root.sample_size().expect("a size"));
    assert!((equal.alpha - 0.0125).abs() < 1e-15 && root.n_total < equal.n_total);
    assert!((root.arms[0].n as f64 / root.arms[1].n as f64 - 2.0).abs() < 0.01);
}

#[test]
fn size_power_and_detectable_effect_agree() {
    let metrics = [
        (MetricPlan::Mean { baseline: 4.0, sd: 9.0 }, 0.3),
        (MetricPlan::Proportion { baseline: 0.07 }, -0.01),
        (MetricPlan::Ratio { baseline: 0.4, sd: 2.0 }, 0.05),
    ];
    for (metric, effect) in metrics {
        for effect in [Effect::Absolute(effect), Effect::Relative(effect)] {
            for looks in [
                Looks::Fixed,
                Looks::ConfidenceSequence { tuned_for: Some(5000.0) },
                Looks::Group { looks: vec![0.3, 1.0], spending: Spending::Pocock },
            ] {
                for margin in [None, Some(0.02)] {
                    let plan = PowerPlan { looks: looks.clone(), margin, ..PowerPlan::new(metric, effect) };
                    let Ok(answer) = plan.sample_size() else {
                        assert!(margin.is_some() && plan.stated() <= -0.01, "{plan:?}");
                        continue;
                    };
                    assert!(answer.power >= 0.8 && answer.power < 0.83, "{plan:?} {}", answer.power);
                    let gap = |e: f64| e + margin.unwrap_or(0.0);
                    let relative = gap(answer.minimum_detectable) / gap(plan.stated());
                    assert!(relative <= 1.0 + 1e-6 && relative > 0.93, "{plan:?} {answer:?}");
                    let n: Vec<u64> = answer.arms.iter().map(|a| a.n).collect();
                    assert_eq!(plan.with_units(&n).expect("units").power, answer.power);
                }
            }
        }
    }
}

#[test]
fn the_contract_gives_the_same_power() {
    let answer = mean(5.0, 0.2).sample_size().expect("a size");
    let contract = answer.expected_reading.power(0.2).expect("wald");
    assert!((contract - answer.power).abs() < 1e-4, "{contract} {}", answer.power);
    let detectable = answer.expected_reading.minimum_detectable(0.8).expect("wald");
    assert!((detectable / answer.minimum_detectable - 1.0).abs() < 1e-3);
}

#[test]
fn impossible_questions_say_what_to_do() {
    let base = mean(1.0, 0.2);
    let bad = [
        (PowerPlan { power: 1.0, ..base.clone() }, "TL339"),
        (PowerPlan { treatments: 0, ..base.clone() }, "TL339"),
        (PowerPlan { cuped_correlation: 1.0, ..base.clone() }, "TL339"),
        (PowerPlan { margin: Some(-1.0), ..base.clone() }, "TL339"),
        (PowerPlan { clusters: Some(Clusters { size: 0.0, icc: 0.1, size_cv: 0.0 }), ..base.clone() }, "TL339"),
        (PowerPlan { allocation: Allocation::Weights(vec![1.0]), ..base.clone() }, "TL339"),
        (mean(0.0, 0.2), "TL339"),
        (mean(f64::NAN, 0.2), "TL339"),
        (mean(1.0, 0.0), "TL340"),
        (mean(1.0, f64::NAN), "TL340"),
        (mean(1.0, 1e-9), "TL340"),
        (PowerPlan { margin: Some(0.1), ..mean(1.0, -0.2) }, "TL340"),
        (PowerPlan::new(MetricPlan::Proportion { baseline: 0.9 }, Effect::Absolute(0.2)), "TL340"),
        (PowerPlan::new(MetricPlan::Proportion { baseline: 1.0 }, Effect::Absolute(-0.2)), "TL339"),
        (PowerPlan::new(MetricPlan::Mean { baseline: 0.0, sd: 1.0 }, Effect::Relative(0.1)), "TL339"),
    ];
    for (plan, expected) in bad {
        match plan.sample_size() {
            Err(EvidenceError::Data { code, help, .. }) => {
                assert!(code == expected && !help.is_empty(), "{plan:?} {code}");
            }
            other => panic!("{plan:?}: {other:?}"),
        }
    }
    assert!(mean(1.0, 0.2).with_units(&[10]).is_err() && mean(1.0, 0.2).with_units(&[10, 1]).is_err());
    assert!(Level::new(1.5).is_err());
}
