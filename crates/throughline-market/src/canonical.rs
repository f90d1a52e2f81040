//! A market of any size as canonical events: Parquet files of people in order, each person's events in order of time.
//!
//! A file holds a fixed range of people, so that equal scenarios and seeds give equal bytes on any number of threads.
//! Memory is that of one row group a thread, whatever the number of people. Cost grows with events.

use std::fs::{File, create_dir_all};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use arrow::array::{
    ArrayRef, DictionaryArray, Int32Array, Int64Array, Int64Builder, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt8Builder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, UInt8Type};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use throughline_core::EventKind;
use throughline_stats::stream::unit;

use crate::noise::Purpose;
use crate::{Arm, Campaign, Channel, Life, MarketError, Person, Source};

/// People of a file.
const PEOPLE_PER_FILE: u32 = 250_000;
/// Events of a row group, about.
const ROWS: usize = 1 << 18;
/// Positions of a person's events in the event's id.
const EVENT_BITS: u32 = 16;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// People.
    pub people: u64,
    /// Events.
    pub events: u64,
    /// Purchases among them.
    pub purchases: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}

/// Writes `DIR/part-00000.parquet` and so on: `event_id`, `person`, `cookie`, `kind`, `channel`, `campaign`, `region`,
/// `occurred_at`, `received_at`, `cost_micros`, `value_micros`.
///
/// `person` is the true person: canonical events are for measuring engines, not for linking people. Rows received late
/// are late here too; duplicates and malformed rows are of the raw files only.
pub fn write_events(source: &Source, dir: &Path, threads: NonZeroUsize) -> Result<Written, MarketError> {
    write_files(source, dir, threads, PEOPLE_PER_FILE)
}

fn write_files(source: &Source, dir: &Path, threads: NonZeroUsize, per_file: u32) -> Result<Written, MarketError> {
    create_dir_all(dir).map_err(|e| MarketError::Io { path: dir.to_owned(), source: e })?;
    let files = source.scenario().people.div_ceil(per_file);
    let next = AtomicU32::new(0);
    let work = || -> Result<Written, MarketError> {
        let mut sum = Written::default();
        loop {
            let file = next.fetch_add(1, Ordering::Relaxed);
            if file >= files {
                return Ok(sum);
            }
            sum = sum.plus(write_file(source, dir, file, per_file)?);
        }
    };
    let parts: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.get().min(files as usize).max(1)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    parts.into_iter().try_fold(Written::default(), |sum, part| Ok(sum.plus(part?)))
}

impl Written {
    const fn plus(self, other: Self) -> Self {
        Self {
            people: self.people + other.people,
            events: self.events + other.events,
            purchases: self.purchases + other.purchases,
            bytes: self.bytes + other.bytes,
            files: self.files + other.files,
        }
    }
}

fn write_file(source: &Source, dir: &Path, file: u32, per_file: u32) -> Result<Written, MarketError> {
    let path = dir.join(format!("part-{file:05}.parquet"));
    let (writing, finished) = (dir.join(format!(".part-{file:05}.tmp")), path.clone());
    let fail = |path: &PathBuf| {
        let path = path.clone();
        move |e: std::io::Error| MarketError::Io { path, source: e }
    };
    let bad =
        |e: parquet::errors::ParquetError| MarketError::Io { path: writing.clone(), source: std::io::Error::other(e) };
    let names = Names::new(source);
    let out = File::create(&writing).map_err(fail(&writing))?;
    let mut writer = ArrowWriter::try_new(out, schema(), Some(properties())).map_err(bad)?;
    let mut rows = Rows::default();
    let first = file * per_file;
    let last = first.saturating_add(per_file).min(source.scenario().people);
    let mut sum = Written { people: u64::from(last - first), files: 1, ..Written::default() };
    for number in first..last {
        let life = source.life(number);
        sum.purchases += life.purchases.len() as u64;
        rows.add(source, &life);
        if rows.len() >= ROWS || number + 1 == last {
            sum.events += rows.len() as u64;
            let batch = rows
                .finish(&names)
                .map_err(|e| MarketError::Io { path: writing.clone(), source: std::io::Error::other(e) })?;
            writer.write(&batch).and_then(|()| writer.flush()).map_err(bad)?;
        }
    }
    writer.close().map_err(bad)?;
    // A file of this name is a whole file, whatever happens in the middle of one.
    std::fs::rename(&writing, &finished).map_err(fail(&finished))?;
    sum.bytes = std::fs::metadata(&path).map_err(fail(&path))?.len();
    Ok(sum)
}

/// Numbers that hardly repeat gain nothing from dictionaries.
fn properties() -> WriterProperties {
    let column = |name: &str| ColumnPath::from(vec![name.to_owned()]);
    let mut properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_max_row_group_row_count(None);
    for name in ["event_id", "person", "cookie", "occurred_at", "received_at", "value_micros"] {
        properties = properties
            .set_column_dictionary_enabled(column(name), false)
            .set_column_encoding(column(name), Encoding::PLAIN);
    }
    properties.build()
}

/// The words of the files, and which code stands for which.
struct Names {
    kinds: ArrayRef,
    channels: ArrayRef,
    campaigns: ArrayRef,
    regions: ArrayRef,
}

/// Kinds of events in files, in the order of their codes.
const KINDS: [EventKind; 11] = [
    EventKind::Impression,
    EventKind::Click,
    EventKind::Visit,
    EventKind::EmailSent,
    EventKind::EmailOpened,
    EventKind::EmailClicked,
    EventKind::Purchase,
    EventKind::Refund,
    EventKind::Call,
    EventKind::Signup,
    EventKind::Assignment,
];

fn kind_code(kind: EventKind) -> u8 {
    let place = KINDS.iter().position(|k| *k == kind).unwrap_or(0);
    u8::try_from(place).unwrap_or(0)
}

impl Names {
    fn new(source: &Source) -> Self {
        let words = |all: Vec<String>| -> ArrayRef { Arc::new(StringArray::from(all)) };
        Self {
            kinds: words(KINDS.iter().map(ToString::to_string).collect()),
            channels: words(Channel::ALL.iter().map(ToString::to_string).collect()),
            campaigns: words(source.campaigns()),
            regions: words(Person::REGIONS.iter().map(ToString::to_string).collect()),
        }
    }
}

/// The columns of the files.
fn schema() -> SchemaRef {
    let word = || DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8));
    let time = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("event_id", DataType::Int64, false),
        Field::new("person", DataType::Int32, false),
        Field::new("cookie", DataType::Int64, true),
        Field::new("kind", word(), false),
        Field::new("channel", word(), true),
        Field::new("campaign", word(), true),
        Field::new("region", word(), false),
        Field::new("occurred_at", time(), false),
        Field::new("received_at", time(), false),
        Field::new("cost_micros", DataType::Int64, true),
        Field::new("value_micros", DataType::Int64, true),
    ]))
}

/// An event on its way into the columns.
#[derive(Debug, Clone, Copy)]
struct Event {
    second: i64,
    kind: u8,
    channel: Option<u8>,
    campaign: Option<u8>,
    device: Option<u32>,
    cost_micros: Option<i64>,
    value_micros: Option<i64>,
}

/// Columns being filled.
#[derive(Default)]
struct Rows {
    ids: Vec<i64>,
    persons: Vec<i32>,
    cookies: Int64Builder,
    kinds: UInt8Builder,
    channels: UInt8Builder,
    campaigns: UInt8Builder,
    regions: UInt8Builder,
    occurred: Vec<i64>,
    received: Vec<i64>,
    costs: Int64Builder,
    values: Int64Builder,
    /// Of the person at hand.
    events: Vec<Event>,
}

impl Rows {
    fn len(&self) -> usize {
        self.ids.len()
    }

    /// Adds everything that happened to a person on the written days.
    fn add(&mut self, source: &Source, life: &Life) {
        self.events.clear();
        events_of(source, life, &mut self.events);
        self.events.sort_unstable_by_key(|e| (e.second, e.kind, e.channel));
        let scenario = source.scenario();
        let (start, end) = (scenario.start.micros(), scenario.start.plus_days(i64::from(scenario.all_days())).micros());
        let person = life.person.number;
        let cookies = [life.person.cookie_code(0), life.person.cookie_code(1)].map(u64::cast_signed);
        let region = u8::try_from(life.person.region).unwrap_or(0);
        let stream = life.person.noise.stream(Purpose::Row);
        for (index, event) in (0_u32..).zip(&self.events) {
            let occurred = start + event.second * 1_000_000;
            let [late, delay] = stream.pair_at(u64::from(index)).map(unit);
            let seconds =
                if late < scenario.faults.late_share { 86_400.0 * (1.0 + 2.0 * delay) } else { 600.0 * delay };
            #[expect(clippy::cast_possible_truncation, reason = "below three days")]
            let received = (occurred + seconds as i64 * 1_000_000).min(end - 1_000_000).max(occurred);
            self.ids.push(i64::from(person) << EVENT_BITS | i64::from(index));
            self.persons.push(person.cast_signed());
            self.cookies.append_option(event.device.map(|d| cookies[(d as usize).min(1)]));
            self.kinds.append_value(event.kind);
            self.channels.append_option(event.channel);
            self.campaigns.append_option(event.campaign);
            self.regions.append_value(region);
            self.occurred.push(occurred);
            self.received.push(received);
            self.costs.append_option(event.cost_micros);
            self.values.append_option(event.value_micros);
        }
    }

    /// The rows so far, as a batch.
    fn finish(&mut self, names: &Names) -> Result<RecordBatch, arrow::error::ArrowError> {
        let words = |codes: &mut UInt8Builder, words: &ArrayRef| -> Result<ArrayRef, arrow::error::ArrowError> {
            Ok(Arc::new(DictionaryArray::<UInt8Type>::try_new(codes.finish(), Arc::clone(words))?))
        };
        let times = |values: &mut Vec<i64>| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(std::mem::take(values)).with_timezone("UTC"))
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(std::mem::take(&mut self.ids))),
            Arc::new(Int32Array::from(std::mem::take(&mut self.persons))),
            Arc::new(self.cookies.finish()),
            words(&mut self.kinds, &names.kinds)?,
            words(&mut self.channels, &names.channels)?,
            words(&mut self.campaigns, &names.campaigns)?,
            words(&mut self.regions, &names.regions)?,
            times(&mut self.occurred),
            times(&mut self.received),
            Arc::new(self.costs.finish()),
            Arc::new(self.values.finish()),
        ];
        RecordBatch::try_new(schema(), columns)
    }
}

/// What happened to a person on the written days, in no order.
fn events_of(source: &Source, life: &Life, out: &mut Vec<Event>) {
    let scenario = source.scenario();
    let at = |day: u32, second: u32| i64::from(day) * 86_400 + i64::from(second);
    let plain = |second, kind| Event {
        second,
        kind: kind_code(kind),
        channel: None,
        campaign: None,
        device: None,
        cost_micros: None,
        value_micros: None,
    };
    let code = |channel: Channel| u8::try_from(channel.index()).ok();
    for touch in life.touches.iter().filter(|t| t.day < scenario.days) {
        let arms = u8::try_from(Arm::ALL.len()).unwrap_or(0);
        let campaign = match touch.campaign {
            Campaign::Test(arm) => u8::try_from(arm.index()).ok(),
            Campaign::Listed(index) => source.campaign_code(touch.channel, index).map(|c| c + arms),
        };
        out.push(Event {
            channel: code(touch.channel),
            campaign,
            device: (touch.channel != Channel::Email).then_some(touch.device),
            cost_micros: Some(touch.cost_micros).filter(|c| *c != 0),
            ..plain(at(touch.day, touch.second), touch.kind)
        });
    }
    for p in &life.purchases {
        let device = (!p.in_store).then_some(p.device);
        out.push(Event {
            device,
            value_micros: Some(p.value_micros),
            ..plain(at(p.day, p.second), EventKind::Purchase)
        });
    }
    for r in &life.returns {
        out.push(Event { value_micros: Some(r.value_micros), ..plain(at(r.day, r.second), EventKind::Refund) });
    }
    for call in &life.calls {
        let channel = code(life.touches[call.touch].channel);
        out.push(Event { channel, ..plain(at(call.day, call.second), EventKind::Call) });
    }
    for touch in life.sign_up.iter().map(|s| life.touches[s.touch]) {
        out.push(Event { device: Some(touch.device), ..plain(at(touch.day, touch.second + 60), EventKind::Signup) });
    }
    if let Some(arm) = life.arm {
        let campaign = u8::try_from(arm.index()).ok();
        out.push(Event { campaign, ..plain(at(scenario.experiment.day, 0), EventKind::Assignment) });
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array as _, AsArray as _};
    use arrow::datatypes::Int64Type;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;
    use crate::{Scenario, World};

    fn threads(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).expect("some")
    }

    fn rows(path: &Path) -> Vec<RecordBatch> {
        let file = File::open(path).expect("a file");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("parquet").build().expect("a reader");
        reader.collect::<Result<_, _>>().expect("batches")
    }

    #[test]
    fn streamed_events_are_those_of_the_market() {
        let dir = tempfile::tempdir().expect("a folder");
        let scenario = Scenario::default().with_people(400);
        let source = Source::new(&scenario, 5).expect("valid");
        let written = write_events(&source, dir.path(), threads(1)).expect("writes");
        let world = World::simulate(&scenario, 5).expect("valid");
        let lives = world.lives().iter();
        let purchases: i64 = lives.clone().flat_map(|l| &l.purchases).map(|p| p.value_micros).sum();
        let cost: i64 = lives.clone().flat_map(|l| &l.touches).filter(|t| t.day < 90).map(|t| t.cost_micros).sum();
        let events = |l: &Life| {
            l.touches.iter().filter(|t| t.day < 90).count()
                + l.purchases.len()
                + l.returns.len()
                + l.calls.len()
                + usize::from(l.sign_up.is_some())
                + usize::from(l.arm.is_some())
        };
        assert_eq!(written.events, lives.clone().map(events).sum::<usize>() as u64);
        let batches = rows(&dir.path().join("part-00000.parquet"));
        let sum = |name: &str, kind: Option<&str>| -> i64 {
            let of = |b: &RecordBatch| -> i64 {
                let kinds =
                    arrow::compute::cast(b.column_by_name("kind").expect("a column"), &DataType::Utf8).expect("texts");
                let values = b.column_by_name(name).expect("a column").as_primitive::<Int64Type>();
                let wanted =
                    |i: usize| kind.is_none_or(|k| kinds.as_string::<i32>().value(i) == k) && values.is_valid(i);
                (0..b.num_rows()).filter(|i| wanted(*i)).map(|i| values.value(i)).sum()
            };
            batches.iter().map(of).sum()
        };
        assert_eq!((sum("value_micros", Some("purchase")), sum("cost_micros", None)), (purchases, cost));
        let ids: Vec<i64> =
            batches.iter().flat_map(|b| b.column(0).as_primitive::<Int64Type>().values().to_vec()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "people in order, each event once");
    }

    #[test]
    fn the_bytes_do_not_depend_on_threads() {
        let scenario = Scenario::default().with_people(250);
        let source = Source::new(&scenario, 5).expect("valid");
        let [one, two] = [1, 2].map(|n| {
            let dir = tempfile::tempdir().expect("a folder");
            let written = write_files(&source, dir.path(), threads(n), 100).expect("writes");
            let bytes = |f: &str| std::fs::read(dir.path().join(f)).expect("a file");
            (written, ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"].map(bytes))
        });
        assert!(one == two);
        assert_eq!((one.0.files, one.0.people), (3, 250));
    }
}
