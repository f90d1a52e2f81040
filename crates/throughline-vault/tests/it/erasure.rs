//! Erasure: for good, in every file.

use sqlx::Row;
use throughline_core::{IdentifierKind as Kind, SubjectToken};
use throughline_vault::{KeySource, Tokenised, Vault, VaultError};

use crate::{Outcome, emails, now, on_disk, opened, raw, repeatable};

#[tokio::test]
async fn an_erased_value_never_comes_back() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = Vault::open(folder.path(), KeySource::File).await?;
    let tokens: Vec<_> = emails(&vault, &["a@x", "b@x", "c@x"]).await?.into_iter().flatten().collect();
    assert_eq!(vault.erase(&tokens[..2], now()).await?, 2);
    assert_eq!(vault.erase(&tokens[..2], now()).await?, 0, "once");
    assert_eq!(opened(&vault, &tokens).await?, ["-", "-", "email c@x"]);
    assert_eq!(vault.kinds(&tokens).await?, [None, None, Some(Kind::Email)]);
    let stats = vault.stats().await?;
    assert_eq!((stats.erased, stats.identifiers[&Kind::Email]), (2, 1));

    let later: Vec<_> = emails(&vault, &["a@x", "b@x", "c@x"]).await?.into_iter().flatten().collect();
    assert!(!tokens.contains(&later[0]) && !tokens.contains(&later[1]), "a new token");
    assert_eq!(later[2], tokens[2]);
    assert_eq!(opened(&vault, &[tokens[0], later[0]]).await?, ["-", "email a@x"]);
    // The last number is not given again either.
    vault.erase(&later, now()).await?;
    let latest = emails(&vault, &["d@x"]).await?[0].ok_or("no token")?;
    assert!(!tokens.contains(&latest) && !later.contains(&latest));
    Ok(())
}

#[tokio::test]
async fn what_was_erased_for_good_is_not_taken_in_again() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = Vault::open(folder.path(), KeySource::File).await?;
    let tokens: Vec<_> = emails(&vault, &["a@x", "b@x"]).await?.into_iter().flatten().collect();
    assert_eq!(vault.find("shop", Kind::Email, " A@x ").await?, Some(tokens[0]));
    assert_eq!(vault.erase_for_good(&tokens[..1], now()).await?, 1);
    assert_eq!(vault.find("shop", Kind::Email, "a@x").await?, None);
    for source in ["shop", "another"] {
        let told =
            vault.tokenise_told(source, &[(Kind::Email, "A@X"), (Kind::Email, " "), (Kind::Email, "b@x")]).await?;
        assert_eq!(told, [Tokenised::Erased, Tokenised::Nothing, Tokenised::Token(tokens[1])]);
    }
    // The same text of another kind is another identifier.
    assert!(vault.tokenise("shop", &[(Kind::Crm, "a@x")]).await?[0].is_some());
    drop(vault);
    let again = Vault::open(folder.path(), KeySource::File).await?;
    assert_eq!(emails(&again, &["a@x"]).await?, [None], "also after opening again");
    Ok(())
}

#[tokio::test]
async fn key_value_and_hash_leave_every_file() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = Vault::open(folder.path(), KeySource::File).await?;
    let names: Vec<String> = (0..500).map(|i| format!("{i}@example.com")).collect();
    let tokens: Vec<_> =
        emails(&vault, &names.iter().map(String::as_str).collect::<Vec<_>>()).await?.into_iter().flatten().collect();
    let target = tokens[250];
    let mut behind = raw(folder.path()).await?;
    let row = sqlx::query("SELECT wrapped, sealed, lookup FROM subjects WHERE token = ?")
        .bind(&target.0[..])
        .fetch_one(&mut behind)
        .await?;
    let traces: Vec<Vec<u8>> = vec![row.try_get(0)?, row.try_get(1)?, row.try_get(2)?];
    for trace in &traces {
        assert!(on_disk(folder.path(), trace)?, "it was there");
    }
    assert_eq!(vault.erase(&[target], now()).await?, 1);
    for trace in &traces {
        // Also no long part of it.
        assert!(!on_disk(folder.path(), trace)? && !on_disk(folder.path(), &trace[8..24])?);
    }
    assert!(on_disk(folder.path(), &target.0)?, "the tombstone stays");
    assert_eq!(opened(&vault, &tokens[249..252]).await?, ["email 249@example.com", "-", "email 251@example.com"]);
    Ok(())
}

#[tokio::test]
async fn a_seal_that_was_altered_or_moved_does_not_open() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = Vault::open(folder.path(), KeySource::File).await?;
    let tokens: Vec<_> = emails(&vault, &["a@x", "b@x"]).await?.into_iter().flatten().collect();
    let changes = [
        "UPDATE subjects SET sealed = zeroblob(length(sealed)) WHERE seq = 1",
        "UPDATE subjects SET sealed = substr(sealed, 1, 30) WHERE seq = 1",
        "UPDATE subjects SET sealed = x'00' WHERE seq = 1",
        "UPDATE subjects SET kind = 'crm' WHERE seq = 1",
        "UPDATE subjects SET sealed = (SELECT sealed FROM subjects WHERE seq = 2) WHERE seq = 1",
        "UPDATE subjects SET (wrapped, sealed) = (SELECT wrapped, sealed FROM subjects WHERE seq = 2) WHERE seq = 1",
        "UPDATE subjects SET wrapped = CAST(substr(wrapped, 1, 71) || x'00' AS BLOB) WHERE seq = 1",
    ];
    let mut behind = raw(folder.path()).await?;
    sqlx::query("CREATE TEMP TABLE before AS SELECT * FROM subjects WHERE seq = 1").execute(&mut behind).await?;
    for change in changes {
        sqlx::query(change).execute(&mut behind).await?;
        match opened(&vault, &tokens).await {
            Err(VaultError::Tampered { token }) => assert_eq!(token, tokens[0], "{change}"),
            other => return Err(format!("{change}: {other:?}").into()),
        }
        assert_eq!(opened(&vault, &tokens[1..]).await?, ["email b@x"]);
        sqlx::query("REPLACE INTO subjects SELECT * FROM before").execute(&mut behind).await?;
    }
    assert_eq!(opened(&vault, &tokens).await?, ["email a@x", "email b@x"]);
    Ok(())
}

#[tokio::test]
async fn a_note_ends_with_its_subject_and_opens_for_no_other() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = repeatable(folder.path()).await?;
    let tokens: Vec<SubjectToken> = emails(&vault, &["ana@x.com", "bo@x.com"]).await?.into_iter().flatten().collect();
    let note = vault.seal_note(tokens[0], "called about her order").await?.ok_or("no note")?;
    assert!(!String::from_utf8_lossy(&note).contains("order"));
    assert_eq!(vault.open_note(tokens[0], &note).await?.as_deref().map(String::as_str), Some("called about her order"));
    assert!(vault.open_note(tokens[1], &note).await.is_err(), "another subject's key");
    let mut altered = note.clone();
    altered[30] ^= 1;
    assert!(vault.open_note(tokens[0], &altered).await.is_err());
    vault.erase(&tokens[..1], now()).await?;
    assert!(vault.open_note(tokens[0], &note).await?.is_none());
    assert!(vault.seal_note(tokens[0], "later").await?.is_none());
    Ok(())
}
