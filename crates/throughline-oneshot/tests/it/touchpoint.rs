//! `throughline touchpoint`: what its users see.

use std::fmt::Write;

use serde_json::Value;
use throughline_oneshot::OneShotError;
use throughline_oneshot::command::parse;

/// Whole numbers that look drawn, below `n`.
fn drawn(a: u64, b: u64, n: u64) -> u64 {
    let mut x = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 29;
    x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 32)) % n
}

/// 400 people over 60 days: `mail` brings a purchase to one in five, `search` to nobody; members buy and are mailed more.
fn events() -> String {
    let mut rows = Vec::new();
    for person in 0..400_u64 {
        let member = drawn(person, 7, 2);
        for day in 0..60_u64 {
            let date = format!("2026-0{}-{:02}", 3 + day / 30, 1 + day % 30);
            let mailed = drawn(person, 100 + day, 20) < 1 + 2 * member;
            if mailed {
                rows.push(format!("p{person},{date} 09:00:00,mail,,{member}"));
            }
            if drawn(person, 900 + day, 12) == 0 {
                rows.push(format!("p{person},{date} 11:00:00,search,,{member}"));
            }
            let buys = drawn(person, 500 + day, 50) < 1 + 2 * member || (mailed && drawn(person, 700 + day, 5) == 0);
            if buys {
                rows.push(format!("p{person},{date} 20:00:00,,1,{member}"));
            }
        }
    }
    let mut text = String::from("who,when,channel,bought,member\n");
    for row in &rows {
        writeln!(text, "{row}").expect("text");
    }
    text
}

fn run(text: &str, more: &[(&str, &str)]) -> Result<Value, OneShotError> {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("events.csv");
    std::fs::write(&file, text).expect("a file");
    let base = [("person", "who"), ("time", "when"), ("channel", "channel"), ("conversion", "bought")];
    let mut options: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in base.iter().chain(more) {
        options.retain(|o| o.0 != *name);
        options.push(((*name).to_owned(), vec![(*value).to_owned()]));
    }
    parse("touchpoint", &file, &options)?.run().map(|a| a.json)
}

const SHORT: [(&str, &str); 3] = [("window_days", "3"), ("lookback_days", "10"), ("covariate", "member")];

#[test]
fn the_channel_that_works_is_told_from_the_one_that_does_not() {
    let answer = run(&events(), &SHORT).expect("an answer");
    let channels = answer["channels"].as_array().expect("a list");
    assert_eq!(channels.len(), 2);
    let per_day = |i: usize| {
        let e = &channels[i]["per_touched_day"];
        (e["value"].as_f64().expect("a number"), e["std_error"].as_f64().expect("a number"))
    };
    assert_eq!((&channels[0]["channel"], &channels[1]["channel"]), (&"mail".into(), &"search".into()));
    let (mail, search) = (per_day(0), per_day(1));
    assert!((mail.0 - 0.19).abs() < 3.5 * mail.1 && mail.0 > 5.0 * mail.1, "{mail:?}");
    assert!(search.0.abs() < 3.5 * search.1, "{search:?}");
    let days = channels[0]["touched_days"].as_f64().expect("a number");
    let all = channels[0]["incremental_conversions"]["value"].as_f64().expect("a number");
    assert!((all - days * mail.0).abs() < 1e-6 * all);
    assert_eq!(answer["tier"], 1);
    assert!(channels[0]["overlap"]["share_trimmed"].is_number() && channels[0]["sensitivity"]["e_value"].is_object());
}

#[test]
fn rows_in_another_order_change_no_bit() {
    let text = events();
    let (header, rows) = text.split_once('\n').expect("a header");
    let mut reversed: Vec<&str> = rows.lines().collect();
    reversed.reverse();
    let reversed = format!("{header}\n{}\n", reversed.join("\n"));
    let only = [SHORT[0], SHORT[1], ("only", "mail")];
    assert_eq!(run(&text, &only).expect("an answer"), run(&reversed, &only).expect("an answer"));
}

#[track_caller]
fn refused(text: &str, more: &[(&str, &str)], code: &str) {
    match run(text, more) {
        Err(OneShotError::Findings(found)) => assert_eq!(found[0].code, code, "{found:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bad_input_is_named() {
    let text = events();
    refused(&text, &[("only", "radio")], "TL065");
    refused(&text, &[("person", "whom")], "TL033");
    refused(&text, &[("time", "member")], "TL065");
    refused(&text, &[("level", "3")], "TL045");
    refused(&text, &[("window_days", "0")], "TL065");
    // Sixty days leave none after a lookback of 50 and before a window of 14.
    refused(&text, &[("lookback_days", "50")], "TL397");
    refused("who,when,channel,bought,member\n", &[], "TL032");
}
