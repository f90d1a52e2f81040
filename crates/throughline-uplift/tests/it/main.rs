//! Models end to end, and the published Hillstrom numbers.

mod fit;
mod hillstrom;
