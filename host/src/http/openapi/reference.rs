//! Names of schemas.

use serde_json::{Value, json};

/// What names a schema of the document.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}
