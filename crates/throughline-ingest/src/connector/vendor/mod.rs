//! One file a vendor's shape, with its mapping beside it.

pub(super) mod adobe_feed;

pub(super) mod callrail;

mod consents;

pub(super) mod email_service;

pub(super) mod ga4;

pub(super) mod google_ads;

pub(super) mod hubspot;

pub(super) mod meta_ads;

pub(super) mod pos;

pub(super) mod salesforce;

pub(super) mod segment;

pub(super) mod snowplow;

mod times;
