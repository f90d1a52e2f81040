//! Names of channels: numbers while reading, order by name afterwards, texts of paths at the end.

use std::collections::{BTreeSet, HashMap};

use crate::NONE;

/// Numbers names as they come.
#[derive(Debug, Clone, Default)]
pub struct Names {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Names {
    /// The number of a name; blank names are no name, [`NONE`].
    pub fn number(&mut self, name: &str) -> u32 {
        let name = name.trim();
        if name.is_empty() {
            return NONE;
        }
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(NONE);
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// The names by number.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of names.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// All names in order, and for each of the lists what its numbers become: the places in that order. What was read
    /// first or by whom no longer matters.
    pub fn rank(lists: &[&Self]) -> (Vec<String>, Vec<Vec<u32>>) {
        let all: BTreeSet<&str> = lists.iter().flat_map(|l| l.names.iter().map(String::as_str)).collect();
        let all: Vec<String> = all.into_iter().map(str::to_owned).collect();
        let place = |name: &String| all.binary_search(name).ok().and_then(|p| u32::try_from(p).ok()).unwrap_or(NONE);
        let ranks = lists.iter().map(|l| l.names.iter().map(place).collect()).collect();
        (all, ranks)
    }
}

/// Texts of paths: names with a separator between them. A name that holds the separator's visible part or begins with a
/// quote stands in double quotes, inner quotes doubled, so that attribution reads the path back.
#[derive(Debug, Clone)]
pub struct PathNames {
    separator: String,
    names: Vec<String>,
}

impl PathNames {
    /// Over names by number.
    pub fn new<S: AsRef<str>>(names: &[S], separator: &str) -> Self {
        let core = if separator.trim().is_empty() { separator } else { separator.trim() };
        let written = names.iter().map(|name| {
            let name = name.as_ref();
            let holds = !separator.is_empty() && name.contains(core);
            if holds || name.starts_with('"') { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
        });
        Self { separator: separator.to_owned(), names: written.collect() }
    }

    /// Appends the text of a path; with `repeats`, each name is followed by its number in brackets.
    pub fn write(&self, steps: &[u32], repeats: &[u32], to: &mut String) {
        for (place, step) in steps.iter().enumerate() {
            if place > 0 {
                to.push_str(&self.separator);
            }
            to.push_str(self.names.get(*step as usize).map_or("", String::as_str));
            if let Some(times) = repeats.get(place) {
                to.push_str(&format!("({times})"));
            }
        }
    }

    /// A path as text.
    pub fn text(&self, steps: &[u32], repeats: &[u32]) -> String {
        let mut text = String::new();
        self.write(steps, repeats, &mut text);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_places_in_the_order_of_names() {
        let (mut one, mut two) = (Names::default(), Names::default());
        assert_eq!(["b", " a ", "b", " "].map(|n| one.number(n)), [0, 1, 0, NONE]);
        assert_eq!(["c", "a"].map(|n| two.number(n)), [0, 1]);
        let (names, ranks) = Names::rank(&[&one, &two]);
        assert_eq!((names, ranks), (vec!["a".into(), "b".into(), "c".into()], vec![vec![1, 0], vec![2, 0]]));
    }

    #[test]
    fn names_with_the_separator_are_quoted() {
        let names = PathNames::new(&["a", "Brand > UK", "\"x", "é>"], " > ");
        assert_eq!(names.text(&[0, 1, 2, 3], &[]), "a > \"Brand > UK\" > \"\"\"x\" > \"é>\"");
        assert_eq!(names.text(&[0, 0], &[2, 1]), "a(2) > a(1)");
        assert_eq!(names.text(&[], &[]), "");
    }
}
