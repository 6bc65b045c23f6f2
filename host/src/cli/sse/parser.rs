//! Server-sent events, taken apart.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>

/// A message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Message {
    /// What to give back when coming again.
    pub(in crate::cli) id: Option<String>,
    /// Its text; none if it only moves the id.
    pub(in crate::cli) data: Option<String>,
    /// It tells of an event that cannot be shown; without an id, of why nothing more comes.
    pub(in crate::cli) is_error: bool,
}

/// Makes messages of bytes as they come.
#[derive(Debug, Default)]
pub(super) struct Parser {
    rest: Vec<u8>,
    message: Message,
}

impl Parser {
    /// The messages that some more bytes complete. Lines end as axum ends them, by a line feed.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Message> {
        let mut messages = Vec::new();
        let searched = self.rest.len();
        self.rest.extend_from_slice(bytes);
        let Some(end) = self.rest[searched..].iter().rposition(|byte| *byte == b'\n') else { return messages };
        let behind = self.rest.split_off(searched + end + 1);
        let lines = std::mem::replace(&mut self.rest, behind);
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
            if line.is_empty() {
                let message = std::mem::take(&mut self.message);
                if message != Message::default() {
                    messages.push(message);
                }
                continue;
            }
            self.take(&line);
        }
        messages
    }

    fn take(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.message.id = Some(value.to_owned()),
            "event" => self.message.is_error = value == "error",
            "data" => match &mut self.message.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                none => *none = Some(value.to_owned()),
            },
            // A comment, or something that is to be passed over.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": hello\n\nid: 1\ndata: {\"é\":1}\n\nid:2\n\nid: 3\ndata: {\ndata: }\n\nevent: error\nid: 4\ndata: no\n\nid: 5\ndata: half";

    fn message(id: &str, data: Option<&str>, is_error: bool) -> Message {
        Message { id: Some(id.to_owned()), data: data.map(str::to_owned), is_error }
    }

    fn expected() -> [Message; 4] {
        [
            message("1", Some("{\"é\":1}"), false),
            message("2", None, false),
            message("3", Some("{\n}"), false),
            message("4", Some("no"), true),
        ]
    }

    #[test]
    fn messages_are_whole_however_their_bytes_come() {
        for size in 1..STREAM.len() {
            let mut parser = Parser::default();
            let messages: Vec<Message> = STREAM.as_bytes().chunks(size).flat_map(|chunk| parser.feed(chunk)).collect();
            assert_eq!(messages, expected(), "in chunks of {size}");
        }
    }

    #[test]
    fn carriage_returns_do_not_count() {
        assert_eq!(Parser::default().feed(b"id: 1\r\ndata: x\r\n\r\n"), [message("1", Some("x"), false)]);
    }
}
