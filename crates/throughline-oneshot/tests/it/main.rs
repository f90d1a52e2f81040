//! The one-shot commands as their users run them.

mod did;
