//! Reads JSON without losing a digit.
//!
//! With its feature `arbitrary_precision`, serde_json passes a number that may lose digits to `deserialize_any` as a map with one
//! reserved key. `serde_json::Value` and `Decimal` recognise it. But the code that serde derives for `flatten`, `untagged` and
//! tagged enums first reads any value into a buffer and then the author's type from the buffer, and an `f64` there finds a map. So
//! these numbers are converted here: one that a float holds exactly becomes a float, which every type can read; any other stays a
//! map, and a type that cannot hold it is an error.
//!
//! Values that are read with their own type are passed through unchanged.

mod anything;
mod decimal;
mod deserializer;
mod exact;
mod path;

use gnomon_values::{json, number::Number};
use serde::de::DeserializeOwned;

use self::exact::Exact;
use crate::Failure;

/// Why a text does not fit a type.
#[derive(Debug)]
pub(crate) struct Unfit {
    /// The value that does not fit, such as `lines[2].price`; empty if it is the whole text.
    path: String,
    error: String,
}

/// What does not fit, and why: ``in `lines[2].price`: invalid type …``.
impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.path.is_empty() {
            write!(f, "in `{}`: ", self.path)?;
        }
        f.write_str(&self.error)
    }
}

/// Reads JSON text.
///
/// # Errors
/// It does not fit `T`.
pub(crate) fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Unfit> {
    read(text).map_err(|error| unfit(text, &error))
}

#[cold]
fn unfit(text: &str, error: &serde_json::Error) -> Unfit {
    let path = path::find(text);
    let error = error.to_string();
    let inexact = InexactNumbers { text, except: &error }.to_string();
    Unfit { path, error: error + &inexact }
}

/// Reads the `data` or the `metadata` of an event.
///
/// # Errors
/// It does not fit `T`.
pub(crate) fn part_of_event<T: DeserializeOwned>(part: &str, text: &str) -> Result<T, Failure> {
    from_str(text).map_err(|error| Failure::new(format!("its {part} does not fit {}: {error}", short_name::<T>())))
}

/// The name of a type without its modules, for messages.
fn short_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let end = name.find('<').unwrap_or(name.len());
    name[..end].rfind("::").map_or(name, |at| &name[at + 2..])
}

#[inline]
fn read<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    path::begin();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Exact(&mut deserializer))?;
    deserializer.end()?;
    Ok(value)
}

/// Names the numbers of a text that neither an integer of 64 bits nor a float holds exactly: serde's error for such a number seldom
/// names it.
struct InexactNumbers<'t> {
    text: &'t str,
    /// A message. Numbers that it names are left out.
    except: &'t str,
}

impl std::fmt::Display for InexactNumbers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 3;
        const SHOWN_CHARACTERS: usize = 60;
        let is_missing = |number: &&str| is_inexact(number) && !self.except.contains(number);
        for (index, number) in json::numbers(self.text).filter(is_missing).enumerate() {
            match index {
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

fn is_inexact(text: &str) -> bool {
    let is_integer = text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok();
    !is_integer && Number::parse(text).is_some_and(|number| number.is_integer() || number.exact_float().is_none())
}

#[cfg(test)]
mod tests;
