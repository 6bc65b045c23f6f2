//! Visitors that accept any value, and the numbers that they are passed.

use std::{borrow::Cow, fmt};

use gnomon_values::number::Number;
use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, Unexpected, Visitor,
        value::{BorrowedStrDeserializer, MapDeserializer, StringDeserializer},
    },
};

use super::{
    decimal::{self, is_decimal},
    exact::{Counted, Exact},
};

/// The key under which serde_json passes the text of a number.
const NUMBER: &str = "$serde_json::private::Number";
/// The key under which serde_json passes the text of any JSON.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// A visitor that accepts any value.
pub(super) struct Anything<V>(pub(super) V);

macro_rules! as_it_is {
    ($($method:ident($value:ty))*) => {$(
        fn $method<E: Error>(self, value: $value) -> Result<V::Value, E> {
            self.0.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Anything<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    as_it_is! {
        visit_bool(bool) visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128) visit_u8(u8)
        visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128) visit_f32(f32) visit_f64(f64) visit_char(char)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        if is_decimal::<V::Value>() {
            decimal::check(text)?;
        }
        self.0.visit_str(text)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<V::Value, E> {
        if is_decimal::<V::Value>() {
            decimal::check(text)?;
        }
        self.0.visit_borrowed_str(text)
    }

    fn visit_string<E: Error>(self, text: String) -> Result<V::Value, E> {
        if is_decimal::<V::Value>() {
            decimal::check(&text)?;
        }
        self.0.visit_string(text)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Exact(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Exact(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Counted::new(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<V::Value, A::Error> {
        match members.next_key_seed(FirstKey)? {
            Some(key) if key == NUMBER => number(self.0, &members.next_value_seed(NumberText)?),
            // `Value` would read the object as raw JSON.
            Some(key) if key == RAW_VALUE => {
                Err(A::Error::invalid_value(Unexpected::Map, &Reserved(RAW_VALUE).to_string().as_str()))
            }
            first => self.0.visit_map(ObjectWithFirstKey { first, rest: Counted::new(members) }),
        }
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Exact(variant))
    }
}

/// Passes a number to a visitor, so that it keeps every digit.
fn number<'de, V: Visitor<'de>, E: Error>(visitor: V, text: &str) -> Result<V::Value, E> {
    let number = Number::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &"a JSON number"))?;
    if is_decimal::<V::Value>() {
        return visitor.visit_str(&decimal::exact::<E>(text, &number)?.to_string());
    }
    if number.is_integer() {
        // Integers of 64 bits are not passed as text, except −0.
        return if text == "-0" { visitor.visit_u64(0) } else { in_full(visitor, text.to_owned()) };
    }
    match number.exact_float() {
        // The sign of −0.0 is not part of its value.
        Some(0.0) if text.starts_with('-') => visitor.visit_f64(-0.0),
        Some(float) => visitor.visit_f64(float),
        None => {
            let plain = decimal::decimal(&number).and_then(|_| number.plain().ok());
            // A `Decimal` that is read from the buffer later would round 0.123…, but refuses 123…e-35.
            in_full(visitor, plain.unwrap_or_else(|| number.scientific()))
        }
    }
}

/// Passes a number as serde_json does, with all its digits.
fn in_full<'de, V: Visitor<'de>, E: Error>(visitor: V, text: String) -> Result<V::Value, E> {
    visitor.visit_map(MapDeserializer::new(std::iter::once((NUMBER, text))))
}

/// An object whose first key, if it has one, was read already.
struct ObjectWithFirstKey<'de, A> {
    first: Option<Cow<'de, str>>,
    rest: Counted<A>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for ObjectWithFirstKey<'de, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        match self.first.take() {
            Some(Cow::Borrowed(key)) => seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some),
            Some(Cow::Owned(key)) => seed.deserialize(StringDeserializer::new(key)).map(Some),
            None => self.rest.next_key_seed(seed),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.rest.next_value_seed(seed)
    }
}

/// Reads the first key of an object.
struct FirstKey;

impl<'de> DeserializeSeed<'de> for FirstKey {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for FirstKey {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// Reads the text of a number under [`NUMBER`].
struct NumberText;

impl<'de> DeserializeSeed<'de> for NumberText {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for NumberText {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Reserved(NUMBER), f)
    }

    /// A string of the JSON itself is passed as `&str`: this is an object with a key of this name, which `Value` would read as a
    /// number.
    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Err(E::invalid_type(Unexpected::Str(text), &self))
    }

    /// Only the text of a number that serde_json passes is a `String`.
    fn visit_string<E>(self, text: String) -> Result<String, E> {
        Ok(text)
    }
}

/// The message for an object that begins with a reserved key.
struct Reserved(&'static str);

impl fmt::Display for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object whose first key is not `{}`, which serde_json reserves", self.0)
    }
}
