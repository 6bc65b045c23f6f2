//! Filters: `column=operator.value`.

use super::{
    array_text::elements,
    condition::{Against, Condition, Operand, State, Test, Words},
    cursor::{Cursor, Parsed, Stop, read},
    error::QueryError,
    field::{FieldName, field},
    operator::{Operator, operator},
    scope::Scope,
    value::{enclosed, list, rest},
};

/// The filter of a parameter `name=value`.
pub(super) fn filter<'t>(scope: Scope<'t, '_>, name: FieldName, value: &str) -> Result<Condition<'t>, QueryError> {
    let (negated, test) = read("filter", value, value, |cursor| expression(cursor, rest))?;
    Condition::new(Operand::named(scope, name, &test)?, negated, test)
}

/// A filter within a logic tree: `column.operator.value`.
pub(super) fn enclosed_filter<'t>(scope: Scope<'t, '_>, cursor: &mut Cursor<'_>) -> Parsed<Condition<'t>> {
    let name = field(cursor)?;
    if !cursor.delimiter() {
        return Err(Stop::Mismatch);
    }
    let (negated, test) = expression(cursor, enclosed)?;
    Ok(Condition::new(Operand::named(scope, name, &test)?, negated, test)?)
}

/// Reads the value of most operators. It depends on what may follow the value.
type ReadValue = fn(&mut Cursor<'_>) -> Parsed<String>;

/// `operator.value`, optionally with `not.` in front.
fn expression(cursor: &mut Cursor<'_>, value: ReadValue) -> Parsed<(bool, Test)> {
    let not = |cursor: &mut Cursor<'_>| {
        cursor.expect("not")?;
        if cursor.delimiter() { Ok(()) } else { Err(Stop::Mismatch) }
    };
    let negated = cursor.attempt(not)?.is_some();
    let operator = cursor.labelled("operator (eq, gt, ...)", operator)?;
    cursor.commit();
    let mut against = |quantifier| -> Parsed<Against> {
        let text = value(cursor)?;
        Ok(match quantifier {
            None => Against::One(text),
            Some(quantifier) => Against::List(quantifier, elements(&text)?),
        })
    };
    let test = match operator {
        Operator::Compare(comparison, quantifier) => Test::Compare(comparison, against(quantifier)?),
        Operator::Pattern(kind, quantifier) => Test::Pattern(kind, against(quantifier)?),
        Operator::In => Test::In(list(cursor)?),
        Operator::IsDistinct => Test::IsDistinct(value(cursor)?),
        Operator::Infix(infix) => Test::Infix(infix, value(cursor)?),
        Operator::FullText(form, language) => Test::FullText(Words { form, language, query: value(cursor)? }),
        Operator::Is => Test::Is(cursor.labelled("isVal: (null, not_null, true, false, unknown)", state)?),
    };
    Ok((negated, test))
}

fn state(cursor: &mut Cursor<'_>) -> Parsed<State> {
    let states = [
        ("null", State::Null),
        ("not_null", State::NotNull),
        ("true", State::True),
        ("false", State::False),
        ("unknown", State::Unknown),
    ];
    let found = states.into_iter().find(|(name, _)| cursor.literal_in_any_case(name));
    found.map(|(_, state)| state).ok_or(Stop::Mismatch)
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
