//! What is refused, with the whole message.

use super::*;
use crate::expr::ExprError;

#[track_caller]
fn check(text: &str, expect: &str) {
    match Expr::parse(text, &schema()) {
        Err(error) => assert_eq!(error.to_string(), expect, "{text}"),
        Ok(expr) => panic!("{text} was accepted as {expr}"),
    }
}

#[track_caller]
fn check_help(text: &str, expect: &str) {
    let error = Expr::parse(text, &schema()).expect_err("refused");
    let help = error.help().unwrap_or_default();
    assert!(help.contains(expect), "{text}: {help}");
}

#[test]
fn forms_outside_the_language() {
    for (text, expect) in [
        ("", "the expression is empty"),
        (" \n\t", "the expression is empty"),
        ("(SELECT 1)", "subqueries are not allowed in expressions at line 1, column 2"),
        ("n IN (SELECT n FROM t)", "subqueries are not allowed in expressions at line 1, column 7"),
        ("EXISTS(SELECT 1)", "subqueries are not allowed in expressions at line 1, column 1"),
        ("sum(n) OVER ()", "window functions are not allowed in expressions at line 1, column 8"),
        ("row_number()", "window functions such as `row_number` are not allowed in expressions at line 1, column 1"),
        ("count(*)", "aggregates such as `count` are not allowed in expressions at line 1, column 1"),
        ("count(DISTINCT n)", "aggregates are not allowed in expressions at line 1, column 7"),
        ("n > max(n)", "aggregates such as `max` are not allowed in expressions at line 1, column 5"),
        ("at < now()", "clock functions such as `now` are not allowed in expressions at line 1, column 6"),
        (
            "current_timestamp",
            "clock functions such as `current_timestamp` are not allowed in expressions at line 1, column 1",
        ),
        ("CURRENT_DATE", "clock functions such as `current_date` are not allowed in expressions at line 1, column 1"),
        ("random() < 0.1", "random functions such as `random` are not allowed in expressions at line 1, column 1"),
        ("t.n = 1", "qualified names are not allowed in expressions at line 1, column 2"),
        ("n == 1", "signs such as `==` are not allowed in expressions at line 1, column 3"),
        ("n = $1", "signs such as `$1` are not allowed in expressions at line 1, column 5"),
        ("n = N'a'", "signs such as `N'a'` are not allowed in expressions at line 1, column 5"),
        ("n ^ 2", "signs such as `^` are not allowed in expressions at line 1, column 3"),
        ("name ILIKE 'a'", "ILIKE conditions are not allowed in expressions at line 1, column 1"),
        ("ok IS TRUE", "IS TRUE and IS FALSE are not allowed in expressions at line 1, column 1"),
        ("(n, x)", "lists in parentheses are not allowed in expressions at line 1, column 2"),
        ("+n", "unary operators other than - and NOT are not allowed in expressions at line 1, column 2"),
        ("n IN (x)", "computed items of IN are not allowed in expressions at line 1, column 7"),
        ("INTERVAL '1 day'", "intervals on their own are not allowed in expressions at line 1, column 10"),
        ("properties[n]", "computed property names are not allowed in expressions at line 1, column 1"),
        ("name['a']", "subscripts are not allowed in expressions at line 1, column 1"),
        ("n -- the count", "comments are not allowed in expressions at line 1, column 3"),
        ("n /* AND ok */ = 1", "comments are not allowed in expressions at line 1, column 3"),
        ("n; n", "expected the end of the expression, found `;` at line 1, column 2"),
        ("n, x", "expected the end of the expression, found `,` at line 1, column 2"),
        ("n x", "expected the end of the expression, found `x` at line 1, column 3"),
        ("n = 1)", "expected the end of the expression, found `)` at line 1, column 6"),
        ("name LIKE 'a' ESCAPE '\\'", "expected the end of the expression, found `ESCAPE` at line 1, column 15"),
    ] {
        check(text, expect);
    }
}

#[test]
fn broken_text() {
    for (text, expect) in [
        ("n +", "syntax error: expected an expression, found the end"),
        ("n = \n )", "syntax error: expected an expression, found: ) at line 2, column 2"),
        ("'open", "syntax error: unterminated string literal at line 1, column 1"),
        ("n = 1 = ok", "syntax error: parentheses are needed around the comparison or condition at line 1, column 1"),
        ("ok = NOT ok", "syntax error: parentheses are needed around the comparison or condition at line 1, column 10"),
        (
            "9223372036854775808",
            "integer 9223372036854775808 is outside -9223372036854775808 to 9223372036854775807; write a point for a float at line 1, column 1",
        ),
        ("1e999", "number 1e999 is too large for a float at line 1, column 1"),
        (
            "DATE '2026-02-30'",
            "`2026-02-30` is not a time (expected for example DATE '2026-03-01') at line 1, column 6",
        ),
        (
            "at + INTERVAL '1 month'",
            "`month` is no interval unit (weeks, days, hours, minutes, seconds; months differ in length) at line 1, column 15",
        ),
        (
            "at + INTERVAL '1.5 days'",
            "`1.5 days` is not an interval (expected for example '7 days' or '1 day 2 hours', whole numbers) at line 1, column 15",
        ),
        (
            "at + INTERVAL '9999999999 days'",
            "interval `9999999999 days` exceeds the limit of 3652059 days at line 1, column 15",
        ),
    ] {
        check(text, expect);
    }
}

#[test]
fn names() {
    check("emial = 'a'", "unknown column `emial` at line 1, column 1");
    check("lowr(name)", "unknown function `lowr` at line 1, column 1");
    check_help("nmae = 'a'", "did you mean `name`?");
    check_help("NAME = 'a'", "did you mean `name`?");
    check_help("\"order id\" = 'a'", "did you mean `Order ID`?");
    check_help("lowr(name)", "did you mean `lower`? known functions: lower, upper, trim");
    check_help("at < now()", "use the as-of time");
    let bare = Schema::new([("a", Type::Int)]);
    let error = Expr::parse("properties['x']", &bare).expect_err("no such column");
    assert_eq!(
        error.to_string(),
        "properties of rows without a `properties` column are not allowed in expressions at line 1, column 1"
    );
    let none = Expr::parse("a", &Schema::default()).expect_err("no columns");
    assert_eq!(none.help().as_deref(), Some("known columns: none"));
}

#[test]
fn types() {
    for (text, expect) in [
        ("name + 1", "type error: + needs numbers, got Text and Int at line 1, column 1"),
        ("at - at", "type error: - needs numbers, got Time and Time at line 1, column 1"),
        ("x % 2", "type error: % needs two Int, got Float and Float at line 1, column 1"),
        ("-name", "type error: - needs numbers, got Text at line 1, column 2"),
        ("name = 1", "type error: = needs operands of one type, got Text and Int at line 1, column 1"),
        ("at > '2026-01-01'", "type error: > needs operands of one type, got Time and Text at line 1, column 1"),
        (
            "n BETWEEN 'a' AND 2",
            "type error: BETWEEN needs operands of one type, got Int, Text and Int at line 1, column 1",
        ),
        ("n IN (1, 2, 'a')", "type error: IN needs operands of one type, got Int and Text at line 1, column 1"),
        ("n LIKE 'a'", "type error: LIKE needs texts, got Int and Text at line 1, column 1"),
        ("n AND ok", "type error: AND needs conditions, got Int and Bool at line 1, column 1"),
        ("NOT n", "type error: NOT needs a condition, got Int at line 1, column 5"),
        ("'a' || 1", "type error: || needs texts, got Text and Int at line 1, column 1"),
        ("CASE WHEN n THEN 1 END", "type error: CASE WHEN needs conditions, got Int at line 1, column 1"),
        (
            "CASE WHEN ok THEN 1 ELSE 'a' END",
            "type error: the results of CASE needs operands of one type, got Int and Text at line 1, column 1",
        ),
        (
            "CASE n WHEN 'a' THEN 1 END",
            "type error: CASE … WHEN needs operands of one type, got Int and Text at line 1, column 1",
        ),
        ("coalesce(n, 'a')", "type error: coalesce needs operands of one type, got Int and Text at line 1, column 1"),
        ("lower(n)", "type error: argument 1 of lower needs Text, got Int at line 1, column 1"),
        ("abs(name)", "type error: argument 1 of abs needs Int or Float, got Text at line 1, column 1"),
        ("substr(name, 1.5)", "type error: argument 2 of substr needs Int, got Float at line 1, column 1"),
        ("at::INT", "type error: Time cannot be cast to Int at line 1, column 1"),
        ("x::BOOL", "type error: Float cannot be cast to Bool at line 1, column 1"),
        ("n::DATE", "type error: `DATE` is not a type of expressions at line 1, column 1"),
        ("n::VARCHAR(10)", "type error: `VARCHAR(10)` is not a type of expressions at line 1, column 1"),
        (
            "n + INTERVAL '1 day'",
            "type error: INTERVAL is added to or subtracted from a Time, got Int at line 1, column 1",
        ),
    ] {
        check(text, expect);
    }
    check_help("at > '2026-01-01'", "TIMESTAMP '2026-03-01 12:00:00'");
    check_help("at - at", "epoch_seconds(b) - epoch_seconds(a)");
}

#[test]
fn arguments() {
    for (text, expect) in [
        ("lower()", "`lower(text)`: got 0 arguments at line 1, column 1"),
        ("lower(name, name)", "`lower(text)`: got 2 arguments at line 1, column 1"),
        ("coalesce()", "`coalesce(a, …)`: got 0 arguments at line 1, column 1"),
        ("length(*)", "`length(text)`: takes plain expressions only at line 1, column 1"),
        (
            "round(x, n)",
            "`round(x [, digits])`: argument 2 must be an integer literal from -15 to 15 at line 1, column 1",
        ),
        (
            "round(x, 16)",
            "`round(x [, digits])`: argument 2 must be an integer literal from -15 to 15 at line 1, column 1",
        ),
        (
            "parse_time(name, '%Q')",
            "`parse_time(text [, format])`: format directive %Q is not supported at line 1, column 1",
        ),
        (
            "parse_time(name, '%')",
            "`parse_time(text [, format])`: format directive % is not supported at line 1, column 1",
        ),
        (
            "parse_time(name, name)",
            "`parse_time(text [, format])`: argument 2 must be a text literal at line 1, column 1",
        ),
    ] {
        check(text, expect);
    }
    check(
        "date_trunc('dya', at)",
        "`date_trunc('minute|hour|day|week|month|quarter|year', time)`: 'dya' is not one of minute, hour, day, week, month, \
         quarter, year; did you mean 'day'? at line 1, column 1",
    );
    check(
        "extract(century FROM at)",
        "`extract(year|month|day|hour|minute|second|dow|epoch FROM time)`: 'century' is not one of year, month, day, hour, \
         minute, second, dow, epoch at line 1, column 22",
    );
}

#[test]
fn limits() {
    let deep = "expression is nested deeper than the limit of 32 levels";
    let nested =
        |n: usize, open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(n), close.repeat(n));
    assert!(Expr::parse(&nested(32, "(", "n", ")"), &schema()).is_ok());
    assert!(Expr::parse(&nested(31, "abs(", "n", ")"), &schema()).is_ok());
    for text in [
        nested(33, "(", "n", ")"),
        nested(2000, "(", "", ""),
        nested(2000, "- ", "n", ""),
        nested(1000, "NOT ", "ok", ""),
        nested(800, "CASE ", "", ""),
        nested(150, "CASE WHEN ", "ok", " THEN 1 END"),
        nested(500, "lower(", "name", ")"),
        nested(500, "CAST(", "", ""),
        nested(300, "n IN (", "", ""),
        nested(1000, "n[", "", ""),
        nested(1000, "-(", "n", ")"),
    ] {
        check(&text, deep);
    }
    check(&"n".repeat(4097), "expression of 4097 bytes exceeds the limit of 4096");
    check(&vec!["n"; 600].join("+"), "expression is nested deeper than the limit of 64 levels");
    check(&format!("n{}", "::TEXT::INT".repeat(40)), "expression is nested deeper than the limit of 64 levels");
    check(&vec!["ok"; 600].join(" OR "), "expression has more than the limit of 512 nodes");
    assert!(Expr::parse(&vec!["ok"; 511].join(" OR "), &schema()).is_ok());
    assert!(Expr::parse(&vec!["n"; 64].join(" + "), &schema()).is_ok());
    check(
        &format!("n IN ({})", vec!["1"; 1001].join(",")),
        "IN list of 1001 items exceeds the limit of 1000 at line 1, column 1",
    );
    assert!(Expr::parse(&format!("n IN ({})", vec!["1"; 1000].join(",")), &schema()).is_ok());
}

#[test]
fn errors_become_findings() {
    let error: ExprError = Expr::parse("nmae = 'a'", &schema()).expect_err("unknown");
    let finding = error.diagnostic("TL120");
    assert_eq!(finding.message, "unknown column `nmae` at line 1, column 1");
    assert!(finding.help.is_some_and(|h| h.starts_with("did you mean `name`?")));
    assert_eq!(error.place().map(|p| (p.line, p.column)), Some((1, 1)));
}
