//! Sorted rows, cut where people end.

use arrow::array::{Array as _, BinaryArray, RecordBatch};
use arrow::compute::concat_batches;
use throughline_lake::{LakeError, columns};

/// Rows after which a chunk ends with the person it is at: enough to pay for the calls, few enough for the caches.
const CHUNK_ROWS: usize = 65_536;

/// Collects batches and gives back chunks of whole people. Holds a chunk, or the largest person where that is more.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    waiting: Vec<RecordBatch>,
    rows: usize,
}

impl Chunks {
    /// Takes rows that follow those before; gives a chunk when there is enough for one.
    pub(crate) fn push(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>, LakeError> {
        if batch.num_rows() == 0 {
            return Ok(None);
        }
        self.rows += batch.num_rows();
        let cut = if self.rows < CHUNK_ROWS { None } else { self.last_person(&batch)? };
        let Some(cut) = cut else {
            self.waiting.push(batch);
            return Ok(None);
        };
        let begun = batch.slice(cut, batch.num_rows() - cut);
        self.waiting.push(batch.slice(0, cut));
        let chunk = self.rest()?;
        self.rows = begun.num_rows();
        self.waiting.push(begun);
        Ok(chunk)
    }

    /// What is left when the rows end.
    pub(crate) fn rest(&mut self) -> Result<Option<RecordBatch>, LakeError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.rows = 0;
        let Some(first) = waiting.first() else { return Ok(None) };
        Ok(Some(concat_batches(&first.schema(), &waiting)?).filter(|chunk| chunk.num_rows() > 0))
    }

    /// The row of a batch where its last person begins; nothing where that is also the last person of the rows before.
    fn last_person(&self, batch: &RecordBatch) -> Result<Option<usize>, LakeError> {
        let ids = columns::binary(batch, "person_id")?;
        let last = ids.value(ids.len() - 1);
        let begins = (0..ids.len()).rposition(|row| ids.value(row) != last).map_or(0, |row| row + 1);
        if begins > 0 {
            return Ok(Some(begins));
        }
        let before = self.waiting.last().map(|batch| columns::binary(batch, "person_id")).transpose()?;
        Ok(before.filter(|ids: &&BinaryArray| ids.value(ids.len() - 1) != last).map(|_| 0))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn batch(people: &[u8]) -> RecordBatch {
        let ids = BinaryArray::from_iter_values(people.iter().map(|person| [*person]));
        let schema = Schema::new(vec![Field::new("person_id", DataType::Binary, false)]);
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(ids)]).expect("one column")
    }

    fn people(chunk: &RecordBatch) -> Vec<u8> {
        let ids = columns::binary(chunk, "person_id").expect("the column");
        let mut people: Vec<u8> = ids.iter().map(|id| id.expect("an id")[0]).collect();
        people.dedup();
        people
    }

    #[test]
    fn chunks_hold_whole_people_and_all_rows() {
        // People of growing size: 3 alone is larger than a chunk, 4 begins a batch.
        let sizes = [(1_u8, 50_000), (2, 15_000), (3, 200_000), (4, 60_000), (5, 60_000), (6, 1)];
        let rows: Vec<u8> = sizes.iter().flat_map(|(person, rows)| std::iter::repeat_n(*person, *rows)).collect();
        for size in [1000, 5000, 16_384, 65_000, 400_000] {
            let (mut chunks, mut out) = (Chunks::default(), Vec::new());
            for part in rows.chunks(size) {
                out.extend(chunks.push(batch(part)).expect("rows"));
            }
            out.extend(chunks.rest().expect("rows"));
            assert_eq!(out.iter().map(RecordBatch::num_rows).sum::<usize>(), rows.len(), "batches of {size}");
            let order: Vec<u8> = out.iter().flat_map(people).collect();
            assert_eq!(order, [1, 2, 3, 4, 5, 6], "nobody is cut in two, batches of {size}");
            assert!(out.len() > 1 || size == 400_000);
        }
        assert!(Chunks::default().rest().expect("nothing").is_none());
    }
}
