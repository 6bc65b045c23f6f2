//! From JSON text to its one form.

use std::{borrow::Cow, ops::Range};

use serde::de::IgnoredAny;

use super::{
    error::{JsonError, MAX_GROWTH},
    scan::Scanner,
};
use crate::{limits::MAX_JSON_DEPTH, number::Number};

pub(super) fn canonical(text: &str) -> Result<String, JsonError> {
    serde_json::from_str::<IgnoredAny>(text).map_err(JsonError::Malformed)?;
    let mut form = Form {
        scanner: Scanner::new(text),
        out: String::with_capacity(text.len()),
        most: text.len() + MAX_GROWTH,
        depth: 0,
    };
    form.value()?;
    Ok(form.out)
}

/// A text that is known to be JSON, on its way into its one form.
struct Form<'t> {
    scanner: Scanner<'t>,
    out: String,
    /// Bytes that `out` may have.
    most: usize,
    depth: usize,
}

impl<'t> Form<'t> {
    fn value(&mut self) -> Result<(), JsonError> {
        match self.scanner.peek() {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'"' => self.string().map(drop),
            b'-' | b'0'..=b'9' => self.number(),
            _ => {
                self.out.push_str(self.scanner.token());
                Ok(())
            }
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<(), JsonError>) -> Result<(), JsonError> {
        if self.depth == MAX_JSON_DEPTH {
            return Err(JsonError::Deep);
        }
        self.depth += 1;
        read(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn array(&mut self) -> Result<(), JsonError> {
        self.out.push_str(self.scanner.token());
        while !self.scanner.take(b']') {
            if self.scanner.take(b',') {
                self.out.push(',');
            }
            self.value()?;
        }
        self.out.push(']');
        Ok(())
    }

    fn object(&mut self) -> Result<(), JsonError> {
        let begin = self.out.len();
        // Each key, and where it stands in `out` with its value.
        let mut members: Vec<(Cow<'t, str>, Range<usize>)> = Vec::new();
        self.out.push_str(self.scanner.token());
        while !self.scanner.take(b'}') {
            if self.scanner.take(b',') {
                self.out.push(',');
            }
            let member = self.out.len();
            let key = self.string()?;
            self.out.push_str(self.scanner.token());
            self.value()?;
            members.push((key, member - begin..self.out.len() - begin));
        }
        self.out.push('}');
        if !members.is_sorted_by(|(one, _), (next, _)| one < next) {
            let written = self.out.split_off(begin);
            self.sorted(members, &written);
        }
        Ok(())
    }

    /// Writes an object whose members are written already, but not in order.
    fn sorted(&mut self, mut members: Vec<(Cow<'t, str>, Range<usize>)>, written: &str) {
        // Of equal keys the last comes first, and the first stays.
        members.reverse();
        members.sort_by(|(one, _), (other, _)| one.cmp(other));
        members.dedup_by(|(one, _), (kept, _)| one == kept);
        for (place, (_, member)) in members.into_iter().enumerate() {
            self.out.push(if place == 0 { '{' } else { ',' });
            self.out.push_str(&written[member]);
        }
        self.out.push('}');
    }

    /// Writes a string, and answers its text.
    fn string(&mut self) -> Result<Cow<'t, str>, JsonError> {
        let token = self.scanner.token();
        if !token.contains('\\') {
            self.out.push_str(token);
            return Ok(Cow::Borrowed(&token[1..token.len() - 1]));
        }
        let text: String = serde_json::from_str(token).map_err(JsonError::Malformed)?;
        if text.contains('\0') {
            return Err(JsonError::Nul);
        }
        self.out.push_str(&serde_json::to_string(&text).map_err(JsonError::Malformed)?);
        Ok(Cow::Owned(text))
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let token = self.scanner.token();
        let is_plain_integer = token != "-0" && !token.contains(['.', 'e', 'E']);
        let Some(number) = Number::parse(token).filter(|_| !is_plain_integer || token.len() > SURELY_SHORT) else {
            self.out.push_str(token);
            return Ok(());
        };
        let plain = number.plain().map_err(JsonError::Digits)?;
        if self.out.len() + plain.len() > self.most {
            return Err(JsonError::Grown { number: token.chars().take(SURELY_SHORT).collect() });
        }
        self.out.push_str(&plain);
        Ok(())
    }
}

/// Characters of a number that are too few to be too many.
const SURELY_SHORT: usize = 40;
