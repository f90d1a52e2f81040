//! Texts of random expressions.

use throughline_core::expr::functions::{self, Function, Param, Returns};
use throughline_core::expr::{Schema, Type};

/// Writes an expression, each choice taken from one byte; zeros when they are used up, so that texts end.
pub(super) struct Writer<'a> {
    bytes: std::slice::Iter<'a, u8>,
    schema: &'a Schema,
}

impl<'a> Writer<'a> {
    pub(super) fn new(bytes: &'a [u8], schema: &'a Schema) -> Self {
        Self { bytes: bytes.iter(), schema }
    }

    fn pick(&mut self, n: usize) -> usize {
        self.bytes.next().map_or(0, |b| usize::from(*b) % n)
    }

    fn one_of(&mut self, words: &[&str]) -> String {
        words[self.pick(words.len())].to_owned()
    }

    fn any_type(&mut self) -> Type {
        Type::ALL[self.pick(Type::ALL.len())]
    }

    fn yes(&mut self) -> bool {
        self.pick(2) == 1
    }

    /// In parentheses, so that it can stand anywhere.
    fn part(&mut self, ty: Type, depth: u32) -> String {
        format!("({})", self.write(ty, depth))
    }

    pub(super) fn write(&mut self, ty: Type, depth: u32) -> String {
        if depth == 0 || self.pick(6) == 5 {
            return if self.pick(3) == 2 { self.literal(ty) } else { self.column(ty) };
        }
        let depth = depth - 1;
        match self.pick(9) {
            0 => self.case(ty, depth),
            1 | 2 => self.call(ty, depth),
            3 => self.cast(ty, depth),
            _ => self.operator(ty, depth),
        }
    }

    fn column(&mut self, ty: Type) -> String {
        if ty == Type::Text && self.yes() {
            let name = self.one_of(&["plan", "seats", "trial", "it''s", "absent"]);
            return format!("properties['{name}']");
        }
        let names: Vec<&str> =
            self.schema.columns().iter().filter(|(_, t)| *t == ty).map(|(name, _)| name.as_str()).collect();
        let name = self.one_of(&names);
        if name.contains(' ') { format!("\"{name}\"") } else { name }
    }

    fn literal(&mut self, ty: Type) -> String {
        match ty {
            Type::Bool => self.one_of(&["TRUE", "FALSE", "NULL::BOOL"]),
            Type::Int => self.one_of(&["0", "1", "-1", "7", "9007199254740993", "-9223372036854775808", "NULL::INT"]),
            Type::Float => self.one_of(&["0.5", "-0.0", "1e308", "-2.5", "7.0", "1e19", "NULL::FLOAT"]),
            Type::Text => self.one_of(&[
                "''",
                "'a'",
                "'abc'",
                "'a%'",
                "'%b%'",
                "'%c'",
                "'_'",
                "'a\\b'",
                "'%\\%'",
                "'it''s é'",
                "'12'",
                "'TRUE'",
                "'2026-03-04'",
                "NULL",
            ]),
            Type::Time => self.one_of(&[
                "DATE '2026-03-04'",
                "TIMESTAMP '9999-12-31 23:00'",
                "DATE '0001-01-01'",
                "DATE '1970-01-01'",
                "NULL::TIMESTAMP",
            ]),
        }
    }

    fn case(&mut self, ty: Type, depth: u32) -> String {
        let operand = if self.yes() { Some(self.any_type()) } else { None };
        let mut text = String::from("CASE");
        if let Some(of) = operand {
            text += &format!(" {}", self.part(of, depth));
        }
        for _ in 0..=self.pick(3) {
            // Constants on both sides make the engine look up, and the same constant may come twice.
            let plain = self.yes();
            let when = match operand {
                Some(of) if plain => self.literal(of),
                Some(of) => self.part(of, depth),
                None => self.part(Type::Bool, depth),
            };
            let then = if plain { self.literal(ty) } else { self.part(ty, depth) };
            text += &format!(" WHEN {when} THEN {then}");
        }
        match self.pick(3) {
            0 => {}
            1 => text += &format!(" ELSE {}", self.literal(ty)),
            _ => text += &format!(" ELSE {}", self.part(ty, depth)),
        }
        // A literal NULL has no type of its own, and Text is what a branch without any other gets.
        format!("({text} END)::{}", ty.sql())
    }

    fn cast(&mut self, ty: Type, depth: u32) -> String {
        let from: Vec<Type> = Type::ALL.into_iter().filter(|from| from.casts_to(ty)).collect();
        let from = from[self.pick(from.len())];
        format!("{}::{}", self.part(from, depth), ty.sql())
    }

    /// A call of any function that can give `ty`.
    fn call(&mut self, ty: Type, depth: u32) -> String {
        let gives = |f: &Function| match (f.returns(), f.param(0)) {
            (Returns::Is(is), _) => is == ty,
            (Returns::First, Some(Param::Number)) => ty.is_number(),
            (Returns::First, _) => true,
        };
        let known: Vec<Function> = functions::all().filter(gives).collect();
        let function = known[self.pick(known.len())];
        let counts: Vec<usize> = (1..=4).filter(|n| function.takes(*n)).collect();
        let count = counts[self.pick(counts.len())];
        let args: Vec<String> = (0..count).map(|index| self.argument(function, index, ty, depth)).collect();
        if function.name() == "extract" {
            return format!("extract({} FROM {})", args[0].trim_matches('\''), args[1]);
        }
        format!("{}({})", function.name(), args.join(", "))
    }

    fn argument(&mut self, function: Function, index: usize, ty: Type, depth: u32) -> String {
        match function.param(index) {
            Some(Param::Is(is)) => self.part(is, depth),
            Some(Param::Choice(words)) => format!("'{}'", self.one_of(words)),
            Some(Param::Digits) => (self.pick(31).cast_signed() - 15).to_string(),
            Some(Param::Format) => self.one_of(&["'%Y-%m-%d'", "'%d/%m/%Y %H:%M'"]),
            Some(Param::Number | Param::Same) | None => self.part(ty, depth),
        }
    }

    fn operator(&mut self, ty: Type, depth: u32) -> String {
        match ty {
            Type::Bool => self.condition(depth),
            Type::Int | Type::Float if self.pick(5) == 4 => format!("-{}", self.part(ty, depth)),
            Type::Int => {
                let op = self.one_of(&["+", "-", "*", "%"]);
                format!("{} {op} {}", self.part(ty, depth), self.part(ty, depth))
            }
            Type::Float => {
                let op = self.one_of(&["+", "-", "*", "/"]);
                let other = if self.yes() { Type::Int } else { ty };
                format!("{} {op} {}", self.part(ty, depth), self.part(other, depth))
            }
            Type::Text => {
                let links: Vec<String> = (0..2 + self.pick(3)).map(|_| self.part(ty, depth)).collect();
                links.join(" || ")
            }
            Type::Time => {
                let (sign, hours) = (self.one_of(&["+", "-"]), self.pick(200).cast_signed() * 500 - 50_000);
                format!("{} {sign} INTERVAL '{hours} hours 1 microsecond'", self.part(ty, depth))
            }
        }
    }

    fn condition(&mut self, depth: u32) -> String {
        let ty = self.any_type();
        let not = if self.yes() { "NOT " } else { "" };
        match self.pick(8) {
            0 | 1 => {
                let links: Vec<String> = (0..2 + self.pick(4)).map(|_| self.part(Type::Bool, depth)).collect();
                links.join(&self.one_of(&[" AND ", " OR "]))
            }
            2 => format!("NOT {}", self.part(Type::Bool, depth)),
            3 => {
                let op = self.one_of(&["=", "<>", "<", "<=", ">", ">="]);
                // Integers beside floats are promoted.
                let other = if ty == Type::Float && self.yes() { Type::Int } else { ty };
                format!("{} {op} {}", self.part(ty, depth), self.part(other, depth))
            }
            4 => {
                let [value, low, high] = [ty; 3].map(|t| self.part(t, depth));
                format!("{value} {not}BETWEEN {low} AND {high}")
            }
            5 => {
                let pattern = if self.yes() { self.literal(Type::Text) } else { self.part(Type::Text, depth) };
                format!("{} {not}LIKE {pattern}", self.part(Type::Text, depth))
            }
            6 => format!("{} IS {not}NULL", self.part(ty, depth)),
            _ => {
                let value = self.part(ty, depth);
                let list: Vec<String> = (0..=self.pick(12)).map(|_| self.item(ty)).collect();
                format!("{value} {not}IN ({})", list.join(", "))
            }
        }
    }

    /// A literal as IN lists take it: no cast.
    fn item(&mut self, ty: Type) -> String {
        let literal = self.literal(ty);
        if literal.starts_with("NULL") { "NULL".to_owned() } else { literal }
    }
}
