//! Columns of numbers.

use rust_decimal::Decimal;

use super::scalar::Scalar;
use crate::{
    Failure,
    schema::{ColumnType, Float, Value},
};

macro_rules! integers {
    ($($ty:ty),*) => {$(
        impl Scalar for $ty {
            const TYPE: ColumnType = ColumnType::I64;

            fn into_cell(self) -> Value {
                Value::I64(i64::from(self))
            }

            fn from_cell(cell: &Value) -> Option<Result<Self, Failure>> {
                let Value::I64(number) = cell else { return None };
                Some(<$ty>::try_from(*number).map_err(|_| {
                    Failure::new(format!("{number} does not fit {}", stringify!($ty)))
                }))
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, u8, u16, u32);

impl Scalar for f64 {
    const TYPE: ColumnType = ColumnType::F64;

    fn settled(self) -> Self {
        Float::new(self).get()
    }

    fn into_cell(self) -> Value {
        Value::F64(Float::new(self))
    }

    fn from_cell(cell: &Value) -> Option<Result<Self, Failure>> {
        let Value::F64(number) = cell else { return None };
        Some(Ok(number.get()))
    }
}

impl Scalar for Decimal {
    const TYPE: ColumnType = ColumnType::Decimal;
    /// A sign, a zero, a point and the 28 digits that a scale may have.
    const MAX_BYTES: usize = 31;

    fn settled(self) -> Self {
        self.normalize()
    }

    fn into_cell(self) -> Value {
        Value::Decimal(self.normalize().to_string())
    }

    fn from_cell(cell: &Value) -> Option<Result<Self, Failure>> {
        let Value::Decimal(text) = cell else { return None };
        Some(Self::from_str_exact(text).map_err(Failure::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    #[test]
    fn small_integers_are_read_checked() {
        assert_eq!(u8::from_value(Value::I64(255)), Ok(255));
        assert_eq!(u8::from_value(Value::I64(256)), Err(Failure::new("256 does not fit u8")));
        assert_eq!(u32::from_value(Value::I64(-1)), Err(Failure::new("-1 does not fit u32")));
    }

    #[test]
    fn a_cell_of_another_type_is_refused() {
        let found = i64::from_value(Value::Text("7".into()));
        assert_eq!(found, Err(Failure::new("expected a cell of type i64, found \"7\"")));
    }

    #[test]
    fn decimals_have_the_form_of_the_host() {
        for text in [
            "0",
            "1.50",
            "-0.00",
            "100",
            "-12.340",
            "0.001",
            "79228162514264337593543950335",
            "-0.0000000000000000000000000001",
        ] {
            let decimal: Decimal = text.parse().unwrap();
            let Ok(Value::Decimal(cell)) = decimal.to_value() else { panic!("{text} is not a decimal cell") };
            let golden = include_str!("../../values/tests/golden/decimals.tsv");
            let form = golden.lines().filter_map(|line| line.split_once('\t')).find(|(written, _)| *written == text);
            assert_eq!(form, Some((text, cell.as_str())));
        }
    }

    #[test]
    fn equal_decimals_are_one_cell() {
        for (text, cell) in [("1.50", "1.5"), ("-0.00", "0"), ("100", "100"), ("-12.340", "-12.34"), ("0.001", "0.001")]
        {
            let decimal: Decimal = text.parse().unwrap();
            assert_eq!(decimal.to_value(), Ok(Value::Decimal(cell.into())), "{text}");
        }
    }

    #[test]
    fn the_longest_decimals_survive_a_round_trip() {
        for decimal in [Decimal::MAX, Decimal::MIN, Decimal::new(1, 28), Decimal::new(-1, 28)] {
            assert_eq!(Decimal::from_value(decimal.to_value().unwrap()), Ok(decimal));
            assert!(decimal.to_value().unwrap().heap_bytes() <= Decimal::MAX_BYTES);
        }
    }

    #[test]
    fn a_settled_decimal_has_lost_its_scale() {
        let mut decimal: Decimal = "1.50".parse().unwrap();
        decimal.settle().unwrap();
        assert_eq!(decimal.to_string(), "1.5");
    }

    #[test]
    fn there_is_one_zero_and_one_nan() {
        let (mut zero, mut nan) = (-0.0_f64, f64::from_bits(0xfff8_0000_0000_0001));
        zero.settle().unwrap();
        nan.settle().unwrap();
        assert_eq!((zero.to_bits(), nan.to_bits()), (0, f64::NAN.to_bits()));
        assert_eq!(nan.to_value(), Ok(Value::F64(Float::new(f64::NAN))));
    }
}
