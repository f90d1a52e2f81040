//! Where the ledger of a project is kept.

use std::collections::BTreeMap;
use std::path::Path;

use serde_saphyr::Spanned;
use throughline_core::Diagnostic;
use throughline_ledger::{AddressError, LedgerPlace, PostgresAddress};

const HELP: &str = "write `ledger: ${THROUGHLINE_LEDGER}` and keep postgres://USER:PASSWORD@HOST/DATABASE in that environment \
                    variable (docs/ledger.md)";

/// The place that `ledger:` names, else the file in the project's state. No finding repeats an address: it may hold a
/// password.
pub(super) fn place(
    given: Option<&Spanned<String>>,
    state: &Path,
    variables: &BTreeMap<String, String>,
    file: &str,
) -> Result<LedgerPlace, Diagnostic> {
    let Some(given) = given else { return Ok(LedgerPlace::File(state.join("ledger.db"))) };
    address(&given.value, variables).map(LedgerPlace::Postgres).map_err(|(message, help)| {
        let (line, column) = (given.referenced.line(), given.referenced.column());
        Diagnostic::error("TL016", message).help(help).at(file, Some(line), Some(column))
    })
}

/// The address, or what is wrong with it and what to do.
fn address(given: &str, variables: &BTreeMap<String, String>) -> Result<PostgresAddress, (String, String)> {
    let named = given.trim().strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let text = match named {
        Some(name) => variables.get(name).ok_or_else(|| {
            let help = if name.starts_with("THROUGHLINE_") {
                "set it in the environment".to_owned()
            } else {
                "only environment variables whose names begin with THROUGHLINE_ are read".to_owned()
            };
            (format!("the ledger's address stands in the variable `{name}`, which is not set"), help)
        })?,
        None => given,
    };
    if !PostgresAddress::claims(text) {
        return Err(("the ledger is no postgres:// address, nor a variable that holds one".into(), HELP.into()));
    }
    let address: PostgresAddress =
        text.parse().map_err(|e: AddressError| (format!("the ledger: {e}"), HELP.to_owned()))?;
    if named.is_none() && address.has_password() {
        return Err(("a password stands in a file of the project".into(), HELP.into()));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, expect: &str) {
        let value = |url: &str| url.replace("HUSH", "hush");
        let variables = BTreeMap::from([
            ("THROUGHLINE_LEDGER".to_owned(), value("postgres://ana:HUSH@db/shop")),
            ("THROUGHLINE_WRONG".to_owned(), value("postgres://ana:HUSH/HUSH@db/shop")),
            ("THROUGHLINE_OTHER".to_owned(), value("HUSH")),
        ]);
        let said = match address(given, &variables) {
            Ok(address) => address.to_string(),
            Err((message, help)) => format!("{message}; {help}"),
        };
        assert!(said.contains(expect) && !said.contains("hush"), "{given}: {said}");
    }

    #[test]
    fn an_address_comes_from_a_variable_or_has_no_password() {
        check("${THROUGHLINE_LEDGER}", "db:5432/shop");
        check("postgres://ana@db/shop", "db:5432/shop");
        check("postgres://ana:hush@db/shop", "a password stands in a file");
        check("${THROUGHLINE_NOWHERE}", "`THROUGHLINE_NOWHERE`, which is not set; set it in the environment");
        check("${ORDERS_DB}", "only environment variables whose names begin with THROUGHLINE_");
        check("${THROUGHLINE_WRONG}", "it is no URL (invalid port number)");
        check("${THROUGHLINE_OTHER}", "no postgres:// address");
        check("ledger.db", "no postgres:// address");
        check("", "no postgres:// address");
    }
}
