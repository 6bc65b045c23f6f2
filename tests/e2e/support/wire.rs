//! What a client sends to Postgres, message by message:
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html>.

/// Codes in the place of a version that ask for encryption; another message follows.
const ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];

/// A message, whole.
pub(crate) struct Message(Vec<u8>);

impl Message {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The SQL of a simple query, or of a statement that is prepared.
    fn sql(&self) -> Option<&[u8]> {
        match self.0.first()? {
            b'Q' => self.0.get(5..)?.split(|byte| *byte == 0).next(),
            b'P' => self.0.get(5..)?.split(|byte| *byte == 0).nth(1),
            _ => None,
        }
    }

    pub(crate) fn is_commit(&self) -> bool {
        let mut statements = self.sql().unwrap_or_default().split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        statements.rfind(|sql| !sql.is_empty()).is_some_and(|sql| sql.eq_ignore_ascii_case(b"COMMIT"))
    }

    /// Whether it writes events.
    fn appends(&self) -> bool {
        let sql = self.sql().unwrap_or_default();
        let is_part = |wanted: &[u8]| sql.windows(wanted.len()).any(|part| part == wanted);
        is_part(b"INSERT INTO gnomon.events") || is_part(b"COPY gnomon.events")
    }
}

/// The messages of one connection.
#[derive(Default)]
pub(crate) struct Frontend {
    unread: Vec<u8>,
    started: bool,
    appends: bool,
}

impl Frontend {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// Whether the connection has written events.
    pub(crate) fn appends(&self) -> bool {
        self.appends
    }

    /// The next message, if all of it is there.
    pub(crate) fn next_message(&mut self) -> Option<Message> {
        // Until the session has begun, messages have no type before their length.
        let before = usize::from(self.started);
        let number =
            |at: usize| -> Option<u32> { Some(u32::from_be_bytes(self.unread.get(at..at + 4)?.try_into().unwrap())) };
        let length = before + number(before)? as usize;
        if self.unread.len() < length {
            return None;
        }
        if !self.started {
            self.started = !ENCRYPTION.contains(&number(4)?);
        }
        let message = Message(self.unread.drain(..length).collect());
        self.appends |= message.appends();
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn commits_are_found_however_the_bytes_are_cut() {
        let mut sent = Vec::new();
        // Encryption is asked for; the session begins.
        for code in [ENCRYPTION[0], 196_608] {
            sent.extend_from_slice(&8_u32.to_be_bytes());
            sent.extend_from_slice(&code.to_be_bytes());
        }
        sent.extend(message(b'Q', b"BEGIN\0"));
        sent.extend(message(b'P', b"name\0INSERT INTO gnomon.events (position) VALUES ('COMMIT')\0\0\0"));
        sent.extend(message(b'd', b"COMMIT\0"));
        sent.extend(message(b'Q', b"COMMIT\0"));
        sent.extend(message(b'Q', b"SELECT 1; commit ;\0"));
        for size in 1..sent.len() {
            let (mut frontend, mut found, mut passed) = (Frontend::default(), Vec::new(), Vec::new());
            for piece in sent.chunks(size) {
                frontend.push(piece);
                while let Some(message) = frontend.next_message() {
                    found.push((message.is_commit(), frontend.appends()));
                    passed.extend_from_slice(message.bytes());
                }
            }
            let no = (false, false);
            assert_eq!(found, [no, no, no, (false, true), (false, true), (true, true), (true, true)], "{size}");
            assert_eq!(passed, sent);
        }
    }
}
