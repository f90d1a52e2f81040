//! The link stage as a whole.

use std::num::NonZeroUsize;

use serde::Serialize;
use throughline_core::consent::{RemovedByConsent, Withdrawal};
use throughline_core::{PersonId, RunContext, SubjectToken};
use throughline_lake::{Lake, Session, Snapshot, Staged, Unit, columns, tables};
use throughline_vault::{Opening, Vault};

use crate::config::IdentityConfig;
use crate::decision::{Calibration, Decision, Decisions};
use crate::error::IdentityError;
use crate::gather::{Gathered, gather};
use crate::matching::{self, Match, Outcome};
use crate::profiles::{Holder, Profiles};
use crate::resolve::{Components, Link, ResolveLimits, resolve};
use crate::stable::{IdChange, name_people};
use crate::timeline::{PersonIndex, write_timeline};
use crate::write::{write_changes, write_links, write_matches, write_persons};

/// What the stage reads.
#[derive(Debug)]
pub struct IdentityInput<'a> {
    /// The configuration.
    pub config: &'a IdentityConfig,
    /// Sources whose identifiers may not be linked.
    pub unlinkable: &'a [String],
    /// Pairs of sources of which no person may rest on links of both; at most 64 sources are named.
    pub forbidden: &'a [[String; 2]],
    /// How people's decisions recalibrate probabilities.
    pub calibration: Option<Calibration>,
    /// What a withdrawal does to earlier events.
    pub withdrawal: Withdrawal,
    /// Number of person buckets of the project.
    pub buckets: u32,
    /// The events.
    pub events: Snapshot,
    /// What sources say about people.
    pub profiles: Snapshot,
    /// What people decided about pairs of identifiers, the oldest first.
    pub decisions: &'a [Decision],
    /// Opens what is said about people.
    pub vault: &'a Vault,
    /// Threads; they change the time and nothing else.
    pub threads: NonZeroUsize,
    /// The persons of the previous run, for stable ids.
    pub previous: Snapshot,
    /// What became of ids before.
    pub changes: Snapshot,
    /// Ids that were erased.
    pub erased: &'a [PersonId],
}

/// What the stage did.
#[derive(Debug, Clone, Serialize)]
pub struct IdentityReport {
    /// Events read.
    pub events: u64,
    /// Distinct identifiers.
    pub identifiers: u64,
    /// People.
    pub persons: u64,
    /// Distinct links observed.
    pub links: u64,
    /// Links refused because the person would have too many identifiers.
    pub links_refused: u64,
    /// Links refused because somebody decided to keep the identifiers apart.
    pub links_kept_apart: u64,
    /// Links refused because the person would rest on links of sources that may not be linked with each other.
    pub links_forbidden: u64,
    /// Profiles compared.
    pub profiles: u64,
    /// Profiles not compared for want of consent.
    pub profiles_without_consent: u64,
    /// Profiles not compared because their source may not be linked.
    pub profiles_by_source: u64,
    /// Pairs of profiles that were linked.
    pub matches_linked: u64,
    /// The recalibration of probabilities, where there are decisions enough.
    pub calibration: Option<Calibration>,
    /// Pairs of profiles that wait for a person to look at them.
    pub matches_to_review: u64,
    /// Events not linked for want of consent.
    pub unlinked_without_consent: u64,
    /// Events not linked because their source may not be.
    pub unlinked_by_source: u64,
    /// Rows of the timeline.
    pub timeline_rows: u64,
    /// Events that are another revision or a repetition of one in the timeline.
    pub duplicates: u64,
    /// Ids merged into another.
    pub merged: u64,
    /// Ids split.
    pub split: u64,
    /// Ids of which nothing is left.
    pub retired: u64,
    /// Ids of people who were erased so far.
    pub erased: u64,
    /// What consent removed.
    pub removed_by_consent: Vec<RemovedByConsent>,
}

/// Files to commit, and the report.
#[derive(Debug)]
pub struct IdentityOutcome {
    /// What was staged.
    pub staged: Vec<Staged>,
    /// The report.
    pub report: IdentityReport,
    /// Openings of the vault, for the audit log.
    pub openings: Vec<Opening>,
}

/// Profiles and what came of comparing them.
struct Compared {
    profiles: Profiles,
    matches: Vec<Match>,
    openings: Vec<Opening>,
}

/// Runs the stage.
pub async fn link(
    lake: &Lake,
    session: &Session,
    context: &RunContext,
    input: IdentityInput<'_>,
    unit: &Unit,
) -> Result<IdentityOutcome, IdentityError> {
    context.progress.start("link", Some(input.events.row_count()));
    let gathered = gather(&input.events, input.unlinkable, input.withdrawal, context).await?;
    let decisions = Decisions::new(input.decisions);
    let compared = compare(&input, &gathered, &decisions, context).await?;
    let components = join(&gathered, &compared, &decisions, &input);
    let previous = previous_persons(&input.previous).await?;
    let before = |token: SubjectToken| previous.binary_search_by_key(&token, |(t, _)| *t).ok().map(|i| previous[i].1);
    let mut ids = name_people(&gathered.tokens, &components.component_of, components.count, before);
    let erased = not_retired_yet(&input.changes, input.erased).await?;
    ids.retire(previous.iter().map(|(_, id)| *id), &erased);
    let persons: Vec<PersonId> = components.component_of.iter().map(|c| ids.person_of[*c as usize]).collect();

    let sources = &compared.profiles.sources;
    let mut staged = vec![
        write_links(lake, unit, &gathered, &compared.matches, sources).await?,
        write_matches(lake, unit, &compared.matches, sources).await?,
        write_persons(lake, unit, &gathered, &persons).await?,
        write_changes(lake, unit, &ids, context).await?,
    ];
    let index = PersonIndex { tokens: gathered.tokens.clone(), persons };
    let (writer, erased) = (lake.writer(&tables::timeline(), unit)?, input.erased.len() as u64);
    let calibration = input.calibration;
    let (files, rows) = write_timeline(session, input.events, index, input.buckets, writer, context).await?;
    staged.push(files);
    let count_of = |wanted| ids.changes.iter().filter(|(_, _, c)| *c == wanted).count() as u64;
    let matches_of = |wanted| compared.matches.iter().filter(|m| m.outcome == wanted).count() as u64;
    let report = IdentityReport {
        events: gathered.events,
        identifiers: gathered.tokens.len() as u64,
        persons: u64::from(components.count),
        links: gathered.links.len() as u64,
        links_refused: components.refused.len() as u64,
        links_kept_apart: components.kept_apart.len() as u64,
        links_forbidden: components.forbidden.len() as u64,
        profiles: compared.profiles.holders.len() as u64,
        profiles_without_consent: compared.profiles.without_consent,
        profiles_by_source: compared.profiles.by_source,
        matches_linked: matches_of(Outcome::Linked),
        calibration,
        matches_to_review: matches_of(Outcome::Review),
        unlinked_without_consent: gathered.removed_by_consent.removed(),
        unlinked_by_source: gathered.unlinked_by_source,
        timeline_rows: rows,
        duplicates: gathered.events.saturating_sub(rows),
        merged: count_of(IdChange::Merged),
        split: count_of(IdChange::Split),
        retired: count_of(IdChange::Retired),
        erased,
        removed_by_consent: vec![gathered.removed_by_consent],
    };
    context.progress.finish(
        "link",
        &format!("{} identifiers → {} people, {} events", report.identifiers, report.persons, report.timeline_rows),
    );
    Ok(IdentityOutcome { staged, report, openings: compared.openings })
}

/// Compares what sources say about people.
async fn compare(
    input: &IdentityInput<'_>,
    gathered: &Gathered,
    decisions: &Decisions,
    context: &RunContext,
) -> Result<Compared, IdentityError> {
    let mut profiles = Profiles::gather(&input.profiles, input.unlinkable, context).await?;
    profiles.leave_out(|token| gathered.withdrawn.refuses(token, i64::MAX));
    if profiles.holders.is_empty() {
        return Ok(Compared { profiles, matches: Vec::new(), openings: Vec::new() });
    }
    let (records, openings) = profiles.open(input.vault, context, input.threads).await?;
    let mut config = input.config.matching.clone();
    config.never_compare.extend(input.forbidden.iter().cloned());
    let matches = matching::find(&profiles, records, &config, decisions, input.calibration.as_ref(), input.threads)?;
    Ok(Compared { profiles, matches, openings })
}

/// Joins identifiers: what somebody decided first, then what was observed, the most often first, then what is probable.
fn join(gathered: &Gathered, compared: &Compared, decisions: &Decisions, input: &IdentityInput<'_>) -> Components {
    let count = u32::try_from(gathered.tokens.len()).unwrap_or(u32::MAX);
    let place = |(a, b): (SubjectToken, SubjectToken)| {
        let of = |token| gathered.index_of(token).and_then(|i| u32::try_from(i).ok());
        Some((of(a)?, of(b)?))
    };
    let mut named: Vec<&String> = input.forbidden.iter().flatten().collect();
    named.sort_unstable();
    named.dedup();
    let bit = |source: &str| {
        let place = named.iter().position(|name| *name == source).and_then(|i| u32::try_from(i).ok());
        place.and_then(|i| 1_u64.checked_shl(i)).unwrap_or_default()
    };
    let mut links = gathered.summed_links(bit);
    links.extend(decisions.decided(true).filter_map(place).map(|(a, b)| Link::new(a, b, u64::MAX)));
    let sources = &compared.profiles.sources;
    links.extend(compared.matches.iter().filter(|m| m.outcome == Outcome::Linked).filter_map(|m| {
        let (a, b) = place((m.a.token, m.b.token))?;
        let of = |holder: Holder| bit(&sources[usize::from(holder.source)]);
        Some(Link::new(a, b, 0).of(of(m.a) | of(m.b)))
    }));
    let limits = ResolveLimits {
        max_tokens: input.config.max_identifiers_per_person,
        apart: decisions.decided(false).filter_map(place).collect(),
        forbidden: input.forbidden.iter().map(|[a, b]| bit(a) | bit(b)).collect(),
    };
    resolve(count, &links, &limits)
}

/// The erased ids that no earlier run retired.
async fn not_retired_yet(changes: &Snapshot, erased: &[PersonId]) -> Result<Vec<PersonId>, IdentityError> {
    if erased.is_empty() {
        return Ok(Vec::new());
    }
    let mut retired = std::collections::BTreeSet::new();
    for batch in changes.read_all(Some(&["old_person_id", "change"])).await? {
        let (old, change) = (columns::binary(&batch, "old_person_id")?, columns::text(&batch, "change")?);
        for row in (0..batch.num_rows()).filter(|row| change.value(*row) == "retired") {
            retired.insert(PersonId(columns::id16(old.value(row))?));
        }
    }
    Ok(erased.iter().copied().filter(|id| !retired.contains(id)).collect())
}

async fn previous_persons(snapshot: &Snapshot) -> Result<Vec<(SubjectToken, PersonId)>, IdentityError> {
    let mut out = Vec::new();
    for batch in snapshot.read_all(Some(&["token", "person_id"])).await? {
        let token = columns::binary(&batch, "token")?;
        let person = columns::binary(&batch, "person_id")?;
        for row in 0..batch.num_rows() {
            out.push((SubjectToken(columns::id16(token.value(row))?), PersonId(columns::id16(person.value(row))?)));
        }
    }
    out.sort_unstable();
    Ok(out)
}
