//! Rules that hold without any setting, and the settings of old.

use throughline_paths::JourneyConfig;

use crate::support::{check, check_rules, config, touches};

#[test]
fn journeys_end_in_a_conversion_or_in_none() {
    let config = JourneyConfig::default();
    check(&config, "", "");
    check(&config, "0:a 100:b 200:!", "a>b!");
    check(&config, "0:a 100:! 200:b", "a! b.");
    check(&config, "0:!", "!");
    check(&config, "0:! 1:!", "! !");
    check(&config, "5:a 5:!", "a!");
}

#[test]
fn sessions_count_a_channel_once() {
    check(&JourneyConfig::default(), "0:a 30:a 31:b 100:a 200:!", "a>b>a!");
    check(&touches(""), "0:a 30:a 31:b 100:a 200:!", "a>a>b>a!");
    check_rules(&JourneyConfig::default(), "0:a 10:a 20:-b 100:c 200:!", "kept same_session no_consent kept");
}

#[test]
fn lookback_consent_and_direct() {
    let day = config("lookback_days: 1");
    check(&day, "0:a 1440:b 1441:!", "b!");
    check(&day, "1:a 1441:!", "a!");
    check(&day, "0:-a 100:b 200:!", "b!");
    check(&day, "0:-a", "");
    let last_non_direct = config("lookback_days: 1\nignore_direct: true");
    check(&last_non_direct, "0:a 100:direct 200:!", "a!");
    check(&last_non_direct, "100:direct 200:!", "direct!");
    check_rules(&last_non_direct, "0:a 2000:direct 2001:!", "outside_lookback kept");
}

#[test]
fn transforms_and_null_journeys() {
    check(&touches("transform: exposure"), "0:d 1:a 2:b 3:b 4:c 5:d 6:c 7:c 8:!", "d>a>b>c>d>c!");
    check(&touches("transform: first"), "0:d 1:a 2:b 3:b 4:c 5:d 6:c 7:c 8:!", "d>a>b>c!");
    let never = touches("null_journeys: never_converted");
    check(&never, "0:a 1:! 2:b", "a!");
    check(&never, "0:a 2:b", "a>b.");
    check(&touches("null_journeys: none"), "0:a 1:! 2:b", "a!");
    check(&touches("max_touches: 2"), "0:a 1:b 2:c 3:!", "b>c!");
    check_rules(&touches("max_touches: 2"), "0:a 1:b 2:c 3:!", "over_limit kept kept");
    check(&touches("max_touches: 0"), "0:a 1:! 2:b", "!");
}
