//! What a run of a simulated project produced, held against what is true. One file a score and one line in [`SCORES`].

mod attribution;
mod evidence;
mod identity;
mod policy;
mod roi;
mod the_loop;
mod uplift;
mod watch;

mod contingency;
mod known;
mod ranking;
mod row;
mod seeds;
mod shares;
mod show;
mod view;

use std::future::Future;
use std::pin::Pin;

use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;

pub(crate) use row::{Coverage, Row};
pub(crate) use seeds::{Summary, SummaryPart, summarise};
pub(crate) use show::{parts_markdown, parts_table, summary_markdown, summary_table};
pub(crate) use view::View;

/// Every score, in the order of the line.
pub(crate) const SCORES: &[Score] = &[
    identity::SCORE,
    attribution::SCORE,
    roi::SCORE,
    evidence::SCORE,
    uplift::SCORE,
    policy::SCORE,
    the_loop::SCORE,
    watch::SCORE,
];

/// How one part of the line is held against the truth.
pub(crate) struct Score {
    /// Name of the part.
    pub(crate) part: &'static str,
    /// What is compared with what, and how each measure is defined.
    pub(crate) about: &'static str,
    /// Takes the measures.
    pub(crate) take: for<'v> fn(&'v View<'v>) -> Taking<'v>,
}

/// A score being taken: it may read tables of the lake.
pub(crate) type Taking<'v> = Pin<Box<dyn Future<Output = Result<Found, Failure>> + 'v>>;

/// What a score found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    /// Measures, and what stands behind them one by one.
    Rows {
        /// The measures.
        rows: Vec<Row>,
        /// Objects of a form of the part's own, for programs.
        details: Vec<Value>,
    },
    /// Nothing to score, and why.
    Nothing(String),
}

impl Found {
    /// Measures without details.
    pub(crate) const fn rows(rows: Vec<Row>) -> Self {
        Self::Rows { rows, details: Vec::new() }
    }

    /// Nothing to score, and why.
    pub(crate) fn nothing(why: impl Into<String>) -> Self {
        Self::Nothing(why.into())
    }
}

/// One part of the line, scored.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Part {
    /// Its name.
    #[serde(rename = "part")]
    pub(crate) name: &'static str,
    /// What is compared with what.
    pub(crate) about: &'static str,
    /// Why there is nothing to score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) absent: Option<String>,
    /// The measures.
    pub(crate) rows: Vec<Row>,
    /// What stands behind them, one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) details: Vec<Value>,
}

/// Takes every score of a project.
pub(crate) async fn score(view: &View<'_>) -> Result<Vec<Part>, Failure> {
    let mut parts = Vec::with_capacity(SCORES.len());
    for Score { part, about, take } in SCORES {
        let (absent, mut rows, details) = match take(view).await? {
            Found::Rows { rows, .. } if rows.is_empty() => {
                (Some("the run has nothing of this part".to_owned()), rows, Vec::new())
            }
            Found::Rows { rows, details } => (None, rows, details),
            Found::Nothing(why) => (Some(why), Vec::new(), Vec::new()),
        };
        for row in &mut rows {
            row.part = part;
        }
        parts.push(Part { name: part, about, absent, rows, details });
    }
    Ok(parts)
}
