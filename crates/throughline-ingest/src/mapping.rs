//! Checked mappings: what a row becomes.

use throughline_core::expr::{Expr, MemoryRow, Type, TypedExpr, Value};
use throughline_core::{EventKind, IdentifierKind};

use crate::cell::{Cell, RowView};

/// The expression of one field, with short ways for the usual ones.
#[derive(Debug, Clone)]
pub(crate) enum Slot {
    /// Not given.
    Absent,
    /// The same for every row.
    Constant(Value),
    /// A column as it is.
    Column(usize),
    /// Anything else.
    Computed(TypedExpr),
}

impl Slot {
    pub(crate) fn new(expr: TypedExpr) -> Self {
        match &expr.root().expr {
            Expr::Column { index, .. } => Self::Column(*index),
            _ if expr.columns().is_empty() => Self::Constant(expr.eval(&MemoryRow::default())),
            _ => Self::Computed(expr),
        }
    }

    pub(crate) const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub(crate) fn cell<'a>(&'a self, row: &RowView<'a>) -> Cell<'a> {
        match self {
            Self::Absent => Cell::Null,
            Self::Constant(Value::Text(text)) => Cell::Text(text),
            Self::Constant(value) => value.clone().into(),
            Self::Column(index) => row.cell(*index),
            Self::Computed(expr) => expr.eval(row).into(),
        }
    }
}

/// Where a row says how somebody came to a page.
#[derive(Debug, Clone)]
pub(crate) struct TrafficSlots {
    /// Source, medium, campaign, page, referrer.
    pub(crate) fields: [Slot; 5],
    /// Click ids by parameter.
    pub(crate) click_ids: Vec<(String, Slot)>,
}

/// One thing that a row becomes.
#[derive(Debug, Clone)]
pub(crate) struct Emit {
    pub(crate) when: Slot,
    pub(crate) id: Slot,
    pub(crate) revision: Slot,
    pub(crate) cost: Slot,
    pub(crate) currency: Slot,
    pub(crate) target: Target,
}

/// Where it goes.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Event(Box<EventFields>),
    Spend(Box<SpendFields>),
}

/// Text fields of an event that are kept as they are.
pub(crate) const EVENT_TEXTS: [&str; 6] = ["name", "channel", "campaign", "ad", "geo", "device"];
/// Text fields of spend that are kept as they are.
pub(crate) const SPEND_TEXTS: [&str; 3] = ["channel", "campaign", "geo"];

/// Fields of an event.
#[derive(Debug, Clone)]
pub(crate) struct EventFields {
    pub(crate) kind: KindSlot,
    pub(crate) occurred_at: Slot,
    pub(crate) available_at: Slot,
    /// In the order of [`EVENT_TEXTS`].
    pub(crate) texts: [Slot; 6],
    pub(crate) value: Slot,
    /// In the order of the kinds.
    pub(crate) subjects: Vec<(IdentifierKind, Slot)>,
    /// In the order of the names, each name already a JSON text.
    pub(crate) properties: Vec<(String, Slot)>,
    /// The same for the profile.
    pub(crate) profile: Vec<(String, Slot)>,
}

/// The kind of an event: nearly always the same for every row.
#[derive(Debug, Clone)]
pub(crate) enum KindSlot {
    Always(EventKind),
    Computed(Slot),
}

/// Fields of spend.
#[derive(Debug, Clone)]
pub(crate) struct SpendFields {
    pub(crate) date: Slot,
    /// In the order of [`SPEND_TEXTS`].
    pub(crate) texts: [Slot; 3],
    pub(crate) impressions: Slot,
    pub(crate) clicks: Slot,
    /// Conversions and value that the platform claims.
    pub(crate) reported: [Slot; 2],
}

/// Types that become text: text, and whole numbers, which ids often are.
pub(crate) const TEXT: &[Type] = &[Type::Text, Type::Int];
/// Types that become an amount. Text is read strictly: what is no number refuses the row.
pub(crate) const AMOUNT: &[Type] = &[Type::Float, Type::Int, Type::Text];
/// Types that become an instant.
pub(crate) const TIME: &[Type] = &[Type::Time, Type::Text];
/// Types that become a whole number.
pub(crate) const WHOLE: &[Type] = &[Type::Int, Type::Text];
/// Types that become a revision.
pub(crate) const REVISION: &[Type] = &[Type::Int, Type::Text, Type::Time];
