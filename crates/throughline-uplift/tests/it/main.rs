//! Models end to end, the published Hillstrom numbers, and measures of rankings against slow references and known truths.

mod evaluation;
mod fit;
mod forest;
mod hillstrom;
mod simulate;
