//! Text → tokens, with an allow-list before the SQL parser sees them.
//!
//! Two things happen here. Tokens that no accepted expression contains are refused with their place. And every word
//! outside the grammar of the language loses its keyword mark, so that the SQL parser takes it for a plain name: it
//! cannot enter the grammar of queries, nested types, lambdas or dialects, whose recursion and backtracking we would
//! have to bound. What is left is linear and bounded by the counts made here.

use sqlparser::dialect::Dialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace, Word};

use super::error::{ExprError, Place};
use super::limits::{MAX_BYTES, MAX_NESTING, MAX_NODES};

/// Standard SQL, with nothing of any vendor's that is not asked for.
#[derive(Debug)]
pub(super) struct ExprDialect;

impl Dialect for ExprDialect {
    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_'
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"'
    }

    /// All words that still carry a keyword are reserved: without this the parser would, after an error inside CASE or
    /// CAST, read the whole rest again as a function call, at each level, which is exponential.
    fn is_reserved_for_identifier(&self, _: Keyword) -> bool {
        true
    }

    /// Fields of EXTRACT are names to us.
    fn allow_extract_custom(&self) -> bool {
        true
    }
}

/// Words that have a meaning wherever they stand unquoted.
const RESERVED: &[Keyword] = &[
    Keyword::AND,
    Keyword::OR,
    Keyword::NOT,
    Keyword::IS,
    Keyword::NULL,
    Keyword::TRUE,
    Keyword::FALSE,
    Keyword::IN,
    Keyword::BETWEEN,
    Keyword::LIKE,
    Keyword::ILIKE,
    Keyword::CASE,
    Keyword::WHEN,
    Keyword::THEN,
    Keyword::ELSE,
    Keyword::END,
    Keyword::CAST,
    Keyword::TRY_CAST,
    Keyword::AS,
    Keyword::FROM,
    Keyword::SELECT,
];

const UNITS: &[Keyword] = &[
    Keyword::WEEK,
    Keyword::WEEKS,
    Keyword::DAY,
    Keyword::DAYS,
    Keyword::HOUR,
    Keyword::HOURS,
    Keyword::MINUTE,
    Keyword::MINUTES,
    Keyword::SECOND,
    Keyword::SECONDS,
];

/// Whether a name must be quoted to be read back as a name.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.iter().chain(&[Keyword::DISTINCT]).any(|k| format!("{k:?}").eq_ignore_ascii_case(name))
}

pub(super) fn place(location: Location) -> Place {
    Place { line: location.line, column: location.column }
}

/// The tokens of an expression without white space, checked and unmarked.
pub(super) fn tokens(text: &str) -> Result<Vec<TokenWithSpan>, ExprError> {
    if text.len() > MAX_BYTES {
        return Err(ExprError::TooLong { bytes: text.len(), limit: MAX_BYTES });
    }
    let all = Tokenizer::new(&ExprDialect, text)
        .tokenize_with_location()
        .map_err(|e| ExprError::Syntax { message: e.message.to_lowercase(), place: place(e.location) })?;
    let mut kept = Vec::with_capacity(all.len());
    for token in all {
        match &token.token {
            Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)) => {
                return Err(ExprError::Comment { place: place(token.span.start) });
            }
            Token::Whitespace(_) => {}
            _ => kept.push(token),
        }
    }
    if kept.is_empty() {
        return Err(ExprError::Empty);
    }
    for index in 0..kept.len() {
        check(&kept, index)?;
        unmark(&mut kept, index);
    }
    bound(&kept)?;
    Ok(kept)
}

/// Refuses what no accepted expression contains.
fn check(tokens: &[TokenWithSpan], index: usize) -> Result<(), ExprError> {
    let TokenWithSpan { token, span } = &tokens[index];
    let refuse = |what: &str, help: &str| {
        Err(ExprError::Refused { what: what.to_owned(), help: help.to_owned(), place: place(span.start) })
    };
    match token {
        Token::Word(word) => match word.keyword {
            Keyword::SELECT => refuse("subqueries", "compute the value as a feature or column and name it here"),
            Keyword::EXISTS if next_is(tokens, index, &Token::LParen) => {
                refuse("subqueries", "compute the value as a feature or column and name it here")
            }
            Keyword::OVER if follows(tokens, index, &Token::RParen) => {
                refuse("window functions", "compute the value as a feature and name it here")
            }
            Keyword::DISTINCT if follows(tokens, index, &Token::LParen) => {
                refuse("aggregates", "compute the value as a feature and name it here")
            }
            _ => Ok(()),
        },
        Token::Number(_, false)
        | Token::SingleQuotedString(_)
        | Token::Comma
        | Token::Eq
        | Token::Neq
        | Token::Lt
        | Token::Gt
        | Token::LtEq
        | Token::GtEq
        | Token::Plus
        | Token::Minus
        | Token::Mul
        | Token::Div
        | Token::Mod
        | Token::StringConcat
        | Token::LParen
        | Token::RParen
        | Token::LBracket
        | Token::RBracket
        | Token::DoubleColon => Ok(()),
        Token::SemiColon => Err(ExprError::Trailing { found: ";".to_owned(), place: place(span.start) }),
        Token::Period => {
            refuse("qualified names", "name the column alone; put a name that contains a dot in double quotes")
        }
        Token::DoubleEq => refuse("signs such as `==`", "compare with a single `=`"),
        other => {
            let shown: String = other.to_string().chars().take(20).collect();
            refuse(&format!("signs such as `{shown}`"), "texts stand in 'single quotes', names in \"double quotes\"")
        }
    }
}

/// Takes the keyword mark off words that are names in this place.
fn unmark(tokens: &mut [TokenWithSpan], index: usize) {
    let keep = match &tokens[index].token {
        Token::Word(word) => match word.keyword {
            // Read as an interval, a literal or a call only when that is what follows.
            Keyword::INTERVAL | Keyword::TIMESTAMP | Keyword::DATE => {
                matches!(tokens.get(index + 1).map(|t| &t.token), Some(Token::SingleQuotedString(_)))
            }
            Keyword::EXTRACT => is_extract(tokens, index),
            // The unit of INTERVAL '7' DAY.
            keyword if UNITS.contains(&keyword) => index >= 2 && is_keyword(tokens, index - 2, Keyword::INTERVAL),
            keyword => RESERVED.contains(&keyword),
        },
        _ => return,
    };
    if let (false, Token::Word(word)) = (keep, &mut tokens[index].token) {
        word.keyword = Keyword::NoKeyword;
    }
}

/// `EXTRACT ( word FROM`.
fn is_extract(tokens: &[TokenWithSpan], index: usize) -> bool {
    next_is(tokens, index, &Token::LParen)
        && matches!(tokens.get(index + 2).map(|t| &t.token), Some(Token::Word(Word { quote_style: None, .. })))
        && is_keyword(tokens, index + 3, Keyword::FROM)
}

fn is_keyword(tokens: &[TokenWithSpan], index: usize, keyword: Keyword) -> bool {
    matches!(tokens.get(index).map(|t| &t.token), Some(Token::Word(word)) if word.keyword == keyword)
}

fn next_is(tokens: &[TokenWithSpan], index: usize, token: &Token) -> bool {
    tokens.get(index + 1).is_some_and(|t| t.token == *token)
}

fn follows(tokens: &[TokenWithSpan], index: usize, token: &Token) -> bool {
    index.checked_sub(1).is_some_and(|before| tokens[before].token == *token)
}

/// Bounds nesting and the number of operators before the parser recurses into them or builds a long chain.
fn bound(tokens: &[TokenWithSpan]) -> Result<(), ExprError> {
    let (mut open, mut run, mut operators) = (0_usize, 0_usize, 0_usize);
    for (index, TokenWithSpan { token, .. }) in tokens.iter().enumerate() {
        let prefix = matches!(token, Token::Minus | Token::Plus) || is_keyword(tokens, index, Keyword::NOT);
        run = if prefix { run + 1 } else { 0 };
        match token {
            Token::LParen | Token::LBracket => open += 1,
            Token::RParen | Token::RBracket => open = open.saturating_sub(1),
            Token::Word(word) if word.keyword == Keyword::CASE => open += 1,
            Token::Word(word) if word.keyword == Keyword::END => open = open.saturating_sub(1),
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Comma => {}
            Token::Word(word) if word.keyword == Keyword::NoKeyword => {}
            _ => operators += 1,
        }
        if open + run > MAX_NESTING {
            return Err(ExprError::TooDeep { limit: MAX_NESTING });
        }
        // A node writes at most two such tokens (NOT IN, IS NOT NULL counts three), so this refuses nothing that the
        // count of nodes would accept.
        if operators > 3 * MAX_NODES {
            return Err(ExprError::TooManyNodes { limit: MAX_NODES });
        }
    }
    Ok(())
}
