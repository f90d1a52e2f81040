//! Pages of lists: `limit` and `cursor` in, items and the next cursor out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::ApiError;

/// Items a page has unless asked otherwise, and at most.
const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 500;

/// Which page.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Items on a page: 50 unless given, 500 at most.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u32>,
    /// Where the page begins: the `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

impl PageQuery {
    /// How many items.
    pub(crate) fn limit(&self) -> Result<u32, ApiError> {
        match self.limit.unwrap_or(DEFAULT_LIMIT) {
            limit @ 1..=MAX_LIMIT => Ok(limit),
            other => Err(ApiError::invalid(format!("limit of {other} is not within 1 to {MAX_LIMIT}"))),
        }
    }

    /// Where to go on.
    pub(crate) fn after<T: DeserializeOwned>(&self) -> Result<Option<T>, ApiError> {
        let Some(text) = &self.cursor else { return Ok(None) };
        let bytes = BASE64.decode(text).ok();
        let place = bytes.and_then(|b| serde_json::from_slice(&b).ok());
        place.map(Some).ok_or_else(|| ApiError::invalid("the cursor is not one of ours; begin without one"))
    }
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// Where the next page begins; absent on the last one.
    pub(crate) next_cursor: Option<String>,
    /// How many items there are in all, where that is known.
    pub(crate) total: Option<u64>,
}

impl<T> Page<T> {
    /// A page from one item more than asked for, if there is one, and the place of an item.
    pub(crate) fn cut<P: Serialize>(mut items: Vec<T>, limit: u32, place: impl Fn(&T) -> P) -> Result<Self, ApiError> {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = match items.last().filter(|_| more) {
            Some(last) => Some(BASE64.encode(serde_json::to_vec(&place(last))?)),
            None => None,
        };
        Ok(Self { items, next_cursor, total: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_to_the_item_after_the_page() -> Result<(), ApiError> {
        let page = Page::cut(vec![1, 2, 3], 2, |i| *i)?;
        assert_eq!(page.items, [1, 2]);
        let query = PageQuery { limit: None, cursor: page.next_cursor };
        assert_eq!(query.after::<i32>()?, Some(2));
        assert_eq!(Page::cut(vec![1, 2], 2, |i| *i)?.next_cursor, None);
        Ok(())
    }

    #[test]
    fn nonsense_is_refused() {
        let query = |limit, cursor: Option<&str>| PageQuery { limit, cursor: cursor.map(str::to_owned) };
        assert!(query(Some(0), None).limit().is_err() && query(Some(501), None).limit().is_err());
        assert!(query(None, Some("!")).after::<i32>().is_err() && query(None, Some("ImEi")).after::<i32>().is_err());
    }
}
