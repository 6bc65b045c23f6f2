//! The tables that a projection declares, in the form in which descriptors have them.

use gnomon_values::declaration;
use serde::{Deserialize, Serialize};

/// What is wrong with a declaration.
pub use gnomon_values::declaration::DeclarationError;
/// How much the words of a column count.
pub use gnomon_values::full_text::Weight;

use super::value::ColumnType;

/// A table as a module declares it, not checked yet. Descriptors are stored and shown in this form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDeclaration {
    /// The table's name.
    pub name: String,
    /// What a row is, as the author says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its columns, in order.
    pub columns: Vec<ColumnDeclaration>,
    /// The columns that identify a row.
    pub key: Vec<String>,
    /// Its indexes in addition to the key.
    #[serde(default)]
    pub indexes: Vec<IndexDeclaration>,
    /// Which of its columns are keys of which tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<ReferenceDeclaration>,
}

/// A column of a [`TableDeclaration`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDeclaration {
    /// The column's name.
    pub name: String,
    /// What it means, as the author says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What its cells hold.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// Whether a cell may be null.
    #[serde(default)]
    pub nullable: bool,
}

/// An index of a [`TableDeclaration`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexDeclaration {
    /// The index's name, unique in its table.
    pub name: String,
    /// What it is over.
    #[serde(flatten)]
    pub kind: IndexKindDeclaration,
}

/// What an [`IndexDeclaration`] is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum IndexKindDeclaration {
    /// The values of columns.
    Btree {
        /// The columns, first to last.
        columns: Vec<String>,
    },
    /// What json and arrays contain.
    Gin {
        /// The columns.
        columns: Vec<String>,
    },
    /// The words of texts.
    FullText {
        /// The language of the texts.
        language: String,
        /// The columns.
        columns: Vec<WeightedColumn>,
    },
}

/// A column of a full-text index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightedColumn {
    /// The column.
    pub column: String,
    /// How much its words count.
    pub weight: Weight,
}

/// Columns of a [`TableDeclaration`] whose values are a key of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceDeclaration {
    /// The columns, in the order of that key.
    pub columns: Vec<String>,
    /// The table with the key.
    pub table: String,
}

impl TableDeclaration {
    /// The declaration in the form that [`declaration::check`] takes.
    #[must_use]
    pub fn to_check(&self) -> declaration::Table<'_> {
        fn names(names: &[String]) -> Vec<&str> {
            names.iter().map(String::as_str).collect()
        }
        let columns = self.columns.iter().map(|column| declaration::Column {
            name: &column.name,
            description: column.description.as_deref(),
            column_type: column.column_type,
            nullable: column.nullable,
        });
        let indexes = self.indexes.iter().map(|index| declaration::Index {
            name: &index.name,
            kind: match &index.kind {
                IndexKindDeclaration::Btree { columns } => declaration::IndexKind::Btree(names(columns)),
                IndexKindDeclaration::Gin { columns } => declaration::IndexKind::Gin(names(columns)),
                IndexKindDeclaration::FullText { language, columns } => declaration::IndexKind::FullText {
                    language,
                    columns: columns.iter().map(|weighted| weighted.column.as_str()).collect(),
                },
            },
        });
        let references = self
            .references
            .iter()
            .map(|reference| declaration::Reference { columns: names(&reference.columns), table: &reference.table });
        declaration::Table {
            name: &self.name,
            description: self.description.as_deref(),
            columns: columns.collect(),
            key: names(&self.key),
            indexes: indexes.collect(),
            references: references.collect(),
        }
    }
}
