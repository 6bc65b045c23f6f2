//! The source of an import: a file or stdin, plain or compressed, which its first bytes tell and not its name.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::read::MultiGzDecoder;

use super::zstd::ZstdReader;

/// Bytes of one read.
const BUFFER: usize = 256 * 1024;

/// Lines, and how many bytes of the source were read for them.
pub(in crate::cli) struct Source {
    /// The text, decompressed.
    pub(super) lines: Box<dyn BufRead + Send>,
    /// Bytes that were read, compressed as they are.
    pub(super) read: ReadBytes,
    /// Bytes of the whole source, if that is known.
    pub(super) size: Option<u64>,
}

/// Bytes that were read so far.
#[derive(Clone, Debug, Default)]
pub(super) struct ReadBytes(Arc<AtomicU64>);

impl ReadBytes {
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    fn of(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd] => Self::Zstd,
            _ => Self::None,
        }
    }
}

impl Source {
    /// Opens a file; `-` is stdin.
    pub(in crate::cli) fn open(path: &Path) -> anyhow::Result<Self> {
        use anyhow::Context;
        if path.as_os_str() == "-" {
            return Self::read(io::stdin(), None).context("cannot read stdin");
        }
        let cannot_read = || format!("cannot read {}", path.display());
        let file = File::open(path).with_context(cannot_read)?;
        let metadata = file.metadata().with_context(cannot_read)?;
        if metadata.is_dir() {
            anyhow::bail!("{} is a folder; an import takes a file of JSON lines", path.display());
        }
        // A pipe has no size.
        let size = metadata.is_file().then_some(metadata.len());
        Self::read(file, size).with_context(cannot_read)
    }

    /// Reads what `input` gives; `size` are its bytes, if they are known.
    pub(in crate::cli) fn read(input: impl Read + Send + 'static, size: Option<u64>) -> io::Result<Self> {
        let read = ReadBytes::default();
        let mut input = Counted { input, read: read.clone() };
        let mut first = Vec::new();
        (&mut input).take(4).read_to_end(&mut first)?;
        let compression = Compression::of(&first);
        let input = Cursor::new(first).chain(input);
        let lines: Box<dyn BufRead + Send> = match compression {
            Compression::None => Box::new(BufReader::with_capacity(BUFFER, input)),
            Compression::Gzip => Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(input))),
            Compression::Zstd => Box::new(BufReader::with_capacity(BUFFER, ZstdReader::with_capacity(BUFFER, input))),
        };
        Ok(Self { lines, read, size })
    }
}

/// Counts what is read.
struct Counted<R> {
    input: R,
    read: ReadBytes,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.input.read(buffer)?;
        self.read.0.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const TEXT: &str = "{\"n\":1}\n{\"n\":2}\n";

    fn text_of(bytes: Vec<u8>) -> String {
        let size = bytes.len() as u64;
        let mut source = Source::read(Cursor::new(bytes), Some(size)).unwrap();
        let mut text = String::new();
        source.lines.read_to_string(&mut text).unwrap();
        assert_eq!(source.read.get(), size);
        text
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_first_bytes_tell_the_compression() {
        assert_eq!(text_of(TEXT.into()), TEXT);
        assert_eq!(text_of(gzip(TEXT)), TEXT);
        assert_eq!(text_of(::zstd::encode_all(TEXT.as_bytes(), 3).unwrap()), TEXT);
    }

    #[test]
    fn concatenated_files_are_read_to_the_end() {
        assert_eq!(text_of([gzip(TEXT), gzip(TEXT)].concat()), TEXT.repeat(2));
        let frame = ::zstd::encode_all(TEXT.as_bytes(), 3).unwrap();
        assert_eq!(text_of([frame.clone(), frame].concat()), TEXT.repeat(2));
    }

    #[test]
    fn short_and_empty_input_is_plain() {
        for text in ["", "{", "{}\n"] {
            assert_eq!(text_of(text.into()), text);
        }
    }

    #[test]
    fn a_file_that_was_cut_off_is_an_error() {
        let mut bytes = gzip(&TEXT.repeat(1000));
        bytes.truncate(bytes.len() - 10);
        let mut source = Source::read(Cursor::new(bytes), None).unwrap();
        assert!(source.lines.read_to_string(&mut String::new()).is_err());
    }
}
