//! Text → SQL syntax tree → typed expression.

use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::ast::{Expr, TypedExpr};
use super::check;
use super::error::{ExprError, Place};
use super::limits::{MAX_NESTING, PARSER_RECURSION};
use super::lower::Lowering;
use super::schema::Schema;
use super::tokens::{self, ExprDialect};
use super::ty::Type;

/// Stack of the thread that parses. At its deepest the SQL parser takes 8 MiB in a build without optimisation, more
/// than a thread of a server or of a test has; only touched pages cost memory.
const PARSER_STACK_BYTES: usize = 32 << 20;

impl Expr {
    /// Parses and checks one expression.
    ///
    /// Accepts any text, in time linear in its length up to the stated limits. The SQL parser runs on a thread of its
    /// own, so that neither its stack nor a panic in it can reach the caller.
    pub fn parse(text: &str, schema: &Schema) -> Result<TypedExpr, ExprError> {
        let tokens = tokens::tokens(text)?;
        std::thread::scope(|scope| {
            std::thread::Builder::new()
                .name("expression parser".to_owned())
                .stack_size(PARSER_STACK_BYTES)
                .spawn_scoped(scope, || parse_tokens(tokens, schema))
                .map_err(|error| ExprError::Failed { reason: format!("no thread: {error}") })?
                .join()
                .map_err(|_| ExprError::Failed { reason: "it panicked".to_owned() })?
        })
    }

    /// Parses one expression that must be of a type. An Int is promoted where a Float is expected, and NULL takes the
    /// expected type.
    pub fn parse_as(text: &str, schema: &Schema, expected: Type) -> Result<TypedExpr, ExprError> {
        let root = Self::parse(text, schema)?.into_root();
        let got = root.ty;
        check::coerce(root, expected).map(TypedExpr::new).map_err(|_| ExprError::Result { expected, got })
    }
}

fn parse_tokens(tokens: Vec<TokenWithSpan>, schema: &Schema) -> Result<TypedExpr, ExprError> {
    let mut parser =
        Parser::new(&ExprDialect).with_recursion_limit(PARSER_RECURSION).with_tokens_with_locations(tokens);
    let sql = parser.parse_expr().map_err(syntax_error)?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let place = tokens::place(rest.span.start);
        return Err(ExprError::Trailing { found: rest.token.to_string().chars().take(40).collect(), place });
    }
    Ok(TypedExpr::new(Lowering::new(schema).lower(&sql, 0)?))
}

/// The parser states places only inside its message, as ` at Line: 1, Column: 5`.
fn syntax_error(error: ParserError) -> ExprError {
    let message = match error {
        ParserError::RecursionLimitExceeded => return ExprError::TooDeep { limit: MAX_NESTING },
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
    };
    let parsed = message.rsplit_once(" at Line: ").and_then(|(what, numbers)| {
        let (line, column) = numbers.split_once(", Column: ")?;
        Some((what.to_owned(), Place { line: line.parse().ok()?, column: column.parse().ok()? }))
    });
    let (what, place) = parsed.unwrap_or((message, Place::default()));
    let what = what.strip_prefix("Expected: ").map_or(what.clone(), |rest| format!("expected {rest}"));
    ExprError::Syntax { message: what.replace("found: EOF", "found the end"), place }
}
