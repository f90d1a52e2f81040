//! Many identifiers at once. The release build is also where throughput is measured:
//! `cargo test --release -p throughline-vault bulk -- --nocapture`.

use std::collections::BTreeSet;
use std::time::Instant;

use throughline_core::{IdentifierKind as Kind, Purpose};
use throughline_vault::{KeySource, Vault};

use crate::{Outcome, now};

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
