//! News for open pages, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream, StreamExt as _};
use serde_json::json;
use tokio_stream::wrappers::BroadcastStream;

use crate::app::Shared;
use crate::work::hub::{News, Topic};

/// News: `run` with the state of the run at work, `changed` with the topics to fetch again.
#[utoipa::path(get, path = "/stream", operation_id = "streamEvents", tag = "line",
    responses((status = 200, content_type = "text/event-stream", body = String)))]
pub(crate) async fn stream_events(State(app): State<Shared>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let listener = app.hub.listen();
    let first = app.runner.state().map(News::Run);
    let later = BroadcastStream::new(listener).map(|news| {
        // Whoever missed news fetches everything again.
        news.unwrap_or_else(|_| {
            News::Changed([Topic::Line, Topic::Approvals, Topic::Audit, Topic::Decisions].into_iter().collect())
        })
    });
    let events = stream::iter(first).chain(later).map(|news| {
        let event = match news {
            News::Run(state) => Event::default().event("run").json_data(state),
            News::Changed(topics) => Event::default().event("changed").json_data(json!({ "topics": topics })),
        };
        Ok(event.unwrap_or_else(|_| Event::default().comment("unreadable")))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}
