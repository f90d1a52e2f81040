//! Functions on instants. All of them work in UTC; there is no function that tells the present time.

use jiff::civil::DateTime;

use super::{Param, Returns, Spec};
use crate::expr::instant;
use crate::expr::ty::Type::{Float, Int, Text, Time};
use crate::expr::value::Value;

const TRUNC: &[&str] = &["minute", "hour", "day", "week", "month", "quarter", "year"];
const FIELDS: &[&str] = &["year", "month", "day", "hour", "minute", "second", "dow", "epoch"];

pub(super) const TABLE: &[Spec] = &[
    Spec {
        name: "date_trunc",
        params: &[Param::Choice(TRUNC), Param::Is(Time)],
        optional: 0,
        variadic: false,
        returns: Returns::Is(Time),
        usage: "date_trunc('minute|hour|day|week|month|quarter|year', time)",
        doc: "Start of the period in UTC; weeks start on Monday.",
        kernel: |args| match args {
            [Value::Text(unit), Value::Time(t)] => optional_time(truncate(unit, t.micros())),
            _ => Value::Null,
        },
    },
    Spec {
        name: "extract",
        params: &[Param::Choice(FIELDS), Param::Is(Time)],
        optional: 0,
        variadic: false,
        returns: Returns::Is(Int),
        usage: "extract(year|month|day|hour|minute|second|dow|epoch FROM time)",
        doc: "A part of the time in UTC: dow is 0 for Sunday to 6, second and epoch are whole seconds.",
        kernel: |args| match args {
            [Value::Text(field), Value::Time(t)] => extract(field, t.micros()).map_or(Value::Null, Value::Int),
            _ => Value::Null,
        },
    },
    Spec {
        name: "epoch_seconds",
        params: &[Param::Is(Time)],
        optional: 0,
        variadic: false,
        returns: Returns::Is(Float),
        usage: "epoch_seconds(time)",
        doc: "Seconds since 1970-01-01 UTC, with fraction.",
        kernel: |args| match args {
            [Value::Time(t)] => Value::float(t.micros() as f64 / 1e6),
            _ => Value::Null,
        },
    },
    Spec {
        name: "from_epoch_seconds",
        params: &[Param::Is(Float)],
        optional: 0,
        variadic: false,
        returns: Returns::Is(Time),
        usage: "from_epoch_seconds(x)",
        doc: "The instant x seconds after 1970-01-01 UTC, rounded to microseconds.",
        kernel: |args| match args {
            [Value::Float(x)] => seconds(*x),
            _ => Value::Null,
        },
    },
    from_epoch(
        "from_epoch_millis",
        "from_epoch_millis(n)",
        "The instant n milliseconds after 1970-01-01 UTC.",
        |args| scaled(args, 1000),
    ),
    from_epoch(
        "from_epoch_micros",
        "from_epoch_micros(n)",
        "The instant n microseconds after 1970-01-01 UTC.",
        |args| scaled(args, 1),
    ),
    Spec {
        name: "parse_time",
        params: &[Param::Is(Text), Param::Format],
        optional: 1,
        variadic: false,
        returns: Returns::Is(Time),
        usage: "parse_time(text [, format])",
        doc: "The instant a text states, NULL when it does not fit. Without format: YYYY-MM-DD[ HH:MM[:SS[.f]][Z|±HH:MM]]; \
              format: strftime directives as a literal, for example '%d/%m/%Y %H:%M'. No offset means UTC.",
        kernel: |args| match args {
            [Value::Text(text)] => optional_time(instant::parse(text)),
            [Value::Text(text), Value::Text(format)] => optional_time(instant::parse_with(format, text)),
            _ => Value::Null,
        },
    },
];

const fn from_epoch(name: &'static str, usage: &'static str, doc: &'static str, kernel: fn(&[Value]) -> Value) -> Spec {
    const PARAMS: &[Param] = &[Param::Is(Int)];
    Spec { name, params: PARAMS, optional: 0, variadic: false, returns: Returns::Is(Time), usage, doc, kernel }
}

fn optional_time(micros: Option<i64>) -> Value {
    micros.map_or(Value::Null, Value::time_micros)
}

fn scaled(args: &[Value], unit_us: i64) -> Value {
    match args {
        [Value::Int(n)] => optional_time(n.checked_mul(unit_us)),
        _ => Value::Null,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float saturates, and the range check of instants follows")]
fn seconds(x: f64) -> Value {
    Value::time_micros((x * 1e6).round() as i64)
}

fn truncate(unit: &str, micros: i64) -> Option<i64> {
    let civil = instant::civil(micros)?;
    let day = civil.date();
    let start: DateTime = match unit {
        "minute" => day.at(civil.hour(), civil.minute(), 0, 0),
        "hour" => day.at(civil.hour(), 0, 0, 0),
        "day" => day.at(0, 0, 0, 0),
        "week" => {
            let back = jiff::Span::new().try_days(civil.weekday().to_monday_zero_offset()).ok()?;
            day.checked_sub(back).ok()?.at(0, 0, 0, 0)
        }
        "month" => day.first_of_month().at(0, 0, 0, 0),
        "quarter" => jiff::civil::Date::new(day.year(), (day.month() - 1) / 3 * 3 + 1, 1).ok()?.at(0, 0, 0, 0),
        "year" => day.first_of_year().at(0, 0, 0, 0),
        _ => return None,
    };
    instant::from_civil(start)
}

fn extract(field: &str, micros: i64) -> Option<i64> {
    let civil = instant::civil(micros)?;
    Some(match field {
        "year" => i64::from(civil.year()),
        "month" => i64::from(civil.month()),
        "day" => i64::from(civil.day()),
        "hour" => i64::from(civil.hour()),
        "minute" => i64::from(civil.minute()),
        "second" => i64::from(civil.second()),
        "dow" => i64::from(civil.weekday().to_sunday_zero_offset()),
        "epoch" => micros.div_euclid(1_000_000),
        _ => return None,
    })
}
