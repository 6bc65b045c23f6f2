use super::{
    super::{field::key, limits::MAX_WORDS_BYTES, tests::table},
    *,
};

fn parsed(value: &str) -> Result<(bool, Test), QueryError> {
    let table = table();
    let condition = filter(Scope::of(&table), key("delay").unwrap().1, value)?;
    assert!(matches!(condition.operand, Operand::Field(field) if field.column.name.as_str() == "delay"));
    Ok((condition.negated, condition.test))
}

fn compare(comparison: Comparison, value: &str) -> Test {
    Test::Compare(comparison, value.to_owned())
}

fn words(form: WordsForm, language: Option<&str>, query: &str) -> Test {
    Test::FullText { form, language: language.map(str::to_owned), query: query.to_owned() }
}

fn one_of(values: &[&str]) -> Test {
    Test::In(values.iter().copied().map(str::to_owned).collect())
}

#[test]
fn operators_are_read() {
    for (value, test) in [
        ("eq.1", compare(Comparison::Eq, "1")),
        ("neq.1", compare(Comparison::Neq, "1")),
        ("gt.1", compare(Comparison::Gt, "1")),
        ("gte.1", compare(Comparison::Gte, "1")),
        ("lt.1", compare(Comparison::Lt, "1")),
        ("lte.1", compare(Comparison::Lte, "1")),
        ("eq.", compare(Comparison::Eq, "")),
        ("eq.\"a\",(b).c ", compare(Comparison::Eq, "\"a\",(b).c ")),
        ("eq.not.eq.1", compare(Comparison::Eq, "not.eq.1")),
        ("like.a*%", Test::Like { pattern: "a*%".into(), any_case: false }),
        ("ilike.a*%", Test::Like { pattern: "a*%".into(), any_case: true }),
        ("cs.{a,b}", Test::Contain(Containment::Contains, "{a,b}".into())),
        ("cd.{a}", Test::Contain(Containment::ContainedIn, "{a}".into())),
        ("ov.[1]", Test::Contain(Containment::Overlaps, "[1]".into())),
        ("fts.a&b", words(WordsForm::Operators, None, "a&b")),
        ("plfts(english).a b", words(WordsForm::Plain, Some("english"), "a b")),
        ("phfts(de_1).a", words(WordsForm::Phrase, Some("de_1"), "a")),
        ("wfts.\"a b\" -c", words(WordsForm::Web, None, "\"a b\" -c")),
        ("is.null", Test::Is(State::Null)),
        ("is.NoT_NuLl", Test::Is(State::NotNull)),
        ("is.true", Test::Is(State::True)),
        ("is.FALSE", Test::Is(State::False)),
        ("is.unknown", Test::Is(State::Unknown)),
        ("in.(1,3,5)", one_of(&["1", "3", "5"])),
        ("in.()", one_of(&[])),
        ("in.(\"\")", one_of(&[])),
        ("in.(,)", one_of(&["", ""])),
        ("in. ( 1, 2 ) ", one_of(&["1", " 2 "])),
        (r#"in.("a,b)","c\"d\\e",f"g,"h"i,(j)"#, one_of(&["a,b)", "c\"d\\e", "f\"g", "\"h\"i", "(j"])),
    ] {
        assert_eq!(parsed(value), Ok((false, test)), "{value}");
        let (_, test) = parsed(value).unwrap();
        assert_eq!(parsed(&format!("not.{value}")), Ok((true, test)), "not.{value}");
    }
}

#[test]
fn malformed_filters_are_refused_at_their_position() {
    for (value, column, details) in [
        ("foo.1", 1, "unexpected \"f\" expecting \"not\" or operator (eq, gt, ...)"),
        ("noop.0", 1, "unexpected \"o\" expecting \"not\" or operator (eq, gt, ...)"),
        ("0", 1, "unexpected \"0\" expecting \"not\" or operator (eq, gt, ...)"),
        ("", 1, "unexpected end of input expecting \"not\" or operator (eq, gt, ...)"),
        ("eq", 3, "unexpected end of input expecting operator (eq, gt, ...)"),
        ("eqq.1", 3, "unexpected \"q\" expecting operator (eq, gt, ...)"),
        ("EQ.1", 1, "unexpected \"E\" expecting \"not\" or operator (eq, gt, ...)"),
        ("eq().1", 4, "unexpected \")\" expecting operator (eq, gt, ...)"),
        ("is().null", 3, "unexpected \"(\" expecting operator (eq, gt, ...)"),
        ("in().(1)", 3, "unexpected \"(\" expecting operator (eq, gt, ...)"),
        ("not.foo.1", 5, "unexpected \"f\" expecting operator (eq, gt, ...)"),
        ("not.not.eq.1", 5, "unexpected \"n\" expecting operator (eq, gt, ...)"),
        ("is.nil", 5, "unexpected \"i\" expecting isVal: (null, not_null, true, false, unknown)"),
        ("is.ok", 4, "unexpected \"o\" expecting isVal: (null, not_null, true, false, unknown)"),
        ("is.", 4, "unexpected end of input expecting isVal: (null, not_null, true, false, unknown)"),
        ("is.nullable", 8, "unexpected 'a' expecting end of input"),
        ("fts(eng-lish).a", 8, "unexpected \"-\" expecting operator (eq, gt, ...)"),
        ("in.1,2", 4, "unexpected \"1\" expecting \"(\""),
        ("in.(1,2", 8, "unexpected end of input expecting \",\" or \")\""),
        ("in.(1),2", 7, "unexpected ',' expecting end of input"),
    ] {
        let error = parsed(value).unwrap_err();
        assert_eq!((error.code.as_str(), &error.hint), ("PGRST100", &None), "{value}");
        assert_eq!(error.message, format!("\"failed to parse filter ({value})\" (line 1, column {column})"));
        assert_eq!(error.details.as_deref(), Some(details), "{value}");
    }
}

#[test]
fn a_search_for_words_is_bounded_and_names_its_language() {
    for language in ["", "0", "3748", "-"] {
        let error = parsed(&format!("fts({language}).a")).unwrap_err();
        assert_eq!(error.code.as_str(), "PGRST100", "{language}: {error}");
    }
    assert!(parsed(&format!("wfts.{}", "a".repeat(MAX_WORDS_BYTES))).is_ok());
    let error = parsed(&format!("wfts.{}", "a".repeat(MAX_WORDS_BYTES + 1))).unwrap_err();
    assert_eq!(error.details.as_deref(), Some("They have 2001 bytes; at most 2000 are allowed."));
}

#[test]
fn unsupported_features_are_named() {
    for (value, details) in [
        ("eq(any).{1,2}", "The quantifier any of eq(any) is not implemented."),
        ("not.like(all).{a*,*b}", "The quantifier all of like(all) is not implemented."),
        ("not.isdistinct.1", "The operator isdistinct is not implemented."),
        ("sl.[1,2]", "The operator sl is not implemented."),
        ("imatch.^a", "The operator imatch is not implemented."),
    ] {
        assert_eq!(parsed(value), Err(QueryError::not_implemented(details.to_owned())), "{value}");
    }
}
