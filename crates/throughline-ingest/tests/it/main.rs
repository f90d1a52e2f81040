//! Sources on a real folder, lake and vault.

mod dirty;

mod formats;

mod harness;

mod refusals;

mod rows;
