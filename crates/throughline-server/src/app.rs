//! What the parts of the server share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::Value;
use throughline_core::Timestamp;
use throughline_govern::Guard;
use throughline_lake::{Snapshot, TableSpec};
use throughline_ledger::Repository;
use throughline_run::{Clock, Project, Stores};

use crate::access::oidc::Provider;
use crate::access::{Operations, TokenCache};
use crate::http::limits::Throttle;
use crate::problem::ApiError;
use crate::settings::Settings;
use crate::work::hub::Hub;
use crate::work::runner::Runner;

/// The server's state.
pub struct App {
    project: RwLock<Arc<Project>>,
    /// The stores of the project.
    pub stores: Stores,
    /// The access rules.
    pub guard: Guard,
    /// How to serve.
    pub settings: Settings,
    pub(crate) operations: Operations,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) tokens: TokenCache,
    pub(crate) providers: Vec<Provider>,
    pub(crate) runner: Runner,
    pub(crate) hub: Hub,
    pub(crate) metrics: PrometheusHandle,
    clock: Clock,
    counts: Mutex<HashMap<(String, u64), u64>>,
    /// The last report on consent, with what it was computed from. Whoever asks meanwhile waits for it.
    pub(crate) consent: tokio::sync::Mutex<Option<(String, Value)>>,
}

/// The state as handlers hold it.
pub type Shared = Arc<App>;

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What an [`App`] is made from.
pub(crate) struct Parts {
    pub(crate) project: Project,
    pub(crate) stores: Stores,
    pub(crate) guard: Guard,
    pub(crate) settings: Settings,
    pub(crate) operations: Operations,
    pub(crate) providers: Vec<Provider>,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) clock: Clock,
}

impl App {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            project: RwLock::new(Arc::new(parts.project)),
            stores: parts.stores,
            guard: parts.guard,
            settings: parts.settings,
            operations: parts.operations,
            throttle: Arc::default(),
            tokens: TokenCache::default(),
            providers: parts.providers,
            runner: Runner::default(),
            hub: Hub::default(),
            metrics: parts.metrics,
            clock: parts.clock,
            counts: Mutex::default(),
            consent: tokio::sync::Mutex::default(),
        }
    }

    /// The ledger.
    pub fn ledger(&self) -> &dyn Repository {
        self.stores.ledger.as_ref()
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// The project as last read.
    pub fn project(&self) -> Arc<Project> {
        Arc::clone(&self.project.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the project by what its files say now.
    pub(crate) fn set_project(&self, project: Arc<Project>) {
        *self.project.write().unwrap_or_else(PoisonError::into_inner) = project;
    }

    /// A table as published.
    pub(crate) async fn snapshot(&self, spec: &TableSpec) -> Result<Snapshot, ApiError> {
        let version = self.ledger().manifest().await?.get(&spec.name).copied();
        Ok(self.stores.lake.snapshot(spec, version).await?)
    }

    /// How many rows a version of a table has. Versions do not change, so each is counted once.
    pub(crate) async fn row_count(&self, spec: &TableSpec, version: u64) -> Result<u64, ApiError> {
        let key = (spec.name.clone(), version);
        if let Some(count) = self.counts.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(*count);
        }
        let count = self.stores.lake.snapshot(spec, Some(version)).await?.row_count();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() > 1000 {
            counts.clear();
        }
        counts.insert(key, count);
        Ok(count)
    }
}
