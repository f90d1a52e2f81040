use super::*;

const DAY: i64 = 86_400_000_000;

fn platform() -> Platform {
    Platform {
        name: "ads".into(),
        channels: vec!["paid_search".into()],
        click_window: 7 * DAY,
        view_window: DAY,
        sees_without_consent: true,
        counting: Counting::One,
        dated_by: DatedBy::Conversion,
    }
}

/// `kind:day` where the kind is `c`lick or `v`iew, upper case where our rules dropped it, `n` a click without consent; `o` is a
/// click of another channel.
fn touches(words: &'static str) -> Vec<ClaimedTouch<'static>> {
    let read = |word: &'static str| {
        let (kind, day) = word.split_once(':').expect("kind:day");
        let day: i64 = day.parse().expect("a day");
        ClaimedTouch {
            id: word,
            channel: if kind == "o" { "email" } else { "paid_search" },
            interaction: if kind.eq_ignore_ascii_case("v") { Interaction::View } else { Interaction::Click },
            at: day * DAY,
            platform_day: day,
            kept: kind.chars().all(char::is_lowercase) && kind != "n",
            without_consent: kind == "n",
        }
    };
    words.split_whitespace().map(read).collect()
}

fn conversion(day: i64, share: f64, words: &'static str) -> OurConversion<'static> {
    #[expect(clippy::cast_possible_truncation, reason = "a share of a million")]
    let part = |whole: f64| (share * whole) as i64;
    OurConversion {
        at: day * DAY,
        day,
        platform_day: day,
        value_micros: 50_000_000,
        credited: Amount { conversions_micros: part(1e6), value_micros: part(5e7) },
        touches: touches(words),
    }
}

/// Differences in conversions, line by line.
fn bridge(platform: &Platform, conversions: &[OurConversion<'_>], reported: f64) -> Vec<f64> {
    #[expect(clippy::cast_possible_truncation, reason = "a small number")]
    let reported = Amount { conversions_micros: (reported * 1e6) as i64, value_micros: 0 };
    let told = reconcile(platform, conversions, (0, 30), reported);
    let sum = told.lines.iter().fold(told.ours, |sum, line| sum.plus(line.difference));
    assert_eq!(sum, told.reported, "lines add up");
    assert_eq!(told.lines.iter().map(|l| l.cause).collect::<Vec<_>>(), Cause::ALL);
    told.lines.iter().map(|l| l.difference.conversions_micros as f64 / 1e6).collect()
}

#[test]
fn each_cause_has_its_line() {
    // Credit, window, view-through, consent, duplicate, time zone, identity.
    let half = [conversion(10, 0.5, "o:8 c:9")];
    assert_eq!(bridge(&platform(), &half, 1.0), [0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let old = [conversion(10, 1.0, "c:1")];
    assert_eq!(bridge(&platform(), &old, 0.0), [0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let dropped = [conversion(10, 0.0, "C:9")];
    assert_eq!(bridge(&platform(), &dropped, 1.0), [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let seen = [conversion(10, 1.0, "v:5"), conversion(10, 0.0, "V:10")];
    assert_eq!(
        bridge(&platform(), &seen, 1.0),
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        "one is too old, one we did not keep"
    );
    let without_views = Platform { view_window: 0, ..platform() };
    assert_eq!(bridge(&without_views, &seen, 0.0), [0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0]);
    let silent = [conversion(10, 0.0, "n:9")];
    assert_eq!(bridge(&platform(), &silent, 1.0), [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    let twice = [conversion(9, 1.0, "c:8"), conversion(10, 1.0, "c:8")];
    assert_eq!(bridge(&platform(), &twice, 1.0), [0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0]);
    let elsewhere = [OurConversion { platform_day: 31, ..conversion(30, 1.0, "c:30") }];
    assert_eq!(bridge(&platform(), &elsewhere, 0.0), [0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0]);
    assert_eq!(bridge(&platform(), &half, 4.0)[6], 3.0, "what we never saw");
}

#[test]
fn a_day_may_be_that_of_the_touch() {
    let by_touch = Platform { dated_by: DatedBy::Touch, ..platform() };
    let late = [conversion(33, 1.0, "c:29")];
    assert_eq!(
        bridge(&by_touch, &late, 1.0),
        [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        "ours lies after the period, its click in it"
    );
}

#[test]
fn clicks_outrank_views_and_other_channels_do_not_count() {
    // The view is later, but the click is the one that is claimed, once.
    let twice = [conversion(9, 1.0, "c:8 v:9"), conversion(9, 1.0, "c:8")];
    assert_eq!(bridge(&platform(), &twice, 1.0)[4], -1.0);
    assert_eq!(bridge(&platform(), &[conversion(9, 0.0, "o:8")], 0.0), [0.0; 7]);
    assert_eq!(bridge(&platform(), &[], 2.0), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0]);
}
