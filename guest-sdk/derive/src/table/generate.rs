//! Generates the code for a checked declaration.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, spanned::Spanned};

use super::{
    column::Column,
    declaration::Declaration,
    index::{Index, Kind},
    reference::Reference,
};

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
    let name = &declaration.name;
    let checks = checks(declaration);
    quote! {
        #[automatically_derived]
        impl ::gnomon_sdk::Table for #row {
            type Key<'a> = #key_type;

            const NAME: &'static str = #name;

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

        #checks
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
    let description = description(declaration.description.as_ref());
    let columns = declaration.columns.iter().map(|column| {
        let name = &column.name;
        let description = self::description(column.description.as_ref());
        let trait_of = as_column(column);
        quote!(::gnomon_sdk::schema::ColumnSchema {
            name: #name,
            description: #description,
            column_type: #trait_of::TYPE,
            nullable: #trait_of::NULLABLE,
        })
    });
    let key = declaration.key().map(|column| &column.name);
    let indexes = declaration.indexes.iter().map(|index| index_schema(declaration, index));
    let references = declaration.references.iter().map(|Reference { row, columns }| {
        let columns = columns.iter().map(|&index| &declaration.columns[index].name);
        quote!(::gnomon_sdk::schema::ReferenceSchema {
            columns: &[#(#columns),*],
            table: <#row as ::gnomon_sdk::Table>::NAME,
        })
    });
    quote!(::gnomon_sdk::schema::TableSchema {
        name: #name,
        description: #description,
        columns: &[#(#columns),*],
        key: &[#(#key),*],
        indexes: &[#(#indexes),*],
        references: &[#(#references),*],
    })
}

fn description(description: Option<&String>) -> TokenStream {
    match description {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}

fn index_schema(declaration: &Declaration<'_>, Index { name, kind }: &Index) -> TokenStream {
    let name = name.value();
    let names =
        |columns: &[usize]| -> Vec<&String> { columns.iter().map(|&index| &declaration.columns[index].name).collect() };
    let kind = match kind {
        Kind::Btree { columns, .. } => {
            let columns = names(columns);
            quote!(Btree(&[#(#columns),*]))
        }
        Kind::Gin(columns) => {
            let columns = names(columns);
            quote!(Gin(&[#(#columns),*]))
        }
        Kind::FullText { language, columns } => {
            let columns = columns.iter().map(|(index, weight)| {
                let name = &declaration.columns[*index].name;
                let weight = format_ident!("{}", weight.letter());
                quote!((#name, ::gnomon_sdk::schema::Weight::#weight))
            });
            quote!(FullText { language: #language, columns: &[#(#columns),*] })
        }
    };
    quote!(::gnomon_sdk::schema::IndexSchema { name: #name, kind: ::gnomon_sdk::schema::IndexKind::#kind })
}

/// Checks that the compiler makes: that columns have the types that their indexes and references need.
fn checks(declaration: &Declaration<'_>) -> TokenStream {
    let mut checks = Vec::new();
    for index in &declaration.indexes {
        let (columns, needed): (Vec<usize>, _) = match &index.kind {
            Kind::Btree { .. } => continue,
            Kind::Gin(columns) => (columns.clone(), quote!(ElementsColumn)),
            Kind::FullText { columns, .. } => (columns.iter().map(|(index, _)| *index).collect(), quote!(WordsColumn)),
        };
        for column in columns {
            let ty = declaration.columns[column].ty;
            checks.push(quote_spanned!(ty.span()=> {
                const fn needs<C: ::gnomon_sdk::schema::#needed>() {}
                needs::<#ty>();
            }));
        }
    }
    for Reference { row, columns } in &declaration.references {
        let types = columns.iter().map(|&index| {
            let trait_of = as_column(&declaration.columns[index]);
            quote!(#trait_of::TYPE)
        });
        checks.push(quote_spanned!(row.span()=>
            ::gnomon_sdk::schema::check_reference(&[#(#types),*], &<#row as ::gnomon_sdk::Table>::SCHEMA);
        ));
    }
    match checks.as_slice() {
        [] => TokenStream::new(),
        _ => quote!(const _: () = { #(#checks)* };),
    }
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

/// A function for each B-tree, which makes a search by it.
fn finds(declaration: &Declaration<'_>) -> TokenStream {
    let functions: Vec<_> = declaration
        .indexes
        .iter()
        .filter_map(|index| match &index.kind {
            Kind::Btree { function, columns } => Some(find(declaration, function, columns)),
            Kind::Gin(_) | Kind::FullText { .. } => None,
        })
        .collect();
    if functions.is_empty() {
        return TokenStream::new();
    }
    let row = declaration.row;
    quote! {
        #[automatically_derived]
        impl #row {
            #(#functions)*
        }
    }
}

fn find(declaration: &Declaration<'_>, function: &Ident, columns: &[usize]) -> TokenStream {
    let visibility = declaration.visibility;
    let name = function.to_string();
    let columns: Vec<_> = columns.iter().map(|&index| &declaration.columns[index]).collect();
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
