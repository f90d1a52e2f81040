//! The normal form of texts: what means the same is written the same.

/// Texts that stand for a missing value.
const MISSING: [&[u8]; 5] = [b"null", b"nan", b"none", b"n/a", b"-"];

/// Small letters without accents, one space between words, no punctuation beside `@`, `.`, `-` and `/`; empty for texts that
/// stand for a missing value. The form replaces what is in `out`.
pub(crate) fn normal(text: &str, out: &mut Vec<u8>) {
    out.clear();
    let text = text.trim();
    if text.is_ascii() {
        text.bytes().for_each(|c| push(out, c.to_ascii_lowercase()));
    } else {
        for c in text.chars().flat_map(char::to_lowercase) {
            match u8::try_from(c) {
                Ok(c) if c.is_ascii() => push(out, c),
                _ if c.is_whitespace() => push(out, b' '),
                _ if c == '’' => {}
                _ => out.extend_from_slice(plain(c, &mut [0; 4])),
            }
        }
    }
    if out.last() == Some(&b' ') {
        out.pop();
    }
    if MISSING.contains(&out.as_slice()) {
        out.clear();
    }
}

fn push(out: &mut Vec<u8>, c: u8) {
    match c {
        b' ' | b',' | b';' | 9..=13 => {
            if out.last().is_some_and(|l| *l != b' ') {
                out.push(b' ');
            }
        }
        b'\'' | b'"' | b'`' | b'(' | b')' => {}
        c => out.push(c),
    }
}

/// A letter without its accent; itself where it has none.
fn plain(c: char, buffer: &mut [u8; 4]) -> &[u8] {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => b"a",
        'ä' | 'æ' => b"ae",
        'ç' | 'ć' | 'č' => b"c",
        'ď' | 'đ' | 'ð' => b"d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => b"e",
        'ğ' | 'ģ' => b"g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => b"i",
        'ł' | 'ľ' | 'ļ' => b"l",
        'ñ' | 'ń' | 'ň' | 'ņ' => b"n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ō' | 'ő' => b"o",
        'ö' | 'œ' => b"oe",
        'ř' | 'ŕ' => b"r",
        'ś' | 'š' | 'ş' | 'ș' => b"s",
        'ß' => b"ss",
        'ť' | 'ţ' | 'ț' | 'þ' => b"t",
        'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ű' | 'ų' => b"u",
        'ü' => b"ue",
        'ý' | 'ÿ' => b"y",
        'ź' | 'ż' | 'ž' => b"z",
        c => c.encode_utf8(buffer).as_bytes(),
    }
}

/// The eight digits of a date, year first: `YYYY-MM-DD`, `YYYYMMDD`, `DD/MM/YYYY`, `DD.MM.YYYY`, a time behind it left out.
/// Where both readings are possible the day comes first; days that no calendar has are kept, as people mistype them.
pub(crate) fn date(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.split(|c| matches!(c, b't' | b' ')).next()?;
    let number = |digits: &[u8]| -> Option<u32> { std::str::from_utf8(digits).ok()?.parse().ok() };
    let parts: Vec<&[u8]> = text.split(|c| matches!(c, b'-' | b'/' | b'.')).collect();
    let (year, month, day) = match parts[..] {
        [all] if all.len() == 8 => (number(&all[..4])?, number(&all[4..6])?, number(&all[6..])?),
        [a, m, b] if m.len() <= 2 && a.len().min(b.len()) <= 2 && a.len().max(b.len()) == 4 => {
            let (y, d) = if a.len() == 4 { (a, b) } else { (b, a) };
            (number(y)?, number(m)?, number(d)?)
        }
        _ => return None,
    };
    let (month, day) = if month > 12 && day <= 12 { (day, month) } else { (month, day) };
    let sound = (1000..=2199).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    sound.then(|| format!("{year:04}{month:02}{day:02}").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_the_same_is_written_the_same() {
        let of = |text: &str| {
            let mut out = Vec::new();
            normal(text, &mut out);
            String::from_utf8(out).expect("text")
        };
        for (text, expect) in [
            ("  Müller ", "mueller"),
            ("MUELLER", "mueller"),
            ("O'Neil", "oneil"),
            ("O’Neil", "oneil"),
            ("Élodie,  de  la Tour;", "elodie de la tour"),
            ("12\u{a0}High\tStreet", "12 high street"),
            ("NULL", ""),
            (" - ", ""),
            ("n/a", ""),
            ("(none)", ""),
        ] {
            assert_eq!(of(text), expect, "{text:?}");
        }
    }

    #[test]
    fn dates_are_read_in_their_common_forms() {
        let of = |t: &str| date(t.as_bytes()).map(|d| String::from_utf8(d).expect("digits"));
        for text in ["1971-06-24", "19710624", "24/06/1971", "24.6.1971", "1971-06-24t00:00:00", "1971-24-06"] {
            assert_eq!(of(text).as_deref(), Some("19710624"), "{text}");
        }
        assert_eq!((of("19711324"), of("6988048"), of("12-3")), (None, None, None));
    }
}
