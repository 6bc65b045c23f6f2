//! Rows of read models.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Object, RefOr, Schema, Type},
};

/// A row of a read model, as the host wrote it: an object with a member for each column.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Row(pub Box<RawValue>);

impl PartialSchema for Row {
    fn schema() -> RefOr<Schema> {
        let about = "A row of a read model: an object with a member for each column.";
        Object::builder().schema_type(Type::Object).description(Some(about)).into()
    }
}

impl ToSchema for Row {}

impl Row {
    /// The columns and their cells, in the order in which they are written.
    ///
    /// # Errors
    /// The row is not an object.
    pub fn cells(&self) -> Result<Vec<(String, Value)>, serde_json::Error> {
        serde_json::from_str::<Cells>(self.0.get()).map(|cells| cells.0)
    }
}

/// A list, since a map would sort the columns.
struct Cells(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Cells {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Cells;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a row")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cells, A::Error> {
                let mut cells = Vec::new();
                while let Some(cell) = map.next_entry()? {
                    cells.push(cell);
                }
                Ok(Cells(cells))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
