//! Adobe Analytics: the data feed, `hit_data.tsv` with its header and lookups in files beside it.
//!
//! Sources: Adobe Experience League, "Data column reference", "Special characters in data feeds", "Calculate metrics using
//! data feed data", "purchaseID".

use std::borrow::Cow;

use super::super::shape::{Given, Made, Numbers, Row, Table, Vendor, unreadable};
use super::times;
use crate::diagnostics::{BadRow, RowFault};

const EVENTS: &[&str] = &["post_event_list", "event_list"];
const PRODUCTS: &[&str] = &["post_product_list", "product_list"];
/// Hits that were not collected from visitors: uploads and what is there already.
const UPLOADS: &[&str] = &["5", "7", "8", "9"];

pub(in super::super) static VENDOR: Vendor = Vendor {
    name: "adobe_feed",
    summary: "Adobe Analytics data feed: `hit_data.tsv`, with `column_headers.tsv` and lookups beside it",
    preset: include_str!("adobe_feed.yaml"),
    options: &[],
    table: Table::Beside {
        header: "column_headers.tsv",
        own: "hit_data.tsv",
        lookups: &[
            ("event.tsv", "event"),
            ("lookup_event.tsv", "event"),
            ("browser.tsv", "browser"),
            ("lookup_browser.tsv", "browser"),
        ],
    },
    pages: None,
    needs: &[&["hit_time_gmt"], &["exclude_hit"], &["hit_source"]],
    numbers: Numbers::NONE,
    columns: &[
        Made::of("hit_id", "`hitid_high` and `hitid_low`, joined by `:`", &[&["hitid_high"], &["hitid_low"]], pair),
        Made::of(
            "visitor_id",
            "`post_visid_high` and `post_visid_low`, joined by `:`: halves of 64 bits without sign",
            &[&["post_visid_high", "visid_high"], &["post_visid_low", "visid_low"]],
            pair,
        ),
        Made::field("ecid", "Experience Cloud id", &[&["mcvisid"]]),
        Made::field("customer_id", "the site's own number for the visitor", &[&["post_cust_visid", "cust_visid"]]),
        Made::of(
            "visit_id",
            "visitor, number and start of the visit",
            &[
                &["post_visid_high", "visid_high"],
                &["post_visid_low", "visid_low"],
                &["visit_num"],
                &["visit_start_time_gmt"],
            ],
            |row| row.get(0).map(|_| (0..4).filter_map(|i| row.get(i)).collect::<Vec<_>>().join(":").into()),
        ),
        Made::checked("occurred_at", "time of the hit", &[&["hit_time_gmt"]], times::argument),
        Made::of(
            "kept",
            "`true` for hits of visitors: `exclude_hit` is 0 and `hit_source` is not 5, 7, 8 or 9",
            &[&["exclude_hit"], &["hit_source"]],
            |row| {
                let kept = row.get(0).is_none_or(|x| x == "0") && !row.get(1).is_some_and(|s| UPLOADS.contains(&s));
                Some(yes_no(kept))
            },
        ),
        Made::of(
            "is_view",
            "`true` for views of pages, `false` for clicks on links",
            &[&["post_page_event", "page_event"]],
            |row| Some(yes_no(row.get(0).is_none_or(|event| event == "0"))),
        ),
        Made::of(
            "is_order",
            "`true` where event 1 (purchase) is listed and the hit is no repetition of an order",
            &[EVENTS, &["duplicate_purchase"]],
            |row| {
                let bought = events(row, 0).any(|event| event == "1");
                Some(yes_no(bought && row.get(1) != Some("1")))
            },
        ),
        Made::of("events", "names of the events by the lookup, numbers where it has none", &[EVENTS], event_names),
        Made::field("order_id", "number of the order", &[&["post_purchaseid", "purchaseid"]]),
        Made::checked("value", "revenue of all products of the hit", &[PRODUCTS], revenue),
        Made::field("currency", "currency of the hit", &[&["currency"]]),
        Made::field(
            "tracking_code",
            "tracking code that came with the hit; `post_campaign` lasts for months",
            &[&["campaign"]],
        ),
        Made::field("page", "address of the page", &[&["post_page_url", "page_url"]]),
        Made::field("page_name", "name of the page", &[&["post_pagename", "pagename"]]),
        Made::field("referrer", "address of the page before", &[&["post_referrer", "referrer"]]),
        Made::field("region", "region", &[&["geo_region", "geo_country"]]),
        Made::of("browser_name", "browser by the lookup", &[&["browser"]], |row| {
            row.get(0).map(|code| row.lookup("browser", code).unwrap_or(code).into())
        }),
    ],
    lists: &[],
};

const fn yes_no(yes: bool) -> Cow<'static, str> {
    Cow::Borrowed(if yes { "true" } else { "false" })
}

fn pair<'a>(row: &Row<'a>) -> Option<Cow<'a, str>> {
    row.get(0).zip(row.get(1)).map(|(high, low)| format!("{high}:{low}").into())
}

/// The numbers of the events; each may have a value (`201=4.5`) and a serial number (`12:abc`).
fn events<'a>(row: &Row<'a>, argument: usize) -> impl Iterator<Item = &'a str> {
    let list = row.get(argument).unwrap_or_default().split(',');
    list.map(|event| event.split(['=', ':']).next().unwrap_or_default()).filter(|event| !event.is_empty())
}

fn event_names<'a>(row: &Row<'a>) -> Option<Cow<'a, str>> {
    let names: Vec<&str> = events(row, 0).map(|event| row.lookup("event", event).unwrap_or(event)).collect();
    (!names.is_empty()).then(|| names.join(",").into())
}

/// Parts of a list; a caret before the separator makes it part of the text.
fn parts(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let part = if c == separator {
            parts.push(String::new());
            continue;
        } else {
            parts.last_mut()
        };
        if let Some(part) = part {
            part.push(c);
            if c == '^' {
                part.extend(chars.next());
            }
        }
    }
    parts
}

/// The sum over products of `category;name;quantity;revenue;events;evars`: the price is that of all pieces.
fn revenue<'a>(row: &Row<'a>) -> Given<'a> {
    let Some(list) = row.get(0) else { return Ok(None) };
    let mut sum: Option<i128> = None;
    for product in parts(list, ',') {
        let fields = parts(&product, ';');
        let Some(price) = fields.get(3).map(|p| p.trim()).filter(|p| !p.is_empty()) else { continue };
        let micros = micros(price)
            .ok_or_else(|| unreadable(RowFault::Amount, "a price in product_list", price, "a decimal number"))?;
        sum = Some(sum.unwrap_or(0) + i128::from(micros));
    }
    let Some(sum) = sum else { return Ok(None) };
    if sum.unsigned_abs() > i64::MAX.unsigned_abs().into() {
        return Err(BadRow::new(RowFault::Amount, "the prices in product_list are too large"));
    }
    let (sign, size) = (if sum < 0 { "-" } else { "" }, sum.unsigned_abs());
    Ok(Some(format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000).into()))
}

/// A decimal number in millionths, without a detour over floats; digits beyond six places are cut off.
fn micros(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if digits.len() < 1 + usize::from(digits.contains('.')) || !plain(whole) || !plain(fraction) {
        return None;
    }
    let fraction = format!("{fraction:0<6}");
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction: i64 = fraction.get(..6)?.parse().ok()?;
    Some(sign * whole.checked_mul(1_000_000)?.checked_add(fraction)?)
}

#[cfg(test)]
mod tests {
    use super::super::super::shape::testing::{check, refused};
    use super::*;

    #[test]
    fn hits_that_nobody_made_are_not_kept() {
        for (exclude, source, expect) in
            [("0", "1", "true"), ("4", "1", "false"), ("0", "5", "false"), ("0", "9", "false"), ("0", "", "true")]
        {
            check(&VENDOR, "kept", &[("exclude_hit", exclude), ("hit_source", source)], Some(expect));
        }
    }

    #[test]
    fn event_1_is_not_event_12_and_a_repeated_order_is_none() {
        for (events, again, expect) in [
            ("1", "0", "true"),
            ("2,1,200", "0", "true"),
            ("1=4.50", "0", "true"),
            ("12,100", "0", "false"),
            ("1", "1", "false"),
            ("", "0", "false"),
        ] {
            check(&VENDOR, "is_order", &[("post_event_list", events), ("duplicate_purchase", again)], Some(expect));
        }
    }

    #[test]
    fn revenue_is_that_of_all_products_and_pieces() {
        for (products, expect) in [
            (";shirt;2;20.00,;scarf;1;9.5", Some("29.500000")),
            ("a^,b;c^;d;1;5,x;y;1;-1.25", Some("3.750000")),
            (";shirt;;", None),
            ("", None),
            (";x;1;.5", Some("0.500000")),
        ] {
            check(&VENDOR, "value", &[("post_product_list", products)], expect);
        }
        for bad in [";x;1;12,5x", ";x;1;1e3", ";x;1;.", ";x;1;99999999999999999999"] {
            let product = bad.replace("12,5x", "12.5x");
            refused(&VENDOR, "value", &[("post_product_list", &product)], RowFault::Amount);
        }
    }

    #[test]
    fn halves_of_64_bits_stay_text() {
        let halves = [("post_visid_high", "18446744073709551615"), ("post_visid_low", "7")];
        check(&VENDOR, "visitor_id", &halves, Some("18446744073709551615:7"));
        check(&VENDOR, "visitor_id", &halves[..1], None);
    }
}
