//! `throughline audit`: the audit log checked, proved and handed out, with no server.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};
use throughline_ledger::{
    AuditCheck, AuditRecord, ConsistencyProof, InclusionProof, PublicKey, Repository, SignedHead, check_records,
};
use throughline_run::{Project, RunError, audit_key, sign_head};

use super::{block_on, variables};
use crate::cli::{AuditExportArgs, AuditHeadArgs, AuditProveArgs, AuditVerifyArgs, ProjectArgs};
use crate::failure::Failure;
use crate::output::{print, print_json};

async fn open(args: &ProjectArgs) -> Result<(Project, Arc<dyn Repository>), Failure> {
    let project = Project::load(&args.project, variables(&args.variables))?;
    let ledger = project.open_ledger().await?;
    Ok((project, ledger))
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|source| Failure::Io {
        doing: "read",
        path: path.display().to_string(),
        source,
    })
}

/// Prints a signed head, to be kept elsewhere.
pub(super) fn head(args: &AuditHeadArgs) -> Result<ExitCode, Failure> {
    let (head, key) = block_on(async {
        let (project, ledger) = open(&args.project).await?;
        let head = sign_head(&project, ledger.as_ref(), throughline_server::system_clock().now()).await?;
        Ok::<_, Failure>((head, audit_key::open(&project)?.public()))
    })??;
    if args.project.json {
        print_json(&json!({ "origin": head.head.origin, "size": head.head.size, "root": hex::encode(head.head.root),
            "at": head.head.at, "note": head.note, "public_key": key.to_string() }))?;
    } else {
        print(head.note.trim_end())?;
        print(&format!("\nkey: {key}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a proof.
pub(super) fn prove(args: &AuditProveArgs) -> Result<ExitCode, Failure> {
    let proof = block_on(async {
        let (_, ledger) = open(&args.project).await?;
        let size = match args.size {
            Some(size) => size,
            None => ledger.audit_tree().await.map_err(RunError::from)?.0,
        };
        let proof = match (args.seq, args.first) {
            (Some(seq), _) => json!(ledger.prove_inclusion(seq, size).await.map_err(RunError::from)?),
            (None, first) => {
                json!(ledger.prove_consistency(first.unwrap_or(0), size).await.map_err(RunError::from)?)
            }
        };
        Ok::<_, Failure>(proof)
    })??;
    print_json(&proof)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the log as JSON Lines.
pub(super) fn export(args: &AuditExportArgs) -> Result<ExitCode, Failure> {
    block_on(async {
        let (_, ledger) = open(&args.project).await?;
        let mut after = 0;
        loop {
            let records = ledger.audit_records(after, 1000).await.map_err(RunError::from)?;
            let Some(last) = records.last() else { return Ok::<_, Failure>(()) };
            after = last.seq;
            for record in &records {
                print(&serde_json::to_string(record)?)?;
            }
        }
    })??;
    Ok(ExitCode::SUCCESS)
}

/// What was checked and found.
struct Findings {
    check: Option<AuditCheck>,
    /// One line for each thing that does not hold.
    faults: Vec<String>,
    heads: usize,
    proofs: usize,
}

/// Checks a log: that of a project, or an exported one, against heads and proofs given out before.
pub(super) fn verify(args: &AuditVerifyArgs) -> Result<ExitCode, Failure> {
    let heads: Vec<SignedHead> = args.heads.iter().map(|p| parse_head(p.as_path())).collect::<Result<_, _>>()?;
    let mut key: Option<PublicKey> = args.key.as_deref().map(parse_key).transpose()?;
    let mut found = Findings { check: None, faults: Vec::new(), heads: heads.len(), proofs: args.proofs.len() };
    if let Some(file) = &args.file {
        let records = parse_records(&read(file)?)?;
        found.check = Some(check_records(&records, heads.iter().map(|h| (h.head.size, h.head.root)).collect()));
    } else if args.proofs.is_empty() {
        let (check, own_key) = block_on(check_project(&args.project, &heads, &mut found))??;
        found.check = Some(check);
        // A head given from outside is worth its signature by a key given from outside; the log's own key will do where
        // there is none.
        key = key.or(Some(own_key));
    }
    match &key {
        Some(key) => {
            let bad = heads.iter().filter(|h| !h.verify(key));
            found.faults.extend(bad.map(|h| format!("the head of {} records is not signed by this key", h.head.size)));
        }
        None if !heads.is_empty() => found.faults.push("no key was given to verify the heads with (--key)".to_owned()),
        None => {}
    }
    for path in &args.proofs {
        let proof: Value = serde_json::from_str(&read(path)?)?;
        if let Err(why) = check_proof(&proof, &heads) {
            found.faults.push(format!("{}: {why}", path.display()));
        }
    }
    report(args, &found)
}

async fn check_project(
    args: &ProjectArgs,
    heads: &[SignedHead],
    found: &mut Findings,
) -> Result<(AuditCheck, PublicKey), Failure> {
    let (project, ledger) = open(args).await?;
    let key = audit_key::open(&project)?.public();
    let check = ledger.verify_audit().await.map_err(RunError::from)?;
    let kept = ledger.signed_heads().await.map_err(RunError::from)?;
    let unsigned = kept.iter().filter(|h| !h.verify(&key));
    found
        .faults
        .extend(unsigned.map(|h| format!("the kept head of {} records is not signed by the log's key", h.head.size)));
    for head in heads {
        if head.head.size > check.records {
            let (given, has) = (head.head.size, check.records);
            found
                .faults
                .push(format!("the given head covers {given} records, the log has {has}: it was cut or restored"));
            continue;
        }
        let proof = ledger.prove_consistency(head.head.size, check.records).await.map_err(RunError::from)?;
        if !proof.holds() || proof.first_root != head.head.root {
            found.faults.push(format!("the log is not a continuation of the given head of {} records", head.head.size));
        }
    }
    Ok((check, key))
}

fn parse_head(path: &Path) -> Result<SignedHead, Failure> {
    // A note as printed by `audit head` may be followed by the key.
    let text = read(path)?;
    let note = text.split("\nkey: ").next().unwrap_or_default();
    Ok(SignedHead::parse(note).map_err(RunError::from)?)
}

fn parse_key(text: &str) -> Result<PublicKey, Failure> {
    let text = if Path::new(text).is_file() { read(Path::new(text))? } else { text.to_owned() };
    Ok(text.trim().parse::<PublicKey>().map_err(RunError::from)?)
}

fn parse_records(text: &str) -> Result<Vec<AuditRecord>, Failure> {
    text.lines().filter(|l| !l.trim().is_empty()).map(|l| Ok(serde_json::from_str(l)?)).collect()
}

/// Whether a proof holds and leads to one of the heads.
fn check_proof(proof: &Value, heads: &[SignedHead]) -> Result<(), String> {
    let (holds, size, root) = if proof.get("seq").is_some() {
        let proof: InclusionProof = serde_json::from_value(proof.clone()).map_err(|e| e.to_string())?;
        (proof.holds(), proof.size, proof.root)
    } else {
        let proof: ConsistencyProof = serde_json::from_value(proof.clone()).map_err(|e| e.to_string())?;
        (proof.holds(), proof.second, proof.second_root)
    };
    if !holds {
        return Err("the proof does not hold".to_owned());
    }
    if !heads.iter().any(|h| h.head.size == size && h.head.root == root) {
        return Err(format!("the proof holds, but no given head (--head) has its {size} records and root"));
    }
    Ok(())
}

fn report(args: &AuditVerifyArgs, found: &Findings) -> Result<ExitCode, Failure> {
    let own = found.check.as_ref().map_or(0, |c| c.fault_count);
    let intact = own == 0 && found.faults.is_empty();
    if args.project.json {
        print_json(&json!({ "intact": intact, "log": found.check, "heads_given": found.heads,
            "proofs_given": found.proofs, "faults": found.faults }))?;
    } else {
        if let Some(check) = &found.check {
            print(&format!("{} records, root {}", check.records, hex::encode(check.root)))?;
            print(&format!("{} signed heads compared, {} given", check.heads_checked, found.heads))?;
            for fault in &check.faults {
                print(&format!("fault: {}", serde_json::to_string(fault)?))?;
            }
        }
        for fault in &found.faults {
            print(&format!("fault: {fault}"))?;
        }
        print(if intact { "the audit log is intact" } else { "THE AUDIT LOG IS NOT INTACT" })?;
    }
    Ok(if intact { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
