//! The operators of filters: `eq`, `like(any)`, `wfts(english)`.

use super::{
    condition::{Comparison, Infix, PatternKind, Quantifier, WordsForm},
    cursor::{Cursor, Parsed, Stop},
};

/// An operator as it stands before the point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Compare(Comparison, Option<Quantifier>),
    Pattern(PatternKind, Option<Quantifier>),
    Infix(Infix),
    FullText(WordsForm, Option<String>),
    In,
    Is,
    IsDistinct,
}

/// If one name is a prefix of another, the longer one comes first, or what follows tells them apart.
const OPERATORS: [(&str, Operator); 21] = [
    ("cs", Operator::Infix(Infix::Contains)),
    ("cd", Operator::Infix(Infix::ContainedIn)),
    ("ov", Operator::Infix(Infix::Overlaps)),
    ("sl", Operator::Infix(Infix::StrictlyLeft)),
    ("sr", Operator::Infix(Infix::StrictlyRight)),
    ("nxr", Operator::Infix(Infix::NotExtendsRight)),
    ("nxl", Operator::Infix(Infix::NotExtendsLeft)),
    ("adj", Operator::Infix(Infix::Adjacent)),
    ("in", Operator::In),
    ("isdistinct", Operator::IsDistinct),
    ("is", Operator::Is),
    ("eq", Operator::Compare(Comparison::Eq, None)),
    ("neq", Operator::Compare(Comparison::Neq, None)),
    ("gte", Operator::Compare(Comparison::Gte, None)),
    ("gt", Operator::Compare(Comparison::Gt, None)),
    ("lte", Operator::Compare(Comparison::Lte, None)),
    ("lt", Operator::Compare(Comparison::Lt, None)),
    ("like", Operator::Pattern(PatternKind::Like, None)),
    ("ilike", Operator::Pattern(PatternKind::Ilike, None)),
    ("match", Operator::Pattern(PatternKind::Match, None)),
    ("imatch", Operator::Pattern(PatternKind::Imatch, None)),
];

/// The operators that search for words. A language may follow in brackets.
const WORDS_OPERATORS: [(&str, WordsForm); 4] = [
    ("fts", WordsForm::Operators),
    ("plfts", WordsForm::Plain),
    ("phfts", WordsForm::Phrase),
    ("wfts", WordsForm::Web),
];

/// Reads an operator and the point after it.
pub(super) fn operator(cursor: &mut Cursor<'_>) -> Parsed<Operator> {
    for (name, operator) in OPERATORS {
        let reading = |cursor: &mut Cursor<'_>| {
            cursor.expect(name)?;
            let operator = match operator {
                // As in PostgREST, where `neq` has no quantifier.
                Operator::Compare(Comparison::Neq, _) => operator.clone(),
                Operator::Compare(comparison, _) => Operator::Compare(comparison, quantifier(cursor)?),
                Operator::Pattern(kind, _) => Operator::Pattern(kind, quantifier(cursor)?),
                _ => operator.clone(),
            };
            if cursor.delimiter() { Ok(operator) } else { Err(Stop::Mismatch) }
        };
        if let Some(operator) = cursor.attempt(reading)? {
            return Ok(operator);
        }
    }
    for (name, form) in WORDS_OPERATORS {
        let reading = |cursor: &mut Cursor<'_>| {
            cursor.expect(name)?;
            let language = language(cursor)?;
            if cursor.delimiter() { Ok(language) } else { Err(Stop::Mismatch) }
        };
        if let Some(language) = cursor.attempt(reading)? {
            return Ok(Operator::FullText(form, language));
        }
    }
    Err(Stop::Mismatch)
}

/// `(any)` or `(all)`, or nothing.
fn quantifier(cursor: &mut Cursor<'_>) -> Parsed<Option<Quantifier>> {
    if !cursor.literal("(") {
        return Ok(None);
    }
    for (name, quantifier) in [("any", Quantifier::Any), ("all", Quantifier::All)] {
        if cursor.literal(name) {
            cursor.expect(")")?;
            return Ok(Some(quantifier));
        }
    }
    Err(Stop::Mismatch)
}

/// `(english)`, or nothing. A number would be taken for the key of a configuration in Postgres.
fn language(cursor: &mut Cursor<'_>) -> Parsed<Option<String>> {
    if !cursor.literal("(") {
        return Ok(None);
    }
    let language = cursor.take_while(|next| next.is_alphanumeric() || next == '_').to_owned();
    if !language.starts_with(|first: char| first.is_alphabetic() || first == '_') {
        return Err(cursor.refuse("The language of a full-text search is a name, as in wfts(english)."));
    }
    cursor.expect(")")?;
    Ok(Some(language))
}
