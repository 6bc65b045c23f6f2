//! Modules that read too much.

use std::time::Duration;

use gnomon::runtime::{FailureKind, RuntimeLimits};

use crate::run::{LIMITS, failure_with};

#[test]
fn reading_is_limited() {
    let limits = RuntimeLimits { max_batch_reads: 100_000, ..LIMITS };
    let message = |word| {
        let failure = failure_with(limits, "read_flood", word);
        assert_eq!(failure.kind, FailureKind::BrokeContract);
        failure.to_string()
    };
    // Half a megabyte, read fifty thousand times in one call.
    assert_eq!(
        message("one large row"),
        "the module broke the contract at position 3: table `notes`: bytes of the rows that one call returns: 16780384; the \
         limit max_read_bytes is 16777216"
    );
    assert_eq!(
        message("many large rows"),
        "the module broke the contract at position 3: table `notes`: bytes of the rows that one call returns: 16780384; the \
         limit max_read_bytes is 16777216"
    );
    // The rows are there at once, so no deadline ends it.
    assert_eq!(
        message("for ever"),
        "the module broke the contract at position 3: table `notes`: rows that one batch asked for: 110000; the limit \
         max_batch_reads is 100000"
    );
}

/// Each read is short, and together they take longer than a module may wait.
#[test]
fn waiting_for_rows_is_limited() {
    let limits = RuntimeLimits { max_batch_read_time: Duration::ZERO, ..LIMITS };
    let failure = failure_with(limits, "read_flood", "for ever");
    assert_eq!(failure.kind, FailureKind::TimedOut);
    assert_eq!(
        failure.to_string(),
        "the module took too long at position 3: it waited for its rows for more than 0 s; the limit is max_batch_read_time"
    );
}
