//! Journeys as a Parquet file: whoever has built a group makes its row group, and the row groups stand in the order of the
//! groups.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, LargeStringArray, TimestampMicrosecondArray, UInt32Array,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use throughline_paths::names::PathNames;
use throughline_paths::{Built, NONE};

use super::people::People;
use crate::OneShotError;

/// Texts one after the other.
#[derive(Debug)]
pub(super) struct Texts {
    text: String,
    ends: Vec<i64>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { text: String::new(), ends: vec![0] }
    }
}

impl Texts {
    pub(super) fn push(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.text);
        self.ends.push(i64::try_from(self.text.len()).unwrap_or(i64::MAX));
    }

    pub(super) fn finish(self) -> ArrayRef {
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        Arc::new(LargeStringArray::new(ends, Buffer::from_vec(self.text.into_bytes()), None))
    }
}

/// Journeys of one group in columns.
#[derive(Debug, Default)]
pub(super) struct Batch {
    numbers: Vec<i64>,
    texts: Texts,
    converted: Vec<bool>,
    started_at: Vec<i64>,
    ended_at: Vec<i64>,
    value: Vec<f64>,
    touches: Vec<u32>,
    path: Texts,
}

impl Batch {
    pub(super) fn add(&mut self, built: &Built<'_, u64>, names: &PathNames, people: Option<&People>) {
        let out = built.output;
        for (journey, person) in out.person.iter().enumerate() {
            let key = built.entity(*person).unwrap_or_default();
            match people {
                None => self.numbers.push(key.cast_signed()),
                Some(people) => self.texts.push(|text| people.write(key, text)),
            }
            let steps = out.steps_of(journey);
            let repeats = if out.repeats.is_empty() { &[][..] } else { &out.repeats[steps.clone()] };
            self.touches.push(u32::try_from(steps.len()).unwrap_or(NONE));
            self.path.push(|text| names.write(&out.steps[steps], repeats, text));
        }
        self.converted.extend(out.conversion.iter().map(|c| *c != NONE));
        self.started_at.extend(&out.started_at);
        self.ended_at.extend(&out.ended_at);
        self.value.extend(out.value_micros.iter().map(|v| *v as f64 / 1e6));
    }

    /// Characters of all paths.
    pub(super) fn path_chars(&self) -> u64 {
        // Bytes that begin a character.
        self.path.text.bytes().filter(|b| b & 0xc0 != 0x80).count() as u64
    }

    fn columns(self, texts: bool) -> Vec<ArrayRef> {
        let time = |at: Vec<i64>| Arc::new(TimestampMicrosecondArray::from(at).with_timezone("UTC"));
        vec![
            if texts { self.texts.finish() } else { Arc::new(Int64Array::from(self.numbers)) },
            Arc::new(BooleanArray::from(self.converted)),
            time(self.started_at),
            time(self.ended_at),
            Arc::new(Float64Array::from(self.value)),
            Arc::new(UInt32Array::from(self.touches)),
            self.path.finish(),
        ]
    }
}

fn schema(texts: bool) -> SchemaRef {
    let time = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("entity", if texts { DataType::LargeUtf8 } else { DataType::Int64 }, false),
        Field::new("converted", DataType::Boolean, false),
        Field::new("started_at", time(), false),
        Field::new("ended_at", time(), false),
        Field::new("value", DataType::Float64, false),
        Field::new("touches", DataType::UInt32, false),
        Field::new("path", DataType::LargeUtf8, false),
    ]))
}

/// How files of ours are written: keys, times and paths are mostly different, so a dictionary of them costs more than it saves.
pub(super) fn options() -> ArrowWriterOptions {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .build();
    ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true)
}

/// A file being written, whose row groups come in any order.
pub(super) struct Ordered {
    path: PathBuf,
    texts: bool,
    schema: SchemaRef,
    factory: ArrowRowGroupWriterFactory,
    state: Mutex<State>,
}

struct State {
    writer: SerializedFileWriter<File>,
    next: usize,
    waiting: BTreeMap<usize, Vec<ArrowColumnChunk>>,
}

impl Ordered {
    pub(super) fn create(path: &Path, texts: bool) -> Result<Self, OneShotError> {
        let file = create(path)?;
        let schema = schema(texts);
        let writer = ArrowWriter::try_new_with_options(file, schema.clone(), options())
            .and_then(ArrowWriter::into_serialized_writer)
            .map_err(|e| unwritten(path, e))?;
        let (writer, factory) = writer;
        let state = Mutex::new(State { writer, next: 0, waiting: BTreeMap::new() });
        Ok(Self { path: path.to_owned(), texts, schema, factory, state })
    }

    /// Encodes the journeys of a group and writes them when it is their turn. Every group is written, also an empty one.
    pub(super) fn write(&self, group: usize, batch: Batch) -> Result<(), OneShotError> {
        let chunks = self.encode(batch).map_err(|e| unwritten(&self.path, e))?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.insert(group, chunks);
        state.write_ready().map_err(|e| unwritten(&self.path, e))
    }

    fn encode(&self, batch: Batch) -> Result<Vec<ArrowColumnChunk>, ParquetError> {
        if batch.touches.is_empty() {
            return Ok(Vec::new());
        }
        let mut writers = self.factory.create_column_writers(0)?;
        for ((array, field), writer) in batch.columns(self.texts).iter().zip(self.schema.fields()).zip(&mut writers) {
            for leaf in compute_leaves(field, array)? {
                writer.write(&leaf)?;
            }
        }
        writers.into_iter().map(parquet::arrow::arrow_writer::ArrowColumnWriter::close).collect()
    }

    pub(super) fn finish(self) -> Result<(), OneShotError> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.writer.close().map(drop).map_err(|e| unwritten(&self.path, e))
    }
}

impl State {
    fn write_ready(&mut self) -> Result<(), ParquetError> {
        while let Some(chunks) = self.waiting.remove(&self.next) {
            self.next += 1;
            if chunks.is_empty() {
                continue;
            }
            let mut group = self.writer.next_row_group()?;
            for chunk in chunks {
                chunk.append_to_row_group(&mut group)?;
            }
            group.close()?;
        }
        Ok(())
    }
}

pub(super) fn create(path: &Path) -> Result<File, OneShotError> {
    let shown = path.display().to_string();
    File::create(path).map_err(|source| OneShotError::Io { doing: "write", path: shown, source })
}

pub(super) fn unwritten(path: &Path, error: ParquetError) -> OneShotError {
    let source = std::io::Error::other(error);
    OneShotError::Io { doing: "write", path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray as _;
    use arrow::datatypes::Int64Type;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    fn batch(person: i64) -> Batch {
        let mut batch = Batch { numbers: vec![person], converted: vec![true], ..Batch::default() };
        batch.path.push(|text| text.push('é'));
        Batch { started_at: vec![1], ended_at: vec![2], value: vec![0.5], touches: vec![1], ..batch }
    }

    #[test]
    fn groups_stand_in_their_order() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let writer = Ordered::create(file.path(), false).expect("a writer");
        assert_eq!(batch(0).path_chars(), 1);
        for (group, batch) in [(2, batch(30)), (0, batch(10)), (1, Batch::default()), (3, batch(40))] {
            writer.write(group, batch).expect("written");
        }
        writer.finish().expect("finished");
        let reader =
            ParquetRecordBatchReaderBuilder::try_new(File::open(file.path()).expect("a file")).expect("readable");
        let batches: Vec<_> = reader.build().expect("readable").map(|b| b.expect("a batch")).collect();
        let people = batches.iter().flat_map(|b| b["entity"].as_primitive::<Int64Type>().values().to_vec());
        assert_eq!(people.collect::<Vec<_>>(), [10, 30, 40]);
    }
}
