//! UTF-16 as UTF-8, a buffer at a time.

use std::io::{BufRead, Read, Result};

/// Stands for what is no character: a byte that no UTF-8 text has, so that its row is refused and no other.
const INVALID: u8 = 0xff;

/// Reads UTF-16 without its byte-order mark and gives UTF-8. Half a surrogate pair and a last odd byte become [`INVALID`].
#[derive(Debug)]
pub(super) struct Utf16<R> {
    inner: R,
    little_endian: bool,
    /// The first half of a pair.
    high: Option<u16>,
    /// Encoded bytes not given out yet.
    ready: Vec<u8>,
    given: usize,
}

impl<R: BufRead> Utf16<R> {
    pub(super) const fn new(inner: R, little_endian: bool) -> Self {
        Self { inner, little_endian, high: None, ready: Vec::new(), given: 0 }
    }

    /// Encodes the next buffer; nothing is ready afterwards only at the end.
    fn refill(&mut self) -> Result<()> {
        self.ready.clear();
        self.given = 0;
        while self.ready.is_empty() {
            let chunk = self.inner.fill_buf()?;
            let units = chunk.len() / 2;
            if units == 0 {
                if self.split_unit()? {
                    continue;
                }
                return Ok(());
            }
            let read = if self.little_endian { u16::from_le_bytes } else { u16::from_be_bytes };
            let decoded: Vec<u16> = chunk.chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect();
            self.inner.consume(2 * units);
            for unit in decoded {
                self.push(unit);
            }
        }
        Ok(())
    }

    /// Less than a unit is buffered: the other half comes with the next byte, or the text ends here. Gives whether it
    /// goes on.
    fn split_unit(&mut self) -> Result<bool> {
        let mut pair = [0; 2];
        let mut length = 0;
        while length < 2 {
            match self.inner.read(&mut pair[length..])? {
                0 => break,
                n => length += n,
            }
        }
        if length == 2 {
            self.push(if self.little_endian { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) });
        } else if length == 1 || self.high.take().is_some() {
            self.ready.push(INVALID);
        }
        Ok(length == 2)
    }

    fn push(&mut self, unit: u16) {
        let high = self.high.take();
        if let Some(high) = high {
            if let Some(Ok(c)) = char::decode_utf16([high, unit]).next() {
                self.ready.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
                return;
            }
            self.ready.push(INVALID);
        }
        match unit {
            0xd800..=0xdbff => self.high = Some(unit),
            0xdc00..=0xdfff => self.ready.push(INVALID),
            _ => self
                .ready
                .extend(char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}').encode_utf8(&mut [0; 4]).bytes()),
        }
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        if self.given == self.ready.len() {
            self.refill()?;
        }
        let rest = &self.ready[self.given..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[track_caller]
    fn check(units: &[u16], tail: &[u8], expect: &[u8]) {
        for little in [true, false] {
            let bytes = |u: &u16| if little { u.to_le_bytes() } else { u.to_be_bytes() };
            let encoded: Vec<u8> = units.iter().flat_map(bytes).chain(tail.iter().copied()).collect();
            for capacity in [1, 2, 3, 64] {
                let mut text = Vec::new();
                let input = BufReader::with_capacity(capacity, encoded.as_slice());
                Utf16::new(input, little).read_to_end(&mut text).expect("reads memory");
                assert_eq!(text, expect, "buffer of {capacity}");
            }
        }
    }

    #[test]
    fn characters_of_one_and_two_units_and_broken_ones() {
        let text: Vec<u16> = "a,é\n😀;".encode_utf16().collect();
        check(&text, &[], "a,é\n😀;".as_bytes());
        check(&[0x61, 0xd83d, 0x62], &[], b"a\xffb");
        check(&[0xde00, 0x62], &[], b"\xffb");
        check(&[0x61, 0xd83d], &[], b"a\xff");
        check(&[0x61], &[0x20], b"a\xff");
        check(&[], &[], b"");
    }
}
