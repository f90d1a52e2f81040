//! What a compiled expression reads, and fetching it from a batch.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use arrow::datatypes::{Field, Schema as ArrowSchema, SchemaRef};
use throughline_core::expr::{Expr, Type, TypedExpr, property_value};

use super::values::{arrow_type, conformed};
use crate::error::LakeError;
use crate::rows::{Cells, expression_schema, properties_of, property_object, source_of};

/// One column of the batches that the engine gets to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// A column of the table, or a view of one.
    Column(String, Type),
    /// `properties['name']`.
    Property(String),
}

impl Input {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Column(name, _) | Self::Property(name) => name,
        }
    }

    pub(super) const fn ty(&self) -> Type {
        match self {
            Self::Column(_, ty) => *ty,
            Self::Property(_) => Type::Text,
        }
    }
}

/// The inputs in the order of their first use, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct Inputs {
    list: Vec<Input>,
}

impl Inputs {
    /// The position of an input, which is added when it is new.
    pub(super) fn position(&mut self, input: Input) -> usize {
        self.list.iter().position(|known| *known == input).unwrap_or_else(|| {
            self.list.push(input);
            self.list.len() - 1
        })
    }

    pub(super) fn schema(&self) -> ArrowSchema {
        ArrowSchema::new(self.list.iter().map(|i| Field::new(i.name(), arrow_type(i.ty()), true)).collect::<Vec<_>>())
    }

    /// The columns of a batch that are read, with all rows.
    pub(super) fn narrow(&self, batch: &RecordBatch) -> Result<RecordBatch, LakeError> {
        let schema = batch.schema_ref();
        let indices: BTreeSet<usize> = self
            .list
            .iter()
            .filter_map(|input| match input {
                Input::Column(name, _) => source_of(schema, name).map(|(index, _)| index),
                Input::Property(_) => schema.index_of("properties").ok(),
            })
            .collect();
        Ok(batch.project(&indices.into_iter().collect::<Vec<_>>())?)
    }

    /// The inputs of a batch as legal values of the language.
    pub(super) fn read(&self, batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, LakeError> {
        let rows = batch.num_rows();
        let mut properties = self.properties(batch).into_iter();
        let arrays = self
            .list
            .iter()
            .filter_map(|input| match input {
                Input::Column(name, ty) => Some(conformed(Cells::in_batch(batch, name), *ty, rows)),
                Input::Property(_) => properties.next().map(Ok),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?)
    }

    /// One array a property; each row is parsed once for all of them.
    fn properties(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        let names = self.list.iter().filter(|i| matches!(i, Input::Property(_))).map(Input::name);
        let mut columns: Vec<(&str, StringBuilder)> = names.map(|name| (name, StringBuilder::new())).collect();
        if columns.is_empty() {
            return Vec::new();
        }
        let texts = properties_of(batch);
        for row in 0..batch.num_rows() {
            let object = texts.filter(|t| !t.is_null(row)).map(|t| property_object(t.value(row))).unwrap_or_default();
            for (name, column) in &mut columns {
                column.append_option(object.get(*name).map(property_value).as_ref().and_then(|v| v.as_str()));
            }
        }
        columns.into_iter().map(|(_, mut column)| Arc::new(column.finish()) as ArrayRef).collect()
    }
}

/// Whether the table offers everything that the expression reads.
pub(super) fn check(expression: &TypedExpr, schema: &ArrowSchema) -> Result<(), LakeError> {
    let offered = expression_schema(schema);
    let mut missing = BTreeSet::new();
    visit(expression, &mut |name, ty| {
        if offered.find(name).is_none_or(|(_, found)| found != ty) {
            missing.insert(format!("`{name}` ({ty})"));
        }
    });
    if !offered.has_properties() {
        missing.extend(expression.properties().into_iter().map(|name| format!("properties['{name}']")));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let missing: Vec<String> = missing.into_iter().collect();
    Err(LakeError::Schema {
        table: "?".into(),
        reason: format!("`{expression}` reads {}, which it does not have", missing.join(", ")),
    })
}

/// Calls `f` with the name and type of every column that is read.
fn visit<'a>(expression: &'a TypedExpr, f: &mut impl FnMut(&'a str, Type)) {
    let mut nodes = vec![expression.root()];
    while let Some(node) = nodes.pop() {
        match &node.expr {
            Expr::Column { name, .. } => f(name, node.ty),
            Expr::Apply { args, .. } => nodes.extend(args),
            Expr::Literal(_) | Expr::Property(_) => {}
        }
    }
}
