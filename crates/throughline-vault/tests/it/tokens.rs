//! Tokens and openings.

use std::collections::BTreeSet;

use serde_json::json;
use throughline_core::{IdentifierKind as Kind, Purpose, SubjectToken};
use throughline_vault::{KeySource, Vault};

use crate::{Outcome, emails, now, on_disk, opened, repeatable};

#[tokio::test]
async fn values_go_in_and_come_out_in_order() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = Vault::open(folder.path(), KeySource::File).await?;
    let items = [
        (Kind::Email, " Ada@Example.com "),
        (Kind::Phone, "n/a"),
        (Kind::Phone, "+49 (30) 12-3"),
        (Kind::Email, "ada@example.com"),
        (Kind::Crm, "ada@example.com"),
        (Kind::Cookie, "é—🍪"),
    ];
    let tokens = vault.tokenise("crm", &items).await?;
    assert_eq!(tokens[1], None, "nothing is left of it");
    assert_eq!(tokens[0], tokens[3], "two spellings, one identifier");
    let different: BTreeSet<_> = tokens.iter().flatten().collect();
    assert_eq!(different.len(), 4, "the kind is part of the identifier");

    let asked: Vec<_> = tokens.iter().rev().flatten().copied().chain([SubjectToken([7; 16])]).collect();
    let expect =
        ["cookie é—🍪", "crm ada@example.com", "email ada@example.com", "phone +4930123", "email ada@example.com", "-"];
    assert_eq!(opened(&vault, &asked).await?, expect);
    let kinds = [Some(Kind::Cookie), Some(Kind::Crm), Some(Kind::Email), Some(Kind::Phone), Some(Kind::Email), None];
    assert_eq!(vault.kinds(&asked).await?, kinds);
    assert!(vault.tokenise("crm", &[]).await?.is_empty() && vault.kinds(&[]).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn the_same_value_keeps_its_token() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = Vault::open(folder.path(), KeySource::File).await?;
    let first = emails(&vault, &["a@x", "b@x", "a@x"]).await?;
    assert_eq!(first[0], first[2]);
    let mixed = emails(&vault, &["c@x", "b@x", "a@x"]).await?;
    assert_eq!((mixed[1], mixed[2]), (first[1], first[0]));
    let elsewhere = vault.tokenise("shop", &[(Kind::Email, "A@X")]).await?;
    assert_eq!(elsewhere[0], first[0], "whatever the source");
    drop(vault);
    let again = Vault::open(folder.path(), KeySource::File).await?;
    assert_eq!(emails(&again, &["a@x", "b@x", "a@x"]).await?, first);
    Ok(())
}

#[tokio::test]
async fn a_record_is_known_within_its_source_only() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = Vault::open(folder.path(), KeySource::File).await?;
    let one = vault.tokenise("shop", &[(Kind::Record, "17")]).await?;
    let two = vault.tokenise("tills", &[(Kind::Record, "17")]).await?;
    assert_ne!(one, two);
    assert_eq!(vault.tokenise("shop", &[(Kind::Record, "17")]).await?, one);
    assert_ne!(vault.tokenise("sho", &[(Kind::Record, "p17")]).await?, one, "names do not run into values");
    Ok(())
}

#[tokio::test]
async fn a_call_cut_short_can_be_repeated() -> Outcome {
    let values: Vec<String> = (0..2000).map(|i| format!("person-{i}@example.com")).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let (folder, whole_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let whole = emails(&repeatable(whole_folder.path()).await?, &values).await?;
    let vault = repeatable(folder.path()).await?;
    for wait_us in [0, 300, 1000, 3000, 9000] {
        let cut = tokio::time::timeout(std::time::Duration::from_micros(wait_us), emails(&vault, &values)).await;
        let stored: u64 = vault.stats().await?.identifiers.values().sum();
        assert!(stored == 0 || stored == 2000, "{stored} of 2000 after {wait_us} µs");
        assert!(cut.is_err() || stored == 2000);
    }
    assert_eq!(emails(&vault, &values).await?, whole, "same key and order, same tokens");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_agree() -> Outcome {
    let folder = tempfile::tempdir()?;
    // Both open a vault that does not exist yet: one key, one file.
    let open = || Vault::open(folder.path(), KeySource::File);
    let (one, two) = tokio::try_join!(open(), open())?;
    let names: Vec<String> = (0..3000).map(|i| format!("{i}@x")).collect();
    let forward: Vec<&str> = names.iter().map(String::as_str).collect();
    let backward: Vec<&str> = forward.iter().rev().copied().collect();
    let (a, b) = tokio::try_join!(emails(&one, &forward), emails(&two, &backward))?;
    assert_eq!(a, b.into_iter().rev().collect::<Vec<_>>());
    assert_eq!(one.stats().await?.identifiers[&Kind::Email], 3000);
    Ok(())
}

#[tokio::test]
async fn openings_are_recorded_without_values() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = Vault::open(folder.path(), KeySource::File).await?;
    let token = emails(&vault, &["a@x"]).await?[0].ok_or("no token")?;
    let revealed = vault.reveal(&[token, SubjectToken([0; 16])], Purpose::Advertising, "activate", now()).await?;
    let expect = json!({ "opening": 1, "purpose": "advertising", "actor": "activate", "at": now(),
        "requested": 2, "opened": 1 });
    assert_eq!(serde_json::to_value(&revealed.opening)?, expect);
    let stats = vault.stats().await?;
    assert_eq!((stats.openings, stats.erased, stats.identifiers[&Kind::Email]), (1, 0, 1));
    Ok(())
}

#[tokio::test]
async fn nothing_readable_reaches_the_disk_or_a_debug_text() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = Vault::open(folder.path(), KeySource::File).await?;
    let values = ["grace.hopper@navy.example", "+4915112345678", "very-recognisable-cookie"];
    let items = [(Kind::Email, values[0]), (Kind::Phone, values[1]), (Kind::Cookie, values[2])];
    let tokens: Vec<_> = vault.tokenise("crm", &items).await?.into_iter().flatten().collect();
    let revealed = vault.reveal(&tokens, Purpose::Linking, "identity", now()).await?;
    assert!(on_disk(folder.path(), b"identity")?, "the search finds what is there");
    let shown = format!("{vault:?} {revealed:?} {:?} {:?}", revealed.values, vault.stats().await?);
    for value in values {
        assert!(!on_disk(folder.path(), value.as_bytes())?, "{value} on disk");
        assert!(!on_disk(folder.path(), &value.as_bytes()[..8])?, "part of {value} on disk");
        assert!(!shown.contains(value), "{shown}");
    }
    let key = std::fs::read_to_string(folder.path().join("vault.key"))?;
    let source = KeySource::Given(throughline_vault::MasterKey::from_hex(&key, "of the test")?);
    let shown = format!("{shown} {source:?}");
    assert!(!shown.contains(&key[..16]) && shown.contains("secret"), "{shown}");
    std::fs::remove_file(folder.path().join("vault.key"))?;
    assert!(!on_disk(folder.path(), &key.as_bytes()[..16])?);
    Ok(())
}

#[tokio::test]
async fn an_endless_value_is_refused() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = Vault::open(folder.path(), KeySource::File).await?;
    let longest = "x".repeat(4096);
    let token = vault.tokenise("crm", &[(Kind::Cookie, &longest)]).await?[0].ok_or("no token")?;
    assert_eq!(opened(&vault, &[token]).await?, [format!("cookie {longest}")]);
    let refused = vault.tokenise("crm", &[(Kind::Cookie, "a"), (Kind::Cookie, &"x".repeat(4097))]).await;
    let text = refused.err().ok_or("accepted")?.to_string();
    assert_eq!(text, "an identifier of 4097 bytes exceeds the limit of 4096");
    Ok(())
}
