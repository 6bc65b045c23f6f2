//! The tables of a module.

use crate::{rows::CachedTable, schema::TableSchema, table::Table};

/// The tables of a projection: one, as in `type Tables = Account`, or a tuple of several, up to the 32 that a host allows.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a table nor a tuple of at most 32 tables",
    note = "derive it: `#[derive(Table)]` and `#[table(\"…\")]` on a struct with named fields"
)]
pub trait Tables {
    /// The shapes of the tables.
    fn schemas() -> Vec<TableSchema>;

    /// An empty cache for each table.
    #[doc(hidden)]
    fn caches() -> Vec<CachedTable>;
}

/// No tables, for a reactor that needs no memory. A host refuses a projection without tables.
impl Tables for () {
    fn schemas() -> Vec<TableSchema> {
        Vec::new()
    }

    fn caches() -> Vec<CachedTable> {
        Vec::new()
    }
}

impl<T: Table> Tables for T {
    fn schemas() -> Vec<TableSchema> {
        vec![T::SCHEMA]
    }

    fn caches() -> Vec<CachedTable> {
        vec![CachedTable::new::<T>()]
    }
}

/// A tuple of each size up to that of the list.
macro_rules! tuples_of_tables {
    ([$($table:ident)*] $next:ident $($rest:ident)*) => {
        tuples_of_tables! { @ $($table)* $next }
        tuples_of_tables! { [$($table)* $next] $($rest)* }
    };
    ([$($table:ident)*]) => {};
    (@ $($table:ident)*) => {
        impl<$($table: Table),*> Tables for ($($table,)*) {
            fn schemas() -> Vec<TableSchema> {
                vec![$($table::SCHEMA),*]
            }

            fn caches() -> Vec<CachedTable> {
                vec![$(CachedTable::new::<$table>()),*]
            }
        }
    };
}

// `gnomon_values::limits::MAX_TABLES` of them.
tuples_of_tables! {
    [] A B C D E F G H I J K L M N O P Q R S T U V W X Y Z AA AB AC AD AE AF
}
