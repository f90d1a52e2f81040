//! Tokens and links to people: connected components by union–find, strongest links first, bounded in size, and without those
//! that somebody decided to keep apart.
//!
//! Cost: O(links · log links) time for the order, O(tokens) memory (8 bytes a token). Deterministic: links are taken in
//! a total order, so neither the order of input nor the number of threads matters.

use std::collections::HashMap;

/// An observed link between two tokens, given by their indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The smaller index.
    pub a: u32,
    /// The larger index.
    pub b: u32,
    /// How many events showed it.
    pub observations: u64,
    /// The sources it rests on, a bit each; only those of which something is forbidden.
    pub sources: u64,
}

impl Link {
    /// A link with its ends in order.
    pub fn new(a: u32, b: u32, observations: u64) -> Self {
        Self { a: a.min(b), b: a.max(b), observations, sources: 0 }
    }

    /// The link, resting on these sources.
    #[must_use]
    pub const fn of(self, sources: u64) -> Self {
        Self { sources, ..self }
    }
}

/// Bounds of a person.
#[derive(Debug, Clone)]
pub struct ResolveLimits {
    /// Most tokens of one person.
    pub max_tokens: u32,
    /// Tokens that are never of one person.
    pub apart: Vec<(u32, u32)>,
    /// Pairs of sources, a bit each: no person rests on links of both.
    pub forbidden: Vec<u64>,
}

impl Default for ResolveLimits {
    fn default() -> Self {
        Self { max_tokens: 100, apart: Vec::new(), forbidden: Vec::new() }
    }
}

/// The people found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Components {
    /// Component of each token; components are numbered by their smallest token.
    pub component_of: Vec<u32>,
    /// Number of components.
    pub count: u32,
    /// Links refused because the person would exceed the limit.
    pub refused: Vec<Link>,
    /// Links refused because they would join tokens that are kept apart.
    pub kept_apart: Vec<Link>,
    /// Links refused because the person would rest on links of sources that may not be linked with each other.
    pub forbidden: Vec<Link>,
}

struct Forest {
    parent: Vec<u32>,
    size: Vec<u32>,
    /// For roots that have some: tokens that may not join them.
    foes: HashMap<u32, Vec<u32>>,
    /// For roots that have some: the sources that their links rest on.
    sources: HashMap<u32, u64>,
}

impl Forest {
    fn new(tokens: u32, apart: &[(u32, u32)]) -> Self {
        let mut foes: HashMap<u32, Vec<u32>> = HashMap::new();
        for (a, b) in apart {
            foes.entry(*a).or_default().push(*b);
            foes.entry(*b).or_default().push(*a);
        }
        Self { parent: (0..tokens).collect(), size: vec![1; tokens as usize], foes, sources: HashMap::new() }
    }

    /// Whether two roots may not be joined.
    fn apart(&mut self, a: u32, b: u32) -> bool {
        let Some(foes) = self.foes.get(&a).cloned() else { return false };
        foes.into_iter().any(|foe| self.find(foe) == b)
    }

    /// The sources that two roots rest on, and a link between them.
    fn rests_on(&self, a: u32, b: u32, link: &Link) -> u64 {
        let of = |root| self.sources.get(&root).copied().unwrap_or_default();
        of(a) | of(b) | link.sources
    }

    fn join(&mut self, a: u32, b: u32, link: &Link) {
        let (root, child) = (a.min(b), a.max(b));
        let sources = self.rests_on(a, b, link);
        if sources > 0 {
            self.sources.remove(&child);
            self.sources.insert(root, sources);
        }
        self.parent[child as usize] = root;
        self.size[root as usize] += self.size[child as usize];
        if let Some(foes) = self.foes.remove(&child) {
            self.foes.entry(root).or_default().extend(foes);
        }
    }

    fn find(&mut self, mut i: u32) -> u32 {
        while self.parent[i as usize] != i {
            let grandparent = self.parent[self.parent[i as usize] as usize];
            self.parent[i as usize] = grandparent;
            i = grandparent;
        }
        i
    }
}

/// Joins `tokens` tokens along `links`. Links are taken by falling number of observations, then by index. A link whose
/// two people together exceed `limits.max_tokens`, hold tokens that are kept apart, or would rest on links of sources that may
/// not be linked with each other, is refused and reported.
pub fn resolve(tokens: u32, links: &[Link], limits: &ResolveLimits) -> Components {
    let mut ordered = links.to_vec();
    ordered.sort_by(|x, y| y.observations.cmp(&x.observations).then((x.a, x.b, x.sources).cmp(&(y.a, y.b, y.sources))));
    let mut forest = Forest::new(tokens, &limits.apart);
    let (mut refused, mut kept_apart, mut forbidden) = (Vec::new(), Vec::new(), Vec::new());
    for link in ordered {
        let (a, b) = (forest.find(link.a), forest.find(link.b));
        if a == b {
            continue;
        }
        if forest.size[a as usize] + forest.size[b as usize] > limits.max_tokens {
            refused.push(link);
        } else if forest.apart(a, b) {
            kept_apart.push(link);
        } else if is_forbidden(forest.rests_on(a, b, &link), limits) {
            forbidden.push(link);
        } else {
            forest.join(a, b, &link);
        }
    }
    let mut component_of = vec![u32::MAX; tokens as usize];
    let mut count = 0;
    for token in 0..tokens {
        let root = forest.find(token);
        if component_of[root as usize] == u32::MAX {
            component_of[root as usize] = count;
            count += 1;
        }
        component_of[token as usize] = component_of[root as usize];
    }
    Components { component_of, count, refused, kept_apart, forbidden }
}

/// Whether sources are together that may not be.
fn is_forbidden(sources: u64, limits: &ResolveLimits) -> bool {
    limits.forbidden.iter().any(|pair| sources & pair == *pair)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The obvious reference: spread labels until nothing changes.
    fn by_spreading(tokens: u32, links: &[Link]) -> Vec<u32> {
        let mut label: Vec<u32> = (0..tokens).collect();
        loop {
            let before = label.clone();
            for link in links {
                let low = label[link.a as usize].min(label[link.b as usize]);
                label[link.a as usize] = low;
                label[link.b as usize] = low;
            }
            if label == before {
                return label;
            }
        }
    }

    proptest! {
        #[test]
        fn equals_the_obvious_reference_whatever_the_order(
            pairs in prop::collection::vec((0_u32..30, 0_u32..30, 1_u64..4), 0..60),
            rotate in 0_usize..60,
        ) {
            let links: Vec<Link> = pairs.iter().map(|&(a, b, n)| Link::new(a, b, n)).collect();
            let found = resolve(30, &links, &ResolveLimits { max_tokens: 30, apart: Vec::new(), ..ResolveLimits::default() });
            let reference = by_spreading(30, &links);
            for i in 0..30 {
                for j in 0..30 {
                    prop_assert_eq!(
                        found.component_of[i] == found.component_of[j],
                        reference[i] == reference[j]
                    );
                }
            }
            let mut turned = links.clone();
            if !turned.is_empty() {
                let by = rotate % turned.len();
                turned.rotate_left(by);
            }
            prop_assert_eq!(found, resolve(30, &turned, &ResolveLimits { max_tokens: 30, apart: Vec::new(), ..ResolveLimits::default() }));
        }

        #[test]
        fn nobody_exceeds_the_limit(
            pairs in prop::collection::vec((0_u32..40, 0_u32..40, 1_u64..4), 0..120),
        ) {
            let links: Vec<Link> = pairs.iter().map(|&(a, b, n)| Link::new(a, b, n)).collect();
            let found = resolve(40, &links, &ResolveLimits { max_tokens: 5, apart: Vec::new(), ..ResolveLimits::default() });
            for c in 0..found.count {
                prop_assert!(found.component_of.iter().filter(|x| **x == c).count() <= 5);
            }
        }
    }

    proptest! {
        #[test]
        fn those_kept_apart_are_never_of_one_person(
            pairs in prop::collection::vec((0_u32..20, 0_u32..20, 1_u64..4), 0..60),
            apart in prop::collection::vec((0_u32..20, 0_u32..20), 0..8),
        ) {
            let apart: Vec<(u32, u32)> = apart.into_iter().filter(|(a, b)| a != b).collect();
            let links: Vec<Link> = pairs.iter().map(|&(a, b, n)| Link::new(a, b, n)).collect();
            let found = resolve(20, &links, &ResolveLimits { max_tokens: 20, apart: apart.clone(), ..ResolveLimits::default() });
            for (a, b) in apart {
                prop_assert_ne!(found.component_of[a as usize], found.component_of[b as usize]);
            }
        }
    }

    #[test]
    fn no_person_rests_on_links_of_two_sources_that_may_not_be_linked() {
        // Bits: 1 crm, 2 till, 4 web; crm and till are never linked with each other.
        let limits = ResolveLimits { forbidden: vec![1 | 2], ..ResolveLimits::default() };
        let links = [
            Link::new(0, 1, 5).of(1),
            Link::new(1, 2, 4).of(4),
            Link::new(2, 3, 3).of(2),
            Link::new(3, 4, 2).of(2),
            // Of no rule: what it would join rests on both.
            Link::new(4, 0, 1),
        ];
        let found = resolve(5, &links, &limits);
        assert_eq!(found.component_of, [0, 0, 0, 1, 1]);
        assert_eq!(found.forbidden, [links[2], links[4]]);
        assert!(resolve(5, &links, &ResolveLimits::default()).forbidden.is_empty());
    }

    #[test]
    fn a_cookie_shared_by_a_crowd_does_not_make_one_person() {
        // Token 0 is a kiosk cookie seen once with each of 1,000 addresses; 1 and 2 belong together (seen 9 times).
        let mut links: Vec<Link> = (1..=1000).map(|i| Link::new(0, i, 1)).collect();
        links.push(Link::new(1, 2, 9));
        let found =
            resolve(1001, &links, &ResolveLimits { max_tokens: 10, apart: Vec::new(), ..ResolveLimits::default() });
        assert_eq!(found.component_of[1], found.component_of[2]);
        assert!(found.count > 900 && found.refused.len() > 900);
    }
}
