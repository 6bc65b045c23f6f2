//! Reads and checks the declaration of a table.

use std::collections::HashSet;

use gnomon_values::limits::{MAX_COLUMNS, MAX_INDEX_COLUMNS, MAX_INDEXES, MAX_REFERENCES};
use syn::{DeriveInput, Ident, LitStr, Visibility};

use super::{
    column::{self, Column},
    index::{self, Index},
    reference::{self, Reference},
};
use crate::{description, errors::Errors, identifier, shape};

/// A key of several columns is a tuple, and the SDK implements `Key` for tuples of up to this length.
const MAX_KEY_COLUMNS: usize = MAX_INDEX_COLUMNS;

/// A table and the struct that is its row.
pub(super) struct Declaration<'a> {
    pub(super) row: &'a Ident,
    pub(super) visibility: &'a Visibility,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) columns: Vec<Column<'a>>,
    pub(super) indexes: Vec<Index>,
    pub(super) references: Vec<Reference>,
}

impl<'a> Declaration<'a> {
    pub(super) fn key(&self) -> impl Iterator<Item = &Column<'a>> {
        self.columns.iter().filter(|column| column.is_key)
    }
}

pub(super) fn read(input: &DeriveInput) -> syn::Result<Declaration<'_>> {
    let fields = shape::fields(input, "Table")?;
    let mut errors = Errors::default();
    let name = errors.take(table_name(input)).unwrap_or_default();
    let description = errors.take(description::read(&input.attrs)).flatten();
    let (mut columns, mut references) = (Vec::new(), Vec::new());
    for field in fields {
        if let Some(column) = errors.take(column::read(field)) {
            references.extend(errors.take(reference::of_field(&field.attrs, columns.len())).flatten());
            columns.push(column);
        }
    }
    check_columns(input, &columns, &mut errors);
    let attributes = |name: &'static str| input.attrs.iter().filter(move |attribute| attribute.path().is_ident(name));
    let indexes: Vec<Index> =
        attributes("index").filter_map(|attribute| errors.take(index::read(attribute, &columns))).collect();
    check_indexes(input, &indexes, &mut errors);
    for attribute in attributes("references") {
        references.extend(errors.take(reference::of_table(attribute, &columns)));
    }
    if references.len() > MAX_REFERENCES {
        let message = format!("{} references; at most {MAX_REFERENCES} are allowed", references.len());
        errors.add(syn::Error::new_spanned(&input.ident, message));
    }
    errors.finish(Declaration {
        row: &input.ident,
        visibility: &input.vis,
        name,
        description,
        columns,
        indexes,
        references,
    })
}

fn check_indexes(input: &DeriveInput, indexes: &[Index], errors: &mut Errors) {
    if indexes.len() > MAX_INDEXES {
        let message = format!("{} indexes; at most {MAX_INDEXES} are allowed", indexes.len());
        errors.add(syn::Error::new_spanned(&input.ident, message));
    }
    let mut names = HashSet::new();
    for index in indexes {
        let name = index.name.value();
        if !names.insert(name.clone()) {
            errors.add(syn::Error::new(index.name.span(), format!("two indexes are named `{name}`")));
        }
    }
}

fn table_name(input: &DeriveInput) -> syn::Result<String> {
    let Some(attribute) = shape::attribute(&input.attrs, "table")? else {
        let message = "name the table with #[table(\"…\")]";
        return Err(syn::Error::new_spanned(&input.ident, message));
    };
    let name: LitStr = attribute.parse_args()?;
    identifier::check(&name.value(), name.span(), "table")?;
    Ok(name.value())
}

fn check_columns(input: &DeriveInput, columns: &[Column<'_>], errors: &mut Errors) {
    let mut names = HashSet::new();
    for column in columns {
        if !names.insert(&column.name) {
            errors.add(syn::Error::new(column.span, format!("two columns are named `{}`", column.name)));
        }
    }
    if columns.len() > MAX_COLUMNS {
        let message = format!("{} columns; at most {MAX_COLUMNS} are allowed", columns.len());
        errors.add(syn::Error::new_spanned(&input.ident, message));
    }
    let keys = columns.iter().filter(|column| column.is_key).count();
    if keys > MAX_KEY_COLUMNS {
        let message = format!("a key of {keys} columns; at most {MAX_KEY_COLUMNS} are supported");
        errors.add(syn::Error::new_spanned(&input.ident, message));
    }
    // If a field has an error, it may be the key.
    let all_read = matches!(&input.data, syn::Data::Struct(item) if item.fields.len() == columns.len());
    if keys == 0 && all_read {
        let message = "mark the columns that identify a row with #[key]";
        errors.add(syn::Error::new_spanned(&input.ident, message));
    }
}
