//! Replayable scans: models that need several passes read this, never a collected table.

/// A boxed error of the store behind a scan.
pub type ScanError = Box<dyn std::error::Error + Send + Sync>;

/// An iterator over the chunks of one pass.
pub type Chunks<'a, T> = Box<dyn Iterator<Item = Result<T, ScanError>> + 'a>;

/// A source of chunks (batches of rows, journeys of a bucket, …) that can be read any number of times and yields the
/// same chunks in the same order each time.
pub trait Scan {
    /// What one chunk is.
    type Chunk;

    /// Starts a pass.
    fn chunks(&self) -> Result<Chunks<'_, Self::Chunk>, ScanError>;
}

/// A scan over chunks in memory, for small inputs and tests.
#[derive(Debug, Clone)]
pub struct InMemory<T>(pub Vec<T>);

impl<T: Clone> Scan for InMemory<T> {
    type Chunk = T;

    fn chunks(&self) -> Result<Chunks<'_, T>, ScanError> {
        Ok(Box::new(self.0.iter().cloned().map(Ok)))
    }
}
