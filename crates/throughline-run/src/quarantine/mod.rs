//! Rows in quarantine: listed, corrected, labelled, and read again with the next run.

mod corrections;

mod rows;

pub(crate) use corrections::Corrections;
pub use corrections::{Outcome, Replayed};
pub(crate) use rows::each_quarantined;
pub use rows::{
    CorrectionWish, QuarantineQuery, QuarantinedRow, RowDetail, Tried, correct_row, quarantined_rows, row_detail,
    undo_correction,
};
