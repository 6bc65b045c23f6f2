use super::{
    super::{
        condition::{Comparison, Infix, PatternKind, Quantifier, WordsForm},
        field::key,
        limits::{MAX_CONDITIONS, MAX_WORDS_BYTES, REGEX_CONDITIONS},
        tests::table,
    },
    *,
};

fn parsed(value: &str) -> Result<(bool, Test), QueryError> {
    let table = table();
    let condition = filter(Scope::of(&table), key("delay").unwrap().1, value)?;
    assert!(matches!(condition.operand, Operand::Field(field) if field.column.name.as_str() == "delay"));
    Ok((condition.negated, condition.test))
}

fn compare(comparison: Comparison, value: &str) -> Test {
    Test::Compare(comparison, Against::One(value.to_owned()))
}

fn list_of(quantifier: Quantifier, values: &[Option<&str>]) -> Against {
    Against::List(quantifier, values.iter().map(|value| value.map(str::to_owned)).collect())
}

fn pattern(kind: PatternKind, pattern: &str) -> Test {
    Test::Pattern(kind, Against::One(pattern.to_owned()))
}

fn infix(infix: Infix, value: &str) -> Test {
    Test::Infix(infix, value.to_owned())
}

fn words(form: WordsForm, language: Option<&str>, query: &str) -> Test {
    Test::FullText(Words { form, language: language.map(str::to_owned), query: query.to_owned() })
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
        (
            "eq(any).{1,NULL,\"a,b\"}",
            Test::Compare(Comparison::Eq, list_of(Quantifier::Any, &[Some("1"), None, Some("a,b")])),
        ),
        ("gt(all).{}", Test::Compare(Comparison::Gt, list_of(Quantifier::All, &[]))),
        ("like(all).{a*,*b}", Test::Pattern(PatternKind::Like, list_of(Quantifier::All, &[Some("a*"), Some("*b")]))),
        ("imatch(any).{^a}", Test::Pattern(PatternKind::Imatch, list_of(Quantifier::Any, &[Some("^a")]))),
        ("like.a*%", pattern(PatternKind::Like, "a*%")),
        ("ilike.a*%", pattern(PatternKind::Ilike, "a*%")),
        ("match.^a(b|c)$", pattern(PatternKind::Match, "^a(b|c)$")),
        ("imatch.^a", pattern(PatternKind::Imatch, "^a")),
        ("isdistinct.1", Test::IsDistinct("1".into())),
        ("cs.{a,b}", infix(Infix::Contains, "{a,b}")),
        ("cd.{a}", infix(Infix::ContainedIn, "{a}")),
        ("ov.[1]", infix(Infix::Overlaps, "[1]")),
        ("sl.(1,2)", infix(Infix::StrictlyLeft, "(1,2)")),
        ("sr.(1,2)", infix(Infix::StrictlyRight, "(1,2)")),
        ("nxr.(1,2)", infix(Infix::NotExtendsRight, "(1,2)")),
        ("nxl.(1,2)", infix(Infix::NotExtendsLeft, "(1,2)")),
        ("adj.(1,2)", infix(Infix::Adjacent, "(1,2)")),
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
        ("eq(some).1", 4, "unexpected \"s\" expecting operator (eq, gt, ...)"),
        ("neq(any).{1}", 4, "unexpected \"(\" expecting operator (eq, gt, ...)"),
        ("isdistinct(any).{1}", 11, "unexpected \"(\" expecting operator (eq, gt, ...)"),
        ("cs(any).{1}", 3, "unexpected \"(\" expecting operator (eq, gt, ...)"),
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
fn a_list_that_is_none_is_refused_as_postgres_does() {
    for value in ["eq(any).1", "eq(any).(1,2)", "not.like(all).{a", "gt(any).{{1}}", "eq(all)."] {
        let error = parsed(value).unwrap_err();
        assert_eq!(error.code.as_str(), "22P02", "{value}");
        let (_, list) = value.split_once(").").unwrap();
        assert_eq!(error.message, format!("malformed array literal: \"{list}\""));
    }
}

#[test]
fn patterns_of_a_list_count_one_by_one() {
    let table = table();
    let weight = |value: &str| filter(Scope::of(&table), key("user").unwrap().1, value).unwrap().weight();
    for (value, expected) in [
        ("eq.a", 1),
        ("eq(any).{a,b,c}", 1),
        ("in.(a,b,c)", 1),
        ("like.a", 1),
        ("like(any).{a,b,c}", 3),
        ("ilike(all).{}", 1),
        ("match.a", REGEX_CONDITIONS),
        ("imatch(any).{a,b}", 2 * REGEX_CONDITIONS),
    ] {
        assert_eq!(weight(value), expected, "{value}");
    }
    // 31 regular expressions, and no more.
    assert!((31 * REGEX_CONDITIONS..32 * REGEX_CONDITIONS).contains(&MAX_CONDITIONS));
}
