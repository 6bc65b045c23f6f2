//! A field of the struct, which is a column of the table.

use proc_macro2::Span;
use syn::{Field, Ident, LitStr, Meta, Type, ext::IdentExt};

use crate::{description, identifier, shape};

pub(super) struct Column<'a> {
    pub(super) field: &'a Ident,
    pub(super) ty: &'a Type,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) is_key: bool,
    pub(super) span: Span,
}

pub(super) fn read(field: &Field) -> syn::Result<Column<'_>> {
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
    let description = description::read(&field.attrs)?;
    Ok(Column { field: ident, ty: &field.ty, name, description, is_key, span })
}

/// The indexes of fields in the columns; `user` names them, once each.
pub(super) fn indexes_of(fields: &[Ident], columns: &[Column<'_>], user: &str) -> syn::Result<Vec<usize>> {
    let mut indexes = Vec::new();
    for field in fields {
        let Some(index) = columns.iter().position(|column| column.field == field) else {
            return Err(syn::Error::new_spanned(field, format!("this table has no field `{field}`")));
        };
        if indexes.contains(&index) {
            return Err(syn::Error::new_spanned(field, format!("{user} has the column `{field}` twice")));
        }
        indexes.push(index);
    }
    Ok(indexes)
}
