//! A watch over delimited text on its way to the parser: it knows where each record begins, and cuts a record that
//! would not fit into memory (an unbalanced quote can swallow the rest of a file).

use std::collections::VecDeque;
use std::io::{BufRead, Read, Result};

/// What a backslash is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backslash {
    /// A byte like others.
    Plain,
    /// It escapes what would end a field or a record.
    Escapes,
    /// The byte before was one that escapes.
    Pending,
}

/// What the guard knows of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordNote {
    /// Line on which it begins.
    pub(super) line: i64,
    /// Whether it was longer than the limit and was cut.
    pub(super) cut: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    RecordStart,
    FieldStart,
    Plain,
    Quoted,
    /// After a quote inside a quoted field: the end of it, or the first half of an escaped quote.
    QuoteInQuoted,
}

/// Stand for an escaped backslash, tab and newline on their way through the parser: control characters, which exports
/// do not contain.
const ESCAPED_BACKSLASH: u8 = 0x1c;
const ESCAPED_TAB: u8 = 0x1d;
const ESCAPED_NEWLINE: u8 = 0x1e;

/// A field with its escaped characters in their place.
pub(super) fn unescape(field: &str) -> String {
    let plain = |c: char| match u8::try_from(c) {
        Ok(ESCAPED_BACKSLASH) => '\\',
        Ok(ESCAPED_TAB) => '\t',
        Ok(ESCAPED_NEWLINE) => '\n',
        _ => c,
    };
    field.chars().map(plain).collect()
}

/// Whether a field has escaped characters.
pub(super) fn has_escapes(field: &str) -> bool {
    field.bytes().any(|b| matches!(b, ESCAPED_BACKSLASH | ESCAPED_TAB | ESCAPED_NEWLINE))
}

/// Passes text through, with records cut at the limit. It follows the same rules as the parser: a quote counts only at
/// the start of a field, `""` is a quote, `\r`, `\n` and `\r\n` end a record, empty lines are no records.
#[derive(Debug)]
pub(super) struct RecordGuard<R> {
    inner: R,
    delimiter: u8,
    /// `None`: no byte quotes.
    quote: Option<u8>,
    backslash: Backslash,
    limit: usize,
    state: State,
    line: i64,
    after_return: bool,
    /// Bytes of the current record.
    length: usize,
    start_line: i64,
    dropping: bool,
    /// Bytes to give out before anything else.
    pending: VecDeque<u8>,
    notes: VecDeque<RecordNote>,
    at_end: bool,
}

impl<R: BufRead> RecordGuard<R> {
    /// A guard whose first byte stands on line `line`.
    pub(super) fn new(inner: R, (delimiter, quote): (u8, Option<u8>), escapes: bool, line: i64, limit: usize) -> Self {
        Self {
            inner,
            delimiter,
            quote,
            backslash: if escapes { Backslash::Escapes } else { Backslash::Plain },
            limit,
            state: State::RecordStart,
            line,
            after_return: false,
            length: 0,
            start_line: line,
            dropping: false,
            pending: VecDeque::new(),
            notes: VecDeque::new(),
            at_end: false,
        }
    }

    /// The note of the oldest record not asked for yet.
    pub(super) fn take_note(&mut self) -> Option<RecordNote> {
        self.notes.pop_front()
    }

    /// Takes one byte; gives what is passed on in its place.
    fn pass(&mut self, byte: u8) -> Option<u8> {
        if self.backslash == Backslash::Plain {
            return self.step(byte).then_some(byte);
        }
        let escaped = std::mem::replace(&mut self.backslash, Backslash::Escapes) == Backslash::Pending;
        let byte = match byte {
            b'\\' if !escaped => {
                self.backslash = Backslash::Pending;
                return None;
            }
            b'\\' => ESCAPED_BACKSLASH,
            b'\t' | b't' if escaped => ESCAPED_TAB,
            b'\n' | b'n' if escaped => {
                self.line += i64::from(byte == b'\n');
                ESCAPED_NEWLINE
            }
            other => other,
        };
        self.step(byte).then_some(byte)
    }

    /// Takes one byte; gives whether it is passed on.
    fn step(&mut self, byte: u8) -> bool {
        let newline = byte == b'\n' || byte == b'\r';
        if newline && self.state != State::Quoted {
            return self.end_record(byte);
        }
        self.count_line(byte);
        if self.state == State::RecordStart {
            self.start_line = self.line;
            self.length = 0;
        }
        let before = self.state;
        self.state = match before {
            State::Quoted if Some(byte) == self.quote => State::QuoteInQuoted,
            State::Quoted => State::Quoted,
            State::RecordStart | State::FieldStart | State::QuoteInQuoted if Some(byte) == self.quote => State::Quoted,
            _ if byte == self.delimiter => State::FieldStart,
            _ => State::Plain,
        };
        self.length += 1;
        if self.length > self.limit && !self.dropping {
            self.cut(before);
        }
        !self.dropping
    }

    /// Ends the record for the parser, which is in the state `seen`; its remaining bytes are dropped.
    fn cut(&mut self, seen: State) {
        self.dropping = true;
        if seen == State::Quoted {
            self.pending.extend(self.quote);
        }
        self.pending.push_back(b'\n');
        self.notes.push_back(RecordNote { line: self.start_line, cut: true });
    }

    fn end_record(&mut self, byte: u8) -> bool {
        let pass = !self.dropping;
        if self.state != State::RecordStart && !self.dropping {
            self.notes.push_back(RecordNote { line: self.start_line, cut: false });
        }
        self.state = State::RecordStart;
        self.dropping = false;
        self.count_line(byte);
        pass
    }

    /// `\r\n` is one line end.
    fn count_line(&mut self, byte: u8) {
        if byte == b'\r' || (byte == b'\n' && !self.after_return) {
            self.line += 1;
        }
        self.after_return = byte == b'\r';
    }

    fn finish(&mut self) {
        if !self.at_end {
            self.at_end = true;
            if self.state != State::RecordStart && !self.dropping {
                self.notes.push_back(RecordNote { line: self.start_line, cut: false });
            }
        }
    }

    fn drain_pending(&mut self, out: &mut [u8]) -> usize {
        let count = out.len().min(self.pending.len());
        for (slot, byte) in out.iter_mut().zip(self.pending.drain(..count)) {
            *slot = byte;
        }
        count
    }
}

impl<R: BufRead> Read for RecordGuard<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        loop {
            if !self.pending.is_empty() || out.is_empty() {
                return Ok(self.drain_pending(out));
            }
            // Copied first: `step` needs the whole guard, and the parser's buffer is small.
            let chunk = self.inner.fill_buf()?;
            let taken = chunk.len().min(out.len());
            out[..taken].copy_from_slice(&chunk[..taken]);
            if taken == 0 {
                self.finish();
                return Ok(0);
            }
            let (mut used, mut kept) = (0, 0);
            while used < taken && self.pending.is_empty() {
                let byte = out[used];
                used += 1;
                if let Some(byte) = self.pass(byte) {
                    out[kept] = byte;
                    kept += 1;
                }
            }
            self.inner.consume(used);
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Line, cut and fields of each record that the parser sees.
    fn records(text: &[u8], limit: usize) -> Vec<(i64, bool, Vec<Vec<u8>>)> {
        let guard = RecordGuard::new(text, (b',', Some(b'"')), false, 1, limit);
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).buffer_capacity(16).from_reader(guard);
        let mut record = csv::ByteRecord::new();
        let mut all = Vec::new();
        while reader.read_byte_record(&mut record).expect("reads") {
            let note = reader.get_mut().take_note().expect("one note for each record");
            all.push((note.line, note.cut, record.iter().map(<[u8]>::to_vec).collect()));
        }
        assert_eq!(reader.get_mut().take_note(), None, "a note without a record");
        all
    }

    #[track_caller]
    fn lines(text: &str, expect: &[i64]) {
        let got: Vec<i64> = records(text.as_bytes(), 1000).iter().map(|r| r.0).collect();
        assert_eq!(got, expect, "{text:?}");
    }

    #[test]
    fn lines_are_those_of_an_editor() {
        lines("a,b\n1,2\n3,4", &[1, 2, 3]);
        lines("a\r\n\r\nb\r\nc\r\n", &[1, 3, 4]);
        lines("\n\na\n\"x\ny\",z\nb\n", &[3, 4, 6]);
        lines("a\rb\rc", &[1, 2, 3]);
        lines("\"\"\nx", &[1, 2]);
        lines("\"a\"\"\nb\",c\nd", &[1, 3]);
    }

    #[test]
    fn long_records_are_cut_and_the_next_one_is_whole() {
        let text = format!("a,b\n{},y\n\"{}\nq,\"\"\",z\nlast,row\n", "x".repeat(50), "w".repeat(50));
        let got = records(text.as_bytes(), 20);
        let cuts: Vec<(i64, bool)> = got.iter().map(|r| (r.0, r.1)).collect();
        assert_eq!(cuts, [(1, false), (2, true), (3, true), (5, false)]);
        assert_eq!(got[3].2, [b"last".to_vec(), b"row".to_vec()]);
    }

    #[test]
    fn escapes_end_nothing_and_lines_go_on() {
        let guard = RecordGuard::new(&b"a\\\tb\tc\\\\\nd\\\ne\tf\\n\ng\th\n"[..], (b'\t', None), true, 7, 1000);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(b'\t')
            .quoting(false)
            .buffer_capacity(4)
            .from_reader(guard);
        let mut got = Vec::new();
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).expect("reads") {
            let note = reader.get_mut().take_note().expect("one note for each record");
            got.push((note.line, record.iter().map(unescape).collect::<Vec<_>>()));
        }
        let expect = [(7, ["a\tb", "c\\"]), (8, ["d\ne", "f\n"]), (10, ["g", "h"])];
        assert_eq!(got, expect.map(|(line, fields)| (line, fields.map(str::to_owned).to_vec())));
    }

    proptest! {
        #[test]
        fn every_record_has_its_note(text in proptest::collection::vec(
            prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), Just(b'a'), Just(0xff_u8)], 0..60),
            limit in 1_usize..30)
        {
            let cut = records(&text, limit);
            let whole = records(&text, 1000);
            // Cutting changes the cut records only.
            prop_assert!(whole.iter().all(|r| !r.1));
            prop_assert_eq!(cut.len(), whole.len());
            for (c, w) in cut.iter().zip(&whole) {
                prop_assert_eq!(c.0, w.0);
                prop_assert!(c.1 || c.2 == w.2);
            }
        }
    }
}
