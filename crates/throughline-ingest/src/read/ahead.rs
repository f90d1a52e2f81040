//! Decoding on a thread of its own, a few batches ahead of whoever evaluates them.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

use crate::connector::{RawBatch, RowReader};
use crate::error::IngestError;

/// Batches that wait.
const WAITING: usize = 4;

/// A batch, or the end, with the number of rows read by then.
type Read = (Result<Option<RawBatch>, IngestError>, u64);

/// A reader whose batches are decoded ahead. The thread ends with the file, with an error, or when nobody takes its batches.
pub(super) struct Ahead {
    batches: Receiver<Read>,
    thread: Option<JoinHandle<()>>,
    rows: u64,
    ended: bool,
}

impl Ahead {
    pub(super) fn start(mut rows: Box<dyn RowReader>) -> Self {
        let (sender, batches) = sync_channel(WAITING);
        let thread = thread::spawn(move || {
            loop {
                let batch = rows.next_batch();
                let last = !matches!(batch, Ok(Some(_)));
                if sender.send((batch, rows.rows_read())).is_err() || last {
                    return;
                }
            }
        });
        Self { batches, thread: Some(thread), rows: 0, ended: false }
    }
}

impl RowReader for Ahead {
    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        if self.ended {
            return Ok(None);
        }
        let Ok((batch, rows)) = self.batches.recv() else {
            // The thread sends the end before it stops, so a closed channel is its panic.
            if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
                std::panic::resume_unwind(panic);
            }
            return Ok(None);
        };
        self.rows = rows;
        self.ended = !matches!(batch, Ok(Some(_)));
        batch
    }

    fn rows_read(&self) -> u64 {
        self.rows
    }
}
