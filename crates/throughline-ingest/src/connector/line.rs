//! Lines of bounded length.

use std::io::{BufRead, Result};

use memchr::memchr;

/// One line, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// It is in the buffer.
    Whole,
    /// Its first bytes are in the buffer, the rest was skipped.
    Cut,
    /// There are no more lines.
    End,
}

/// Reads one line into `buffer`, at most `limit` bytes of it.
pub(super) fn read(input: &mut impl BufRead, buffer: &mut Vec<u8>, limit: usize) -> Result<Line> {
    buffer.clear();
    let mut cut = false;
    let mut any = false;
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        any = true;
        let end = memchr(b'\n', chunk);
        let part = &chunk[..end.unwrap_or(chunk.len())];
        let room = limit.saturating_sub(buffer.len());
        cut |= part.len() > room;
        buffer.extend_from_slice(&part[..part.len().min(room)]);
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    Ok(match (any, cut) {
        (false, _) => Line::End,
        (true, true) => Line::Cut,
        (true, false) => Line::Whole,
    })
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn lines_are_cut_at_the_limit() -> Result<()> {
        let mut input = BufReader::with_capacity(3, "abcd\n\nabcdefgh\nab".as_bytes());
        let mut buffer = Vec::new();
        let mut got = Vec::new();
        loop {
            let line = read(&mut input, &mut buffer, 4)?;
            if line == Line::End {
                break;
            }
            got.push((line, String::from_utf8_lossy(&buffer).into_owned()));
        }
        let expect = [(Line::Whole, "abcd"), (Line::Whole, ""), (Line::Cut, "abcd"), (Line::Whole, "ab")];
        assert_eq!(got, expect.map(|(line, text)| (line, text.to_owned())));
        Ok(())
    }
}
