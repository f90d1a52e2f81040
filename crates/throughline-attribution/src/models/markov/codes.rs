//! Windows of channels as numbers.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use throughline_stats::chain::MAX_STATES;

/// How the channels of a window are packed into one number: first channel highest, each as its number plus 1, so that
/// shorter windows differ from longer ones and sort before them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Codes {
    order: usize,
    bits: u32,
    /// The bits of a state.
    mask: u64,
}

impl Codes {
    /// `None` when there are certainly more states than a chain may have, or more channels than a code can hold.
    pub(super) fn new(channels: usize, order: usize) -> Option<Self> {
        let bits = (usize::BITS - channels.leading_zeros()).max(1);
        let width = bits * u32::try_from(order).ok()?;
        let mask = 1_u64.checked_shl(width).map_or(u64::MAX, |bit| bit - 1);
        (channels.div_ceil(order) <= MAX_STATES && width <= u64::BITS).then_some(Self { order, bits, mask })
    }

    pub(super) fn bits_of_state(self) -> u32 {
        self.bits * u32::try_from(self.order).unwrap_or(u32::MAX)
    }

    pub(super) fn bits_of_pair(self) -> u32 {
        self.bits_of_state() + self.bits
    }

    /// The first state of a path, and the steps after it.
    #[inline]
    pub(super) fn split(self, steps: &[u32]) -> (u64, &[u32]) {
        let (first, rest) = steps.split_at(self.order.min(steps.len()));
        (first.iter().fold(0, |code, &step| code << self.bits | u64::from(step + 1)), rest)
    }

    /// A state and the step after it; for codes of pairs that fit a word.
    #[inline]
    pub(super) fn pair(self, code: u64, step: u32) -> u64 {
        code << self.bits | u64::from(step + 1)
    }

    /// The state a pair comes from.
    pub(super) fn from(self, pair: u64) -> u64 {
        pair >> self.bits
    }

    /// The state a pair leads to.
    #[inline]
    pub(super) fn to(self, pair: u64) -> u64 {
        pair & self.mask
    }

    /// The state after `code` and a step.
    #[inline]
    pub(super) fn to_next(self, code: u64, step: u32) -> u64 {
        code.checked_shl(self.bits).unwrap_or(0) & self.mask | u64::from(step + 1)
    }

    /// The channels of a state, last first.
    pub(super) fn channels(self, code: u64) -> impl Iterator<Item = u32> {
        let digit = (1_u64 << self.bits) - 1;
        std::iter::successors(Some(code), move |c| c.checked_shr(self.bits))
            .take_while(|c| *c > 0)
            .filter_map(move |c| u32::try_from((c & digit) - 1).ok())
    }
}

/// Numbers for words in the order of their first appearance.
#[derive(Default)]
pub(super) struct Intern {
    numbers: HashMap<u64, u32, BuildHasherDefault<Mix>>,
    words: Vec<u64>,
}

impl Intern {
    pub(super) fn number(&mut self, word: u64) -> u32 {
        let next = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(word).or_insert(next);
        if number == next {
            self.words.push(word);
        }
        number
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// The words by number.
    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words under `rename` in ascending order, and for each number the place of its word there.
    pub(super) fn sorted(self, rename: impl Fn(u64) -> u64) -> (Vec<u64>, Vec<u32>) {
        let mut order: Vec<(u64, u32)> =
            self.words.iter().zip(0..).map(|(&word, number)| (rename(word), number)).collect();
        order.sort_unstable();
        let mut places = vec![0; order.len()];
        order.iter().zip(0..).for_each(|(&(_, number), place)| places[number as usize] = place);
        (order.into_iter().map(|(word, _)| word).collect(), places)
    }
}

/// A multiplicative hash of one word. It decides only how fast a word is found.
#[derive(Default)]
pub(super) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }
}
