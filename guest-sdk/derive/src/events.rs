//! `#[derive(Events)]`

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Fields, Ident, LitInt, LitStr, Token, Variant, parse::ParseStream};

use crate::{errors::Errors, shape};

/// A variant and the events that it reads.
struct EventVariant<'a> {
    name: &'a Ident,
    has_payload: bool,
    selector: EventSelector,
}

/// The events that a variant reads: those of one type, or all that no other variant reads.
enum EventSelector {
    Type { name: LitStr, schema_version: Option<LitInt> },
    Other,
}

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let variants: Vec<EventVariant<'_>> =
        shape::variants(input, "Events")?.into_iter().filter_map(|variant| errors.take(read(variant))).collect();
    refuse_repetition(&variants, &mut errors);
    errors.finish(generate(&input.ident, &variants))
}

fn read(variant: &Variant) -> syn::Result<EventVariant<'_>> {
    let Some(attribute) = shape::attribute(&variant.attrs, "event")? else {
        let message = "add #[event(\"TypeInTheLog\")] to read events of this type, or #[event(other)] to read all events that no \
                       other variant reads";
        return Err(syn::Error::new_spanned(variant, message));
    };
    let has_payload = match &variant.fields {
        Fields::Unit => false,
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => true,
        fields => {
            let message = "a variant has one payload, as in `Opened(AccountOpened)`, or none, as in `Opened`";
            return Err(syn::Error::new_spanned(fields, message));
        }
    };
    Ok(EventVariant { name: &variant.ident, has_payload, selector: attribute.parse_args_with(parse_selector)? })
}

/// `"TypeInTheLog"`, `"TypeInTheLog", schema_version = 2` or `other`.
fn parse_selector(input: ParseStream<'_>) -> syn::Result<EventSelector> {
    if input.peek(Ident) {
        let word: Ident = input.parse()?;
        if word != "other" {
            let message = "expected the event's type in quotes, or `other`";
            return Err(syn::Error::new_spanned(word, message));
        }
        return Ok(EventSelector::Other);
    }
    let name: LitStr = input.parse()?;
    if name.value().is_empty() || name.value().chars().any(char::is_control) {
        let message = "an event's type must not be empty or contain control characters";
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
    Ok(EventSelector::Type { name, schema_version })
}

fn refuse_repetition(variants: &[EventVariant<'_>], errors: &mut Errors) {
    let mut types = HashMap::new();
    let mut other = None;
    for variant in variants {
        let (before, found) = match &variant.selector {
            EventSelector::Type { name, .. } => {
                (types.insert(name.value(), variant.name), format!("\"{}\"", name.value()))
            }
            EventSelector::Other => (other.replace(variant.name), "other".to_owned()),
        };
        if let Some(before) = before {
            let message = format!("`{before}` already reads #[event({found})]");
            errors.add(syn::Error::new_spanned(variant.name, message));
        }
    }
}

fn generate(name: &Ident, variants: &[EventVariant<'_>]) -> TokenStream {
    let wants_all = variants.iter().any(|variant| matches!(variant.selector, EventSelector::Other));
    let wanted = variants.iter().filter_map(wanted);
    let arms = variants.iter().filter_map(arm);
    let rest = variants
        .iter()
        .find(|variant| matches!(variant.selector, EventSelector::Other))
        .map_or_else(|| quote!(payload.refuse()), |variant| construct(variant, &quote!(payload)));
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

fn wanted(variant: &EventVariant<'_>) -> Option<TokenStream> {
    let EventSelector::Type { name, schema_version } = &variant.selector else { return None };
    let schema_version = match schema_version {
        Some(version) => quote!(::core::option::Option::Some(#version)),
        None => quote!(::core::option::Option::None),
    };
    Some(quote!(::gnomon_sdk::schema::WantedType { event_type: #name, schema_version: #schema_version }))
}

fn arm(variant: &EventVariant<'_>) -> Option<TokenStream> {
    let EventSelector::Type { name, schema_version } = &variant.selector else { return None };
    let payload = match schema_version {
        Some(version) => quote!(payload.at_schema_version(#version)?),
        None => quote!(payload),
    };
    let value = construct(variant, &payload);
    Some(quote!(#name => #value,))
}

fn construct(variant: &EventVariant<'_>, payload: &TokenStream) -> TokenStream {
    let name = variant.name;
    if variant.has_payload {
        quote!(#payload.parse().map(Self::#name))
    } else {
        quote!({
            let _ = #payload;
            ::core::result::Result::Ok(Self::#name)
        })
    }
}
