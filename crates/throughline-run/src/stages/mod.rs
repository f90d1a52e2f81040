//! The stages of the line, in order. A new stage is one file and one line in [`line`].

mod activate;
mod attribute;
mod candidates;
mod consent;
mod decide;
mod decision_rows;
mod features;
mod ingest;
mod journeys;
mod link;
mod model;
mod observe;
mod policy_value;
mod prove;
mod reading;
mod studies;
mod training;

use crate::stage::Stage;

pub use attribute::{JourneyFilter, JourneyFilters, PartOfChannel, PartOfCredit, PartOfModel};
pub(crate) use attribute::{part_of_credit, path_tables, read_from};
pub(crate) use consent::refusal;
pub(crate) use decide::probability_pairs;
pub(crate) use link::DECISION;
pub(crate) use reading::plan_of;

/// Every stage, in the order of the line.
pub(crate) fn line() -> Vec<Box<dyn Stage>> {
    vec![
        Box::new(ingest::Ingest::default()),
        Box::new(link::Link),
        Box::new(journeys::Journeys),
        Box::new(prove::Prove),
        Box::new(attribute::Attribute),
        Box::new(features::Features),
        Box::new(model::Model),
        Box::new(decide::Decide),
        Box::new(activate::Activate),
        Box::new(observe::Observe),
    ]
}

/// The names of the stages, in the order of the line.
pub fn stage_names() -> Vec<&'static str> {
    line().iter().map(|stage| stage.name()).collect()
}
