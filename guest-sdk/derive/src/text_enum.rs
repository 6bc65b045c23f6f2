//! `#[derive(TextEnum)]`

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Fields, Ident, LitStr, Variant};

use crate::{errors::Errors, shape};

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let texts: Vec<(&Ident, LitStr)> =
        shape::variants(input, "TextEnum")?.into_iter().filter_map(|variant| errors.take(text(variant))).collect();
    let mut seen = HashMap::new();
    for (variant, text) in &texts {
        if let Some(before) = seen.insert(text.value(), *variant) {
            let message = format!("`{before}` already has the text \"{}\"", text.value());
            errors.add(syn::Error::new_spanned(text, message));
        }
    }
    errors.finish(generate(&input.ident, &texts))
}

fn text(variant: &Variant) -> syn::Result<(&Ident, LitStr)> {
    if !matches!(variant.fields, Fields::Unit) {
        return Err(syn::Error::new_spanned(&variant.fields, "a variant that is stored as text cannot have fields"));
    }
    let Some(attribute) = shape::attribute(&variant.attrs, "text")? else {
        let message = "give the text of this variant in the column with #[text(\"…\")]";
        return Err(syn::Error::new_spanned(variant, message));
    };
    let text: LitStr = attribute.parse_args()?;
    if text.value().contains('\0') {
        return Err(syn::Error::new_spanned(text, "the text contains NUL (\\0), which Postgres cannot hold"));
    }
    Ok((&variant.ident, text))
}

fn generate(name: &Ident, texts: &[(&Ident, LitStr)]) -> TokenStream {
    let variants: Vec<_> = texts.iter().map(|(variant, _)| variant).collect();
    let texts: Vec<_> = texts.iter().map(|(_, text)| text).collect();
    quote! {
        #[automatically_derived]
        impl ::gnomon_sdk::TextEnum for #name {
            const TEXTS: &'static [&'static str] = &[#(#texts),*];

            fn as_text(&self) -> &'static str {
                match self {
                    #(Self::#variants => #texts,)*
                }
            }

            fn from_text(text: &str) -> ::core::option::Option<Self> {
                ::core::option::Option::Some(match text {
                    #(#texts => Self::#variants,)*
                    _ => return ::core::option::Option::None,
                })
            }
        }

        #[automatically_derived]
        impl ::gnomon_sdk::Column for #name {
            const TYPE: ::gnomon_sdk::schema::ColumnType = ::gnomon_sdk::schema::ColumnType::Text;

            fn settle_sized(&mut self) -> ::core::result::Result<usize, ::gnomon_sdk::Failure> {
                ::core::result::Result::Ok(::gnomon_sdk::TextEnum::as_text(self).len())
            }

            fn to_value(&self) -> ::core::result::Result<::gnomon_sdk::schema::Value, ::gnomon_sdk::Failure> {
                ::core::result::Result::Ok(::gnomon_sdk::schema::text_value(self))
            }

            fn from_value(value: ::gnomon_sdk::schema::Value) -> ::core::result::Result<Self, ::gnomon_sdk::Failure> {
                ::gnomon_sdk::schema::text_variant(value)
            }
        }

        #[automatically_derived]
        impl ::gnomon_sdk::schema::NotNull for #name {}

        #[automatically_derived]
        impl ::gnomon_sdk::schema::IndexColumn for #name {
            type Wanted<'a> = Self;

            fn wanted_value(
                wanted: Self,
            ) -> ::core::result::Result<::gnomon_sdk::schema::Value, ::gnomon_sdk::Failure> {
                ::core::result::Result::Ok(::gnomon_sdk::schema::text_value(&wanted))
            }
        }

        #[automatically_derived]
        impl ::gnomon_sdk::schema::KeyColumn for #name {
            type Key<'a> = Self;

            // A match, so that the enum need not be `Copy`.
            fn as_key(&self) -> Self {
                match self {
                    #(Self::#variants => Self::#variants,)*
                }
            }
        }

        #[automatically_derived]
        impl ::gnomon_sdk::schema::IntoKey<#name> for #name {
            fn into_key(self) -> Self {
                self
            }
        }

        #[automatically_derived]
        impl ::gnomon_sdk::schema::IntoKey<#name> for &#name {
            fn into_key(self) -> #name {
                ::gnomon_sdk::schema::KeyColumn::as_key(self)
            }
        }

        #[automatically_derived]
        impl ::gnomon_sdk::schema::Key for #name {
            fn hash(&self, hasher: &mut impl ::core::hash::Hasher) {
                ::core::hash::Hash::hash(::gnomon_sdk::TextEnum::as_text(self), hasher);
            }

            fn is(&self, cells: &[::gnomon_sdk::schema::Value]) -> bool {
                ::gnomon_sdk::schema::is_text(self, cells)
            }

            fn push_cells(&self, cells: &mut ::std::vec::Vec<::gnomon_sdk::schema::Value>) {
                cells.push(::gnomon_sdk::schema::text_value(self));
            }
        }
    }
}
