//! Sinks that get messages in a stream of NATS JetStream, as CloudEvents.

use async_nats::{
    HeaderMap,
    header::NATS_MESSAGE_ID,
    jetstream::context::{ContextBuilder, PublishError, PublishErrorKind},
};
use serde_json::value::RawValue;

use super::{
    cloud_event::CloudEvent,
    message::Message,
    nats,
    outcome::{Failure, Outcome},
    sending::Sending,
    sink::SinkSettings,
    sink_name::SinkName,
};
use crate::telemetry::TRACEPARENT;

/// Sends a message to the stream that takes its subject, in a span of this context.
pub(super) async fn send(
    sending: &Sending,
    sink: &SinkName,
    settings: &SinkSettings,
    message: &Message,
    trace: Option<&str>,
) -> Outcome {
    match publish(sending, sink, settings, message, trace).await {
        Ok(()) => Outcome::Delivered(None),
        Err(failure) => Outcome::Later(failure, None),
    }
}

async fn publish(
    sending: &Sending,
    sink: &SinkName,
    settings: &SinkSettings,
    message: &Message,
    trace: Option<&str>,
) -> Result<(), Failure> {
    let template = settings.subject.as_ref().ok_or_else(|| Failure::of("the sink has no subject"))?;
    let subject = template.render(&[
        ("type", &message.message_type),
        ("reactor", &message.reactor),
        ("key", &message.key),
        ("subject", message.subject.as_deref().unwrap_or_default()),
    ]);
    let data: &RawValue = serde_json::from_str(&message.data).map_err(Failure::of)?;
    let mut headers = HeaderMap::new();
    // Within its window, the stream takes no second message with this id.
    headers.insert(NATS_MESSAGE_ID, message.id.to_string());
    let event = CloudEvent::of_message(message, data);
    if let Some(trace) = trace {
        headers.insert(TRACEPARENT, trace);
    }
    let payload = nats::write(&event, settings.content_mode, &message.data, &mut headers)?;
    let client = sending.nats.of(&sending.secrets, sink, settings).await?;
    let stream = ContextBuilder::new().timeout(settings.timeout()).build(client);
    let explain = |error: PublishError| match error.kind() {
        PublishErrorKind::StreamNotFound => {
            Failure::of(format_args!("no stream of JetStream takes the subject `{subject}`; make one"))
        }
        _ => Failure::of(format_args!("JetStream did not take the message: {error}")),
    };
    let sent = stream.publish_with_headers(subject.clone(), headers, payload.into()).await.map_err(explain)?;
    sent.await.map(drop).map_err(explain)
}
