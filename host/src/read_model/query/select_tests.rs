use super::{super::tests::table, *};
use crate::read_model::query::ErrorCode;

fn selected(value: &str) -> Result<String, QueryError> {
    let table = table();
    let shown = select(&table, value)?.into_iter().map(|selected| match selected.alias {
        Some(alias) => format!("{alias}:{}", selected.column.name),
        None => selected.column.name.to_string(),
    });
    Ok(shown.collect::<Vec<_>>().join(","))
}

const ALL: &str = "id,user,page,delay,ratio,fare,landed,day,ticket,doc,raw,city,boarding,gate_closes,tags,seats,\
                   weights,crew";

#[test]
fn columns_are_selected() {
    for (value, shown) in [
        ("", ALL),
        ("*", ALL),
        ("id", "id"),
        ("day,id,day", "day,id,day"),
        (" id , day ", "id,day"),
        ("n:id", "n:id"),
        ("\"of, all: things\":id,\"day\"", "of, all: things:id,day"),
        ("id,*", &format!("id,{ALL}")),
        (" * , id", &format!("{ALL},id")),
    ] {
        assert_eq!(selected(value).as_deref(), Ok(shown), "{value}");
    }
}

#[test]
fn malformed_texts_are_refused_at_their_position() {
    for (value, column, details) in [
        ("id,", 4, "unexpected end of input expecting field name (* or [a..z0..9_$])"),
        (",id", 1, "unexpected \",\" expecting field name (* or [a..z0..9_$])"),
        (
            "id)",
            3,
            "unexpected ')' expecting letter, digit, \"-\", \"->>\", \"->\", \"::\", \".\", \",\" or end of input",
        ),
        ("*id", 2, "unexpected 'i' expecting \",\" or end of input"),
        ("n:*", 3, "unexpected \"*\" expecting field name (* or [a..z0..9_$])"),
        ("id.foo", 4, "unexpected \"f\" expecting \"sum()\", \"avg()\", \"count()\", \"max()\" or \"min()\""),
        (":id", 1, "unexpected \":\" expecting field name (* or [a..z0..9_$])"),
    ] {
        let error = selected(value).unwrap_err();
        assert_eq!((error.code.as_str(), &error.hint), ("PGRST100", &None), "{value}");
        assert_eq!(error.message, format!("\"failed to parse select parameter ({value})\" (line 1, column {column})"));
        assert_eq!(error.details.as_deref(), Some(details), "{value}");
    }
}

#[test]
fn unsupported_features_are_named() {
    for (value, details) in [
        ("doc->title", "JSON paths (-> and ->>) are not implemented in select."),
        ("t:doc->>title", "JSON paths (-> and ->>) are not implemented in select."),
        ("id::text", "Casts (::) are not implemented."),
        ("n:id::text", "Casts (::) are not implemented."),
        ("clients(*)", "Embedding other resources (clients) is not implemented."),
        ("c:clients!inner(id)", "Embedding other resources (clients) is not implemented."),
        ("id,...clients(name)", "Spreading other resources (...) is not implemented."),
    ] {
        assert_eq!(
            selected(value),
            Err(QueryError {
                code: ErrorCode::NotImplemented,
                message: "Feature not implemented".into(),
                details: Some(details.into()),
                hint: None,
            }),
            "{value}"
        );
    }
    for value in ["count()", "n:count()", "delay.sum()", "m:delay.max()"] {
        assert_eq!(
            selected(value),
            Err(QueryError {
                code: ErrorCode::Aggregate,
                message: "Use of aggregate functions is not allowed".into(),
                details: None,
                hint: None,
            }),
            "{value}"
        );
    }
}

#[test]
fn the_number_of_columns_is_limited() {
    let most = vec!["id"; MAX_REPEATED + 1].join(",");
    assert!(selected(&most).is_ok());
    let renamed: Vec<_> = (0..=MAX_REPEATED).map(|number| format!("a{number}:user")).collect();
    assert!(selected(&format!("id,{}", renamed.join(","))).is_ok());
    for (too_many, message, details) in [
        (format!("{most},id"), "the query has too many columns that are selected again", "At most 16 are allowed."),
        (
            format!("user,{}", renamed.join(",")),
            "the query has too many columns that are selected again",
            "At most 16 are allowed.",
        ),
        (
            vec!["*"; MAX_SELECTED / 11 + 1].join(","),
            "the query has too many selected columns",
            "At most 1000 are allowed.",
        ),
    ] {
        let error = selected(&too_many).unwrap_err();
        assert_eq!(error.code.as_str(), "PGRST100");
        assert_eq!((error.message.as_str(), error.details.as_deref()), (message, Some(details)));
    }
}
