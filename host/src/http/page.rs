//! Parameters and problems that the pages of the log and of its streams share.

use super::{
    problem::{Code, Problem},
    settings::HttpSettings,
    state::Api,
};
use crate::{
    api::After,
    event_log::{PageSize, Position, StreamName, StreamVersion},
    queries::Reserved,
};

/// Items of a page if the client does not say how many.
const DEFAULT_LIMIT: usize = 100;

/// The position or version after which a page begins.
pub(super) fn begin(after: After) -> Result<u64, Problem> {
    match after {
        After::Number(number) => Ok(number),
        After::Head => Err(Problem::new(Code::InvalidQuery, "`after=head` is for followers only")),
    }
}

/// The problem of a reader whose position is after the end of the log.
///
/// The reader knows another log than this one, most likely because this one was restored from an older backup. If it read on, it
/// would wait silently, and miss all events that are appended until the log has grown up to its position.
pub(super) fn beyond_head(after: Position, head: Position) -> Problem {
    let detail = format!(
        "the reader is at position {after}, but the log ends at {head}: it is not the log that the reader knows. It may have \
         been restored from a backup. Begin at a position that it has"
    );
    Problem::new(Code::PositionBeyondHead, detail).with("after", after).with("head", head)
}

/// The problem of a reader whose version is after the end of a stream.
pub(super) fn beyond_stream(stream: &StreamName, after: StreamVersion, version: StreamVersion) -> Problem {
    let detail = format!(
        "the reader is at version {after} of stream `{stream}`, but the stream ends at {version}: it is not the stream that the \
         reader knows. The log may have been restored from a backup. Begin at a version that it has"
    );
    Problem::new(Code::PositionBeyondHead, detail)
        .with("stream", stream.as_str())
        .with("after", after)
        .with("version", version)
}

/// The most items that a page may have.
pub(super) fn limit(asked: Option<u64>, settings: &HttpSettings) -> Result<usize, Problem> {
    let asked = asked.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let limit = asked.unwrap_or(DEFAULT_LIMIT.min(settings.max_page));
    if limit == 0 || limit > settings.max_page {
        let detail = format!("`limit` must be 1 to {} (max_page); it is {limit}", settings.max_page);
        return Err(Problem::new(Code::InvalidQuery, detail));
    }
    Ok(limit)
}

/// Waits for the memory of a page of events.
pub(super) async fn reserve(api: &Api, size: PageSize) -> Result<Reserved, Problem> {
    api.sending.reserve_page(size.bytes, size.events, api.log.limits().max_event_bytes).await
}
