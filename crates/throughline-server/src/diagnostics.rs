//! Stable codes of the server.

/// Nobody is signed in.
pub(crate) const SIGNED_OUT: &str = "TL920";
/// The credentials are wrong.
pub(crate) const WRONG_CREDENTIALS: &str = "TL921";
/// The caller's role does not allow it.
pub(crate) const FORBIDDEN: &str = "TL922";
/// An unsafe request of a browser lacks the studio's token or comes from elsewhere.
pub(crate) const FOREIGN_REQUEST: &str = "TL923";
/// There is no such thing.
pub(crate) const NOT_FOUND: &str = "TL924";
/// The state of things does not allow it.
pub(crate) const CONFLICT: &str = "TL925";
/// The request is not valid.
pub(crate) const INVALID: &str = "TL926";
/// Too many requests.
pub(crate) const TOO_MANY: &str = "TL927";
/// The body is too large.
pub(crate) const TOO_LARGE: &str = "TL928";
/// The request took too long.
pub(crate) const TOO_SLOW: &str = "TL929";
/// Something inside failed.
pub(crate) const INSIDE: &str = "TL930";
