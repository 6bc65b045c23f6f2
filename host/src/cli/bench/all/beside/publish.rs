//! Publishing to JetStream, without a host: the client that it uses as well, and nothing that is read or written as JSON.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use async_nats::{
    header::{NATS_EXPECTED_LAST_SEQUENCE, NATS_MESSAGE_ID},
    jetstream::{Context, context::ContextBuilder, message::StreamMessage},
};
use uuid::Uuid;

use crate::outbox::UNANSWERED;

/// Publishes a message so many times to a stream that is empty, each time under another id, as the message behind the one before; waits for all
/// answers, and returns how long it took. As many messages as those of a host may be without an answer.
pub(in crate::cli::bench::all) async fn publish(
    context: &Context,
    subject: &str,
    message: &StreamMessage,
    times: u64,
) -> anyhow::Result<Duration> {
    let context = ContextBuilder::new().max_ack_inflight(UNANSWERED).build(context.client());
    let (began, mut answers) = (Instant::now(), VecDeque::with_capacity(UNANSWERED));
    for sequence in 0..times {
        if answers.len() == UNANSWERED
            && let Some(answer) = answers.pop_front()
        {
            answer.await?;
        }
        let mut headers = message.headers.clone();
        headers.insert(NATS_MESSAGE_ID, Uuid::now_v7().to_string());
        headers.insert(NATS_EXPECTED_LAST_SEQUENCE, sequence.to_string());
        answers.push_back(context.publish_with_headers(subject.to_owned(), headers, message.payload.clone()).await?);
    }
    for answer in answers {
        answer.await?;
    }
    Ok(began.elapsed())
}
