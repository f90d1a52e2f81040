//! Markup that cannot carry a text of the report unescaped: tags and attribute names are constants of this program, and
//! everything else goes through [`escape`].

/// Markup in which every text was escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Html(String);

/// Attributes of an element; the values are escaped.
type Attributes<'a> = &'a [(&'static str, &'a str)];

/// Escapes for text and for quoted attribute values. Control characters and those that turn the direction of text
/// around are dropped: they could make a name read as something else.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// An element.
#[expect(clippy::needless_pass_by_value, reason = "markup is built once and used once, inside out")]
pub(super) fn el(tag: &'static str, attributes: Attributes<'_>, inner: Html) -> Html {
    let mut out = open(tag, attributes);
    out.0.push_str(&inner.0);
    out.0.push_str("</");
    out.0.push_str(tag);
    out.0.push('>');
    out
}

fn open(tag: &'static str, attributes: Attributes<'_>) -> Html {
    let mut out = String::from("<");
    out.push_str(tag);
    for (name, value) in attributes {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        out.push_str(&escape(value));
        out.push('"');
    }
    out.push('>');
    Html(out)
}

/// A text.
pub(super) fn text(text: impl AsRef<str>) -> Html {
    Html::default().text(text)
}

/// A paragraph of a class.
pub(super) fn p(class: &str, inner: Html) -> Html {
    el("p", &[("class", class)], inner)
}

/// A text in which `` `names` `` become code.
pub(super) fn prose(message: &str) -> Html {
    let mut out = Html::default();
    let parts: Vec<&str> = message.split('`').collect();
    let paired = parts.len() % 2 == 1;
    if !paired {
        return text(message);
    }
    for (i, part) in parts.iter().enumerate() {
        out = if i % 2 == 1 { out.code(part) } else { out.text(part) };
    }
    out
}

impl Html {
    /// Markup that stands in the program.
    pub(super) fn constant(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    /// Adds a text.
    pub(super) fn text(mut self, text: impl AsRef<str>) -> Self {
        self.0.push_str(&escape(text.as_ref()));
        self
    }

    /// Adds a text that stands out.
    pub(super) fn strong(self, words: impl AsRef<str>) -> Self {
        self.with(el("strong", &[], text(words)))
    }

    /// Adds a name as it stands in files.
    pub(super) fn code(self, words: impl AsRef<str>) -> Self {
        self.with(el("code", &[], text(words)))
    }

    /// Adds markup.
    #[expect(clippy::needless_pass_by_value, reason = "markup is built once and used once, inside out")]
    pub(super) fn with(mut self, other: Self) -> Self {
        self.0.push_str(&other.0);
        self
    }

    /// Adds markup when there is some.
    pub(super) fn with_some(self, other: Option<Self>) -> Self {
        match other {
            Some(other) => self.with(other),
            None => self,
        }
    }

    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The markup.
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(parts: I) -> Self {
        parts.into_iter().fold(Self::default(), Self::with)
    }
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// Words, on the left.
    Words(Html),
    /// A figure, on the right.
    Figure(Html),
}

/// Words.
pub(super) fn words(words: impl AsRef<str>) -> Cell {
    Cell::Words(text(words))
}

/// A name as it stands in files.
pub(super) fn code(name: impl AsRef<str>) -> Cell {
    Cell::Words(Html::default().code(name))
}

/// Words over others, neither of them broken.
pub(super) fn words_with(first: &str, under: &str) -> Cell {
    let small = el("span", &[("class", "under")], text(under));
    Cell::Words(el("span", &[("class", "whole")], text(first).with(small)))
}

/// A figure.
pub(super) fn figure(figure: impl AsRef<str>) -> Cell {
    Cell::Figure(text(figure))
}

/// A figure over its interval, or over the reason why it has none.
pub(super) fn figure_with(value: &str, under: &str) -> Cell {
    if under.is_empty() {
        return figure(value);
    }
    let small = el("span", &[("class", "under")], text(under));
    Cell::Figure(text(value).with(small))
}

/// A table in its own scrolling frame. The first cell of each row is its heading; a column is on the right when its
/// first cell is a figure.
#[derive(Debug, Clone)]
pub(super) struct Table {
    caption: String,
    head: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table of a caption and columns.
    pub(super) fn new(caption: impl Into<String>, head: &[&'static str]) -> Self {
        Self { caption: caption.into(), head: head.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Whether it has no rows.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The markup.
    pub(super) fn html(&self) -> Html {
        let on_right = |i: usize| matches!(self.rows.first().and_then(|r| r.get(i)), Some(Cell::Figure(_)));
        let head: Html = self
            .head
            .iter()
            .enumerate()
            .map(|(i, name)| {
                let class = if on_right(i) { "fig" } else { "" };
                el("th", &[("scope", "col"), ("class", class)], text(name))
            })
            .collect();
        let body: Html = self.rows.iter().map(|row| el("tr", &[], row_cells(row))).collect();
        // Above the frame, so that it does not scroll away with a wide table.
        let caption = p("about", text(&self.caption));
        let inner = el("thead", &[], el("tr", &[], head)).with(el("tbody", &[], body));
        let frame = [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", &self.caption)];
        caption.with(el("div", &frame, el("table", &[], inner)))
    }

    /// The table behind a line to open, for what only some readers want.
    pub(super) fn folded(&self, summary: &str) -> Html {
        el("details", &[], el("summary", &[], text(summary)).with(self.html()))
    }
}

fn row_cells(row: &[Cell]) -> Html {
    row.iter()
        .enumerate()
        .map(|(i, cell)| match cell {
            Cell::Words(inner) if i == 0 => el("th", &[("scope", "row")], inner.clone()),
            Cell::Words(inner) => el("td", &[], inner.clone()),
            Cell::Figure(inner) => el("td", &[("class", "fig")], inner.clone()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, expect: &str) {
        assert_eq!(escape(given), expect);
    }

    #[test]
    fn texts_are_escaped() {
        check("plain", "plain");
        check("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;");
        check("a & b", "a &amp; b");
        check("\" onload='x'", "&quot; onload=&#39;x&#39;");
        check("\u{202e}cod\u{0}\u{7}\u{85}", "cod");
        check("Zürich → 東京", "Zürich → 東京");
    }

    #[test]
    fn attributes_are_escaped() {
        let html = el("p", &[("title", "\"><script>")], text("<b>"));
        assert_eq!(html.into_string(), "<p title=\"&quot;&gt;&lt;script&gt;\">&lt;b&gt;</p>");
    }

    #[test]
    fn names_in_backticks_become_code() {
        let check = |given: &str, expect: &str| assert_eq!(prose(given).into_string(), expect);
        check("rows of `a<b`, now", "rows of <code>a&lt;b</code>, now");
        check("one ` alone", "one ` alone");
        check("", "");
    }
}
