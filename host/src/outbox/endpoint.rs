//! Sinks that answer calls: the data by POST, with a key by which a repeat is known.

use reqwest::{
    StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde_json::value::RawValue;

use super::{
    cloud_event::DATA_MEDIA_TYPE,
    headers::{add_trace, authorize, value},
    message::Message,
    outcome::{Answer, Failure, Outcome},
    post::{BodyError, post},
    sending::Sending,
    sink::SinkSettings,
};
use crate::event_log::JsonText;

/// Sends a call, in a span of this context, and reads its answer.
pub(super) async fn send(
    sending: &Sending,
    settings: &SinkSettings,
    message: &Message,
    trace: Option<&str>,
) -> Outcome {
    let mut headers = match headers(sending, settings, message).await {
        Ok(headers) => headers,
        Err(failure) => return Outcome::Later(failure, None),
    };
    add_trace(trace, &mut headers);
    let body = message.data.clone().into_bytes().into();
    let answered = match post(&sending.http, settings.url.get(), headers, body).await {
        Ok(answered) => answered,
        Err(failure) => return Outcome::Later(failure, None),
    };
    let status = answered.status();
    if !status.is_success() {
        let retry_after = answered.retry_after();
        let failure = answered.failure().await;
        return if is_final(status) { Outcome::Refused(failure) } else { Outcome::Later(failure, retry_after) };
    }
    match answered.body(sending.max_call_answer_bytes).await {
        Ok(body) => match json(body) {
            Ok(data) => Outcome::Delivered(Some(Answer { status: status.as_u16(), data })),
            Err(reason) => Outcome::Refused(Failure { status: Some(status.as_u16()), reason }),
        },
        Err(BodyError::TooLarge) => {
            let max = sending.max_call_answer_bytes;
            let reason =
                format!("it answered {status}, with more than {max} bytes (max_call_answer_bytes), which are not kept");
            Outcome::Refused(Failure { status: Some(status.as_u16()), reason })
        }
        // The key tells the endpoint that it has done this already.
        Err(BodyError::Broken(failure)) => Outcome::Later(failure, None),
    }
}

async fn headers(sending: &Sending, settings: &SinkSettings, message: &Message) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(DATA_MEDIA_TYPE));
    headers.insert(ACCEPT, HeaderValue::from_static(DATA_MEDIA_TYPE));
    headers.insert("idempotency-key", value(&message.id.to_string())?);
    authorize(sending, settings, &mut headers).await?;
    Ok(headers)
}

/// Whether an endpoint that answers so would answer so again. 409 is what the draft of `Idempotency-Key` has for a call that is under way still:
/// an earlier try, whose answer did not come in time.
fn is_final(status: StatusCode) -> bool {
    let may_pass =
        [StatusCode::REQUEST_TIMEOUT, StatusCode::CONFLICT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    status.is_client_error() && !may_pass.contains(&status)
}

/// The body as JSON that an event can hold: as it is if it is JSON, `null` if it is empty, else as a text.
fn json(body: Vec<u8>) -> Result<Box<RawValue>, String> {
    let text = String::from_utf8(body).map_err(|_| "its answer is not UTF-8".to_owned())?;
    let raw = |json: String| RawValue::from_string(json).map_err(|error| format!("its answer is not JSON: {error}"));
    if text.trim().is_empty() {
        return raw("null".to_owned());
    }
    let text = match JsonText::parse(&text) {
        Ok(json) => json.into(),
        Err(_) if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() => {
            serde_json::to_string(&text).map_err(|error| error.to_string())?
        }
        // It is JSON, but too deep, or not Unicode text.
        Err(error) => return Err(format!("its answer cannot be kept: {error}")),
    };
    raw(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_becomes_json() {
        let data = |body: &str| json(body.into()).unwrap().get().to_owned();
        assert_eq!(data(" {\"a\": 1.0} "), "{\"a\": 1.0}");
        assert_eq!(data(""), "null");
        assert_eq!(data("OK \"fine\""), "\"OK \\\"fine\\\"\"");
        assert!(json(vec![0xff]).is_err());
        assert!(json("[".repeat(300).into_bytes()).unwrap().get().starts_with("\"[["));
        assert!(
            json(format!("{}{}", "[".repeat(200), "]".repeat(200)).into_bytes())
                .unwrap_err()
                .contains("max_json_depth")
        );
    }

    #[test]
    fn refusals_are_final_unless_they_may_pass() {
        for status in [400, 401, 402, 404, 410, 422] {
            assert!(is_final(StatusCode::from_u16(status).unwrap()), "{status}");
        }
        for status in [301, 408, 409, 425, 429, 500, 503] {
            assert!(!is_final(StatusCode::from_u16(status).unwrap()), "{status}");
        }
    }
}
