//! `#[derive(Table)]`

mod column;
mod declaration;
mod generate;
mod index;
mod reference;

use proc_macro2::TokenStream;
use syn::DeriveInput;

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    declaration::read(input).map(|declaration| generate::generate(&declaration))
}
