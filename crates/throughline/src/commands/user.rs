//! `throughline user`: accounts, for those who hold the project's files.

use std::process::ExitCode;

use serde_json::{Value, json};
use throughline_core::Timestamp;
use throughline_run::Project;
use throughline_server::sign_in_link;

use super::{block_on, variables};
use crate::cli::{UserLinkArgs, UserListArgs};
use crate::failure::Failure;
use crate::output::{print, print_json, table};

/// Lists the accounts.
pub(super) fn list(args: &UserListArgs) -> Result<ExitCode, Failure> {
    let project = Project::load(&args.project.project, variables(&args.project.variables))?;
    let users = block_on(async {
        let users = project.open_ledger().await?.users().await.map_err(throughline_run::RunError::from)?;
        Ok::<_, Failure>(users)
    })??;
    if args.project.json {
        let users: Vec<Value> = users
            .iter()
            .map(|u| {
                json!({ "id": u.id, "name": u.name, "display_name": u.display_name, "roles": u.roles,
                "sign_offs": u.sign_offs, "disabled": u.disabled, "last_seen_at": u.last_seen_at })
            })
            .collect();
        print_json(&json!({ "users": users }))?;
    } else {
        let seen = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
        let rows: Vec<Vec<String>> = users
            .iter()
            .map(|u| vec![u.name.clone(), u.roles.join(", "), u.sign_offs.join(", "), seen(u.last_seen_at)])
            .collect();
        print(&table(&["name", "roles", "sign-offs", "last seen"], &[], &rows))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes a link to sign in with, for an account that exists.
pub(super) fn link(args: &UserLinkArgs) -> Result<ExitCode, Failure> {
    let project = Project::load(&args.project.project, variables(&args.project.variables))?;
    let now = (throughline_server::system_clock()).now();
    let link = block_on(async {
        let ledger = project.open_ledger().await?;
        Ok::<_, Failure>(sign_in_link(ledger.as_ref(), &args.name, args.url.trim_end_matches('/'), now).await?)
    })??;
    if args.project.json {
        print_json(&json!({ "sign_in": link }))?;
    } else {
        print(&format!("sign in (once, within 24 hours): {link}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
