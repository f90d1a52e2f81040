//! A bucket of the timeline as the kernel reads it: people, verdicts of consent, numbers in place of names.

use std::ops::Range;

use arrow::array::{Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use sha2::{Digest as _, Sha256};
use throughline_core::consent::{Hearing, Refusal, RemovedByConsent, Withdrawal};
use throughline_core::{EventKind, PersonId, Purpose, Timestamp};
use throughline_lake::{LakeError, columns};
use throughline_paths::names::Names;
use throughline_paths::{ConversionConfig, Interaction, JourneyConfig, NO_ORDER, NONE, Role, Signals};

/// Columns of the timeline that journeys need.
pub const TIMELINE_COLUMNS: &[&str] = &[
    "person_id",
    "source",
    "source_event_id",
    "kind",
    "name",
    "occurred_at",
    "channel",
    "campaign",
    "ad",
    "geo",
    "device",
    "value_micros",
    "currency",
    "properties",
    "consent",
];

fn apart() -> LakeError {
    LakeError::Schema { table: "timeline".into(), reason: "its rows are not in the order of people".into() }
}

/// Rows of people, sorted by person and time.
pub(crate) struct Bucket<'a> {
    pub(crate) source: &'a StringArray,
    pub(crate) id: &'a StringArray,
    pub(crate) kind: &'a StringArray,
    name: &'a StringArray,
    pub(crate) at: &'a TimestampMicrosecondArray,
    pub(crate) channel: &'a StringArray,
    pub(crate) campaign: &'a StringArray,
    pub(crate) ad: &'a StringArray,
    pub(crate) geo: &'a StringArray,
    pub(crate) device: &'a StringArray,
    pub(crate) value: &'a Int64Array,
    pub(crate) currency: &'a StringArray,
    properties: &'a StringArray,
    pub(crate) people: Vec<(PersonId, Range<usize>)>,
    verdicts: Vec<Option<Refusal>>,
    kinds: Vec<Option<EventKind>>,
    channels: Names,
    channel_numbers: Vec<u32>,
    campaign_numbers: Vec<u32>,
}

impl<'a> Bucket<'a> {
    pub(crate) fn new(batch: &'a RecordBatch, withdrawal: Withdrawal) -> Result<Self, LakeError> {
        let text = |name| columns::text(batch, name);
        let (source, consent) = (text("source")?, text("consent")?);
        let at = columns::time(batch, "occurred_at")?;
        let ids = columns::binary(batch, "person_id")?;
        let mut people: Vec<(PersonId, Range<usize>)> = Vec::new();
        for row in 0..batch.num_rows() {
            let id = PersonId(columns::id16(ids.value(row))?);
            match people.last_mut() {
                Some((last, range)) if *last == id => range.end = row + 1,
                Some((last, _)) if *last > id => return Err(apart()),
                _ => people.push((id, row..row + 1)),
            }
        }
        let mut hearing = Hearing::default();
        let mut verdicts = Vec::with_capacity(batch.num_rows());
        for (_, range) in &people {
            hearing.next_person();
            for row in range.clone() {
                hearing.hear(source.value(row), Timestamp::from_micros(at.value(row)), consent.value(row));
            }
            verdicts.extend(hearing.judge(Purpose::Measurement, withdrawal));
        }
        let kind = text("kind")?;
        let (channel, campaign) = (text("channel")?, text("campaign")?);
        let (mut channels, mut campaigns) = (Names::default(), Names::default());
        let numbers = |column: &StringArray, names: &mut Names| -> Vec<u32> {
            let number = |row| if column.is_null(row) { NONE } else { names.number(column.value(row)) };
            (0..column.len()).map(number).collect()
        };
        Ok(Self {
            source,
            id: text("source_event_id")?,
            kind,
            name: text("name")?,
            at,
            channel,
            campaign,
            ad: text("ad")?,
            geo: text("geo")?,
            device: text("device")?,
            value: columns::int(batch, "value_micros")?,
            currency: text("currency")?,
            properties: text("properties")?,
            people,
            verdicts,
            kinds: (0..batch.num_rows()).map(|row| kind.value(row).parse().ok()).collect(),
            channel_numbers: numbers(channel, &mut channels),
            campaign_numbers: numbers(campaign, &mut campaigns),
            channels,
        })
    }

    /// Names of channels by number.
    pub(crate) fn channels(&self) -> &[String] {
        self.channels.names()
    }

    /// Whether a row may be used for measurement.
    pub(crate) fn may_be_used(&self, row: usize) -> bool {
        self.verdicts[row].is_none()
    }

    /// The last row of a person that is not after an instant.
    pub(crate) fn last_by(&self, person: usize, at: i64) -> Option<usize> {
        let range = self.people[person].1.clone();
        let until = self.at.values()[range.clone()].partition_point(|t| *t <= at);
        (until > 0).then(|| range.start + until - 1)
    }

    /// Interaction of a row.
    pub(crate) fn interaction(&self, row: usize) -> Interaction {
        let engaged = columns::text_at(self.name, row) == Some("engaged_view");
        match self.kinds[row].and_then(Interaction::of) {
            Some(Interaction::View) if engaged => Interaction::EngagedView,
            other => other.unwrap_or_default(),
        }
    }

    /// Counts touches and conversions and what consent removed of them, each once however many conversions are declared.
    pub(crate) fn count_removed(
        &self,
        config: &JourneyConfig,
        conversions: &[ConversionConfig],
        [touches, converted]: [&mut RemovedByConsent; 2],
    ) {
        for row in 0..self.kinds.len() {
            if conversions.iter().any(|c| self.is_conversion(c, row)) {
                converted.count(self.verdicts[row]);
            } else if self.is_touch(config, row) {
                touches.count(self.verdicts[row]);
            }
        }
    }

    fn is_touch(&self, config: &JourneyConfig, row: usize) -> bool {
        self.channel_numbers[row] != NONE && self.kinds[row].is_some_and(|kind| config.is_touch(kind))
    }

    fn is_conversion(&self, conversion: &ConversionConfig, row: usize) -> bool {
        let named = |wanted: &String| columns::text_at(self.name, row) == Some(wanted);
        self.kinds[row] == Some(conversion.kind) && conversion.event_name.as_ref().is_none_or(named)
    }

    /// What a row is for one conversion; 0 when it is nothing. Refunds take from purchases and from custom conversions.
    fn role(&self, config: &JourneyConfig, conversion: &ConversionConfig, row: usize) -> u8 {
        let refundable = matches!(conversion.kind, EventKind::Purchase | EventKind::Custom);
        let role = if self.is_conversion(conversion, row) {
            Role::CONVERSION
        } else if refundable && self.kinds[row] == Some(EventKind::Refund) {
            Role::REFUND
        } else if self.is_touch(config, row) {
            Role::TOUCH
        } else {
            return 0;
        };
        role | if self.verdicts[row].is_some() { Role::NO_CONSENT } else { 0 }
    }

    /// A number for the order of a conversion or refund: of the property `order`, else of the conversion's own id.
    fn order(&self, role: u8, row: usize) -> u64 {
        if role & (Role::CONVERSION | Role::REFUND) == 0 {
            return NO_ORDER;
        }
        let named = columns::text_at(self.properties, row)
            .filter(|p| p.contains("\"order\""))
            .and_then(|p| serde_json::from_str::<Named>(p).ok())
            .and_then(|named| named.order);
        let order = match named {
            Some(order) => order.to_string(),
            None if role & Role::CONVERSION != 0 => serde_json::Value::from(self.id.value(row)).to_string(),
            None => return NO_ORDER,
        };
        let digest = Sha256::digest(order.as_bytes());
        let number = digest.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        number.min(NO_ORDER - 1)
    }
}

#[derive(serde::Deserialize)]
struct Named {
    #[serde(default)]
    order: Option<serde_json::Value>,
}

/// Signals of a bucket for one conversion, in the order that the kernel wants.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    /// The row of the bucket behind each signal.
    pub(crate) rows: Vec<usize>,
    persons: Vec<u32>,
    at: Vec<i64>,
    channel: Vec<u32>,
    role: Vec<u8>,
    interaction: Vec<u8>,
    campaign: Vec<u32>,
    value: Vec<i64>,
    order: Vec<u64>,
}

impl Columns {
    pub(crate) fn of(bucket: &Bucket<'_>, config: &JourneyConfig, conversion: &ConversionConfig) -> Self {
        let mut out = Self { persons: vec![0], ..Self::default() };
        let mut mine: Vec<(i64, u8, usize, u8)> = Vec::new();
        for (_, range) in &bucket.people {
            mine.clear();
            for row in range.clone() {
                let role = bucket.role(config, conversion, row);
                if role != 0 {
                    mine.push((bucket.at.value(row), Role::class(role), row, role));
                }
            }
            mine.sort_unstable();
            for &(at, _, row, role) in &mine {
                out.rows.push(row);
                out.at.push(at);
                out.channel.push(bucket.channel_numbers[row]);
                out.role.push(role);
                out.interaction.push(bucket.interaction(row).code());
                out.campaign.push(bucket.campaign_numbers[row]);
                out.value.push(columns::int_at(bucket.value, row).unwrap_or(0));
                out.order.push(bucket.order(role, row));
            }
            // A bucket that the lake reads holds fewer than 2³² rows; the kernel checks the columns.
            out.persons.push(u32::try_from(out.rows.len()).unwrap_or(u32::MAX));
        }
        out
    }

    pub(crate) fn signals(&self) -> Signals<'_> {
        Signals {
            persons: &self.persons,
            at: &self.at,
            channel: &self.channel,
            role: &self.role,
            interaction: Some(&self.interaction),
            campaign: Some(&self.campaign),
            value: Some(&self.value),
            order: Some(&self.order),
        }
    }
}
