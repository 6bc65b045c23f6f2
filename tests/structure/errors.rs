//! Whether an error's message has its cause once.
//!
//! The convention: an error writes its cause in its own message and does not return it as `source()`. So each cause is printed
//! once, whether an error is printed with its causes or without.

use syn::{Attribute, Field, Fields, Ident, ImplItem, Item, visit::Visit};

/// The errors of a file that break the convention.
pub(crate) fn breaches(source: &str) -> Vec<String> {
    let mut found = Breaches(Vec::new());
    found.visit_file(&syn::parse_file(source).unwrap());
    found.0
}

struct Breaches(Vec<String>);

impl Breaches {
    /// Checks a struct or a variant by the attributes that `thiserror` reads.
    fn check(&mut self, name: &Ident, attributes: &[Attribute], fields: &Fields) {
        let Some(message) = attributes.iter().find(|attribute| attribute.path().is_ident("error")) else { return };
        if message.parse_args::<Ident>().is_ok_and(|word| word == "transparent") {
            return;
        }
        if fields.iter().any(is_source) {
            self.0.push(format!("`{name}` has a message of its own and a source"));
        }
    }
}

fn is_source(field: &Field) -> bool {
    let marked = field.attrs.iter().any(|attribute| {
        let path = attribute.path();
        path.is_ident("from") || path.is_ident("source")
    });
    marked || field.ident.as_ref().is_some_and(|name| name == "source")
}

impl<'ast> Visit<'ast> for Breaches {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Struct(item) => self.check(&item.ident, &item.attrs, &item.fields),
            Item::Enum(item) => {
                item.variants.iter().for_each(|variant| self.check(&variant.ident, &variant.attrs, &variant.fields));
            }
            Item::Impl(item) if item.trait_.is_some() => {
                let is_source = |inner: &ImplItem| matches!(inner, ImplItem::Fn(inner) if inner.sig.ident == "source");
                if item.items.iter().any(is_source) {
                    self.0.push("`source()` is implemented by hand".to_owned());
                }
            }
            _ => {}
        }
        syn::visit::visit_item(self, item);
    }
}

#[test]
fn a_message_beside_a_source_is_found() {
    let found = |source: &str| breaches(source).len();
    assert_eq!(found(r#"enum E { #[error("cannot read: {0}")] Read(#[from] io::Error) }"#), 1);
    assert_eq!(found(r#"enum E { #[error("cannot read")] Read(#[source] io::Error) }"#), 1);
    assert_eq!(found(r#"mod m { #[error("cannot read: {source}")] struct E { source: io::Error } }"#), 1);
    assert_eq!(found(r#"impl std::error::Error for E { fn source(&self) -> Option<&dyn Error> { None } }"#), 1);
    assert_eq!(
        found(r#"enum E { #[error(transparent)] Read(#[from] io::Error), #[error("{0}")] Other(io::Error) }"#),
        0
    );
    assert_eq!(found(r#"struct Link { source: String } impl Error for E {}"#), 0);
}
