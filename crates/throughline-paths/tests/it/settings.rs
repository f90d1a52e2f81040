//! Each new setting alone, and the order of rules.

use throughline_paths::{Counting, JourneyConfig};

use crate::support::{check, check_for, check_rules, config, purchase, run, touches};

#[test]
fn windows_by_channel_and_interaction() {
    let windows = "lookback_days: 10\nlookback: [{ interaction: view, days: 1 }, { channel: a, days: 2 }, \
                   { channel: a, interaction: view, days: 3 }, { channel: unheard, days: 300 }]";
    // Ages in days: a 2.5, b 2.5; views of a 2.5, of b 2.5 and 0.5.
    let text = "0:a 0:b 0:a/view 0:b/view 2880:b/view 3600:!";
    check_rules(&touches(windows), text, "outside_lookback kept kept outside_lookback kept");
    check_rules(&touches("lookback: [{ interaction: call, days: 1 }]"), "0:a/call 0:a 1441:!", "outside_lookback kept");
    check_rules(&touches("lookback: [{ days: 1 }]"), "0:a/call 0:a 1441:!", "outside_lookback outside_lookback");
}

#[test]
fn clicks_outrank_views() {
    let text = "0:a/view 1:b/engaged_view 2:b/view 3:c/view 4:a 5:!";
    check_rules(&touches(""), text, "kept kept kept kept kept");
    check_rules(&touches("view_through: unless_clicked"), text, "outranked outranked outranked outranked kept");
    check_rules(&touches("view_through: unless_channel_clicked"), text, "outranked kept outranked kept kept");
    let unless = config("view_through: unless_clicked");
    check_rules(&unless, "0:a/view 1:b/engaged_view 2:!", "outranked kept");
    check_rules(&unless, "0:a/view 1:b/view 2:!", "kept kept");
    // A click outside the window outranks nothing, and an outranked view does not use up the session.
    check_rules(&unless, "0:a 50000:a/view 50001:!", "outside_lookback kept");
    check_rules(&unless, "0:a/view 1:a 2:!", "outranked kept");
}

#[test]
fn direct_traffic() {
    check_rules(&touches("direct: never"), "0:direct 1:a 2:direct 3:!", "direct_never kept direct_never");
    check(&touches("direct: never"), "0:direct 1:! 2:direct", "!");
    check(&touches("direct: unless_alone"), "0:direct 1:a 2:direct 3:! 4:direct 5:!", "a! direct!");
    check(&touches("direct: as_touch\nignore_direct: true"), "0:direct 1:a 3:!", "direct>a!");
    check(&touches("direct: never\ndirect_channel: (none)"), "0:direct 1:(none) 3:!", "direct!");
}

#[test]
fn sessions_split_where_they_are_told_to() {
    check(&config(""), "0:a 20:a 40:a 60:a 70:!", "a!");
    check(&config("sessions: { max_minutes: 40 }"), "0:a 20:a 40:a 60:a 70:!", "a>a!");
    check(&config("sessions: { at_midnight: true }"), "1430:a 1440:a 1450:!", "a>a!");
    // 23:00 UTC is midnight in Berlin in winter.
    let berlin = config("sessions: { at_midnight: true, time_zone: Europe/Berlin }");
    check(&berlin, "1370:a 1379:a 1380:a 1390:!", "a>a!");
    check(&berlin, "1430:a 1440:a 1450:!", "a!");
    let campaign = config("sessions: { at_campaign_change: true }");
    check(&campaign, "0:a#x 1:a#y 2:a#y 3:a 4:!", "a>a!");
    check(&campaign, "0:a 1:a#x 2:a 3:a#x 4:!", "a>a!");
    check(&config("session_minutes: 10"), "0:a 10:a 21:a 30:!", "a>a!");
}

#[test]
fn transforms_of_paths() {
    let text = "0:d 1:a 2:b 3:b 4:c 5:d 6:c 7:c 8:!";
    check(&touches("transform: unique"), text, "d>a>b>b>c>d>c>c!");
    check(&touches("transform: frequency"), text, "d(2)>a(1)>b(2)>c(3)!");
    check(&touches("transform: \"remove_if_not_all:c\""), text, "d>a>b>b>d!");
    check(&touches("transform: \"remove_if_last_and_not_all:c\""), text, "d>a>b>b>c>d!");
    check(&touches("transform: [\"remove_if_last_and_not_all:c\", exposure]"), text, "d>a>b>c>d!");
    check(&touches("transform: [\"remove_if_not_all:d\", frequency]"), text, "a(1)>b(2)>c(3)!");
    check(&touches("transform: \"remove_if_not_all:c\""), "0:c 1:c 2:!", "c>c!");
    check(&touches("transform: \"remove_if_last_and_not_all:c\""), "0:c 1:c 2:!", "c>c!");
    check(&touches("transform: \"remove_if_last_and_not_all:x\""), "0:c 1:c 2:!", "c>c!");
    check_rules(&touches("transform: \"remove_if_not_all:c\""), "0:c 1:a 2:!", "removed_channel kept");
    // What a rule dropped before is not in the path that a transform sees.
    check(&touches("transform: \"remove_if_last_and_not_all:c\""), "0:c 1:-a 2:!", "c!");
    check(&touches("transform: frequency\nmax_touches: 1"), "0:a 1:b 2:a 3:!", "b(1)!");
}

#[test]
fn touches_may_serve_several_conversions() {
    check(&touches("reuse_touches: true"), "0:a 1:! 2:b 3:!", "a! a>b!");
    check(&touches("reuse_touches: true\nnull_journeys: none"), "0:a 1:! 2:b", "a!");
    check(&touches("reuse_touches: true"), "0:a 1:! 2:b", "a! b.");
    let day = touches("reuse_touches: true\nlookback_days: 1");
    // The old touch is considered once, for the conversion after it, and never again.
    check_rules(&day, "0:a 1500:! 1501:b 1502:! 1503:!", "outside_lookback | kept | kept");
    let twice = touches("reuse_touches: true\nreuse_limit: 2");
    check(&twice, "0:a 1:! 2:! 3:! 4:b 5:! 6:!", "a! a! ! b! b!");
    let out = run(&twice, &purchase(), &crate::support::person("0:a 1:! 2:! 3:!"));
    assert_eq!(out.reuse_limited, 1);
    // Sessions are the person's: a touch used again keeps its place.
    check(&config("reuse_touches: true"), "0:a 10:! 20:a 30:!", "a! a!");
}

#[test]
fn a_conversion_may_be_a_touch() {
    let config = touches("conversion_is_touch: true");
    check(&config, "0:a 1:!=b 2:a 3:!", "a>b! a!");
    check(&config, "0:!=b 1:!=b", "b! b!");
    check(&touches(""), "0:a 1:!=b", "a!");
    check(&touches("conversion_is_touch: true\nreuse_touches: true"), "0:!=b 1:!=c", "b! b>c!");
    // One that does not count is a touch of the next journey.
    let gap = throughline_paths::ConversionConfig { min_gap_minutes: 10, ..purchase() };
    check_for(&config, &gap, "0:!=b 1:!=c 20:!=d", "b! c>d!");
    let once = throughline_paths::ConversionConfig { count: Counting::OncePerPerson, ..purchase() };
    check_for(&config, &once, "0:!=b 1:!=c", "b! c.");
}

#[test]
fn rules_are_applied_in_their_order() {
    let all = config(
        "lookback_days: 1\nview_through: unless_clicked\ndirect: unless_alone\ntransform: [\"remove_if_not_all:x\", first]\n\
         max_touches: 1",
    );
    let text = "0:-a 1:a 2000:a/view 2001:a 2002:a 2003:direct 2004:x 2100:a 2101:b 2102:!";
    check_rules(
        &all,
        text,
        "no_consent outside_lookback outranked over_limit same_session direct_ignored removed_channel repeated_channel kept",
    );
    assert_eq!(JourneyConfig::default().max_touches, 5000);
}
