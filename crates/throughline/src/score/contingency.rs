//! How well a grouping of records agrees with the true one, from counts alone.

use std::collections::BTreeMap;

/// Precision, recall and their harmonic mean F1; absent where a denominator is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Agreement {
    /// Of what is together, the share that belongs together.
    pub(super) precision: Option<f64>,
    /// Of what belongs together, the share that is together.
    pub(super) recall: Option<f64>,
    /// 2 · precision · recall / (precision + recall); 0 when both are 0.
    pub(super) f1: Option<f64>,
}

impl Agreement {
    fn of(precision: Option<f64>, recall: Option<f64>) -> Self {
        let f1 = match (precision, recall) {
            (Some(p), Some(r)) if p + r > 0.0 => Some(2.0 * p * r / (p + r)),
            (Some(_), Some(_)) => Some(0.0),
            _ => None,
        };
        Self { precision, recall, f1 }
    }
}

/// Records by found group and true group. Time and memory grow with the number of records, not of pairs.
#[derive(Debug, Clone, Default)]
pub(super) struct Contingency {
    cells: BTreeMap<(u32, u32), u64>,
    found: BTreeMap<u32, u64>,
    truth: BTreeMap<u32, u64>,
    alone: u64,
    records: u64,
}

fn pairs(n: u64) -> u128 {
    u128::from(n) * u128::from(n.saturating_sub(1)) / 2
}

fn ratio(part: u128, whole: u128) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Contingency {
    /// Adds a record: the group it was put into, or `None` for a record that stands alone, and the group it belongs to.
    pub(super) fn add(&mut self, found: Option<u32>, truth: u32) {
        self.records += 1;
        *self.truth.entry(truth).or_default() += 1;
        match found {
            Some(found) => {
                *self.found.entry(found).or_default() += 1;
                *self.cells.entry((found, truth)).or_default() += 1;
            }
            None => self.alone += 1,
        }
    }

    /// Records.
    pub(super) fn records(&self) -> usize {
        usize::try_from(self.records).unwrap_or(usize::MAX)
    }

    /// Over pairs of records. With n_ij records in found group i and true group j, and C(n) = n (n − 1) / 2:
    /// precision = Σ C(n_ij) / Σ C(n_i·), recall = Σ C(n_ij) / Σ C(n_·j).
    pub(super) fn pairwise(&self) -> Agreement {
        let both = self.cells.values().map(|n| pairs(*n)).sum();
        let precision = ratio(both, self.found.values().map(|n| pairs(*n)).sum());
        let recall = ratio(both, self.truth.values().map(|n| pairs(*n)).sum());
        Agreement::of(precision, recall)
    }

    /// B-cubed (Bagga and Baldwin, 1998): the mean over records of the share of its found group that is of its true
    /// group, Σ n_ij² / n_i· / n, and of the share of its true group that is in its found group, Σ n_ij² / n_·j / n.
    pub(super) fn b_cubed(&self) -> Agreement {
        if self.records == 0 {
            return Agreement::of(None, None);
        }
        let n = self.records as f64;
        let square = |n: u64| (n as f64).powi(2);
        let (mut precision, mut recall) = (self.alone as f64, 0.0);
        for ((found, truth), count) in &self.cells {
            precision += square(*count) / self.found.get(found).map_or(1.0, |n| *n as f64);
            recall += square(*count) / self.truth.get(truth).map_or(1.0, |n| *n as f64);
        }
        // A record alone holds one record of its true group.
        let mut inside: BTreeMap<u32, u64> = BTreeMap::new();
        for ((_, truth), count) in &self.cells {
            *inside.entry(*truth).or_default() += count;
        }
        for (truth, size) in &self.truth {
            recall += (size - inside.get(truth).copied().unwrap_or(0)) as f64 / *size as f64;
        }
        Agreement::of(Some(precision / n), Some(recall / n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(records: &[(Option<u32>, u32)]) -> Contingency {
        let mut table = Contingency::default();
        for (found, truth) in records {
            table.add(*found, *truth);
        }
        table
    }

    /// Every pair, one by one.
    fn slow(records: &[(Option<u32>, u32)]) -> (u32, u32, u32) {
        let (mut both, mut found, mut truth) = (0, 0, 0);
        for (i, a) in records.iter().enumerate() {
            for b in &records[..i] {
                let (together, belong) = (a.0.is_some() && a.0 == b.0, a.1 == b.1);
                both += u32::from(together && belong);
                found += u32::from(together);
                truth += u32::from(belong);
            }
        }
        (both, found, truth)
    }

    #[test]
    fn pairs_are_counted_as_if_one_by_one() {
        // Person 1 is split into groups 1 and 2, group 2 also holds person 2, and two records stand alone.
        let records =
            [(Some(1), 1), (Some(1), 1), (Some(1), 1), (Some(2), 1), (Some(2), 2), (Some(2), 2), (None, 2), (None, 3)];
        assert_eq!(slow(&records), (4, 6, 9));
        let got = table(&records).pairwise();
        assert_eq!((got.precision, got.recall), (Some(4.0 / 6.0), Some(4.0 / 9.0)));
        assert!((got.f1.unwrap_or_default() - 8.0 / 15.0).abs() < 1e-15, "{got:?}");
    }

    #[test]
    fn b_cubed_of_a_small_case() {
        // Records a, b | c belong together as a | b, c. Precision: 1/2 + 1/2 + 1; recall: 1 + 1/2 + 1/2.
        let got = table(&[(Some(1), 1), (Some(1), 2), (Some(2), 2)]).b_cubed();
        assert!((got.f1.unwrap_or_default() - 2.0 / 3.0).abs() < 1e-15, "{got:?}");
        let alone = table(&[(None, 1), (None, 1), (Some(1), 1)]).b_cubed();
        assert_eq!((alone.precision, alone.recall), (Some(1.0), Some(1.0 / 3.0)));
    }

    #[test]
    fn perfect_and_empty() {
        let perfect = table(&[(Some(7), 1), (Some(7), 1), (Some(8), 2)]);
        let all = Agreement { precision: Some(1.0), recall: Some(1.0), f1: Some(1.0) };
        assert_eq!((perfect.pairwise(), perfect.b_cubed()), (all, all));
        let none = Agreement { precision: None, recall: None, f1: None };
        assert_eq!((table(&[]).pairwise(), table(&[]).b_cubed()), (none, none));
        // Nothing belongs together, but something is: no recall, hence no F1.
        let apart = table(&[(Some(1), 1), (Some(1), 2)]).pairwise();
        assert_eq!(apart, Agreement { precision: Some(0.0), recall: None, f1: None });
    }
}
