//! What the pages of the log and its streams have in common.

use serde::{Deserialize, Deserializer};

use super::{
    HttpSettings,
    problem::{Code, Problem},
};

/// Items of a page if nobody says how many.
const DEFAULT_LIMIT: usize = 100;

/// Where a follower begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Behind this position or version.
    Number(u64),
    /// Behind the newest: `head`.
    Head,
}

impl<'de> Deserialize<'de> for After {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "head" {
            return Ok(Self::Head);
        }
        text.parse()
            .map(Self::Number)
            .map_err(|_| serde::de::Error::custom(format!("`after` must be a number or `head`; it is `{text}`")))
    }
}

/// How many items a page is to have.
pub(super) fn limit(asked: Option<usize>, settings: &HttpSettings) -> Result<usize, Problem> {
    let limit = asked.unwrap_or(DEFAULT_LIMIT.min(settings.max_page));
    if limit == 0 || limit > settings.max_page {
        let detail = format!("`limit` must be 1 to {} (max_page); it is {limit}", settings.max_page);
        return Err(Problem::new(Code::InvalidQuery, detail));
    }
    Ok(limit)
}

/// The items of a list with commas; none is no item.
pub(super) fn list(text: Option<String>) -> Vec<String> {
    text.map(|text| text.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect()).unwrap_or_default()
}
