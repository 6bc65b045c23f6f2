//! Chunks of lines: the lines of one request.

use std::io::{self, BufRead, Read};

use super::{
    line::rewrite,
    source::{ReadBytes, Source},
};

/// Events of one request …
const EVENTS: u64 = 20_000;
/// … and bytes, about.
const BYTES: usize = 4 * 1024 * 1024;
/// The most bytes of a line. A host usually takes fewer; a longer line means that the file does not consist of lines.
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
    /// The ids that were replaced, as they are written, with the numbers of their lines among those of the chunk, from 1.
    pub(super) written_ids: Vec<(u64, String)>,
    /// Bytes of the file that had been read when the chunk was full.
    pub(super) read: u64,
}

/// Why there is no further chunk.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChunkError {
    /// A line cannot be imported.
    #[error("line {line}: {reason}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The file cannot be read.
    #[error("cannot read the file after line {line}: {error}")]
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

    /// The next chunk; `None` at the end. After an error there is no further chunk.
    pub(super) fn next(&mut self) -> Result<Option<Chunk>, ChunkError> {
        let first_line = self.line + 1;
        let (body, written_ids) = (Vec::new(), Vec::new());
        let mut chunk = Chunk { body, first_line, events: 0, repeatable: true, written_ids, read: 0 };
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

    /// Reads a line; returns whether there was one.
    fn read_line(&mut self, line: &mut Vec<u8>) -> Result<bool, ChunkError> {
        let last = self.line;
        let read = (&mut self.lines)
            .take(MAX_LINE)
            .read_until(b'\n', line)
            .map_err(|error| ChunkError::Read { line: last, error })?;
        if read as u64 == MAX_LINE && !line.ends_with(b"\n") {
            let reason = format!("the line has more than {} MiB", MAX_LINE / 1024 / 1024);
            return Err(ChunkError::Line { line: last + 1, reason });
        }
        Ok(read > 0)
    }

    fn add(&self, chunk: &mut Chunk, line: &[u8]) -> Result<(), String> {
        // Files that begin with a byte-order mark may be put together.
        let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line).trim_ascii();
        if !line.is_empty() {
            if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") {
                return Err("the file is UTF-16; it must be UTF-8".to_owned());
            }
            let text = std::str::from_utf8(line).map_err(|error| format!("the line is not UTF-8: {error}"))?;
            let rewritten = rewrite(text)?;
            if let Some(id) = rewritten.written_id {
                chunk.written_ids.push((self.line + 1 - chunk.first_line, id.to_owned()));
            }
            chunk.body.extend_from_slice(rewritten.text.as_bytes());
            chunk.events += 1;
            chunk.repeatable &= rewritten.has_id;
        }
        // Blank lines are sent too, so that the host counts lines as the file does.
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
    fn blank_lines_alone_make_no_chunk() {
        assert_eq!(all(chunks("\n \n\n", 2, 1000)), []);
        assert_eq!(all(chunks("", 2, 1000)), []);
    }

    #[test]
    fn a_chunk_with_a_line_without_an_id_is_not_repeatable() {
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
        assert_eq!(chunks.next().unwrap_err().to_string(), "line 4: a line is a JSON object; it begins with `oops`");
    }

    fn refused(bytes: &'static [u8]) -> String {
        let lines = Box::new(Cursor::new(bytes));
        let mut chunks = Chunks { lines, read: ReadBytes::default(), line: 0, events: 1, bytes: 1 };
        chunks.next().unwrap_err().to_string()
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_refused() {
        assert!(refused(b"{\"stream\":\"\xff\"}\n").starts_with("line 1: the line is not UTF-8"));
        assert_eq!(refused(b"\xff\xfe{\0"), "line 1: the file is UTF-16; it must be UTF-8");
    }

    #[test]
    fn byte_order_marks_are_passed_over() {
        let marked = "\u{feff}{\"stream\":\"a\"}\n\u{feff}\n\u{feff}{\"stream\":\"b\"}\n";
        assert_eq!(all(chunks(marked, 10, 1000)), [(1, 2, "{\"stream\":\"a\"}\n\n{\"stream\":\"b\"}\n".to_owned())]);
    }

    #[test]
    fn a_chunk_knows_the_ids_that_it_replaces() {
        let lines = "{\"stream\":\"a\",\"id\":1}\n\n{\"stream\":\"a\",\"id\":\"two\"}\n{\"stream\":\"a\",\"id\":3}\n";
        let mut chunks = chunks(lines, 2, 1000);
        let written = |chunk: Option<Chunk>| chunk.unwrap().written_ids;
        assert_eq!(written(chunks.next().unwrap()), [(1, "1".to_owned()), (3, "\"two\"".to_owned())]);
        assert_eq!(written(chunks.next().unwrap()), [(1, "3".to_owned())]);
    }
}
