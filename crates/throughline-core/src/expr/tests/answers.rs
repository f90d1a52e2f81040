//! What expressions give on one row.

use super::*;
use crate::expr::property_of;

/// `expect` is the answer as a literal of the language; checks canonical text on the way.
#[track_caller]
fn check(text: &str, expect: &str) {
    let expr = parse(text);
    let got = expr.eval(&row());
    assert_eq!(got.to_string(), expect, "{text}");
    if let Some(ty) = got.ty() {
        assert_eq!(ty, expr.ty(), "{text}");
    }
    let canonical = expr.to_string();
    assert_eq!(parse(&canonical), expr, "{text} → {canonical}");
}

#[track_caller]
fn check_all(cases: &[(&str, &str)]) {
    for (text, expect) in cases {
        check(text, expect);
    }
}

#[test]
fn literals_columns_and_properties() {
    check_all(&[
        ("NULL", "NULL"),
        ("true", "TRUE"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("1.50", "1.5"),
        (".5", "0.5"),
        ("1e3", "1000.0"),
        ("1e300", "1e300"),
        ("'it''s'", "'it''s'"),
        ("''", "''"),
        ("DATE '2026-03-01'", "TIMESTAMP '2026-03-01T00:00:00Z'"),
        ("TIMESTAMP '2026-03-01 12:00:00+02:00'", "TIMESTAMP '2026-03-01T10:00:00Z'"),
        ("DATE '1899-12-31'", "TIMESTAMP '1899-12-31T00:00:00Z'"),
        ("n", "7"),
        ("\"n\"", "7"),
        ("\"Order ID\"", "'A-17'"),
        ("date", "'today'"),
        ("\"end\" + 1", "4"),
        ("lower(\"distinct\")", "NULL"),
        ("day IS NULL AND at + INTERVAL '1' DAY > at", "TRUE"),
        ("properties['plan']", "'pro'"),
        ("properties['seats']::INT + 1", "13"),
        ("properties['trial']::BOOL", "FALSE"),
        ("properties['gone']", "NULL"),
        ("properties['absent'] IS NULL", "TRUE"),
        ("properties['tags']", "'[\"a\",1]'"),
        ("properties['it''s']", "'1.5'"),
    ]);
}

#[test]
fn arithmetic() {
    check_all(&[
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 3 - 2", "5"),
        ("10 - (3 - 2)", "9"),
        ("7 / 2", "3.5"),
        ("n / 0", "NULL"),
        ("1.0 / 0", "NULL"),
        ("n % 4", "3"),
        ("-7 % 4", "-3"),
        ("n % 0", "NULL"),
        ("-9223372036854775808 % -1", "0"),
        ("big + 1", "NULL"),
        ("-big - 1", "-9223372036854775808"),
        ("-big - 2", "NULL"),
        ("big * 2", "NULL"),
        ("big + 1.0", "9.223372036854776e18"),
        ("-(-9223372036854775808)", "NULL"),
        ("n + x", "9.5"),
        ("-x", "-2.5"),
        ("- -x", "2.5"),
        ("-(-5)", "5"),
        ("2 - -5", "7"),
        ("-(5)", "-5"),
        ("-0.0", "0.0"),
        ("0 * -1.0", "0.0"),
        ("1e308 * 10", "NULL"),
        ("n + none", "NULL"),
        ("n + NULL", "NULL"),
        ("NULL / NULL", "NULL"),
    ]);
}

#[test]
fn comparisons() {
    check_all(&[
        ("n = 7", "TRUE"),
        ("n <> 7", "FALSE"),
        ("n != 8", "TRUE"),
        ("n >= 7.0", "TRUE"),
        ("n < x", "FALSE"),
        ("none = none", "NULL"),
        ("none <> 1", "NULL"),
        ("'B' < 'a'", "TRUE"),
        ("'z' < 'é'", "TRUE"),
        ("FALSE < TRUE", "TRUE"),
        ("-0.0 = 0.0", "TRUE"),
        ("at > TIMESTAMP '2026-03-04'", "TRUE"),
        ("n BETWEEN 1 AND 7", "TRUE"),
        ("n NOT BETWEEN 1 AND 7", "FALSE"),
        ("n BETWEEN 8 AND none", "FALSE"),
        ("n BETWEEN 1 AND none", "NULL"),
        ("n NOT BETWEEN 8 AND none", "TRUE"),
        ("n BETWEEN 6.5 AND 7.5", "TRUE"),
        ("n IN (1, 7)", "TRUE"),
        ("n IN (1, 2)", "FALSE"),
        ("n IN (1, NULL)", "NULL"),
        ("n IN (7, NULL)", "TRUE"),
        ("n NOT IN (1, 2)", "TRUE"),
        ("n NOT IN (1, NULL)", "NULL"),
        ("none IN (1)", "NULL"),
        ("n IN (-7, 7.0)", "TRUE"),
        ("name IN ('Ada Löwe')", "TRUE"),
        ("at IN (DATE '2026-03-04')", "FALSE"),
        ("none IS NULL", "TRUE"),
        ("n IS NOT NULL", "TRUE"),
        ("(none = 1) IS NULL", "TRUE"),
    ]);
}

#[test]
fn like() {
    check_all(&[
        ("name LIKE 'Ada%'", "TRUE"),
        ("name LIKE 'ada%'", "FALSE"),
        ("name LIKE '%L_we'", "TRUE"),
        ("name NOT LIKE '%x%'", "TRUE"),
        ("'' LIKE '%'", "TRUE"),
        ("'' LIKE '_'", "FALSE"),
        ("'abcabd' LIKE '%ab_'", "TRUE"),
        ("'a%b' LIKE 'a\\%b'", "FALSE"),
        ("nobody LIKE '%'", "NULL"),
        ("name LIKE nobody", "NULL"),
    ]);
}

#[test]
fn three_valued_logic() {
    let values = [("TRUE", Some(true)), ("FALSE", Some(false)), ("maybe", None)];
    let shown = |v: Option<bool>| v.map_or("NULL", |b| if b { "TRUE" } else { "FALSE" });
    for (a, va) in values {
        check(&format!("NOT {a}"), shown(va.map(|b| !b)));
        for (b, vb) in values {
            let and = match (va, vb) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
            let or = match (va, vb) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
            check(&format!("{a} AND {b}"), shown(and));
            check(&format!("{a} OR {b}"), shown(or));
            check(&format!("TRUE AND {a} AND {b} AND TRUE"), shown(and));
        }
    }
}

#[test]
fn only_true_permits() {
    for (text, expect) in [("n = 7", true), ("n = 8", false), ("none = 7", false), ("NOT none = 7", false)] {
        assert_eq!(parse(text).permits(&row()), expect, "{text}");
    }
}

#[test]
fn case() {
    check_all(&[
        ("CASE WHEN n > 5 THEN 'many' ELSE 'few' END", "'many'"),
        ("CASE WHEN n > 9 THEN 1 WHEN ok THEN 2 END", "2"),
        ("CASE WHEN maybe THEN 1 END", "NULL"),
        ("CASE WHEN ok THEN 1 ELSE 2.5 END", "1.0"),
        ("CASE WHEN ok THEN NULL ELSE n END", "NULL"),
        ("CASE n WHEN 1 THEN 'one' WHEN 7 THEN 'seven' END", "'seven'"),
        ("CASE none WHEN NULL THEN 1 ELSE 2 END", "2"),
        ("CASE n WHEN 7.0 THEN TRUE ELSE FALSE END", "TRUE"),
    ]);
}

#[test]
fn casts() {
    check_all(&[
        ("CAST('12' AS INT)", "12"),
        ("TRY_CAST('+12' AS BIGINT)", "12"),
        ("' 12'::INT", "NULL"),
        ("'1.0'::INT", "NULL"),
        ("'9223372036854775808'::INT", "NULL"),
        ("'1e3'::FLOAT", "1000.0"),
        ("'inf'::DOUBLE", "NULL"),
        ("'NaN'::FLOAT", "NULL"),
        ("'1e999'::FLOAT", "NULL"),
        ("'-0'::FLOAT", "0.0"),
        ("''::FLOAT", "NULL"),
        ("'True'::BOOL", "TRUE"),
        ("'yes'::BOOLEAN", "NULL"),
        ("2::BOOL", "NULL"),
        ("TRUE::INT", "1"),
        ("FALSE::FLOAT", "0.0"),
        ("2.9::INT", "2"),
        ("(-2.9)::INT", "-2"),
        ("1e19::INT", "NULL"),
        ("n::TEXT", "'7'"),
        ("x::TEXT || '!'", "'2.5!'"),
        ("2.0::TEXT", "'2.0'"),
        ("ok::TEXT", "'true'"),
        ("at::TEXT", "'2026-03-04T05:06:07.891Z'"),
        ("'2026-03-04T05:06:07.8912345-01:30'::TIMESTAMP", "TIMESTAMP '2026-03-04T06:36:07.891234Z'"),
        ("'2026-02-30'::TIMESTAMP", "NULL"),
        ("'2026-03-04 '::TIMESTAMP", "NULL"),
        ("'2026-03-04T24:00'::TIMESTAMP", "NULL"),
        ("'2026-03-04 05:06'::TIMESTAMP", "TIMESTAMP '2026-03-04T05:06:00Z'"),
        ("'20260304'::TIMESTAMP", "NULL"),
        ("'0000-01-01'::TIMESTAMP", "NULL"),
        ("'9999-12-31T23:59:59-00:01'::TIMESTAMP", "NULL"),
        ("NULL::INT + 1", "NULL"),
        ("none::TEXT", "NULL"),
    ]);
}

#[test]
fn text_functions() {
    check_all(&[
        ("lower(name)", "'ada löwe'"),
        ("UPPER('straße')", "'STRASSE'"),
        ("trim('  a b\t')", "'a b'"),
        ("length('Löwe')", "4"),
        ("'a' || 'b' || 'c'", "'abc'"),
        ("'a' || nobody", "NULL"),
        ("concat('a', nobody, 'b')", "'ab'"),
        ("substr('hello', 2)", "'ello'"),
        ("substr('hello', 2, 3)", "'ell'"),
        ("substr('hello', 0, 3)", "'he'"),
        ("substr('hello', -1, 3)", "'h'"),
        ("substr('hello', 9)", "''"),
        ("substr('hello', 1, -1)", "NULL"),
        ("substr('hello', -9223372036854775808, 9223372036854775807)", "''"),
        ("substr('hello', 2, 9223372036854775807)", "'ello'"),
        ("replace('a-b-c', '-', '+')", "'a+b+c'"),
        ("replace('abc', '', 'x')", "'abc'"),
        ("starts_with(name, 'Ada')", "TRUE"),
        ("split_part('a,b,c', ',', 2)", "'b'"),
        ("split_part('a,b,c', ',', -1)", "'c'"),
        ("split_part('a,b,c', ',', 4)", "''"),
        ("split_part('a,b,c', ',', 0)", "NULL"),
        ("split_part('abc', '', 1)", "'abc'"),
        ("split_part('abc', ',', -9223372036854775808)", "''"),
        ("to_int('42')", "42"),
        ("to_int('4x')", "NULL"),
        ("to_float('4.5')", "4.5"),
    ]);
}

#[test]
fn number_functions() {
    check_all(&[
        ("abs(-7)", "7"),
        ("abs(-2.5)", "2.5"),
        ("abs(-9223372036854775808)", "NULL"),
        ("round(2.5)", "3.0"),
        ("round(-2.5)", "-3.0"),
        ("round(2.345, 2)", "2.35"),
        ("round(1234.5, -2)", "1200.0"),
        ("round(1e308, 15)", "1e308"),
        ("round(-0.2)", "0.0"),
        ("floor(-2.5)", "-3.0"),
        ("ceil(n)", "7.0"),
        ("ln(0)", "NULL"),
        ("ln(-1)", "NULL"),
        ("ln(1)", "0.0"),
        ("exp(0)", "1.0"),
        ("exp(1000)", "NULL"),
        ("sqrt(6.25)", "2.5"),
        ("sqrt(-1)", "NULL"),
    ]);
}

#[test]
fn choosing_functions() {
    check_all(&[
        ("coalesce(none, n)", "7"),
        ("coalesce(none, 1.5)", "1.5"),
        ("coalesce(none)", "NULL"),
        ("coalesce(NULL, 'a')", "'a'"),
        ("nullif(n, 7)", "NULL"),
        ("nullif(n, none)", "7"),
        ("nullif(n, 8.0)", "7.0"),
        ("least(3, n, none)", "3"),
        ("greatest('a', 'é', 'z')", "'é'"),
        ("greatest(none, NULL)", "NULL"),
        ("least(at, TIMESTAMP '2020-01-01')", "TIMESTAMP '2020-01-01T00:00:00Z'"),
    ]);
}

#[test]
fn time_functions() {
    check_all(&[
        ("at + INTERVAL '7 days'", "TIMESTAMP '2026-03-11T05:06:07.891Z'"),
        ("INTERVAL '1' HOUR + at", "TIMESTAMP '2026-03-04T06:06:07.891Z'"),
        ("at - INTERVAL '1 day 2 hours 30 minutes'", "TIMESTAMP '2026-03-03T02:36:07.891Z'"),
        ("at - INTERVAL '-1 week'", "TIMESTAMP '2026-03-11T05:06:07.891Z'"),
        ("at + INTERVAL '3000000 days'", "NULL"),
        ("never + INTERVAL '1 second'", "NULL"),
        ("DATE '9999-12-31' + INTERVAL '23' HOUR", "TIMESTAMP '9999-12-31T23:00:00Z'"),
        ("DATE '9999-12-31' + INTERVAL '1' DAY", "NULL"),
        ("DATE '0001-01-01' - INTERVAL '1 microsecond'", "NULL"),
        ("(DATE '0001-01-01')::TEXT", "'0001-01-01T00:00:00Z'"),
        ("date_trunc('day', at)", "TIMESTAMP '2026-03-04T00:00:00Z'"),
        ("date_trunc('HOUR', at)", "TIMESTAMP '2026-03-04T05:00:00Z'"),
        ("date_trunc('week', at)", "TIMESTAMP '2026-03-02T00:00:00Z'"),
        ("date_trunc('month', at)", "TIMESTAMP '2026-03-01T00:00:00Z'"),
        ("date_trunc('quarter', DATE '2026-12-31')", "TIMESTAMP '2026-10-01T00:00:00Z'"),
        ("date_trunc('day', TIMESTAMP '1969-12-31 23:59:59')", "TIMESTAMP '1969-12-31T00:00:00Z'"),
        ("date_trunc('week', DATE '0001-01-01')", "TIMESTAMP '0001-01-01T00:00:00Z'"),
        ("extract(year FROM at)", "2026"),
        ("EXTRACT(MONTH from at)", "3"),
        ("extract(day from at) + extract(hour from at)", "9"),
        ("extract(dow from at)", "3"),
        ("extract(epoch from TIMESTAMP '1969-12-31 23:59:59.5')", "-1"),
        ("epoch_seconds(TIMESTAMP '1970-01-01 00:00:01.25')", "1.25"),
        ("from_epoch_seconds(1.25)", "TIMESTAMP '1970-01-01T00:00:01.25Z'"),
        ("from_epoch_seconds(1e30)", "NULL"),
        ("from_epoch_millis(1500)", "TIMESTAMP '1970-01-01T00:00:01.5Z'"),
        ("from_epoch_millis(big)", "NULL"),
        ("from_epoch_micros(-1)", "TIMESTAMP '1969-12-31T23:59:59.999999Z'"),
        ("parse_time('2026-03-04')", "TIMESTAMP '2026-03-04T00:00:00Z'"),
        ("parse_time('yesterday')", "NULL"),
        ("parse_time('04/03/2026 05:06', '%d/%m/%Y %H:%M')", "TIMESTAMP '2026-03-04T05:06:00Z'"),
        ("parse_time('04/03/2026', '%d/%m/%Y')", "TIMESTAMP '2026-03-04T00:00:00Z'"),
        ("parse_time('31/02/2026', '%d/%m/%Y')", "NULL"),
        ("parse_time('Mar 4, 2026 5 PM +0200', '%b %d, %Y %I %p %z')", "TIMESTAMP '2026-03-04T15:00:00Z'"),
        ("parse_time('1.5', '%s')", "NULL"),
        ("parse_time('90', '%s')", "TIMESTAMP '1970-01-01T00:01:30Z'"),
    ]);
}

#[test]
fn canonical_text_is_short() {
    for (text, expect) in [
        ("((a))".replace('a', "n").as_str(), "n"),
        ("(ok and (maybe AND (not ok)))", "ok AND maybe AND NOT ok"),
        ("(ok or maybe) and ok", "(ok OR maybe) AND ok"),
        ("cast(n + 1 as text)", "(n + 1)::TEXT"),
        ("n+1.5", "n + 1.5"),
        ("x > 1", "x > 1.0"),
        ("- - n", "- -n"),
        ("-(n * 2)", "-(n * 2)"),
        ("(-5)::text", "(-5)::TEXT"),
        ("n != 1", "n <> 1"),
        ("\"name\" = 'a'", "name = 'a'"),
        ("at - interval '36' hour", "at - INTERVAL '1 day 12 hours'"),
        ("\"end\" is not null", "\"end\" IS NOT NULL"),
        ("Extract(Epoch From at)", "extract(epoch FROM at)"),
    ] {
        assert_eq!(parse(text).to_string(), expect);
    }
}

#[test]
fn what_is_read_is_listed() {
    let expr = parse("n + \"end\" > 1 AND properties['plan'] = name OR properties['n'] IS NULL");
    assert_eq!(expr.columns().into_iter().collect::<Vec<_>>(), ["end", "n", "name"]);
    assert_eq!(expr.properties().into_iter().collect::<Vec<_>>(), ["n", "plan"]);
}

#[test]
fn the_expected_type_is_reached_without_loss_only() {
    let as_float = Expr::parse_as("n + 1", &schema(), Type::Float).expect("an Int is promoted");
    assert_eq!((as_float.ty(), as_float.eval(&row())), (Type::Float, Value::Float(8.0)));
    assert_eq!(Expr::parse_as("NULL", &schema(), Type::Time).map(|e| e.ty()), Ok(Type::Time));
    let error = Expr::parse_as("x", &schema(), Type::Int).expect_err("a Float is not cut silently");
    assert_eq!(error.to_string(), "type error: expected an expression of type Int, got Float");
    assert_eq!(error.help().as_deref(), Some("cast it: `(…)::INT` (NULL where impossible)"));
}

#[test]
fn faulty_rows_count_as_null() {
    let bad = MemoryRow {
        columns: vec![
            "seven".into(),
            Value::Float(f64::NAN),
            Value::Int(1),
            Value::Null,
            Value::Time(Timestamp::from_micros(i64::MAX)),
        ],
        ..MemoryRow::default()
    };
    for text in ["n", "x", "x + 1", "name", "ok", "at", "at + INTERVAL '1 day'", "nobody", "properties['plan']"] {
        assert_eq!(parse(text).eval(&bad), Value::Null, "{text}");
    }
    let whole = MemoryRow { columns: vec![Value::Null, Value::Int(2)], ..MemoryRow::default() };
    assert_eq!(parse("x").eval(&whole), Value::Float(2.0));
}

#[test]
fn properties_in_text_form() {
    for (json, expect) in [
        (r#"{"a":"x"}"#, "'x'"),
        (r#"{"a":10}"#, "'10'"),
        (r#"{"a":true}"#, "'true'"),
        (r#"{"a":null}"#, "NULL"),
        (r#"{"b":1}"#, "NULL"),
        ("[1]", "NULL"),
        ("not json", "NULL"),
        ("", "NULL"),
    ] {
        assert_eq!(property_of(json, "a").to_string(), expect, "{json}");
    }
}

#[test]
fn texts_do_not_explode() {
    let grow = (0..30).fold("'aaaaaaaa'".to_owned(), |text, _| format!("replace({text}, 'a', 'aaaaaaaa')"));
    check(&grow, "NULL");
}

#[test]
fn consent_signals() {
    let all = "'measurement=granted;personalisation=granted;advertising=granted'";
    check_all(&[
        ("consent_mode('granted', 'granted', 'granted', 'granted')", all),
        ("consent_mode(NULL, 'denied', NULL, NULL)", "'measurement=denied'"),
        ("consent_mode('granted', NULL, NULL, NULL)", "'unknown'"),
        ("consent_mode(NULL, NULL, NULL, 'granted', 'denied')", "'personalisation=denied'"),
        ("consent_gcs('G101')", "'measurement=granted;advertising=denied'"),
        ("consent_gcd('11r1r1r1r5')", all),
        ("consent_gcs(NULL)", "NULL"),
        ("consent_usp('1YYN')", "'advertising=denied'"),
        ("consent_gpp('DBACNYA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN')", NOTHING_CONSENTED),
        ("consent_tcf('CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA', 12)", NOTHING_CONSENTED),
        ("consent_tcf('COv_eg6Ov_eg6AOADBENAaCgAP_AAH_AACiQAVEUQQoAIQAqIoghAAQgAA', 2)", all),
        ("consent_tcf('COv_eg6Ov_eg6AOADBENAaCgAP_AAH_AACiQAVEUQQoAIQAqIoghAAQgAA', -2)", NOTHING_CONSENTED),
        ("consent_gpc(TRUE)", "'advertising=denied'"),
        ("consent_gpc(1)", "'advertising=denied'"),
        ("consent_gpc('0')", "'unknown'"),
        ("consent_gpc(NULL)", "NULL"),
        ("consent_segment('{\"Analytics\":true,\"Club\":false}', 'Club', 'messaging')", CLUB_REFUSED),
        ("consent_adobe('{\"consents\":{\"collect\":{\"val\":\"y\"}}}')", "'measurement=granted'"),
        ("consent_adobe('{\"marketing\":{\"any\":{\"val\":\"y\"}}}', 'email')", "'messaging=granted'"),
        ("consent_snowplow('withdrawn', 'marketing')", "'advertising=denied'"),
        ("consent_snowplow('pending', NULL)", "'unknown'"),
        ("consent_all('granted', consent_gpc(TRUE), NULL) LIKE '%advertising=denied%'", "TRUE"),
        ("consent_all('linking=granted', consent_gcs('G1-1'))", "'measurement=granted;linking=granted'"),
        ("consent_all(NULL::TEXT)", "NULL"),
    ]);
}

#[test]
fn a_signal_that_cannot_be_read_permits_nothing() {
    check_all(&[
        ("consent_gcs('111')", "'unreadable: gcs has not the form G1 and two digits, for example G111'"),
        ("consent_tcf('BAAA') LIKE 'unreadable: the TC string has version 1%'", "TRUE"),
        ("consent_all('granted', consent_gpc('maybe')) LIKE 'unreadable: %'", "TRUE"),
        ("consent_all('granted', 'mail=granted') LIKE 'unreadable: unknown consent purpose%'", "TRUE"),
        ("consent_segment('{}', 'Club')", "'unreadable: a name without its purpose'"),
        ("consent_segment('{}', 'Club', 'letters') LIKE 'unreadable: unknown consent purpose%'", "TRUE"),
    ]);
}

const NOTHING_CONSENTED: &str = "'measurement=denied;personalisation=denied;advertising=denied'";
const CLUB_REFUSED: &str = "'measurement=granted;messaging=denied'";
