//! The text that stands in the log in the place of a personal value.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

/// With this begins each text that stands for a personal value. The number is the version of the form.
pub const SEALED_PREFIX: &str = "gnomon:encrypted:1:";
/// As it stands in JSON. Nothing in it is ever written with an escape.
pub(super) const SEALED_MARK: &str = "\"gnomon:encrypted:1:";

/// What a text says that stands for a personal value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SealedText {
    /// The id of the key.
    pub(super) key: Uuid,
    pub(super) bytes: Vec<u8>,
}

impl SealedText {
    /// As JSON.
    pub(super) fn to_json(&self) -> String {
        let Self { key, bytes } = self;
        format!("{SEALED_MARK}{}:{}\"", key.simple(), URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads a JSON string, with its quotes; `None` if it is any other text.
    pub(super) fn parse(json: &str) -> Option<Self> {
        let (key, bytes) = json.strip_prefix(SEALED_MARK)?.strip_suffix('"')?.split_once(':')?;
        let sealed = Self { key: Uuid::try_parse(key).ok()?, bytes: URL_SAFE_NO_PAD.decode(bytes).ok()? };
        (sealed.to_json() == json).then_some(sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_form() {
        let sealed = SealedText { key: Uuid::from_u128(7), bytes: vec![0xff, 0xfe, 1] };
        let json = sealed.to_json();
        assert_eq!(json, "\"gnomon:encrypted:1:00000000000000000000000000000007://4B\"".replace('/', "_"));
        assert_eq!(SealedText::parse(&json), Some(sealed));
        for other in [
            "\"gnomon:encrypted:1:\"",
            "\"gnomon:encrypted:2:00000000000000000000000000000007:AAAA\"",
            "\"gnomon:encrypted:1:00000000-0000-0000-0000-000000000007:AAAA\"",
            "\"gnomon:encrypted:1:00000000000000000000000000000007:A\"",
            "\"gnomon:encrypted:1:00000000000000000000000000000007:AB\"",
            "\"gnomon:encrypted:1:00000000000000000000000000000007:+/AA\"",
            "gnomon:encrypted:1:00000000000000000000000000000007:AAAA",
        ] {
            assert_eq!(SealedText::parse(other), None, "{other}");
        }
    }
}
