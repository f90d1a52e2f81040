//! What a file holds, for `check`: no vault, no lake, nothing written.

mod tally;

use serde::Serialize;
use throughline_core::RunContext;

use crate::cell::Column;
use crate::compile::CompiledSource;
use crate::error::{IngestError, RowExample};
use crate::evaluate::Evaluator;
use crate::location::SourceFile;
use crate::read::TypedReader;
use crate::report::IngestReport;
use crate::stage::{evaluate, example};
pub use tally::{FieldTally, Tally, tally};

/// Refused rows that are kept as examples.
const EXAMPLES: usize = 20;

/// A look into a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// Whether rows beyond the limit were left unread.
    pub partial: bool,
    /// Every column of the source, in the order of the files.
    pub columns: Vec<ColumnProfile>,
    /// What would become of the rows that were read.
    pub report: IngestReport,
    /// The first refused rows.
    pub examples: Vec<RowExample>,
}

/// A look into a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnProfile {
    /// Name.
    pub name: String,
    /// Type in expressions.
    pub ty: String,
    /// Rows without a value, of those whose form could be read.
    pub nulls: u64,
    /// `nulls` as a share of those rows; 0 without rows.
    pub null_share: f64,
}

/// Reads up to `max_rows` rows (rounded up to whole batches) and says what would become of them.
pub fn profile(
    source: &CompiledSource,
    file: &SourceFile,
    context: &RunContext,
    max_rows: u64,
) -> Result<Profile, IngestError> {
    let layout = source.layout(true);
    let mut reader = TypedReader::open(source, file, &layout)?;
    let mut evaluator = Evaluator::new(source, context);
    let mut report = IngestReport::new(&source.config.name.value, &file.name);
    let mut examples = Vec::new();
    let mut nulls = vec![0_u64; layout.wanted.len()];
    let (mut readable, mut partial) = (0, false);
    loop {
        if context.is_cancelled() {
            return Err(IngestError::Cancelled { file: file.name.clone() });
        }
        let Some(rows) = reader.next_batch()? else { break };
        if report.rows_read >= max_rows {
            partial = true;
            break;
        }
        readable += rows.batch.numbers.len() as u64;
        for (count, column) in nulls.iter_mut().zip(&rows.batch.columns) {
            *count += Column::nulls(column) as u64;
        }
        let (_, refused) = evaluate(&rows, &layout, &mut evaluator, &mut report);
        examples.extend(refused.iter().take(EXAMPLES - examples.len()).map(example));
        report.rows_read = reader.rows_read();
    }
    report.columns_unused = source.columns_unused();
    report.remark(&source.warnings, evaluator.unreadable_consent());
    let columns = layout.wanted.iter().zip(nulls).map(|((name, ty), nulls)| ColumnProfile {
        name: name.clone(),
        ty: ty.sql().to_lowercase(),
        nulls,
        null_share: nulls as f64 / f64::max(readable as f64, 1.0),
    });
    Ok(Profile { partial, columns: columns.collect(), report, examples })
}
