//! Whatever the decisions are: every row has one fate, the right one, and only the rows to be sent arrive.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use throughline_core::{IdentifierKind, PersonId};

use crate::world::{Decision, Result, World, destination};

#[derive(Debug, Clone)]
struct Case {
    arm: &'static str,
    action: &'static str,
    consent: &'static str,
    withdrawn: bool,
    expires_in_days: i64,
    email: bool,
}

fn case() -> impl Strategy<Value = Case> {
    let pick = |values: &'static [&'static str]| proptest::sample::select(values);
    (
        pick(&["policy", "policy", "policy", "canary", "holdout", "shadow"]),
        pick(&["mail", "mail", "none"]),
        pick(&["granted", "messaging=granted", "unknown", "denied"]),
        proptest::bool::weighted(0.1),
        -1..4_i64,
        proptest::bool::weighted(0.8),
    )
        .prop_map(|(arm, action, consent, withdrawn, expires_in_days, email)| Case {
            arm,
            action,
            consent,
            withdrawn,
            expires_in_days,
            email,
        })
}

/// The rules of the README, written once more.
fn expected(case: &Case) -> (&'static str, Option<&'static str>) {
    if case.arm == "holdout" {
        ("suppressed", Some("holdout"))
    } else if case.arm == "shadow" {
        ("suppressed", Some("not_live"))
    } else if case.action == "none" {
        ("suppressed", Some("filtered"))
    } else if case.expires_in_days <= 0 {
        ("suppressed", Some("stale"))
    } else if case.withdrawn || !case.consent.contains("granted") {
        ("suppressed", Some("no_consent"))
    } else if !case.email {
        ("rejected", Some("no_identifier"))
    } else {
        ("sent", None)
    }
}

async fn run(cases: &[Case], batch_rows: usize) -> Result<()> {
    let mut world = World::new().await?;
    let mut decisions = Vec::new();
    let mut of: BTreeMap<PersonId, (usize, &Case)> = BTreeMap::new();
    for (i, case) in cases.iter().enumerate() {
        let kind = if case.email { IdentifierKind::Email } else { IdentifierKind::Crm };
        let person = world.person(kind, &format!("p{i}@example.com")).await?;
        if case.withdrawn {
            world.withdraw(person);
        }
        let Case { arm, action, consent, expires_in_days, .. } = *case;
        decisions.push(Decision { action, arm, consent, expires_in_days, ..Decision::about(person) });
        of.insert(person, (i, case));
    }
    let table = world.decide(&decisions).await?;
    let route = world.route(&destination(&format!("format: csv, batch_rows: {batch_rows}"), "email: identifier"));
    let report = world.deliver(&route, &table).await?;
    let fates = world.fates().await?;
    assert_eq!(fates.len(), cases.len());
    let dropped = world.drop_folder()?;
    let mut arrived: BTreeSet<String> = BTreeSet::new();
    for (id, (envelope, payload)) in &dropped {
        let rows: Vec<String> = String::from_utf8(payload.clone())?.lines().skip(1).map(str::to_owned).collect();
        assert!(rows.len() as u64 == envelope.rows && rows.len() <= batch_rows, "{id}");
        for row in rows {
            assert!(arrived.insert(row.clone()), "{row} arrived twice");
        }
    }
    let mut to_send = 0;
    for (person, (i, case)) in &of {
        let rows = &fates[&person.to_string()];
        let (status, reason) = expected(case);
        let got = (rows[0].0.as_str(), rows[0].1.as_deref());
        assert!(rows.len() == 1 && got == (status, reason), "{case:?}: {rows:?}");
        assert_eq!(arrived.contains(&format!("p{i}@example.com")), status == "sent", "{case:?}");
        assert_eq!(dropped.contains_key(&rows[0].2), status == "sent", "{case:?}");
        to_send += u64::from(status == "sent");
    }
    let fates = &report.fates;
    assert_eq!((fates.to_send, fates.decisions, fates.accounted()), (to_send, cases.len() as u64, cases.len() as u64));
    assert_eq!(dropped.len() as u64, to_send.div_ceil(batch_rows as u64));
    assert_eq!(world.receipts().await?.len(), 3 * dropped.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_decision_has_exactly_one_fate(cases in proptest::collection::vec(case(), 0..40), batch_rows in 1..20_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let done = runtime.block_on(run(&cases, batch_rows));
        prop_assert!(done.is_ok(), "{done:?}");
    }
}
