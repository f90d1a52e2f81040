//! News for open pages.

use std::collections::BTreeSet;

use tokio::sync::broadcast;

use super::runner::RunState;

/// Something an open page should know.
#[derive(Debug, Clone)]
pub(crate) enum News {
    /// How the run at work stands.
    Run(RunState),
    /// What to fetch again.
    Changed(BTreeSet<Topic>),
}

/// Parts of what pages show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Topic {
    /// Stages, runs, switches.
    Line,
    /// Requests for approval.
    Approvals,
    /// The audit log.
    Audit,
    /// Decisions, conversions, credits.
    Decisions,
    /// Pairs of records, and what people decided about them.
    Matches,
    /// What is known about effects.
    Evidence,
}

/// Tells everybody who listens. Slow listeners lose old news and fetch everything again.
#[derive(Debug, Clone)]
pub(crate) struct Hub(broadcast::Sender<News>);

impl Default for Hub {
    fn default() -> Self {
        Self(broadcast::channel(256).0)
    }
}

impl Hub {
    pub(crate) fn listen(&self) -> broadcast::Receiver<News> {
        self.0.subscribe()
    }

    pub(crate) fn tell(&self, news: News) {
        // Nobody listening is fine.
        drop(self.0.send(news));
    }

    pub(crate) fn changed(&self, topics: impl IntoIterator<Item = Topic>) {
        self.tell(News::Changed(topics.into_iter().collect()));
    }
}
