//! The tables of a projection.

use crate::{rows::CachedTable, schema::TableSchema, table::Table};

/// The tables of a projection: one, as in `type Tables = Account`, or a tuple of several.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a table nor a tuple of tables",
    note = "derive it: `#[derive(Table)]` and `#[table(\"…\")]` on a struct with named fields"
)]
pub trait Tables {
    /// The shapes of the tables.
    fn schemas() -> Vec<TableSchema>;

    /// An empty cache for each table.
    #[doc(hidden)]
    fn caches() -> Vec<CachedTable>;
}

impl<T: Table> Tables for T {
    fn schemas() -> Vec<TableSchema> {
        vec![T::SCHEMA]
    }

    fn caches() -> Vec<CachedTable> {
        vec![CachedTable::new::<T>()]
    }
}

macro_rules! tuples_of_tables {
    ($($($table:ident)*;)*) => {$(
        impl<$($table: Table),*> Tables for ($($table,)*) {
            fn schemas() -> Vec<TableSchema> {
                vec![$($table::SCHEMA),*]
            }

            fn caches() -> Vec<CachedTable> {
                vec![$(CachedTable::new::<$table>()),*]
            }
        }
    )*};
}

tuples_of_tables! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}
