//! The regular grid of time under a series: its step is inferred, and what is absent is named, never filled.

use super::calendar::{Clock, date_of, ends_month, iso, parse, weekday};
use crate::{Column, EvidenceError};

/// A grid may have so many positions per row before the times count as irregular.
const SPARSEST: usize = 5;

/// A regular grid of time and the row of the data at each position.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    clock: Clock,
    first: f64,
    step: f64,
    /// The time at each position, as the data write it or as a date.
    pub labels: Vec<String>,
    /// The row at each position.
    pub rows: Vec<Option<usize>>,
}

impl Grid {
    /// Lays a grid on a column of times: numbers, `YYYYMM` and `YYYYMMDD` numbers, or ISO 8601 dates, months, weeks and
    /// instants. Months may stand on any one day or on their last; a series without weekends has five days a week.
    ///
    /// Errors (TL318): a blank or unreadable time, two rows of one time, times that fit no regular step.
    pub fn of(column: &Column) -> Result<Self, EvidenceError> {
        let texts = texts(column)?;
        let (clock, keys) = keys(column, &texts)?;
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by(|a, b| keys[*a].total_cmp(&keys[*b]));
        let (mut step, mut twice) = (f64::INFINITY, None);
        for pair in order.windows(2) {
            let gap = keys[pair[1]] - keys[pair[0]];
            if gap == 0.0 {
                twice.get_or_insert(pair[1]);
            }
            step = step.min(gap);
        }
        if let Some(row) = twice {
            let message = format!("the time `{}` stands in several rows", texts[row]);
            return Err(fault(message, "one row per time: sum or average the rows of a time, or choose one unit"));
        }
        let Some(first) = order.first().map(|r| keys[*r]).filter(|_| order.len() >= 3) else {
            return Err(EvidenceError::TooFew { what: "times", got: order.len(), needed: 3 });
        };
        let position = |key: f64| (key - first) / step;
        let last = position(keys[order[order.len() - 1]]).round();
        let off = order.iter().find(|r| (position(keys[**r]) - position(keys[**r]).round()).abs() > 1e-4);
        if off.is_some() || last >= (SPARSEST * keys.len()) as f64 {
            let near = off.map_or(order[1], |r| *r);
            let message = format!("the times do not fit one regular step (smallest step {step}, at `{}`)", texts[near]);
            return Err(fault(message, "use one row per day, week or month; sum or average what lies between"));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the bound above")]
        let mut rows = vec![None; last as usize + 1];
        let mut grid = Self { clock, first, step, labels: Vec::new(), rows: Vec::new() };
        for row in order {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the grid")]
            let at = position(keys[row]).round() as usize;
            rows[at] = Some(row);
        }
        grid.labels =
            rows.iter().enumerate().map(|(i, r)| r.map_or_else(|| grid.name(i), |r| texts[r].clone())).collect();
        grid.rows = rows;
        Ok(grid)
    }

    /// The first position at or after a time written as in the data; the length of the grid when all are before.
    pub fn at_or_after(&self, text: &str) -> Result<usize, EvidenceError> {
        if let Some(i) = self.labels.iter().position(|l| l == text.trim()) {
            return Ok(i);
        }
        let Some(key) = self.key(text) else {
            let shown = self.labels.first().cloned().unwrap_or_default();
            let message = format!("`{text}` is not a time of the data");
            return Err(fault(message, &format!("write it as the data write it, for example `{shown}`")));
        };
        let position = ((key - self.first) / self.step - 1e-6).ceil().clamp(0.0, self.rows.len() as f64);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        Ok(position as usize)
    }

    /// Whether position `i` is the very time of a text.
    pub fn is_at(&self, i: usize, text: &str) -> bool {
        let here = |key: f64| ((key - self.first) / self.step - i as f64).abs() < 1e-4;
        i < self.rows.len() && (self.labels[i] == text.trim() || self.key(text).is_some_and(here))
    }

    /// The positions from `first` to before `end`, which must be among them.
    #[must_use]
    pub fn between(&self, first: usize, end: usize) -> Self {
        Self {
            first: self.first + self.step * first as f64,
            labels: self.labels[first..end].to_vec(),
            rows: self.rows[first..end].to_vec(),
            ..*self
        }
    }

    fn key(&self, text: &str) -> Option<f64> {
        match self.clock {
            Clock::Number => text.trim().parse::<f64>().ok().filter(|x| x.is_finite()),
            clock => parse(text).or_else(|| number_as_date(text.trim().parse().ok()?)).map(|p| key_of(clock, p)),
        }
    }

    /// Positions without a row.
    pub fn gaps(&self) -> Vec<usize> {
        (0..self.rows.len()).filter(|i| self.rows[*i].is_none()).collect()
    }

    /// The step in words.
    pub fn step(&self) -> String {
        let unit = match self.clock {
            Clock::Number => return format!("steps of {}", self.step),
            Clock::Day => "days",
            Clock::Weekday => "working days",
            Clock::Month(_) => "months",
            Clock::Second => "seconds",
        };
        format!("steps of {} {unit}", self.step)
    }

    /// Values of a column on the grid; NaN where there is no row.
    pub fn spread(&self, values: &[f64]) -> Vec<f64> {
        self.rows.iter().map(|r| r.map_or(f64::NAN, |r| values[r])).collect()
    }

    #[expect(clippy::cast_possible_truncation, reason = "keys of dates are whole and small")]
    fn name(&self, i: usize) -> String {
        let key = self.first + self.step * i as f64;
        let whole = key.round() as i64;
        match self.clock {
            Clock::Number => key.to_string(),
            Clock::Day => iso(date_of(whole)),
            Clock::Weekday => iso(date_of(whole.div_euclid(5) * 7 + whole.rem_euclid(5) - 3)),
            Clock::Month(_) => format!("{:04}-{:02}", whole.div_euclid(12), whole.rem_euclid(12) + 1),
            Clock::Second => {
                let (day, second) = (whole.div_euclid(86_400), whole.rem_euclid(86_400) as u64);
                format!("{}T{:02}:{:02}:{:02}", iso(date_of(day)), second / 3600, second / 60 % 60, second % 60)
            }
        }
    }
}

fn fault(message: String, help: &str) -> EvidenceError {
    EvidenceError::Data { code: "TL318", message, help: help.to_owned() }
}

fn texts(column: &Column) -> Result<Vec<String>, EvidenceError> {
    let texts: Vec<Option<String>> = match column {
        Column::Numbers(values) => values.iter().map(|v| v.is_finite().then(|| v.to_string())).collect(),
        Column::Texts { codes, names } => codes.iter().map(|c| names.get(*c as usize).cloned()).collect(),
    };
    let blank = texts.iter().position(Option::is_none);
    if let Some(row) = blank {
        return Err(fault(format!("row {} has no time", row + 1), "every row must name its time: fill or remove it"));
    }
    Ok(texts.into_iter().flatten().collect())
}

/// `YYYYMM` or `YYYYMMDD` as a date.
#[expect(clippy::cast_possible_truncation, reason = "the value is whole and within bounds")]
fn number_as_date(value: f64) -> Option<(i64, i64, bool)> {
    if value.fract() != 0.0 {
        return None;
    }
    let whole = value as i64;
    let text = match whole {
        190_001..=210_012 => format!("{}-{:02}", whole / 100, whole % 100),
        19_000_101..=21_001_231 => format!("{}-{:02}-{:02}", whole / 10_000, whole / 100 % 100, whole % 100),
        _ => return None,
    };
    parse(&text)
}

fn key_of(clock: Clock, (days, seconds, _): (i64, i64, bool)) -> f64 {
    let (year, month, day) = date_of(days);
    let key = match clock {
        Clock::Number | Clock::Day => days,
        // Days of a weekend count as the Monday after.
        Clock::Weekday => (days + 3).div_euclid(7) * 5 + weekday(days).min(5),
        // A day after the one the months stand on belongs to the next.
        Clock::Month(on) => year * 12 + i64::from(month) - 1 + i64::from(day > on && !(on == 31 && ends_month(days))),
        Clock::Second => days * 86_400 + seconds,
    };
    key as f64
}

/// The clock of the times and the key of each.
fn keys(column: &Column, texts: &[String]) -> Result<(Clock, Vec<f64>), EvidenceError> {
    let dates: Option<Vec<_>> = match column {
        Column::Numbers(values) => {
            let dates: Option<Vec<_>> = values.iter().map(|v| number_as_date(*v)).collect();
            let Some(dates) = dates else { return Ok((Clock::Number, values.clone())) };
            Some(dates)
        }
        Column::Texts { .. } => texts.iter().map(|t| parse(t)).collect(),
    };
    let Some(dates) = dates else {
        let odd = texts.iter().find(|t| parse(t).is_none()).cloned().unwrap_or_default();
        let help = "write times as numbers or ISO 8601, for example 2024-03-01, 2024-03, 2024-W09 or 2024-03-01T12:00";
        return Err(fault(format!("`{odd}` is not a time"), help));
    };
    let mut days: Vec<i64> = dates.iter().map(|d| d.0).collect();
    days.sort_unstable();
    let closest = days.windows(2).map(|w| w[1] - w[0]).min().unwrap_or(0);
    let on = date_of(days.first().copied().unwrap_or(0)).2;
    let clock = if dates.iter().any(|d| d.2) {
        Clock::Second
    } else if closest >= 28 && days.iter().all(|d| date_of(*d).2 == on) {
        Clock::Month(on)
    } else if closest >= 28 && days.iter().all(|d| ends_month(*d)) {
        Clock::Month(31)
    } else if closest == 1 && days.len() >= 10 && days.iter().all(|d| weekday(*d) < 5) {
        Clock::Weekday
    } else {
        Clock::Day
    };
    Ok((clock, dates.into_iter().map(|d| key_of(clock, d)).collect()))
}

/// Days since 1970-01-01 of the first position, for tests of the calendar.
#[cfg(test)]
pub(super) fn day_number(text: &str) -> Option<i64> {
    parse(text).map(|p| p.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: &[&str]) -> Result<Grid, EvidenceError> {
        let names: Vec<String> = times.iter().map(|t| (*t).to_owned()).collect();
        Grid::of(&Column::Texts { codes: (0..).take(names.len()).collect(), names })
    }

    #[track_caller]
    fn check(times: &[&str], labels: &[&str]) {
        let grid = of(times).expect("a grid");
        assert_eq!(grid.labels, labels);
        assert_eq!(grid.gaps().len(), labels.len() - times.len());
    }

    #[test]
    fn steps_are_inferred_and_gaps_named() {
        check(&["2024-02-28", "2024-03-02", "2024-02-29"], &["2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02"]);
        check(&["2024-01-31", "2024-02-29", "2024-04-30"], &["2024-01-31", "2024-02-29", "2024-03", "2024-04-30"]);
        check(&["2023-11", "2023-12", "2024-02"], &["2023-11", "2023-12", "2024-01", "2024-02"]);
        check(&["2023-W51", "2023-W52", "2024-W02"], &["2023-W51", "2023-W52", "2024-01-01", "2024-W02"]);
        check(
            &["2024-01-01T10:00", "2024-01-01T11:00", "2024-01-01T13:00"],
            &["2024-01-01T10:00", "2024-01-01T11:00", "2024-01-01T12:00:00", "2024-01-01T13:00"],
        );
        let numbers = Grid::of(&Column::Numbers(vec![2.0, 2.5, 3.5])).expect("a grid");
        assert_eq!(numbers.labels, ["2", "2.5", "3", "3.5"]);
        let months = Grid::of(&Column::Numbers(vec![202_312.0, 202_401.0, 202_402.0])).expect("a grid");
        assert_eq!((months.labels.len(), months.step()), (3, "steps of 1 months".into()));
        assert_eq!(day_number("1970-01-02"), Some(1));
    }

    #[test]
    fn working_days_have_no_weekend() {
        let days = ["04", "05", "06", "07", "08", "11", "12", "13", "15", "18", "19"].map(|d| format!("2024-03-{d}"));
        let grid = of(&days.iter().map(String::as_str).collect::<Vec<_>>()).expect("a grid");
        assert_eq!((grid.labels.len(), grid.gaps()), (12, vec![8]));
        assert_eq!(grid.labels[8], "2024-03-14");
        assert_eq!(grid.at_or_after("2024-03-10").expect("a time"), 5);
    }

    #[test]
    fn a_time_is_found_or_refused() {
        let grid = of(&["2024-01-01", "2024-02-01", "2024-03-01"]).expect("a grid");
        let at = |t: &str| grid.at_or_after(t).expect("a time");
        assert_eq!((at("2024-01-15"), at("2024-02"), at("2023-01-01"), at("2025-01-01")), (1, 1, 0, 3));
        assert!(grid.at_or_after("spring").is_err());
        for bad in [&["2024-01-01", "2024-01-01", "2024-01-02"][..], &["a", "b", "c"], &["2024-01-01", "2024-01-02"]] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
        assert!(of(&["2024-01-01", "2024-01-02", "2026-01-01"]).is_err());
        assert!(Grid::of(&Column::Numbers(vec![1.0, f64::NAN, 3.0])).is_err());
        assert!(Grid::of(&Column::Numbers(vec![0.0, 1.0, 2.5])).is_err());
    }
}
