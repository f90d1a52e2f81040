//! `throughline.yaml`, `attribution.yaml` and `policies/*.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;
use throughline_core::consent::Withdrawal;
use throughline_core::{Currency, Diagnostic, Level, Purpose, Share, Timestamp};
use throughline_decide::{Action, Constraints};
use throughline_evidence::Requirement;
use throughline_journeys::{ConversionConfig, JourneyConfig, JourneyRules, SegmentConfig};

use super::incremental::IncrementalConfig;
use super::linking::LinkingConfig;
use super::platforms::PlatformConfig;

/// `throughline.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectConfig {
    /// Version of the file format.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `Project`.
    pub kind: String,
    /// Name of the project.
    pub name: String,
    /// What the team wants to know, in its words.
    #[serde(default)]
    pub questions: Vec<String>,
    /// What counts as success, in its words.
    #[serde(default)]
    pub success_metrics: Vec<String>,
    /// The currency of values and budgets.
    pub currency: Currency,
    /// The business outcomes to be credited and predicted.
    #[serde(default)]
    pub conversions: Vec<ConversionConfig>,
    /// The instant the project lives at, for historical and simulated data: only what could be known then is used, and
    /// expiry is judged then. Absent, a project lives now.
    #[serde(default)]
    pub as_of: Option<Timestamp>,
    /// Where the ledger is kept: a PostgreSQL address, or `${VARIABLE}` that holds one. Absent, in a file of the project.
    #[serde(default)]
    pub ledger: Option<Spanned<String>>,
    /// Which sources may be linked, by purpose.
    #[serde(default)]
    pub linking: BTreeMap<Purpose, LinkingConfig>,
    /// Rules of privacy.
    #[serde(default)]
    pub privacy: PrivacyConfig,
    /// When a server runs the line by itself.
    #[serde(default)]
    pub schedule: Vec<ScheduleConfig>,
    /// Seed of every random stream.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Person buckets: the unit of bounded memory. Fixed for the life of a project.
    #[serde(default = "default_buckets")]
    pub buckets: u32,
    /// Memory the query engine may use before it spills, in MiB.
    #[serde(default = "default_memory_mb")]
    pub memory_mb: usize,
}

/// Rules of privacy.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivacyConfig {
    /// What a withdrawal of consent does to earlier events: `forward` leaves them, `recompute` leaves them out of the next
    /// run.
    #[serde(default)]
    pub withdrawal: Withdrawal,
}

/// Runs by the clock of a server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleConfig {
    /// Name.
    pub name: String,
    /// Minutes from the beginning of one run to the beginning of the next.
    pub every_minutes: std::num::NonZeroU32,
    /// At most so many minutes more, by chance.
    #[serde(default)]
    pub jitter_minutes: u32,
    /// Only this stage, computed anew.
    #[serde(default)]
    pub stage: Option<String>,
    /// This stage and everything after it, computed anew: a scoring cycle.
    #[serde(default)]
    pub from: Option<String>,
}

/// Findings about the schedules of a project: stages that do not exist, two ways of saying which, one name twice.
pub(super) fn check_schedules(schedules: &[ScheduleConfig], file: &str) -> Vec<Diagnostic> {
    let stages = crate::stage_names();
    let mut names = BTreeSet::new();
    let mut found = Vec::new();
    let mut finding = |schedule: &ScheduleConfig, what: String, help: String| {
        let message = format!("schedule `{}` {what}", schedule.name);
        found.push(Diagnostic::error("TL015", message).help(help).at(file, None, None));
    };
    for schedule in schedules {
        if !names.insert(&schedule.name) {
            finding(schedule, "is there twice".into(), "give each a name of its own".into());
        }
        if schedule.stage.is_some() && schedule.from.is_some() {
            finding(schedule, "names both `stage` and `from`".into(), "keep one of them".into());
        }
        for stage in schedule.stage.iter().chain(&schedule.from).filter(|s| !stages.contains(&s.as_str())) {
            finding(schedule, format!("names the unknown stage `{stage}`"), format!("known: {}", stages.join(", ")));
        }
    }
    found
}

const fn default_seed() -> u64 {
    1
}

const fn default_buckets() -> u32 {
    16
}

const fn default_memory_mb() -> usize {
    1024
}

/// `attribution.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributionConfig {
    /// Version of the file format.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `Attribution`.
    pub kind: String,
    /// How touches become journeys.
    #[serde(default)]
    pub journeys: JourneyConfig,
    /// Groups of people that credit is broken down by.
    #[serde(default)]
    pub segments: Vec<Spanned<SegmentConfig>>,
    /// Model specifications such as `linear`, `time_decay:7d`, `markov:1`.
    pub models: Vec<Spanned<String>>,
    /// How intervals are made.
    #[serde(default)]
    pub bootstrap: BootstrapConfig,
    /// Credits scaled to what experiments found.
    #[serde(default)]
    pub incremental: Option<IncrementalConfig>,
    /// Platforms that report conversions of their own.
    #[serde(default)]
    pub platforms: Vec<PlatformConfig>,
}

impl AttributionConfig {
    /// What decides a project's journeys.
    pub(crate) fn journey_rules(&self, project: &ProjectConfig) -> JourneyRules {
        JourneyRules {
            config: self.journeys.clone(),
            conversions: project.conversions.clone(),
            withdrawal: project.privacy.withdrawal,
            segments: self.segments.iter().map(|s| s.value.clone()).collect(),
        }
    }
}

/// Intervals of credits.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BootstrapConfig {
    /// Poisson bootstrap draws.
    pub draws: usize,
    /// Confidence level.
    pub level: Level,
    /// Graphs of identity that are drawn, where links are uncertain: intervals count what not knowing who is whom adds. None
    /// below 2.
    pub identity_graphs: usize,
}

impl Default for BootstrapConfig {
    fn default() -> Self {
        Self { draws: 200, level: Level::P90, identity_graphs: 20 }
    }
}

/// The model behind a policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Uplift model of the registry.
    #[serde(default = "default_model")]
    pub name: String,
    /// Its parameters.
    #[serde(default)]
    pub params: serde_json::Value,
    /// The experiment it learns from.
    pub experiment: Spanned<String>,
    /// The metric whose change it predicts.
    pub outcome: Spanned<String>,
    /// Share of people it learns from; the others evaluate it.
    #[serde(default = "default_train_share")]
    pub train_share: Share,
    /// Hours until scores are too old to decide on.
    #[serde(default = "default_expiry_hours")]
    pub expires_after_hours: f64,
}

fn default_model() -> String {
    "two_model".into()
}

fn default_train_share() -> Share {
    Share::HALF
}

const fn default_expiry_hours() -> f64 {
    24.0
}

/// What must be shown before actions of a policy are taken.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gates {
    /// The evidence each action with an arm needs; none without.
    pub evidence: Requirement,
}

/// A policy file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// Version of the file format.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `Policy`.
    pub kind: String,
    /// Name.
    pub name: Spanned<String>,
    /// What it is for, in words.
    #[serde(default)]
    pub description: Option<String>,
    /// Who answers for it.
    #[serde(default)]
    pub owner: Option<String>,
    /// The model it decides by.
    pub model: ModelConfig,
    /// The actions; exactly one of kind `none`.
    pub actions: Vec<Action>,
    /// Money earned per unit of outcome; a share where the outcome is money.
    pub margin: f64,
    /// Whether the outcome is money.
    #[serde(default)]
    pub outcome_is_money: bool,
    /// Limits.
    #[serde(default)]
    pub constraints: Constraints,
    /// What must be shown before its actions are taken.
    #[serde(default)]
    pub gates: Gates,
    /// Hours until a decision expires.
    #[serde(default = "default_expiry_hours")]
    pub decisions_expire_after_hours: f64,
    /// Salt of holdout and exploration; the policy's name when absent.
    #[serde(default)]
    pub salt: Option<String>,
}
