//! Runs by the clock, and runs that approvals wait for.

use std::time::Duration;

use serde_json::{Value, json};
use throughline_govern::{Approval, Facts, NewApproval, PolicyFacts, Requirement};
use throughline_run::approvals;
use throughline_server::ServerConfig;

use crate::Outcome;
use crate::house::{Client, House};

const SCHEDULES: &str = "apiVersion: throughline/v1
kind: Project
name: small
currency: EUR
as_of: 2026-03-01T00:00:00Z
conversions:
  - { name: purchase, kind: purchase }
schedule:
  - { name: nightly, every_minutes: 1440 }
  - { name: hourly, every_minutes: 60, jitter_minutes: 5, from: attribute }
";

/// Who asked for the runs so far, oldest first, once there are `count` and none is at work.
async fn runs(client: &Client, count: usize) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    for _ in 0..600 {
        let asked = client.get("/api/v1/audit?kind=run_requested&limit=500").await?.json()?;
        let current = client.get("/api/v1/runs/current").await?.json()?;
        let items: Vec<Value> = asked["items"].as_array().cloned().unwrap_or_default();
        if items.len() >= count && current["status"] != "running" {
            assert_eq!(current["status"], "succeeded", "{current}");
            let names = items.iter().rev().map(|i| i["actor"].as_str().unwrap_or_default().to_owned());
            return Ok(names.collect());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(format!("{count} runs did not come").into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frequent_schedule_does_not_put_off_a_rare_one() -> Outcome {
    let house = House::with(ServerConfig::default(), &[("throughline.yaml", SCHEDULES)]).await?;
    let admin = house.admin().await?;
    let nightly = "schedule `nightly`".to_owned();
    let hourly = "schedule `hourly`".to_owned();
    assert_eq!(
        runs(&admin, 1).await?,
        std::slice::from_ref(&nightly),
        "a project without a run is due, and a full run serves both"
    );
    let line = admin.get("/api/v1/line").await?.json()?;
    assert!(line["next_run_at"].as_str().is_some_and(|at| at > "2026-05-28T21:26"), "{}", line["next_run_at"]);

    // Past the hour and its jitter.
    house.pass_hours(2);
    assert_eq!(runs(&admin, 2).await?, [nightly.clone(), hourly.clone()]);
    house.pass_hours(21);
    assert_eq!(runs(&admin, 3).await?, [nightly.clone(), hourly.clone(), hourly.clone()]);
    house.pass_hours(1);
    // The first token was good for a day.
    let admin = house.token_of("admin").await?;
    assert_eq!(runs(&admin, 4).await?[3], nightly, "24 hours after its own last run, whatever ran since");
    // The full run served the hourly one too: nothing more is due.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(runs(&admin, 4).await?.len(), 4);

    let list = admin.get("/api/v1/runs").await?.json()?;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(4), "{list}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_does_not_begin_a_run() -> Outcome {
    let house = House::with(ServerConfig::default(), &[("throughline.yaml", SCHEDULES)]).await?;
    let admin = house.admin().await?;
    runs(&admin, 1).await?;
    let dir = house.close().await?;
    let again = House::over(dir, ServerConfig::default()).await?;
    let admin = again.token_of("admin").await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let asked = admin.get("/api/v1/audit?kind=run_requested").await?.json()?;
    assert_eq!(asked["items"].as_array().map(Vec::len), Some(1), "{asked}");
    again.pass_hours(2);
    let mut seen = json!(null);
    for _ in 0..200 {
        seen = admin.get("/api/v1/audit?kind=run_requested").await?.json()?;
        if seen["items"].as_array().is_some_and(|i| i.len() == 2) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(format!("the hourly run did not come: {seen}").into())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_approved_during_a_run_is_carried_out_by_another() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    let approver = house.user(&admin, "ada", &["approver"], &[]).await?;
    let approval = Approval::request(NewApproval {
        id: "a1".into(),
        title: "mail in spring".into(),
        subject: "spring".into(),
        subject_version: "1".into(),
        by: "somebody".into(),
        at: house.app.now(),
        reason: "it pays".into(),
        before: json!(null),
        after: json!({}),
        facts: Facts::Policy(PolicyFacts { policy: "spring".into(), ..PolicyFacts::default() }),
        requirement: Requirement::default(),
    })?;
    approvals::add(house.app.ledger(), &approval, "somebody", house.app.now()).await?;
    assert_eq!(admin.post("/api/v1/runs", json!({})).await?.status, 202);
    let vote = json!({ "vote": "approve", "revision": 1, "reason": null, "as": null });
    let answer = approver.post("/api/v1/approvals/a1/votes", vote).await?;
    assert_eq!((answer.status, answer.json()?["state"].clone()), (200, json!("approved")), "{}", answer.body);
    assert_eq!(admin.get("/api/v1/runs/current").await?.json()?["requested_by"], "admin", "the run is still at work");
    assert_eq!(runs(&admin, 2).await?, ["admin", "approval a1"]);
    // No such policy proposes anything here, so the request stays approved; the next start finds it again.
    let again = House::over(house.close().await?, ServerConfig::default()).await?;
    let admin = again.token_of("admin").await?;
    assert_eq!(runs(&admin, 3).await?, ["admin", "approval a1", "approval a1"]);
    Ok(())
}
