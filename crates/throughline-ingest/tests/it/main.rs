//! Sources on a real folder, lake and vault.

mod dirty;

mod formats;

mod harness;

mod market;

mod postgres;

mod reference;

mod refusals;

mod rows;

mod vendors;
