//! The lake on its object store: opening, versions, and the commit protocol.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake_core::kernel::{Action, Add, Metadata, MetadataExt as _, StructType, Transaction};
use deltalake_core::logstore::LogStoreRef;
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::{DeltaTable, DeltaTableBuilder};
use object_store::ObjectStore;
use url::Url;

use crate::error::LakeError;
use crate::snapshot::{DataFile, Snapshot};
use crate::spec::TableSpec;
use crate::writer::{Staged, StagedFile, TableWriter};

const SCHEMA_VERSION_KEY: &str = "throughline.schemaVersion";

/// What a commit belongs to. A unit owns the files it wrote; writing it again replaces exactly those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Stage of the line.
    pub stage: String,
    /// Unit within the stage: a source file, a cycle, or `all`.
    pub name: String,
    /// Fingerprint of everything the unit's content depends on.
    pub fingerprint: String,
    /// The run that writes it.
    pub run_seq: u64,
}

/// The tables under one location.
#[derive(Debug, Clone)]
pub struct Lake {
    root: Url,
    /// The last state seen of each table, so that its log is read once and then only what is new in it.
    heads: Arc<Mutex<HashMap<String, DeltaTable>>>,
}

impl Lake {
    /// Opens a lake in a local folder, creating the folder when absent.
    pub fn open_local(path: &Path) -> Result<Self, LakeError> {
        let bad = |reason: String| LakeError::Location { location: path.display().to_string(), reason };
        std::fs::create_dir_all(path).map_err(|e| bad(e.to_string()))?;
        let absolute = path.canonicalize().map_err(|e| bad(e.to_string()))?;
        let root = Url::from_directory_path(&absolute).map_err(|()| bad("not an absolute path".into()))?;
        Ok(Self { root, heads: Arc::default() })
    }

    fn table_url(&self, table: &str) -> Result<Url, LakeError> {
        self.root
            .join(&format!("{table}/"))
            .map_err(|e| LakeError::Location { location: table.to_owned(), reason: e.to_string() })
    }

    fn log_store(&self, table: &str) -> Result<LogStoreRef, LakeError> {
        let url = self.table_url(table)?;
        if let Ok(path) = url.to_file_path() {
            std::fs::create_dir_all(&path)
                .map_err(|e| LakeError::Location { location: path.display().to_string(), reason: e.to_string() })?;
        }
        DeltaTableBuilder::from_url(url).and_then(|builder| builder.build_storage()).map_err(LakeError::delta(table))
    }

    pub(crate) fn object_store(&self, table: &str) -> Result<Arc<dyn ObjectStore>, LakeError> {
        Ok(self.log_store(table)?.object_store(None))
    }

    /// The snapshot of a table at a published version; an absent version is the empty table.
    pub async fn snapshot(&self, spec: &TableSpec, version: Option<u64>) -> Result<Snapshot, LakeError> {
        let files = match version {
            None => Vec::new(),
            Some(version) => data_files(spec, &self.at(spec, version).await?)?,
        };
        Ok(Snapshot::new(spec.clone(), version, self.object_store(&spec.name)?, files))
    }

    /// The staged files of a table as a snapshot of their own, before they are committed.
    pub fn staged_snapshot(&self, spec: &TableSpec, staged: &[Staged]) -> Result<Snapshot, LakeError> {
        let files = staged.iter().filter(|s| s.spec.name == spec.name).flat_map(|s| &s.files);
        let files = files.map(StagedFile::as_data_file).collect();
        Ok(Snapshot::new(spec.clone(), None, self.object_store(&spec.name)?, files))
    }

    /// Starts writing the files of a unit.
    pub fn writer(&self, spec: &TableSpec, unit: &Unit) -> Result<TableWriter, LakeError> {
        Ok(TableWriter::new(spec.clone(), unit.clone(), self.object_store(&spec.name)?))
    }

    /// Commits the unit's new files on top of the published version `base` and returns the new version.
    ///
    /// The wanted state is: files of `base` without the unit's own, plus `staged`. When the head of the table already
    /// is that state (a run was killed after this commit and before its publication), the head is adopted. Whatever an
    /// unpublished commit left besides is removed by this commit.
    pub async fn commit(&self, base: Option<u64>, staged: Staged) -> Result<u64, LakeError> {
        let Staged { spec, unit, files } = &staged;
        let mut wanted: BTreeMap<String, Add> = BTreeMap::new();
        if let Some(base) = base {
            let table = self.at(spec, base).await?;
            let prefix = TableWriter::unit_prefix(unit);
            for add in adds(&table)? {
                let name = add.path.rsplit('/').next().unwrap_or(&add.path);
                if !name.starts_with(&prefix) {
                    wanted.insert(add.path.clone(), add);
                }
            }
        }
        for file in files {
            wanted.insert(file.path.clone(), file.clone().into_add());
        }
        let table = self.head_or_create(spec).await?;
        let mut present: BTreeMap<String, Add> = adds(&table)?.into_iter().map(|a| (a.path.clone(), a)).collect();
        let mut actions: Vec<Action> = Vec::new();
        for (path, add) in wanted {
            if present.remove(&path).is_none() {
                actions.push(Action::Add(add));
            }
        }
        actions.extend(present.into_values().map(|add| Action::Remove(remove_of(add))));
        let head = head_version(spec, &table)?;
        if let Some(metadata) = evolved_metadata(spec, &table)? {
            actions.push(Action::Metadata(metadata));
        }
        if actions.is_empty() {
            return Ok(head);
        }
        self.commit_actions(spec, unit, &table, actions).await
    }

    async fn commit_actions(
        &self,
        spec: &TableSpec,
        unit: &Unit,
        table: &DeltaTable,
        actions: Vec<Action>,
    ) -> Result<u64, LakeError> {
        let run = i64::try_from(unit.run_seq).unwrap_or(i64::MAX);
        let app_id = format!("throughline/{}/{}/{}", unit.stage, spec.name, unit.name);
        let properties = CommitProperties::default()
            .with_application_transaction(Transaction::new(app_id, run))
            .with_max_retries(0)
            // Earlier versions stay readable, and erasure rewrites what the log says of them.
            .with_cleanup_expired_logs(Some(false))
            .with_metadata([("throughline.fingerprint".to_owned(), unit.fingerprint.clone().into())]);
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: spec.partition.as_ref().map(|p| vec![p.name().to_owned()]),
            predicate: None,
        };
        let state = table.snapshot().map_err(LakeError::delta(&spec.name))?;
        let done = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(state.snapshot()), table.log_store(), operation)
            .await
            .map_err(LakeError::delta(&spec.name))?;
        let mut table = table.clone();
        table.state = Some(done.snapshot());
        self.keep(spec, &table);
        Ok(done.version())
    }

    /// Reads the log of a table anew next time.
    pub(crate) fn forget(&self, table: &str) {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).remove(table);
    }

    fn keep(&self, spec: &TableSpec, table: &DeltaTable) {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).insert(spec.name.clone(), table.clone());
    }

    /// A table at its newest version; `None` where it does not exist.
    async fn head(&self, spec: &TableSpec) -> Result<Option<DeltaTable>, LakeError> {
        let kept = self.heads.lock().unwrap_or_else(PoisonError::into_inner).get(&spec.name).cloned();
        if let Some(mut table) = kept
            && table.update_state().await.is_ok()
        {
            self.keep(spec, &table);
            return Ok(Some(table));
        }
        let mut table = DeltaTable::new(self.log_store(&spec.name)?);
        if !table.verify_deltatable_existence().await.map_err(LakeError::delta(&spec.name))? {
            return Ok(None);
        }
        table.load().await.map_err(LakeError::delta(&spec.name))?;
        check_schema_version(spec, &table)?;
        self.keep(spec, &table);
        Ok(Some(table))
    }

    /// A table at a version.
    async fn at(&self, spec: &TableSpec, version: u64) -> Result<DeltaTable, LakeError> {
        let head = self.head(spec).await?.filter(|table| table.version() == Some(version));
        if let Some(head) = head {
            return Ok(head);
        }
        let mut table = DeltaTable::new(self.log_store(&spec.name)?);
        table.load_version(version).await.map_err(LakeError::delta(&spec.name))?;
        check_schema_version(spec, &table)?;
        Ok(table)
    }

    async fn head_or_create(&self, spec: &TableSpec) -> Result<DeltaTable, LakeError> {
        let error = LakeError::delta;
        if let Some(head) = self.head(spec).await? {
            return Ok(head);
        }
        let schema = delta_schema(spec)?;
        let mut create = CreateBuilder::new()
            .with_log_store(self.log_store(&spec.name)?)
            .with_table_name(&spec.name)
            .with_columns(schema.fields().cloned())
            .with_raise_if_key_not_exists(false)
            .with_configuration([(SCHEMA_VERSION_KEY, Some(spec.version.to_string()))]);
        if let Some(partition) = &spec.partition {
            create = create.with_partition_columns([partition.name()]);
        }
        create.await.map_err(error(&spec.name))
    }
}

fn delta_schema(spec: &TableSpec) -> Result<StructType, LakeError> {
    Ok(spec.table_schema().as_ref().try_into_kernel()?)
}

/// The new metadata when the columns of the table changed (older files read as nulls in columns they lack).
fn evolved_metadata(spec: &TableSpec, table: &DeltaTable) -> Result<Option<Metadata>, LakeError> {
    let error = LakeError::delta;
    let state = table.snapshot().map_err(error(&spec.name))?;
    let wanted = delta_schema(spec)?;
    if *state.schema() == wanted {
        return Ok(None);
    }
    let metadata = state
        .metadata()
        .clone()
        .with_schema(&wanted)
        .and_then(|m| m.add_config_key(SCHEMA_VERSION_KEY.to_owned(), spec.version.to_string()))
        .map_err(|e| error(&spec.name)(e.into()))?;
    Ok(Some(metadata))
}

fn head_version(spec: &TableSpec, table: &DeltaTable) -> Result<u64, LakeError> {
    let state = table.snapshot().map_err(LakeError::delta(&spec.name))?;
    Ok(state.version())
}

fn check_schema_version(spec: &TableSpec, table: &DeltaTable) -> Result<(), LakeError> {
    let state = table.snapshot().map_err(LakeError::delta(&spec.name))?;
    let found = state.metadata().configuration().get(SCHEMA_VERSION_KEY).and_then(|v| v.parse().ok()).unwrap_or(1);
    if found > spec.version {
        return Err(LakeError::NewerSchema { table: spec.name.clone(), found, known: spec.version });
    }
    Ok(())
}

fn adds(table: &DeltaTable) -> Result<Vec<Add>, LakeError> {
    let state = table.snapshot().map_err(LakeError::delta("?"))?;
    let views = state.log_data();
    Ok(views
        .iter()
        .map(|view| Add {
            path: view.path().into_owned(),
            partition_values: view.partition_values_map(),
            size: view.size(),
            modification_time: view.modification_time(),
            data_change: true,
            stats: view.stats(),
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
            clustering_provider: None,
        })
        .collect())
}

fn remove_of(add: Add) -> deltalake_core::kernel::Remove {
    deltalake_core::kernel::Remove {
        path: add.path,
        data_change: true,
        deletion_timestamp: Some(add.modification_time),
        extended_file_metadata: Some(true),
        size: Some(add.size),
        partition_values: Some(add.partition_values),
        deletion_vector: None,
        tags: None,
        base_row_id: None,
        default_row_commit_version: None,
    }
}

fn data_files(spec: &TableSpec, table: &DeltaTable) -> Result<Vec<DataFile>, LakeError> {
    let state = table.snapshot().map_err(LakeError::delta(&spec.name))?;
    let mut files: Vec<DataFile> = state
        .log_data()
        .iter()
        .map(|view| DataFile {
            path: view.path().into_owned(),
            partition: spec
                .partition
                .as_ref()
                .and_then(|p| view.partition_values_map().get(p.name()).cloned().flatten()),
            size: u64::try_from(view.size()).unwrap_or(0),
            rows: view.num_records().map(|n| n as u64),
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}
