//! Expressions on batches.
//!
//! A [`CompiledExpr`] is an expression of [`throughline_core::expr`] as a physical expression of the engine. Columns,
//! comparisons, logic, IN, LIKE and CASE are the engine's own; every other operation is one node that applies
//! [`throughline_core::expr::call`] row by row. An operation is left to the engine only where its answers are the same
//! for every input, so that a batch gives exactly what the row evaluator gives for each of its rows.

mod inputs;
mod kernel;
mod lower;
mod values;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, BooleanBufferBuilder, RecordBatch, new_empty_array};
use arrow::compute::{concat, filter_record_batch};
use arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use datafusion::physical_expr::PhysicalExpr;
use throughline_core::expr::{Type, TypedExpr};

use crate::error::LakeError;
use inputs::Inputs;
use lower::Lowering;

/// Rows computed at once: enough to pay for the calls, few enough to stay in the cache.
const STEP_ROWS: usize = 16_384;
/// The same when texts are made, each up to 1 MiB: bounds the memory of a step, and no array of texts holds 2 GiB.
const TEXT_STEP_ROWS: usize = 256;

/// An expression compiled to the engine, for batches of one table.
#[derive(Debug, Clone)]
pub struct CompiledExpr {
    root: Arc<dyn PhysicalExpr>,
    ty: Type,
    inputs: Inputs,
    /// Of the batches that `root` reads: one column an input.
    schema: SchemaRef,
    step_rows: usize,
}

impl CompiledExpr {
    /// Compiles an expression that was parsed against [`expression_schema`](crate::expression_schema) of `schema`.
    /// [`LakeError::Schema`] when it names a column or property that `schema` does not offer with that type.
    pub fn new(expression: &TypedExpr, schema: &ArrowSchema) -> Result<Self, LakeError> {
        inputs::check(expression, schema)?;
        let mut lowering = Lowering::default();
        let root = lowering.root(expression.root())?;
        let step_rows = if lowering.makes_text { TEXT_STEP_ROWS } else { STEP_ROWS };
        let schema = Arc::new(lowering.inputs.schema());
        Ok(Self { root, ty: expression.ty(), inputs: lowering.inputs, schema, step_rows })
    }

    /// The type of the answers.
    pub const fn ty(&self) -> Type {
        self.ty
    }

    /// The answers for all rows: Bool as Boolean, Int as Int64, Float as Float64, Text as Utf8 and Time as Timestamp in
    /// microseconds UTC. Columns that the batch lacks, or has with another type, read as NULL (integers as floats).
    /// Fails only when the answers of the whole batch are more than 2 GiB of text.
    pub fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, LakeError> {
        let rows = batch.num_rows();
        if rows <= self.step_rows {
            return self.step(batch);
        }
        let steps: Vec<ArrayRef> = (0..rows)
            .step_by(self.step_rows)
            .map(|start| self.step(&batch.slice(start, self.step_rows.min(rows - start))))
            .collect::<Result<_, _>>()?;
        let steps: Vec<&dyn Array> = steps.iter().map(AsRef::as_ref).collect();
        Ok(concat(&steps)?)
    }

    /// The answers for the rows where `rows` is true, in their order. The others are not computed.
    pub fn evaluate_where(&self, batch: &RecordBatch, rows: &BooleanArray) -> Result<ArrayRef, LakeError> {
        // Only what is read is copied.
        let read = self.inputs.narrow(batch)?;
        self.evaluate(&filter_record_batch(&read, rows)?)
    }

    /// The rows where a condition holds; NULL does not. There are no nulls in the answer. An expression that is no
    /// condition holds nowhere.
    pub fn permits(&self, batch: &RecordBatch) -> Result<BooleanArray, LakeError> {
        let answers = self.evaluate(batch)?;
        let Some(answers) = answers.as_any().downcast_ref::<BooleanArray>() else {
            let mut nowhere = BooleanBufferBuilder::new(batch.num_rows());
            nowhere.append_n(batch.num_rows(), false);
            return Ok(BooleanArray::new(nowhere.finish(), None));
        };
        Ok(match answers.nulls() {
            Some(known) => BooleanArray::new(answers.values() & known.inner(), None),
            None => answers.clone(),
        })
    }

    fn step(&self, batch: &RecordBatch) -> Result<ArrayRef, LakeError> {
        if batch.num_rows() == 0 {
            return Ok(new_empty_array(&values::arrow_type(self.ty)));
        }
        let inputs = self.inputs.read(batch, &self.schema)?;
        Ok(self.root.evaluate(&inputs)?.into_array(inputs.num_rows())?)
    }
}
