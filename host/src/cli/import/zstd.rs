//! Reads zstd.

use std::io::{self, BufRead, BufReader, Read};

use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

/// The largest window of a file, in bytes: as much as the program `zstd` reads unless it is told to use more memory.
const MAX_WINDOW: u64 = 1 << 27;

/// Decompresses a file: its frames one after the other, without those that a decompressor is to skip.
pub(super) struct ZstdReader<R> {
    input: BufReader<R>,
    decoder: FrameDecoder,
}

impl<R: Read> ZstdReader<R> {
    pub(super) fn with_capacity(bytes: usize, input: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        Self { input: BufReader::with_capacity(bytes, input), decoder }
    }

    /// Begins the next frame, unless there is none.
    fn next_frame(&mut self) -> io::Result<bool> {
        // Not generic over the input, so that the decoder is compiled once.
        let input: &mut dyn BufRead = &mut self.input;
        while !input.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut *input) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut (&mut *input).take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }

    /// Checks a frame that was read, if it has a checksum.
    fn check(&self) -> io::Result<()> {
        match self.decoder.get_checksum_from_data() {
            Some(sum) if Some(sum) != self.decoder.get_calculated_checksum() => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "the checksum of a frame is wrong"))
            }
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for ZstdReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let input: &mut dyn BufRead = &mut self.input;
            while !self.decoder.is_finished() && self.decoder.can_collect() == 0 {
                let decoded = self.decoder.decode_blocks(&mut *input, BlockDecodingStrategy::UptoBlocks(1));
                decoded.map_err(io::Error::other)?;
            }
            let bytes = self.decoder.read(buffer)?;
            if bytes > 0 || buffer.is_empty() {
                return Ok(bytes);
            }
            self.check()?;
            if !self.next_frame()? {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Many blocks, and more than a window.
    fn text() -> Vec<u8> {
        (0..400_000).flat_map(|n: u32| format!("{{\"n\":{}}}\n", n.wrapping_mul(2_654_435_761)).into_bytes()).collect()
    }

    /// A frame as zstd's own code writes it, with a checksum and a window of 2^`window` bytes.
    fn frame(text: &[u8], level: i32, window: u32) -> Vec<u8> {
        let mut encoder = ::zstd::Encoder::new(Vec::new(), level).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.window_log(window).unwrap();
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        ZstdReader::with_capacity(4096, bytes).read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn what_zstd_writes_is_read() {
        let text = text();
        for (level, window) in [(-5, 17), (1, 19), (3, 21), (19, 23), (3, 27)] {
            assert!(read(&frame(&text, level, window)).unwrap() == text, "level {level}");
        }
        assert!(read(&frame(b"", 3, 20)).unwrap().is_empty());
    }

    #[test]
    fn all_frames_are_read_and_some_are_skipped() {
        let skipped = [&0x184d_2a53_u32.to_le_bytes()[..], &5_u32.to_le_bytes(), b"12345"].concat();
        let (one, other) = (frame(b"one", 3, 20), frame(b"other", 3, 20));
        assert_eq!(read(&[&one[..], &skipped, &skipped, &other, &skipped].concat()).unwrap(), b"oneother");
        assert!(read(&[&one[..], &skipped[..10]].concat()).is_err());
    }

    #[test]
    fn a_file_that_is_damaged_or_cut_off_is_an_error() {
        let whole = frame(&text(), 3, 21);
        let mut wrong = whole.clone();
        *wrong.last_mut().unwrap() ^= 1;
        assert_eq!(read(&wrong).unwrap_err().to_string(), "the checksum of a frame is wrong");
        for left in [whole.len() - 1, whole.len() / 2, 5] {
            assert!(read(&whole[..left]).is_err(), "{left}");
        }
        assert!(read(&[&whole[..], b"{}\n"].concat()).is_err());
    }

    #[test]
    fn a_window_that_takes_too_much_memory_is_refused() {
        let error = read(&frame(&text(), 3, 28)).unwrap_err().to_string();
        assert!(error.contains("134217728"), "{error}");
    }
}
