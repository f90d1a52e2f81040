//! Google Ads: cost by day and campaign, as downloaded from the user interface or as the API answers.
//!
//! Sources: Google Ads Help, "Download your reports"; Google Ads API, "Search Stream" and the fields of `campaign`,
//! `segments` and `metrics`.

use std::borrow::Cow;

use super::super::shape::{DECIMAL_OPTION, Given, Made, Numbers, Row, Table, Vendor, unreadable};
use super::times;
use crate::diagnostics::RowFault;

const DAY: &[&str] = &["Day", "Date", "Tag", "segments.date"];
const CAMPAIGN: &[&str] = &["Campaign", "Kampagne", "campaign.name"];
const CAMPAIGN_ID: &[&str] = &["Campaign ID", "Kampagnen-ID", "campaign.id"];
const AD_GROUP_ID: &[&str] = &["Ad group ID", "adGroup.id", "ad_group.id"];
const STATUS: &[&str] = &["Campaign status", "Campaign state", "Account", "Kampagnenstatus"];
const NETWORK: &[&str] =
    &["Network", "Network (with search partners)", "segments.adNetworkType", "segments.ad_network_type"];
const CAMPAIGN_TYPE: &[&str] =
    &["Campaign type", "campaign.advertisingChannelType", "campaign.advertising_channel_type"];
const DEVICE: &[&str] = &["Device", "segments.device"];
const COST: &[&str] = &["Cost", "Kosten"];
const COST_MICROS: &[&str] = &["metrics.costMicros", "metrics.cost_micros"];
const CURRENCY: &[&str] =
    &["Currency", "Currency code", "Währung", "Währungscode", "customer.currencyCode", "customer.currency_code"];
const CLICKS: &[&str] = &["Clicks", "Klicks", "metrics.clicks"];
const IMPRESSIONS: &[&str] = &["Impressions", "Impr.", "Impressionen", "metrics.impressions"];
const CONVERSIONS: &[&str] = &["Conversions", "metrics.conversions"];
const VALUE: &[&str] = &["Conv. value", "Conversion value", "metrics.conversionsValue", "metrics.conversions_value"];

pub(in super::super) static VENDOR: Vendor = Vendor {
    name: "google_ads",
    summary: "Google Ads cost by day and campaign: downloaded reports (CSV) and answers of the API (JSON)",
    preset: include_str!("google_ads.yaml"),
    options: &[DECIMAL_OPTION, ("currency", "currency of the account, where the report has no column for it")],
    table: Table::Header,
    pages: Some("results"),
    needs: &[DAY, &["Cost", "Kosten", "metrics.costMicros", "metrics.cost_micros"]],
    numbers: Numbers {
        amounts: &["Cost", "Kosten", "Conversions", "Conv. value"],
        counts: &["Clicks", "Klicks", "Impressions", "Impr.", "Impressionen"],
    },
    columns: &[
        Made::of("report_row", "`row`, or `total` for the rows that close a report", &[DAY, CAMPAIGN, STATUS], |row| {
            Some(report_row(row).into())
        }),
        Made::of(
            "row_id",
            "day, campaign, ad group, network and device, joined by `/`",
            &[DAY, CAMPAIGN_ID, CAMPAIGN, AD_GROUP_ID, NETWORK, DEVICE],
            row_id,
        ),
        Made::checked("date", "business date of the account, YYYY-MM-DD", &[DAY], date),
        Made::field("campaign_id", "number of the campaign", &[CAMPAIGN_ID]),
        Made::field("campaign", "name of the campaign", &[CAMPAIGN]),
        Made::field("network", "network as reported", &[NETWORK]),
        Made::field("campaign_type", "type of the campaign as reported", &[CAMPAIGN_TYPE]),
        Made::of(
            "channel",
            "channel by network, else by type of campaign; `paid_search` where neither is known",
            &[NETWORK, CAMPAIGN_TYPE],
            |row| Some(channel(row).into()),
        ),
        Made::checked("cost", "cost in units of the currency", &[COST, COST_MICROS], cost),
        Made::of("currency", "currency of the account", &[CURRENCY], currency),
        Made::number("clicks", "clicks", &[CLICKS]),
        Made::number("impressions", "impressions", &[IMPRESSIONS]),
        Made::number("conversions", "conversions that Google claims", &[CONVERSIONS]),
        Made::number("conversions_value", "their value", &[VALUE]),
    ],
    lists: &[],
};

/// What closes a report in the languages of its headers.
const TOTALS: &[&str] = &["total", "gesamt", "insgesamt"];

fn is_total(text: &str) -> bool {
    let text = text.to_lowercase();
    TOTALS
        .iter()
        .any(|word| text.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', ' '])))
}

fn report_row(row: &Row<'_>) -> &'static str {
    // A campaign may be called "Total recall", but then its row has a day.
    let dated = row.get(0).is_some_and(|day| !is_total(day));
    let total = !dated && (0..3).any(|i| row.get(i).is_some_and(is_total));
    if total { "total" } else { "row" }
}

fn row_id<'a>(row: &Row<'a>) -> Option<Cow<'a, str>> {
    let campaign = row.get(1).or_else(|| row.get(2));
    let day = row.get(0).map(|text| times::date(text).unwrap_or(Cow::Borrowed(text)));
    let parts = [day.as_deref(), campaign, row.get(3), row.get(4), row.get(5)];
    campaign.map(|_| parts.into_iter().flatten().collect::<Vec<_>>().join("/").into())
}

fn date<'a>(row: &Row<'a>) -> Given<'a> {
    let Some(text) = row.get(0).filter(|text| !is_total(text)) else { return Ok(None) };
    times::date(text).map(Some).ok_or_else(|| {
        unreadable(RowFault::TimeInvalid, "the day", text, "2026-03-01, 01.03.2026, 1 Mar 2026 or Mar 1, 2026")
    })
}

fn channel(row: &Row<'_>) -> &'static str {
    let of = |text: &str| {
        let text = text.to_lowercase().replace('_', " ");
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&["performance max", "cross-network", "cross network", "mixed"]) {
            Some("cross_network")
        } else if has(&["shopping"]) {
            Some("paid_shopping")
        } else if has(&["youtube", "video"]) {
            Some("paid_video")
        } else if has(&["display", "content", "demand gen", "discovery"]) {
            Some("display")
        } else if has(&["search"]) {
            Some("paid_search")
        } else {
            None
        }
    };
    // Shopping ads run on the search network: their campaigns say so, their network does not.
    let by_type = row.get(1).and_then(of);
    let by_network = row.get(0).and_then(of);
    let found = by_type.filter(|t| matches!(*t, "paid_shopping" | "cross_network")).or(by_network).or(by_type);
    found.unwrap_or("paid_search")
}

fn cost<'a>(row: &Row<'a>) -> Given<'a> {
    let Some(text) = row.get(1) else { return row.number(0) };
    let micros: i64 =
        text.parse().map_err(|_| unreadable(RowFault::Amount, "cost in millionths", text, "a whole number"))?;
    let (sign, size) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
    Ok(Some(format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000).into()))
}

fn currency<'a>(row: &Row<'a>) -> Option<Cow<'a, str>> {
    row.get(0).or_else(|| row.option("currency")).map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::super::super::shape::testing::{check, refused};
    use super::*;

    #[test]
    fn totals_are_told_from_rows() {
        for (day, campaign, expect) in [
            ("2026-03-01", "brand", "row"),
            ("2026-03-01", "Total recall", "row"),
            ("Total: Account", "--", "total"),
            ("Total", "", "total"),
            ("Gesamt: Konto", "--", "total"),
            ("", "Total: Search", "total"),
            ("Totally new", "", "row"),
        ] {
            check(&VENDOR, "report_row", &[("Day", day), ("Campaign", campaign)], Some(expect));
        }
        check(&VENDOR, "date", &[("Day", "Total: Account")], None);
    }

    #[test]
    fn days_of_several_regions_and_none_that_is_ambiguous() {
        for day in ["2026-03-01", "01.03.2026", "1 Mar 2026", "Mar 1, 2026", "1 March 2026"] {
            check(&VENDOR, "date", &[("Day", day)], Some("2026-03-01"));
        }
        refused(&VENDOR, "date", &[("Day", "03/01/2026")], RowFault::TimeInvalid);
    }

    #[test]
    fn channels_by_network_and_type() {
        for (network, kind, expect) in [
            ("Google search", "", "paid_search"),
            ("Display Network", "", "display"),
            ("SEARCH", "SHOPPING", "paid_shopping"),
            ("CONTENT", "DISPLAY", "display"),
            ("YOUTUBE_WATCH", "VIDEO", "paid_video"),
            ("MIXED", "PERFORMANCE_MAX", "cross_network"),
            ("", "Demand Gen", "display"),
            ("", "", "paid_search"),
        ] {
            check(&VENDOR, "channel", &[("Network", network), ("Campaign type", kind)], Some(expect));
        }
    }

    #[test]
    fn millionths_keep_all_their_digits() {
        check(&VENDOR, "cost", &[("metrics.costMicros", "1234567891")], Some("1234.567891"));
        check(&VENDOR, "cost", &[("metrics.cost_micros", "-5")], Some("-0.000005"));
        check(&VENDOR, "cost", &[("Cost", " --")], None);
        check(&VENDOR, "cost", &[("Cost", "1,234.50")], Some("1234.50"));
        refused(&VENDOR, "cost", &[("metrics.costMicros", "1.5")], RowFault::Amount);
        refused(&VENDOR, "cost", &[("Cost", "12 €")], RowFault::Typed);
    }
}
