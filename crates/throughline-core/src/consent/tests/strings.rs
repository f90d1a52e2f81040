//! TCF, GPP and US Privacy strings: published vectors, and strings made by the encoder of the tests.

use super::encode::{Tcf, fibonacci, gpp_header, us};
use super::*;
use crate::Timestamp;

/// The published examples of GPP: a header with section 2, and one with sections 2 and 6.
const ONE: &str = "DBABM~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA";
const TWO: &str = "DBACNYA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN";
/// Of the test suite of `iabgpp-es`: everything consented, with vendors.
const ALL: &str = "COv_eg6Ov_eg6AOADBENAaCgAP_AAH_AACiQAVEUQQoAIQAqIoghAAQgAA.YAAAAAAAAAAAAAAAAAA";
/// Of the same: publisher restrictions, vendors 772 and 280.
const RESTRICTED: &str = "CPi8wgAPi8wgAAOACBENCuCoAP_AAEfAACiQJHNd_H__bX9n-f7_6ft0eY1f9_r37uQzDhfNk-8F3L_W_LwX_2E7NF36tq4KmR4ku1LBIUNtHMnUDUmxaokVrzHsak2cpzNKJ_BkknsZe2dYGF9vm5tj-QKZ7_5_d3f52T_9_9v-39z33913v3d93-_13LjdV5_9H_v9fR_b8_Kf9_5-_4v8_____3_e______8AEEggCTDVuIAuxLHAm0DCKBECMKwkKoFABBQDC0QGADg4KdlYBPrCBAAgFAEYEQIcAUYEAgAAAgCQiACQIsEAAAIgEAAIAEQiEABAwCCgAsDAIAAQDQMUQoABAkIMiAiKUwICIEggJbKhBKC6Q0wgCrLACgkRsFAAiAAAUgACAsHAMESAlYsECTFG-QAjBCgFEqFaAGGgAwABBI4RABgACCRwqADAAEEjgA";

#[test]
fn published_strings_have_their_published_fields() -> Result<(), SignalError> {
    let gpp = GppString::parse(TWO)?;
    assert_eq!(gpp.sections.iter().map(|s| s.0).collect::<Vec<_>>(), [2, 6]);
    let tc = TcString::parse(gpp.sections[0].1)?;
    assert_eq!(tc.created, Timestamp::from_micros(1_650_492_000_000_000));
    assert_eq!((tc.cmp, tc.vendor_list_version, tc.policy_version), ((31, 640), 126, 2));
    assert_eq!((tc.language.as_str(), tc.publisher_country.as_str()), ("EN", "DE"));
    assert!(tc.is_service_specific && tc.consents == 0 && tc.interests == 0 && tc.vendor_consents.is_empty());
    let restricted = TcString::parse(RESTRICTED)?;
    assert_eq!((restricted.vendor_consents.len(), restricted.vendor_interests.len()), (772, 280));
    assert_eq!((restricted.consents, restricted.interests, restricted.special_features), (0x3ff, 0x3e2, 1));
    let kinds: Vec<_> = restricted.restrictions.iter().map(|r| (r.purpose, r.kind, r.vendors.len())).collect();
    let consent = Some(RestrictionKind::RequireConsent);
    assert_eq!(kinds, [(3, consent, 1166), (4, consent, 1166), (5, consent, 1166)]);
    Ok(())
}

#[test]
fn published_strings_are_understood() {
    let none = "measurement=denied;personalisation=denied;advertising=denied";
    let all = "measurement=granted;personalisation=granted;advertising=granted";
    says(gpp(ONE, None), none);
    says(gpp(TWO, None), none);
    says(tcf(ALL, None), all);
    says(gpp(ALL, None), all);
    says(tcf(ALL, Some(2)), all);
    says(tcf(ALL, Some(3)), none);
    says(tcf("CAAAAAAAAAAAAAAAAAENAACAAAAAAAAAAAAAAAAAAAAA.QAAA.IAAA", None), none);
    says(us_privacy("1YNN"), "advertising=granted");
    // usnat with everything opted out, and with Global Privacy Control alone (iabgpp-es).
    says(gpp(&format!("{}~BVVVkkkkkpFY.YA", gpp_header(&[7])), None), "advertising=denied");
    says(gpp(&format!("{}~BAAAAAAAAABA.YA", gpp_header(&[7])), None), "advertising=denied");
    says(gpp(&format!("{}~BAAAAAAAAABA.QA", gpp_header(&[7])), None), "");
}

#[test]
fn purposes_need_consent_or_an_interest_that_may_serve() {
    let tcf_of = |consents: &[u16], interests: &[u16]| {
        let string = Tcf { consents: consents.to_vec(), interests: interests.to_vec(), ..Tcf::default() };
        tcf(&string.text(), None)
    };
    says(tcf_of(&[1, 7], &[]), "measurement=granted;personalisation=denied;advertising=denied");
    says(tcf_of(&[1], &[7]), "measurement=granted;personalisation=denied;advertising=denied");
    let by_interest = tcf_of(&[1], &[7]).ok().and_then(|s| s.stance(Purpose::Measurement).cloned());
    assert_eq!(by_interest.map(|s| s.basis), Some(Basis::LegitimateInterest));
    // No legitimate interest serves storage, profiles or what is chosen by them.
    says(tcf_of(&[7], &[1]), "measurement=denied;personalisation=denied;advertising=denied");
    says(tcf_of(&[1], &[2, 3, 4, 5, 6, 7]), "measurement=granted;personalisation=denied;advertising=denied");
    says(tcf_of(&[1, 3, 4], &[2]), "measurement=denied;personalisation=denied;advertising=granted");
    says(tcf_of(&[1, 5, 6], &[]), "measurement=denied;personalisation=granted;advertising=denied");
}

#[test]
fn storage_may_be_unasked_and_global_strings_only_forbid() {
    let unasked = Tcf { consents: vec![7], purpose_one_not_asked: true, ..Tcf::default() };
    says(tcf(&unasked.text(), None), "measurement=granted;personalisation=denied;advertising=denied");
    let global = Tcf { consents: vec![1, 2, 3, 4, 7], service_specific: false, ..Tcf::default() };
    says(tcf(&global.text(), None), "personalisation=denied");
}

#[test]
fn vendors_and_restrictions_count_for_a_vendor() {
    let base = Tcf {
        consents: vec![1, 7],
        interests: vec![7],
        vendors: vec![1, 2, 5],
        interest_vendors: vec![5, 9],
        ..Tcf::default()
    };
    let measured = |string: &Tcf, vendor| {
        let string = TcString::parse(&string.text()).expect("valid");
        let stance = string.purpose(7, Some(vendor));
        (stance.state, stance.basis)
    };
    assert_eq!(measured(&base, 2), (ConsentState::Granted, Basis::Consent));
    assert_eq!(measured(&base, 9), (ConsentState::Granted, Basis::LegitimateInterest));
    assert_eq!(measured(&base, 3).0, ConsentState::Denied);
    let restricted = |kind| Tcf { restrictions: vec![(7, kind, 5, 9)], ..base.clone() };
    assert_eq!(measured(&restricted(0), 5).0, ConsentState::Denied);
    assert_eq!(measured(&restricted(1), 5), (ConsentState::Granted, Basis::Consent));
    assert_eq!(measured(&restricted(1), 9).0, ConsentState::Denied);
    assert_eq!(measured(&restricted(2), 5), (ConsentState::Granted, Basis::LegitimateInterest));
    assert_eq!(measured(&restricted(2), 2), (ConsentState::Granted, Basis::Consent));
    assert_eq!(measured(&restricted(3), 5).0, ConsentState::Denied);
}

#[test]
fn opt_outs_forbid_and_zero_is_not_permission() {
    let usnat = |opt_outs: [u64; 3]| gpp(&format!("{}~{}", gpp_header(&[7]), us(1, 6, &opt_outs)), None);
    says(usnat([2, 2, 2]), "advertising=granted");
    says(usnat([2, 1, 2]), "advertising=denied");
    says(usnat([2, 0, 2]), "");
    says(usnat([0, 0, 1]), "advertising=denied");
    refused(usnat([2, 3, 2]), "SharingOptOut of usnat");
    for (id, notices) in [(8, 3), (9, 3), (10, 3), (11, 4), (12, 3), (16, 3), (18, 4), (22, 3)] {
        let state = |opt_outs: [u64; 2]| gpp(&format!("{}~{}", gpp_header(&[id]), us(1, notices, &opt_outs)), None);
        says(state([2, 2]), "advertising=granted");
        says(state([1, 2]), "advertising=denied");
        says(state([2, 1]), "advertising=denied");
        says(state([2, 0]), "");
    }
    says(us_privacy("1YYN"), "advertising=denied");
    says(us_privacy("1NNN"), "");
    says(us_privacy("1---"), "");
}

#[test]
fn sections_combine_to_the_strictest() {
    let two = |a: &str, b: &str| format!("{}~{a}~{b}", gpp_header(&[7, 8]));
    let (open, shut) = (us(2, 6, &[2, 2, 2]), us(1, 3, &[2, 1]));
    says(gpp(&two(&open, &shut), None), "advertising=denied");
    says(gpp(&two(&open, &us(1, 3, &[0, 0])), None), "advertising=granted");
    // Section 27 is not read: it may hold a refusal.
    says(gpp(&format!("{}~{open}~BAAA", gpp_header(&[7, 27])), None), "");
    says(gpp(&format!("{}~{}~BAAA", gpp_header(&[7, 27]), us(1, 6, &[1, 2, 2])), None), "advertising=denied");
}

#[test]
fn fibonacci_coding_is_read() {
    for number in (1..200).chain([1_000, 65_535, 1_000_000]) {
        let text = super::encode::base64url(&fibonacci(number));
        assert_eq!(super::super::bits::Bits::decode(&text, "it").and_then(|mut b| b.fibonacci("n")), Ok(number));
    }
}

#[test]
fn damaged_strings_are_refused_with_the_reason() {
    refused(tcf("", None), "ends within the field Version");
    refused(tcf("BOv_eg6Ov_eg6AOADBENAaCgAP_AAH_AACiQ", None), "version 1, known is 2");
    refused(tcf(&ALL[..40], None), "ends within the field VendorConsents");
    refused(tcf("C?", None), "not base64url");
    refused(gpp("", None), "has not the form");
    refused(gpp("XBABM~CP", None), "field Type");
    refused(gpp("DCABM~CP", None), "version 2, known is 1");
    refused(gpp("DBABM", None), "names 1 sections, the string has 0");
    refused(gpp(&format!("{ONE}~1YNN"), None), "names 1 sections, the string has 2");
    refused(gpp(&format!("{}~{}", gpp_header(&[9]), us(3, 3, &[2, 2])), None), "usva has version 3");
    refused(us_privacy("2YNN"), "US Privacy");
    refused(us_privacy("1YNNN"), "US Privacy");
}
