#![doc = include_str!("../README.md")]

mod link;

mod column;

mod fields;

mod distance;

mod compare;

mod block;

mod pairs;

mod model;

mod cluster;

mod quality;

pub use column::{Column, Kind, RawColumn};
pub use distance::{edits, jaro_winkler, words_in_common};
pub use fields::LeftOut;
pub use link::{BlockingKey, LinkError, LinkOptions, Linked, link};
pub use model::Probabilities;
pub use quality::{PairQuality, pair_quality};
