//! From the typed tree to physical expressions.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, Column, LikeExpr, Literal, cast, in_list, is_not_null, is_null, not,
};
use throughline_core::expr::{Expr, Op, Type, Typed, Value, call};

use super::inputs::{Input, Inputs};
use super::kernel::Kernel;
use super::values::scalar;

/// The engine keeps, for every CASE, copies of its branches with other column numbers, and makes those of a nested CASE
/// again at each level: twice the work and space a level. Beyond these levels rows are computed one by one.
const MAX_NATIVE_CASES: usize = 3;

/// The engine compiles LIKE to a regular expression for each batch; long patterns are matched directly.
const MAX_NATIVE_PATTERN_BYTES: usize = 256;

/// Lowers one expression and collects what it reads.
#[derive(Debug, Default)]
pub(super) struct Lowering {
    pub(super) inputs: Inputs,
    /// Whether some operation makes texts.
    pub(super) makes_text: bool,
}

/// A lowered node.
#[derive(Debug)]
enum Node {
    Constant(Value, Type),
    Computed {
        expr: Arc<dyn PhysicalExpr>,
        ty: Type,
        /// Whether it is free of charge, so that it may stand in several places.
        is_column: bool,
        /// Levels of the engine's CASE in it.
        cases: usize,
    },
}

impl Node {
    fn expr(&self) -> Arc<dyn PhysicalExpr> {
        match self {
            Self::Constant(value, ty) => Arc::new(Literal::new(scalar(value, *ty))),
            Self::Computed { expr, .. } => Arc::clone(expr),
        }
    }

    const fn ty(&self) -> Type {
        match self {
            Self::Constant(_, ty) | Self::Computed { ty, .. } => *ty,
        }
    }

    const fn is_leaf(&self) -> bool {
        matches!(self, Self::Constant(..) | Self::Computed { is_column: true, .. })
    }

    const fn cases(&self) -> usize {
        match self {
            Self::Constant(..) => 0,
            Self::Computed { cases, .. } => *cases,
        }
    }
}

fn binary(left: Arc<dyn PhysicalExpr>, op: Operator, right: Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
    Arc::new(BinaryExpr::new(left, op, right))
}

/// A chain as a tree of small depth, in the order of its links: both AND and OR are associative, with NULL too.
fn balanced(op: Operator, links: &[Node]) -> Option<Arc<dyn PhysicalExpr>> {
    match links {
        [] => None,
        [one] => Some(one.expr()),
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            Some(binary(balanced(op, left)?, op, balanced(op, right)?))
        }
    }
}

const fn comparison(op: &Op) -> Option<Operator> {
    Some(match op {
        Op::Eq => Operator::Eq,
        Op::NotEq => Operator::NotEq,
        Op::Lt => Operator::Lt,
        Op::LtEq => Operator::LtEq,
        Op::Gt => Operator::Gt,
        Op::GtEq => Operator::GtEq,
        _ => return None,
    })
}

/// The values, when all nodes are constants.
fn constants(nodes: &[Node]) -> Option<Vec<Value>> {
    let value = |node: &Node| if let Node::Constant(value, _) = node { Some(value.clone()) } else { None };
    nodes.iter().map(value).collect()
}

impl Lowering {
    /// The whole expression.
    pub(super) fn root(&mut self, root: &Typed) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(self.lower(root)?.expr())
    }

    fn lower(&mut self, node: &Typed) -> Result<Node> {
        match &node.expr {
            Expr::Literal(value) => Ok(Node::Constant(value.clone(), node.ty)),
            Expr::Column { name, .. } => Ok(self.input(Input::Column(name.clone(), node.ty))),
            Expr::Property(name) => Ok(self.input(Input::Property(name.clone()))),
            Expr::Apply { op, args } => {
                let same_type = args.first().is_some_and(|arg| arg.ty == node.ty);
                let mut args = args.iter().map(|arg| self.lower(arg)).collect::<Result<Vec<_>>>()?;
                if matches!(op, Op::Cast(_)) && same_type && args.len() == 1 {
                    return Ok(args.remove(0));
                }
                self.apply(op, &args, node.ty)
            }
        }
    }

    fn input(&mut self, input: Input) -> Node {
        let (name, ty) = (input.name().to_owned(), input.ty());
        let index = self.inputs.position(input);
        Node::Computed { expr: Arc::new(Column::new(&name, index)), ty, is_column: true, cases: 0 }
    }

    fn apply(&mut self, op: &Op, args: &[Node], ty: Type) -> Result<Node> {
        if let Some(values) = constants(args) {
            return Ok(Node::Constant(call(op, &values), ty));
        }
        let cases = args.iter().map(Node::cases).max().unwrap_or(0);
        if let Some(expr) = self.native(op, args)? {
            return Ok(Node::Computed { expr, ty, is_column: false, cases });
        }
        if cases < MAX_NATIVE_CASES
            && let Some(expr) = native_case(op, args)?
        {
            return Ok(Node::Computed { expr, ty, is_column: false, cases: cases + 1 });
        }
        self.makes_text |= ty == Type::Text;
        let kernel = Kernel { op: op.clone(), args: args.iter().map(Node::expr).collect(), ty };
        Ok(Node::Computed { expr: Arc::new(kernel), ty, is_column: false, cases })
    }

    /// The engine's own operation, where it gives the same answers. What would repeat an argument does so only with
    /// columns and constants: repeated trees grow exponentially with the nesting.
    fn native(&self, op: &Op, args: &[Node]) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        if let (Some(operator), [a, b]) = (comparison(op), args) {
            return Ok(Some(binary(a.expr(), operator, b.expr())));
        }
        Ok(match (op, args) {
            (Op::And, links) => balanced(Operator::And, links),
            (Op::Or, links) => balanced(Operator::Or, links),
            (Op::Not, [a]) => Some(not(a.expr())?),
            (Op::IsNull { negated: false }, [a]) => Some(is_null(a.expr())?),
            (Op::IsNull { negated: true }, [a]) => Some(is_not_null(a.expr())?),
            (Op::ToFloat, [a]) => Some(cast(a.expr(), &self.inputs.schema(), DataType::Float64)?),
            (Op::In { list, negated }, [a]) if !list.is_empty() => {
                let constant = |value| Arc::new(Literal::new(scalar(value, a.ty()))) as Arc<dyn PhysicalExpr>;
                let list = list.iter().map(constant).collect();
                Some(in_list(a.expr(), list, negated, &self.inputs.schema())?)
            }
            (Op::Between { negated }, [a, low, high]) if a.is_leaf() => {
                let from = binary(a.expr(), Operator::GtEq, low.expr());
                let to = binary(a.expr(), Operator::LtEq, high.expr());
                let inside = binary(from, Operator::And, to);
                Some(if *negated { not(inside)? } else { inside })
            }
            // The engine escapes with the backslash, the language has no escape.
            (Op::Like { negated }, [a, pattern @ Node::Constant(Value::Text(text), _)])
                if text.len() <= MAX_NATIVE_PATTERN_BYTES && !text.contains('\\') =>
            {
                Some(Arc::new(LikeExpr::new(*negated, false, a.expr(), pattern.expr())))
            }
            _ => None,
        })
    }
}

/// CASE, and coalesce as CASE. Where the engine passes over a branch, the language computes it in vain: operations are
/// total, so the answers are the same.
fn native_case(op: &Op, args: &[Node]) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    let (operand, branches, otherwise) = match op {
        Op::Case { operand } => {
            let (operand, rest) = args.split_at(usize::from(*operand));
            let (branches, otherwise) = rest.split_at(rest.len() / 2 * 2);
            let branches = branches.chunks_exact(2).map(|branch| (branch[0].expr(), branch[1].expr()));
            (operand.first(), branches.collect::<Vec<_>>(), otherwise.first())
        }
        Op::Call(function) if function.name() == "coalesce" => match args {
            [tried @ .., last] if tried.iter().all(Node::is_leaf) => {
                let branches = tried.iter().map(|arg| Ok((is_not_null(arg.expr())?, arg.expr())));
                (None, branches.collect::<Result<Vec<_>>>()?, Some(last))
            }
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    if branches.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(CaseExpr::try_new(operand.map(Node::expr), branches, otherwise.map(Node::expr))?)))
}
