//! The derives of `gnomon-sdk`, which re-exports and documents them. Other crates do not use this crate directly.
//!
//! Each derive checks the declaration before it generates code, and reports every error at the token that is wrong, so that an
//! author sees errors before a host does.

mod description;
mod errors;
mod events;
mod identifier;
mod shape;
mod table;
mod text_enum;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Reads events of named types into the variants of an enum. See `gnomon_sdk::Events`.
#[proc_macro_derive(Events, attributes(event))]
pub fn derive_events(input: TokenStream) -> TokenStream {
    expand(&parse_macro_input!(input as DeriveInput), events::derive)
}

/// Makes a struct the row of a table. See `gnomon_sdk::Table`.
#[proc_macro_derive(Table, attributes(table, index, key, column, references))]
pub fn derive_table(input: TokenStream) -> TokenStream {
    expand(&parse_macro_input!(input as DeriveInput), table::derive)
}

/// Stores the variants of an enum as texts in a column. See `gnomon_sdk::TextEnum`.
#[proc_macro_derive(TextEnum, attributes(text))]
pub fn derive_text_enum(input: TokenStream) -> TokenStream {
    expand(&parse_macro_input!(input as DeriveInput), text_enum::derive)
}

fn expand(input: &DeriveInput, derive: fn(&DeriveInput) -> syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    derive(input).unwrap_or_else(syn::Error::into_compile_error).into()
}
