//! Files that match a pattern: `*` and `?` within a name, `**` for any number of folders.

use std::io;
use std::path::{Path, PathBuf};

/// Deepest folder that `**` descends into, against links that lead back up.
const MAX_DEPTH: usize = 32;

/// Whether a location is a pattern.
pub(crate) fn is_pattern(location: &str) -> bool {
    location.contains(['*', '?'])
}

/// What of a pattern stands before its first wildcard, up to the last folder.
pub(crate) fn fixed(pattern: &str) -> &str {
    let end = pattern.find(['*', '?']).unwrap_or(pattern.len());
    pattern[..end].rsplit_once('/').map_or("", |(before, _)| before)
}

/// Whether a path matches a pattern, as [`files`] finds them.
pub(crate) fn matches_path(pattern: &str, path: &str) -> bool {
    fn all(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern.split_first(), path.split_first()) {
            (None, None) => true,
            (Some((first, rest)), _) if *first == "**" => {
                all(rest, path) || path.split_first().is_some_and(|(_, below)| all(pattern, below) || rest.is_empty())
            }
            (Some((first, rest)), Some((name, below))) => {
                (!name.starts_with('.') || first.starts_with('.')) && matches(first, name) && all(rest, below)
            }
            _ => false,
        }
    }
    let parts = |text| str::split(text, '/').filter(|part| !part.is_empty()).collect::<Vec<_>>();
    all(&parts(pattern), &parts(path))
}

/// The files that match, in order of their paths. Names that start with a dot match only a pattern that does too.
pub(crate) fn files(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let mut fixed = PathBuf::new();
    let mut wild: Vec<String> = Vec::new();
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        if wild.is_empty() && !is_pattern(&text) {
            fixed.push(part);
        } else {
            wild.push(text.into_owned());
        }
    }
    let mut found = Vec::new();
    let parts: Vec<&str> = wild.iter().map(String::as_str).collect();
    descend(&fixed, &parts, 0, &mut found)?;
    found.sort();
    found.dedup();
    Ok(found)
}

fn descend(folder: &Path, parts: &[&str], depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let Some((first, rest)) = parts.split_first() else { return Ok(()) };
    if depth > MAX_DEPTH || !folder.is_dir() {
        return Ok(());
    }
    if *first == "**" {
        descend(folder, rest, depth, found)?;
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        if name.starts_with('.') && !first.starts_with('.') {
            continue;
        }
        if *first == "**" {
            if path.is_dir() {
                descend(&path, parts, depth + 1, found)?;
            } else if rest.is_empty() {
                found.push(path);
            }
        } else if matches(first, name) {
            if rest.is_empty() && path.is_file() {
                found.push(path);
            } else {
                descend(&path, rest, depth + 1, found)?;
            }
        }
    }
    Ok(())
}

/// Whether a name matches a pattern of one part: the usual two-pointer walk, which returns to the last star.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p).is_some_and(|c| *c == '?' || *c == name[n]) {
            p += 1;
            n += 1;
        } else if let Some((star_p, star_n)) = star {
            star = Some((star_p, star_n + 1));
            p = star_p + 1;
            n = star_n + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (pattern, name, expect) in [
            ("*.csv", "a.csv", true),
            ("*.csv", "a.csv.gz", false),
            ("a?c*", "abcd", true),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "a1b2b3", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, name), expect, "{pattern} {name}");
        }
    }

    #[test]
    fn folders() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        for path in ["b.csv", "a.csv", ".hidden.csv", "x/c.csv", "x/y/d.csv", "x/e.txt"] {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().expect("inside"))?;
            std::fs::write(path, "")?;
        }
        let names = |pattern: &str| -> io::Result<Vec<String>> {
            let found = files(&dir.path().join(pattern))?;
            Ok(found.iter().map(|p| p.strip_prefix(dir.path()).expect("inside").display().to_string()).collect())
        };
        assert_eq!(names("*.csv")?, ["a.csv", "b.csv"]);
        assert_eq!(names("x/*.csv")?, ["x/c.csv"]);
        assert_eq!(names("*/*.txt")?, ["x/e.txt"]);
        assert_eq!(names("**/*.csv")?, ["a.csv", "b.csv", "x/c.csv", "x/y/d.csv"]);
        assert_eq!(names("nowhere/*.csv")?, Vec::<String>::new());
        Ok(())
    }

    #[test]
    fn paths_of_objects_match_as_files_do() {
        for (pattern, path, expect) in [
            ("in/*.csv", "in/a.csv", true),
            ("in/*.csv", "in/x/a.csv", false),
            ("in/*.csv", "in/.a.csv", false),
            ("in/**/a.csv", "in/a.csv", true),
            ("in/**/a.csv", "in/x/y/a.csv", true),
            ("in/**", "in/x/a.csv", true),
            ("in/**", "other/a.csv", false),
            ("d?/a.csv", "d1/a.csv", true),
            ("in/a.csv", "in/a.csv", true),
        ] {
            assert_eq!(matches_path(pattern, path), expect, "{pattern} {path}");
        }
        assert_eq!((fixed("in/x/*.csv"), fixed("*.csv"), fixed("in/a?/b")), ("in/x", "", "in"));
    }
}
