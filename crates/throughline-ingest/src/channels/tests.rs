use std::collections::BTreeMap;

use super::*;

/// `source / medium / channel` of an arrival, with its click id.
fn shown(channels: &Channels, traffic: &Traffic<'_>) -> String {
    match channels.arrival(traffic) {
        None => "none".to_owned(),
        Some(a) => {
            let click = a.click_id.map(|(name, value)| format!(" {name}={value}")).unwrap_or_default();
            format!("{} / {} / {}{click}", a.source, a.medium, a.channel)
        }
    }
}

#[track_caller]
fn check(source: &str, medium: &str, campaign: &str, expect: &str) {
    let traffic = Traffic {
        source: Some(source),
        medium: Some(medium),
        campaign: Some(campaign),
        page: Some("https://shop.example/"),
        ..Traffic::default()
    };
    let got = Channels::built_in().arrival(&traffic).expect("an arrival").channel;
    assert_eq!(got, expect, "{source} / {medium} / {campaign}");
}

#[track_caller]
fn check_address(page: &str, referrer: &str, expect: &str) {
    let traffic = Traffic { page: Some(page), referrer: Some(referrer), ..Traffic::default() };
    assert_eq!(shown(&Channels::built_in(), &traffic), expect, "{page} from {referrer}");
}

#[test]
fn the_default_channel_group() {
    for (source, medium, campaign, expect) in [
        ("(direct)", "(none)", "", "direct"),
        ("google", "cpc", "", "paid_search"),
        ("google", "ppc", "shop - brand", "paid_shopping"),
        ("google", "organic", "", "organic_search"),
        ("google", "cpc", "x cross-network y", "cross_network"),
        ("amazon", "paid", "", "paid_shopping"),
        ("facebook", "paid_social", "", "paid_social"),
        ("facebook", "retargeting", "", "paid_social"),
        ("youtube.com", "cpc", "", "paid_video"),
        ("news.example", "display", "", "display"),
        ("news.example", "cpm", "", "display"),
        ("news.example", "banner", "", "display"),
        ("partner", "paid-content", "", "paid_other"),
        ("instagram", "whatever", "", "organic_social"),
        ("forum", "Social-Media", "", "organic_social"),
        ("vimeo", "referral", "", "organic_video"),
        ("blog.example", "referral", "", "referral"),
        ("mail.google.com", "referral", "", "referral"),
        ("newsletter", "email", "", "email"),
        ("e-mail", "x", "", "email"),
        ("partner", "affiliate", "", "affiliates"),
        ("podcast", "audio", "", "audio"),
        ("sms", "x", "", "sms"),
        ("app", "mobile-push", "", "mobile_push"),
        ("unknown", "unknown", "", "unassigned"),
    ] {
        check(source, medium, campaign, expect);
    }
}

#[test]
fn addresses_and_referrers() {
    check_address(
        "https://shop.example/?utm_source=newsletter&utm_medium=email",
        "https://mail.google.com/",
        "newsletter / email / email",
    );
    check_address("https://shop.example/", "https://www.google.co.uk/", "www.google.co.uk / organic / organic_search");
    check_address("https://shop.example/", "https://m.facebook.com/", "m.facebook.com / social / organic_social");
    check_address("https://shop.example/", "https://blog.example/post", "blog.example / referral / referral");
    check_address("https://shop.example/", "", "(direct) / (none) / direct");
    check_address("https://shop.example/basket", "https://www.shop.example/", "none");
    let nothing = Traffic::default();
    assert_eq!(shown(&Channels::built_in(), &nothing), "none");
}

#[test]
fn every_click_id_is_known_and_proves_its_platform() {
    for (parameter, expect) in [
        ("gclid", "google / cpc / paid_search"),
        ("gbraid", "google / cpc / paid_search"),
        ("wbraid", "google / cpc / paid_search"),
        ("dclid", "google / display / display"),
        ("fbclid", "facebook / social / organic_social"),
        ("msclkid", "bing / cpc / paid_search"),
        ("twclid", "twitter / paid_social / paid_social"),
        ("li_fat_id", "linkedin / paid_social / paid_social"),
        ("ttclid", "tiktok / paid_social / paid_social"),
        ("rdt_cid", "reddit / paid_social / paid_social"),
        ("sccid", "snapchat / paid_social / paid_social"),
    ] {
        check_address(&format!("https://shop.example/?{parameter}=abc"), "", &format!("{expect} {parameter}=abc"));
    }
}

#[test]
fn a_click_id_corrects_organic_and_leaves_what_was_tagged_on_purpose() {
    let page = "https://shop.example/?gclid=Cj0";
    let traffic =
        |source, medium| Traffic { source: Some(source), medium: Some(medium), page: Some(page), ..Traffic::default() };
    let channels = Channels::built_in();
    assert_eq!(shown(&channels, &traffic("google", "organic")), "google / cpc / paid_search gclid=Cj0");
    assert_eq!(shown(&channels, &traffic("google", "display")), "google / display / display gclid=Cj0");
    let of_tool = Traffic {
        source: Some("google"),
        medium: Some("organic"),
        click_ids: BTreeMap::from([("gclid", "T")]),
        ..Traffic::default()
    };
    assert_eq!(shown(&channels, &of_tool), "google / cpc / paid_search gclid=T");
}

#[test]
fn a_project_puts_its_rules_and_sites_in_front() {
    let own = "apiVersion: throughline/v1\nkind: Channels\nlists: { search: [metager], house: [sister.example] }\n\
               click_ids:\n  - { parameter: irclickid, source: impact, medium: affiliate }\n\
               rules:\n  - { channel: retargeting, medium: retargeting }\n  - { channel: house, source: \"@house\" }\n";
    let channels = Channels::parse(own, "channels.yaml").expect("valid");
    assert_ne!(channels.digest(), Channels::built_in().digest());
    let page = |page| shown(&channels, &Traffic { page: Some(page), ..Traffic::default() });
    let tagged = "https://shop.example/?utm_source=facebook&utm_medium=retargeting";
    assert_eq!(page(tagged), "facebook / retargeting / retargeting");
    assert_eq!(page("https://shop.example/?irclickid=1"), "impact / affiliate / affiliates irclickid=1");
    let from = |host: &str| {
        let referrer = format!("https://{host}/");
        shown(
            &channels,
            &Traffic { page: Some("https://shop.example/"), referrer: Some(&referrer), ..Traffic::default() },
        )
    };
    assert_eq!(from("metager.de"), "metager.de / organic / organic_search");
    assert_eq!(from("www.sister.example"), "www.sister.example / referral / house");
}

#[test]
fn faults_of_a_table_are_named() {
    let head = "apiVersion: throughline/v1\nkind: Channels\n";
    for (text, expect) in [
        ("rules:\n  - { channel: x, sourc: y }\n", "sourc"),
        ("rules:\n  - { channel: x }\n", "has no condition"),
        ("rules:\n  - { channel: \" \", source: y }\n", "names no channel"),
        ("rules:\n  - { channel: x, source: \"@serch\" }\n", "unknown list `@serch`"),
    ] {
        let finding = Channels::parse(&format!("{head}{text}"), "channels.yaml").expect_err("refused").to_string();
        assert!(finding.contains(expect) && finding.contains("channels.yaml"), "{finding}");
    }
    assert!(Channels::parse("apiVersion: x\nkind: Channels\n", "channels.yaml").is_err());
    assert!(Channels::built_in().rules.len() > 20, "the table that comes along is read");
}
