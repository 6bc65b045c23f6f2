//! Generates the code for a checked declaration.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::declaration::{Column, Declaration, Index};

pub(super) fn generate(declaration: &Declaration<'_>) -> TokenStream {
    let row = declaration.row;
    let key_type = key_type(declaration);
    let schema = schema(declaration);
    let key = key(declaration);
    let settle = declaration.columns.iter().map(settle);
    let count = declaration.columns.len();
    let to_values = declaration.columns.iter().map(to_value);
    let from_values = declaration.columns.iter().map(from_value);
    let finds = finds(declaration);
    quote! {
        #[automatically_derived]
        impl ::gnomon_sdk::Table for #row {
            type Key<'a> = #key_type;

            const SCHEMA: ::gnomon_sdk::schema::TableSchema = #schema;

            fn key(&self) -> Self::Key<'_> {
                #key
            }

            fn settle(&mut self) -> ::core::result::Result<usize, ::gnomon_sdk::Failure> {
                ::core::result::Result::Ok(0 #(+ #settle)*)
            }

            fn to_cells(
                &self,
            ) -> ::core::result::Result<::std::vec::Vec<::gnomon_sdk::schema::Value>, ::gnomon_sdk::Failure> {
                ::core::result::Result::Ok(::std::vec![#(#to_values),*])
            }

            fn from_cells(
                cells: ::std::vec::Vec<::gnomon_sdk::schema::Value>,
            ) -> ::core::result::Result<Self, ::gnomon_sdk::Failure> {
                let mut cells = ::gnomon_sdk::schema::Cells::<#count>::new(cells)?;
                ::core::result::Result::Ok(Self { #(#from_values),* })
            }
        }

        #finds
    }
}

fn key_type(declaration: &Declaration<'_>) -> TokenStream {
    let parts: Vec<_> = declaration
        .key()
        .map(|column| {
            let ty = column.ty;
            quote_spanned!(ty.span()=> <#ty as ::gnomon_sdk::schema::KeyColumn>::Key<'a>)
        })
        .collect();
    match parts.as_slice() {
        [part] => part.clone(),
        _ => quote!((#(#parts),*)),
    }
}

fn key(declaration: &Declaration<'_>) -> TokenStream {
    let parts: Vec<_> = declaration
        .key()
        .map(|Column { field, .. }| quote!(::gnomon_sdk::schema::KeyColumn::as_key(&self.#field)))
        .collect();
    match parts.as_slice() {
        [part] => part.clone(),
        _ => quote!((#(#parts),*)),
    }
}

fn schema(declaration: &Declaration<'_>) -> TokenStream {
    let name = &declaration.name;
    let columns = declaration.columns.iter().map(|column| {
        let name = &column.name;
        let trait_of = as_column(column);
        quote!(::gnomon_sdk::schema::ColumnSchema {
            name: #name,
            column_type: #trait_of::TYPE,
            nullable: #trait_of::NULLABLE,
        })
    });
    let key = declaration.key().map(|column| &column.name);
    let indexes = declaration.indexes.iter().map(|Index { name, columns }| {
        let name = name.to_string();
        let columns = columns.iter().map(|&index| &declaration.columns[index].name);
        quote!(::gnomon_sdk::schema::IndexSchema { name: #name, columns: &[#(#columns),*] })
    });
    quote!(::gnomon_sdk::schema::TableSchema {
        name: #name,
        columns: &[#(#columns),*],
        key: &[#(#key),*],
        indexes: &[#(#indexes),*],
    })
}

fn settle(column: &Column<'_>) -> TokenStream {
    let Column { field, name, .. } = column;
    let trait_of = as_column(column);
    quote!(#trait_of::settle_sized(&mut self.#field).map_err(|failure| failure.in_column(#name))?)
}

fn to_value(column: &Column<'_>) -> TokenStream {
    let Column { field, name, .. } = column;
    let trait_of = as_column(column);
    quote!(#trait_of::to_value(&self.#field).map_err(|failure| failure.in_column(#name))?)
}

fn from_value(column: &Column<'_>) -> TokenStream {
    let Column { field, name, .. } = column;
    let trait_of = as_column(column);
    quote!(#field: #trait_of::from_value(cells.next()).map_err(|failure| failure.in_column(#name))?)
}

/// The type as a column, with the span of the type, so that the compiler reports a type that cannot be a column there.
fn as_column(Column { ty, .. }: &Column<'_>) -> TokenStream {
    quote_spanned!(ty.span()=> <#ty as ::gnomon_sdk::Column>)
}

/// A function for each index, which makes a search by it.
fn finds(declaration: &Declaration<'_>) -> TokenStream {
    if declaration.indexes.is_empty() {
        return TokenStream::new();
    }
    let row = declaration.row;
    let functions = declaration.indexes.iter().map(|index| find(declaration, index));
    quote! {
        #[automatically_derived]
        impl #row {
            #(#functions)*
        }
    }
}

fn find(declaration: &Declaration<'_>, index: &Index) -> TokenStream {
    let visibility = declaration.visibility;
    let function = &index.name;
    let name = function.to_string();
    let columns: Vec<_> = index.columns.iter().map(|&index| &declaration.columns[index]).collect();
    let fields: Vec<_> = columns.iter().map(|column| column.field).collect();
    let types = columns
        .iter()
        .map(|Column { ty, .. }| quote_spanned!(ty.span()=> <#ty as ::gnomon_sdk::schema::IndexColumn>::Wanted<'_>));
    let values = columns.iter().map(|Column { field, name, ty, .. }| {
        quote!(<#ty as ::gnomon_sdk::schema::IndexColumn>::wanted_value(#field)
                .map_err(|failure| failure.in_column(#name)))
    });
    let listed = columns.iter().map(|column| format!("`{}`", column.name)).collect::<Vec<_>>().join(" and ");
    let doc = format!("Searches for the rows with this {listed}, for `Rows::find`.");
    quote! {
        #[doc = #doc]
        #visibility fn #function(#(#fields: #types),*) -> ::gnomon_sdk::Find<Self> {
            ::gnomon_sdk::Find::new(#name, [#(#values),*])
        }
    }
}
