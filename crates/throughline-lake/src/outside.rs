//! Places that are not ours: buckets of object stores, and Delta tables of others. They are read, never written.

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use deltalake_core::DeltaTableBuilder;
use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, ObjectStoreScheme, parse_url_opts};
use tokio::io::AsyncWriteExt as _;
use url::Url;

use crate::error::LakeError;

/// A bucket, container or server.
#[derive(Clone)]
pub struct Bucket {
    root: Url,
    store: Arc<dyn ObjectStore>,
}

impl std::fmt::Debug for Bucket {
    /// Without the options, which hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Bucket").field(&self.root.as_str()).finish()
    }
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Path within its bucket.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// What changes when its content does: the store's tag, else when it was written.
    pub tag: String,
}

impl Bucket {
    /// Whether a location is one of an object store.
    pub fn claims(location: &str) -> bool {
        let scheme = location.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        scheme.is_some_and(|s| {
            ["s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "http", "https", "file"].contains(&s.as_str())
        })
    }

    /// Opens the bucket of an address, and gives the path within it. `options` are those of the `object_store` crate, for example
    /// `aws_access_key_id`; what an address does not need is ignored.
    pub fn open(location: &str, options: &BTreeMap<String, String>) -> Result<(Self, String), LakeError> {
        let refused = |reason: String| LakeError::Location { location: without_user(location), reason };
        // `?` and `*` of patterns are no parts of an address.
        let address = location.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        let url = Url::parse(&address).map_err(|e| refused(e.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("it holds a user or password: keep them in variables THROUGHLINE_OBJECTS_…".into()));
        }
        let (_, path) = ObjectStoreScheme::parse(&url).map_err(|e| refused(e.to_string()))?;
        let known = options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut root = url.clone();
        root.set_path("/");
        root.set_query(None);
        let store = if url.scheme() == "file" {
            Arc::new(object_store::local::LocalFileSystem::new()) as Arc<dyn ObjectStore>
        } else {
            Arc::from(parse_url_opts(&root, known).map_err(|e| refused(e.to_string()))?.0)
        };
        Ok((Self { root, store }, path.to_string()))
    }

    /// The address of a path.
    pub fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.root.as_str().trim_end_matches('/'))
    }

    /// Every object below a path.
    pub async fn list(&self, prefix: &str) -> Result<Vec<Object>, LakeError> {
        let prefix = Path::from(prefix);
        let below = Some(&prefix).filter(|p| !p.as_ref().is_empty());
        let all: Vec<_> = self.store.list(below).try_collect().await?;
        Ok(all.into_iter().map(object_of).collect())
    }

    /// One object; `None` where there is none.
    pub async fn find(&self, path: &str) -> Result<Option<Object>, LakeError> {
        match self.store.head(&Path::from(path)).await {
            Ok(meta) => Ok(Some(object_of(meta))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the content of an object to a file, which is whole or not there.
    pub async fn fetch(&self, path: &str, to: &FilePath) -> Result<(), LakeError> {
        let io = |source: std::io::Error| LakeError::File {
            table: self.root.to_string(),
            path: path.to_owned(),
            source: Box::new(source),
        };
        if let Some(folder) = to.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(io)?;
        }
        let mut part = to.as_os_str().to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let part = PathBuf::from(part);
        let mut file = tokio::fs::File::create(&part).await.map_err(io)?;
        let mut stream = self.store.get(&Path::from(path)).await?.into_stream();
        while let Some(bytes) = stream.try_next().await? {
            file.write_all(&bytes).await.map_err(io)?;
        }
        file.flush().await.map_err(io)?;
        drop(file);
        tokio::fs::rename(&part, to).await.map_err(io)
    }
}

fn object_of(meta: object_store::ObjectMeta) -> Object {
    let written = meta.last_modified.timestamp_micros();
    let tag = meta.e_tag.or(meta.version).unwrap_or_else(|| written.to_string());
    Object { path: meta.location.to_string(), bytes: meta.size, tag }
}

/// An address without what may be a password.
fn without_user(location: &str) -> String {
    match (location.split_once("://"), location.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => location.to_owned(),
    }
}

/// A version of a Delta table of others.
#[derive(Debug, Clone)]
pub struct OutsideTable {
    /// The version.
    pub version: u64,
    /// Its data files.
    pub files: Vec<OutsideFile>,
    /// Columns whose values stand in the log, not in the files.
    pub partition_columns: Vec<String>,
}

/// A data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideFile {
    /// Path within the table.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// When it was added, milliseconds since the epoch.
    pub written_ms: i64,
    /// Values of the partition columns.
    pub partition: BTreeMap<String, Option<String>>,
}

/// The files of a Delta table in a local folder, at its newest version or at `version`. Features that would make rows of files wrong
/// (deletion vectors, mapped column names) are refused.
pub async fn delta_files(folder: &FilePath, version: Option<u64>) -> Result<OutsideTable, LakeError> {
    let shown = folder.display().to_string();
    let refused = |reason: String| LakeError::Location { location: shown.clone(), reason };
    let absolute = folder.canonicalize().map_err(|e| refused(e.to_string()))?;
    let url = Url::from_directory_path(&absolute).map_err(|()| refused("not an absolute path".into()))?;
    let builder = DeltaTableBuilder::from_url(url).map_err(LakeError::delta(&shown))?;
    let builder = match version {
        Some(version) => builder.with_version(version),
        None => builder,
    };
    let table = builder.load().await.map_err(LakeError::delta(&shown))?;
    let state = table.snapshot().map_err(LakeError::delta(&shown))?;
    let metadata = state.metadata();
    let mode = metadata.configuration().get("delta.columnMapping.mode").map(String::as_str);
    if mode.is_some_and(|mode| mode != "none") {
        return Err(refused("it maps column names (delta.columnMapping.mode), which is not read yet".into()));
    }
    let mut files = Vec::new();
    for view in state.log_data() {
        if view.deletion_vector_descriptor().is_some() {
            return Err(refused(
                "it has deletion vectors, which are not read yet: rewrite it with REORG … APPLY (PURGE)".into(),
            ));
        }
        files.push(OutsideFile {
            path: view.object_store_path().to_string(),
            bytes: u64::try_from(view.size()).unwrap_or(0),
            written_ms: view.modification_time(),
            partition: view.partition_values_map().into_iter().collect(),
        });
    }
    files.sort_by(|a, b| (a.written_ms, &a.path).cmp(&(b.written_ms, &b.path)));
    let partition_columns = metadata.partition_columns().to_vec();
    Ok(OutsideTable { version: state.version(), files, partition_columns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_known_by_their_scheme_and_secrets_are_refused_unseen() {
        for location in ["s3://b/a.csv", "gs://b/a", "az://c/a", "https://h/a.csv", "file:///a/b.csv"] {
            assert!(Bucket::claims(location), "{location}");
        }
        for location in ["a.csv", "data/*.csv", "postgres://h/d", "C://x"] {
            assert!(!Bucket::claims(location), "{location}");
        }
        let (bucket, path) = Bucket::open("s3://b/in/*.csv?", &BTreeMap::new()).expect("a bucket");
        assert_eq!((bucket.address("in/a.csv").as_str(), path.as_str()), ("s3://b/in/a.csv", "in/*.csv?"));
        let said = Bucket::open("https://me:hush@h/a.csv", &BTreeMap::new()).expect_err("a secret").to_string();
        assert!(said.contains("THROUGHLINE_OBJECTS_") && !said.contains("hush"), "{said}");
    }
}
