//! Descriptions from doc comments.

use gnomon_values::description;
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The first paragraph of a doc comment on one line; `None` without a doc comment.
pub(crate) fn read(attributes: &[Attribute]) -> syn::Result<Option<String>> {
    let mut comment = String::new();
    let mut last = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        // The text of a macro that rustdoc expands is not known here.
        if let Meta::NameValue(named) = &attribute.meta
            && let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &named.value
        {
            comment.push_str(&text.value());
            comment.push('\n');
            last = Some(attribute);
        }
    }
    let text = description::first_paragraph(&comment);
    match (last, description::check(&text)) {
        (None, _) => Ok(None),
        _ if text.is_empty() => Ok(None),
        (Some(_), Ok(())) => Ok(Some(text)),
        (Some(attribute), Err(reason)) => {
            let message = format!(
                "the first paragraph of this comment becomes a description in Postgres and in the API, and {reason}: end the \
                 paragraph earlier, with an empty line"
            );
            Err(syn::Error::new_spanned(attribute, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use syn::{ItemStruct, parse_quote};

    use super::*;

    fn description(item: &ItemStruct) -> Option<String> {
        read(&item.attrs).unwrap()
    }

    #[test]
    fn the_first_paragraph_is_the_description() {
        assert_eq!(
            description(&parse_quote!(
                struct A;
            )),
            None
        );
        let item = parse_quote! {
            /// A flight
            ///  from New York.
            ///
            /// More of it.
            struct A;
        };
        assert_eq!(description(&item).as_deref(), Some("A flight from New York."));
        let item = parse_quote! {
            ///
            /// After an empty line.
            #[derive(Debug)]
            /// Goes on.
            struct A;
        };
        assert_eq!(description(&item).as_deref(), Some("After an empty line. Goes on."));
        let item = parse_quote! {
            /**
            A block
            of lines.

            Not this.
            */
            struct A;
        };
        assert_eq!(description(&item).as_deref(), Some("A block of lines."));
        let item = parse_quote! {
            #[doc(hidden)]
            #[doc = ""]
            struct A;
        };
        assert_eq!(description(&item), None);
    }

    #[test]
    fn a_paragraph_that_is_too_long_is_refused() {
        let long = format!("{} {}", "x".repeat(600), "y".repeat(400));
        let item: ItemStruct = parse_quote! {
            #[doc = #long]
            struct A;
        };
        let error = read(&item.attrs).unwrap_err().to_string();
        assert!(error.contains("has 1001 bytes; at most 1000 are allowed"), "{error}");
    }
}
