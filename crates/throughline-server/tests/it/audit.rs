//! The audit log through the API: proofs hold after erasure, after a crash and after a restore; tampering is found.

use serde_json::{Value, json};
use throughline_ledger::{ConsistencyProof, InclusionProof, PublicKey, SignedHead, SqliteLedger};
use throughline_server::ServerConfig;

use crate::Outcome;
use crate::house::{Client, House};

async fn head(client: &Client) -> Result<(SignedHead, PublicKey), Box<dyn std::error::Error>> {
    let answer = client.get("/api/v1/audit/head").await?.json()?;
    let note = answer["note"].as_str().ok_or("no note")?;
    Ok((SignedHead::parse(note)?, answer["public_key"].as_str().ok_or("no key")?.parse()?))
}

async fn verified(client: &Client) -> Result<Value, Box<dyn std::error::Error>> {
    client.post("/api/v1/audit/verification", json!({})).await?.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_proved_to_stand_in_a_signed_head() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    house.run(&admin).await?;
    let (head, key) = head(&admin).await?;
    assert!(head.verify(&key));
    for seq in [1, 2, head.head.size / 2, head.head.size] {
        let path = format!("/api/v1/audit/proof?seq={seq}&size={}", head.head.size);
        let proof: InclusionProof = serde_json::from_value(admin.get(&path).await?.json()?)?;
        assert!(proof.holds() && proof.root == head.head.root, "{seq}");
    }
    admin.post("/api/v1/freeze", json!({ "reason": "test" })).await?;
    let (later, _) = self::head(&admin).await?;
    let path = format!("/api/v1/audit/proof?first={}&size={}", head.head.size, later.head.size);
    let proof: ConsistencyProof = serde_json::from_value(admin.get(&path).await?.json()?)?;
    assert!(proof.holds() && proof.first_root == head.head.root && proof.second_root == later.head.root);
    assert_eq!(admin.get("/api/v1/audit/proof?seq=99999").await?.status, 404);
    assert_eq!(admin.get("/api/v1/audit/proof").await?.status, 422);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_opened_is_on_record_sealed_and_ends_with_the_person() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    assert_eq!(house.run(&admin).await?["status"], "succeeded");
    let person = admin.get("/api/v1/conversions").await?.json()?["items"][0]["person_id"].clone();
    let person = person.as_str().ok_or("no person")?;
    let path = format!("/api/v1/persons/{person}/identifiers");
    assert_eq!(admin.post(&path, json!({ "reason": " " })).await?.status, 422);
    let opened = admin.post(&path, json!({ "reason": "asked for by Ana" })).await?.json()?;
    let value = opened["identifiers"][0]["value"].as_str().ok_or("no value")?.to_owned();
    assert!(value.ends_with("@example.com"), "{value}");

    let log = admin.get("/api/v1/audit?kind=personal_data_opened").await?;
    assert!(!log.body.contains("Ana") && !log.body.contains(&value) && !log.body.contains(person), "{}", log.body);
    let record = log.json()?["items"][0].clone();
    let sealed = &record["payload"]["sealed"][0];
    let subject = sealed["subject"].as_str().ok_or("no subject")?.parse()?;
    let note = hex::decode(sealed["box"].as_str().ok_or("no box")?)?;
    let vault = &house.app.stores.vault;
    let text = vault.open_note(subject, &note).await?.ok_or("sealed for ever")?;
    assert!(text.contains("asked for by Ana") && text.contains(person), "{}", *text);

    let (before, key) = head(&admin).await?;
    vault.erase(&[subject], house.app.now()).await?;
    assert!(vault.open_note(subject, &note).await?.is_none(), "erased");
    let check = verified(&admin).await?;
    assert_eq!((&check["intact"], &check["faults"]), (&json!(true), &json!([])), "{check}");
    let seq = &record["seq"];
    let proof = admin.get(&format!("/api/v1/audit/proof?seq={seq}&size={}", before.head.size)).await?.json()?;
    let proof: InclusionProof = serde_json::from_value(proof)?;
    assert!(proof.holds() && proof.root == before.head.root && before.verify(&key), "after the erasure");
    let again = admin.post(&path, json!({ "reason": "again" })).await?.json()?;
    assert_eq!(again["identifiers"][0], json!({ "kind": null, "value": null }));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_log_is_told_by_a_head_given_out_before() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    let (old, key) = head(&admin).await?;
    let state = house.dir.path().join(".throughline");
    // What a backup of the ledger at this moment holds.
    let backup = tempfile::tempdir()?;
    let copy = backup.path().join("ledger.db");
    let ledger = SqliteLedger::open(&state.join("ledger.db")).await?;
    ledger.copy_to(&copy).await?;
    admin.post("/api/v1/freeze", json!({ "reason": "after the backup" })).await?;
    let (late, _) = head(&admin).await?;

    let restored = tempfile::tempdir()?;
    crate::house::write_project(restored.path())?;
    std::fs::create_dir_all(restored.path().join(".throughline"))?;
    std::fs::copy(&copy, restored.path().join(".throughline/ledger.db"))?;
    std::fs::copy(state.join("audit.key"), restored.path().join(".throughline/audit.key"))?;
    let second = House::over(restored, ServerConfig::default()).await?;
    let admin = second.token_of("admin").await?;
    let check = verified(&admin).await?;
    assert_eq!(check["intact"], true, "what was restored is whole: {check}");
    let path = format!("/api/v1/audit/proof?first={}", old.head.size);
    let proof: ConsistencyProof = serde_json::from_value(admin.get(&path).await?.json()?)?;
    assert!(proof.holds() && proof.first_root == old.head.root && old.verify(&key), "and continues the head before it");
    // The head given out after the backup is of another history.
    let (size, _) = second.app.ledger().audit_tree().await?;
    let continues = if size < late.head.size {
        false
    } else {
        let proof = second.app.ledger().prove_consistency(late.head.size, size).await?;
        proof.first_root == late.head.root
    };
    assert!(!continues);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tampered_record_is_found_even_when_its_hash_is_rewritten() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    admin.post("/api/v1/freeze", json!({ "reason": "honest" })).await?;
    head(&admin).await?;
    assert_eq!(verified(&admin).await?["intact"], true);
    let ledger = SqliteLedger::open(&house.dir.path().join(".throughline/ledger.db")).await?;
    ledger.tamper_for_tests("UPDATE audit SET actor = 'somebody else' WHERE kind = 'deliveries_frozen'").await?;
    let check = verified(&admin).await?;
    assert_eq!(check["intact"], false);
    assert!(check["faults"].to_string().contains("altered"), "{check}");
    assert!(check["faults"].to_string().contains("\"fault\":\"head\""), "the signed head no longer fits: {check}");
    Ok(())
}
