//! `#[derive(Table)]`

mod declaration;
mod generate;

use proc_macro2::TokenStream;
use syn::DeriveInput;

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    declaration::read(input).map(|declaration| generate::generate(&declaration))
}
