//! The elements of JSON lists, one by one, without holding the list: files that are one JSON document.

use std::io::{BufRead, Result};

use super::super::line::Line;

/// Where the scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Outside the list.
    Outside,
    /// In the list, before or between its elements.
    Between,
    /// In an element, so many brackets deep; 0 for one that is not a list or an object.
    Element(u32),
    /// There is no more.
    Done,
}

/// Reads the elements of the list that is the document, or of each list under a key outside of elements.
///
/// It follows brackets and strings only; whether an element is JSON is found out by its reader.
#[derive(Debug)]
pub(super) struct Elements<R> {
    input: R,
    scan: Scan,
}

/// What is known of the text so far.
#[derive(Debug)]
struct Scan {
    /// The key of the lists; `None` for the list that is the document.
    key: Option<&'static str>,
    place: Place,
    in_string: bool,
    escaped: bool,
    /// The latest string outside of elements, as far as it may be the key.
    seen: Vec<u8>,
    /// Whether nothing but blanks and a colon came after that string.
    after_key: bool,
    line: i64,
    start_line: i64,
}

/// What a byte is to the element under construction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Skip,
    Take,
    /// The last byte of the element.
    Last,
    /// The element ended before this byte.
    Before,
}

impl<R: BufRead> Elements<R> {
    pub(super) const fn new(input: R, key: Option<&'static str>) -> Self {
        let scan = Scan {
            key,
            place: Place::Outside,
            in_string: false,
            escaped: false,
            seen: Vec::new(),
            after_key: false,
            line: 1,
            start_line: 1,
        };
        Self { input, scan }
    }

    /// The line on which the element before began.
    pub(super) const fn start_line(&self) -> i64 {
        self.scan.start_line
    }

    /// Reads the next element into `buffer`, at most `limit` bytes of it, newlines between its parts left out.
    pub(super) fn next(&mut self, buffer: &mut Vec<u8>, limit: usize) -> Result<Line> {
        buffer.clear();
        let mut cut = false;
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() || self.scan.place == Place::Done {
                // An element that the end of the file cuts off is refused by its reader.
                let open = matches!(std::mem::replace(&mut self.scan.place, Place::Done), Place::Element(_));
                return Ok(if open { whole_or_cut(cut) } else { Line::End });
            }
            let (mut used, mut ended) = (0, false);
            for byte in chunk {
                used += 1;
                let step = self.scan.step(*byte);
                if matches!(step, Step::Take | Step::Last) && !matches!(byte, b'\n' | b'\r') {
                    cut |= buffer.len() >= limit;
                    if buffer.len() < limit {
                        buffer.push(*byte);
                    }
                }
                ended = matches!(step, Step::Last | Step::Before);
                if ended || self.scan.place == Place::Done {
                    break;
                }
            }
            self.input.consume(used);
            if ended {
                return Ok(whole_or_cut(cut));
            }
        }
    }
}

impl Scan {
    fn step(&mut self, byte: u8) -> Step {
        self.line += i64::from(byte == b'\n');
        if self.in_string {
            return self.string(byte);
        }
        match self.place {
            Place::Done => Step::Skip,
            Place::Outside => {
                self.outside(byte);
                Step::Skip
            }
            Place::Between => self.between(byte),
            Place::Element(depth) => self.element(byte, depth),
        }
    }

    fn string(&mut self, byte: u8) -> Step {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.in_string = false,
            _ => {}
        }
        match self.place {
            Place::Element(0) if !self.in_string => {
                self.place = Place::Between;
                Step::Last
            }
            Place::Element(_) => Step::Take,
            _ => {
                if self.in_string && self.seen.len() <= self.key.map_or(0, str::len) {
                    self.seen.push(byte);
                }
                Step::Skip
            }
        }
    }

    fn outside(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.in_string = true;
                self.after_key = true;
                self.seen.clear();
            }
            b'[' if self.key.is_none_or(|key| self.after_key && self.seen == key.as_bytes()) => {
                self.place = Place::Between;
            }
            b':' => {}
            _ if byte.is_ascii_whitespace() => {}
            _ => self.after_key = false,
        }
    }

    fn between(&mut self, byte: u8) -> Step {
        match byte {
            b']' => {
                self.place = if self.key.is_some() { Place::Outside } else { Place::Done };
                self.after_key = false;
                return Step::Skip;
            }
            b',' => return Step::Skip,
            _ if byte.is_ascii_whitespace() => return Step::Skip,
            b'{' | b'[' => self.place = Place::Element(1),
            _ => {
                self.place = Place::Element(0);
                self.in_string = byte == b'"';
            }
        }
        self.start_line = self.line;
        Step::Take
    }

    fn element(&mut self, byte: u8, depth: u32) -> Step {
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.place = Place::Element(depth.saturating_add(1)),
            b'}' | b']' if depth == 1 => {
                self.place = Place::Between;
                return Step::Last;
            }
            b'}' | b']' if depth > 1 => self.place = Place::Element(depth - 1),
            b',' if depth == 0 => {
                self.place = Place::Between;
                return Step::Before;
            }
            b']' => {
                self.place = if self.key.is_some() { Place::Outside } else { Place::Done };
                return Step::Before;
            }
            _ => {}
        }
        Step::Take
    }
}

const fn whole_or_cut(cut: bool) -> Line {
    if cut { Line::Cut } else { Line::Whole }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[track_caller]
    fn check(text: &str, key: Option<&'static str>, expect: &[(i64, Line, &str)]) {
        for capacity in [1, 3, 1000] {
            let mut elements = Elements::new(BufReader::with_capacity(capacity, text.as_bytes()), key);
            let (mut buffer, mut got) = (Vec::new(), Vec::new());
            loop {
                let line = elements.next(&mut buffer, 12).expect("reads memory");
                if line == Line::End {
                    break;
                }
                got.push((elements.start_line(), line, String::from_utf8_lossy(&buffer).trim().to_owned()));
            }
            let expect: Vec<_> = expect.iter().map(|(n, l, t)| (*n, *l, (*t).to_owned())).collect();
            assert_eq!(got, expect, "{text} with a buffer of {capacity}");
        }
    }

    #[test]
    fn lists_give_their_elements_with_the_line_of_each() {
        check("[{\"a\":1},\n {\"b\":\n[2]}]", None, &[(1, Line::Whole, "{\"a\":1}"), (2, Line::Whole, "{\"b\":[2]}")]);
        check("[]", None, &[]);
        check(
            "[\"]\\\"\", 5, 6]{",
            None,
            &[(1, Line::Whole, "\"]\\\"\""), (1, Line::Whole, "5"), (1, Line::Whole, "6")],
        );
        check("[{\"a\":\"}\"}", None, &[(1, Line::Whole, "{\"a\":\"}\"}")]);
        check("[{\"a\":", None, &[(1, Line::Whole, "{\"a\":")]);
        check("[{\"a\":123456789},1]", None, &[(1, Line::Cut, "{\"a\":1234567"), (1, Line::Whole, "1")]);
        check("", None, &[]);
    }

    #[test]
    fn lists_under_a_key_go_on_page_after_page() {
        let text = "{\"meta\":[1,2],\"data\" : [{\"data\":[7]}],\"x\":\"data\"}\n{\"data\":[3],\n\"n\":[4]}";
        check(text, Some("data"), &[(1, Line::Whole, "{\"data\":[7]}"), (2, Line::Whole, "3")]);
        check("{\"datas\":[1],\"dat\":[2]}", Some("data"), &[]);
    }
}
