//! Many identifiers at once. The release build is also where throughput is measured:
//! `cargo test --release -p throughline-vault bulk -- --nocapture`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use throughline_core::{IdentifierKind as Kind, Purpose};
use throughline_vault::{KeySource, Tokenised, Vault, VaultError};

use crate::{Outcome, emails, now, repeatable};

/// Fewer without optimisation, where sealing takes twenty times as long.
const COUNT: usize = if cfg!(debug_assertions) { 20_000 } else { 100_000 };

#[tokio::test]
async fn bulk_round_trip() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = Vault::open(folder.path(), KeySource::File).await?;
    let values: Vec<String> = (0..COUNT).map(|i| format!("customer-{i}@mail.example.com")).collect();
    let items: Vec<_> = values.iter().map(|v| (Kind::Email, v.as_str())).collect();

    let mut rates = Vec::new();
    let mut clock = Instant::now();
    let mut lap = |what: &str| {
        rates.push(format!("{what} {:.0}/s", COUNT as f64 / clock.elapsed().as_secs_f64()));
        clock = Instant::now();
    };
    let new = vault.tokenise("crm", &items).await?;
    lap("new");
    let known = vault.tokenise("crm", &items).await?;
    lap("known");
    let tokens: Vec<_> = new.iter().flatten().copied().collect();
    let revealed = vault.reveal(&tokens, Purpose::Linking, "bulk", now()).await?;
    lap("revealed");
    assert_eq!(new, known);
    assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), COUNT);
    assert!(revealed.values.iter().zip(&values).all(|(got, put)| got.as_ref().is_some_and(|g| g.expose() == put)));
    show(&rates);

    assert_eq!(vault.erase(&tokens[..COUNT / 2], now()).await?, COUNT as u64 / 2);
    let half = vault.kinds(&tokens).await?;
    assert!(half[..COUNT / 2].iter().all(Option::is_none) && half[COUNT / 2..].iter().all(Option::is_some));
    Ok(())
}

/// Shows the rates; they are measured, not asserted, since the machine is shared.
#[expect(clippy::print_stderr, reason = "figures for people, shown with --nocapture")]
fn show(rates: &[String]) {
    eprintln!("{COUNT} identifiers: {}", rates.join(", "));
}

#[tokio::test]
async fn an_intake_gives_the_same_tokens() -> Outcome {
    let folders = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (plain, vault) = (repeatable(folders.0.path()).await?, repeatable(folders.1.path()).await?);
    let values: Vec<String> = (0..COUNT).map(|i| format!("c{}", i * i % (COUNT / 2))).collect();
    let items: Vec<_> = values.iter().map(|v| (Kind::Cookie, v.as_str())).collect();
    let source: Arc<str> = "web".into();
    let mut intake = vault.intake();
    let (mut expect, mut got) = (Vec::new(), Vec::new());
    let mut clock = Instant::now();
    let mut rates = Vec::new();
    for batch in items.chunks(8192) {
        got.extend(intake.tokenise(&source, batch).await?.into_iter().map(Tokenised::token));
    }
    let different = intake.unstored() as f64;
    rates.push(format!("taken in {:.0}/s", COUNT as f64 / clock.elapsed().as_secs_f64()));
    clock = Instant::now();
    intake.store().await?;
    rates.push(format!("stored {:.0}/s", different / clock.elapsed().as_secs_f64()));
    for batch in items.chunks(8192) {
        expect.extend(plain.tokenise("web", batch).await?);
    }
    assert_eq!(got, expect, "in the same order");
    let mut again = vault.intake();
    clock = Instant::now();
    let known: Vec<_> = again.tokenise(&source, &items).await?.into_iter().map(Tokenised::token).collect();
    rates.push(format!("found again {:.0}/s", COUNT as f64 / clock.elapsed().as_secs_f64()));
    show(&rates);
    assert!(known == expect && again.unstored() == 0);
    // Few of many are looked up, the rest is read once asking would cost more.
    let mut few = vault.intake();
    let mut one_by_one = Vec::new();
    for item in &items[..200] {
        one_by_one.extend(few.tokenise(&source, std::slice::from_ref(item)).await?.into_iter().map(Tokenised::token));
    }
    assert_eq!(one_by_one, expect[..200]);
    Ok(())
}

#[tokio::test]
async fn what_is_not_stored_is_forgotten() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = repeatable(folder.path()).await?;
    let source: Arc<str> = "web".into();
    let mut intake = vault.intake();
    let kept = intake.tokenise(&source, &[(Kind::Cookie, "a")]).await?;
    intake.store().await?;
    let lost = intake.tokenise(&source, &[(Kind::Cookie, "b"), (Kind::Cookie, "a")]).await?;
    assert_eq!(lost[1], kept[0]);
    intake.abandon();
    let next = intake.tokenise(&source, &[(Kind::Cookie, "c")]).await?;
    assert_eq!(next[0], lost[0], "its number is free again");
    // What is on its way to the file has its token already, and what comes meanwhile the numbers after.
    intake.begin_to_store().await?;
    let meanwhile = intake.tokenise(&source, &[(Kind::Cookie, "d"), (Kind::Cookie, "c")]).await?;
    assert_eq!(meanwhile[1], next[0]);
    intake.store().await?;
    assert_eq!(vault.tokenise_told("web", &[(Kind::Cookie, "d"), (Kind::Cookie, "c")]).await?, meanwhile);
    intake.tokenise(&source, &[(Kind::Cookie, "e")]).await?;
    // Somebody else takes the number first.
    emails(&vault, &["x@y"]).await?;
    assert!(matches!(intake.store().await, Err(VaultError::Overtaken)));
    assert_eq!(vault.stats().await?.identifiers.values().sum::<u64>(), 4);
    Ok(())
}

#[tokio::test]
async fn an_intake_refuses_what_was_erased_for_good() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = repeatable(folder.path()).await?;
    let token = emails(&vault, &["a@x"]).await?;
    vault.erase_for_good(&token.into_iter().flatten().collect::<Vec<_>>(), now()).await?;
    let mut intake = vault.intake();
    let told = intake.tokenise(&"crm".into(), &[(Kind::Email, "A@x"), (Kind::Email, ""), (Kind::Email, "b@x")]).await?;
    assert_eq!(told[..2], [Tokenised::Erased, Tokenised::Nothing]);
    assert!(told[2].token().is_some() && intake.unstored() == 1);
    Ok(())
}
