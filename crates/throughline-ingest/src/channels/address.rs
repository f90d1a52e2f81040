//! Just enough of web addresses: host and parameters of the query.

/// The parts of an address that rules look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// In lower case, without port and user.
    pub(super) host: String,
    query: String,
}

impl Address {
    /// An address with a host; `None` for what has none, such as `about:blank` or a path.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let rest = text.split_once("://").map(|(_, rest)| rest).or_else(|| text.strip_prefix("//"))?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let host = authority.rsplit('@').next()?.split(':').next()?.trim_end_matches('.').to_lowercase();
        let query = path.split('#').next()?.split_once('?').map_or("", |(_, query)| query);
        (!host.is_empty()).then(|| Self { host, query: query.to_owned() })
    }

    /// The value of a parameter, decoded; names are compared without regard to case (`ScCid`).
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.split(['&', ';']).filter_map(|pair| pair.split_once('='));
        let mut values =
            pairs.filter(|(key, _)| decode(key).eq_ignore_ascii_case(name)).map(|(_, value)| decode(value));
        values.find(|value| !value.trim().is_empty())
    }

    /// Whether two addresses are of one site: equal hosts, or one below the other, `www` left aside.
    pub(super) fn same_site(&self, other: &Self) -> bool {
        let plain = |host: &'_ str| host.strip_prefix("www.").unwrap_or(host).to_owned();
        let (a, b) = (plain(&self.host), plain(&other.host));
        a == b || a.ends_with(&format!(".{b}")) || b.ends_with(&format!(".{a}"))
    }
}

/// A value of a query: `+` is a space, `%XX` a byte (URL standard, application/x-www-form-urlencoded).
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let code =
            escaped.and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(match (code, byte) {
            (Some(code), _) => code,
            (None, b'+') => b' ',
            (None, byte) => *byte,
        });
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_parameters() {
        let address = Address::parse("https://u@Shop.Example:8080/a?x=1&utm_source=Fr%C3%BChling+2&ScCid=7#y?z=1");
        let address = address.expect("an address");
        assert_eq!(address.host, "shop.example");
        assert_eq!(address.parameter("utm_source").as_deref(), Some("Frühling 2"));
        assert_eq!(address.parameter("sccid").as_deref(), Some("7"));
        assert_eq!((address.parameter("z"), address.parameter("")), (None, None));
        for none in ["", "about:blank", "/path?utm_source=x", "https:///x"] {
            assert_eq!(Address::parse(none), None, "{none}");
        }
        let broken = Address::parse("http://a.b?q=%zz%4&r=%ff").expect("an address");
        assert_eq!(broken.parameter("q").as_deref(), Some("%zz%4"));
        assert_eq!(broken.parameter("r").as_deref(), Some("\u{fffd}"));
    }

    #[test]
    fn sites() {
        let same = |a: &str, b: &str| {
            let parse = |host: &str| Address::parse(&format!("https://{host}/")).expect("an address");
            parse(a).same_site(&parse(b)) && parse(b).same_site(&parse(a))
        };
        assert!(same("www.shop.example", "shop.example") && same("pay.shop.example", "www.shop.example"));
        assert!(!same("myshop.example", "shop.example") && !same("a.example", "b.example"));
    }
}
