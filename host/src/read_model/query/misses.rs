//! What was found and what was expected at a position, in the format of PostgREST's parser.

use std::fmt;

/// Everything that was expected at the furthest position that an alternative reached.
#[derive(Clone, Default)]
pub(super) struct Misses {
    at: usize,
    unexpected: Option<Unexpected>,
    expected: Vec<Expected>,
}

impl Misses {
    /// The furthest position.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Records a miss, unless there was one further on.
    pub(super) fn record(&mut self, at: usize, unexpected: Unexpected, expected: Expected) {
        if at > self.at {
            *self = Self { at, ..Self::default() };
        }
        if at < self.at {
            return;
        }
        // The first report of what was found is kept, unless the text should have ended here.
        if self.unexpected.is_none() || matches!(unexpected, Unexpected::Further(_)) {
            self.unexpected = Some(unexpected);
        }
        if !self.expected.contains(&expected) {
            self.expected.push(expected);
        }
    }

    /// Records the misses of a part as one, under a label.
    pub(super) fn record_all(&mut self, part: &Self, label: &'static str) {
        if let Some(unexpected) = part.unexpected {
            self.record(part.at, unexpected, Expected::Label(label));
        }
    }
}

impl fmt::Display for Misses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unexpected {
            None | Some(Unexpected::End) => f.write_str("unexpected end of input")?,
            // A character where the text should end is in single quotes, a character instead of another in double quotes.
            Some(Unexpected::Further(next)) => write!(f, "unexpected '{next}'")?,
            Some(Unexpected::Character(next)) => write!(f, "unexpected {:?}", next.to_string())?,
        }
        let last = self.expected.len().saturating_sub(1);
        for (index, expected) in self.expected.iter().enumerate() {
            f.write_str(match index {
                0 => " expecting ",
                _ if index == last => " or ",
                _ => ", ",
            })?;
            match expected {
                Expected::Text(text) => write!(f, "{text:?}")?,
                Expected::Label(label) => f.write_str(label)?,
            }
        }
        Ok(())
    }
}

/// What was found instead of what was expected.
#[derive(Clone, Copy)]
pub(super) enum Unexpected {
    /// The end of the text.
    End,
    /// Another character.
    Character(char),
    /// A character where the text should end.
    Further(char),
}

impl From<Option<char>> for Unexpected {
    fn from(next: Option<char>) -> Self {
        next.map_or(Self::End, Self::Character)
    }
}

/// What was expected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// This exact text.
    Text(&'static str),
    /// Something of this name.
    Label(&'static str),
}
