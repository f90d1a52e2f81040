//! Checking one entry of `emits`.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;
use throughline_core::diagnostic::closest;
use throughline_core::expr::{Type, Value};
use throughline_core::{Currency, Diagnostic, EventKind, IdentifierKind};

use super::Compiler;
use crate::config::{EmitConfig, at};
use crate::diagnostics::codes;
use crate::mapping::{
    AMOUNT, EVENT_TEXTS, Emit, EventFields, KindSlot, REVISION, SPEND_TEXTS, Slot, SpendFields, TEXT, TIME, Target,
    WHOLE,
};

type Field<'a> = Option<&'a Spanned<String>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Events,
    Spend,
}

impl Compiler<'_> {
    /// Checks the entry `number` (from 1); `None` when nothing can be made of it, with findings.
    pub(super) fn emit(&mut self, number: usize, emit: &EmitConfig) -> Option<Emit> {
        let table = self.table(emit)?;
        let label = |field: &str| format!("emit {number}, {field}");
        self.check_fields(number, table, emit);
        let when = self.slot(&label("when"), emit.when.as_ref(), &[Type::Bool]);
        let id = self.slot(&label("id"), emit.id.as_ref(), TEXT);
        let revision = self.slot(&label("revision"), emit.revision.as_ref(), REVISION);
        let cost = self.slot(&label("cost"), emit.cost.as_ref(), AMOUNT);
        let currency = self.slot(&label("currency"), emit.currency.as_ref(), &[Type::Text]);
        self.check_constant(&currency, emit.currency.as_ref(), |text| {
            text.parse::<Currency>().map(|_| ()).map_err(|e| e.to_string())
        });
        let target = match table {
            Table::Events => Target::Event(Box::new(self.event(&label, emit))),
            Table::Spend => Target::Spend(Box::new(self.spend(&label, emit))),
        };
        Some(Emit { when, id, revision, cost, currency, target })
    }

    fn table(&mut self, emit: &EmitConfig) -> Option<Table> {
        match emit.table.as_ref() {
            None => Some(Table::Events),
            Some(name) if name.value == "events" => Some(Table::Events),
            Some(name) if name.value == "spend" => Some(Table::Spend),
            Some(name) => {
                let finding = Diagnostic::error(codes::CONSTANT, format!("unknown table `{}`", name.value));
                self.push(finding.help("known tables: events, spend"), name);
                None
            }
        }
    }

    /// Required fields are there, and no field belongs to the other table.
    fn check_fields(&mut self, number: usize, table: Table, emit: &EmitConfig) {
        let both = [("id", emit.id.as_ref())];
        let events: [(&str, Field<'_>); 2] = [("kind", emit.kind.as_ref()), ("occurred_at", emit.occurred_at.as_ref())];
        let spend: [(&str, Field<'_>); 3] =
            [("date", emit.date.as_ref()), ("cost", emit.cost.as_ref()), ("currency", emit.currency.as_ref())];
        let only_events: [(&str, Field<'_>); 7] = [
            ("kind", emit.kind.as_ref()),
            ("name", emit.name.as_ref()),
            ("occurred_at", emit.occurred_at.as_ref()),
            ("available_at", emit.available_at.as_ref()),
            ("ad", emit.ad.as_ref()),
            ("device", emit.device.as_ref()),
            ("value", emit.value.as_ref()),
        ];
        let only_spend: [(&str, Field<'_>); 5] = [
            ("date", emit.date.as_ref()),
            ("impressions", emit.impressions.as_ref()),
            ("clicks", emit.clicks.as_ref()),
            ("reported_conversions", emit.reported_conversions.as_ref()),
            ("reported_value", emit.reported_value.as_ref()),
        ];
        let (required, foreign, other): (Vec<_>, &[_], _) = match table {
            Table::Events => (both.into_iter().chain(events).collect(), &only_spend, "spend"),
            Table::Spend => (both.into_iter().chain(spend).collect(), &only_events, "events"),
        };
        for (name, _) in required.iter().filter(|(_, field)| field.is_none()) {
            self.missing(format!("emit {number} has no `{name}`"));
        }
        for (name, field) in foreign {
            if let Some(place) = field {
                let message = format!("emit {number}: `{name}` belongs to table {other}");
                self.push(Diagnostic::error(codes::FIELD, message), place);
            }
        }
        match table {
            Table::Events if emit.subjects.is_empty() => {
                self.missing(format!("emit {number} has no `subjects`: an event needs at least one identifier"));
            }
            Table::Events if (emit.cost.is_some() || emit.value.is_some()) && emit.currency.is_none() => {
                self.missing(format!("emit {number} has an amount but no `currency`"));
            }
            Table::Spend => {
                for place in emit.subjects.values().chain(emit.properties.values()) {
                    let message = format!("emit {number}: `subjects` and `properties` belong to table events");
                    self.push(Diagnostic::error(codes::FIELD, message), place);
                }
            }
            Table::Events => {}
        }
    }

    fn missing(&mut self, message: String) {
        let finding = Diagnostic::error(codes::FIELD, message);
        self.found.push(at(finding, &self.config.file, &self.config.emits));
    }

    fn event(&mut self, label: &impl Fn(&str) -> String, emit: &EmitConfig) -> EventFields {
        let kind = self.slot(&label("kind"), emit.kind.as_ref(), &[Type::Text]);
        self.check_constant(&kind, emit.kind.as_ref(), |text| {
            text.parse::<EventKind>().map(|_| ()).map_err(|e| {
                let names = EventKind::ALL.map(EventKind::name);
                match closest(text, names) {
                    Some(close) => format!("{e}; did you mean `{close}`?"),
                    None => format!("{e} (known: {})", names.join(", ")),
                }
            })
        });
        let kind = match &kind {
            Slot::Constant(Value::Text(text)) => match text.parse() {
                Ok(kind) => KindSlot::Always(kind),
                Err(_) => KindSlot::Computed(kind),
            },
            _ => KindSlot::Computed(kind),
        };
        let texts = [&emit.name, &emit.channel, &emit.campaign, &emit.ad, &emit.geo, &emit.device];
        EventFields {
            kind,
            occurred_at: self.slot(&label("occurred_at"), emit.occurred_at.as_ref(), TIME),
            available_at: self.slot(&label("available_at"), emit.available_at.as_ref(), TIME),
            texts: std::array::from_fn(|i| self.slot(&label(EVENT_TEXTS[i]), texts[i].as_ref(), TEXT)),
            value: self.slot(&label("value"), emit.value.as_ref(), AMOUNT),
            subjects: self.subjects(label, &emit.subjects),
            properties: self.named(label, "property", &emit.properties),
            profile: self.named(label, "profile", &emit.profile),
        }
    }

    fn spend(&mut self, label: &impl Fn(&str) -> String, emit: &EmitConfig) -> SpendFields {
        let texts = [&emit.channel, &emit.campaign, &emit.geo];
        SpendFields {
            date: self.slot(&label("date"), emit.date.as_ref(), TIME),
            texts: std::array::from_fn(|i| self.slot(&label(SPEND_TEXTS[i]), texts[i].as_ref(), TEXT)),
            impressions: self.slot(&label("impressions"), emit.impressions.as_ref(), WHOLE),
            clicks: self.slot(&label("clicks"), emit.clicks.as_ref(), WHOLE),
            reported: [
                self.slot(&label("reported_conversions"), emit.reported_conversions.as_ref(), AMOUNT),
                self.slot(&label("reported_value"), emit.reported_value.as_ref(), AMOUNT),
            ],
        }
    }

    fn subjects(
        &mut self,
        label: &impl Fn(&str) -> String,
        subjects: &BTreeMap<String, Spanned<String>>,
    ) -> Vec<(IdentifierKind, Slot)> {
        let mut slots = Vec::new();
        for (name, text) in subjects {
            match name.parse::<IdentifierKind>() {
                Ok(kind) => slots.push((kind, self.slot(&label(&format!("subject {name}")), Some(text), TEXT))),
                Err(error) => {
                    let finding = Diagnostic::error(codes::CONSTANT, error.to_string());
                    let close = closest(name, IdentifierKind::ALL.map(IdentifierKind::name));
                    let finding = match close {
                        Some(close) => finding.help(format!("did you mean `{close}`?")),
                        None => finding,
                    };
                    self.push(finding, text);
                }
            }
        }
        slots.sort_by_key(|(kind, _)| *kind);
        slots
    }

    /// Expressions by name, the names as JSON.
    fn named(
        &mut self,
        label: &impl Fn(&str) -> String,
        what: &str,
        fields: &BTreeMap<String, Spanned<String>>,
    ) -> Vec<(String, Slot)> {
        let slots = fields.iter().map(|(name, text)| {
            let slot = self.slot(&label(&format!("{what} {name}")), Some(text), &Type::ALL);
            (serde_json::Value::from(name.as_str()).to_string(), slot)
        });
        slots.collect()
    }
}
