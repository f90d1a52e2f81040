//! The shop's web site as its tags see it: pages, browsers, and what address a visitor comes from.
//!
//! The parameters `utm_source`, `utm_medium` and `utm_campaign` stand in the address of the first page after a link of
//! one of the shop's campaigns (Google Analytics Help, "URL builders"). Search results and other sites leave a
//! referrer, typed addresses leave nothing.

use throughline_core::EventKind;

use crate::{Channel, Touch, World};

/// The address of the shop.
pub(super) const HOST: &str = "shop.example";

/// A page of the shop.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) path: &'static str,
    pub(super) title: &'static str,
    /// The product shown, empty on other pages.
    pub(super) sku: &'static str,
}

pub(super) static HOME: Page = Page { path: "/", title: "Home", sku: "" };
pub(super) static BASKET: Page = Page { path: "/basket", title: "Basket", sku: "" };
pub(super) static CHECKOUT: Page = Page { path: "/checkout", title: "Checkout", sku: "" };
pub(super) static THANKS: Page = Page { path: "/thank-you", title: "Thank you", sku: "" };
pub(super) static PRODUCTS: [Page; 6] = [
    Page { path: "/products/sk-101", title: "Linen shirt", sku: "SK-101" },
    Page { path: "/products/sk-102", title: "Wool scarf", sku: "SK-102" },
    Page { path: "/products/sk-103", title: "Rain coat", sku: "SK-103" },
    Page { path: "/products/sk-201", title: "Canvas bag", sku: "SK-201" },
    Page { path: "/products/sk-202", title: "Leather belt", sku: "SK-202" },
    Page { path: "/products/sk-301", title: "Walking boots", sku: "SK-301" },
];

/// The product page that a random word chooses.
pub(super) fn product(word: u64) -> &'static Page {
    let position = word % PRODUCTS.len() as u64;
    (0..).zip(&PRODUCTS).find(|(at, _)| *at == position).map_or(&HOME, |(_, page)| page)
}

/// A browser on a kind of device.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Agent {
    pub(super) mobile: bool,
    pub(super) os: &'static str,
    pub(super) browser: &'static str,
    pub(super) version: &'static str,
    /// What it sends as `User-Agent`.
    pub(super) header: &'static str,
    pub(super) screen: (u32, u32),
}

pub(super) static AGENTS: [Agent; 4] = [
    Agent {
        mobile: false,
        os: "Windows",
        browser: "Chrome",
        version: "142.0",
        header: concat!(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) ",
            "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
        ),
        screen: (1920, 1080),
    },
    Agent {
        mobile: true,
        os: "iOS",
        browser: "Safari",
        version: "26.1",
        header: concat!(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) ",
            "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1"
        ),
        screen: (390, 844),
    },
    Agent {
        mobile: true,
        os: "Android",
        browser: "Chrome",
        version: "142.0",
        header: concat!(
            "Mozilla/5.0 (Linux; Android 10; K) ",
            "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
        ),
        screen: (412, 915),
    },
    Agent {
        mobile: false,
        os: "Linux",
        browser: "Firefox",
        version: "145.0",
        header: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        screen: (2560, 1440),
    },
];

/// Where a visit came from, as far as addresses tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin<'a> {
    pub(super) source: &'static str,
    pub(super) medium: &'static str,
    /// The campaign of a link of the shop's own.
    pub(super) campaign: Option<&'a str>,
    /// The referrer, empty where the browser sends none.
    pub(super) referrer: &'static str,
}

impl<'a> Origin<'a> {
    /// The origin of a visit that a touch began; `None` for a typed address.
    pub(super) fn of(world: &'a World, touch: &Touch) -> Option<Self> {
        let (source, medium, referrer) = match touch.channel {
            Channel::Direct => return None,
            Channel::PaidSearch => ("google", "cpc", "https://www.google.com/"),
            Channel::PaidSocial => ("facebook", "paid_social", "https://m.facebook.com/"),
            Channel::Display => ("google", "display", "https://news.example/"),
            Channel::Retargeting => ("facebook", "retargeting", "https://m.facebook.com/"),
            Channel::Email => ("newsletter", "email", ""),
            Channel::Organic => ("google", "organic", "https://www.google.com/"),
            Channel::Referral => ("blog.example", "referral", "https://blog.example/"),
            other => (other.name(), other.name(), ""),
        };
        let campaign = (touch.kind != EventKind::Visit).then(|| world.campaign_name(touch));
        Some(Self { source, medium, campaign, referrer })
    }

    /// The query of the landing page; empty where no link of the shop's own was followed.
    pub(super) fn query(&self) -> String {
        let Some(campaign) = self.campaign else { return String::new() };
        format!("utm_source={}&utm_medium={}&utm_campaign={}", self.source, self.medium, encoded(campaign))
    }
}

/// Text as a value of a query: everything but letters, digits and `-._~` in hexadecimal (RFC 3986, 2.1).
fn encoded(text: &str) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-._~".contains(b);
    text.as_bytes().iter().map(|b| if plain(b) { char::from(*b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Text as a field of a file without quotes: what would end a field or a line becomes a space.
pub(super) fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control() || c == '\\', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Campaign;
    use crate::vendor::derived::testing::world;

    #[test]
    fn text_in_addresses_and_fields_cannot_break_out() {
        assert_eq!(encoded("Frühling 20%&x=1"), "Fr%C3%BChling%2020%25%26x%3D1");
        assert_eq!(encoded("a-b_c.d~e"), "a-b_c.d~e");
        assert_eq!(plain("a\tb\nc\\d"), "a b c d");
    }

    #[test]
    fn only_links_of_the_shops_own_carry_parameters() {
        let world = world(1, 1);
        let touch = |channel, kind| Touch {
            day: 0,
            second: 0,
            channel,
            kind,
            campaign: Campaign::Listed(0),
            device: 0,
            cost_micros: 0,
        };
        let query = |channel, kind| Origin::of(&world, &touch(channel, kind)).map(|o| o.query());
        assert_eq!(
            query(Channel::PaidSearch, EventKind::Click).as_deref(),
            Some("utm_source=google&utm_medium=cpc&utm_campaign=brand")
        );
        assert_eq!(query(Channel::Organic, EventKind::Visit).as_deref(), Some(""));
        assert_eq!(query(Channel::Direct, EventKind::Visit), None);
    }

    #[test]
    fn every_product_can_be_chosen() {
        for (word, page) in (0..).zip(&PRODUCTS) {
            assert_eq!(product(word), page);
            assert_eq!(product(word + 600), page);
        }
    }
}
