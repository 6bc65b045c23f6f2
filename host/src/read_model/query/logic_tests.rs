use super::{
    super::{field::Field, json_path::StepTo, tests::table},
    *,
};
use crate::read_model::query::condition::{Against, Comparison, Operand, Test};

/// A tree in a form that shows how it is nested.
fn shown(logic: &Logic<'_>) -> String {
    match logic {
        Logic::Condition(Condition { operand, negated, test }) => {
            let not = if *negated { "!" } else { "" };
            format!(
                "{not}{}{}",
                match operand {
                    Operand::Field(field) => shown_field(field),
                    Operand::Words(index) => index.name.to_string(),
                    Operand::Embedding(_) => panic!("nothing is embedded"),
                },
                match test {
                    Test::Compare(Comparison::Eq, Against::One(value)) => format!("=<{value}>"),
                    test => format!(" {test:?}"),
                }
            )
        }
        Logic::Group { negated, connective, parts } => {
            let not = if *negated { "!" } else { "" };
            let parts: Vec<_> = parts.iter().map(shown).collect();
            format!("{not}{connective:?}[{}]", parts.join(" "))
        }
    }
}

fn shown_field(field: &Field<'_>) -> String {
    field.path.steps.iter().fold(field.column.name.to_string(), |shown, step| {
        let (StepTo::Key(to) | StepTo::Index(to)) = &step.to;
        format!("{shown}{}{to}", if step.as_text { "->>" } else { "->" })
    })
}

fn tree(key: &str, value: &str) -> Result<String, QueryError> {
    logic(Scope::of(&table()), key, value).map(|logic| shown(&logic))
}

#[test]
fn trees_are_read() {
    for (key, value, expected) in [
        ("or", "(id.eq.1,id.eq.2)", "Or[id=<1> id=<2>]"),
        ("not.and", "(id.eq.1)", "!And[id=<1>]"),
        ("and", "(id.not.eq.1,not.or(id.eq.2,id.eq.3))", "And[!id=<1> !Or[id=<2> id=<3>]]"),
        (
            "and",
            "( and ( id.in.( 1, 2 ) , id.eq.3 ) , or ( id.eq.2 , id.is.null ) )",
            "And[And[id In([\"1\", \" 2 \"]) id=<3 >] Or[id=<2 > id Is(Null)]]",
        ),
        ("or", r#"(user.eq."(a,\"b\")",user.eq.c"d)"#, r#"Or[user=<(a,"b")> user=<c"d>]"#),
        ("or", r#"(user.eq."a"b,user.eq.{c,d},user.eq.)"#, r#"Or[user=<"a"b> user=<{c,d}> user=<>]"#),
        ("or", r#"("user".eq.a)"#, "Or[user=<a>]"),
        ("or", "(user.like.*a,user.ilike.b*)", "Or[user Pattern(Like, One(\"*a\")) user Pattern(Ilike, One(\"b*\"))]"),
        (
            "or",
            "(user.eq(any).{a,b},user.not.match.^a,id.isdistinct.1)",
            "Or[user Compare(Eq, List(Any, [Some(\"a\"), Some(\"b\")])) !user Pattern(Match, One(\"^a\")) id IsDistinct(\"1\")]",
        ),
        (
            "and",
            "(doc->a->>b.eq.x,doc->\"c.d,)\".eq.1,tags->-1.is.null)",
            "And[doc->a->>b=<x> doc->c.d,)=<1> tags->-1 Is(Null)]",
        ),
    ] {
        assert_eq!(tree(key, value).as_deref(), Ok(expected), "{key}={value}");
    }
}

#[test]
fn malformed_trees_are_refused_at_their_position() {
    let field_or_group = "field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)";
    for (key, value, column, details) in [
        ("or", "()", 4, format!("unexpected \")\" expecting {field_or_group}")),
        ("or", ")(", 3, "unexpected \")\" expecting \"(\"".into()),
        ("or", "", 3, "unexpected end of input expecting \"(\"".into()),
        ("or", "(id.in.1,2,id.eq.3)", 10, "unexpected \"1\" expecting \"(\"".into()),
        ("and", "(ord(id.eq.1,id.eq.1),id.eq.2)", 7, "unexpected \"d\" expecting \"(\"".into()),
        ("or", "(id.eq.1,not.xor(id.eq.2,id.eq.3))", 16, "unexpected \"x\" expecting logic operator (and, or)".into()),
        ("or", "(id.foo.1)", 7, "unexpected \"f\" expecting \"not\" or operator (eq, gt, ...)".into()),
        ("or", "(id.is.nil)", 11, "unexpected \"i\" expecting isVal: (null, not_null, true, false, unknown)".into()),
        ("or", "(id.eq.1", 11, "unexpected end of input expecting \",\" or \")\"".into()),
        ("or", "(id.eq.1,)", 12, format!("unexpected \")\" expecting {field_or_group}")),
        ("and", "(id.eq.1),id.eq.2", 13, "unexpected ',' expecting end of input".into()),
        ("not.or", "(id.eq.1))", 16, "unexpected ')' expecting end of input".into()),
    ] {
        let error = tree(key, value).unwrap_err();
        assert_eq!((error.code.as_str(), &error.hint), ("PGRST100", &None), "{value}");
        assert_eq!(error.message, format!("\"failed to parse logic tree ({value})\" (line 1, column {column})"));
        assert_eq!(error.details, Some(details), "{value}");
    }
}

#[test]
fn the_depth_is_limited() {
    let nested = |depth: usize| format!("{}(id.eq.1{}", "(and".repeat(depth - 1), ")".repeat(depth));
    assert!(tree("and", &nested(MAX_DEPTH)).is_ok());
    for depth in [MAX_DEPTH + 1, 5_000] {
        let error = tree("and", &nested(depth)).unwrap_err();
        assert_eq!(error.code.as_str(), "PGRST100");
        assert_eq!(error.details.as_deref(), Some("Groups are nested too deep; at most 20 levels are allowed."));
    }
}
