//! The server itself: assembled, listening, ending.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::ConnectInfo;
use axum::middleware::{from_fn, from_fn_with_state};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use throughline_govern::{Guard, PUBLIC};
use throughline_run::{Clock, Project, Stores};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::Service as _;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::access::oidc::Provider;
use crate::access::{Operations, authenticate, authorise};
use crate::app::{App, Parts, Shared};
use crate::error::ServeError;
use crate::http::{conditional, headers, limits, observe, request_id};
use crate::problem::ApiError;
use crate::settings::Settings;
use crate::{api, studio, telemetry, work};

/// Connections open at once.
const CONNECTIONS: usize = 1024;
/// Longest time a client may take for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests at work may take when the server ends.
const GRACE: Duration = Duration::from_secs(10);

/// A server that is ready to answer.
#[derive(Debug)]
pub struct Server {
    app: Shared,
    router: Router,
    listener: TcpListener,
}

impl Server {
    /// Opens the project's stores and the address.
    pub async fn bind(project: Project, mut settings: Settings, clock: Clock) -> Result<Self, ServeError> {
        let stores = Stores::open(&project).await?;
        let guard = Guard::new()?;
        let (router, document) = api::routes().split_for_parts();
        let operations = Operations::of(&document);
        agree(&operations, &guard)?;
        let providers = providers(&settings)?;
        let address = settings.address;
        let listen = |source| ServeError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        settings.listening_on(listener.local_addr().map_err(listen)?);
        let metrics = telemetry::metrics()?;
        let parts = Parts { project, stores, guard, settings, operations, providers, metrics, clock };
        let app = Arc::new(App::new(parts));
        throughline_run::record_configuration(&app.project(), app.ledger(), app.now()).await?;
        let router = layered(router, &app);
        Ok(Self { app, router, listener })
    }

    /// What the server shares with its parts.
    pub fn app(&self) -> &Shared {
        &self.app
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.app.settings.address
    }

    /// Answers until `stop` ends; then requests at work are finished, and a run at work is asked to stop and waited for.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let jobs = [
            tokio::spawn(work::schedule::keep(Arc::clone(&self.app))),
            tokio::spawn(work::watch::keep(Arc::clone(&self.app))),
        ];
        accept(self.listener, self.router, stop).await;
        for job in jobs {
            job.abort();
        }
        if self.app.runner.cancel() {
            tracing::info!("waiting for the run at work to stop; the next one resumes it");
            while self.app.runner.is_running() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        let project = self.app.project();
        throughline_run::sign_head(&project, self.app.ledger(), self.app.now()).await?;
        Ok(())
    }
}

/// Every route must be an operation that the rules know, or a public one.
fn agree(operations: &Operations, guard: &Guard) -> Result<(), ServeError> {
    let ruled = guard.operations();
    let unruled: Vec<&str> =
        operations.names().into_iter().filter(|o| !ruled.contains(*o) && !PUBLIC.contains(o)).collect();
    if unruled.is_empty() {
        return Ok(());
    }
    Err(ServeError::Rules { detail: format!("no rule for {}", unruled.join(", ")) })
}

fn providers(settings: &Settings) -> Result<Vec<Provider>, ServeError> {
    let mut providers = Vec::new();
    for config in &settings.config.oidc {
        let secret = match &config.client_secret_env {
            Some(name) => Some(std::env::var(name).map_err(|_| ServeError::NoSecret { name: name.clone() })?),
            None => None,
        };
        providers.push(Provider::new(config.clone(), secret)?);
    }
    Ok(providers)
}

/// The layers around the routes; the last one added is the first a request meets.
fn layered(api: Router<Shared>, app: &Shared) -> Router {
    api.route_layer(from_fn_with_state(Arc::clone(app), authorise))
        .route_layer(from_fn_with_state(Arc::clone(app), authenticate))
        .route_layer(from_fn(observe::record))
        .fallback(studio::serve)
        .method_not_allowed_fallback(no_such_method)
        .with_state(Arc::clone(app))
        .layer(from_fn(conditional::tag))
        .layer(CompressionLayer::new())
        .layer(from_fn(limits::bound))
        .layer(from_fn_with_state(Arc::clone(&app.throttle), limits::rate))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(headers::secure))
        .layer(from_fn(request_id::name))
}

async fn no_such_method() -> ApiError {
    ApiError::not_found("operation with this method on this route")
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    axum::response::IntoResponse::into_response(ApiError::inside("a handler panicked"))
}

/// Accepts connections until `stop` ends, then lets those at work finish.
async fn accept(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut stop = std::pin::pin!(stop);
    loop {
        // Without room, new connections wait in the system's queue.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { break };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let mut request = request.map(axum::body::Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().call(request)
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD_TIMEOUT).max_concurrent_streams(128);
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended badly");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::info!("some connections did not finish in time");
    }
}
