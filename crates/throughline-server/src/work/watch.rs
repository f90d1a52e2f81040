//! What other processes of the same project do (a run from the command line, say) is news as well. Signs heads of the audit
//! log, expires requests.

use std::collections::BTreeMap;
use std::time::Duration;

use super::hub::Topic;
use super::requests;
use crate::app::Shared;
use crate::problem::ApiError;

/// How often other processes' changes are looked for.
const LOOK: Duration = Duration::from_secs(2);
/// How often a head is signed when the log grew, in looks.
const SIGN_EVERY: u32 = 150;

/// Looks until the server stops.
pub(crate) async fn keep(app: Shared) {
    let mut seen: Seen = (BTreeMap::new(), 0);
    for look in 0_u32.. {
        tokio::time::sleep(LOOK).await;
        match glance(&app, &seen).await {
            Ok(now) => seen = now,
            Err(error) => tracing::warn!(error = %crate::problem::chain(&error), "the ledger did not answer"),
        }
        if look % SIGN_EVERY == 0
            && let Err(error) = throughline_run::sign_head(&app.project(), app.ledger(), app.now()).await
        {
            tracing::warn!(error = %crate::problem::chain(&error), "no head of the audit log was signed");
        }
    }
}

type Seen = (BTreeMap<String, u64>, u64);

async fn glance(app: &Shared, seen: &Seen) -> Result<Seen, ApiError> {
    requests::expire(app).await?;
    let manifest = app.ledger().manifest().await?;
    let (size, _) = app.ledger().audit_tree().await?;
    if manifest != seen.0 {
        app.hub.changed([Topic::Line, Topic::Decisions]);
    }
    if size != seen.1 {
        app.hub.changed([Topic::Audit, Topic::Approvals, Topic::Line]);
    }
    Ok((manifest, size))
}
