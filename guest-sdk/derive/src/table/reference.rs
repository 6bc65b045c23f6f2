//! `#[references(Table)]` on a field, and `#[references(Table, columns(…))]` on the struct

use syn::{
    Attribute, Ident, Path, Token,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use super::column::{Column, indexes_of};
use crate::shape;

/// A reference to the key of a table.
pub(super) struct Reference {
    /// The row of that table.
    pub(super) row: Path,
    /// Indexes in the columns of the table.
    pub(super) columns: Vec<usize>,
}

struct Parsed {
    row: Path,
    fields: Option<Vec<Ident>>,
}

/// The reference of a field, which is the column of this index.
pub(super) fn of_field(attributes: &[Attribute], column: usize) -> syn::Result<Option<Reference>> {
    let Some(attribute) = shape::attribute(attributes, "references")? else { return Ok(None) };
    let Parsed { row, fields } = attribute.parse_args()?;
    if fields.is_some() {
        let message =
            "on a field, #[references(…)] names the row of a table only; with columns(…) it stands on the struct";
        return Err(syn::Error::new_spanned(attribute, message));
    }
    Ok(Some(Reference { row, columns: vec![column] }))
}

/// The reference of an attribute of the struct.
pub(super) fn of_table(attribute: &Attribute, columns: &[Column<'_>]) -> syn::Result<Reference> {
    let Parsed { row, fields } = attribute.parse_args()?;
    match fields.as_deref() {
        None | Some([]) => {
            let message = "on a struct, #[references(…)] names the columns as well: `#[references(Leg, columns(flight, leg))]`; for one \
                           column it can stand on the field, as `#[references(Leg)]`";
            Err(syn::Error::new_spanned(attribute, message))
        }
        Some(fields) => Ok(Reference { row, columns: indexes_of(fields, columns, "the reference")? }),
    }
}

impl Parse for Parsed {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let row = input.parse()?;
        let mut fields = None;
        if input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let word: Ident = input.parse()?;
            if word != "columns" {
                return Err(syn::Error::new_spanned(word, "expected `columns(…)`"));
            }
            let list;
            parenthesized!(list in input);
            let list = Punctuated::<Ident, Token![,]>::parse_terminated_with(&list, Ident::parse_any)?;
            fields = Some(list.into_iter().collect());
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(Self { row, fields })
    }
}
