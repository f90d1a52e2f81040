//! Commands as their users see them: flags in, JSON and text out.

mod experiment;
