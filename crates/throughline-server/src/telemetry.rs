//! Logs, metrics and traces.

use std::io::IsTerminal as _;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::error::ServeError;

/// Upper bounds of the durations counted, in seconds.
const BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// The recorder of metrics. One a process; further ones are kept to themselves, for tests.
pub(crate) fn metrics() -> Result<PrometheusHandle, ServeError> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &BUCKETS)
        .map_err(|e| ServeError::Telemetry { detail: e.to_string() })?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    // Another server of this process records already: this one shows nothing of its own.
    drop(metrics::set_global_recorder(recorder));
    Ok(handle)
}

/// Keeps traces flowing; flushes them when dropped.
#[derive(Debug)]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take()
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Begins logging to the standard error, as text for people or JSON for programs, and tracing to an OTLP/HTTP collector
/// when there is one. `filter` follows the syntax of `RUST_LOG`.
pub fn begin(json: bool, filter: &str, traces: Option<&str>) -> Result<Telemetry, ServeError> {
    let failed = |e: &dyn std::error::Error| ServeError::Telemetry { detail: crate::problem::chain(e) };
    let filter = EnvFilter::try_new(filter).map_err(|e| failed(&e))?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = if json { lines.json().flatten_event(true).boxed() } else { lines.compact().boxed() };
    let provider = match traces {
        Some(endpoint) => Some(exporter(endpoint)?),
        None => None,
    };
    let spans = provider.as_ref().map(|p| tracing_opentelemetry::layer().with_tracer(p.tracer("throughline")));
    tracing_subscriber::registry().with(spans).with(lines.with_filter(filter)).try_init().map_err(|e| failed(&e))?;
    Ok(Telemetry(provider))
}

fn exporter(endpoint: &str) -> Result<SdkTracerProvider, ServeError> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(endpoint)
        .build()
        .map_err(|e| ServeError::Telemetry { detail: e.to_string() })?;
    let resource = Resource::builder().with_service_name("throughline").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}
