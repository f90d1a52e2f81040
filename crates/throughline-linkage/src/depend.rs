//! Columns that say the same twice. An e-mail address made of a name agrees when the name does; who moved has another street, town
//! and postcode at once. Counted as independent, such columns make pairs look far more certain than they are.
//!
//! So a column may have a *parent*, and its probabilities are those given whether the parent agrees (a tree-augmented model, Friedman,
//! Geiger and Goldszmidt, 1997, on either side):
//!
//! - `u_c(l | parent equal)` from pairs with an equal parent, drawn evenly from all such pairs, each counted by how improbable it is
//!   that it is true; a few rounds, as that depends on what is sought.
//! - `m_c(l | parent equal)` and `m_c(l | parent differs)` from the pairs of keys that hold neither column, counted by how
//!   probable they are.
//!
//! A parent has fewer distinct values than its column, so that there are no circles. It is the one that would be counted twice the
//! most, in nats of a true pair's weight; none below a quarter.

use std::num::NonZeroUsize;

use throughline_stats::stream::Stream;

use crate::compare::LEVELS;
use crate::em::{Levels, Pattern, level_of};
use crate::model::{Given, Model, State, pattern};
use crate::parallel::map;
use crate::table::Table;

/// Pairs with an equal parent that are drawn, about.
const DRAWN: u64 = 12_000;
/// Pairs that must count to say anything.
const ENOUGH: f64 = 200.0;
/// Alike ones among them below which they may be true pairs that were not known as such, and their number for each that was.
const ENOUGH_ALIKE: f64 = 20.0;
const PER_TRUE: f64 = 0.2;
/// Nats that must be counted twice for a parent to be worth having.
const WORTH: f64 = 0.25;
/// The level from which on values are alike.
const ALIKE: usize = 4;
/// Pairs by which conditional probabilities are drawn towards the unconditional ones.
const TOWARDS: f64 = 5.0;

/// What is known of columns before their dependence is.
pub(crate) struct Known<'a> {
    pub(crate) m: &'a Levels,
    pub(crate) u: &'a Levels,
    /// For each key.
    pub(crate) true_pairs: Vec<TruePairs>,
    /// The share of true pairs, as log-odds, about.
    pub(crate) log_odds: f64,
}

/// What the pairs of one key say.
pub(crate) struct TruePairs {
    /// The columns that the key does not hold.
    pub(crate) free: Vec<usize>,
    /// How many true pairs have which levels of them.
    pub(crate) pairs: Vec<(Pattern, f64)>,
}

/// A drawn pair: its records, its levels, and what it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawn {
    a: u32,
    b: u32,
    levels: Pattern,
    counts: f64,
}

/// Sums by parent, column and level.
type Tally = Vec<Vec<[f64; LEVELS]>>;

/// Pairs of records with an equal value of each column.
pub(crate) struct Draws(Vec<Vec<Drawn>>);

impl Draws {
    pub(crate) fn new(table: &Table, threads: NonZeroUsize) -> Self {
        let places: Vec<usize> = (0..table.columns.len()).collect();
        Self(map(&places, threads, |parent| draw(table, *parent)))
    }
}

/// Finds parents, and what columns say given them. `before` is what was known of that until now: it tells which of the drawn
/// pairs are true.
pub(crate) fn find(
    table: &Table,
    known: &Known<'_>,
    draws: &Draws,
    before: Vec<Given>,
    threads: NonZeroUsize,
) -> Vec<Given> {
    let places: Vec<usize> = (0..table.columns.len()).collect();
    let (equal, differs) = (tally_true(known, State::Equal), tally_true(known, State::Differs));
    let model = Model::new(&table.columns, before);
    let others = map(&draws.0, threads, |drawn| tally_others(table, &model, known.log_odds, drawn));
    let best = |c: &usize| {
        let parents = places.iter().filter(|p| table.columns[**p].distinct() < table.columns[*c].distinct());
        let of = |p: &usize| Sums {
            equal: &equal[*p][*c],
            differs: &differs[*p][*c],
            others: &others[*p][*c].0,
            drawn_true: others[*p][*c].1,
        };
        let scored = parents.map(|p| (twice(known, *c, &of(p)), *p));
        let best = scored.filter(|(nats, _)| *nats > WORTH).max_by(|x, y| x.0.total_cmp(&y.0));
        best.map_or_else(|| Given::alone(known.m[*c], known.u[*c]), |(_, p)| given(known, *c, p, &of(&p)))
    };
    places.iter().map(best).collect()
}

/// Pairs of records with an equal value of a column, as if drawn evenly from all such pairs.
fn draw(table: &Table, parent: usize) -> Vec<Drawn> {
    let counts = &table.columns[parent].counts;
    // Where the records of each code begin; once they are placed, where they end.
    let mut ends: Vec<u32> = Vec::with_capacity(counts.len());
    let mut total = 0;
    for count in &counts[1..] {
        ends.push(total);
        total += count;
    }
    let mut records = vec![0_u32; total as usize];
    for (record, row) in (0_u32..).zip(table.rows(1)) {
        if let Some(code) = (row[parent] as usize).checked_sub(1) {
            records[ends[code] as usize] = record;
            ends[code] += 1;
        }
    }
    let stream = Stream::new(0x5eed_0003, parent as u64);
    let mut drawn = Vec::new();
    for number in 0..DRAWN.min(4 * u64::from(total)) {
        let pick = |slot: u64, n: u32| u32::try_from(stream.index_at(2 * number + slot, u64::from(n))).unwrap_or(0);
        let a = records[pick(0, total) as usize];
        let code = table.row(a)[parent] as usize;
        let group = counts[code];
        let b = records[(ends[code - 1] - group + pick(1, group)) as usize];
        // A group is drawn as often as it has records; it has as many pairs as those times their number, so to say.
        if a != b && !table.apart.holds(a, b) {
            drawn.push(Drawn { a, b, levels: pattern(table, a, b), counts: f64::from(group) });
        }
    }
    let mean = drawn.iter().map(|d| d.counts).sum::<f64>() / drawn.len().max(1) as f64;
    for pair in &mut drawn {
        pair.counts /= mean;
    }
    drawn
}

/// Levels of columns among true pairs whose parent is in a state.
fn tally_true(known: &Known<'_>, wanted: State) -> Tally {
    let mut sums = vec![vec![[0.0; LEVELS]; known.m.len()]; known.m.len()];
    for TruePairs { free, pairs } in &known.true_pairs {
        for (pattern, pairs) in pairs {
            for parent in free.iter().filter(|p| State::of(level_of(*pattern, **p)) == wanted) {
                for c in free.iter().filter(|c| *c != parent) {
                    sums[*parent][*c][level_of(*pattern, *c)] += pairs;
                }
            }
        }
    }
    sums
}

/// Levels of columns among drawn pairs, each by how improbable it is that it is true; and how many of those alike are true.
fn tally_others(table: &Table, model: &Model, log_odds: f64, drawn: &[Drawn]) -> Vec<([f64; LEVELS], f64)> {
    let mut sums = vec![([0.0; LEVELS], 0.0); table.columns.len()];
    for pair in drawn {
        let odds = model.weigh_levels(table, pair.a, pair.b, pair.levels) + log_odds;
        let other = pair.counts / (1.0 + odds.exp());
        for (c, (levels, of_true)) in sums.iter_mut().enumerate() {
            let l = level_of(pair.levels, c);
            levels[l] += other;
            *of_true += if l >= ALIKE { pair.counts - other } else { 0.0 };
        }
    }
    sums
}

/// Levels of a column with one parent: in true pairs whose parent is equal or differs, and in others whose parent is equal.
struct Sums<'a> {
    equal: &'a [f64; LEVELS],
    differs: &'a [f64; LEVELS],
    others: &'a [f64; LEVELS],
    /// True pairs among those drawn for the others in which the column is alike.
    drawn_true: f64,
}

fn seen(levels: &[f64; LEVELS]) -> f64 {
    levels[1..].iter().sum()
}

fn alike(levels: &[f64; LEVELS]) -> f64 {
    levels[ALIKE..].iter().sum()
}

/// How many nats of a true pair's weight are counted twice, on average, when the column is taken as independent of the parent.
fn twice(known: &Known<'_>, c: usize, sums: &Sums<'_>) -> f64 {
    let all = seen(sums.equal) + seen(sums.differs);
    if all <= 0.0 || seen(sums.others) < ENOUGH {
        return 0.0;
    }
    let (u, m) = (alike(&known.u[c]), alike(&known.m[c]));
    let agree = match alike(sums.others) {
        few if few < ENOUGH_ALIKE.max(PER_TRUE * sums.drawn_true) => 1.0,
        many => many / seen(sums.others) / u.max(1e-9),
    };
    let apart = (1.0 - alike(sums.differs) / seen(sums.differs).max(1.0)) / (1.0 - m).max(1e-9);
    let (both, neither) = (alike(sums.equal), seen(sums.differs) - alike(sums.differs));
    (both * agree.max(1.0).ln() + neither * apart.max(1.0).ln()) / all
}

/// The probabilities of a column given a parent.
fn given(known: &Known<'_>, c: usize, parent: usize, sums: &Sums<'_>) -> Given {
    let towards = |seen_levels: &[f64; LEVELS], base: &[f64; LEVELS]| -> [f64; LEVELS] {
        let whole = seen(seen_levels) + TOWARDS;
        std::array::from_fn(|l| if l == 0 { 0.0 } else { (seen_levels[l] + TOWARDS * base[l]) / whole })
    };
    let (m, u) = (&known.m[c], &known.u[c]);
    // An equal parent makes agreement no rarer; that none was drawn says little of what is rare.
    let mut others = towards(sums.others, u);
    for l in 2..LEVELS {
        others[l] = others[l].max(u[l]);
    }
    others[1] = (1.0 - others[2..].iter().sum::<f64>()).max(u[1] * 1e-3);
    Given { parent: Some(parent), m: [*m, towards(sums.equal, m), towards(sums.differs, m)], u: [*u, others, *u] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apart::Apart;
    use crate::block;
    use crate::column::Column;
    use crate::fit::fit;
    use crate::raw::RawColumn;

    /// 3,000 people with two records each, some columns of the second mistyped. The address is made of the name and a number up to
    /// 20, so that people of one name often share it.
    fn table() -> Table {
        let stream = Stream::new(7, 7);
        let at = |i: usize, what: u64, n: u64| stream.index_at(i as u64 * 16 + what, n);
        let word = |number: u64| -> String {
            let letters = Stream::new(8, number);
            (0..7).map(|l| char::from(b'a' + u8::try_from(letters.index_at(l, 26)).unwrap_or(0))).collect()
        };
        let twice = |place: u64, name: &str, of: &dyn Fn(usize) -> String| {
            let text = |record: usize| {
                let mut letters: Vec<char> = of(record / 2).chars().collect();
                if record % 2 == 1 && at(record / 2, 8 + place, 8) == 0 {
                    letters.swap(1, 2);
                }
                letters.into_iter().collect::<String>()
            };
            Column::of(&RawColumn::of(name, (0..6_000).map(text)))
        };
        let name = |i: usize| word(at(i, 0, 150));
        let columns = vec![
            twice(0, "name", &name),
            twice(1, "mail", &|i| format!("{}{}@x.example", name(i), at(i, 2, 20))),
            twice(2, "phone", &|i| format!("0{}", 100_000 + at(i, 3, 900_000))),
            twice(3, "place", &|i| word(1_000 + at(i, 4, 400))),
        ];
        Table::new(columns, Apart::default(), NonZeroUsize::MIN)
    }

    #[test]
    fn an_address_made_of_a_name_has_it_as_its_parent() {
        let table = table();
        let candidates = block::candidates(&table, 4_000_000, NonZeroUsize::MIN);
        let keys = block::choose(&table, &candidates, &block::first_guess(&table.columns), 4_000_000).keys;
        let told = fit(&table, &keys, NonZeroUsize::MIN).told(&table.columns);
        let parent = |name: &str| told.iter().find(|p| p.column == name).and_then(|p| p.parent.clone());
        assert_eq!(parent("mail").as_deref(), Some("name"));
        assert_eq!((parent("place"), parent("name")), (None, None));
        let mail = &told[1];
        // Of those who share a name one in twenty shares the address, of all one in three thousand; and with three columns that
        // tell people apart some of the former pass for one person.
        let given = mail.u_given_parent.expect("given the name")[5];
        assert!((0.01..0.06).contains(&given) && mail.u[5] < 0.001 && mail.m[5] > 0.8, "{mail:?}");
    }
}
