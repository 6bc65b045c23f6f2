//! The media ranges of the header `Accept`.

use axum::http::{HeaderMap, header};

/// One of the media ranges of the header.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MediaRange<'a> {
    /// The media type and its parameters, without the quality.
    pub(super) text: &'a str,
    /// How much the client wants it, from 0, which is not at all, to 1.
    pub(super) quality: f32,
}

/// The media ranges of all headers `Accept` of a request, in their order.
pub(super) fn accepted(headers: &HeaderMap) -> Vec<MediaRange<'_>> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|accept| accept.split(',')).map(MediaRange::parse).collect()
}

impl<'a> MediaRange<'a> {
    fn parse(text: &'a str) -> Self {
        let text = text.trim();
        let weight = text.rsplit_once(';').and_then(|(media_type, parameter)| {
            let (name, value) = parameter.split_once('=')?;
            if !name.trim().eq_ignore_ascii_case("q") {
                return None;
            }
            Some((media_type.trim_end(), value.trim().parse::<f32>().ok()?))
        });
        match weight {
            Some((text, quality)) => Self { text, quality },
            None => Self { text, quality: 1.0 },
        }
    }

    /// The media type in lower case.
    pub(super) fn media_type(&self) -> String {
        self.text.split(';').next().unwrap_or_default().trim_end().to_ascii_lowercase()
    }

    /// What follows the media type.
    pub(super) fn parameters(&self) -> &'a str {
        self.text.split_once(';').map_or("", |(_, parameters)| parameters)
    }
}
