//! Columns of arrays.

use gnomon_values::cells::{check_text, number_array_bytes, text_array_bytes, uuid_array_bytes};
use uuid::Uuid;

use super::{Column, ElementsColumn, NotNull, mismatch};
use crate::{
    Failure,
    schema::{ColumnType, Float, Value},
};

macro_rules! arrays {
    ($($element:ty, $cell:ident, |$array:ident| $sized:expr, $into:expr, $from:expr;)*) => {$(
        impl Column for Vec<$element> {
            const TYPE: ColumnType = ColumnType::$cell;

            fn settle(&mut self) -> Result<(), Failure> {
                self.settle_sized().map(drop)
            }

            fn settle_sized(&mut self) -> Result<usize, Failure> {
                let $array = self;
                $sized
            }

            fn to_value(&self) -> Result<Value, Failure> {
                Ok(Value::$cell(self.iter().map($into).collect()))
            }

            fn from_value(value: Value) -> Result<Self, Failure> {
                match value {
                    Value::$cell(elements) => Ok(elements.into_iter().map($from).collect()),
                    other => Err(mismatch(Self::TYPE, &other)),
                }
            }
        }

        impl NotNull for Vec<$element> {}

        impl ElementsColumn for Vec<$element> {}
    )*};
}

arrays! {
    String, TextArray, |texts| {
        for text in &*texts {
            check_text(text)?;
        }
        Ok(text_array_bytes(texts.iter().map(String::len)))
    }, String::clone, |text| text;

    i64, I64Array, |numbers| Ok(number_array_bytes(numbers.len())), |number| *number, |number| number;

    f64, F64Array, |numbers| {
        for number in &mut *numbers {
            *number = Float::new(*number).get();
        }
        Ok(number_array_bytes(numbers.len()))
    }, |number| Float::new(*number), |number| number.get();

    Uuid, UuidArray, |uuids| Ok(uuid_array_bytes(uuids.len())), |uuid| *uuid, |uuid| uuid;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_survive_being_stored() {
        fn survives<C: Column + Clone + PartialEq + std::fmt::Debug>(mut array: C) {
            let before = array.clone();
            array.settle().unwrap();
            assert_eq!(array, before);
            let cell = array.to_value().unwrap();
            assert_eq!(array.settle_sized(), Ok(cell.heap_bytes()));
            assert_eq!(C::from_value(cell), Ok(before));
        }
        survives(Vec::<String>::new());
        survives(vec![String::new(), "NULL".to_owned(), "Straße".to_owned()]);
        survives(vec![i64::MIN, 0, i64::MAX]);
        survives(vec![f64::NEG_INFINITY, 0.1, 5e-324]);
        survives(vec![Uuid::nil(), Uuid::max()]);
        survives(Some(vec![1_i64]));
    }

    #[test]
    fn elements_are_what_cells_of_their_type_are() {
        let mut numbers = vec![-0.0, f64::from_bits(0xfff8_0000_0000_0001)];
        numbers.settle().unwrap();
        assert_eq!((numbers[0].to_bits(), numbers[1].to_bits()), (0, f64::NAN.to_bits()));
        let nul = vec!["a".to_owned(), "\0".to_owned()].settle().unwrap_err().to_string();
        assert!(nul.contains("NUL"), "{nul}");
        let other = Vec::<i64>::from_value(Value::TextArray(Vec::new())).unwrap_err().to_string();
        assert_eq!(other, "expected a cell of type i64[], found []");
    }
}
