//! Reading JSON without losing a digit.
//!
//! With its feature `arbitrary_precision`, serde_json hands a number that may lose digits to whoever reads "anything" as a map
//! with one secret key. `serde_json::Value` and `Decimal` know it. But what serde derives for `flatten`, `untagged` and tagged
//! enums reads "anything" first and the author's type from that, and an `f64` there finds a map. So such numbers are looked at
//! here on their way: one that a float holds exactly becomes a float, which all of them understand; any other stays as it is,
//! and a type that cannot hold it is an error.
//!
//! What is read into a type that says what it wants passes through untouched.

mod anything;
mod decimal;
mod deserializer;
mod exact;

use gnomon_values::{json, number::Number};
use serde::de::DeserializeOwned;

use self::exact::Exact;
use crate::Failure;

/// Reads JSON text.
///
/// # Errors
/// It does not fit `T`.
pub(crate) fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    read(text).map_err(|error| {
        let error = error.to_string();
        let demanding = Demanding { text, but: &error }.to_string();
        Failure::new(error + &demanding)
    })
}

/// Reads what is JSON in an event: its `data`, or its `metadata`.
///
/// # Errors
/// It does not fit `T`.
pub(crate) fn part_of_event<T: DeserializeOwned>(part: &str, text: &str) -> Result<T, Failure> {
    from_str(text).map_err(|error| Failure::new(format!("its {part} does not fit {}: {error}", short_name::<T>())))
}

/// The name of a type without the modules that it is in, for messages.
fn short_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let end = name.find('<').unwrap_or(name.len());
    name[..end].rfind("::").map_or(name, |at| &name[at + 2..])
}

#[inline]
fn read<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Exact(&mut deserializer))?;
    deserializer.end()?;
    Ok(value)
}

/// In words, the numbers of a text that ask for more than integers of 64 bits and floats: what serde says where one does not
/// fit seldom names it.
struct Demanding<'t> {
    text: &'t str,
    /// What names some of them already.
    but: &'t str,
}

impl std::fmt::Display for Demanding<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 3;
        const SHOWN_CHARACTERS: usize = 60;
        let is_news = |number: &&str| is_demanding(number) && !self.but.contains(number);
        for (place, number) in json::numbers(self.text).filter(is_news).enumerate() {
            match place {
                0 => f.write_str("; neither an integer of 64 bits nor a float holds exactly ")?,
                SHOWN => return f.write_str(" and others"),
                _ => f.write_str(", ")?,
            }
            match number.char_indices().nth(SHOWN_CHARACTERS) {
                Some((end, _)) => write!(f, "{}…", &number[..end])?,
                None => f.write_str(number)?,
            }
        }
        Ok(())
    }
}

fn is_demanding(text: &str) -> bool {
    let is_integer = text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok();
    !is_integer && Number::parse(text).is_some_and(|number| number.is_integer() || number.exact_float().is_none())
}

#[cfg(test)]
mod tests;
