//! `#[derive(Events)]`

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Fields, Ident, LitInt, LitStr, Token, Variant, parse::ParseStream};

use crate::{errors::Errors, shape};

/// A variant and the events that it stands for.
struct Read<'a> {
    variant: &'a Ident,
    has_payload: bool,
    what: What,
}

enum What {
    Type { name: LitStr, schema_version: Option<LitInt> },
    Other,
}

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let reads: Vec<Read<'_>> =
        shape::variants(input, "Events")?.into_iter().filter_map(|variant| errors.take(read(variant))).collect();
    refuse_repetition(&reads, &mut errors);
    errors.finish(generate(&input.ident, &reads))
}

fn read(variant: &Variant) -> syn::Result<Read<'_>> {
    let Some(attribute) = shape::attribute(&variant.attrs, "event")? else {
        let message = "which events does this variant read? Say it with #[event(\"TypeInTheLog\")], or with \
                       #[event(other)] for all that no other variant reads";
        return Err(syn::Error::new_spanned(variant, message));
    };
    let has_payload = match &variant.fields {
        Fields::Unit => false,
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => true,
        fields => {
            let message =
                "an event has one payload, as in `Opened(AccountOpened)`, or none that matters, as in `Opened`";
            return Err(syn::Error::new_spanned(fields, message));
        }
    };
    Ok(Read { variant: &variant.ident, has_payload, what: attribute.parse_args_with(parse_what)? })
}

/// `"TypeInTheLog"`, `"TypeInTheLog", schema_version = 2` or `other`.
fn parse_what(input: ParseStream<'_>) -> syn::Result<What> {
    if input.peek(Ident) {
        let word: Ident = input.parse()?;
        if word != "other" {
            let message = "expected the event's type in quotes, or the word `other`";
            return Err(syn::Error::new_spanned(word, message));
        }
        return Ok(What::Other);
    }
    let name: LitStr = input.parse()?;
    if name.value().is_empty() || name.value().chars().any(char::is_control) {
        let message = "an event's type is not empty and has no control characters";
        return Err(syn::Error::new_spanned(name, message));
    }
    let mut schema_version = None;
    if input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
        let word: Ident = input.parse()?;
        if word != "schema_version" {
            return Err(syn::Error::new_spanned(word, "expected `schema_version = …`"));
        }
        input.parse::<Token![=]>()?;
        let version: LitInt = input.parse()?;
        if version.base10_parse::<u32>()? == 0 {
            return Err(syn::Error::new_spanned(version, "schema versions count from 1"));
        }
        schema_version = Some(version);
    }
    Ok(What::Type { name, schema_version })
}

fn refuse_repetition(reads: &[Read<'_>], errors: &mut Errors) {
    let mut types = HashMap::new();
    let mut other = None;
    for read in reads {
        let (before, found) = match &read.what {
            What::Type { name, .. } => (types.insert(name.value(), read.variant), format!("\"{}\"", name.value())),
            What::Other => (other.replace(read.variant), "other".to_owned()),
        };
        if let Some(before) = before {
            let message = format!("#[event({found})] is read by `{before}` already");
            errors.add(syn::Error::new_spanned(read.variant, message));
        }
    }
}

fn generate(name: &Ident, reads: &[Read<'_>]) -> TokenStream {
    let wants_all = reads.iter().any(|read| matches!(read.what, What::Other));
    let wanted = reads.iter().filter_map(wanted);
    let arms = reads.iter().filter_map(arm);
    let rest = reads
        .iter()
        .find(|read| matches!(read.what, What::Other))
        .map_or_else(|| quote!(payload.refuse()), |read| construct(read, &quote!(payload)));
    quote! {
        #[automatically_derived]
        impl ::gnomon_sdk::Events for #name {
            const ALL_TYPES: bool = #wants_all;
            const WANTED: &'static [::gnomon_sdk::schema::WantedType] = &[#(#wanted),*];

            fn read(payload: ::gnomon_sdk::schema::Payload<'_>) -> ::core::result::Result<Self, ::gnomon_sdk::Failure> {
                match payload.event_type() {
                    #(#arms)*
                    _ => #rest,
                }
            }
        }
    }
}

fn wanted(read: &Read<'_>) -> Option<TokenStream> {
    let What::Type { name, schema_version } = &read.what else { return None };
    let schema_version = match schema_version {
        Some(version) => quote!(::core::option::Option::Some(#version)),
        None => quote!(::core::option::Option::None),
    };
    Some(quote!(::gnomon_sdk::schema::WantedType { event_type: #name, schema_version: #schema_version }))
}

fn arm(read: &Read<'_>) -> Option<TokenStream> {
    let What::Type { name, schema_version } = &read.what else { return None };
    let payload = match schema_version {
        Some(version) => quote!(payload.at_schema_version(#version)?),
        None => quote!(payload),
    };
    let value = construct(read, &payload);
    Some(quote!(#name => #value,))
}

fn construct(read: &Read<'_>, payload: &TokenStream) -> TokenStream {
    let variant = read.variant;
    if read.has_payload {
        quote!(#payload.parse().map(Self::#variant))
    } else {
        quote!({
            let _ = #payload;
            ::core::result::Result::Ok(Self::#variant)
        })
    }
}
