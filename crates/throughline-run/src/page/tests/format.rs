//! Numbers and times in words.

use crate::page::format::*;

#[test]
fn numbers() {
    let check = |x: f64, expect: &str| assert_eq!(number(x), expect, "{x}");
    check(0.0, "0");
    check(-0.0, "0");
    check(12.0, "12");
    check(1_234_567.0, "1,234,567");
    check(-1234.4, "−1,234");
    check(123.456, "123.5");
    check(12.345, "12.35");
    check(0.123_456, "0.123");
    check(0.000_123_4, "0.000123");
    check(-0.000_000_000_1, "0.000000000");
    check(1e300, "1.00 × 10^300");
    check(f64::INFINITY, "∞");
    check(f64::NEG_INFINITY, "−∞");
}

#[test]
fn whole_numbers() {
    let check = |n: u64, expect: &str| assert_eq!(count(n), expect);
    check(0, "0");
    check(999, "999");
    check(1000, "1,000");
    check(u64::MAX, "18,446,744,073,709,551,615");
}

#[test]
fn money_and_shares() {
    assert_eq!(money(1234.5, "EUR"), "EUR\u{a0}1,234");
    assert_eq!(money(12.5, "CHF"), "CHF\u{a0}12.50");
    assert_eq!(money(0.0123, "CHF"), "CHF\u{a0}0.012");
    assert_eq!(money(-3.0, ""), "−3.00");
    let check = |x: f64, expect: &str| assert_eq!(percent(x), format!("{expect}\u{202f}%"), "{x}");
    check(0.0, "0");
    check(1.0, "100");
    check(0.95, "95.0");
    check(0.254, "25.4");
    check(0.0432, "4.3");
    check(0.0043, "0.43");
    check(0.000_012, "0.0012");
    check(-0.721, "−72.1");
    check(0.9996, "99.96");
}

#[test]
fn p_values() {
    let check = |p: f64, expect: &str| assert_eq!(p_value(p).replace('\u{a0}', " "), expect);
    check(0.0, "p < 0.001");
    check(0.000_99, "p < 0.001");
    check(0.0042, "p = 0.0042");
    check(0.031_77, "p = 0.032");
    check(0.5, "p = 0.500");
    check(1.0, "p > 0.99");
    assert_eq!(
        (level(0.95), level(0.9), level(0.999)),
        ("95\u{202f}%".into(), "90\u{202f}%".into(), "99.9\u{202f}%".into())
    );
    assert_eq!((conversions(573.4), conversions(50.7), conversions(0.0)), ("573".into(), "50.7".into(), "0".into()));
}

#[test]
fn ticks() {
    let check = |x: f64, step: f64, expect: &str| assert_eq!(Unit::Plain.tick(x, step), expect, "{x} {step}");
    check(0.0, 0.5, "0");
    check(1e-20, 0.5, "0");
    check(0.5, 0.5, "0.5");
    check(1.0, 0.25, "1.00");
    check(2.5, 2.5, "2.5");
    check(250.0, 250.0, "250");
    check(-500.0, 250.0, "−500");
    check(15_000.0, 5000.0, "15k");
    check(12_500.0, 2500.0, "12.5k");
    check(2e6, 1e6, "2m");
    check(0.002, 0.001, "0.002");
    assert_eq!(Unit::Share.tick(0.25, 0.05), "25\u{202f}%");
}

#[test]
fn times() {
    assert_eq!(instant("2026-04-05T13:05:00Z"), "5 Apr 2026, 13:05 UTC");
    for odd in [
        "",
        "yesterday",
        "2026-13-05T13:05:00Z",
        "2026-04-05",
        "2026-04-05T99:00:00Z",
        "9999999-1-1T0:0:0Z",
        "2026-4-5T1Z",
    ] {
        assert_eq!(instant(odd), odd);
    }
    let check = |from: &str, to: &str, expect: Option<f64>| assert_eq!(seconds_between(from, to), expect);
    check("2026-04-04T21:13:05.25Z", "2026-04-05T00:00:00Z", Some(10_015.0));
    check("2024-02-28T00:00:00Z", "2024-03-01T00:00:00Z", Some(172_800.0));
    check("1999-12-31T23:59:59Z", "2000-01-01T00:00:00Z", Some(1.0));
    check("1970-01-01T00:00:00Z", "2026-01-01T00:00:00Z", Some(1_767_225_600.0));
    check("x", "2000-01-01T00:00:00Z", None);
    let check = |s: f64, expect: &str| assert_eq!(duration(s), expect);
    check(0.0, "0 s");
    check(0.01, "< 0.1 s");
    check(2.34, "2.3 s");
    check(75.0, "75 s");
    check(600.0, "10 min");
    check(f64::NAN, "unknown");
    assert_eq!((age(60.0), age(86_400.0), age(864_000.0)), ("1 minutes".into(), "24 hours".into(), "10 days".into()));
}

#[test]
fn names() {
    let list = |names: &[&str]| listed(&names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
    assert_eq!((list(&[]), list(&["a"]), list(&["a", "b", "c"])), (String::new(), "a".into(), "a, b and c".into()));
    assert_eq!((clipped("short", 9), clipped("äöüäöüäöü", 4)), ("short".into(), "äöü…".into()));
    assert_eq!(
        (counted(1, "row", "rows"), counted(2000, "row", "rows")),
        ("1\u{a0}row".into(), "2,000\u{a0}rows".into())
    );
    assert_eq!(short("0123456789abcdef"), "0123456789ab");
}
