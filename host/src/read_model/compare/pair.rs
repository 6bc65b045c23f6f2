//! Two tables with one name, and the parts of statements on both.

use super::difference::{ColumnDifferences, ColumnShape, RetypedColumn};
use crate::read_model::{
    identifier::Identifier,
    table::{Column, Table},
    value::{ColumnType, shown_in_json},
};

/// Two tables with one name in two schemas.
///
/// Their aliases in statements are `"Left"` and `"Right"`. Names of columns have no capital letters, so an alias always means the
/// row.
pub(super) struct Pair<'t> {
    pub(super) left: (&'t Identifier, &'t Table),
    pub(super) right: (&'t Identifier, &'t Table),
    /// Columns outside of the key that both have with the same type.
    pub(super) common: Vec<&'t Column>,
}

impl<'t> Pair<'t> {
    pub(super) fn new(left: (&'t Identifier, &'t Table), right: (&'t Identifier, &'t Table)) -> Self {
        let is_common = |(index, column): &(usize, &Column)| {
            let same = |other: &Column| other.column_type == column.column_type;
            !left.1.key().contains(index) && right.1.column(column.name.as_str()).is_some_and(same)
        };
        let common = left.1.columns().iter().enumerate().filter(is_common).map(|(_, column)| column).collect();
        Self { left, right, common }
    }

    /// How the columns differ.
    pub(super) fn column_differences(&self) -> ColumnDifferences {
        let (left, right) = (self.left.1, self.right.1);
        let missing = |in_table: &Table, column: &&Column| in_table.column(column.name.as_str()).is_none();
        let retyped = |column: &Column| {
            let other = right.column(column.name.as_str())?.column_type;
            let differs = other != column.column_type;
            differs.then(|| RetypedColumn { column: column.name.clone(), left: column.column_type, right: other })
        };
        ColumnDifferences {
            only_left: left.columns().iter().filter(|column| missing(right, column)).map(ColumnShape::of).collect(),
            only_right: right.columns().iter().filter(|column| missing(left, column)).map(ColumnShape::of).collect(),
            retyped: left.columns().iter().filter_map(retyped).collect(),
        }
    }

    /// Both keys, if they have different columns. The order of the columns does not matter.
    pub(super) fn other_key(&self) -> Option<(Vec<ColumnShape>, Vec<ColumnShape>)> {
        let key = |table: &Table| table.key_columns().map(ColumnShape::of).collect::<Vec<_>>();
        let sorted = |key: &[ColumnShape]| {
            let mut key = key.to_vec();
            key.sort_unstable_by(|one, other| one.column.cmp(&other.column));
            key
        };
        let (left, right) = (key(self.left.1), key(self.right.1));
        (sorted(&left) != sorted(&right)).then_some((left, right))
    }

    /// The left table, as a part of a `FROM`.
    pub(super) fn left_source(&self) -> String {
        format!("{} AS \"Left\"", qualified(self.left))
    }

    /// The right table, as a part of a `FROM`.
    pub(super) fn right_source(&self) -> String {
        format!("{} AS \"Right\"", qualified(self.right))
    }

    /// The condition that two rows have the same key.
    pub(super) fn same_key(&self) -> String {
        let same = |column: &Column| format!("\"Left\".{0} = \"Right\".{0}", column.name.quoted());
        self.left.1.key_columns().map(same).collect::<Vec<_>>().join(" AND ")
    }

    /// The terms of an `ORDER BY` the key, with the columns of one side.
    pub(super) fn key_order(&self, side: &str) -> String {
        let column = |column: &Column| format!("\"{side}\".{}", column.name.quoted());
        self.left.1.key_columns().map(column).collect::<Vec<_>>().join(", ")
    }

    /// For each common column, the condition that two rows differ in it.
    pub(super) fn differences(&self) -> impl ExactSizeIterator<Item = String> {
        self.common.iter().map(|column| {
            let name = column.name.quoted();
            let form = match column.column_type {
                // 1 and 1.0 are equal as jsonb, but different to a module that reads them.
                ColumnType::Json => "::text COLLATE \"C\"",
                ColumnType::Text | ColumnType::CiText => " COLLATE \"C\"",
                _ => "",
            };
            format!("\"Left\".{name}{form} IS DISTINCT FROM \"Right\".{name}{form}")
        })
    }
}

/// The expression for a row of a table as JSON; `row` is the row's name.
pub(super) fn row_as_json(row: &str, table: &Table) -> String {
    let cells = table.columns().iter().map(|column| {
        let (name, cell) = (column.name.quoted(), format!("({row}).{}", column.name.quoted()));
        format!("{} AS {name}", shown_in_json(column.column_type, &cell).unwrap_or(cell))
    });
    // No column has a name with a capital letter.
    format!("(SELECT row_to_json(\"Shown\")::text FROM (SELECT {}) AS \"Shown\")", cells.collect::<Vec<_>>().join(", "))
}

/// Schema and name, quoted.
pub(super) fn qualified((schema, table): (&Identifier, &Table)) -> String {
    format!("{}.{}", schema.quoted(), table.name().quoted())
}
