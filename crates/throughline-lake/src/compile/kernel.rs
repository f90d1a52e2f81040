//! Operations that the engine does not have, or has with other answers.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem::discriminant;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use throughline_core::expr::{Op, Type, Value, call};

use super::values::{arrow_type, collect, scalar};
use crate::rows::Cells;

/// One operation of the language, row by row through [`call`].
///
/// A node of its own rather than a scalar function of the engine: that would ask each argument for its nullability
/// with every batch, and a CASE finds it out by trial evaluation.
#[derive(Debug)]
pub(super) struct Kernel {
    pub(super) op: Op,
    pub(super) args: Vec<Arc<dyn PhysicalExpr>>,
    pub(super) ty: Type,
}

impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        self.op == other.op && self.ty == other.ty && self.args == other.args
    }
}

// Operations hold constants of the language, and no such float is NaN.
impl Eq for Kernel {}

impl Hash for Kernel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        discriminant(&self.op).hash(state);
        self.ty.hash(state);
        self.args.hash(state);
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}(", self.op)?;
        for (index, arg) in self.args.iter().enumerate() {
            write!(f, "{}{arg}", if index == 0 { "" } else { ", " })?;
        }
        f.write_str(")")
    }
}

impl PhysicalExpr for Kernel {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(arrow_type(self.ty))
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let args = self.args.iter().map(|arg| arg.evaluate(batch)).collect::<Result<Vec<_>>>()?;
        // Constants stand in their place from the start; the others change from row to row.
        let mut row_args = vec![Value::Null; args.len()];
        let mut varying = Vec::with_capacity(args.len());
        for (index, arg) in args.iter().enumerate() {
            match arg {
                ColumnarValue::Array(array) => varying.push((index, Cells::of(array))),
                ColumnarValue::Scalar(constant) => row_args[index] = Cells::of(&constant.to_array()?).value(0),
            }
        }
        if varying.is_empty() {
            return Ok(ColumnarValue::Scalar(scalar(&call(&self.op, &row_args), self.ty)));
        }
        let answers = (0..batch.num_rows()).map(|row| {
            for (index, cells) in &varying {
                row_args[*index] = cells.value(row);
            }
            call(&self.op, &row_args)
        });
        Ok(ColumnarValue::Array(collect(self.ty, answers)?))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.args.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, args: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Self { op: self.op.clone(), args, ty: self.ty }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
