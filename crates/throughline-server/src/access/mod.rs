//! Who is asking, and whether they may. Identity is established here; what it allows is decided by `throughline-govern`.

mod authenticate;
mod authorise;
mod first;
mod names;
pub(crate) mod oidc;
mod secret;
mod session;
mod token;

pub(crate) use authenticate::{Identity, Via, authenticate};
pub(crate) use authorise::{Operations, authorise};
pub(crate) use first::LINK;
pub use first::{first_link, sign_in_link};
pub(crate) use names::{checked_display_name, checked_name};
pub(crate) use secret::{hash_secret, new_id, verify_secret};
pub(crate) use session::{COOKIE, begin as begin_session, csrf_token, expired_cookie, session_id};
pub(crate) use token::{TokenCache, issue, verify as verify_token};
