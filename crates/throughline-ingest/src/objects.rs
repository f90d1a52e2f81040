//! Locations in object stores: listed by their addresses, fetched into the project's folder when they are read.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use throughline_lake::LakeError;
use throughline_lake::outside::{Bucket, Object};

use crate::config::SourceConfig;
use crate::connector::{self, EmptyFile};
use crate::error::IngestError;
use crate::glob;
use crate::location::{Place, SourceFile};

/// Variables with this beginning are options of object stores: `THROUGHLINE_OBJECTS_AWS_REGION` is `aws_region`.
const OPTIONS: &str = "THROUGHLINE_OBJECTS_";
/// Where objects are kept, below the project.
const FOLDER: &str = ".throughline/objects";

/// A file that lies in an object store.
#[derive(Clone)]
pub struct Remote {
    bucket: Bucket,
    path: String,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.bucket.address(&self.path)).finish()
    }
}

impl PartialEq for Remote {
    fn eq(&self, other: &Self) -> bool {
        self.bucket.address(&self.path) == other.bucket.address(&other.path)
    }
}

impl Eq for Remote {}

impl Remote {
    pub(crate) const fn new(bucket: Bucket, path: String) -> Self {
        Self { bucket, path }
    }
}

impl SourceFile {
    /// Makes sure that a file which lies elsewhere is here. Local files are.
    pub(crate) fn fetch(&self) -> Result<(), IngestError> {
        let Some(remote) = &self.remote else { return Ok(()) };
        if std::fs::metadata(&self.path).is_ok_and(|m| m.len() == self.bytes) {
            return Ok(());
        }
        // What the object held before is of no use any more.
        if let Some(of_object) = self.path.parent().and_then(Path::parent) {
            let _not_there = std::fs::remove_dir_all(of_object);
        }
        block_on(&self.name, remote.bucket.fetch(&remote.path, &self.path))
    }
}

/// Runs a future to its end on a thread of its own: connectors are synchronous, their callers may not be.
pub(crate) fn block_on<T: Send>(
    name: &str,
    future: impl Future<Output = Result<T, LakeError>> + Send,
) -> Result<T, IngestError> {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(IngestError::io(name.to_owned()))?;
        runtime.block_on(future).map_err(|error| failed(name, &error))
    };
    std::thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|_| {
        Err(IngestError::Elsewhere { location: name.to_owned(), reason: "its thread ended without an answer".into() })
    })
}

/// The error with its causes, which tell what a store said.
pub(crate) fn failed(name: &str, error: &dyn std::error::Error) -> IngestError {
    let mut reason = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !reason.contains(&text) {
            reason = format!("{reason}: {text}");
        }
        next = cause.source();
    }
    IngestError::Elsewhere { location: name.to_owned(), reason }
}

/// The options of object stores that a project has.
pub(crate) fn options(variables: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let option =
        |(name, value): (&String, &String)| Some((name.strip_prefix(OPTIONS)?.to_ascii_lowercase(), value.clone()));
    variables.iter().filter_map(option).collect()
}

/// Where the content of an object is kept: another content has another place.
pub(crate) fn kept_at(project_dir: &Path, address: &str, tag: &str) -> PathBuf {
    let short = |text: &str| hex::encode(&Sha256::digest(text.as_bytes())[..12]);
    let name = address.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("object");
    project_dir.join(FOLDER).join(short(address)).join(short(tag)).join(name)
}

/// The objects at a location; `None` where it is no address of an object store.
pub(crate) fn units(config: &SourceConfig, place: &Place<'_>) -> Option<Result<Vec<SourceFile>, IngestError>> {
    Bucket::claims(&place.location).then(|| listed(config, place))
}

fn listed(config: &SourceConfig, place: &Place<'_>) -> Result<Vec<SourceFile>, IngestError> {
    let shown = &config.location.value;
    let (bucket, path) = Bucket::open(&place.location, &options(place.variables)).map_err(|e| failed(shown, &e))?;
    let objects: Vec<Object> = if glob::is_pattern(&path) {
        let all = block_on(shown, bucket.list(glob::fixed(&path)))?;
        all.into_iter().filter(|object| glob::matches_path(&path, &object.path)).collect()
    } else {
        block_on(shown, bucket.find(&path))?.into_iter().collect()
    };
    if objects.is_empty() {
        return Err(IngestError::NoFile {
            source_name: config.name.value.clone(),
            location: shown.clone(),
            looked_for: bucket.address(&path),
        });
    }
    let refuses_empty = connector::find(&config.connector.value).is_some_and(|c| c.empty_file() == EmptyFile::Refused);
    let mut files = Vec::with_capacity(objects.len());
    for object in objects {
        let name = bucket.address(&object.path);
        if object.bytes == 0 && refuses_empty {
            return Err(IngestError::EmptyFile { source_name: config.name.value.clone(), file: name });
        }
        files.push(SourceFile {
            path: kept_at(place.project_dir, &name, &object.tag),
            content_hash: hex::encode(Sha256::digest(format!("object\n{}\n{}", object.bytes, object.tag))),
            name,
            bytes: object.bytes,
            database: None,
            remote: Some(Arc::new(Remote::new(bucket.clone(), object.path))),
            constants: Vec::new(),
        });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}
