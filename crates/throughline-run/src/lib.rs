#![doc = include_str!("../README.md")]

pub mod diagnostics;

mod error;

pub mod project;

mod stage;

mod stages;

pub mod approvals;

mod gate;

mod configuration;

pub mod audit_key;

mod engine;

mod query;

mod report;

mod page;

mod explain;

mod compare;

mod part;

mod reconcile;

mod matches;

mod erase;

mod evidence;

mod sources;

mod quarantine;

pub mod consent;

pub use compare::{Compared, ComparedCredit, Side, compare_attribution};
pub use configuration::record as record_configuration;
pub use consent::consent_report;
pub use engine::{Clock, RunOptions, Stores, run, sign_head};
pub use erase::{
    Delivered, EraseOptions, ErasedRows, Erasing, Erasure, ErasureReport, PendingDeletion, confirm_deletion, erase,
    erasures,
};
pub use error::RunError;
pub use evidence::{
    EvidenceItem, EvidenceList, EvidenceWish, approve_evidence, kept_evidence, list_evidence, record_evidence,
    retire_evidence,
};
pub use explain::{Subject, each_row, explain, person_tokens, row_objects, table_rows};
pub use matches::{
    Accuracy, Bin, DrawnPair, Fitted, Logins, MatchDraw, OUTCOMES, Reliability, ReviewPair, ReviewQuery, Sampled,
    decide_identity, draw_matches, draws, match_accuracy, open_match, person_links, review_queue,
};
pub use part::credit_of_part;
pub use project::Project;
pub use quarantine::{
    CorrectionWish, Outcome, QuarantineQuery, QuarantinedRow, Replayed, RowDetail, Tried, correct_row,
    quarantined_rows, row_detail, undo_correction,
};
pub use query::{Answer, query};
pub use reconcile::{PlatformBridge, reconcile_platforms};
pub use report::{Lineage, RunReport, StageReport, UnitReport, UnitStatus};
pub use sources::{
    CheckReport, DayVolume, LabelCheck, QuarantineGroup, SourceCheck, SourceReport, SourceState, SourcesReport,
    check_sources, source_states, sources_report,
};
pub use stages::stage_names;
pub use stages::{JourneyFilter, JourneyFilters, PartOfChannel, PartOfCredit, PartOfModel};
pub use throughline_attribution::Ratio;
pub use throughline_attribution::reconcile::Amount;
pub use throughline_features::{Aggregate, MetricConfig, MetricKind, features_table, labels_table};
pub use throughline_lake::tables;
