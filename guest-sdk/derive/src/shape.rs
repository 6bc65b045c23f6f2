//! Checks the kind of item that a derive is used on.

use syn::{Attribute, Data, DeriveInput, Field, Fields, Variant};

/// The variants of an enum without generic parameters, at least one.
pub(crate) fn variants<'a>(input: &'a DeriveInput, derive: &str) -> syn::Result<Vec<&'a Variant>> {
    let Data::Enum(item) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, format!("{derive} can be derived for an enum only")));
    };
    refuse_generics(input, derive)?;
    if item.variants.is_empty() {
        return Err(syn::Error::new_spanned(&input.ident, format!("{derive} needs at least one variant")));
    }
    Ok(item.variants.iter().collect())
}

/// The fields of a struct without generic parameters, at least one.
pub(crate) fn fields<'a>(input: &'a DeriveInput, derive: &str) -> syn::Result<Vec<&'a Field>> {
    let Data::Struct(item) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, format!("{derive} can be derived for a struct only")));
    };
    refuse_generics(input, derive)?;
    match &item.fields {
        Fields::Named(fields) if !fields.named.is_empty() => Ok(fields.named.iter().collect()),
        _ => Err(syn::Error::new_spanned(&input.ident, format!("{derive} needs a struct with named fields"))),
    }
}

/// The one attribute of this name, if there is any.
pub(crate) fn attribute<'a>(attributes: &'a [Attribute], name: &str) -> syn::Result<Option<&'a Attribute>> {
    let mut found = attributes.iter().filter(|attribute| attribute.path().is_ident(name));
    let first = found.next();
    match found.next() {
        Some(second) => Err(syn::Error::new_spanned(second, format!("#[{name}] is given twice"))),
        None => Ok(first),
    }
}

fn refuse_generics(input: &DeriveInput, derive: &str) -> syn::Result<()> {
    if input.generics.params.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{derive} cannot be derived for a type with generic parameters: a log or a table stores one concrete type"
    );
    Err(syn::Error::new_spanned(&input.generics, message))
}
