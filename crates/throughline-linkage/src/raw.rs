//! Texts as they come, a batch of records at a time.

/// A column of some records: a name and one text a record, empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawColumn {
    /// Its name.
    pub name: String,
    /// The texts of all records, one after the other.
    texts: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl RawColumn {
    /// A column without records.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// A column with a text for each record.
    pub fn of(name: impl Into<String>, texts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut column = Self::new(name);
        texts.into_iter().for_each(|text| column.push(text.as_ref()));
        column
    }

    /// Adds a record's text.
    pub fn push(&mut self, text: &str) {
        self.texts.push_str(text);
        self.ends.push(self.texts.len());
    }

    /// Forgets the records; the name and the memory stay.
    pub fn clear(&mut self) {
        self.texts.clear();
        self.ends.clear();
    }

    /// How many records there are.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no record.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The texts, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(from, to)| self.texts.get(from..*to).unwrap_or_default())
    }
}
