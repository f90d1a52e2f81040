//! Tokens and links to people: connected components by union–find, strongest links first, bounded in size.
//!
//! Cost: O(links · log links) time for the order, O(tokens) memory (8 bytes a token). Deterministic: links are taken in
//! a total order, so neither the order of input nor the number of threads matters.

/// An observed link between two tokens, given by their indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The smaller index.
    pub a: u32,
    /// The larger index.
    pub b: u32,
    /// How many events showed it.
    pub observations: u64,
}

impl Link {
    /// A link with its ends in order.
    pub fn new(a: u32, b: u32, observations: u64) -> Self {
        Self { a: a.min(b), b: a.max(b), observations }
    }
}

/// Bounds of a person.
#[derive(Debug, Clone, Copy)]
pub struct ResolveLimits {
    /// Most tokens of one person.
    pub max_tokens: u32,
}

impl Default for ResolveLimits {
    fn default() -> Self {
        Self { max_tokens: 100 }
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
}

struct Forest {
    parent: Vec<u32>,
    size: Vec<u32>,
}

impl Forest {
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
/// two people together exceed `limits.max_tokens` is refused and reported.
pub fn resolve(tokens: u32, links: &[Link], limits: ResolveLimits) -> Components {
    let mut ordered = links.to_vec();
    ordered.sort_by(|x, y| y.observations.cmp(&x.observations).then(x.a.cmp(&y.a)).then(x.b.cmp(&y.b)));
    let mut forest = Forest { parent: (0..tokens).collect(), size: vec![1; tokens as usize] };
    let mut refused = Vec::new();
    for link in ordered {
        let (a, b) = (forest.find(link.a), forest.find(link.b));
        if a == b {
            continue;
        }
        let size = forest.size[a as usize] + forest.size[b as usize];
        if size > limits.max_tokens {
            refused.push(link);
            continue;
        }
        let (root, child) = (a.min(b), a.max(b));
        forest.parent[child as usize] = root;
        forest.size[root as usize] = size;
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
    Components { component_of, count, refused }
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
            let found = resolve(30, &links, ResolveLimits { max_tokens: 30 });
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
            prop_assert_eq!(found, resolve(30, &turned, ResolveLimits { max_tokens: 30 }));
        }

        #[test]
        fn nobody_exceeds_the_limit(
            pairs in prop::collection::vec((0_u32..40, 0_u32..40, 1_u64..4), 0..120),
        ) {
            let links: Vec<Link> = pairs.iter().map(|&(a, b, n)| Link::new(a, b, n)).collect();
            let found = resolve(40, &links, ResolveLimits { max_tokens: 5 });
            for c in 0..found.count {
                prop_assert!(found.component_of.iter().filter(|x| **x == c).count() <= 5);
            }
        }
    }

    #[test]
    fn a_cookie_shared_by_a_crowd_does_not_make_one_person() {
        // Token 0 is a kiosk cookie seen once with each of 1,000 addresses; 1 and 2 belong together (seen 9 times).
        let mut links: Vec<Link> = (1..=1000).map(|i| Link::new(0, i, 1)).collect();
        links.push(Link::new(1, 2, 9));
        let found = resolve(1001, &links, ResolveLimits { max_tokens: 10 });
        assert_eq!(found.component_of[1], found.component_of[2]);
        assert!(found.count > 900 && found.refused.len() > 900);
    }
}
