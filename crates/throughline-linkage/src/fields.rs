//! Which columns tell who somebody is: not the number of the record, nothing that is the same for all, nothing that other
//! columns say already.

use crate::column::{Column, Kind};

/// Rows that are looked at to find columns made of others.
const LOOKED_AT: usize = 4_000;
/// A column is made of others when this share of its values is.
const MADE: f64 = 0.9;

/// Why a column is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeftOut {
    /// It numbers the records.
    NumbersRecords,
    /// All its values are the same, or there are none.
    SaysNothing,
    /// Its words stand in other columns.
    MadeOfOthers,
}

/// The columns to compare, and those that are left out with the reason.
pub(crate) fn choose(columns: Vec<Column>) -> (Vec<Column>, Vec<(String, LeftOut)>) {
    let mut out = Vec::new();
    let mut kept: Vec<Column> = Vec::new();
    for column in columns {
        match reason(&column) {
            Some(why) => out.push((column.name, why)),
            None => kept.push(column),
        }
    }
    // The wordiest first: a full name goes before its parts do.
    while let Some(place) = made_of_others(&kept) {
        out.push((kept.remove(place).name, LeftOut::MadeOfOthers));
    }
    (kept, out)
}

fn reason(column: &Column) -> Option<LeftOut> {
    if column.distinct() < 2 {
        return Some(LeftOut::SaysNothing);
    }
    let name = column.name.trim().to_lowercase();
    let numbering = name == "id" || name.ends_with("_id") || name.ends_with(" id") || name == "index" || name == "row";
    // E-mail addresses and registers may be unique in a list without doubles; a record's number says so by its name.
    (column.unique && numbering && column.kind != Kind::Email).then_some(LeftOut::NumbersRecords)
}

/// A column whose words stand in the other columns of nearly all records.
fn made_of_others(columns: &[Column]) -> Option<usize> {
    let rows = columns.first().map_or(0, |c| c.codes.len());
    let step = (rows / LOOKED_AT).max(1);
    let mut order: Vec<usize> = (0..columns.len()).filter(|c| columns[*c].kind == Kind::Address).collect();
    order.sort_by_key(|c| std::cmp::Reverse(columns[*c].distinct()));
    order.into_iter().find(|place| {
        let (mut said, mut seen) = (0, 0);
        for row in (0..rows).step_by(step).filter(|r| columns[*place].codes[*r] != 0) {
            let others: Vec<&[u8]> = columns
                .iter()
                .enumerate()
                .filter(|(other, c)| other != place && c.codes[row] != 0)
                .map(|(_, c)| c.text(c.codes[row]))
                .collect();
            let within = |word: &[u8]| others.iter().any(|o| o.split(|c| *c == b' ').any(|w| w == word));
            let text = columns[*place].text(columns[*place].codes[row]);
            seen += 1;
            said += usize::from(text.split(|c| *c == b' ').filter(|w| !w.is_empty()).all(within));
        }
        seen > 0 && said as f64 >= MADE * f64::from(seen)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::RawColumn;

    #[test]
    fn numbers_constants_and_repetitions_are_left_out() {
        let column = |name: &str, of: &dyn Fn(usize) -> String| Column::of(&RawColumn::of(name, (0..300).map(of)));
        let first = |i: usize| format!("f{}", "abcdefgh".repeat(1 + i % 7) + &(i % 97).to_string());
        let last = |i: usize| format!("l{}", "xyzuvw".repeat(1 + i % 5) + &(i % 89).to_string());
        let (kept, out) = choose(vec![
            // Taken for digits, "r1-11" and "r11-1" are one; as they are written they are two.
            column("rec_id", &|i| format!("r{}-{}", i / 12, i % 12)),
            column("country", &|_| "de".into()),
            column("first", &first),
            column("last", &last),
            column("full_name", &|i| format!("{} {}", first(i), last(i))),
            column("street", &|i| format!("{i} main road")),
        ]);
        let kept: Vec<&str> = kept.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(kept, ["first", "last", "street"]);
        assert_eq!(
            out,
            [
                ("rec_id".to_owned(), LeftOut::NumbersRecords),
                ("country".to_owned(), LeftOut::SaysNothing),
                ("full_name".to_owned(), LeftOut::MadeOfOthers)
            ]
        );
    }
}
