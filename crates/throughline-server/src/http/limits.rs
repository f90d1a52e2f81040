//! Limits: how often, how much, how long.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::problem::ApiError;

/// Largest request body, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 1 << 20;
/// Longest time from a request's head to its answer's head.
pub(crate) const REQUEST_SECONDS: u64 = 60;

/// Requests allowed per address: a steady rate with room for a page's burst.
const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(50).unwrap();
const REQUESTS_AT_ONCE: NonZeroU32 = NonZeroU32::new(400).unwrap();
/// Sign-ins allowed per address and per account.
const SIGN_INS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Keys remembered before forgotten ones are dropped.
const MANY_KEYS: usize = 10_000;

/// Counts requests and sign-ins.
#[derive(Debug)]
pub(crate) struct Throttle {
    requests: DefaultKeyedRateLimiter<IpAddr>,
    sign_ins: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            requests: RateLimiter::keyed(Quota::per_second(REQUESTS_PER_SECOND).allow_burst(REQUESTS_AT_ONCE)),
            sign_ins: RateLimiter::keyed(Quota::per_minute(SIGN_INS_PER_MINUTE)),
            clock: DefaultClock::default(),
        }
    }
}

impl Throttle {
    fn request(&self, from: IpAddr) -> Result<(), ApiError> {
        if self.requests.len() > MANY_KEYS {
            self.requests.retain_recent();
        }
        self.requests.check_key(&from).map_err(|wait| self.wait(&wait))
    }

    /// Counts a try to sign in under a key: an address or the name of an account.
    pub(crate) fn sign_in(&self, key: &str) -> Result<(), ApiError> {
        if self.sign_ins.len() > MANY_KEYS {
            self.sign_ins.retain_recent();
        }
        self.sign_ins.check_key(&key.to_lowercase()).map_err(|wait| self.wait(&wait))
    }

    fn wait(&self, wait: &governor::NotUntil<governor::clock::QuantaInstant>) -> ApiError {
        let left = wait.wait_time_from(self.clock.now());
        ApiError::TooMany { seconds: left.as_secs().max(1) }
    }
}

/// The address of the other end; loopback where the transport has none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Refuses requests above the rate of their address.
pub(crate) async fn rate(State(throttle): State<Arc<Throttle>>, mut request: Request, next: Next) -> Response {
    let info = request.extensions().get::<ConnectInfo<std::net::SocketAddr>>();
    let peer = info.map_or(IpAddr::from([127, 0, 0, 1]), |c| c.0.ip());
    if let Err(refused) = throttle.request(peer) {
        return refused.into_response();
    }
    request.extensions_mut().insert(Peer(peer));
    next.run(request).await
}

/// Refuses bodies that are announced too large, cuts those that grow too large, and ends requests that take too long. An
/// answer's body may flow for as long as it likes (streams).
pub(crate) async fn bound(request: Request, next: Next) -> Response {
    let announced = request.headers().get(axum::http::header::CONTENT_LENGTH);
    let announced = announced.and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    if announced.is_some_and(|n| n > MAX_BODY_BYTES as u64) {
        return ApiError::TooLarge { limit: MAX_BODY_BYTES }.into_response();
    }
    let (parts, body) = request.into_parts();
    let body = Body::new(http_body_util::Limited::new(body, MAX_BODY_BYTES));
    let request = Request::from_parts(parts, body);
    match tokio::time::timeout(Duration::from_secs(REQUEST_SECONDS), next.run(request)).await {
        Ok(response) if response.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::TooLarge { limit: MAX_BODY_BYTES }.into_response()
        }
        Ok(response) => response,
        Err(_) => ApiError::TooSlow { seconds: REQUEST_SECONDS }.into_response(),
    }
}
