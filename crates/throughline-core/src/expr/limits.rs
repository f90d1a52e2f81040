//! The bounds of an expression. They keep parsing and evaluation fast and the stack small for any input.

/// Longest text of an expression, in bytes.
pub const MAX_BYTES: usize = 4096;

/// Most levels of brackets, CASE … END, and NOT or minus signs in a row; about half as many when every level mixes
/// operators of all precedences.
pub const MAX_NESTING: usize = 32;

/// Most levels of the typed tree. A chain of AND, OR or `||` is one level, a chain of `+` or `*` one level per sign.
pub const MAX_DEPTH: usize = 64;

/// Most operators, function calls, columns and literals (items of IN lists not counted).
pub const MAX_NODES: usize = 512;

/// Most items of an IN list.
pub const MAX_LIST: usize = 1000;

/// Longest text that an operation makes, in bytes; a longer one is NULL.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// How deep the SQL parser may call itself: each level of nesting may hold several levels of precedence.
pub(super) const PARSER_RECURSION: usize = 3 * MAX_NESTING;
