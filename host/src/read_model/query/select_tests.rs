use super::*;

/// Items in the grammar's own words, with all that is optional in a fixed place.
fn shown_items(items: &[Item]) -> String {
    let each = items.iter().map(|item| match item {
        Item::All => "*".to_owned(),
        Item::Value(ValueItem { alias, field, cast, aggregate }) => {
            let alias = alias.as_ref().map(|alias| format!("{alias}=")).unwrap_or_default();
            let field = field
                .as_ref()
                .map_or_else(String::new, |field| format!("<{}{}>", field.column, "->".repeat(field.path.steps.len())));
            let cast = cast.as_ref().map(|cast| format!(" as {cast}")).unwrap_or_default();
            let aggregate = aggregate.as_ref().map(|(function, cast)| {
                format!(" {function:?}{}", cast.as_ref().map(|cast| format!(" as {cast}")).unwrap_or_default())
            });
            format!("{alias}{field}{cast}{}", aggregate.unwrap_or_default())
        }
        Item::Snippet { alias, index } => {
            let alias = alias.as_ref().map(|alias| format!("{alias}=")).unwrap_or_default();
            format!("{alias}snippet of {index}")
        }
        Item::Embedding(EmbeddingItem { alias, name, hint, inner, spread, items }) => {
            let alias = alias.as_ref().map(|alias| format!("{alias}=")).unwrap_or_default();
            let hint = hint.as_ref().map(|hint| format!(" by {hint}")).unwrap_or_default();
            let spread = if *spread { "..." } else { "" };
            format!("{alias}{spread}{name}{hint}{}[{}]", if *inner { " inner" } else { "" }, shown_items(items))
        }
    });
    each.collect::<Vec<_>>().join(", ")
}

fn selected(value: &str) -> Result<String, QueryError> {
    select(value).map(|items| shown_items(&items))
}

#[test]
fn columns_are_selected() {
    for (value, expected) in [
        ("", "*"),
        ("*", "*"),
        ("id", "<id>"),
        ("day,id,day", "<day>, <id>, <day>"),
        (" id , day ", "<id>, <day>"),
        ("n:id", "n=<id>"),
        ("\"of, all: things\":id,\"day\"", "of, all: things=<id>, <day>"),
        (" * , id", "*, <id>"),
        ("doc->a->>0", "<doc->->>"),
        ("t:doc->>title,id", "t=<doc->>, <id>"),
        ("words.snippet()", "snippet of words"),
        ("s:words.snippet() ,id", "s=snippet of words, <id>"),
    ] {
        assert_eq!(selected(value).as_deref(), Ok(expected), "{value}");
    }
}

#[test]
fn values_are_cast_and_aggregated() {
    for (value, expected) in [
        ("id::text", "<id> as text"),
        ("n:id::double precision", "n=<id> as double precision"),
        ("tags::text[],id", "<tags> as text[], <id>"),
        ("id.sum()", "<id> Sum"),
        ("n:id::numeric.avg()::text", "n=<id> as numeric Avg as text"),
        ("doc->>a::int.max()", "<doc->> as int Max"),
        ("doc->0.min()", "<doc->> Min"),
        ("count()", " Count"),
        ("n:count()::text , id.count()", "n= Count as text, <id> Count"),
        ("count", "<count>"),
    ] {
        assert_eq!(selected(value).as_deref(), Ok(expected), "{value}");
    }
}

#[test]
fn resources_are_embedded() {
    for (value, expected) in [
        ("clients(*)", "clients[*]"),
        ("id,c:clients(name, id ),day", "<id>, c=clients[<name>, <id>], <day>"),
        ("clients!inner(id)", "clients inner[<id>]"),
        ("clients!left(id)", "clients[<id>]"),
        ("clients!by_id(id)", "clients by by_id[<id>]"),
        ("clients!by_id!inner(id)", "clients by by_id inner[<id>]"),
        ("clients!inner!by_id(id)", "clients by by_id inner[<id>]"),
        ("clients!innermost(id)", "clients by innermost[<id>]"),
        ("\"my clients\"!\"the hint\"(id)", "my clients by the hint[<id>]"),
        ("clients()", "clients[]"),
        ("clients( )", "clients[]"),
        ("a(b(c(d)),e(*))", "a[b[c[<d>]], e[*]]"),
        ("...clients(name)", "...clients[<name>]"),
        (
            "id, ...clients!x!inner(...countries(name),count())",
            "<id>, ...clients by x inner[...countries[<name>],  Count]",
        ),
        ("clients(doc->0,doc->>a)", "clients[<doc->>, <doc->>]"),
        ("clients(id::text)", "clients[<id> as text]"),
    ] {
        assert_eq!(selected(value).as_deref(), Ok(expected), "{value}");
    }
}

#[test]
fn malformed_texts_are_refused_at_their_position() {
    let after_a_name = |further: &str| {
        format!("expecting letter, digit, \"-\", \"->>\", \"->\", \"::\", \".\", {further}\",\" or end of input")
    };
    let name = "expecting field name (* or [a..z0..9_$])";
    for (value, column, details) in [
        ("id,", 4, format!("unexpected end of input {name}")),
        (",id", 1, format!("unexpected \",\" {name}")),
        ("id)", 3, format!("unexpected ')' {}", after_a_name(""))),
        ("*id", 2, "unexpected 'i' expecting \",\" or end of input".to_owned()),
        ("n:*", 3, format!("unexpected \"*\" {name}")),
        (
            "id.foo",
            4,
            "unexpected \"f\" expecting \"sum()\", \"avg()\", \"count()\", \"max()\" or \"min()\"".to_owned(),
        ),
        (":id", 1, format!("unexpected \":\" {name}")),
        ("name::", 7, "unexpected end of input expecting letter or digit".to_owned()),
        ("id,clients(name[])", 16, format!("unexpected '[' {}", after_a_name("\")\", "))),
        ("clients(id,", 12, format!("unexpected end of input {name}")),
        ("clients(id", 11, format!("unexpected end of input {}", after_a_name("\")\", "))),
        ("clients!(id)", 9, format!("unexpected \"(\" {name}")),
        ("alias:...clients(id)", 7, format!("unexpected \".\" {name}")),
        ("count(id)", 6, format!("unexpected '(' {}", after_a_name(""))),
        ("clients!a", 10, "unexpected end of input expecting letter, digit, \"-\" or \"(\"".to_owned()),
    ] {
        let error = selected(value).unwrap_err();
        assert_eq!((error.code.as_str(), &error.hint), ("PGRST100", &None), "{value}");
        assert_eq!(error.message, format!("\"failed to parse select parameter ({value})\" (line 1, column {column})"));
        assert_eq!(error.details, Some(details), "{value}");
    }
}

#[test]
fn what_postgrest_would_drop_is_refused() {
    for (value, details) in [
        ("clients!a!b(id)", "An embedding has one hint at most."),
        ("clients!inner!left(id)", "An embedding is either !inner or !left."),
    ] {
        let error = selected(value).unwrap_err();
        assert_eq!((error.code.as_str(), error.details.as_deref()), ("PGRST100", Some(details)), "{value}");
    }
}

#[test]
fn the_depth_of_embeddings_is_limited() {
    let nested = |depth: usize| format!("{}id{}", "a(".repeat(depth), ")".repeat(depth));
    assert!(selected(&nested(MAX_EMBEDDING_DEPTH)).is_ok());
    let error = selected(&nested(MAX_EMBEDDING_DEPTH + 1)).unwrap_err();
    assert_eq!(error.code.as_str(), "PGRST100");
    assert_eq!(error.details.as_deref(), Some("Embeddings are nested too deep; at most 8 levels are allowed."));
    assert!(selected(&nested(10_000)).is_err());
}
