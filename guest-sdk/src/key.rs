//! Keys of rows.

use std::hash::Hasher;

use crate::{Failure, schema::Value};

/// The key of a row: a value if the table has one `#[key]` column, a tuple if it has several.
///
/// ```
/// # use gnomon_sdk::prelude::*;
/// # #[derive(Table)]
/// # #[table("accounts")]
/// # struct Account { #[key] account: String, balance: i64 }
/// # #[derive(Table)]
/// # #[table("daily")]
/// # struct Daily { #[key] carrier: String, #[key] day: Date, flights: i64 }
/// # fn sketch(rows: &mut Rows, carrier: &String, day: Date) {
/// rows.get::<Account>("4711");
/// rows.get::<Daily>((carrier, day));
/// # }
/// ```
pub trait Key: IntoKey<Self> + Sized {
    /// Checks that a row can have this key.
    ///
    /// # Errors
    /// No column can hold it.
    fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Feeds the key to a hasher. Equal keys have equal hashes.
    fn hash(&self, hasher: &mut impl Hasher);

    /// Whether these cells are this key.
    fn is(&self, cells: &[Value]) -> bool;

    /// Adds the cells of this key.
    fn push_cells(&self, cells: &mut Vec<Value>);
}

/// What can be given where a key is wanted: the key, a reference to it, or a tuple of such things. So `&carrier` and `carrier.as_str()`
/// are both the key of a `String`.
///
/// Rust adapts `&String` to `&str` only where it knows already that a `&str` is wanted. In `rows.get_or_insert_with(key, || Daily { … })`
/// it learns from the closure which table is meant, after it has read the key. Hence a trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given as the key `{K}`",
    label = "not a key of the table, which is `{K}`",
    note = "the key is the type of the `#[key]` column (`&str` for a `String`), or a tuple for several, in their order"
)]
pub trait IntoKey<K> {
    /// The key.
    fn into_key(self) -> K;
}

macro_rules! tuple_keys {
    ($($($part:ident $key:ident $index:tt)*;)*) => {$(
        impl<$($part: IntoKey<$key>, $key),*> IntoKey<($($key,)*)> for ($($part,)*) {
            fn into_key(self) -> ($($key,)*) {
                ($(self.$index.into_key(),)*)
            }
        }

        impl<$($part: Key),*> Key for ($($part,)*) {
            fn check(&self) -> Result<(), Failure> {
                $(self.$index.check()?;)*
                Ok(())
            }

            fn hash(&self, hasher: &mut impl Hasher) {
                $(self.$index.hash(hasher);)*
            }

            fn is(&self, cells: &[Value]) -> bool {
                // Each part is one cell.
                $(cells.get($index..=$index).is_some_and(|cells| self.$index.is(cells)))&&*
            }

            fn push_cells(&self, cells: &mut Vec<Value>) {
                $(self.$index.push_cells(cells);)*
            }
        }
    )*};
}

// Up to `gnomon_values::limits::MAX_INDEX_COLUMNS`.
tuple_keys! {
    A AK 0 B BK 1;
    A AK 0 B BK 1 C CK 2;
    A AK 0 B BK 1 C CK 2 D DK 3;
    A AK 0 B BK 1 C CK 2 D DK 3 E EK 4;
    A AK 0 B BK 1 C CK 2 D DK 3 E EK 4 F FK 5;
    A AK 0 B BK 1 C CK 2 D DK 3 E EK 4 F FK 5 G GK 6;
    A AK 0 B BK 1 C CK 2 D DK 3 E EK 4 F FK 5 G GK 6 H HK 7;
    A AK 0 B BK 1 C CK 2 D DK 3 E EK 4 F FK 5 G GK 6 H HK 7 I IK 8;
    A AK 0 B BK 1 C CK 2 D DK 3 E EK 4 F FK 5 G GK 6 H HK 7 I IK 8 J JK 9;
    A AK 0 B BK 1 C CK 2 D DK 3 E EK 4 F FK 5 G GK 6 H HK 7 I IK 8 J JK 9 K KK 10;
    A AK 0 B BK 1 C CK 2 D DK 3 E EK 4 F FK 5 G GK 6 H HK 7 I IK 8 J JK 9 K KK 10 L LK 11;
    A AK 0 B BK 1 C CK 2 D DK 3 E EK 4 F FK 5 G GK 6 H HK 7 I IK 8 J JK 9 K KK 10 L LK 11 M MK 12;
    A AK 0 B BK 1 C CK 2 D DK 3 E EK 4 F FK 5 G GK 6 H HK 7 I IK 8 J JK 9 K KK 10 L LK 11 M MK 12 N NK 13;
    A AK 0 B BK 1 C CK 2 D DK 3 E EK 4 F FK 5 G GK 6 H HK 7 I IK 8 J JK 9 K KK 10 L LK 11 M MK 12 N NK 13 O OK 14;
    A AK 0 B BK 1 C CK 2 D DK 3 E EK 4 F FK 5 G GK 6 H HK 7 I IK 8 J JK 9 K KK 10 L LK 11 M MK 12 N NK 13 O OK 14 P PK 15;
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hasher};

    use rust_decimal::Decimal;
    use uuid::Uuid;

    use super::*;
    use crate::{Date, TextEnum, Timestamp, schema::KeyColumn};

    #[derive(TextEnum)]
    enum State {
        #[text("arrived")]
        Arrived,
    }

    fn hash(key: &impl Key) -> u64 {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        hasher.finish()
    }

    fn cells(key: &impl Key) -> Vec<Value> {
        let mut cells = Vec::new();
        key.push_cells(&mut cells);
        cells
    }

    /// Checks that a key that is stored and read back is the same key.
    fn survives<C: KeyColumn>(value: C) {
        let cells = cells(&value.as_key());
        assert!(value.as_key().is(&cells), "{cells:?}");
        let again = C::from_value(cells[0].clone()).unwrap();
        assert!(again.as_key().is(&cells), "{cells:?}");
        assert_eq!(hash(&value.as_key()), hash(&again.as_key()), "{cells:?}");
    }

    #[test]
    fn keys_survive_being_stored() {
        survives("Straße".to_owned());
        survives(vec![0_u8, 255]);
        survives(State::Arrived);
        survives(true);
        survives(-7_i8);
        survives(i64::MIN);
        survives(u32::MAX);
        survives(Decimal::new(150, 2));
        survives(Decimal::ZERO);
        survives(Timestamp::from_timestamp_nanos(-1_999));
        survives(Date::from_ymd_opt(1969, 12, 31).unwrap());
        survives(Uuid::from_u128(u128::MAX - 1));
    }

    #[test]
    fn the_parts_of_a_key_are_distinguished() {
        let (left, right) = (("ab", "c"), ("a", "bc"));
        assert!(left.is(&cells(&left)));
        assert!(!left.is(&cells(&right)));
        assert_ne!(hash(&left), hash(&right));
        assert!(!left.is(&cells(&"ab")));
    }
}
