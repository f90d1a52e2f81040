//! Events of a Parquet file, a row group at a time. Texts are read as dictionaries: a name is looked up once a batch, not
//! once a row.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray as _, BooleanArray, DictionaryArray, Float64Array, Int64Array, RecordBatch,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Field, Float64Type, Int32Type, Int64Type, Schema, TimeUnit as ArrowUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use throughline_core::Diagnostic;
use throughline_core::diagnostic::closest;
use throughline_paths::names::Names;
use throughline_paths::{Interaction, NO_ORDER, NONE};

use super::csv::{instant, interaction, order, truth};
use super::people::People;
use super::read::at;
use super::rows::{Reader, Row};
use super::{JourneysArgs, TimeUnit};
use crate::OneShotError;

const BATCH: usize = 1 << 15;

/// A file whose footer was read.
#[derive(Debug)]
pub(super) struct Opened {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    columns: Vec<usize>,
    people_are_numbers: bool,
}

impl Opened {
    pub(super) fn new(path: &Path, args: &JourneysArgs) -> Result<Self, OneShotError> {
        let file = open(path)?;
        let refused = |e: &dyn std::error::Error| unreadable(path, e);
        let plain = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|e| refused(&e))?;
        let schema = plain.schema().clone();
        let names = [&args.entity, &args.time, &args.channel, &args.conversion];
        let optional = [&args.value, &args.interaction, &args.campaign, &args.order, &args.refund, &args.consent];
        let mut columns = Vec::new();
        for name in names.into_iter().chain(optional.into_iter().flatten()) {
            let place = schema.index_of(name).map_err(|_| unknown(path, name, &schema))?;
            if !columns.contains(&place) {
                columns.push(place);
            }
        }
        let dictionaries = [Some(&args.channel), args.interaction.as_ref(), args.campaign.as_ref()];
        let is_text = |kind: &DataType| matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let fields: Vec<Field> = schema
            .fields()
            .iter()
            .map(|field| {
                let wanted = dictionaries.iter().flatten().any(|name| *name == field.name());
                let kind = if wanted && is_text(field.data_type()) { dictionary() } else { field.data_type().clone() };
                field.as_ref().clone().with_data_type(kind)
            })
            .collect();
        let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields)));
        // Where the reader cannot give dictionaries, texts are made into them later.
        let metadata = ArrowReaderMetadata::load(&file, options).unwrap_or(plain);
        let people_are_numbers = schema.field_with_name(&args.entity).is_ok_and(|f| f.data_type().is_integer());
        Ok(Self { path: path.to_owned(), metadata, columns, people_are_numbers })
    }

    pub(super) fn rows(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    pub(super) fn row_groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    pub(super) const fn people_are_numbers(&self) -> bool {
        self.people_are_numbers
    }

    pub(super) fn read(
        &self,
        group: usize,
        args: &JourneysArgs,
        people: Option<&People>,
        reader: &mut Reader,
    ) -> Result<(), OneShotError> {
        let refused = |e: &dyn std::error::Error| unreadable(&self.path, e);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(open(&self.path)?, self.metadata.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), self.columns.iter().copied());
        let builder = builder.with_projection(mask).with_row_groups(vec![group]).with_batch_size(BATCH);
        for batch in builder.build().map_err(|e| refused(&e))? {
            let batch = batch.map_err(|e| refused(&e))?;
            self.take(&batch, args, people, reader)?;
        }
        Ok(())
    }

    fn take(
        &self,
        batch: &RecordBatch,
        args: &JourneysArgs,
        people: Option<&People>,
        reader: &mut Reader,
    ) -> Result<(), OneShotError> {
        let column = |name: &String| batch.column_by_name(name);
        let mistyped = |name: &String, error: &ArrowError| self.mistyped(name, error);
        let needed = |name: &String| column(name).ok_or_else(|| unknown(&self.path, name, &batch.schema()));
        let boolean = |name: &String| needed(name).and_then(|a| truths(a).map_err(|e| mistyped(name, &e)));
        let keys = keys(needed(&args.entity)?, people).map_err(|e| mistyped(&args.entity, &e))?;
        let times = times(needed(&args.time)?, args.time_unit).map_err(|e| mistyped(&args.time, &e))?;
        let conversions = boolean(&args.conversion)?;
        let refunds = args.refund.as_ref().map(boolean).transpose()?;
        let consents = args.consent.as_ref().map(boolean).transpose()?;
        let texts = |name: &String| needed(name).and_then(|a| Coded::new(a).map_err(|e| mistyped(name, &e)));
        let channels = texts(&args.channel)?.numbered(&mut reader.shard.channels);
        let campaigns = args.campaign.as_ref().map(texts).transpose()?;
        let campaigns = campaigns.map(|c| c.numbered(&mut reader.shard.campaigns));
        let interactions = args.interaction.as_ref().map(texts).transpose()?;
        let interactions = interactions.map(|c| c.map(Interaction::Other, interaction));
        let number = |name: &String| needed(name).and_then(|a| numbers(a).map_err(|e| mistyped(name, &e)));
        let values = args.value.as_ref().map(number).transpose()?;
        let text = |name: &String| needed(name).and_then(|a| cast(a, &DataType::Utf8).map_err(|e| mistyped(name, &e)));
        let orders = args.order.as_ref().map(text).transpose()?;
        let is = |truths: &BooleanArray, row: usize| truths.is_valid(row) && truths.value(row);
        for row in 0..batch.num_rows() {
            let person = keys.is_valid(row).then(|| keys.value(row).cast_unsigned());
            let at_time = times.is_valid(row).then(|| times.value(row));
            let mut taken = Row::new(person, at_time, channels.at(row));
            taken.conversion = is(&conversions, row);
            taken.refund = refunds.as_ref().is_some_and(|r| is(r, row));
            taken.consent = consents.as_ref().is_none_or(|c| is(c, row));
            taken.campaign = campaigns.as_ref().map_or(NONE, |c| c.at(row));
            taken.interaction = interactions.as_ref().map_or(Interaction::Other, |i| i.at(row));
            if taken.conversion || taken.refund {
                taken.value = values.as_ref().filter(|v| v.is_valid(row)).map(|v| v.value(row));
                let order_of = |ids: &ArrayRef| {
                    let ids = ids.as_string::<i32>();
                    if ids.is_valid(row) { order(ids.value(row)) } else { NO_ORDER }
                };
                taken.order = orders.as_ref().map_or(NO_ORDER, order_of);
            }
            reader.take(&taken).map_err(|e| at(e, &self.path.display().to_string()))?;
        }
        Ok(())
    }

    fn mistyped(&self, name: &str, error: &ArrowError) -> OneShotError {
        let message = format!("the column `{name}` cannot be used for this: {error}");
        OneShotError::finding(Diagnostic::error("TL481", message).at(self.path.display().to_string(), None, None))
    }
}

fn open(path: &Path) -> Result<File, OneShotError> {
    File::open(path).map_err(|source| OneShotError::Io { doing: "read", path: path.display().to_string(), source })
}

fn unreadable(path: &Path, error: &dyn std::error::Error) -> OneShotError {
    let finding = Diagnostic::error("TL057", format!("not readable as Parquet: {error}"));
    OneShotError::finding(finding.at(path.display().to_string(), None, None))
}

fn unknown(path: &Path, name: &str, schema: &Schema) -> OneShotError {
    let known: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let mut finding = Diagnostic::error("TL033", format!("no column `{name}` (there are: {})", known.join(", ")));
    if let Some(close) = closest(name, known) {
        finding = finding.help(format!("did you mean `{close}`?"));
    }
    OneShotError::finding(finding.at(path.display().to_string(), None, None))
}

fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Keys of people; as signed numbers.
fn keys(array: &ArrayRef, people: Option<&People>) -> Result<Int64Array, ArrowError> {
    let Some(people) = people else {
        return Ok(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone());
    };
    let texts = cast(array, &DataType::Utf8)?;
    Ok(texts.as_string::<i32>().iter().map(|t| t.and_then(|t| people.key(t)).map(u64::cast_signed)).collect())
}

/// Times in µs.
fn times(array: &ArrayRef, unit: TimeUnit) -> Result<Int64Array, ArrowError> {
    let kind = array.data_type();
    if kind.is_integer() {
        let numbers = cast(array, &DataType::Int64)?;
        return Ok(numbers.as_primitive::<Int64Type>().unary(|n| n.saturating_mul(unit.micros())));
    }
    if matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
        let texts = cast(array, &DataType::Utf8)?;
        return Ok(texts.as_string::<i32>().iter().map(|t| instant(t?.trim(), unit).ok().flatten()).collect());
    }
    let zone = if let DataType::Timestamp(_, zone) = kind { zone.clone() } else { None };
    let micros = cast(array, &DataType::Timestamp(ArrowUnit::Microsecond, zone))?;
    let micros = micros.as_primitive::<TimestampMicrosecondType>();
    Ok(Int64Array::new(micros.values().clone(), micros.nulls().cloned()))
}

fn truths(array: &ArrayRef) -> Result<BooleanArray, ArrowError> {
    if matches!(array.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
        let texts = cast(array, &DataType::Utf8)?;
        return Ok(texts.as_string::<i32>().iter().map(|t| t.and_then(|t| truth(t.trim()).ok())).collect());
    }
    Ok(cast(array, &DataType::Boolean)?.as_boolean().clone())
}

fn numbers(array: &ArrayRef) -> Result<Float64Array, ArrowError> {
    Ok(cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}

/// A column of texts as numbers of a dictionary.
struct Coded(DictionaryArray<Int32Type>);

/// A column with what each text of a dictionary means.
struct Meant<T> {
    keys: DictionaryArray<Int32Type>,
    meanings: Vec<T>,
    none: T,
}

impl Coded {
    fn new(array: &ArrayRef) -> Result<Self, ArrowError> {
        let coded = if *array.data_type() == dictionary() {
            array.clone()
        } else {
            cast(&cast(array, &DataType::Utf8)?, &dictionary())?
        };
        Ok(Self(coded.as_dictionary::<Int32Type>().clone()))
    }

    fn numbered(self, names: &mut Names) -> Meant<u32> {
        self.map(NONE, |name| names.number(name))
    }

    fn map<T: Copy>(self, none: T, mut meaning: impl FnMut(&str) -> T) -> Meant<T> {
        let texts = self.0.values().as_string::<i32>();
        let meanings = texts.iter().map(|text| text.map_or(none, &mut meaning)).collect();
        Meant { keys: self.0, meanings, none }
    }
}

impl<T: Copy> Meant<T> {
    #[inline]
    fn at(&self, row: usize) -> T {
        if self.keys.keys().is_null(row) {
            return self.none;
        }
        let place = usize::try_from(self.keys.keys().value(row)).ok();
        place.and_then(|p| self.meanings.get(p)).copied().unwrap_or(self.none)
    }
}
