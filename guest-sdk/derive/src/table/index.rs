//! `#[index("name", columns(…))]`, `#[index("name", gin(…))]` and `#[index("name", full_text(…))]`

use gnomon_values::{
    full_text::{self, Weight},
    limits::MAX_INDEX_COLUMNS,
};
use syn::{
    Attribute, Ident, LitStr, Token,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use super::column::{Column, indexes_of};
use crate::identifier;

/// An index of a table.
pub(super) struct Index {
    pub(super) name: LitStr,
    pub(super) kind: Kind,
}

/// What an [`Index`] is over. Columns are indexes in the columns of the table.
pub(super) enum Kind {
    Btree {
        /// The function that is generated, which has the name of the index.
        function: Ident,
        columns: Vec<usize>,
    },
    Gin(Vec<usize>),
    FullText {
        language: String,
        columns: Vec<(usize, Weight)>,
    },
}

/// An attribute before its columns are looked up.
struct Parsed {
    name: LitStr,
    kind: ParsedKind,
}

enum ParsedKind {
    Btree(Vec<Ident>),
    Gin(Vec<Ident>),
    FullText { language: LitStr, columns: Vec<(Ident, Weight)> },
}

/// What stands after the name.
const FORMS: &str =
    "`columns(owner)`, `gin(tags)` or `full_text(language = \"english\", columns(title = \"A\", body = \"B\"))`";

pub(super) fn read(attribute: &Attribute, columns: &[Column<'_>]) -> syn::Result<Index> {
    let Parsed { name, kind } = attribute.parse_args()?;
    identifier::check(&name.value(), name.span(), "index")?;
    let lookup = |fields: &[Ident]| {
        if fields.is_empty() {
            return Err(syn::Error::new(name.span(), "an index needs columns, as in `\"by_owner\", columns(owner)`"));
        }
        if fields.len() > MAX_INDEX_COLUMNS {
            let message = format!("an index of {} columns; at most {MAX_INDEX_COLUMNS} are allowed", fields.len());
            return Err(syn::Error::new(name.span(), message));
        }
        indexes_of(fields, columns, "the index")
    };
    let kind = match kind {
        ParsedKind::Btree(fields) => Kind::Btree { function: function(&name)?, columns: lookup(&fields)? },
        ParsedKind::Gin(fields) => Kind::Gin(lookup(&fields)?),
        ParsedKind::FullText { language, columns: weighted } => {
            full_text::check_language(&language.value()).map_err(|reason| syn::Error::new(language.span(), reason))?;
            if columns.iter().any(|column| column.name == name.value()) {
                let message = format!(
                    "a column is named `{}`: queries name full-text indexes like columns, so give the index another name",
                    name.value()
                );
                return Err(syn::Error::new(name.span(), message));
            }
            let (fields, weights): (Vec<_>, Vec<_>) = weighted.into_iter().unzip();
            Kind::FullText { language: language.value(), columns: lookup(&fields)?.into_iter().zip(weights).collect() }
        }
    };
    Ok(Index { name, kind })
}

fn function(name: &LitStr) -> syn::Result<Ident> {
    name.parse().map_err(|_| {
        let message = format!(
            "`{}` is a keyword of Rust, but the derive generates a function with the name of the index: use a name such as `by_…`",
            name.value()
        );
        syn::Error::new(name.span(), message)
    })
}

impl Parse for Parsed {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: LitStr = input.parse()?;
        let expected = || {
            syn::Error::new(name.span(), "expected the columns after the name, as in `\"by_owner\", columns(owner)`")
        };
        input.parse::<Token![,]>().map_err(|_| expected())?;
        let word: Ident = input.parse().map_err(|_| expected())?;
        let list;
        let kind = if word == "columns" {
            parenthesized!(list in input);
            ParsedKind::Btree(fields(&list)?)
        } else if word == "gin" {
            parenthesized!(list in input);
            ParsedKind::Gin(fields(&list)?)
        } else if word == "full_text" {
            parenthesized!(list in input);
            full_text(&word, &list)?
        } else {
            return Err(syn::Error::new_spanned(word, format!("expected {FORMS}")));
        };
        input.parse::<Option<Token![,]>>()?;
        Ok(Self { name, kind })
    }
}

fn fields(list: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    Ok(Punctuated::<Ident, Token![,]>::parse_terminated_with(list, Ident::parse_any)?.into_iter().collect())
}

/// `language = "english", columns(title = "A", body)`
fn full_text(word: &Ident, list: ParseStream<'_>) -> syn::Result<ParsedKind> {
    let expected = "a full-text index has a language and columns: `full_text(language = \"english\", columns(title = \"A\", body))`";
    let (mut language, mut columns) = (None, None);
    while !list.is_empty() {
        let part: Ident = list.parse()?;
        if part == "language" && language.is_none() {
            list.parse::<Token![=]>()?;
            language = Some(list.parse::<LitStr>()?);
        } else if part == "columns" && columns.is_none() {
            let weighted;
            parenthesized!(weighted in list);
            let weighted = Punctuated::<(Ident, Weight), Token![,]>::parse_terminated_with(&weighted, weighted_column)?;
            columns = Some(weighted.into_iter().collect());
        } else {
            return Err(syn::Error::new_spanned(part, expected));
        }
        if !list.is_empty() {
            list.parse::<Token![,]>()?;
        }
    }
    match (language, columns) {
        (Some(language), Some(columns)) => Ok(ParsedKind::FullText { language, columns }),
        _ => Err(syn::Error::new_spanned(word, expected)),
    }
}

/// `title = "A"`, or `body`, whose words have the weight D.
fn weighted_column(list: ParseStream<'_>) -> syn::Result<(Ident, Weight)> {
    let field = Ident::parse_any(list)?;
    if list.parse::<Option<Token![=]>>()?.is_none() {
        return Ok((field, Weight::D));
    }
    let letter: LitStr = list.parse()?;
    match Weight::of_letter(&letter.value()) {
        Some(weight) => Ok((field, weight)),
        None => Err(syn::Error::new(
            letter.span(),
            "a weight is \"A\", \"B\", \"C\" or \"D\"; words of weight A count most",
        )),
    }
}
