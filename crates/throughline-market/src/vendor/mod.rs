//! The same market in the shapes of the systems that a company really has: one file a vendor, each with its habits.
//!
//! A shape tells what that vendor would know and nothing more: no true person, no other vendor's identifiers. What adds up
//! in the market adds up here.

use std::io::{self, Write};

use crate::World;

mod adobe;
mod callrail;
mod consent_log;
mod derived;
mod email_service;
mod figures;
mod ga4;
mod google_ads;
mod hubspot;
mod meta;
mod pos;
mod salesforce;
mod salesforce_sales;
mod segment;
mod site;
mod snowplow;
mod walk;
mod web;

/// A file in the shape of a vendor's export.
#[derive(Debug, Clone, Copy)]
pub struct VendorFile {
    /// Where it lies below the folder of raw data, such as `google_ads/report.csv`.
    pub path: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    pub(crate) write: fn(&World, &mut dyn Write) -> io::Result<()>,
}

/// Every shape.
pub const VENDORS: &[VendorFile] = &[
    adobe::COLUMN_HEADERS,
    adobe::HIT_DATA,
    adobe::LOOKUP_BROWSER,
    adobe::LOOKUP_EVENT,
    callrail::CALLS,
    consent_log::CONSENT_LOG,
    email_service::EVENTS,
    ga4::EVENTS,
    google_ads::REPORT,
    google_ads::REPORT_API,
    hubspot::DEALS,
    meta::INSIGHTS,
    pos::RECEIPTS,
    salesforce::CONTACTS,
    salesforce_sales::CAMPAIGNS,
    salesforce_sales::CAMPAIGN_MEMBERS,
    salesforce_sales::OPPORTUNITIES,
    segment::CALLS,
    snowplow::EVENTS,
];

impl World {
    /// Writes the market in one shape.
    pub fn write_vendor(&self, file: &VendorFile, out: &mut dyn Write) -> Result<(), crate::MarketError> {
        (file.write)(self, out).map_err(|source| crate::MarketError::Write { file: file.path.to_owned(), source })
    }
}

/// (kind, identifier or record, customer number of the true person) for what only vendors' files name.
pub(crate) fn identity(world: &World) -> Vec<(&'static str, String, String)> {
    [
        adobe::identity,
        email_service::identity,
        ga4::identity,
        hubspot::identity,
        pos::identity,
        salesforce_sales::identity,
        segment::identity,
        snowplow::identity,
    ]
    .into_iter()
    .flat_map(|of_vendor: fn(&World) -> Vec<_>| of_vendor(world))
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::num::NonZeroUsize;

    use super::*;
    use crate::Scenario;

    fn bytes(world: &World, file: &VendorFile) -> Vec<u8> {
        let mut out = Vec::new();
        world.write_vendor(file, &mut out).expect("writes to memory");
        out
    }

    #[test]
    fn every_shape_has_content_and_the_same_bytes_on_any_number_of_threads() {
        let scenario = Scenario::default().with_people(300);
        let one = World::simulate(&scenario, 5).expect("valid");
        let two = World::simulate_on(&scenario, 5, NonZeroUsize::new(3).expect("three")).expect("valid");
        let other = World::simulate(&scenario, 6).expect("valid");
        let mut paths = BTreeSet::new();
        for file in VENDORS {
            assert!(paths.insert(file.path), "{} twice", file.path);
            let text = bytes(&one, file);
            assert!(text.len() > 100, "{} is empty", file.path);
            assert_eq!(text, bytes(&two, file), "{}", file.path);
            let fixed = file.path.contains("lookup") || file.path.contains("header");
            assert!(fixed || text != bytes(&other, file), "{} does not depend on the seed", file.path);
        }
    }
}
