//! The trace that a request or an event belongs to, as the header and the member of metadata `traceparent` say it
//! (<https://www.w3.org/TR/trace-context/>).

use std::{borrow::Cow, fmt};

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use serde::Deserialize;

/// The name of the header, and of the member of metadata.
pub const TRACEPARENT: &str = "traceparent";

/// A span of another program, or of another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext(pub(super) SpanContext);

impl TraceContext {
    /// Reads `00-<trace id>-<span id>-<flags>`, and what later versions put behind that.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let version = hexadecimal(parts.next()?, 2).filter(|version| *version != 0xff)?;
        let trace = TraceId::from_bytes(hexadecimal(parts.next()?, 32)?.to_be_bytes());
        let span = SpanId::from_bytes(u64::try_from(hexadecimal(parts.next()?, 16)?).ok()?.to_be_bytes());
        let flags = TraceFlags::new(u8::try_from(hexadecimal(parts.next()?, 2)?).ok()?);
        if version == 0 && parts.next().is_some() {
            return None;
        }
        let context = SpanContext::new(trace, span, flags & TraceFlags::SAMPLED, true, TraceState::default());
        context.is_valid().then_some(Self(context))
    }

    /// The context in an event's metadata, if it has one.
    #[must_use]
    pub fn of_metadata(metadata: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Traced<'m> {
            #[serde(borrow)]
            traceparent: Cow<'m, str>,
        }
        // Most metadata has none, and is not read.
        if !metadata.contains(TRACEPARENT) {
            return None;
        }
        let Traced { traceparent } = serde_json::from_str(metadata).ok()?;
        Self::parse(&traceparent)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(context) = self;
        write!(f, "00-{}-{}-{:02x}", context.trace_id(), context.span_id(), context.trace_flags().to_u8())
    }
}

/// A number of so many digits, which are small letters.
fn hexadecimal(text: &str, digits: usize) -> Option<u128> {
    let is_one = text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    u128::from_str_radix(text, 16).ok().filter(|_| is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_context_is_read_as_the_standard_says() {
        let TraceContext(context) = TraceContext::parse(VALID).unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
        assert!(context.is_sampled() && context.is_remote());
        for text in [VALID, &VALID.replace("-01", "-00")] {
            assert_eq!(TraceContext::parse(text).unwrap().to_string(), text);
        }
        assert!(!TraceContext::parse(&VALID.replace("-01", "-00")).unwrap().0.is_sampled());
        // A later version may have more.
        assert!(TraceContext::parse(&format!("{}-more", VALID.replacen("00", "01", 1))).is_some());
        for wrong in [
            "",
            "00",
            &VALID.to_uppercase(),
            &VALID.replacen("00-4b", "ff-4b", 1),
            &format!("{VALID}-more"),
            &VALID.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &VALID.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &VALID[..54],
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn metadata_may_have_a_context() {
        let of = TraceContext::of_metadata;
        assert_eq!(of(&format!(r#"{{"user": "ada", "traceparent": "{VALID}"}}"#)), TraceContext::parse(VALID));
        for none in ["{}", "\"traceparent\"", "[1]", r#"{"traceparent": 7}"#, r#"{"note": "traceparent"}"#] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
