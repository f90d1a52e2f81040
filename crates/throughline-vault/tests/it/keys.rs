//! The master key and its file.

use std::path::Path;

use sqlx::Executor;
use throughline_core::IdentifierKind as Kind;
use throughline_vault::{KeySource, Vault};

use crate::{KEY, Outcome, emails, given, opened, raw, repeatable};

/// The message of a refusal, the folder's name taken out; `opened` when there is none.
async fn refusal(folder: &Path, source: KeySource) -> String {
    match Vault::open(folder, source).await {
        Ok(_) => "opened".to_owned(),
        Err(e) => e.to_string().replace(&folder.display().to_string(), "FOLDER"),
    }
}

#[tokio::test]
async fn only_the_right_key_opens() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path();
    let vault = Vault::open(path, given(KEY)?).await?;
    let token = emails(&vault, &["a@x"]).await?[0].ok_or("no token")?;
    assert!(!path.join("vault.key").exists(), "a given key is not written down");
    let wrong = "the vault key given is not the key of FOLDER/vault.db: its check value differs";
    assert_eq!(refusal(path, given(&KEY.replace('0', "f"))?).await, wrong);
    let missing =
        "the vault key FOLDER/vault.key is missing: restore it from its backup, without it this vault cannot be opened";
    assert_eq!(refusal(path, KeySource::File).await, missing);
    assert!(!path.join("vault.key").exists());
    let again = Vault::open(path, given(&format!(" {}\n", KEY.to_uppercase()))?).await?;
    assert_eq!(opened(&again, &[token]).await?, ["email a@x"]);

    let other = tempfile::tempdir()?;
    drop(Vault::open(other.path(), KeySource::File).await?);
    std::fs::copy(other.path().join("vault.key"), path.join("vault.key"))?;
    let wrong = "the vault key FOLDER/vault.key is not the key of FOLDER/vault.db: its check value differs";
    assert_eq!(refusal(path, KeySource::File).await, wrong);
    Ok(())
}

#[test]
fn malformed_keys_are_refused_without_showing_them() {
    let check = |text: &str, expect: &str| {
        assert_eq!(given(text).map_or_else(|e| e.to_string(), |_| "ok".to_owned()), expect);
    };
    check(KEY, "ok");
    check("", "the vault key of the test is not 64 hexadecimal digits (0 characters found)");
    check(&KEY[1..], "the vault key of the test is not 64 hexadecimal digits (63 characters found)");
    check(&KEY.replace('a', "ä"), "the vault key of the test is not 64 hexadecimal digits (64 characters found)");
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_only() -> Outcome {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir()?;
    let path = folder.path();
    let vault = Vault::open(path, KeySource::File).await?;
    emails(&vault, &["a@x"]).await?;
    let mut names = Vec::new();
    for file in std::fs::read_dir(path)? {
        let file = file?;
        assert_eq!(file.metadata()?.permissions().mode() & 0o777, 0o600, "{file:?}");
        names.push(file.file_name());
    }
    names.sort();
    assert_eq!(names, ["vault.db", "vault.db-shm", "vault.db-wal", "vault.key"], "no draft is left");
    let key = path.join("vault.key");
    for mode in [0o640, 0o604, 0o644] {
        std::fs::set_permissions(&key, PermissionsExt::from_mode(mode))?;
        let expect = format!(
            "the vault key FOLDER/vault.key is open to others (mode {mode:04o}): run `chmod 600 FOLDER/vault.key`"
        );
        assert_eq!(refusal(path, KeySource::File).await, expect);
    }
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o400))?;
    assert_eq!(refusal(path, KeySource::File).await, "opened");
    Ok(())
}

#[tokio::test]
async fn a_key_made_before_a_crash_is_used() -> Outcome {
    let (folder, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    drop(Vault::open(other.path(), KeySource::File).await?);
    std::fs::copy(other.path().join("vault.key"), folder.path().join("vault.key"))?;
    let before = std::fs::read(folder.path().join("vault.key"))?;
    assert_eq!(before.len(), 65);
    assert_eq!(refusal(folder.path(), KeySource::File).await, "opened");
    assert_eq!(std::fs::read(folder.path().join("vault.key"))?, before);

    std::fs::write(folder.path().join("vault.key"), "abc")?;
    let expect = "the vault key FOLDER/vault.key is not 64 hexadecimal digits (3 characters found)";
    assert_eq!(refusal(folder.path(), KeySource::File).await, expect);
    Ok(())
}

#[tokio::test]
async fn files_that_are_no_vault_are_refused() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path();
    std::fs::write(path.join("vault.db"), "not a database ".repeat(100))?;
    let expect = "the vault is damaged (noticed while trying to open its file): restore it from a backup";
    assert_eq!(refusal(path, KeySource::File).await, expect);
    std::fs::write(path.join("vault.db"), "")?;
    raw(path).await?.execute("CREATE TABLE theirs (x)").await?;
    let expect = "FOLDER/vault.db is not a vault of this program (application id 0x0, expected 0x544c5654)";
    assert_eq!(refusal(path, KeySource::File).await, expect);

    let folder = tempfile::tempdir()?;
    drop(Vault::open(folder.path(), KeySource::File).await?);
    raw(folder.path()).await?.execute("PRAGMA user_version = 7").await?;
    let expect = "FOLDER/vault.db has vault schema 7, this release knows up to 2: use a newer release";
    assert_eq!(refusal(folder.path(), KeySource::File).await, expect);
    Ok(())
}

/// Key derivation, lookup hash and token against values computed by another implementation (Python's `hmac`), so that a
/// change of any byte of the format, which would orphan existing vaults, is noticed.
#[tokio::test]
async fn the_format_is_the_documented_one() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = repeatable(folder.path()).await?;
    let items = [(Kind::Email, "Ada@Example.com"), (Kind::Record, "17")];
    let tokens: Vec<String> =
        vault.tokenise("shop", &items).await?.into_iter().flatten().map(|t| t.to_string()).collect();
    assert_eq!(tokens, ["ee1f7c979e1eb5dc47311e6e52e89277", "647a857034983581d50156a2dc9eef26"]);
    let mut behind = raw(folder.path()).await?;
    let hashes: Vec<String> =
        sqlx::query_scalar("SELECT lower(hex(lookup)) FROM subjects ORDER BY seq").fetch_all(&mut behind).await?;
    assert_eq!(
        hashes,
        [
            "8fffa20514dbc4ef4a488bd5ccc3bf05abb4082c7ecc2a89ac64d46c863f6403",
            "70cfc236cae47baf9088ef353e6b395cac67ffe37b81ec4c50300dab97965106"
        ]
    );
    let check: String =
        sqlx::query_scalar(r#"SELECT lower(hex("check")) FROM key_check"#).fetch_one(&mut behind).await?;
    assert_eq!(check, "58f558907c51a87ed8eb31c141588fc6");
    Ok(())
}
