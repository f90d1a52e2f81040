//! How alike two texts are. Texts are bytes, already normalised.

/// The Jaro–Winkler similarity, 0 to 1: Jaro's plus a tenth of the rest for each of up to four equal first characters.
/// Source: Winkler (1990). Characters match within half of the longer length, less one. Texts above 64 bytes are compared by
/// their first 64. Cost: the product of the lengths over the machine word.
pub fn jaro_winkler(a: &[u8], b: &[u8]) -> f64 {
    let (a, b) = (&a[..a.len().min(64)], &b[..b.len().min(64)]);
    if a.is_empty() || b.is_empty() {
        return if a.len() == b.len() { 1.0 } else { 0.0 };
    }
    let window = (a.len().max(b.len()) / 2).saturating_sub(1);
    let (mut of_a, mut of_b) = (0_u64, 0_u64);
    let mut matches = 0_u32;
    for (i, x) in a.iter().enumerate() {
        let (from, to) = (i.saturating_sub(window), (i + window + 1).min(b.len()));
        for (j, y) in b.iter().enumerate().take(to).skip(from) {
            if x == y && of_b >> j & 1 == 0 {
                of_a |= 1 << i;
                of_b |= 1 << j;
                matches += 1;
                break;
            }
        }
    }
    if matches == 0 {
        return 0.0;
    }
    let (mut swapped, mut rest) = (0_u32, of_b);
    for (i, x) in a.iter().enumerate() {
        if of_a >> i & 1 == 1 {
            let j = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            swapped += u32::from(*x != b[j]);
        }
    }
    let m = f64::from(matches);
    let jaro = (m / a.len() as f64 + m / b.len() as f64 + (m - f64::from(swapped / 2)) / m) / 3.0;
    let prefix = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count() as f64;
    jaro + 0.1 * prefix * (1.0 - jaro)
}

/// The same where it is at least `least`; otherwise something below it, mostly without the work. Letters that only one text has
/// cannot match, which bounds the similarity from above.
pub fn jaro_winkler_from(a: &[u8], b: &[u8], least: f64) -> f64 {
    let (a, b) = (&a[..a.len().min(64)], &b[..b.len().min(64)]);
    let bit = |c: &u8| 1_u64 << (c & 63);
    let (of_a, of_b) = (a.iter().fold(0, |bits, c| bits | bit(c)), b.iter().fold(0, |bits, c| bits | bit(c)));
    let within = |text: &[u8], bits: u64| text.iter().filter(|c| bits & bit(c) != 0).count();
    let most = within(a, of_b).min(within(b, of_a)) as f64;
    let jaro = (most / a.len().max(1) as f64 + most / b.len().max(1) as f64 + 1.0) / 3.0;
    let prefix = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count() as f64;
    let bound = jaro + 0.1 * prefix * (1.0 - jaro);
    if bound < least && !(a.is_empty() && b.is_empty()) { 0.0 } else { jaro_winkler(a, b) }
}

/// The least number of edits (insert, delete, substitute, swap neighbours; optimal string alignment) between two texts, or
/// `most + 1` where it is larger than `most`. Texts above 64 bytes are compared by their first 64.
pub fn edits(a: &[u8], b: &[u8], most: u8) -> u8 {
    let (a, b) = (&a[..a.len().min(64)], &b[..b.len().min(64)]);
    let over = most.saturating_add(1);
    if a.len().abs_diff(b.len()) > usize::from(most) {
        return over;
    }
    // What begins and ends alike costs nothing.
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    if a.is_empty() || b.is_empty() {
        let left = u8::try_from(a.len().max(b.len())).unwrap_or(u8::MAX);
        return left.min(over);
    }
    let mut rows = [[0_u8; 65]; 3];
    for (j, cell) in (0_u8..).zip(rows[0].iter_mut()).take(b.len() + 1) {
        *cell = j;
    }
    for i in 1..=a.len() {
        let [before, last, now] = match i % 3 {
            1 => [2, 0, 1],
            2 => [0, 1, 2],
            _ => [1, 2, 0],
        };
        rows[now][0] = u8::try_from(i).unwrap_or(u8::MAX);
        let mut least = rows[now][0];
        for j in 1..=b.len() {
            let same = a[i - 1] == b[j - 1];
            let mut cost = (rows[last][j - 1] + u8::from(!same)).min(rows[last][j] + 1).min(rows[now][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(rows[before][j - 2] + 1);
            }
            rows[now][j] = cost;
            least = least.min(cost);
        }
        if least > most {
            return over;
        }
    }
    rows[a.len() % 3][b.len()].min(over)
}

/// Share of distinct words that two texts have in common, 0 to 1 (Jaccard). Cost: the product of the numbers of words, of which
/// the first 32 count.
pub fn words_in_common(a: &[u8], b: &[u8]) -> f64 {
    let both = words(a).filter(|w| words(b).any(|v| v == *w)).count();
    let either = words(a).count() + words(b).count() - both;
    if either == 0 { 1.0 } else { both as f64 / either as f64 }
}

/// The distinct words of a text, up to 32.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let all = move || text.split(|c| *c == b' ').filter(|w| !w.is_empty()).take(32);
    all().enumerate().filter(move |(place, word)| !all().take(*place).any(|w| w == *word)).map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jaro_winkler_gives_the_published_values() {
        // Winkler (1990), table of examples; three digits.
        for (a, b, expect) in [
            ("martha", "marhta", 0.961),
            ("dwayne", "duane", 0.84),
            ("dixon", "dicksonx", 0.813),
            ("jones", "johnson", 0.832),
            ("abroms", "abrams", 0.922),
            ("", "", 1.0),
            ("a", "", 0.0),
        ] {
            let got = jaro_winkler(a.as_bytes(), b.as_bytes());
            assert!((got - expect).abs() < 6e-4, "{a} {b}: {got}");
        }
    }

    fn slow(a: &[u8], b: &[u8]) -> usize {
        let mut d = vec![vec![0; b.len() + 1]; a.len() + 1];
        (0..=a.len()).for_each(|i| d[i][0] = i);
        (0..=b.len()).for_each(|j| d[0][j] = j);
        for i in 1..=a.len() {
            for j in 1..=b.len() {
                d[i][j] =
                    (d[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1])).min(d[i - 1][j] + 1).min(d[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    d[i][j] = d[i][j].min(d[i - 2][j - 2] + 1);
                }
            }
        }
        d[a.len()][b.len()]
    }

    proptest::proptest! {
        #[test]
        fn edits_are_those_of_the_whole_table(a in "[abc]{0,9}", b in "[abc]{0,9}", most in 0_u8..4) {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let expect = slow(a, b).min(usize::from(most) + 1);
            proptest::prop_assert_eq!(usize::from(edits(a, b, most)), expect);
        }

        #[test]
        fn similarity_is_symmetric_enough_and_bounded(a in "\\PC{0,80}", b in "\\PC{0,80}") {
            let s = jaro_winkler(a.as_bytes(), b.as_bytes());
            proptest::prop_assert!((0.0..=1.0).contains(&s));
            proptest::prop_assert!((jaro_winkler(a.as_bytes(), a.as_bytes()) - 1.0).abs() < 1e-12);
            proptest::prop_assert!(words_in_common(a.as_bytes(), b.as_bytes()) <= 1.0);
        }

        #[test]
        fn the_bound_never_hides_what_is_alike(a in "[abc1 ]{0,9}", b in "[abcp1]{0,9}", least in 0.5_f64..1.0) {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let (whole, from) = (jaro_winkler(a, b), jaro_winkler_from(a, b, least));
            let right = if whole >= least { (from - whole).abs() < 1e-15 } else { from < least };
            proptest::prop_assert!(right);
        }
    }

    #[test]
    fn words_are_counted_once() {
        assert!((words_in_common(b"", b" ") - 1.0).abs() < 1e-12);
        assert!(words_in_common(b"a", b"").abs() < 1e-12);
        assert!((words_in_common(b"12 high street", b"high street") - 2.0 / 3.0).abs() < 1e-12);
        assert!((words_in_common(b"a a b", b"b a") - 1.0).abs() < 1e-12);
    }
}
