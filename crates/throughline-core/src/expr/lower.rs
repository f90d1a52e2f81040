//! SQL syntax tree → typed expression: names are resolved, types checked, everything else refused.

use sqlparser::ast::{AccessExpr, BinaryOperator, Expr as Sql, Ident, Subscript, UnaryOperator};

use super::ast::{Expr, Op, Typed};
use super::check::{all_of, coerce_all, common, mismatch, numbers, one_type, types_of};
use super::error::{ExprError, Place};
use super::level;
use super::limits::{MAX_DEPTH, MAX_LIST, MAX_NODES};
use super::literal::{bare, interval, literal, place_of, text_of};
use super::schema::Schema;
use super::ty::Type;
use super::value::Value;
use crate::diagnostic::closest;

/// One translation; counts its nodes.
pub(super) struct Lowering<'a> {
    schema: &'a Schema,
    nodes: usize,
}

impl<'a> Lowering<'a> {
    pub(super) const fn new(schema: &'a Schema) -> Self {
        Self { schema, nodes: 0 }
    }

    /// Translates a node that stands `depth` levels below the top.
    pub(super) fn lower(&mut self, sql: &Sql, depth: usize) -> Result<Typed, ExprError> {
        if depth >= MAX_DEPTH {
            return Err(ExprError::TooDeep { limit: MAX_DEPTH });
        }
        self.count()?;
        if let Some(constant) = literal(sql)? {
            return Ok(constant);
        }
        let sql = bare(sql);
        match sql {
            Sql::Identifier(name) => self.column(name),
            Sql::CompoundFieldAccess { root, access_chain } => self.property(root, access_chain),
            Sql::UnaryOp { op: UnaryOperator::Not, expr } => self.not(expr, depth),
            Sql::UnaryOp { op: UnaryOperator::Minus, expr } => self.negate(expr, depth),
            Sql::BinaryOp { left, op, right } => self.binary(sql, left, op, right, depth),
            Sql::IsNull(expr) | Sql::IsNotNull(expr) => {
                let arg = self.operand(expr, level::ADD, depth)?;
                Ok(Typed::apply(Op::IsNull { negated: matches!(sql, Sql::IsNotNull(_)) }, vec![arg], Type::Bool))
            }
            Sql::InList { expr, list, negated } => self.in_list(expr, list, *negated, depth),
            Sql::Between { expr, negated, low, high } => {
                let args = self.operands(&[expr, low, high], level::ADD, depth)?;
                let args = one_type("BETWEEN", args, place_of(sql))?;
                Ok(Typed::apply(Op::Between { negated: *negated }, args, Type::Bool))
            }
            Sql::Like { negated, any: false, expr, pattern, escape_char: None } => {
                let args = self.operands(&[expr, pattern], level::ADD, depth)?;
                let args = all_of(Type::Text, "LIKE needs texts", args, place_of(sql))?;
                Ok(Typed::apply(Op::Like { negated: *negated }, args, Type::Bool))
            }
            Sql::Case { operand, conditions, else_result, .. } => {
                self.case(sql, operand.as_deref(), conditions, else_result.as_deref(), depth)
            }
            Sql::Cast { expr, data_type, array: false, format: None, .. } => {
                self.cast(expr, &data_type.to_string(), place_of(sql), depth)
            }
            Sql::Extract { field, expr, .. } => self.extract(&field.to_string(), expr, depth),
            Sql::Function(function) => self.function(function, depth),
            other => Err(refusal(other)),
        }
    }

    pub(super) const fn count(&mut self) -> Result<(), ExprError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES { Err(ExprError::TooManyNodes { limit: MAX_NODES }) } else { Ok(()) }
    }

    /// An argument of an operator; it must bind at least as tightly as `min` or stand in parentheses. The SQL parser
    /// reads `a = NOT b` and `a = b = c`, people do not.
    fn operand(&mut self, sql: &Sql, min: u8, depth: usize) -> Result<Typed, ExprError> {
        if level::of_sql(sql) < min {
            let message = "parentheses are needed around the comparison or condition".to_owned();
            return Err(ExprError::Syntax { message, place: place_of(sql) });
        }
        self.lower(sql, depth + 1)
    }

    fn operands(&mut self, list: &[&Sql], min: u8, depth: usize) -> Result<Vec<Typed>, ExprError> {
        list.iter().map(|sql| self.operand(sql, min, depth)).collect()
    }

    fn column(&self, name: &Ident) -> Result<Typed, ExprError> {
        if let Some((index, ty)) = self.schema.find(&name.value) {
            return Ok(Typed { expr: Expr::Column { index, name: name.value.clone() }, ty });
        }
        let place = super::tokens::place(name.span.start);
        if name.quote_style.is_none()
            && let Some(refused) = super::call::refused_name(&name.value, place, true)
        {
            return Err(refused);
        }
        let known: Vec<String> = self.schema.columns().iter().map(|(n, _)| n.clone()).collect();
        let same_but_case = known.iter().find(|n| n.eq_ignore_ascii_case(&name.value)).map(String::as_str);
        let closest =
            same_but_case.or_else(|| closest(&name.value, known.iter().map(String::as_str))).map(str::to_owned);
        Err(ExprError::UnknownColumn { name: name.value.clone(), closest, known, place })
    }

    fn property(&self, root: &Sql, chain: &[AccessExpr]) -> Result<Typed, ExprError> {
        let place = place_of(root);
        let refuse =
            |what: &str, help: &str| ExprError::Refused { what: what.to_owned(), help: help.to_owned(), place };
        let is_properties = matches!(root, Sql::Identifier(name) if name.value == "properties");
        match chain {
            [AccessExpr::Subscript(Subscript::Index { index })] if is_properties => {
                if !self.schema.has_properties() {
                    return Err(refuse("properties of rows without a `properties` column", "name a column"));
                }
                let name = text_of(index)
                    .ok_or_else(|| refuse("computed property names", "write the name as a text: properties['name']"))?;
                Ok(Typed { expr: Expr::Property(name.to_owned()), ty: Type::Text })
            }
            _ => Err(refuse("subscripts", "only properties['name'] has one, with one level")),
        }
    }

    fn not(&mut self, expr: &Sql, depth: usize) -> Result<Typed, ExprError> {
        let args = self.operands(&[expr], level::NOT, depth)?;
        Ok(Typed::apply(Op::Not, all_of(Type::Bool, "NOT needs a condition", args, place_of(expr))?, Type::Bool))
    }

    fn negate(&mut self, expr: &Sql, depth: usize) -> Result<Typed, ExprError> {
        let arg = self.operand(expr, level::NEG, depth)?;
        match &arg.expr {
            // A literal that lost parentheses or a cast: folded, so that it prints as it would be read.
            Expr::Literal(Value::Int(i @ 0..)) => return Ok(Typed::literal(Value::Int(-i), Type::Int)),
            Expr::Literal(Value::Float(x)) if *x >= 0.0 => return Ok(Typed::literal(Value::float(-x), Type::Float)),
            _ => {}
        }
        let args = numbers("-", vec![arg], place_of(expr))?;
        let ty = args[0].ty;
        Ok(Typed::apply(Op::Neg, args, ty))
    }

    fn binary(
        &mut self,
        sql: &Sql,
        left: &Sql,
        op: &BinaryOperator,
        right: &Sql,
        depth: usize,
    ) -> Result<Typed, ExprError> {
        let compare = match op {
            BinaryOperator::Or => return self.chain(sql, op, Op::Or, level::AND, depth),
            BinaryOperator::And => return self.chain(sql, op, Op::And, level::NOT, depth),
            BinaryOperator::StringConcat => return self.chain(sql, op, Op::Concat, level::MUL, depth),
            BinaryOperator::Plus => return self.arithmetic(Op::Add, left, right, depth),
            BinaryOperator::Minus => return self.arithmetic(Op::Sub, left, right, depth),
            BinaryOperator::Multiply => return self.arithmetic(Op::Mul, left, right, depth),
            BinaryOperator::Divide => return self.arithmetic(Op::Div, left, right, depth),
            BinaryOperator::Modulo => return self.arithmetic(Op::Mod, left, right, depth),
            BinaryOperator::Eq => Op::Eq,
            BinaryOperator::NotEq => Op::NotEq,
            BinaryOperator::Lt => Op::Lt,
            BinaryOperator::LtEq => Op::LtEq,
            BinaryOperator::Gt => Op::Gt,
            BinaryOperator::GtEq => Op::GtEq,
            _ => return Err(refusal(sql)),
        };
        let args = self.operands(&[left, right], level::ADD, depth)?;
        Ok(Typed::apply(compare, one_type(&op.to_string(), args, place_of(sql))?, Type::Bool))
    }

    /// `a op b op c …` as one node, however its parts are bracketed; these operators are associative.
    fn chain(&mut self, sql: &Sql, sql_op: &BinaryOperator, op: Op, min: u8, depth: usize) -> Result<Typed, ExprError> {
        let mut stack = vec![sql];
        let mut parts = Vec::new();
        while let Some(part) = stack.pop() {
            match bare(part) {
                Sql::BinaryOp { left, op, right } if op == sql_op => {
                    stack.push(right);
                    stack.push(left);
                }
                _ => parts.push(part),
            }
        }
        let mut args = Vec::with_capacity(parts.len());
        for arg in self.operands(&parts, min, depth)? {
            match arg.expr {
                // A cast between the two chains that had nothing to do is gone.
                Expr::Apply { op: inner, args: inner_args } if inner == op => args.extend(inner_args),
                expr => args.push(Typed { expr, ty: arg.ty }),
            }
        }
        let (ty, needs) = match op {
            Op::Concat => (Type::Text, "|| needs texts".to_owned()),
            _ => (Type::Bool, format!("{sql_op} needs conditions")),
        };
        Ok(Typed::apply(op, all_of(ty, &needs, args, place_of(sql))?, ty))
    }

    fn arithmetic(&mut self, op: Op, left: &Sql, right: &Sql, depth: usize) -> Result<Typed, ExprError> {
        let place = place_of(left);
        let (min, sign) = match op {
            Op::Add => (level::ADD, "+"),
            Op::Sub => (level::ADD, "-"),
            Op::Mul => (level::MUL, "*"),
            Op::Div => (level::MUL, "/"),
            _ => (level::MUL, "%"),
        };
        match (&op, bare(left), bare(right)) {
            (Op::Add, Sql::Interval(length), _) => return self.shift(right, min + 1, interval(length)?, depth),
            (Op::Add, _, Sql::Interval(length)) => return self.shift(left, min, interval(length)?, depth),
            (Op::Sub, _, Sql::Interval(length)) => return self.shift(left, min, -interval(length)?, depth),
            _ => {}
        }
        let args = vec![self.operand(left, min, depth)?, self.operand(right, min + 1, depth)?];
        let args = numbers(sign, args, place)?;
        let ty = match op {
            Op::Div => Type::Float,
            _ => args[0].ty,
        };
        if op == Op::Mod && ty != Type::Int {
            let message = format!("% needs two Int, got {}", types_of(&args));
            return Err(ExprError::Type { message, help: Some("cast to INT".to_owned()), place });
        }
        Ok(Typed::apply(op, coerce_all(args, ty), ty))
    }

    fn shift(&mut self, time: &Sql, min: u8, micros: i64, depth: usize) -> Result<Typed, ExprError> {
        let args = vec![self.operand(time, min, depth)?];
        let args = all_of(Type::Time, "INTERVAL is added to or subtracted from a Time", args, place_of(time))?;
        Ok(Typed::apply(Op::Shift { micros }, args, Type::Time))
    }

    fn in_list(&mut self, expr: &Sql, list: &[Sql], negated: bool, depth: usize) -> Result<Typed, ExprError> {
        let place = place_of(expr);
        if list.len() > MAX_LIST {
            return Err(ExprError::ListTooLong { items: list.len(), limit: MAX_LIST, place });
        }
        let mut all = vec![self.operand(expr, level::ADD, depth)?];
        for item in list {
            all.push(literal(item)?.ok_or_else(|| ExprError::Refused {
                what: "computed items of IN".to_owned(),
                help: "write literals, or `x = a OR x = b`".to_owned(),
                place: place_of(item),
            })?);
        }
        let Some(ty) = common(&all) else {
            let odd = all.iter().find(|item| common([&all[0], item]).is_none()).unwrap_or(&all[0]);
            return Err(mismatch("IN", &[all[0].clone(), odd.clone()], place));
        };
        let mut all = coerce_all(all, ty).into_iter();
        let operand: Vec<Typed> = all.by_ref().take(1).collect();
        let list = all.map(|item| if let Expr::Literal(value) = item.expr { value } else { Value::Null }).collect();
        Ok(Typed::apply(Op::In { list, negated }, operand, Type::Bool))
    }

    fn case(
        &mut self,
        sql: &Sql,
        operand: Option<&Sql>,
        branches: &[sqlparser::ast::CaseWhen],
        otherwise: Option<&Sql>,
        depth: usize,
    ) -> Result<Typed, ExprError> {
        let place = place_of(sql);
        let mut tests = Vec::new();
        let mut results = Vec::new();
        if let Some(sql) = operand {
            tests.push(self.lower(sql, depth + 1)?);
        }
        for branch in branches {
            tests.push(self.lower(&branch.condition, depth + 1)?);
            results.push(self.lower(&branch.result, depth + 1)?);
        }
        if let Some(sql) = otherwise {
            results.push(self.lower(sql, depth + 1)?);
        }
        let tests = match operand {
            Some(_) => one_type("CASE … WHEN", tests, place)?,
            None => all_of(Type::Bool, "CASE WHEN needs conditions", tests, place)?,
        };
        let results = one_type("the results of CASE", results, place)?;
        let ty = results.first().map_or(Type::Text, |r| r.ty);
        let (mut tests, mut results) = (tests.into_iter(), results.into_iter());
        let mut args: Vec<Typed> = tests.by_ref().take(usize::from(operand.is_some())).collect();
        for test in tests {
            args.push(test);
            args.extend(results.next());
        }
        args.extend(results);
        Ok(Typed::apply(Op::Case { operand: operand.is_some() }, args, ty))
    }

    fn cast(&mut self, expr: &Sql, name: &str, place: Place, depth: usize) -> Result<Typed, ExprError> {
        let arg = self.lower(expr, depth + 1)?;
        let to = Type::from_sql(name).ok_or_else(|| ExprError::Type {
            message: format!("`{name}` is not a type of expressions"),
            help: Some(
                "types: BOOL, INT, FLOAT, TEXT, TIMESTAMP; date_trunc('day', t) gives the day of a time".to_owned(),
            ),
            place,
        })?;
        if arg.ty == to && !arg.is_null_literal() {
            return Ok(arg);
        }
        if !arg.ty.casts_to(to) {
            let help = match (arg.ty, to) {
                (Type::Time, _) => Some("epoch_seconds(t) gives a number".to_owned()),
                (_, Type::Time) => Some("from_epoch_seconds(x), from_epoch_millis(n), from_epoch_micros(n)".to_owned()),
                _ => None,
            };
            return Err(ExprError::Type { message: format!("{} cannot be cast to {to}", arg.ty), help, place });
        }
        Ok(Typed::apply(Op::Cast(to), vec![arg], to))
    }
}

/// Why a node of SQL is outside the language.
fn refusal(sql: &Sql) -> ExprError {
    let (what, help) = match sql {
        Sql::Interval(_) => ("intervals on their own", "add one to a time or subtract it: t - INTERVAL '7 days'"),
        Sql::Subquery(_) | Sql::InSubquery { .. } | Sql::Exists { .. } => {
            ("subqueries", "compute the value as a feature or column and name it here")
        }
        Sql::ILike { .. } => ("ILIKE conditions", "write lower(x) LIKE 'pattern'"),
        Sql::IsTrue(_) | Sql::IsNotTrue(_) | Sql::IsFalse(_) | Sql::IsNotFalse(_) => {
            ("IS TRUE and IS FALSE", "write coalesce(x, FALSE); a condition that is NULL denies")
        }
        Sql::Tuple(_) => ("lists in parentheses", "write exactly one expression"),
        Sql::UnaryOp { .. } => ("unary operators other than - and NOT", "leave it out"),
        _ => ("such forms of SQL", "see the operators and functions of the expression language"),
    };
    ExprError::Refused { what: what.to_owned(), help: help.to_owned(), place: place_of(sql) }
}
