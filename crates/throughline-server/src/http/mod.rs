//! What every request passes through, whatever it asks for.

pub(crate) mod conditional;
pub(crate) mod headers;
pub(crate) mod limits;
pub(crate) mod observe;
pub(crate) mod request_id;
