//! Determinism of sums: float sums depend on how rows were split over threads, so plans that have one are refused.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};

use crate::error::LakeError;

/// Aggregates that the engine accumulates in floats whatever their argument is.
fn adds_in_floats(name: &str) -> bool {
    matches!(name, "avg" | "mean" | "covar_samp" | "covar_pop" | "corr")
        || name.starts_with("stddev")
        || name.starts_with("var")
        || name.starts_with("regr_")
}

/// Refuses float `sum`, and `avg`, `stddev`, `var` and the like, anywhere in a plan. Integer sums and counts pass.
pub fn refuse_float_sums(plan: &LogicalPlan) -> Result<(), LakeError> {
    let mut found: Option<LakeError> = None;
    plan.apply(|node| {
        for input in node.inputs() {
            node.apply_expressions(|expr| {
                expr.apply(|inner| {
                    if let Expr::AggregateFunction(aggregate) = inner {
                        let name = aggregate.func.name();
                        let args = &aggregate.params.args;
                        let floats = args.iter().any(|a| a.get_type(input.schema()).is_ok_and(|t| t.is_floating()));
                        if found.is_none() && (adds_in_floats(name) || (name == "sum" && floats)) {
                            found = Some(LakeError::FloatSum {
                                function: name.to_owned(),
                                expression: args.iter().map(ToString::to_string).collect(),
                            });
                        }
                    }
                    Ok(TreeNodeRecursion::Continue)
                })
            })?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    found.map_or(Ok(()), Err)
}
