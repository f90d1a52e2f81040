//! Cases by hand, published vectors, laws, and hostile input.

mod cases;
mod hostile;
mod laws;
mod outcomes;
mod reference;
mod settings;
mod support;
