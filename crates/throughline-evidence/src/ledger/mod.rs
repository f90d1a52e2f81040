//! The evidence ledger, as pure rules: what a record says, how it stands, what it may decide, and where records contradict
//! each other. Storage is the caller's.

mod conflict;

mod gate;

mod record;

mod standing;

pub use conflict::{Conflict, conflicts, independent};
pub use gate::{Question, Reason, Requirement, Verdict, WantedEffect, weigh};
pub use record::{About, Contrast, Design, Estimand, EvidenceRecord, Scope, Source};
pub use standing::{Kept, Note, NoteKind, Standing};
