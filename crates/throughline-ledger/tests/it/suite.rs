//! What every repository must do, as functions of an empty one.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use serde_json::{Value, json};
use throughline_core::Timestamp;
use throughline_ledger::{
    AuditEntry, DeliveryStart, DeliveryStatus, Lease, LeaseRequest, LedgerError, NewArtefact, NewDelivery,
    NewEvidenceNote, NewRun, Publication, Published, Repository, RunStatus,
};

use crate::Outcome;

const TTL: Duration = Duration::from_mins(1);

/// The instant `seconds` after the beginning of the tests.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_770_000_000_000_000 + seconds * 1_000_000)
}

fn request(holder: &str, seconds: i64) -> LeaseRequest<'_> {
    LeaseRequest { holder, now: at(seconds), ttl: TTL, dead: None }
}

fn run(config_hash: &str, as_of: i64) -> NewRun<'_> {
    NewRun { as_of: at(as_of), config_hash, seed: u64::MAX, started_at: at(1) }
}

/// A repository with a lease and a run.
pub(crate) async fn begun(repository: &dyn Repository) -> Result<(u64, u64), LedgerError> {
    let fence = repository.acquire_lease(request("a", 0)).await?.fence;
    Ok((fence, repository.begin_run(fence, run("config", 0)).await?.run_seq))
}

/// A unit of `ingest` that wrote version `version` of `events`.
pub(crate) async fn publish(
    repository: &dyn Repository,
    (fence, run_seq): (u64, u64),
    unit: &str,
    version: u64,
) -> Result<Published, LedgerError> {
    let tables = [("events".to_owned(), version), ("quarantine".to_owned(), 0)];
    let publication = Publication {
        run_seq,
        stage: "ingest",
        unit,
        fingerprint: &format!("print-{unit}-{version}"),
        tables: &tables,
        metrics: &json!({ "rows": version }),
        now: at(2),
    };
    repository.publish(fence, publication).await
}

/// What the audit log recorded, in order.
async fn kinds(repository: &dyn Repository) -> Result<Vec<String>, LedgerError> {
    Ok(repository.audit_records(0, 1000).await?.into_iter().map(|r| r.kind).collect())
}

/// The outcome in one word, for table-like tests.
fn word<T>(result: &Result<T, LedgerError>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(LedgerError::Fenced { held, given }) => format!("fenced {held} {given}"),
        Err(LedgerError::LeaseHeld { holder, fence, .. }) => format!("held by {holder} {fence}"),
        Err(LedgerError::LeaseReleased { fence }) => format!("released {fence}"),
        Err(LedgerError::RunOver { status, .. }) => format!("over {status}"),
        Err(LedgerError::UnknownRun { run_seq }) => format!("unknown run {run_seq}"),
        Err(LedgerError::NotFinal { status }) => format!("not final {status}"),
        Err(LedgerError::Conflict { what, key }) => format!("conflict {what} {key}"),
        Err(LedgerError::UnknownDelivery { key }) => format!("unknown delivery {key}"),
        Err(LedgerError::Unknown { what, key }) => format!("unknown {what} {key}"),
        Err(LedgerError::DeliveryOver { status, .. }) => format!("over {status}"),
        Err(LedgerError::TooLarge { what, .. }) => format!("too large {what}"),
        Err(other) => format!("{other:?}"),
    }
}

pub(crate) async fn the_lease_passes_on_and_raises_its_fence(repository: &dyn Repository) -> Outcome {
    let acquire = |holder: &'static str, seconds, dead| async move {
        let granted = repository.acquire_lease(LeaseRequest { dead, ..request(holder, seconds) }).await;
        granted.as_ref().map_or_else(|_| word(&granted), |lease| format!("{} {}", lease.holder, lease.fence))
    };
    assert_eq!(repository.lease().await?, None);
    assert_eq!(acquire("a", 0, None).await, "a 1");
    assert_eq!(acquire("b", 59, None).await, "held by a 1");
    assert_eq!(acquire("a", 59, None).await, "held by a 1", "a holder of the same name is another one");
    assert_eq!(acquire("b", 60, None).await, "b 2", "expired");
    assert_eq!(acquire("c", 61, Some(1)).await, "held by b 2", "another lease was the dead one");
    assert_eq!(acquire("c", 61, Some(2)).await, "c 3");
    assert_eq!(repository.renew_lease(3, at(100), TTL).await?.expires_at, at(160));
    assert_eq!(acquire("d", 159, None).await, "held by c 3");
    repository.release_lease(3).await?;
    assert_eq!(repository.lease().await?, None);
    assert_eq!(acquire("d", 159, None).await, "d 4");
    let expect = Lease { fence: 4, holder: "d".into(), acquired_at: at(159), expires_at: at(219) };
    assert_eq!(repository.lease().await?, Some(expect));
    assert_eq!(kinds(repository).await?, ["lease_taken_over", "lease_taken_over"]);
    Ok(())
}

pub(crate) async fn every_steering_write_is_fenced(repository: &dyn Repository) -> Outcome {
    let old = begun(repository).await?;
    let fence = old.0;
    assert_eq!(repository.acquire_lease(request("b", 60)).await?.fence, 2);
    let attempts = async |expect: &str| {
        let nothing = json!({});
        let delivery = NewDelivery {
            idempotency_key: "k",
            destination: "d",
            digest: "x",
            row_count: 1,
            details: &nothing,
            now: at(3),
        };
        let done = DeliveryStatus::Delivered;
        assert_eq!(word(&repository.renew_lease(fence, at(3), TTL).await), expect);
        assert_eq!(word(&repository.release_lease(fence).await), expect);
        assert_eq!(word(&repository.begin_run(fence, run("config", 0)).await), expect);
        assert_eq!(word(&repository.resume_or_begin_run(fence, run("config", 0)).await), expect);
        assert_eq!(word(&repository.finish_run(fence, 1, RunStatus::Failed, at(3), &nothing).await), expect);
        assert_eq!(word(&publish(repository, old, "", 1).await), expect);
        assert_eq!(word(&repository.forget(fence, "ingest", at(3)).await), expect);
        assert_eq!(word(&repository.begin_delivery(fence, delivery).await), expect);
        assert_eq!(word(&repository.complete_delivery(fence, "k", done, &nothing, at(3)).await), expect);
    };
    attempts("fenced 2 1").await;
    repository.release_lease(2).await?;
    attempts("fenced 2 1").await;
    assert_eq!(word(&repository.begin_run(2, run("config", 0)).await), "released 2");
    assert!(repository.manifest().await?.is_empty());
    Ok(())
}

pub(crate) async fn an_expired_lease_writes_until_it_is_taken_over(repository: &dyn Repository) -> Outcome {
    let run = begun(repository).await?;
    assert_eq!(repository.renew_lease(run.0, at(500), TTL).await?.expires_at, at(560));
    assert_eq!(publish(repository, run, "", 1).await?, Published::Now);
    Ok(())
}

pub(crate) async fn a_killed_run_is_resumed_when_its_inputs_are_the_same(repository: &dyn Repository) -> Outcome {
    let mut fence = repository.acquire_lease(request("a", 0)).await?.fence;
    let first = repository.resume_or_begin_run(fence, run("config", 0)).await?;
    assert_eq!((first.run_seq, first.resumed, first.seed), (1, 0, u64::MAX));
    publish(repository, (fence, 1), "", 1).await?;

    fence = repository.acquire_lease(request("b", 90)).await?.fence;
    let again = repository.resume_or_begin_run(fence, NewRun { seed: 5, ..run("config", 0) }).await?;
    assert_eq!((again.run_seq, again.resumed, again.seed, again.fence), (1, 1, u64::MAX, 2));
    assert_eq!(repository.runs(10).await?, [again]);
    assert!(repository.fingerprint("ingest", "").await?.is_some(), "finished work stays finished");

    assert_eq!(repository.resume_or_begin_run(fence, run("other", 0)).await?.run_seq, 2);
    assert_eq!(repository.resume_or_begin_run(fence, run("other", 1)).await?.run_seq, 3);
    assert_eq!(repository.begin_run(fence, run("other", 1)).await?.run_seq, 4);
    repository.finish_run(fence, 4, RunStatus::Succeeded, at(9), &json!({ "rows": 3 })).await?;
    assert_eq!(repository.resume_or_begin_run(fence, run("other", 1)).await?.run_seq, 5);
    let statuses: Vec<_> = repository.runs(10).await?.into_iter().map(|r| (r.run_seq, r.status.name())).collect();
    assert_eq!(statuses, [(5, "running"), (4, "succeeded"), (3, "abandoned"), (2, "abandoned"), (1, "abandoned")]);
    assert_eq!(repository.runs(2).await?.len(), 2);
    Ok(())
}

pub(crate) async fn a_run_ends_once(repository: &dyn Repository) -> Outcome {
    let (fence, run_seq) = begun(repository).await?;
    assert_eq!(repository.last_run(None).await?, None);
    let finish = |run_seq, status| async move {
        word(&repository.finish_run(fence, run_seq, status, at(5), &json!({ "rows": 3 })).await)
    };
    assert_eq!(finish(run_seq, RunStatus::Running).await, "not final running");
    assert_eq!(finish(9, RunStatus::Failed).await, "unknown run 9");
    assert_eq!(finish(run_seq, RunStatus::Failed).await, "ok");
    assert_eq!(finish(run_seq, RunStatus::Failed).await, "ok");
    assert_eq!(finish(run_seq, RunStatus::Succeeded).await, "over failed");
    assert_eq!(word(&publish(repository, (fence, run_seq), "", 1).await), "over failed");
    let last = repository.last_run(None).await?.ok_or("no run")?;
    assert_eq!((last.report, last.finished_at), (Some(json!({ "rows": 3 })), Some(at(5))));
    assert_eq!(repository.last_run(Some(RunStatus::Succeeded)).await?, None);
    assert_eq!(kinds(repository).await?, ["run_begun", "run_finished"]);
    Ok(())
}

pub(crate) async fn publishing_is_idempotent_and_keeps_history(repository: &dyn Repository) -> Outcome {
    let first = begun(repository).await?;
    let manifest = |events: u64| BTreeMap::from([("events".to_owned(), events), ("quarantine".to_owned(), 0)]);
    assert_eq!(publish(repository, first, "day-1", 1).await?, Published::Now);
    assert_eq!(publish(repository, first, "day-1", 1).await?, Published::Before);
    assert_eq!(publish(repository, first, "day-2", 2).await?, Published::Now);
    assert_eq!(repository.manifest().await?, manifest(2));
    repository.finish_run(first.0, first.1, RunStatus::Succeeded, at(5), &Value::Null).await?;

    let second = (first.0, repository.begin_run(first.0, run("config", 1)).await?.run_seq);
    assert_eq!(repository.manifest_at(second.1).await?, manifest(2), "a run starts from what is visible");
    assert_eq!(publish(repository, second, "day-2", 3).await?, Published::Now);
    assert_eq!(repository.manifest().await?, manifest(3));
    let past: Vec<_> = [repository.manifest_at(0).await?, repository.manifest_at(1).await?].into();
    assert_eq!(past, [BTreeMap::new(), manifest(2)]);

    let record = repository.fingerprint("ingest", "day-2").await?.ok_or("no fingerprint")?;
    assert_eq!((record.fingerprint.as_str(), record.run_seq), ("print-day-2-3", 2));
    assert_eq!(record.metrics, json!({ "rows": 3 }));
    assert_eq!(repository.fingerprint("ingest", "day-3").await?, None);
    assert_eq!(repository.fingerprints("ingest").await?.into_keys().collect::<Vec<_>>(), ["day-1", "day-2"]);
    assert_eq!(repository.forget(first.0, "link", at(6)).await?, 0);
    assert_eq!(repository.forget(first.0, "ingest", at(6)).await?, 2);
    assert!(repository.fingerprints("ingest").await?.is_empty());
    assert_eq!(repository.manifest().await?, manifest(3), "forgetting does not hide tables");
    assert_eq!(publish(repository, second, "day-2", 3).await?, Published::Now, "computed again");
    let expect =
        ["run_begun", "published", "published", "run_finished", "run_begun", "published", "forgotten", "published"];
    assert_eq!(kinds(repository).await?, expect);
    assert!(repository.verify_audit().await?.is_intact());
    Ok(())
}

pub(crate) async fn a_refused_publication_leaves_nothing(repository: &dyn Repository) -> Outcome {
    let run = begun(repository).await?;
    assert_eq!(word(&publish(repository, run, "", u64::MAX).await), "too large table version");
    assert_eq!(word(&publish(repository, (run.0, 2), "", 1).await), "unknown run 2");
    assert!(repository.manifest().await?.is_empty() && repository.fingerprints("ingest").await?.is_empty());
    assert_eq!(kinds(repository).await?, ["run_begun"]);
    Ok(())
}

pub(crate) async fn artefacts_are_numbered_by_content(repository: &dyn Repository) -> Outcome {
    let register = |kind, name, content_hash, note: &'static str| async move {
        let metadata = json!({ "note": note });
        let new = NewArtefact { kind, name, content_hash, metadata: &metadata, now: at(1) };
        repository.register(new).await.map(|a| (a.version, a.metadata["note"].clone()))
    };
    assert_eq!(register("model", "uplift", "h1", "first").await?, (1, json!("first")));
    assert_eq!(register("model", "uplift", "h2", "second").await?, (2, json!("second")));
    assert_eq!(register("model", "uplift", "h1", "again").await?, (1, json!("first")));
    assert_eq!(register("model", "other", "h1", "third").await?, (1, json!("third")));
    assert_eq!(register("policy", "uplift", "h1", "fourth").await?, (1, json!("fourth")));
    let models: Vec<_> = repository.artefacts("model").await?.into_iter().map(|a| (a.name, a.version)).collect();
    assert_eq!(models, [("other".to_owned(), 1), ("uplift".to_owned(), 1), ("uplift".to_owned(), 2)]);
    assert_eq!(kinds(repository).await?, ["registered"; 4]);
    Ok(())
}

pub(crate) async fn evidence_is_immutable(repository: &dyn Repository) -> Outcome {
    let record = json!({ "lift": 0.0766, "arms": ["a", "b"] });
    repository.record_evidence("e1", &record, at(1)).await?;
    repository.record_evidence("e1", &record, at(2)).await?;
    assert_eq!(word(&repository.record_evidence("e1", &json!({}), at(3)).await), "conflict evidence e1");
    let kept = repository.evidence().await?;
    assert_eq!((kept.len(), &kept[0].record, kept[0].created_at), (1, &record, at(1)));
    assert_eq!(kinds(repository).await?, ["evidence_recorded"]);
    Ok(())
}

pub(crate) async fn notes_about_evidence_are_made_once(repository: &dyn Repository) -> Outcome {
    repository.record_evidence("e1", &json!({}), at(1)).await?;
    let note = |key, text| NewEvidenceNote { id: "e1", key, kind: "used", by: "run", text, now: at(2) };
    repository.note_evidence(note("used/policy a@1", "decided 7 people")).await?;
    repository.note_evidence(note("used/policy a@1", "decided 7 people")).await?;
    let other = repository.note_evidence(note("used/policy a@1", "decided 8 people")).await;
    assert_eq!(word(&other), "conflict note e1 used/policy a@1");
    let approved = NewEvidenceNote { kind: "approved", by: "ada", now: at(3), ..note("approved/ada", "fine") };
    repository.note_evidence(approved).await?;
    let nothing = repository.note_evidence(NewEvidenceNote { id: "e2", ..note("k", "") }).await;
    assert_eq!(word(&nothing), "unknown evidence e2");
    let kept = repository.evidence_notes().await?;
    let told: Vec<_> = kept.iter().map(|n| (n.kind.as_str(), n.by.as_str(), n.at)).collect();
    assert_eq!(told, [("used", "run", at(2)), ("approved", "ada", at(3))]);
    assert_eq!(kinds(repository).await?, ["evidence_recorded", "evidence_used", "evidence_approved"]);
    Ok(())
}

pub(crate) async fn a_delivery_is_sent_once(repository: &dyn Repository) -> Outcome {
    let (fence, _) = begun(repository).await?;
    let nothing = json!({});
    let begin = async |digest: &str| {
        let (idempotency_key, details) = ("k", &json!({ "contract": 1 }));
        let new = NewDelivery { idempotency_key, destination: "crm", digest, row_count: 7, details, now: at(1) };
        match repository.begin_delivery(fence, new).await {
            Ok(DeliveryStart::Send(d)) => format!("send, attempt {}", d.attempts),
            Ok(DeliveryStart::Existing(d)) => format!("existing, {}", d.status),
            other => word(&other),
        }
    };
    let complete = async |key: &str, status| {
        word(&repository.complete_delivery(fence, key, status, &json!({ "receipt": 9 }), at(2)).await)
    };
    assert_eq!(complete("k", DeliveryStatus::Delivered).await, "unknown delivery k");
    assert_eq!(begin("x").await, "send, attempt 1");
    assert_eq!(begin("x").await, "existing, pending");
    assert_eq!(begin("y").await, "conflict delivery k");
    assert_eq!(complete("k", DeliveryStatus::Pending).await, "not final pending");
    assert_eq!(complete("k", DeliveryStatus::Failed).await, "ok");
    assert_eq!(begin("x").await, "send, attempt 2");
    assert_eq!(complete("k", DeliveryStatus::Delivered).await, "ok");
    assert_eq!(complete("k", DeliveryStatus::Delivered).await, "ok");
    assert_eq!(complete("k", DeliveryStatus::Failed).await, "over delivered");
    assert_eq!(begin("x").await, "existing, delivered");
    let kept = &repository.deliveries().await?[0];
    assert_eq!((kept.row_count, kept.created_at, kept.completed_at), (7, at(1), Some(at(2))));
    assert_eq!((kept.attempts, &kept.details), (2, &json!({ "receipt": 9 })));
    assert_ne!(kept.details, nothing);
    Ok(())
}

pub(crate) async fn the_audit_log_is_a_chain(repository: &dyn Repository) -> Outcome {
    assert_eq!(repository.verify_audit().await?.records, 0);
    // More than a page of the check.
    for i in 0..1100 {
        let payload = json!({ "i": i });
        let record =
            repository.append_audit(AuditEntry { kind: "k", actor: "a", payload: &payload, at: at(i) }).await?;
        assert_eq!(record.leaf, record.compute_leaf());
    }
    let check = repository.verify_audit().await?;
    let records = repository.audit_records(1097, 2).await?;
    assert_eq!(records.iter().map(|r| r.seq).collect::<Vec<_>>(), [1098, 1099]);
    assert_eq!(records[1].prev, records[0].leaf);
    assert!(check.is_intact());
    assert_eq!((check.records, check.head), (1100, repository.audit_records(1099, 9).await?[0].leaf));
    Ok(())
}

/// Two handles, as of two processes.
pub(crate) async fn one_of_many_racers_gets_the_lease(handles: &[Arc<dyn Repository>]) -> Outcome {
    for round in 0..20 {
        let racers: Vec<_> = (0..8)
            .map(|i| {
                let handle = Arc::clone(&handles[i % handles.len()]);
                let holder = format!("racer-{i}");
                tokio::spawn(async move { handle.acquire_lease(request(&holder, round)).await })
            })
            .collect();
        let mut winners = Vec::new();
        for racer in racers {
            match racer.await? {
                Ok(lease) => winners.push(lease.fence),
                Err(e) => assert!(matches!(e, LedgerError::LeaseHeld { .. }), "{e:?}"),
            }
        }
        let fence = u64::try_from(round)? + 1;
        assert_eq!(winners, [fence]);
        handles[0].release_lease(fence).await?;
    }
    Ok(())
}

/// Writers of several handles at once: nothing is lost and the chain holds.
pub(crate) async fn concurrent_appends_stay_in_one_chain(handles: &[Arc<dyn Repository>]) -> Outcome {
    let writers: Vec<_> = (0..8)
        .map(|i| {
            let handle = Arc::clone(&handles[i % handles.len()]);
            tokio::spawn(async move {
                for _ in 0..10 {
                    let payload = json!({ "writer": i });
                    handle.append_audit(AuditEntry { kind: "k", actor: "a", payload: &payload, at: at(0) }).await?;
                }
                Ok::<(), LedgerError>(())
            })
        })
        .collect();
    for writer in writers {
        writer.await??;
    }
    let check = handles[0].verify_audit().await?;
    assert!(check.is_intact());
    assert_eq!(check.records, 80);
    Ok(())
}

/// A publisher goes on under its old fence while another process takes the lease over and publishes: in the order of the
/// log, nothing of the old one follows the take-over.
pub(crate) async fn nothing_is_published_under_a_fence_that_was_lost(handles: &[Arc<dyn Repository>]) -> Outcome {
    let (fence, run_seq) = begun(handles[0].as_ref()).await?;
    let old = Arc::clone(&handles[0]);
    let publisher = tokio::spawn(async move {
        for version in 1.. {
            match publish(old.as_ref(), (fence, run_seq), "old", version).await {
                Ok(_) => {}
                Err(refusal) => return (version, word::<()>(&Err(refusal))),
            }
        }
        (0, "never refused".to_owned())
    });
    while handles[1].manifest().await?.get("events").is_none_or(|version| *version < 5) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let dead = Some(fence);
    let new = handles[1].acquire_lease(LeaseRequest { dead, ..request("b", 1) }).await?.fence;
    let next = handles[1].begin_run(new, run("config", 1)).await?.run_seq;
    assert_eq!(publish(handles[1].as_ref(), (new, next), "new", 1_000_000).await?, Published::Now);
    let (refused_at, word) = publisher.await?;
    assert!(refused_at > 5, "it published while it could: {refused_at}");
    assert_eq!(word, "fenced 2 1");
    let records = handles[1].audit_records(0, 1_000_000).await?;
    let taken = records.iter().position(|r| r.kind == "lease_taken_over").ok_or("no take-over on record")?;
    let late: Vec<_> = records[taken..].iter().filter(|r| r.kind == "published" && r.actor == "a").collect();
    assert!(late.is_empty(), "{late:?}");
    assert_eq!(records[..taken].iter().filter(|r| r.kind == "published").count() + 1, usize::try_from(refused_at)?);
    assert_eq!(handles[0].manifest().await?["events"], 1_000_000);
    assert!(handles[0].verify_audit().await?.is_intact());
    Ok(())
}

/// How far a publication came that was dropped on its way.
pub(crate) struct Cut {
    pub(crate) visible: bool,
    pub(crate) done: bool,
}

/// Polls a future at most `polls` times and then drops it, as a cancelled task does.
async fn cut_short<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// A publication dropped after so many polls happened wholly or not at all, and the ledger still works.
pub(crate) async fn a_publication_dropped_after(
    polls: usize,
    repository: &dyn Repository,
) -> Result<Cut, Box<dyn std::error::Error>> {
    let run = begun(repository).await?;
    let done = cut_short(polls, publish(repository, run, "", 1)).await.is_some();
    // Waits for a transaction left open, if there is one, before looking.
    repository.renew_lease(run.0, at(3), TTL).await?;
    let tables = repository.manifest().await?.len();
    assert!(tables == 0 || tables == 2, "{tables} of 2 tables after {polls} polls");
    let visible = tables == 2;
    let check = repository.verify_audit().await?;
    assert!(check.is_intact());
    assert_eq!(check.records, if visible { 2 } else { 1 });
    assert_eq!(repository.fingerprint("ingest", "").await?.is_some(), visible);
    let expect = if visible { Published::Before } else { Published::Now };
    assert_eq!(publish(repository, run, "", 1).await?, expect);
    Ok(Cut { visible, done })
}
