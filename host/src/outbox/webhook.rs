//! Sinks that get messages as webhooks: CloudEvents by POST, signed as Standard Webhooks say.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::value::RawValue;

use super::{
    cloud_event::{CloudEvent, DATA_MEDIA_TYPE, MEDIA_TYPE},
    headers::{add_trace, authorize, value},
    message::Message,
    outcome::{Failure, Outcome},
    post::post,
    sending::Sending,
    signature::sign,
    sink::{ContentMode, SinkSettings},
};

/// Sends a message, in a span of this context.
pub(super) async fn send(
    sending: &Sending,
    settings: &SinkSettings,
    message: &Message,
    trace: Option<&str>,
) -> Outcome {
    let (mut headers, body) = match request(sending, settings, message).await {
        Ok(request) => request,
        // Of the host's side, where somebody can help.
        Err(failure) => return Outcome::Later(failure, None),
    };
    add_trace(trace, &mut headers);
    let answered = match post(&sending.http, settings.url.get(), headers, body.into()).await {
        Ok(answered) => answered,
        Err(failure) => return Outcome::Later(failure, None),
    };
    let status = answered.status();
    if status.is_success() {
        answered.drain().await;
        return Outcome::Delivered(None);
    }
    let retry_after = answered.retry_after();
    let failure = answered.failure().await;
    // By this status a receiver says that it wants no more.
    if status == StatusCode::GONE { Outcome::Refused(failure) } else { Outcome::Later(failure, retry_after) }
}

async fn request(
    sending: &Sending,
    settings: &SinkSettings,
    message: &Message,
) -> Result<(HeaderMap, Vec<u8>), Failure> {
    let data: &RawValue = serde_json::from_str(&message.data).map_err(Failure::of)?;
    let event = CloudEvent::of_message(message, data);
    let mut headers = HeaderMap::new();
    let body = match settings.content_mode {
        ContentMode::Structured => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
            event.structured().map_err(Failure::of)?
        }
        ContentMode::Binary => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(DATA_MEDIA_TYPE));
            for (name, attribute) in event.headers() {
                let name = HeaderName::try_from(format!("ce-{name}")).map_err(Failure::of)?;
                headers.insert(name, value(&attribute)?);
            }
            message.data.clone().into_bytes()
        }
    };
    if let Some(secret) = &settings.secret {
        let secret = sending.read(secret).await?;
        // A clock before 1970 signs nothing that anybody takes.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let timestamp = i64::try_from(now).unwrap_or(i64::MAX);
        let id = message.id.to_string();
        let signature = sign(&secret, &id, timestamp, &body).map_err(Failure::of)?;
        headers.insert("webhook-id", value(&id)?);
        headers.insert("webhook-timestamp", value(&timestamp.to_string())?);
        headers.insert("webhook-signature", value(&signature)?);
    }
    authorize(sending, settings, &mut headers).await?;
    Ok((headers, body))
}
