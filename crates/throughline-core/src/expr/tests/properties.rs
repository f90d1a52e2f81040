//! Properties over random texts and random expressions.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::expr::{ExprError, Op, call, functions};

/// Writes the text of an expression, each choice taken from one byte: mostly accepted, with all operators and most
/// functions. Bytes rather than nested strategies, which are slow to build and slow to shrink.
struct Writer<'a> {
    bytes: std::slice::Iter<'a, u8>,
}

impl Writer<'_> {
    fn pick(&mut self, n: usize) -> usize {
        self.bytes.next().map_or(0, |b| usize::from(*b) % n)
    }

    fn one_of(&mut self, words: &[&str]) -> String {
        words[self.pick(words.len())].to_owned()
    }

    fn write(&mut self, ty: Type, depth: u32) -> String {
        if depth == 0 || self.pick(5) == 0 {
            return self.leaf(ty);
        }
        match self.pick(8) {
            0 => {
                let [test, yes, no] = [Type::Bool, ty, ty].map(|t| self.write(t, depth - 1));
                format!("CASE WHEN {test} THEN {yes} ELSE {no} END")
            }
            1 => {
                let function = self.one_of(&["coalesce", "least", "greatest", "nullif"]);
                format!("{function}({}, {})", self.write(ty, depth - 1), self.write(ty, depth - 1))
            }
            2 => format!("({})::{}", self.write(Type::Text, depth - 1), ty.sql()),
            _ => self.special(ty, depth - 1),
        }
    }

    fn leaf(&mut self, ty: Type) -> String {
        match ty {
            Type::Bool => self.one_of(&["ok", "maybe", "TRUE", "FALSE"]),
            Type::Int => {
                self.one_of(&["n", "none", "big", "\"end\"", "0", "1", "-1", "3", "-9223372036854775808", "NULL::INT"])
            }
            Type::Float => self.one_of(&["x", "nox", "0.5", "-0.0", "1e308", "-2.5e-300", "3.0", "1e19"]),
            Type::Text => self.one_of(&[
                "name",
                "nobody",
                "\"Order ID\"",
                "properties['seats']",
                "properties['it''s']",
                "''",
                "'%a_'",
                "'it''s é'",
                "'12'",
                "'2026-03-04'",
                "'TRUE'",
            ]),
            Type::Time => {
                self.one_of(&["at", "never", "DATE '2024-02-29'", "TIMESTAMP '9999-12-31 23:00'", "DATE '0001-01-01'"])
            }
        }
    }

    fn number(&mut self, depth: u32) -> String {
        let ty = [Type::Int, Type::Float][self.pick(2)];
        self.write(ty, depth)
    }

    fn any(&mut self, depth: u32) -> String {
        let ty = Type::ALL[self.pick(Type::ALL.len())];
        self.write(ty, depth)
    }

    fn special(&mut self, ty: Type, depth: u32) -> String {
        let text = |w: &mut Self| w.write(Type::Text, depth);
        let int = |w: &mut Self| w.write(Type::Int, depth);
        let float = |w: &mut Self| w.write(Type::Float, depth);
        let time = |w: &mut Self| w.write(Type::Time, depth);
        match (ty, self.pick(7)) {
            (Type::Bool, 0) => {
                let op = self.one_of(&["AND", "OR"]);
                format!("({} {op} ({}))", self.write(ty, depth), self.write(ty, depth))
            }
            (Type::Bool, 1) => format!("NOT ({})", self.write(ty, depth)),
            (Type::Bool, 2) => {
                let op = self.one_of(&["=", "<>", "<", "<=", ">", ">="]);
                format!("({}) {op} ({})", self.number(depth), self.number(depth))
            }
            (Type::Bool, 3) => {
                format!("({}) NOT BETWEEN ({}) AND ({})", self.number(depth), self.number(depth), self.number(depth))
            }
            (Type::Bool, 4) => format!("({}) LIKE ({})", text(self), text(self)),
            (Type::Bool, 5) => format!("({}) IS NOT NULL", self.any(depth)),
            (Type::Bool, _) => format!("({}) IN (1, -2, NULL, 7.5)", int(self)),
            (Type::Int, 0 | 1) => {
                let op = self.one_of(&["+", "-", "*", "%"]);
                format!("(({}) {op} {})", int(self), int(self))
            }
            (Type::Int, 2) => format!("-({})", int(self)),
            (Type::Int, 3) => format!("- {}", int(self)),
            (Type::Int, 4) => format!("CAST({} AS INT)", float(self)),
            (Type::Int, 5) => format!("extract(dow FROM {})", time(self)),
            (Type::Int, _) => format!("length({})", text(self)),
            (Type::Float, 0 | 1) => {
                let op = self.one_of(&["+", "-", "*", "/"]);
                format!("({}) {op} ({})", self.number(depth), float(self))
            }
            (Type::Float, 2 | 3) => {
                let function = self.one_of(&["ln", "exp", "sqrt", "floor", "round", "abs"]);
                format!("{function}({})", float(self))
            }
            (Type::Float, 4) => format!("round({}, {})", self.number(depth), self.pick(31).cast_signed() - 15),
            (Type::Float, _) => format!("epoch_seconds({})", time(self)),
            (Type::Text, 0 | 1) => format!("(({}) || ({}))", text(self), text(self)),
            (Type::Text, 2) => format!("substr({}, {}, {})", text(self), int(self), int(self)),
            (Type::Text, 3) => format!("split_part({}, {}, {})", text(self), text(self), int(self)),
            (Type::Text, 4) => format!("replace({}, {}, {})", text(self), text(self), text(self)),
            (Type::Text, _) => format!("({})::TEXT", self.any(depth)),
            (Type::Time, 0 | 1) => {
                let (sign, hours) = (self.one_of(&["+", "-"]), self.pick(200).cast_signed() * 500 - 50_000);
                format!("({}) {sign} INTERVAL '{hours} hours 1 microsecond'", time(self))
            }
            (Type::Time, 2) => {
                let unit = self.one_of(&["day", "week", "quarter"]);
                format!("date_trunc('{unit}', {})", time(self))
            }
            (Type::Time, 3) => format!("from_epoch_seconds({})", float(self)),
            (Type::Time, 4) => format!("from_epoch_millis({})", int(self)),
            (Type::Time, _) => format!("parse_time({}, '%Y-%m-%d')", text(self)),
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        prop::sample::select(vec![i64::MIN, i64::MAX, -1, 0, 1, 2]).prop_map(Value::Int),
        any::<f64>().prop_map(Value::float),
        prop::sample::select(vec![f64::MAX, f64::MIN_POSITIVE, -1.0, 0.0, 0.5]).prop_map(Value::Float),
        "[a-z0-9:. %_-]{0,12}".prop_map(|t| Value::text(t.as_str())),
        any::<i64>().prop_map(Value::time_micros),
        (-100_000_000_i64..100_000_000).prop_map(|s| Value::time_micros(s * 1000)),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let plain = vec![
        Op::Neg,
        Op::Not,
        Op::Add,
        Op::Sub,
        Op::Mul,
        Op::Div,
        Op::Mod,
        Op::Eq,
        Op::Lt,
        Op::And,
        Op::Or,
        Op::Concat,
        Op::IsNull { negated: true },
        Op::Between { negated: false },
        Op::Like { negated: true },
        Op::Case { operand: true },
        Op::Case { operand: false },
        Op::ToFloat,
        Op::Shift { micros: 86_400_000_000 },
        Op::Shift { micros: i64::MIN },
    ];
    prop_oneof![
        prop::sample::select(plain),
        prop::sample::select(Type::ALL.to_vec()).prop_map(Op::Cast),
        prop::sample::select(functions::all().collect::<Vec<_>>()).prop_map(Op::Call),
        prop::collection::vec(value(), 0..3).prop_map(|list| Op::In { list, negated: true }),
    ]
}

fn is_legal(value: &Value) -> bool {
    match value {
        Value::Float(x) => x.is_finite() && (*x != 0.0 || x.is_sign_positive()),
        Value::Time(t) => Value::time_micros(t.micros()) == *value,
        _ => true,
    }
}

/// Bits of the language in any order.
const TOKENS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "'",
    "\"",
    ",",
    ";",
    ".",
    "+",
    "-",
    "*",
    "/",
    "%",
    "=",
    "<",
    ">",
    "<=",
    "<>",
    "!=",
    "||",
    "::",
    "--",
    "/*",
    "*/",
    "{",
    "}",
    "$1",
    "?",
    ":",
    "@",
    "=>",
    "->",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "NOT",
    "AND",
    "OR",
    "IS",
    "NULL",
    "IN",
    "BETWEEN",
    "LIKE",
    "ILIKE",
    "ESCAPE",
    "CAST(",
    "TRY_CAST(",
    "AS",
    "INT",
    "TEXT",
    "TIMESTAMP",
    "DATE",
    "INTERVAL",
    "'7 days'",
    "DAY",
    "SECOND",
    "EXTRACT(",
    "year",
    "FROM",
    "SELECT",
    "EXISTS(",
    "ARRAY[",
    "ARRAY<",
    "MAP{",
    "STRUCT<",
    "STRUCT(",
    "LAMBDA",
    "MATCH(",
    "OVER",
    "(SELECT",
    "WITH",
    "VALUES",
    "floor(",
    "substring(",
    "trim(",
    "position(",
    "overlay(",
    "convert(",
    "n",
    "x",
    "name",
    "ok",
    "at",
    "properties",
    "properties['a']",
    "abs(",
    "lower(",
    "coalesce(",
    "1",
    "1.5",
    "1e",
    "0x",
    "'a'",
    "N'a'",
    "U&'a'",
    "E'\\",
    "_utf8 'a'",
    "COLLATE",
    "AT TIME ZONE",
    "DISTINCT",
    "ANY(",
    "é",
    "\u{0}",
];

fn parse_quickly(text: &str) {
    let start = Instant::now();
    if let Ok(expr) = Expr::parse(text, &schema()) {
        assert!(is_legal(&expr.eval(&row())), "{text}");
        assert_eq!(Expr::parse(&expr.to_string(), &schema()).as_ref(), Ok(&expr), "{text} → {expr}");
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{text} took {:?}", start.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        parse_quickly(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_characters_are_answered(text in "\\PC{0,60}") {
        parse_quickly(&text);
    }

    #[test]
    fn token_soup_is_answered(picks in prop::collection::vec(prop::sample::select(TOKENS), 0..60), glued in any::<bool>()) {
        parse_quickly(&picks.join(if glued { "" } else { " " }));
    }

    #[test]
    fn repeated_tokens_are_answered(
        picks in prop::collection::vec(prop::sample::select(TOKENS), 1..4),
        times in 1..400_usize,
        tail in prop::sample::select(TOKENS),
    ) {
        let mut text = format!("{} ", picks.join(" ")).repeat(times);
        text.truncate(text.char_indices().map(|(i, _)| i).take_while(|i| *i < 4000).last().unwrap_or(0));
        parse_quickly(&format!("{text} {tail}"));
    }

    #[test]
    fn operations_are_total(op in op(), args in prop::collection::vec(value(), 0..5)) {
        prop_assert!(is_legal(&call(&op, &args)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn canonical_text_reads_back_equal(
        ty in prop::sample::select(Type::ALL.to_vec()),
        depth in 0..5_u32,
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let text = Writer { bytes: bytes.iter() }.write(ty, depth);
        let expr = match Expr::parse(&text, &schema()) {
            Ok(expr) => expr,
            Err(ExprError::TooLong { .. } | ExprError::TooManyNodes { .. } | ExprError::TooDeep { .. }) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(format!("{text}: {error}"))),
        };
        prop_assert_eq!(expr.ty(), ty, "{}", text);
        let canonical = expr.to_string();
        let again = Expr::parse(&canonical, &schema());
        prop_assert_eq!(again.as_ref(), Ok(&expr), "{} → {}", text, canonical);
        let got = expr.eval(&row());
        prop_assert!(is_legal(&got), "{} gives {:?}", text, got);
        prop_assert!(got.ty().is_none_or(|t| t == ty), "{} gives {:?}, not {}", text, got, ty);
    }
}
