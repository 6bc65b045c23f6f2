use super::{
    super::{
        cursor::read,
        error::QueryError,
        field::{Field, FieldName, field},
        tests::table,
    },
    *,
};
use crate::read_model::ColumnType;

fn field_name(text: &str) -> Result<FieldName, QueryError> {
    read("field", text, text, field)
}

/// The path in a form that tells keys from numbers.
fn shown(text: &str) -> String {
    let FieldName { column, path } = field_name(text).unwrap();
    path.steps.iter().fold(column, |shown, step| {
        let arrow = if step.as_text { "->>" } else { "->" };
        match &step.to {
            StepTo::Key(key) => format!("{shown}{arrow}<{key}>"),
            StepTo::Index(index) => format!("{shown}{arrow}[{index}]"),
        }
    })
}

#[test]
fn paths_are_read_as_postgrest_reads_them() {
    for (text, expected) in [
        ("doc", "doc"),
        ("doc->a", "doc-><a>"),
        ("doc->>a", "doc->><a>"),
        ("doc->a->0->>b", "doc-><a>->[0]->><b>"),
        ("doc->-1->>-22", "doc->[-1]->>[-22]"),
        ("doc->007", "doc->[007]"),
        ("doc->1a", "doc-><1a>"),
        ("doc->1-a", "doc-><1-a>"),
        ("doc->!@#$%^&*_a", "doc-><!@#$%^&*_a>"),
        ("doc->with space->> trimmed ", "doc-><with space>->><trimmed>"),
        ("doc->a-b-c->d", "doc-><a-b-c>-><d>"),
        ("doc->\"a.b->c,)\"->>\"1\"", "doc-><a.b->c,)>->><1>"),
        (r#"doc->"a\"b\\c""#, r#"doc-><a"b\c>"#),
        ("doc->\"\"", "doc-><>"),
        ("doc->a\"b", "doc-><a\"b>"),
        ("\"doc\"->a", "doc-><a>"),
        (" doc ", "doc"),
        ("with-dash->a", "with-dash-><a>"),
        ("doc->é", "doc-><é>"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn malformed_paths_are_refused_at_their_position() {
    for (text, column, details) in [
        (
            "doc->",
            6,
            "unexpected end of input expecting \"-\", digit or any non reserved character different from: .,>()",
        ),
        ("doc->>-78xy", 10, "unexpected 'x' expecting digit, \"->\", \"::\", \".\", \",\" or end of input"),
        ("doc->>--34", 8, "unexpected \"-\" expecting digit"),
        ("doc->>-xy-4", 8, "unexpected \"x\" expecting digit"),
        ("doc->a-", 8, "unexpected end of input expecting any non reserved character different from: .,>()"),
        ("doc->\"a", 8, "unexpected end of input expecting \"\\\"\""),
    ] {
        let error = field_name(text).unwrap_err();
        assert_eq!(error.code.as_str(), "PGRST100", "{text}");
        assert_eq!(error.message, format!("\"failed to parse field ({text})\" (line 1, column {column})"), "{text}");
        assert_eq!(error.details.as_deref(), Some(details), "{text}");
    }
    let error = field_name("doc->\"a\0\"").unwrap_err();
    assert_eq!(error.details.as_deref(), Some("A key of a JSON path must not contain NUL."));
}

#[test]
fn the_number_of_steps_is_limited() {
    let path = |steps: usize| format!("doc{}", "->a".repeat(steps));
    assert!(field_name(&path(MAX_PATH_STEPS)).is_ok());
    let error = field_name(&path(MAX_PATH_STEPS + 1)).unwrap_err();
    assert_eq!(error.code.as_str(), "PGRST100");
    assert_eq!(error.details.as_deref(), Some("The path has too many steps; at most 32 are allowed."));
}

#[test]
fn the_last_step_says_the_type() {
    let table = table();
    for (text, column_type, last_key) in [
        ("delay", ColumnType::I64, None),
        ("doc", ColumnType::Json, None),
        ("doc->>a", ColumnType::Text, Some("a")),
        ("doc->a->0", ColumnType::Json, Some("a")),
        ("tags->>0", ColumnType::Text, None),
    ] {
        let field = Field::named(&table, field_name(text).unwrap()).unwrap();
        assert_eq!((field.column_type(), field.path.last_key()), (column_type, last_key), "{text}");
        assert_eq!(field.nullable(), field.column.nullable || text.contains("->"), "{text}");
    }
    let error = Field::named(&table, field_name("dok->a").unwrap()).unwrap_err();
    assert_eq!(error.code.as_str(), "42703");
}
