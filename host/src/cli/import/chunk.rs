//! Lines by the chunk: what goes to the host in one request.

use std::io::{self, BufRead, Read};

use super::{
    line::rewrite,
    source::{ReadBytes, Source},
};

/// Events of one request …
const EVENTS: u64 = 20_000;
/// … and bytes, about.
const BYTES: usize = 4 * 1024 * 1024;
/// Bytes of one line. A host takes less, unless it was told otherwise; what is longer is no file of lines.
const MAX_LINE: u64 = 64 * 1024 * 1024;

/// Lines that are sent together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// The lines.
    pub(super) body: Vec<u8>,
    /// The number of the first of them in the file, from 1.
    pub(super) first_line: u64,
    /// How many of them are events.
    pub(super) events: u64,
    /// Whether all have ids, so that sending them twice appends them once.
    pub(super) repeatable: bool,
    /// Bytes of the file that were read when the chunk was full.
    pub(super) read: u64,
}

/// Why there is no further chunk.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChunkError {
    /// A line is none of an import.
    #[error("line {line}: {reason}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The file cannot be read.
    #[error("cannot read on behind line {line}: {error}")]
    Read {
        /// The last line that was read.
        line: u64,
        /// What went wrong.
        error: io::Error,
    },
}

/// The chunks of a source.
pub(super) struct Chunks {
    lines: Box<dyn BufRead + Send>,
    read: ReadBytes,
    line: u64,
    events: u64,
    bytes: usize,
}

impl Chunks {
    pub(super) fn of(source: Source) -> Self {
        Self { lines: source.lines, read: source.read, line: 0, events: EVENTS, bytes: BYTES }
    }

    /// The next chunk; none at the end. After an error there is no more.
    pub(super) fn next(&mut self) -> Result<Option<Chunk>, ChunkError> {
        let mut chunk = Chunk { body: Vec::new(), first_line: self.line + 1, events: 0, repeatable: true, read: 0 };
        let mut line = Vec::new();
        while chunk.events < self.events && chunk.body.len() < self.bytes {
            line.clear();
            if !self.read_line(&mut line)? {
                break;
            }
            self.line += 1;
            self.add(&mut chunk, &line).map_err(|reason| ChunkError::Line { line: self.line, reason })?;
        }
        chunk.read = self.read.get();
        Ok((chunk.events > 0).then_some(chunk))
    }

    /// Answers whether there was one.
    fn read_line(&mut self, line: &mut Vec<u8>) -> Result<bool, ChunkError> {
        let behind = self.line;
        let read = (&mut self.lines)
            .take(MAX_LINE)
            .read_until(b'\n', line)
            .map_err(|error| ChunkError::Read { line: behind, error })?;
        if read as u64 == MAX_LINE && !line.ends_with(b"\n") {
            let reason = format!("it has more than {} MiB", MAX_LINE / 1024 / 1024);
            return Err(ChunkError::Line { line: behind + 1, reason });
        }
        Ok(read > 0)
    }

    fn add(&self, chunk: &mut Chunk, line: &[u8]) -> Result<(), String> {
        let line = line.trim_ascii();
        if !line.is_empty() {
            let text = std::str::from_utf8(line).map_err(|error| format!("it is no UTF-8: {error}"))?;
            let rewritten = rewrite(text)?;
            chunk.body.extend_from_slice(rewritten.text.as_bytes());
            chunk.events += 1;
            chunk.repeatable &= rewritten.has_id;
        }
        // Blank lines are sent too: so the host's numbers of lines are right.
        chunk.body.push(b'\n');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn chunks(text: &'static str, events: u64, bytes: usize) -> Chunks {
        Chunks { lines: Box::new(Cursor::new(text)), read: ReadBytes::default(), line: 0, events, bytes }
    }

    fn all(mut chunks: Chunks) -> Vec<(u64, u64, String)> {
        let mut all = Vec::new();
        while let Some(chunk) = chunks.next().unwrap() {
            all.push((chunk.first_line, chunk.events, String::from_utf8(chunk.body).unwrap()));
        }
        all
    }

    const THREE: &str = "{\"stream\":\"a\"}\n\n  \n{\"stream\":\"b\"}\r\n{\"stream\":\"c\"}";

    #[test]
    fn a_chunk_is_full_by_its_events() {
        let expected = [
            (1, 2, "{\"stream\":\"a\"}\n\n\n{\"stream\":\"b\"}\n".to_owned()),
            (5, 1, "{\"stream\":\"c\"}\n".to_owned()),
        ];
        assert_eq!(all(chunks(THREE, 2, 1000)), expected);
    }

    #[test]
    fn a_chunk_is_full_by_its_bytes() {
        let sizes: Vec<(u64, u64)> = all(chunks(THREE, 100, 10)).iter().map(|chunk| (chunk.0, chunk.1)).collect();
        assert_eq!(sizes, [(1, 1), (2, 1), (5, 1)]);
    }

    #[test]
    fn nothing_but_blank_lines_is_nothing() {
        assert_eq!(all(chunks("\n \n\n", 2, 1000)), []);
        assert_eq!(all(chunks("", 2, 1000)), []);
    }

    #[test]
    fn one_line_without_an_id_and_the_chunk_cannot_be_repeated() {
        let with_ids = "{\"stream\":\"a\",\"id\":1}\n{\"stream\":\"a\",\"id\":2}\n";
        assert!(chunks(with_ids, 10, 1000).next().unwrap().unwrap().repeatable);
        let without = "{\"stream\":\"a\",\"id\":1}\n{\"stream\":\"a\"}\n";
        assert!(!chunks(without, 10, 1000).next().unwrap().unwrap().repeatable);
    }

    #[test]
    fn a_bad_line_is_named_by_its_number_in_the_file() {
        let mut chunks = chunks("{\"stream\":\"a\"}\n\n{\"stream\":\"b\"}\noops\n", 1, 1000);
        assert_eq!(chunks.next().unwrap().unwrap().first_line, 1);
        assert_eq!(chunks.next().unwrap().unwrap().first_line, 2);
        assert_eq!(chunks.next().unwrap_err().to_string(), "line 4: expected value at column 1");
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let lines = Box::new(Cursor::new(b"{\"stream\":\"\xff\"}\n"));
        let mut chunks = Chunks { lines, read: ReadBytes::default(), line: 0, events: 1, bytes: 1 };
        assert!(chunks.next().unwrap_err().to_string().starts_with("line 1: it is no UTF-8"));
    }
}
