//! Lines that are made while they are read.

use std::io::{self, Read};

/// Lines that are made at a time.
const AT_A_TIME: usize = 1_000;

/// The text of lines, which are made when it is read.
pub(super) fn text_of(lines: impl Iterator<Item = String> + Send + 'static) -> impl Read + Send + 'static {
    Lines { lines, text: Vec::new(), read: 0 }
}

struct Lines<I> {
    lines: I,
    text: Vec<u8>,
    read: usize,
}

impl<I: Iterator<Item = String>> Read for Lines<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.text.len() {
            self.text.clear();
            for line in self.lines.by_ref().take(AT_A_TIME) {
                self.text.extend_from_slice(line.as_bytes());
                self.text.push(b'\n');
            }
            self.read = 0;
        }
        let copied = (&self.text[self.read..]).read(buffer)?;
        self.read += copied;
        Ok(copied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read_however_many_are_made_at_a_time() {
        for lines in [0, 1, AT_A_TIME, AT_A_TIME + 1, 3 * AT_A_TIME] {
            let mut text = String::new();
            text_of((0..lines).map(|number| number.to_string())).read_to_string(&mut text).unwrap();
            let read: Vec<usize> = text.lines().map(|line| line.parse().unwrap()).collect();
            assert_eq!(read, (0..lines).collect::<Vec<_>>());
        }
    }
}
