#![doc = include_str!("../README.md")]

mod link;

mod records;

mod raw;

mod column;

mod normal;

mod dictionary;

mod fields;

mod table;

mod apart;

mod distance;

mod compare;

mod block;

mod groups;

mod pairs;

mod model;

mod depend;

mod fit;

mod em;

mod cluster;

mod quality;

mod calibration;

mod parallel;

pub use calibration::{Calibration, CalibrationBin, LEVEL as CALIBRATION_LEVEL, calibration};
pub use column::Kind;
pub use compare::LEVELS;
pub use distance::{edits, jaro_winkler, jaro_winkler_from, words_in_common};
pub use em::{Begin, Found, Levels, Pattern, expect_and_maximise};
pub use fields::LeftOut;
pub use link::{BlockingKey, LinkError, LinkOptions, Linked, Pair, link};
pub use model::Probabilities;
pub use quality::{PairQuality, pair_quality};
pub use raw::RawColumn;
pub use records::Records;
