//! Newtypes of the domain as values of statements and rows.
//!
//! A value in Postgres that the type does not have is an error that names it, never a default.

/// Lets statements and rows have a newtype of a number as a number of Postgres: `sql_number!(Position(u64) as i64)`.
///
/// A number beyond the range of the column is sent as the largest of the range: clients may send any number, and no row has
/// either.
macro_rules! sql_number {
    ($name:ident($inner:ty) as $column:ty) => {
        impl sqlx::Type<sqlx::Postgres> for $name {
            fn type_info() -> sqlx::postgres::PgTypeInfo {
                <$column as sqlx::Type<sqlx::Postgres>>::type_info()
            }
        }

        impl sqlx::postgres::PgHasArrayType for $name {
            fn array_type_info() -> sqlx::postgres::PgTypeInfo {
                <$column as sqlx::postgres::PgHasArrayType>::array_type_info()
            }
        }

        impl $name {
            /// The number as Postgres has it.
            pub(crate) fn wire(self) -> $column {
                <$column>::try_from(<$inner>::from(self)).unwrap_or(<$column>::MAX)
            }

            /// From the number that Postgres has.
            ///
            /// # Errors
            /// The type has no such value.
            pub(crate) fn from_wire(number: $column) -> Result<Self, sqlx::Error> {
                let inner = <$inner>::try_from(number).ok().and_then(|inner| Self::try_from(inner).ok());
                let refuse = || format!("{number} in Postgres is not a {}", stringify!($name));
                inner.ok_or_else(|| sqlx::Error::Decode(refuse().into()))
            }
        }

        impl sqlx::Encode<'_, sqlx::Postgres> for $name {
            fn encode_by_ref(
                &self,
                buffer: &mut sqlx::postgres::PgArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                sqlx::Encode::<sqlx::Postgres>::encode_by_ref(&self.wire(), buffer)
            }
        }

        impl sqlx::Decode<'_, sqlx::Postgres> for $name {
            fn decode(value: sqlx::postgres::PgValueRef<'_>) -> Result<Self, sqlx::error::BoxDynError> {
                Ok(Self::from_wire(<$column as sqlx::Decode<sqlx::Postgres>>::decode(value)?)?)
            }
        }
    };
}

/// Lets statements and rows have a type as `text`: it is written by `as_str()` and read by `TryFrom<String>`.
macro_rules! sql_text {
    ($name:ident) => {
        impl sqlx::Type<sqlx::Postgres> for $name {
            fn type_info() -> sqlx::postgres::PgTypeInfo {
                <str as sqlx::Type<sqlx::Postgres>>::type_info()
            }

            fn compatible(found: &sqlx::postgres::PgTypeInfo) -> bool {
                <str as sqlx::Type<sqlx::Postgres>>::compatible(found)
            }
        }

        impl sqlx::postgres::PgHasArrayType for $name {
            fn array_type_info() -> sqlx::postgres::PgTypeInfo {
                <&str as sqlx::postgres::PgHasArrayType>::array_type_info()
            }
        }

        impl sqlx::Encode<'_, sqlx::Postgres> for $name {
            fn encode_by_ref(
                &self,
                buffer: &mut sqlx::postgres::PgArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                <&str as sqlx::Encode<sqlx::Postgres>>::encode_by_ref(&self.as_str(), buffer)
            }
        }

        impl sqlx::Decode<'_, sqlx::Postgres> for $name {
            fn decode(value: sqlx::postgres::PgValueRef<'_>) -> Result<Self, sqlx::error::BoxDynError> {
                let text = <String as sqlx::Decode<sqlx::Postgres>>::decode(value)?;
                Ok(Self::try_from(text)?)
            }
        }
    };
}

pub(crate) use {sql_number, sql_text};
