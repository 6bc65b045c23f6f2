//! What a client sends to Postgres, message by message:
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html>.

use std::collections::HashSet;

/// Codes in the place of a version that ask for encryption; another message follows.
const ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];

/// A message, whole.
pub(crate) struct Message {
    bytes: Vec<u8>,
    is_commit: bool,
    of_append: bool,
}

impl Message {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it lets Postgres commit: the statement itself, or the end of a statement that is a transaction of its own and appends.
    pub(crate) fn is_commit(&self) -> bool {
        self.is_commit
    }

    /// Whether it is a commit of a transaction that has written events.
    pub(crate) fn is_of_append(&self) -> bool {
        self.of_append
    }

    /// A text that ends with a zero, of those that the message begins with.
    fn text(&self, number: usize) -> &[u8] {
        self.bytes.get(5..).unwrap_or_default().split(|byte| *byte == 0).nth(number).unwrap_or_default()
    }

    /// The SQL of a simple query, or of a statement that is prepared.
    fn sql(&self) -> &[u8] {
        match self.bytes.first() {
            Some(b'Q') => self.text(0),
            Some(b'P') => self.text(1),
            _ => &[],
        }
    }

    /// Whether its last statement is this one.
    fn ends_with(&self, statement: &[u8]) -> bool {
        let mut statements = self.sql().split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        statements.rfind(|sql| !sql.is_empty()).is_some_and(|sql| sql.eq_ignore_ascii_case(statement))
    }

    /// Whether it begins a transaction.
    fn begins(&self) -> bool {
        self.sql().trim_ascii_start().get(..5).is_some_and(|sql| sql.eq_ignore_ascii_case(b"BEGIN"))
    }

    /// Whether its SQL has this part.
    fn has(&self, wanted: &[u8]) -> bool {
        self.sql().windows(wanted.len()).any(|part| part == wanted)
    }

    /// Whether it writes events.
    fn appends(&self) -> bool {
        self.has(b"INSERT INTO gnomon.events") || self.has(b"COPY gnomon.events")
    }
}

/// The messages of one connection.
#[derive(Default)]
pub(crate) struct Frontend {
    unread: Vec<u8>,
    started: bool,
    /// Names of prepared statements that write events.
    appends: HashSet<Vec<u8>>,
    /// Those among them that move the head as well, and so are a transaction if they are sent outside of one.
    whole_appends: HashSet<Vec<u8>>,
    in_transaction: bool,
    /// The transaction under way has written events.
    has_appended: bool,
    /// A transaction of one statement was sent, and has not been ended.
    in_whole_append: bool,
}

impl Frontend {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
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
        let bytes = self.unread.drain(..length).collect();
        let mut message = Message { bytes, is_commit: false, of_append: false };
        message.is_commit = message.ends_with(b"COMMIT");
        match message.bytes.first().filter(|_| self.started) {
            Some(b'Q') => {
                self.in_transaction |= message.begins();
                self.has_appended |= message.appends();
            }
            Some(b'P') => {
                let name = message.text(0);
                self.appends.remove(name);
                self.whole_appends.remove(name);
                if message.appends() {
                    self.appends.insert(name.to_owned());
                    if message.has(b"UPDATE gnomon.head") {
                        self.whole_appends.insert(name.to_owned());
                    }
                }
            }
            Some(b'B') => {
                let name = message.text(1);
                self.has_appended |= self.appends.contains(name);
                self.in_whole_append |= !self.in_transaction && self.whole_appends.contains(name);
            }
            // Until this, Postgres commits nothing, and answers nothing.
            Some(b'S') => message.is_commit = std::mem::take(&mut self.in_whole_append),
            _ => {}
        }
        message.of_append = message.is_commit && self.has_appended;
        if message.is_commit || message.ends_with(b"ROLLBACK") {
            (self.in_transaction, self.has_appended) = (false, false);
        }
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
        sent.extend(message(b'B', b"\0name\0"));
        sent.extend(message(b'S', b""));
        sent.extend(message(b'Q', b"COMMIT\0"));
        // Of another transaction, which writes no events.
        sent.extend(message(b'Q', b"SELECT 1; commit ;\0"));
        sent.extend(message(b'P', b"whole\0UPDATE gnomon.head; INSERT INTO gnomon.events\0\0\0"));
        sent.extend(message(b'S', b""));
        sent.extend(message(b'B', b"\0whole\0"));
        sent.extend(message(b'E', b"\0\0\0\0\0"));
        sent.extend(message(b'S', b""));
        // In a transaction the same statement commits nothing.
        sent.extend(message(b'Q', b"begin\0"));
        sent.extend(message(b'B', b"\0whole\0"));
        sent.extend(message(b'S', b""));
        sent.extend(message(b'Q', b"ROLLBACK\0"));
        sent.extend(message(b'Q', b"BEGIN\0"));
        sent.extend(message(b'Q', b"COMMIT\0"));
        for size in 1..sent.len() {
            let (mut frontend, mut found, mut passed) = (Frontend::default(), Vec::new(), Vec::new());
            for piece in sent.chunks(size) {
                frontend.push(piece);
                while let Some(message) = frontend.next_message() {
                    found.push((message.is_commit(), message.is_of_append()));
                    passed.extend_from_slice(message.bytes());
                }
            }
            let commits = (0..).zip(found).filter(|(_, (is_commit, _))| *is_commit);
            let commits: Vec<(usize, bool)> = commits.map(|(at, (_, of_append))| (at, of_append)).collect();
            // Both requests for encryption and the session, BEGIN, the statement, its rows, its call and end; and so on.
            assert_eq!(commits, [(7, true), (8, false), (13, true), (19, false)], "{size}");
            assert_eq!(passed, sent);
        }
    }
}
