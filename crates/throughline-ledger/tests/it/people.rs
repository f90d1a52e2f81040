//! Accounts, credentials, approvals, switches and the Merkle tree, as functions of an empty repository.

use serde_json::json;
use throughline_ledger::{
    ApiToken, ApprovalRow, AuditEntry, AuditKey, LedgerError, Repository, Session, User, node_hash,
};

use crate::Outcome;
use crate::suite::at;

fn user(id: &str, name: &str) -> User {
    User {
        id: id.into(),
        name: name.into(),
        display_name: name.into(),
        roles: vec!["viewer".into()],
        sign_offs: vec![],
        password_hash: Some("$hash".into()),
        oidc: None,
        disabled: false,
        created_at: at(0),
        last_seen_at: None,
    }
}

/// An audit entry of a test.
macro_rules! entry {
    ($kind:literal) => {
        AuditEntry { kind: $kind, actor: "t", payload: &json!({}), at: at(1) }
    };
}

pub(crate) async fn accounts_are_found_by_name_and_never_doubled(repository: &dyn Repository) -> Outcome {
    let ana = user("1", "Ana");
    repository.add_user(&ana, entry!("user_added")).await?;
    assert_eq!(repository.user_named("aNA").await?, Some(ana.clone()));
    let taken = repository.add_user(&user("2", "ana"), entry!("user_added")).await;
    assert!(matches!(taken, Err(LedgerError::Conflict { what: "user", .. })), "{taken:?}");
    let oidc = |id: &str, name: &str| User { oidc: Some(("iss".into(), "sub".into())), ..user(id, name) };
    repository.add_user(&oidc("3", "bo"), entry!("user_added")).await?;
    assert_eq!(repository.user_of_oidc("iss", "sub").await?.map(|u| u.id), Some("3".into()));
    assert!(repository.add_user(&oidc("4", "cy"), entry!("user_added")).await.is_err(), "one person, one account");

    let session =
        |n: u8| Session { id: [n; 32], user_id: "1".into(), created_at: at(1), seen_at: at(1), expires_at: at(9) };
    repository.begin_session(&session(1), entry!("signed_in")).await?;
    repository.saw_session(&[1; 32], at(5)).await?;
    assert_eq!(repository.session(&[1; 32]).await?.map(|s| s.seen_at), Some(at(5)));
    assert_eq!(repository.user("1").await?.and_then(|u| u.last_seen_at), Some(at(5)));
    let changed = User { roles: vec!["admin".into()], ..ana };
    repository.change_user(&changed, true, entry!("user_changed")).await?;
    assert_eq!(repository.session(&[1; 32]).await?, None, "other rights, other session");
    let unknown = repository.change_user(&user("9", "x"), false, entry!("user_changed")).await;
    assert!(matches!(unknown, Err(LedgerError::Unknown { .. })), "{unknown:?}");

    let token = ApiToken {
        id: "t".into(),
        user_id: "1".into(),
        label: "l".into(),
        scopes: vec!["read".into()],
        hash: "$h".into(),
        created_at: at(1),
        expires_at: at(9),
        revoked_at: None,
        last_used_at: None,
    };
    repository.add_token(&token, entry!("token_added")).await?;
    repository.revoke_token("t", entry!("token_revoked")).await?;
    repository.revoke_token("t", entry!("token_revoked")).await?;
    assert_eq!(repository.token("t").await?.and_then(|t| t.revoked_at), Some(at(1)));
    assert_eq!((repository.tokens(Some("1")).await?.len(), repository.tokens(Some("2")).await?.len()), (1, 0));
    let kinds: Vec<String> = repository.audit_records(0, 99).await?.into_iter().map(|r| r.kind).collect();
    let expect = ["user_added", "user_added", "signed_in", "user_changed", "token_added", "token_revoked"];
    assert_eq!(kinds, expect, "each change once, refused ones not at all");
    Ok(())
}

pub(crate) async fn a_slower_hand_does_not_overwrite_an_approval(repository: &dyn Repository) -> Outcome {
    let row = |id: &str, state: &str, revision| ApprovalRow {
        id: id.into(),
        kind: "policy".into(),
        subject: "mail".into(),
        subject_version: "1".into(),
        state: state.into(),
        revision,
        requested_at: at(1),
        expires_at: at(9),
        body: json!({ "state": state }),
    };
    repository.add_approval(&row("a", "pending", 1), entry!("approval_requested")).await?;
    let doubled = repository.add_approval(&row("b", "pending", 1), entry!("approval_requested")).await;
    assert!(matches!(doubled, Err(LedgerError::Conflict { .. })), "one open request about one version");
    repository.change_approval(&row("a", "rejected", 2), entry!("approval_changed")).await?;
    let late = repository.change_approval(&row("a", "approved", 2), entry!("approval_changed")).await;
    assert!(matches!(late, Err(LedgerError::Conflict { .. })), "{late:?}");
    assert_eq!(repository.approval("a").await?.map(|a| a.state), Some("rejected".into()));
    repository.add_approval(&row("b", "pending", 1), entry!("approval_requested")).await?;
    let states = async |s: &[&str]| {
        repository.approvals(s, None, 9).await.map(|r| r.into_iter().map(|r| r.id).collect::<Vec<_>>())
    };
    assert_eq!(states(&["pending"]).await?, ["b"]);
    assert_eq!(states(&[]).await?, ["b", "a"]);
    let rest = repository.approvals(&[], Some((at(1), "b")), 9).await?;
    assert_eq!(rest.len(), 1, "after b comes a");

    repository.set_switch("frozen", Some(&json!({ "why": "x" })), entry!("frozen")).await?;
    assert_eq!(repository.switch("frozen").await?, Some(json!({ "why": "x" })));
    repository.set_switch("frozen", None, entry!("unfrozen")).await?;
    assert_eq!(repository.switch("frozen").await?, None);
    Ok(())
}

pub(crate) async fn the_tree_proves_every_record_and_every_beginning(repository: &dyn Repository) -> Outcome {
    for i in 0..21 {
        repository.append_audit(AuditEntry { kind: "k", actor: "a", payload: &json!({ "i": i }), at: at(i) }).await?;
    }
    let (size, root) = repository.audit_tree().await?;
    assert_eq!(size, 21);
    for seq in 1..=21 {
        for size in seq..=21 {
            let proof = repository.prove_inclusion(seq, size).await?;
            assert!(proof.holds() && (size < 21 || proof.root == root), "{seq} of {size}");
            let mut other = proof.clone();
            other.leaf = node_hash(&other.leaf, &other.leaf);
            assert!(!other.holds());
        }
    }
    for first in 0..=21 {
        assert!(repository.prove_consistency(first, 21).await?.holds(), "{first}");
    }
    for (seq, size) in [(0, 21), (22, 22), (5, 4), (1, 22)] {
        assert!(repository.prove_inclusion(seq, size).await.is_err(), "{seq} of {size}");
    }
    let head = AuditKey::new("log", &[1; 32]).sign(size, root, at(30));
    repository.keep_head(&head).await?;
    repository.keep_head(&head).await?;
    assert_eq!(repository.signed_heads().await?, [head]);
    let check = repository.verify_audit().await?;
    assert!(check.is_intact() && check.heads_checked == 1 && check.root == root, "{check:?}");
    let lying = AuditKey::new("log", &[1; 32]).sign(7, root, at(31));
    repository.keep_head(&lying).await?;
    assert!(!repository.verify_audit().await?.is_intact(), "a head that was signed over other records");
    Ok(())
}
