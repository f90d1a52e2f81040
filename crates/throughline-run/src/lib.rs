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

mod report;

mod page;

mod explain;

mod matches;

mod sources;

mod quarantine;

pub mod consent;

pub use configuration::record as record_configuration;
pub use consent::consent_report;
pub use engine::{Clock, RunOptions, Stores, run, sign_head};
pub use error::RunError;
pub use explain::{Subject, each_row, explain, person_tokens, row_objects, table_rows};
pub use matches::{ReviewPair, ReviewQuery, decide_identity, person_links, review_queue};
pub use project::Project;
pub use quarantine::{
    CorrectionWish, Outcome, QuarantineQuery, QuarantinedRow, Replayed, RowDetail, Tried, correct_row,
    quarantined_rows, row_detail, undo_correction,
};
pub use report::{Lineage, RunReport, StageReport, UnitReport, UnitStatus};
pub use sources::{
    CheckReport, DayVolume, LabelCheck, QuarantineGroup, SourceCheck, SourceReport, SourceState, SourcesReport,
    check_sources, source_states, sources_report,
};
pub use stages::stage_names;
pub use throughline_features::{Aggregate, MetricConfig, MetricKind, features_table, labels_table};
pub use throughline_lake::tables;
