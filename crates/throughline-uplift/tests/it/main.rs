//! Models end to end, and the published Hillstrom numbers.

mod fit;
mod forest;
mod hillstrom;
