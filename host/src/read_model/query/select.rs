//! `select`: what the result has, as it is written. [`resource`](super::resource) looks the names up.

use super::{
    aggregate::Function,
    cursor::{Cursor, Parsed, Stop, read},
    error::QueryError,
    field::FieldName,
    json_path::json_path,
    limits::MAX_EMBEDDING_DEPTH,
    name::{alias, name},
};

/// An item of `select`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// `*`: all columns.
    All,
    Value(ValueItem),
    /// `words.snippet()`: parts of the texts of a full-text index.
    Snippet {
        alias: Option<String>,
        index: String,
    },
    Embedding(EmbeddingItem),
}

/// A value of a row, or of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ValueItem {
    pub(super) alias: Option<String>,
    /// `None` stands for whole rows, which only `count()` takes.
    pub(super) field: Option<FieldName>,
    /// The type that the field is cast to.
    pub(super) cast: Option<String>,
    /// The function, and the type that its result is cast to.
    pub(super) aggregate: Option<(Function, Option<String>)>,
}

/// A resource within the rows of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EmbeddingItem {
    pub(super) alias: Option<String>,
    /// A table, a reference, or a column of one.
    pub(super) name: String,
    /// What it means if there are several.
    pub(super) hint: Option<String>,
    /// Whether only rows are wanted for which there is something.
    pub(super) inner: bool,
    /// Whether its values become those of the row that it is embedded into.
    pub(super) spread: bool,
    pub(super) items: Vec<Item>,
}

/// The items of `select`; all columns if it is empty.
pub(super) fn select(value: &str) -> Result<Vec<Item>, QueryError> {
    if value.is_empty() {
        return Ok(vec![Item::All]);
    }
    read("select parameter", value, value, |cursor| {
        let mut items = vec![item(cursor, 0)?];
        while cursor.literal(",") {
            items.push(item(cursor, 0)?);
        }
        Ok(items)
    })
}

fn item(cursor: &mut Cursor<'_>, depth: usize) -> Parsed<Item> {
    cursor.blanks();
    if cursor.rest().starts_with("...") {
        cursor.expect("...")?;
        let name = name(cursor)?;
        return embedding(cursor, EmbeddingItem { spread: true, ..EmbeddingItem::new(None, name) }, depth);
    }
    if cursor.peek() == Some('*') {
        cursor.take();
        cursor.blanks();
        return Ok(Item::All);
    }
    let alias = cursor.attempt_silently(alias)?;
    if cursor.rest().starts_with("count()") {
        let aggregate = Some((Function::read(cursor)?, cast(cursor)?));
        cursor.blanks();
        return Ok(Item::Value(ValueItem { alias, field: None, cast: None, aggregate }));
    }
    cursor.blanks();
    let column = name(cursor)?;
    cursor.blanks();
    // `count(` can only be the function, and then it is not written as it should be.
    if matches!(cursor.peek(), Some('(' | '!')) && column != "count" {
        return embedding(cursor, EmbeddingItem::new(alias, column), depth);
    }
    if cursor.rest().starts_with(".snippet()") {
        cursor.expect(".snippet()")?;
        cursor.blanks();
        return Ok(Item::Snippet { alias, index: column });
    }
    let path = json_path(cursor)?;
    cursor.blanks();
    let field_cast = cast(cursor)?;
    let aggregate = match cursor.literal(".") {
        true => Some((Function::read(cursor)?, cast(cursor)?)),
        false => None,
    };
    cursor.blanks();
    Ok(Item::Value(ValueItem { alias, field: Some(FieldName { column, path }), cast: field_cast, aggregate }))
}

impl EmbeddingItem {
    fn new(alias: Option<String>, name: String) -> Self {
        Self { alias, name, hint: None, inner: false, spread: false, items: Vec::new() }
    }
}

/// Reads what follows the name of an embedding: `!hint`, `!inner` and the items in brackets.
fn embedding(cursor: &mut Cursor<'_>, mut embedding: EmbeddingItem, depth: usize) -> Parsed<Item> {
    let mut joined = false;
    for _ in 0..2 {
        if !cursor.rest().starts_with('!') {
            break;
        }
        cursor.expect("!")?;
        match name(cursor)? {
            join if join == "inner" || join == "left" => {
                if std::mem::replace(&mut joined, true) {
                    return Err(cursor.refuse("An embedding is either !inner or !left."));
                }
                embedding.inner = join == "inner";
            }
            hint => {
                if embedding.hint.replace(hint).is_some() {
                    return Err(cursor.refuse("An embedding has one hint at most."));
                }
            }
        }
    }
    cursor.expect("(")?;
    if depth == MAX_EMBEDDING_DEPTH {
        let details = format!("Embeddings are nested too deep; at most {MAX_EMBEDDING_DEPTH} levels are allowed.");
        return Err(cursor.refuse(details));
    }
    cursor.blanks();
    if cursor.peek() != Some(')') {
        embedding.items.push(item(cursor, depth + 1)?);
        while cursor.peek() != Some(')') {
            if cursor.peek() != Some(',') {
                cursor.miss_end_of_item();
                return Err(Stop::Mismatch);
            }
            cursor.expect(",")?;
            embedding.items.push(item(cursor, depth + 1)?);
        }
    }
    cursor.expect(")")?;
    cursor.blanks();
    Ok(Item::Embedding(embedding))
}

/// `::type`, or nothing.
fn cast(cursor: &mut Cursor<'_>) -> Parsed<Option<String>> {
    if !cursor.literal("::") {
        return Ok(None);
    }
    let name = cursor.take_while(|next| next.is_alphanumeric() || matches!(next, '_' | ' ' | '$')).trim().to_owned();
    if name.is_empty() {
        cursor.miss("letter");
        cursor.miss("digit");
        return Err(Stop::Mismatch);
    }
    // PostgREST has no brackets here, so nothing expects them.
    let array = cursor.rest().starts_with("[]");
    if array {
        cursor.expect("[]")?;
    }
    Ok(Some(if array { format!("{name}[]") } else { name }))
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
