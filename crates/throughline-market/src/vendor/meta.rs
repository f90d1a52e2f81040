//! Meta: insights by day and campaign of paid social and retargeting. Source: Meta Marketing API, "Ads Insights API" at
//! level `campaign` with `time_increment=1`; "Ads Action Stats" for the windows.
//!
//! The platform credits itself with every on-line purchase of a person who clicked one of its advertisements within
//! seven days before, or else saw one within a day before: the latest such click, or else the latest such view, names
//! the campaign. It asks neither for other channels nor for what would have happened anyway, so it claims purchases that
//! others claim too. It is logged in and knows people across devices, but not what they buy in stores. Retargeting finds
//! people who are about to buy and is claimed many times over; views of prospecting work longer than a day, so that its
//! claims can fall short of the truth.
//!
//! Traps, all present here:
//! - every number is a string;
//! - the same purchases appear under several action types (`purchase`, `offsite_conversion.fb_pixel_purchase`,
//!   `omni_purchase`): take one, never their sum; `link_click` is an action too;
//! - `value` is `7d_click` plus `1d_view`; `1d_click` is part of `7d_click`, so the windows do not add up to `value`;
//! - a window without purchases is left out, and so are `actions` and `action_values` without any;
//! - purchases stand on the day of the purchase: a row may have purchases and neither impressions nor spend.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use throughline_core::EventKind;

use super::VendorFile;
use super::figures::{CampaignDay, Figures, by_campaign_day, campaign_number, decimal, json_line};
use crate::{Channel, Life, Purchase, Touch, World};

pub(super) const INSIGHTS: VendorFile = VendorFile {
    path: "meta/insights.jsonl",
    summary: "spend, results and the purchases that the platform claims, by day and campaign",
    write: insights,
};

const CHANNELS: [Channel; 2] = [Channel::PaidSocial, Channel::Retargeting];
/// The names under which one purchase is told.
const PURCHASE_TYPES: [&str; 3] = ["purchase", "offsite_conversion.fb_pixel_purchase", "omni_purchase"];
const DAY_S: u64 = 86_400;
const CLICK_WINDOW_S: u64 = 7 * DAY_S;
const VIEW_WINDOW_S: u64 = DAY_S;

#[derive(Serialize)]
struct Insight<'a> {
    account_id: &'a str,
    account_currency: &'a str,
    campaign_id: String,
    campaign_name: &'a str,
    date_start: &'a str,
    date_stop: &'a str,
    attribution_setting: &'a str,
    spend: String,
    impressions: String,
    clicks: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Stat>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    action_values: Vec<Stat>,
}

/// An action and the figure of each window.
#[derive(Serialize)]
struct Stat {
    action_type: &'static str,
    value: String,
    #[serde(rename = "1d_click", skip_serializing_if = "Option::is_none")]
    day_click: Option<String>,
    #[serde(rename = "7d_click", skip_serializing_if = "Option::is_none")]
    week_click: Option<String>,
    #[serde(rename = "1d_view", skip_serializing_if = "Option::is_none")]
    day_view: Option<String>,
}

/// Purchases and their value in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sum {
    purchases: i64,
    value_micros: i64,
}

impl Sum {
    const fn add(&mut self, value_micros: i64) {
        self.purchases += 1;
        self.value_micros = self.value_micros.saturating_add(value_micros);
    }
}

/// What the platform claims for a campaign on a day, by window. Clicks within a day are part of those within a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Claims {
    day_click: Sum,
    week_click: Sum,
    day_view: Sum,
}

fn insights(world: &World, out: &mut dyn Write) -> io::Result<()> {
    let mut rows: BTreeMap<CampaignDay, (&str, Figures, Claims)> = BTreeMap::new();
    for (key, (name, figures)) in by_campaign_day(world, &CHANNELS) {
        rows.insert(key, (name, figures, Claims::default()));
    }
    for life in world.lives() {
        for (purchase, touch) in claimed(life) {
            let key = (purchase.day, touch.channel, touch.campaign);
            let (_, _, claims) =
                rows.entry(key).or_insert_with(|| (world.campaign_name(touch), Figures::default(), Claims::default()));
            claims.add(purchase, touch);
        }
    }
    for (key, (name, figures, claims)) in rows {
        let date = world.instant(key.0, 0).date();
        let row = Insight {
            account_id: "act_2061994400",
            account_currency: &world.scenario().currency,
            campaign_id: campaign_id(key),
            campaign_name: name,
            date_start: &date,
            date_stop: &date,
            attribution_setting: "7d_click_1d_view",
            spend: decimal(figures.cost_micros, 0),
            impressions: figures.impressions.to_string(),
            clicks: figures.clicks.to_string(),
            actions: claims.actions(figures.clicks),
            action_values: claims.told(|sum| decimal(sum.value_micros, 0)),
        };
        json_line(out, &row)?;
    }
    Ok(())
}

/// Ids have 18 digits, which a double does not hold: another reason why they are strings.
fn campaign_id((_, channel, campaign): CampaignDay) -> String {
    let first = if channel == Channel::Retargeting { 500 } else { 100 };
    (120_210_000_000_000_000_u64 + first + campaign_number(campaign)).to_string()
}

/// The on-line purchases that the platform claims, each with the touch it claims it for.
fn claimed(life: &Life) -> impl Iterator<Item = (&Purchase, &Touch)> {
    let online = life.purchases.iter().filter(|p| !p.in_store);
    online.filter_map(|purchase| {
        let last = |kind: EventKind, window_s: u64| {
            let own = life.touches.iter().filter(move |t| CHANNELS.contains(&t.channel) && t.kind == kind);
            own.rev().find(|t| seconds_before(purchase, t).is_some_and(|s| s <= window_s))
        };
        let touch = last(EventKind::Click, CLICK_WINDOW_S).or_else(|| last(EventKind::Impression, VIEW_WINDOW_S))?;
        Some((purchase, touch))
    })
}

/// Seconds from a touch to a purchase; `None` for touches after it.
fn seconds_before(purchase: &Purchase, touch: &Touch) -> Option<u64> {
    let second = |day: u32, second: u32| u64::from(day) * DAY_S + u64::from(second);
    second(purchase.day, purchase.second).checked_sub(second(touch.day, touch.second))
}

impl Claims {
    fn add(&mut self, purchase: &Purchase, touch: &Touch) {
        if touch.kind == EventKind::Click {
            self.week_click.add(purchase.value_micros);
            if seconds_before(purchase, touch).is_some_and(|s| s <= DAY_S) {
                self.day_click.add(purchase.value_micros);
            }
        } else {
            self.day_view.add(purchase.value_micros);
        }
    }

    fn actions(&self, clicks: u64) -> Vec<Stat> {
        let link = Stat {
            action_type: "link_click",
            value: clicks.to_string(),
            day_click: None,
            week_click: None,
            day_view: None,
        };
        let links = (clicks > 0).then_some(link);
        links.into_iter().chain(self.told(|sum| sum.purchases.to_string())).collect()
    }

    /// One figure of the claims under every name of a purchase; nothing without purchases.
    fn told(&self, figure: impl Fn(Sum) -> String) -> Vec<Stat> {
        let all = Sum {
            purchases: self.week_click.purchases + self.day_view.purchases,
            value_micros: self.week_click.value_micros.saturating_add(self.day_view.value_micros),
        };
        let window = |sum: Sum| (sum.purchases > 0).then(|| figure(sum));
        let names = PURCHASE_TYPES.into_iter().filter(|_| all.purchases > 0);
        let action = |action_type| Stat {
            action_type,
            value: figure(all),
            day_click: window(self.day_click),
            week_click: window(self.week_click),
            day_view: window(self.day_view),
        };
        names.map(action).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::Scenario;

    fn world() -> World {
        World::simulate(&Scenario::default().with_people(1_500), 21).expect("valid")
    }

    fn rows(world: &World) -> Vec<Value> {
        let mut out = Vec::new();
        world.write_vendor(&INSIGHTS, &mut out).expect("writes to memory");
        let text = String::from_utf8(out).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// A decimal string as micros.
    fn micros(value: &Value) -> i64 {
        let text = value.as_str().expect("a string");
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        format!("{whole}{places:0<6}").parse().expect("a decimal")
    }

    fn micros_of(count: usize) -> i64 {
        i64::try_from(count).expect("a small count") * 1_000_000
    }

    /// The sum over rows of one window of an action type, in micros of a purchase or of money.
    fn total(rows: &[Value], list: &str, action_type: &str, window: &str) -> i64 {
        let actions = rows.iter().filter_map(|row| row[list].as_array()).flatten();
        actions.filter(|a| a["action_type"] == action_type && !a[window].is_null()).map(|a| micros(&a[window])).sum()
    }

    /// Every on-line purchase with a touch of a kind in a span before it, said as plainly as possible.
    fn reached(world: &World, clicks: bool) -> Vec<&Purchase> {
        let kind = if clicks { EventKind::Click } else { EventKind::Impression };
        let days = if clicks { 7.0 } else { 1.0 };
        let at = |day: u32, second: u32| f64::from(day) + f64::from(second) / 86_400.0;
        let mut found = Vec::new();
        for life in world.lives() {
            for p in life.purchases.iter().filter(|p| !p.in_store) {
                let near = |t: &Touch| (0.0..=days).contains(&(at(p.day, p.second) - at(t.day, t.second)));
                let ours = |t: &Touch| ["paid_social", "retargeting"].contains(&t.channel.name()) && t.kind == kind;
                if life.touches.iter().any(|t| ours(t) && near(t)) {
                    found.push(p);
                }
            }
        }
        found
    }

    #[test]
    fn spend_clicks_and_impressions_add_up_to_the_market() {
        let world = world();
        let rows = rows(&world);
        let days = world.scenario().days;
        let ours: Vec<&Touch> = world.lives().iter().flat_map(|l| &l.touches).collect();
        let ours: Vec<_> = ours.into_iter().filter(|t| t.day < days && CHANNELS.contains(&t.channel)).collect();
        let sum = |field: &str| rows.iter().map(|row| micros(&row[field])).sum::<i64>();
        let count = |kind| micros_of(ours.iter().filter(|t| t.kind == kind).count());
        assert_eq!(sum("spend"), ours.iter().map(|t| t.cost_micros).sum::<i64>());
        assert_eq!(sum("clicks"), count(EventKind::Click));
        assert_eq!(sum("impressions"), count(EventKind::Impression));
        assert_eq!(sum("clicks"), total(&rows, "actions", "link_click", "value"));
        let names: std::collections::BTreeSet<_> = rows.iter().map(|r| r["campaign_name"].as_str()).collect();
        assert_eq!(names, [Some("basket_reminder"), Some("lookalike"), Some("prospecting")].into());
    }

    #[test]
    fn every_purchase_with_a_recent_click_or_view_is_claimed_once_and_told_three_times() {
        let world = world();
        let rows = rows(&world);
        let clicked = reached(&world, true);
        let either: Vec<&Purchase> = reached(&world, false).into_iter().chain(clicked.iter().copied()).collect();
        // Purchases of one person never share an instant, of two people they do: the place in memory tells them apart.
        let mut either: Vec<_> = either.into_iter().map(|p| (std::ptr::from_ref(p), p.value_micros)).collect();
        either.sort_unstable();
        either.dedup();
        for name in PURCHASE_TYPES {
            assert_eq!(total(&rows, "actions", name, "value"), micros_of(either.len()), "{name}");
            assert_eq!(total(&rows, "actions", name, "7d_click"), micros_of(clicked.len()), "{name}");
            let value: i64 = either.iter().map(|(_, value)| value).sum();
            assert_eq!(total(&rows, "action_values", name, "value"), value, "{name}");
        }
        let [all, week, day, view] =
            ["value", "7d_click", "1d_click", "1d_view"].map(|w| total(&rows, "actions", "purchase", w));
        assert_eq!(all, week + view);
        assert!(0 < day && day < week && view > 0, "{day} {week} {view}");
    }

    #[test]
    fn retargeting_is_claimed_far_beyond_what_it_caused() {
        let world = World::simulate(&Scenario::default().with_people(3_000), 21).expect("valid");
        let rows: Vec<Value> = rows(&world).into_iter().filter(|r| r["campaign_name"] == "basket_reminder").collect();
        let claimed = total(&rows, "actions", "purchase", "value") as f64 / 1e6;
        let truth = world.truth();
        let caused = truth.channels.iter().find(|c| c.channel == Channel::Retargeting).expect("in use");
        assert!(caused.true_conversions > 0.0);
        assert!(claimed > 2.0 * caused.true_conversions, "{claimed} of {}", caused.true_conversions);
    }
}
