//! What a source of this kind may say.

use super::super::{BadOption, Options};
use super::plan::Relation;

/// Options with their meaning.
pub(super) const KNOWN: &[(&str, &str)] = &[
    ("table", "table or view, as `orders` or `shop.orders`"),
    ("query", "SELECT instead of a table"),
    ("watermark", "column that grows with every change of a row: a time, or a whole number"),
    ("window", "what one unit holds: `hour`, `day` (default) or `month` of the watermark, or a count of whole numbers"),
    ("order_by", "columns that order the rows of a unit, after the watermark; the primary key of a table when absent"),
];

/// How wide a window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// A unit of time that `date_trunc` knows.
    Time(&'static str),
    /// So many whole numbers.
    Count(i64),
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) relation: Relation,
    pub(super) watermark: Option<String>,
    /// As written; by the type of the watermark when absent.
    pub(super) width: Option<Width>,
    pub(super) order_by: Vec<String>,
}

impl Wish {
    /// Reads options whose names are known.
    pub(super) fn read(options: &Options) -> Result<Self, BadOption> {
        let get = |name: &str| options.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
        let bad = |name: &'static str, message: &str| BadOption { name, message: message.to_owned() };
        let relation = match (get("table"), get("query")) {
            (Some(table), None) => Relation::table(table)
                .ok_or_else(|| bad("table", "it is no name of a table: write `orders` or `shop.orders`"))?,
            (None, Some(query)) => Relation::query(query)
                .ok_or_else(|| bad("query", "it is no single SELECT: begin with SELECT or WITH, without a `;`"))?,
            (None, None) => return Err(bad("table", "say which `table`, or write a `query`")),
            (Some(_), Some(_)) => return Err(bad("query", "write a `table` or a `query`, not both")),
        };
        let watermark = get("watermark").map(str::to_owned);
        let width = match get("window") {
            None => None,
            Some(_) if watermark.is_none() => return Err(bad("window", "a window needs a `watermark`")),
            Some(text) => Some(width(text).ok_or_else(|| {
                bad("window", "expected `hour`, `day`, `month`, or a whole number above 0 for a watermark of numbers")
            })?),
        };
        let order_by: Vec<String> = get("order_by")
            .map(|list| list.split(',').map(|name| name.trim().to_owned()).collect())
            .unwrap_or_default();
        if order_by.iter().any(String::is_empty) {
            return Err(bad("order_by", "a name is missing between commas"));
        }
        if order_by.is_empty() && matches!(relation, Relation::Query(_)) {
            return Err(bad(
                "order_by",
                "a query needs columns that order its rows, so that they come the same each time",
            ));
        }
        Ok(Self { relation, watermark, width, order_by })
    }
}

fn width(text: &str) -> Option<Width> {
    let named = ["hour", "day", "month"].into_iter().find(|unit| *unit == text).map(Width::Time);
    named.or_else(|| text.parse().ok().filter(|n| *n > 0).map(Width::Count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &[(&str, &str)], expect: &str) {
        let options: Options = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let said = match Wish::read(&options) {
            Ok(wish) => format!("{} {:?} {:?}", wish.relation.shown(), wish.width, wish.order_by),
            Err(bad) => format!("{}: {}", bad.name, bad.message),
        };
        assert!(said.contains(expect), "{given:?}: {said}");
    }

    #[test]
    fn options_are_read_or_refused() {
        check(&[("table", "shop.orders")], "shop.orders None []");
        check(&[("table", "o"), ("watermark", "w"), ("window", "hour"), ("order_by", "a, b")], "Time(\"hour\")");
        check(&[("table", "o"), ("watermark", "w"), ("window", "1000")], "Count(1000)");
        check(&[("query", "SELECT 1 AS x"), ("order_by", "x")], "query");
        check(&[], "table: say which `table`");
        check(&[("table", "o"), ("query", "SELECT 1")], "not both");
        check(&[("table", "a.b.c")], "no name of a table");
        check(&[("table", "a..b")], "no name of a table");
        check(&[("query", "DELETE FROM orders"), ("order_by", "x")], "no single SELECT");
        check(&[("query", "SELECT 1; DROP TABLE orders"), ("order_by", "x")], "no single SELECT");
        check(&[("query", "SELECT 1 AS x")], "order_by: a query needs columns");
        check(&[("table", "o"), ("window", "day")], "needs a `watermark`");
        check(&[("table", "o"), ("watermark", "w"), ("window", "week")], "expected `hour`");
        check(&[("table", "o"), ("watermark", "w"), ("window", "0")], "expected `hour`");
        check(&[("table", "o"), ("order_by", "a,,b")], "missing between commas");
    }
}
