//! The rules of the evidence ledger.

use std::error::Error;
use std::slice::from_ref;

use throughline_core::{Diagnostic, Estimate, EvidenceTier, Level, Timestamp};
use throughline_evidence::{
    About, Accumulator, Contrast, Design, Estimand, EvidenceError, EvidenceRecord, ExperimentSpec, Health, Kept,
    MetricKind, Note, NoteKind, Question, Reason, Report, Requirement, Scope, Source, Standing, WantedEffect,
    conflicts, independent, weigh,
};

type Outcome = Result<(), Box<dyn Error>>;

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn about(id: &str, design: Design) -> About {
    About {
        id: id.into(),
        source: Source { name: id.split('/').next().unwrap_or_default().into(), data: None },
        estimand: Estimand {
            metric: "sales".into(),
            treatment: "mail".into(),
            control: "none".into(),
            contrast: Contrast::Absolute,
        },
        scope: Scope {
            action: "mail".into(),
            segment: None,
            geo: None,
            period_start: at("2026-01-01"),
            period_end: at("2026-02-01"),
        },
        design,
        expires_at: None,
    }
}

fn kept(about: About, value: f64, std_error: f64, diagnostics: Vec<Diagnostic>) -> Kept {
    let tier = about.design.tier();
    let estimate = Estimate::wald(value, std_error, None, 1000, Level::P95, "test").expect("finite");
    let mut report = Report::new("test", tier, estimate);
    report.diagnostics = diagnostics;
    let record = EvidenceRecord::from_report(about, report).expect("a record");
    Kept { record, recorded_at: at("2026-02-02"), notes: Vec::new() }
}

fn note(kind: NoteKind) -> Note {
    Note { kind, by: "ada".into(), at: at("2026-02-03"), text: "looked at it".into() }
}

fn question() -> Question {
    Question { action: "mail".into(), metric: Some("sales".into()), segment: None, geo: None, at: at("2026-03-01") }
}

const SHOWN: Requirement = Requirement { tier: 2, effect: WantedEffect::Positive };

#[test]
fn a_failed_test_does_not_outrank_a_sound_quasi_experiment() {
    let broken = Diagnostic::error("TL301", "sample ratio mismatch");
    let test = kept(about("test/1", Design::RandomisedExperiment), 5.0, 1.0, vec![broken]);
    assert_eq!((test.record.health, test.record.tier), (Health::Suspect, EvidenceTier::Associational));
    let mut geo = kept(about("geo/1", Design::SyntheticControl), 2.0, 0.5, Vec::new());
    geo.notes.push(note(NoteKind::Approved));
    let verdict = weigh(&[test.clone(), geo.clone()], &question(), SHOWN);
    assert_eq!((verdict.passes, verdict.best.as_deref(), verdict.tier.number()), (true, Some("geo/1"), 2));
    assert_eq!(verdict.others, [("test/1".into(), Reason::NotStanding(Standing::Suspect))]);
    // A healthy test of another segment does not answer for everybody either.
    let mut narrow = about("test/2", Design::RandomisedExperiment);
    narrow.scope.segment = Some("loyal".into());
    let narrow = kept(narrow, 5.0, 1.0, Vec::new());
    let verdict = weigh(&[narrow, geo], &question(), SHOWN);
    assert_eq!(verdict.best.as_deref(), Some("geo/1"));
    assert_eq!(verdict.others, [("test/2".into(), Reason::WrongScope)]);
}

#[test]
fn closer_scope_and_later_periods_come_first_within_a_tier() {
    let everybody = kept(about("all/1", Design::RandomisedExperiment), 1.0, 0.1, Vec::new());
    let mut of_part = about("part/1", Design::RandomisedExperiment);
    of_part.scope.segment = Some("loyal".into());
    let of_part = kept(of_part, 1.0, 0.1, Vec::new());
    let mut ask = question();
    ask.segment = Some("loyal".into());
    let both = [everybody.clone(), of_part];
    assert_eq!(weigh(&both, &ask, SHOWN).best.as_deref(), Some("part/1"));
    ask.segment = Some("new".into());
    assert_eq!(weigh(&both, &ask, SHOWN).best.as_deref(), Some("all/1"));
    let mut later = about("all/2", Design::RandomisedExperiment);
    later.scope.period_end = at("2026-02-20");
    let later = kept(later, 1.1, 0.1, Vec::new());
    assert_eq!(everybody.standing(&[everybody.clone(), later.clone()], at("2026-03-01")), Standing::Superseded);
    assert_eq!(everybody.standing(&[everybody.clone(), later.clone()], at("2026-02-10")), Standing::Standing);
    assert_eq!(later.standing(&[everybody, later.clone()], at("2026-02-10")), Standing::NotYet);
}

#[test]
fn what_is_retired_expired_or_unapproved_does_not_decide() {
    let ask = question();
    let mut quasi = kept(about("did/1", Design::DifferenceInDifferences), 2.0, 0.5, Vec::new());
    assert_eq!(quasi.standing(&[], ask.at), Standing::Unapproved);
    let verdict = weigh(from_ref(&quasi), &ask, SHOWN);
    assert!(!verdict.passes && verdict.best.is_none() && verdict.tier == EvidenceTier::Associational, "{verdict:?}");
    quasi.notes.push(note(NoteKind::Approved));
    assert!(weigh(from_ref(&quasi), &ask, SHOWN).passes);
    assert_eq!(quasi.approval().map(|n| n.by.as_str()), Some("ada"));
    quasi.record.expires_at = Some(at("2026-02-15"));
    assert_eq!(quasi.standing(&[], ask.at), Standing::Expired);
    quasi.notes.push(note(NoteKind::Retired));
    assert_eq!(quasi.standing(&[], ask.at), Standing::Retired);
}

#[test]
fn inconclusive_evidence_holds() {
    let weak = kept(about("test/1", Design::RandomisedExperiment), 0.5, 1.0, Vec::new());
    let verdict = weigh(from_ref(&weak), &question(), SHOWN);
    assert!(
        !verdict.passes && verdict.best.as_deref() == Some("test/1") && verdict.words.contains("hold"),
        "{verdict:?}"
    );
    let no_harm = Requirement { tier: 3, effect: WantedEffect::NotNegative };
    assert!(weigh(from_ref(&weak), &question(), no_harm).passes);
    let higher = Requirement { tier: 4, effect: WantedEffect::Any };
    assert!(!weigh(from_ref(&weak), &question(), higher).passes);
    assert!(weigh(&[], &question(), Requirement::default()).passes);
}

#[test]
fn conflicts_are_shown_with_the_higher_tier_first() {
    let test = kept(about("a_test/1", Design::RandomisedExperiment), -1.0, 0.3, Vec::new());
    let quasi = kept(about("did/1", Design::DifferenceInDifferences), 2.0, 0.4, Vec::new());
    let agrees = kept(about("zest/1", Design::RandomisedExperiment), -1.2, 0.3, Vec::new());
    let found = conflicts(&[quasi, agrees, test], at("2026-03-01"));
    let pairs: Vec<_> = found.iter().map(|c| (c.first.as_str(), c.second.as_str(), c.opposed)).collect();
    assert_eq!(pairs, [("a_test/1", "did/1", true), ("zest/1", "did/1", true)]);
    assert!((found[0].difference + 3.0).abs() < 1e-12 && found[0].p_value.is_some_and(|p| p < 1e-8));
}

#[test]
fn one_experiment_is_not_counted_twice() {
    let record = |id: &str, metric: &str, segment: Option<&str>| {
        let mut a = about(id, Design::RandomisedExperiment);
        a.estimand.metric = metric.into();
        a.scope.segment = segment.map(Into::into);
        kept(a, 1.0, 0.2, Vec::new()).record
    };
    let (whole, part) = (record("test/1", "sales", None), record("test/2", "sales", Some("loyal")));
    let twice = EvidenceError::CountedTwice { first: "test/1".into(), second: "test/2".into() };
    assert_eq!(independent(&[&whole, &part]), Err(twice));
    let other = record("test/3", "sales", Some("new"));
    assert_eq!(
        independent(&[&part, &other, &record("test/4", "visits", None), &record("next/1", "sales", None)]),
        Ok(())
    );
}

#[test]
fn records_keep_what_the_reading_said() -> Outcome {
    let spec = ExperimentSpec::new(["a", "b"], "a").metric("m", MetricKind::Proportion);
    let mut seen = Accumulator::new(&spec)?;
    for (arm, failures) in [(0, 90), (1, 80)] {
        for unit in 0..100 {
            seen.observe(arm, &[Some(f64::from(u8::from(unit >= failures)))])?;
        }
    }
    let reading = seen.finish();
    let make = |contrast, end: &str| {
        let mut a = about("e1/m", Design::RandomisedExperiment);
        a.scope.period_end = at(end);
        EvidenceRecord::from_comparison(a, &reading, &reading.comparisons[0], contrast)
    };
    let record = make(Contrast::Absolute, "2026-02-01")?;
    assert_eq!(Some(&record.estimate), reading.comparisons[0].estimate.as_ref());
    assert_eq!((record.tier, record.health), (EvidenceTier::Randomised, Health::Healthy));
    assert!((make(Contrast::Relative, "2026-02-01")?.estimate.value - 1.0).abs() < 1e-12);
    let back: EvidenceRecord = serde_json::from_str(&serde_json::to_string(&record)?)?;
    assert_eq!(back.estimand, record.estimand);
    assert!(matches!(make(Contrast::Absolute, "2025-01-01"), Err(EvidenceError::BadPeriod { .. })));
    let empty = Accumulator::new(&spec)?.finish();
    let none = EvidenceRecord::from_comparison(
        about("e2", Design::RandomisedExperiment),
        &empty,
        &empty.comparisons[0],
        Contrast::Absolute,
    );
    assert!(matches!(none, Err(EvidenceError::NoEstimate { .. })));
    Ok(())
}

#[test]
fn unbounded_sets_and_records_of_before_are_read() -> Outcome {
    let estimate = Estimate::ranked(2.0, &[0.5, -1.0], 3, Level::P95, "placebo")?;
    let record = EvidenceRecord::from_report(
        about("sc/1", Design::SyntheticControl),
        Report::new("sc", EvidenceTier::QuasiExperiment, estimate),
    )?;
    let mut value = serde_json::to_value(&record)?;
    assert_eq!(value["estimate"]["set"], serde_json::json!([[null, null]]));
    value.as_object_mut().expect("an object").remove("source");
    let back: EvidenceRecord = serde_json::from_value(value)?;
    assert_eq!((back.source_name(), back.estimate.interval()), ("sc", (f64::NEG_INFINITY, f64::INFINITY)));
    Ok(())
}
