//! What arrives, and what must not.

use throughline_activate::{ActivateError, Prior};
use throughline_core::{IdentifierKind, Purpose};

use crate::world::{Decision, Result, World, crm, destination};

#[tokio::test]
async fn decisions_arrive_with_envelope_receipts_and_one_opening() -> Result<()> {
    let mut world = World::new().await?;
    let people = world.people(5).await?;
    let mut decisions: Vec<Decision> = people.iter().map(|p| Decision::about(*p)).collect();
    decisions[4].action = "none";
    let decisions = world.decide(&decisions).await?;
    let route = world.route(&crm());
    let plan = world.plan(&route, &decisions, &Prior::none()).await?;
    assert_eq!((plan.fates.to_send, plan.fates.suppressed.get("filtered"), plan.has_changes()), (4, Some(&1), true));
    assert!(!world.drop_path().exists() && world.vault.stats().await?.openings == 0, "planning leaves no trace");
    let report = world.deliver(&route, &decisions).await?;
    assert_eq!((report.batches_sent, report.batches_found, &report.fates), (1, 0, &plan.fates));
    assert_eq!(report.openings.len(), 1);
    let opening = &report.openings[0];
    let seen = (opening.purpose, opening.actor.as_str(), opening.requested, opening.opened);
    assert_eq!(seen, (Purpose::Messaging.into(), "activate/crm_export", 4, 4));

    let dropped = world.drop_folder()?;
    let (envelope, payload) = &dropped[&plan.batches[0].batch_id];
    let mut sorted = people[..4].to_vec();
    sorted.sort_unstable();
    let email = |p| people.iter().position(|q| q == p).map(|i| format!("p{i}@example.com,mail,1.5\n"));
    let expect: String = sorted.iter().filter_map(email).collect();
    assert_eq!(String::from_utf8(payload.clone())?, format!("email,action,value\n{expect}"));
    assert_eq!((envelope.rows, envelope.contract_version.as_str(), envelope.created_at), (4, "1.0.0", world.now));
    assert_eq!(envelope.bytes, payload.len() as u64);
    let receipts = world.receipts().await?;
    let steps: Vec<&str> = receipts.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(steps, ["planned", "exported", "accepted"]);
    assert!(receipts[2].contains("digest verified"), "{receipts:?}");
    assert!(receipts[2].contains(&envelope.sha256) && receipts[0].contains(&envelope.rows_sha256));
    Ok(())
}

#[tokio::test]
async fn sending_again_changes_nothing() -> Result<()> {
    let mut world = World::new().await?;
    let people = world.people(4).await?;
    let decisions: Vec<Decision> = people.iter().map(|p| Decision::about(*p)).collect();
    let decisions = world.decide(&decisions).await?;
    let route = world.route(&crm());
    world.deliver(&route, &decisions).await?;
    let (first, receipts) = (world.drop_folder()?, world.receipts().await?);
    let written = |world: &World| -> Result<_> {
        let folder = std::fs::read_dir(world.drop_path())?.next().ok_or("no batch")??.path();
        Ok((folder.join("data.csv").metadata()?.modified()?, folder.join("envelope.json").metadata()?.modified()?))
    };
    let times = written(&world)?;
    world.now = world.now.plus_micros(1_000_000);
    let report = world.deliver(&route, &decisions).await?;
    assert_eq!((report.batches_sent, report.batches_found, report.openings.len()), (0, 1, 0));
    assert!(!world.plan(&route, &decisions, &Prior::none()).await?.has_changes());
    assert_eq!((world.drop_folder()?, world.receipts().await?, written(&world)?), (first, receipts, times));
    assert_eq!(world.vault.stats().await?.openings, 1);
    Ok(())
}

#[tokio::test]
async fn another_payload_under_the_same_key_is_an_error() -> Result<()> {
    let mut world = World::new().await?;
    let people = world.people(3).await?;
    let decisions: Vec<Decision> = people.iter().map(|p| Decision::about(*p)).collect();
    let decisions = world.decide(&decisions).await?;
    let route = world.route(&crm());
    let report = world.deliver(&route, &decisions).await?;
    let folder = world.drop_path().join(&report.batches[0].batch_id);
    let envelope = std::fs::read_to_string(folder.join("envelope.json"))?;
    let check = async |from: &str, to: &str, what: &str| -> Result<()> {
        assert!(envelope.contains(from), "{from}");
        std::fs::write(folder.join("envelope.json"), envelope.replace(from, to))?;
        let refused = world.plan(&route, &decisions, &Prior::none()).await.expect_err("altered");
        let found = refused.downcast_ref::<ActivateError>();
        assert!(matches!(found, Some(ActivateError::OtherPayload { what: w, .. }) if *w == what), "{refused:?}");
        Ok(())
    };
    check("\"rows\": 3", "\"rows\": 2", "number of rows").await?;
    check(&report.batches[0].rows_sha256, "0", "digest of rows").await?;
    check(&report.batches[0].idempotency_key, "0", "idempotency key").await?;
    let payload = std::fs::read_to_string(folder.join("data.csv"))?;
    std::fs::write(folder.join("data.csv"), payload.replacen("p0@", "p9@", 1))?;
    check("crm_export", "crm_export", "payload digest").await?;
    std::fs::write(folder.join("data.csv"), "email,action,value\n")?;
    check("crm_export", "crm_export", "payload size").await?;
    // A payload that the receiver took away is no reason to send it again.
    std::fs::remove_file(folder.join("data.csv"))?;
    let report = world.deliver(&route, &decisions).await?;
    assert_eq!((report.batches_sent, report.batches_found), (0, 1));
    assert!(world.receipts().await?[2].contains("payload collected by the receiver"));
    Ok(())
}

/// One person with one decision: status and reason.
async fn fate(change: impl FnOnce(&mut World, &mut Decision)) -> Result<(String, Option<String>)> {
    let mut world = World::new().await?;
    let people = world.people(2).await?;
    let mut decision = Decision::about(people[0]);
    change(&mut world, &mut decision);
    let decisions = world.decide(&[decision.clone(), Decision::about(people[1])]).await?;
    let route = world.route(&crm());
    world.deliver(&route, &decisions).await?;
    let rows: u64 = world.drop_folder()?.values().map(|(envelope, _)| envelope.rows).sum();
    let fates = world.fates().await?;
    let (status, reason, batch) = fates[&decision.entity.to_string()][0].clone();
    assert_eq!(rows, if status == "sent" { 2 } else { 1 });
    assert_eq!(status == "sent", !batch.is_empty());
    Ok((status, reason))
}

#[tokio::test]
async fn rows_that_must_not_leave_do_not() -> Result<()> {
    let suppressed = |reason: &str| ("suppressed".to_owned(), Some(reason.to_owned()));
    assert_eq!(fate(|_, _| ()).await?, ("sent".to_owned(), None));
    assert_eq!(fate(|_, d| d.action = "none").await?, suppressed("filtered"));
    assert_eq!(fate(|_, d| d.arm = "holdout").await?, suppressed("holdout"));
    assert_eq!(fate(|_, d| d.arm = "shadow").await?, suppressed("not_live"));
    assert_eq!(fate(|_, d| d.expires_in_days = -1).await?, suppressed("stale"));
    assert_eq!(fate(|_, d| d.expires_in_days = 0).await?, suppressed("stale"));
    assert_eq!(fate(|_, d| d.consent = "unknown").await?, suppressed("no_consent"));
    assert_eq!(fate(|_, d| d.consent = "advertising=granted").await?, suppressed("no_consent"));
    assert_eq!(fate(|_, d| d.consent = "a mistake").await?, suppressed("no_consent"));
    // Granted when decided, withdrawn before sending; and the other way round.
    assert_eq!(fate(|world, d| world.withdraw(d.entity)).await?, suppressed("no_consent"));
    let granted = |world: &mut World, d: &mut Decision| {
        d.consent = "unknown";
        world.people.set_consent(d.entity, "granted".parse().expect("a consent"));
    };
    assert_eq!(fate(granted).await?, ("sent".to_owned(), None));
    Ok(())
}

#[tokio::test]
async fn what_consent_removed_is_counted_with_its_reason() -> Result<()> {
    let mut world = World::new().await?;
    let people = world.people(6).await?;
    let mut decisions: Vec<Decision> = people.iter().map(|p| Decision::about(*p)).collect();
    decisions[1].consent = "unknown";
    decisions[2].consent = "messaging=denied";
    world.withdraw(people[3]);
    decisions[4].action = "none";
    decisions[4].consent = "messaging=denied";
    let decisions = world.decide(&decisions).await?;
    let report = world.deliver(&world.route(&crm()), &decisions).await?;
    let [removed] = &report.removed_by_consent[..] else { panic!("{:?}", report.removed_by_consent) };
    assert_eq!((removed.what.as_str(), removed.purpose), ("decisions", throughline_core::Purpose::Messaging));
    // The fifth was filtered before consent was asked for.
    assert_eq!((removed.considered, removed.unknown, removed.denied, removed.withdrawn), (5, 1, 1, 1));
    assert_eq!(report.fates.suppressed.get("no_consent"), Some(&removed.removed()));
    Ok(())
}

#[tokio::test]
async fn rows_without_the_wanted_identifier_are_rejected_not_lost() -> Result<()> {
    let mut world = World::new().await?;
    let mut people = world.people(2).await?;
    people.push(world.person(IdentifierKind::Phone, "+4930123").await?);
    people.push(throughline_core::PersonId([9; 16]));
    let erased = world.person(IdentifierKind::Email, "gone@example.com").await?;
    people.push(erased);
    let tokens = throughline_activate::People::tokens(&world.people, &erased.to_string());
    world.vault.erase(&tokens, world.now).await?;
    let decisions: Vec<Decision> = people.iter().map(|p| Decision::about(*p)).collect();
    let decisions = world.decide(&decisions).await?;
    let report = world.deliver(&world.route(&crm()), &decisions).await?;
    assert_eq!((report.fates.to_send, report.fates.rejected.get("no_identifier")), (2, Some(&3)));
    let fates = world.fates().await?;
    for person in &people[2..] {
        assert_eq!(fates[&person.to_string()][0].0, "rejected");
    }
    Ok(())
}

#[tokio::test]
async fn only_the_cycle_is_delivered_and_an_entity_once() -> Result<()> {
    let mut world = World::new().await?;
    let people = world.people(2).await?;
    let mut old = Decision::about(people[0]);
    old.cycle = "2026-03-09";
    let twice = Decision::about(people[1]);
    let decisions = world.decide(&[old, Decision::about(people[0]), twice.clone(), twice]).await?;
    let report = world.deliver(&world.route(&crm()), &decisions).await?;
    assert_eq!((report.fates.decisions, report.fates.to_send), (3, 2));
    assert_eq!(report.fates.rejected.get("duplicate"), Some(&1));
    Ok(())
}

#[tokio::test]
async fn without_an_identifier_the_vault_stays_closed() -> Result<()> {
    let mut world = World::new().await?;
    let decisions: Vec<Decision> = (0..3).map(|i| Decision::about(throughline_core::PersonId([i; 16]))).collect();
    let decisions = world.decide(&decisions).await?;
    let yaml = destination("format: csv", "id: entity_id").replace("identifier: email\n", "");
    let report = world.deliver(&world.route(&yaml), &decisions).await?;
    assert_eq!((report.fates.to_send, report.openings.len()), (3, 0));
    assert_eq!(world.vault.stats().await?.openings, 0);
    Ok(())
}

#[tokio::test]
async fn a_plan_that_no_longer_holds_is_refused_before_anything_leaves() -> Result<()> {
    let mut world = World::new().await?;
    let people = world.people(3).await?;
    let decisions: Vec<Decision> = people.iter().map(|p| Decision::about(*p)).collect();
    let decisions = world.decide(&decisions).await?;
    let route = world.route(&crm());
    let plan = world.plan(&route, &decisions, &Prior::none()).await?;
    let saved = serde_json::from_str(&serde_json::to_string(&plan)?)?;
    assert_eq!(plan, saved);
    world.withdraw(people[1]);
    let refused = world.send(&route, &decisions, &Prior::none(), &saved).await.expect_err("stale");
    assert!(matches!(refused, ActivateError::StalePlan { what: "key of a batch", .. }), "{refused:?}");
    let other = world.route(&crm().replace("action: action", "action: arm"));
    let refused = world.send(&other, &decisions, &Prior::none(), &saved).await.expect_err("stale");
    assert!(matches!(refused, ActivateError::StalePlan { what: "mapping", .. }), "{refused:?}");
    assert!(!world.drop_path().exists());
    Ok(())
}

#[tokio::test]
async fn cells_cannot_run_in_a_spreadsheet() -> Result<()> {
    let mut world = World::new().await?;
    let person = world.person(IdentifierKind::Email, "=cmd|' /c calc'!a0@example.com").await?;
    let mut decision = Decision::about(person);
    decision.value_micros = Some(-250_000);
    let decisions = world.decide(&[decision]).await?;
    let fields = "email: identifier, value: expected_net_value, note: \"'+1'\", formula: \"'a=1'\"";
    world.deliver(&world.route(&destination("format: csv", fields)), &decisions).await?;
    let payload = world.drop_folder()?.into_values().next().ok_or("no batch")?.1;
    let expect = "email,value,note,formula\n'=cmd|' /c calc'!a0@example.com,-0.25,'+1,a=1\n";
    assert_eq!(String::from_utf8(payload)?, expect);
    Ok(())
}
