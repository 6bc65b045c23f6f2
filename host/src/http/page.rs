//! What the pages of the log and its streams have in common.

use super::{
    problem::{Code, Problem},
    settings::HttpSettings,
};
use crate::{
    api::After,
    event_log::{Position, StreamName, StreamVersion},
};

/// Items of a page if nobody says how many.
const DEFAULT_LIMIT: usize = 100;

/// Where a page begins.
pub(super) fn begin(after: After) -> Result<u64, Problem> {
    match after {
        After::Number(number) => Ok(number),
        After::Head => Err(Problem::new(Code::InvalidQuery, "`after=head` is for followers only")),
    }
}

/// The problem of a reader that has seen more of the log than there is.
///
/// Whoever reads on from there would wait without a word, and miss what is appended until the log has grown so far again: the
/// log is another one than the reader knows, most likely an older one out of a backup.
pub(super) fn beyond_head(after: Position, head: Position) -> Problem {
    let detail = format!(
        "the reader is behind position {after}, and the log ends at {head}: it is not the log that the reader knows; it may \
         have been restored from a backup. Begin from a position that it has"
    );
    Problem::new(Code::PositionBeyondHead, detail).with("after", after).with("head", head)
}

/// The same of one stream.
pub(super) fn beyond_stream(stream: &StreamName, after: StreamVersion, version: StreamVersion) -> Problem {
    let detail = format!(
        "the reader is behind version {after} of stream `{stream}`, which ends at {version}: it is not the stream that the \
         reader knows; the log may have been restored from a backup. Begin from a version that it has"
    );
    Problem::new(Code::PositionBeyondHead, detail)
        .with("stream", stream.as_str())
        .with("after", after)
        .with("version", version)
}

/// How many items a page is to have.
pub(super) fn limit(asked: Option<u64>, settings: &HttpSettings) -> Result<usize, Problem> {
    let asked = asked.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let limit = asked.unwrap_or(DEFAULT_LIMIT.min(settings.max_page));
    if limit == 0 || limit > settings.max_page {
        let detail = format!("`limit` must be 1 to {} (max_page); it is {limit}", settings.max_page);
        return Err(Problem::new(Code::InvalidQuery, detail));
    }
    Ok(limit)
}
