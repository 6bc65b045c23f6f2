//! Modules that read too much.

use gnomon::runtime::{FailureKind, RuntimeLimits};

use crate::run::{LIMITS, failure_with};

#[test]
fn reading_ends() {
    let limits = RuntimeLimits { max_batch_reads: 100_000, ..LIMITS };
    let said = |word| {
        let failure = failure_with(limits, "read_flood", word);
        assert_eq!(failure.kind, FailureKind::BrokeContract);
        failure.to_string()
    };
    // Half a megabyte, asked for fifty thousand times in one call.
    assert_eq!(
        said("one large row"),
        "the module broke the contract at position 3: table `notes`: bytes of the rows that one call returns: 16780384; the \
         limit max_read_bytes is 16777216"
    );
    assert_eq!(
        said("many large rows"),
        "the module broke the contract at position 3: table `notes`: bytes of the rows that one call returns: 16780384; the \
         limit max_read_bytes is 16777216"
    );
    // The wait for rows is no computing, so no deadline ends it.
    assert_eq!(
        said("for ever"),
        "the module broke the contract at position 3: table `notes`: rows that one batch asked for: 110000; the limit \
         max_batch_reads is 100000"
    );
}
