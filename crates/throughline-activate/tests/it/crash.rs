//! Killed at every step: what an attempt left behind, and what the next one makes of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use throughline_activate::{Prior, Route};
use throughline_core::PersonId;
use throughline_lake::Snapshot;

use crate::world::{Decision, Result, World, destination};

/// A file that a killed attempt left: (name, content).
type Left<'a> = (&'a str, &'a [u8]);

/// A world with a route of two rows per batch and five decisions.
async fn world() -> Result<(World, Route, Snapshot, Vec<PersonId>)> {
    let mut world = World::new().await?;
    let people = world.people(5).await?;
    let decisions: Vec<Decision> = people.iter().map(|p| Decision::about(*p)).collect();
    let decisions = world.decide(&decisions).await?;
    let route = world.route(&destination("format: csv, batch_rows: 2", "email: identifier"));
    Ok((world, route, decisions, people))
}

/// Every file below a folder with its content.
fn tree(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(tree(&path)?);
        } else {
            files.insert(path.display().to_string(), fs::read(&path)?);
        }
    }
    Ok(files)
}

/// How often each address was dropped.
fn addresses(world: &World) -> Result<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    for (_, payload) in world.drop_folder()?.into_values() {
        for line in String::from_utf8(payload)?.lines().skip(1) {
            *counts.entry(line.to_owned()).or_default() += 1;
        }
    }
    Ok(counts)
}

#[tokio::test]
async fn an_attempt_killed_at_any_file_is_completed_by_the_next() -> Result<()> {
    let (mut world, route, decisions, _) = world().await?;
    let report = world.deliver(&route, &decisions).await?;
    let complete = tree(&world.drop_path())?;
    assert_eq!((report.batches.len(), complete.len()), (3, 6));
    let second = world.drop_path().join(&report.batches[1].batch_id);
    let third = world.drop_path().join(&report.batches[2].batch_id);
    let payload = fs::read(second.join("data.csv"))?;
    // Every state in which a kill during the second batch can leave the folder; the third was not begun.
    let states: [(&str, &[Left<'_>]); 5] = [
        ("nothing of the batch", &[]),
        ("half a payload", &[(".data.csv.part", &payload[..payload.len() / 2])]),
        ("a payload without its name", &[(".data.csv.part", &payload)]),
        ("a payload without envelope", &[("data.csv", &payload)]),
        ("half an envelope", &[("data.csv", &payload), (".envelope.json.part", b"{\"apiVersion\":")]),
    ];
    for (name, files) in states {
        for folder in [&second, &third] {
            fs::remove_dir_all(folder)?;
        }
        if !files.is_empty() {
            fs::create_dir_all(&second)?;
        }
        for (file, content) in files {
            fs::write(second.join(file), content)?;
        }
        assert_eq!(world.drop_folder()?.len(), 1, "{name}: no envelope, no delivery");
        let report = world.deliver(&route, &decisions).await?;
        assert_eq!((report.batches_sent, report.batches_found), (2, 1), "{name}");
        assert_eq!(tree(&world.drop_path())?, complete, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn no_envelope_stands_without_its_payload() -> Result<()> {
    let (mut world, route, decisions, _) = world().await?;
    let plan = world.plan(&route, &decisions, &Prior::none()).await?;
    // A folder in the place of the payload makes the renaming fail.
    let folder = world.drop_path().join(&plan.batches[0].batch_id);
    fs::create_dir_all(folder.join("data.csv/in-the-way"))?;
    let refused = world.send(&route, &decisions, &Prior::none(), &plan).await.expect_err("no place for the payload");
    assert!(refused.to_string().starts_with("cannot rename into place"), "{refused}");
    assert!(!folder.join("envelope.json").exists());
    fs::remove_dir_all(folder.join("data.csv"))?;
    assert_eq!(world.deliver(&route, &decisions).await?.batches_sent, 3);
    Ok(())
}

#[tokio::test]
async fn rows_that_left_stay_left_when_consent_changes_before_the_next_attempt() -> Result<()> {
    let (mut world, route, decisions, people) = world().await?;
    // The attempt: planned rows are published, the first batch leaves, then the process dies.
    let (staged, plan) = world.plan_staged(&route, &decisions, &Prior::none()).await?;
    world.commit(staged).await?;
    assert!(world.fates().await?.values().all(|fates| fates.len() == 1 && fates[0].0 == "planned"));
    world.send(&route, &decisions, &Prior::none(), &plan).await?;
    for batch in &plan.batches[1..] {
        fs::remove_dir_all(world.drop_path().join(&batch.batch_id))?;
    }
    let left: Vec<String> = world
        .fates()
        .await?
        .into_iter()
        .filter(|(_, fates)| fates[0].2 == plan.batches[0].batch_id)
        .map(|(entity, _)| entity)
        .collect();
    assert_eq!(left.len(), 2);
    // Meanwhile one person of the batch that left and one of the others withdraw.
    let stayed = people.iter().find(|p| !left.contains(&p.to_string())).ok_or("nobody")?;
    world.withdraw(left[0].parse()?);
    world.withdraw(*stayed);
    world.now = world.now.plus_days(1);
    let prior = world.prior(&route).await?;
    let again = world.plan(&route, &decisions, &prior).await?;
    assert_eq!((again.fates.carried, again.fates.to_send, again.fates.suppressed["no_consent"]), (2, 2, 1));
    let (staged, report) = world.send(&route, &decisions, &prior, &again).await?;
    world.commit(staged).await?;
    assert_eq!((report.batches_sent, report.fates), (1, again.fates));
    let addresses = addresses(&world)?;
    assert!(addresses.len() == 4 && addresses.values().all(|count| *count == 1), "{addresses:?}");
    let fates = world.fates().await?;
    assert!(fates.len() == 5 && fates.values().all(|fates| fates.len() == 1), "{fates:?}");
    assert_eq!(fates[&left[0]][0], ("sent".to_owned(), None, plan.batches[0].batch_id.clone()));
    assert_eq!(fates[&stayed.to_string()][0].1.as_deref(), Some("no_consent"));
    assert_eq!(world.receipts().await?.len(), 6, "three steps of each of the two batches");
    Ok(())
}
