//! Difference-in-differences: what changed in treated units beyond the change in untreated ones.
//!
//! [`two_by_two`] for one beginning of the treatment, [`twfe`] as the regression everybody knows, [`GroupTime`] for staggered
//! adoption with its aggregations, [`EventStudy`] for what remains when trends were not parallel. The reports
//! [`difference_in_differences`] and [`callaway_santanna`] put them together.

mod options;

mod design;

mod two_period;

mod columns;

mod sums;

mod group_time;

mod aggregate;

mod two_by_two;

mod twfe;

mod honest;

mod honest_weights;

mod shown;

mod staggered;

mod classic;

mod entries;

#[cfg(test)]
mod tests;

pub use aggregate::Aggregation;
pub use classic::difference_in_differences;
pub use design::{Cell, Phase};
pub use entries::ESTIMATORS;
pub use group_time::GroupTime;
pub use honest::EventStudy;
pub use options::{Adjustment, Aggregate, Base, Controls, CsOptions};
pub use staggered::callaway_santanna;
pub use twfe::{Twfe, twfe};
pub use two_by_two::two_by_two;
