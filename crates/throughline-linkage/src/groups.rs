//! Records that share a key's value.

use crate::block::Key;
use crate::table::Table;

/// Records in groups of two or more.
#[derive(Debug)]
pub(crate) struct Groups {
    /// A key's number and the record, groups one behind the other.
    sorted: Vec<(u64, u32)>,
    /// Where each group begins and ends.
    bounds: Vec<(u32, u32)>,
    /// Records of groups that were left out.
    left_out: Vec<u32>,
}

impl Groups {
    /// Records of groups that were left out for their size.
    pub(crate) fn left_out(&self) -> &[u32] {
        &self.left_out
    }

    /// Records that have a value.
    pub(crate) const fn records(&self) -> usize {
        self.sorted.len()
    }

    /// The groups of every `step`-th record, those above `largest` left out.
    ///
    /// Records are dealt into as many buckets as there are records, by the upper bits of their numbers; a bucket holds one
    /// or two, so that sorting within is cheap. Cost: linear.
    pub(crate) fn new(table: &Table, key: &Key, step: usize, largest: usize) -> Self {
        let rows = table.records().div_ceil(step.max(1));
        let bits = (usize::BITS - rows.leading_zeros()).clamp(1, 28);
        let bucket = |number: u64| usize::try_from(number >> (64 - bits)).unwrap_or(0);
        let mut ends = vec![0_u32; (1 << bits) + 1];
        for row in table.rows(step) {
            if let Some(number) = key.number(row) {
                ends[bucket(number) + 1] += 1;
            }
        }
        let mut total = 0;
        for end in &mut ends {
            total += *end;
            *end = total;
        }
        // From here on `ends[b]` is where the next record of bucket `b` goes; in the end that is where bucket `b + 1` begins.
        let mut sorted = vec![(0_u64, 0_u32); total as usize];
        for (record, row) in (0..).step_by(step.max(1)).zip(table.rows(step)) {
            if let Some(number) = key.number(row) {
                let place = &mut ends[bucket(number)];
                sorted[*place as usize] = (number, record);
                *place += 1;
            }
        }
        let (mut bounds, mut left_out) = (Vec::new(), Vec::new());
        let mut from = 0_usize;
        for end in &ends[..1 << bits] {
            let to = *end as usize;
            if to - from > 1 {
                sorted[from..to].sort_unstable();
                for group in sorted[from..to].chunk_by(|a, b| a.0 == b.0) {
                    if (2..=largest).contains(&group.len()) {
                        let begin = u32::try_from(from).unwrap_or(u32::MAX);
                        bounds.push((begin, begin + u32::try_from(group.len()).unwrap_or(u32::MAX)));
                    } else if group.len() > largest {
                        left_out.extend(group.iter().map(|(_, record)| *record));
                    }
                    from += group.len();
                }
            }
            from = to;
        }
        Self { sorted, bounds, left_out }
    }

    /// The groups, in an order that depends on the records alone.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[(u64, u32)]> {
        (0..self.bounds.len()).map(|place| self.get(place))
    }

    /// How many groups there are.
    pub(crate) const fn len(&self) -> usize {
        self.bounds.len()
    }

    /// A group: its key's number and the records, in order.
    pub(crate) fn get(&self, place: usize) -> &[(u64, u32)] {
        let (from, to) = self.bounds[place];
        &self.sorted[from as usize..to as usize]
    }
}
