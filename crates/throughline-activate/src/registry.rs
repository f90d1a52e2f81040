//! Every adapter, in one list.

use throughline_core::diagnostic::closest;

use crate::destination::{Adapter, Destination, Site};
use crate::destinations::file;

type Open = fn(&serde_json::Value, &Site) -> Result<Box<dyn Destination>, String>;

/// An adapter as the registry holds it.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The name used in files.
    pub name: &'static str,
    /// One sentence for people.
    pub doc: &'static str,
    open: Open,
}

/// Every adapter.
pub const ADAPTERS: &[Entry] = &[entry::<file::FileDrop>()];

/// Why no destination came of a name and options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No such adapter; the help names the known ones.
    Unknown { help: String },
    /// The adapter does not accept the options.
    Options { reason: String },
}

const fn entry<T: Adapter>() -> Entry {
    Entry { name: T::NAME, doc: T::DOC, open: open_as::<T> }
}

fn open_as<T: Adapter>(options: &serde_json::Value, site: &Site) -> Result<Box<dyn Destination>, String> {
    let options = serde_json::from_value(options.clone()).map_err(|error| error.to_string())?;
    Ok(Box::new(T::open(options, site)?))
}

/// The adapter of a name with its options.
pub(crate) fn open(name: &str, options: &serde_json::Value, site: &Site) -> Result<Box<dyn Destination>, Refusal> {
    let Some(entry) = ADAPTERS.iter().find(|entry| entry.name == name) else {
        let known = ADAPTERS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ");
        let hint = closest(name, ADAPTERS.iter().map(|entry| entry.name));
        let hint = hint.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
        return Err(Refusal::Unknown { help: format!("{hint}known adapters: {known}") });
    };
    (entry.open)(options, site).map_err(|reason| Refusal::Options { reason })
}
