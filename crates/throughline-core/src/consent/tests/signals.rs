//! Consent Mode, Global Privacy Control, Segment, Adobe, Snowplow.

use super::*;

fn mode(words: [Option<&str>; 4]) -> Result<Signal, SignalError> {
    let state = |i: usize| ConsentMode::state(words[i], "a field");
    Ok(ConsentMode {
        ad_storage: state(0)?,
        analytics_storage: state(1)?,
        ad_user_data: state(2)?,
        ad_personalization: state(3)?,
        personalization_storage: None,
    }
    .signal())
}

#[test]
fn consent_mode_needs_both_for_advertising() {
    let (yes, no) = (Some("granted"), Some("denied"));
    says(mode([yes, yes, yes, yes]), "measurement=granted;personalisation=granted;advertising=granted");
    says(mode([yes, yes, None, None]), "measurement=granted");
    says(mode([yes, yes, no, None]), "measurement=granted;advertising=denied");
    says(mode([no, no, yes, no]), "measurement=denied;personalisation=denied;advertising=denied");
    says(mode([Some("Yes"), Some("No"), Some("Unset"), Some("")]), "measurement=denied");
    refused(mode([Some("maybe"), None, None, None]), "a field of Consent Mode");
    let stored = ConsentMode {
        ad_personalization: ConsentState::Granted,
        personalization_storage: Some(ConsentState::Denied),
        ..ConsentMode::default()
    };
    says(Ok(stored.signal()), "personalisation=denied");
}

#[test]
fn consent_mode_strings_are_read() {
    says(gcs("G111"), "measurement=granted");
    says(gcs("G100"), "measurement=denied;advertising=denied");
    says(gcs("G101"), "measurement=granted;advertising=denied");
    says(gcs("G110"), "measurement=denied");
    says(gcs("G1--"), "");
    for text in ["", "G1", "G222", "G1111", "111"] {
        refused(gcs(text), "gcs");
    }
    let all = "measurement=granted;personalisation=granted;advertising=granted";
    says(gcd("11r1r1r1r5"), all);
    says(gcd("13v3v3v3v5l1"), all);
    says(gcd("11n1n1n1n5"), all);
    says(gcd("11u1u1u1u5"), "measurement=denied;personalisation=denied;advertising=denied");
    says(gcd("11p1q1p1p5"), "measurement=denied");
    says(gcd("11t1t1t1t5"), "");
    says(gcd("11l1l1l1l1"), "");
    says(gcd("11r1p1m1r5"), "personalisation=granted;advertising=denied");
    for text in ["", "11", "11x1r1r1r5", "11r1r1r1r", "11rr1r1r15", "21r1r1r1r5", "11r1r1r1r5?"] {
        refused(gcd(text), "gcd");
    }
}

#[test]
fn global_privacy_control_only_forbids() {
    says(gpc("1"), "advertising=denied");
    says(gpc("TRUE"), "advertising=denied");
    says(gpc("0"), "");
    says(gpc(""), "");
    refused(gpc("yes"), "Global Privacy Control");
}

#[test]
fn segment_categories_are_mapped() {
    let none = Categories::default();
    let event = r#"{"type":"track","context":{"consent":{"categoryPreferences":
        {"Analytics":true,"Advertising":false,"Functional":true,"Essential":true}}}}"#;
    let expect = "measurement=granted;personalisation=granted;advertising=denied";
    says(segment(event, &none), expect);
    says(segment(r#"{"categoryPreferences":{"C0002":true,"c0004":false,"C0003":true}}"#, &none), expect);
    says(segment(r#"{"marketing":true,"advertising":false}"#, &none), "advertising=denied");
    let own =
        Categories::new([("Club", "messaging"), ("Club", "linking"), ("Analytics", "advertising")]).expect("valid");
    says(segment(r#"{"club":true,"analytics":true}"#, &own), "linking=granted;advertising=granted;messaging=granted");
    assert!(Categories::new([("Club", "letters")]).is_err());
    refused(segment("[]", &none), "categoryPreferences");
    refused(segment(r#"{"Analytics":"true"}"#, &none), "categoryPreferences");
    refused(segment("{", &none), "categoryPreferences");
}

#[test]
fn adobe_choices_are_mapped() {
    let json = |inner: &str| format!(r#"{{"consents":{{{inner}}}}}"#);
    let all = r#""collect":{"val":"y"},"share":{"val":"n"},"personalize":{"content":{"val":"y"}}"#;
    says(adobe(&json(all), None), "measurement=granted;personalisation=granted;advertising=denied");
    says(
        adobe(&format!(r#"{{"xdm":{}}}"#, json(all)), None),
        "measurement=granted;personalisation=granted;advertising=denied",
    );
    says(adobe(r#"{"collect":{"val":"LI"}}"#, None), "measurement=granted");
    says(adobe(&json(r#""collect":{"val":"VI"},"share":{"val":"dy"}"#), None), "");
    says(adobe(&json(r#""share":{"val":"dn"}"#), None), "advertising=denied");
    let marketing = json(
        r#""marketing":{"preferred":"email","any":{"val":"u"},"email":{"val":"y"},"sms":{"val":"n"},"call":{"val":"n"}}"#,
    );
    says(adobe(&marketing, None), "messaging=denied");
    says(adobe(&marketing, Some("email")), "messaging=granted");
    says(adobe(&marketing, Some("push")), "");
    says(adobe(&json(r#""marketing":{"any":{"val":"y"}}"#), Some("email")), "messaging=granted");
    refused(adobe(&json(r#""collect":{"val":"Y"}"#), None), "val of Adobe's consents");
    refused(adobe(&json(r#""collect":"y""#), None), "val of Adobe's consents");
    refused(adobe("7", None), "Adobe's consents");
}

#[test]
fn snowplow_events_stop_what_they_end() {
    let none = Categories::default();
    let read = |event: &str, scopes: &str| snowplow(event, scopes, &none);
    let all = "measurement=granted;personalisation=granted;advertising=granted";
    let no = "measurement=denied;personalisation=denied;advertising=denied";
    says(read("allow_all", "necessary, preferences, statistics, marketing"), all);
    says(read("allow_all", ""), all);
    says(
        read("allow_selected", r#"["necessary","statistics"]"#),
        "measurement=granted;personalisation=denied;advertising=denied",
    );
    says(read("allow_selected", "necessary"), no);
    says(read("deny_all", "necessary"), no);
    says(read("withdrawn", "marketing"), "advertising=denied");
    says(read("expired", ""), no);
    says(read("pending", "statistics"), "");
    says(read("implicit_consent", ""), "");
    let club = Categories::new([("club", "messaging")]).expect("valid");
    says(snowplow("deny_all", "", &club), &format!("{no};messaging=denied"));
    refused(read("allow", ""), "event_type");
    refused(read("allow_all", "[1]"), "scopes");
}
