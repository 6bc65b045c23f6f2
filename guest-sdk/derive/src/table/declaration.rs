//! Reads and checks the declaration of a table.

use std::collections::HashSet;

use gnomon_values::limits::{MAX_COLUMNS, MAX_INDEX_COLUMNS, MAX_INDEXES};
use proc_macro2::Span;
use syn::{
    Attribute, DeriveInput, Field, Ident, LitStr, Meta, Token, Type, Visibility, ext::IdentExt, parse::ParseStream,
    punctuated::Punctuated,
};

use crate::{errors::Errors, identifier, shape};

/// A key of several columns is a tuple, and the SDK implements `Key` for tuples of up to this length.
const MAX_KEY_COLUMNS: usize = MAX_INDEX_COLUMNS;

/// A table and the struct that is its row.
pub(super) struct Declaration<'a> {
    pub(super) row: &'a Ident,
    pub(super) visibility: &'a Visibility,
    pub(super) name: String,
    pub(super) columns: Vec<Column<'a>>,
    pub(super) indexes: Vec<Index>,
}

pub(super) struct Column<'a> {
    pub(super) field: &'a Ident,
    pub(super) ty: &'a Type,
    pub(super) name: String,
    pub(super) is_key: bool,
    span: Span,
}

pub(super) struct Index {
    /// The name of the index and of the generated function.
    pub(super) name: Ident,
    /// The indexes of its columns in [`Declaration::columns`].
    pub(super) columns: Vec<usize>,
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
    let columns: Vec<Column<'_>> = fields.into_iter().filter_map(|field| errors.take(column(field))).collect();
    check_columns(input, &columns, &mut errors);
    let indexes: Vec<Index> = input
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("index"))
        .filter_map(|attribute| errors.take(index(attribute, &columns)))
        .collect();
    if indexes.len() > MAX_INDEXES {
        let message = format!("{} indexes; at most {MAX_INDEXES} are allowed", indexes.len());
        errors.add(syn::Error::new_spanned(&input.ident, message));
    }
    let mut names = HashSet::new();
    for index in &indexes {
        if !names.insert(index.name.to_string()) {
            errors.add(syn::Error::new(index.name.span(), format!("two indexes are named `{}`", index.name)));
        }
    }
    errors.finish(Declaration { row: &input.ident, visibility: &input.vis, name, columns, indexes })
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

fn column(field: &Field) -> syn::Result<Column<'_>> {
    let Some(ident) = &field.ident else {
        return Err(syn::Error::new_spanned(field, "a column needs a name"));
    };
    let is_key = match shape::attribute(&field.attrs, "key")? {
        Some(attribute) => {
            if !matches!(attribute.meta, Meta::Path(_)) {
                return Err(syn::Error::new_spanned(attribute, "#[key] takes no arguments"));
            }
            true
        }
        None => false,
    };
    let (name, span) = match shape::attribute(&field.attrs, "column")? {
        Some(attribute) => {
            let name: LitStr = attribute.parse_args()?;
            (name.value(), name.span())
        }
        None => (ident.unraw().to_string(), ident.span()),
    };
    identifier::check_column(&name, span)?;
    Ok(Column { field: ident, ty: &field.ty, name, is_key, span })
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

/// `"name", columns(field, field)`
fn index(attribute: &Attribute, columns: &[Column<'_>]) -> syn::Result<Index> {
    let (name, fields) = attribute.parse_args_with(|input: ParseStream<'_>| {
        let name: LitStr = input.parse()?;
        let expected = || {
            syn::Error::new(name.span(), "expected the columns after the name, as in `\"by_owner\", columns(owner)`")
        };
        input.parse::<Token![,]>().map_err(|_| expected())?;
        let word: Ident = input.parse().map_err(|_| expected())?;
        if word != "columns" {
            return Err(syn::Error::new_spanned(word, "expected `columns(…)`"));
        }
        let list;
        syn::parenthesized!(list in input);
        Ok((name, Punctuated::<Ident, Token![,]>::parse_terminated_with(&list, Ident::parse_any)?))
    })?;
    identifier::check(&name.value(), name.span(), "index")?;
    let function = name.parse::<Ident>().map_err(|_| {
        let message =
            format!("`{}` is a keyword of Rust, but the derive generates a function with the name of the index: use a name such as `by_…`", name.value());
        syn::Error::new(name.span(), message)
    })?;
    if fields.is_empty() {
        return Err(syn::Error::new(name.span(), "an index needs columns, as in `\"by_owner\", columns(owner)`"));
    }
    if fields.len() > MAX_INDEX_COLUMNS {
        let message = format!("an index of {} columns; at most {MAX_INDEX_COLUMNS} are allowed", fields.len());
        return Err(syn::Error::new(name.span(), message));
    }
    let mut indexes = Vec::new();
    for field in &fields {
        let Some(index) = columns.iter().position(|column| column.field == field) else {
            return Err(syn::Error::new_spanned(field, format!("this table has no field `{field}`")));
        };
        if indexes.contains(&index) {
            return Err(syn::Error::new_spanned(field, format!("the index has the column `{field}` twice")));
        }
        indexes.push(index);
    }
    Ok(Index { name: function, columns: indexes })
}
