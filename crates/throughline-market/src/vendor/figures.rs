//! What advertising platforms report alike: figures by day and campaign, and amounts without rounding.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use throughline_core::EventKind;

use crate::channel::Campaign;
use crate::noise::Purpose;
use crate::{Channel, World};

/// A campaign on a day: day, channel, campaign. Campaigns of two channels may share a name, so the name is no key.
pub(super) type CampaignDay = (u32, Channel, Campaign);

/// The figures of a campaign on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Figures {
    pub(super) cost_micros: i64,
    pub(super) clicks: u64,
    pub(super) impressions: u64,
}

impl Figures {
    pub(super) const fn add(&mut self, other: Self) {
        self.cost_micros = self.cost_micros.saturating_add(other.cost_micros);
        self.clicks += other.clicks;
        self.impressions += other.impressions;
    }
}

/// The figures of some channels on the written days, with the names of their campaigns.
///
/// The market knows paid search by its clicks alone, since a result that nobody clicked moves nobody. A platform counts
/// every showing, so each click of search stands for 8 to 20 impressions, drawn for the touch. Where impressions are
/// touches of their own, those are counted.
pub(super) fn by_campaign_day<'a>(world: &'a World, channels: &[Channel]) -> BTreeMap<CampaignDay, (&'a str, Figures)> {
    let mut sums: BTreeMap<CampaignDay, (&str, Figures)> = BTreeMap::new();
    for life in world.lives() {
        let noise = world.noise(life);
        for (position, touch) in (0..).zip(&life.touches) {
            if touch.day >= world.scenario().days || !channels.contains(&touch.channel) {
                continue;
            }
            let clicks = u64::from(touch.kind == EventKind::Click);
            let impressions = match touch.channel {
                // Touches of one day are fewer than slots, so that no two of them share a number.
                Channel::PaidSearch => {
                    clicks * u64::from(8 + noise.index(Purpose::SearchImpressions, touch.day, position % 4_096, 13))
                }
                _ => u64::from(touch.kind == EventKind::Impression),
            };
            let key = (touch.day, touch.channel, touch.campaign);
            let (_, sum) = sums.entry(key).or_insert_with(|| (world.campaign_name(touch), Figures::default()));
            sum.add(Figures { cost_micros: touch.cost_micros, clicks, impressions });
        }
    }
    sums
}

/// The position of a campaign in its channel's list, from 1.
pub(super) fn campaign_number(campaign: Campaign) -> u64 {
    match campaign {
        Campaign::Listed(index) => u64::from(index) + 1,
        Campaign::Test(arm) => 900 + arm.index() as u64,
    }
}

/// Micros as an exact decimal with a point and at least so many places.
pub(super) fn decimal(micros: i64, least_places: usize) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let (units, rest) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    let digits = format!("{rest:06}");
    let places = digits.trim_end_matches('0').len().max(least_places.min(6));
    match digits.get(..places) {
        Some(kept) if places > 0 => format!("{sign}{units}.{kept}"),
        _ => format!("{sign}{units}"),
    }
}

/// A number with a decimal comma and thousands dots.
pub(super) fn european(plain: &str) -> String {
    let (whole, places) = plain.split_once('.').map_or((plain, None), |(whole, places)| (whole, Some(places)));
    let mut text = String::new();
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len() - index;
        if left.is_multiple_of(3) && text.ends_with(|c: char| c.is_ascii_digit()) {
            text.push('.');
        }
        text.push(digit);
    }
    if let Some(places) = places {
        text.push(',');
        text.push_str(places);
    }
    text
}

/// One JSON object on a line.
pub(super) fn json_line(out: &mut dyn Write, row: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scenario;

    #[test]
    fn amounts_are_exact() {
        #[track_caller]
        fn check(micros: i64, least_places: usize, expect: &str) {
            assert_eq!(decimal(micros, least_places), expect);
        }
        check(0, 0, "0");
        check(0, 2, "0.00");
        check(1, 0, "0.000001");
        check(1_500_000, 0, "1.5");
        check(1_500_000, 2, "1.50");
        check(-12_345_678, 2, "-12.345678");
        check(i64::MAX, 0, "9223372036854.775807");
        check(5_000_000, 6, "5.000000");
    }

    #[test]
    fn search_shows_eight_to_twenty_times_a_click_and_others_what_was_seen() {
        let mut of_one_click = std::collections::BTreeSet::new();
        for seed in 0..4 {
            let world = World::simulate(&Scenario::default().with_people(150), seed).expect("valid");
            for (_, figures) in by_campaign_day(&world, &[Channel::PaidSearch]).values() {
                assert!((8 * figures.clicks..=20 * figures.clicks).contains(&figures.impressions), "{figures:?}");
                if figures.clicks == 1 {
                    of_one_click.insert(figures.impressions);
                }
            }
            let shown: u64 = by_campaign_day(&world, &[Channel::Display]).values().map(|(_, f)| f.impressions).sum();
            let written = world.lives().iter().flat_map(|l| &l.touches).filter(|t| t.day < world.scenario().days);
            let seen = written.filter(|t| t.channel == Channel::Display && t.kind == EventKind::Impression).count();
            assert_eq!(shown, seen as u64);
            assert!(shown > 0);
        }
        assert_eq!(of_one_click, (8..=20).collect());
    }

    #[test]
    fn numbers_have_a_decimal_comma_and_thousands_dots() {
        #[track_caller]
        fn check(plain: &str, expect: &str) {
            assert_eq!(european(plain), expect);
        }
        check("0", "0");
        check("999", "999");
        check("1234", "1.234");
        check("1234567.50", "1.234.567,50");
        check("-123.5", "-123,5");
        check("-1234", "-1.234");
    }
}
