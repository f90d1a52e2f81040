//! Records that may not be of one person, whatever they say.

/// Sources of records, and which of them are kept apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Apart {
    sources: Vec<u16>,
    /// Pairs of sources, both ways, sorted.
    pairs: Vec<(u16, u16)>,
}

impl Apart {
    pub(crate) fn new(sources: Vec<u16>, pairs: &[(u16, u16)]) -> Self {
        let mut pairs: Vec<(u16, u16)> = pairs.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]).collect();
        pairs.sort_unstable();
        pairs.dedup();
        Self { sources, pairs }
    }

    /// Whether nothing is kept apart.
    pub(crate) const fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Whether two records are kept apart.
    pub(crate) fn holds(&self, a: u32, b: u32) -> bool {
        if self.pairs.is_empty() {
            return false;
        }
        match (self.sources.get(a as usize), self.sources.get(b as usize)) {
            (Some(a), Some(b)) => self.pairs.binary_search(&(*a, *b)).is_ok(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_hold_both_ways_and_nothing_else_does() {
        let apart = Apart::new(vec![0, 1, 2, 0], &[(0, 1), (0, 0)]);
        assert!(apart.holds(0, 1) && apart.holds(1, 0) && apart.holds(0, 3) && apart.holds(1, 3));
        assert!(!apart.holds(0, 2) && !apart.holds(1, 2) && !Apart::default().holds(0, 1));
    }
}
