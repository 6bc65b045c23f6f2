use super::*;

fn ordered(value: &str) -> Result<String, QueryError> {
    let shown = order(value)?.into_iter().map(|term| {
        let direction = term.direction.map(|direction| format!(" {direction:?}")).unwrap_or_default();
        let nulls = term.nulls.map(|nulls| format!(" nulls {nulls:?}")).unwrap_or_default();
        let embedding = term.embedding.map(|embedding| format!("{embedding}: ")).unwrap_or_default();
        let path = "->".repeat(term.field.path.steps.len());
        let rank = if term.is_rank { " rank" } else { "" };
        format!("{embedding}{}{path}{rank}{direction}{nulls}", term.field.column)
    });
    Ok(shown.collect::<Vec<_>>().join(", "))
}

#[test]
fn terms_are_read() {
    for (value, shown) in [
        ("id", "id"),
        ("id.asc", "id Ascending"),
        ("id.desc.nullsfirst", "id Descending nulls First"),
        ("id.nullslast", "id nulls Last"),
        (" day.desc , id ", "day Descending, id"),
        ("\"day\".asc", "day Ascending"),
        ("doc->a->>0.desc,doc->\"b.asc\".nullsfirst", "doc->-> Descending, doc-> nulls First"),
        ("words.rank,words.rank.desc.nullslast", "words rank, words rank Descending nulls Last"),
        ("clients(name)", "clients: name"),
        ("id,clients( name ).desc.nullslast,id", "id, clients: name Descending nulls Last, id"),
        ("clients(doc->>a)", "clients: doc->"),
    ] {
        assert_eq!(ordered(value).as_deref(), Ok(shown), "{value}");
    }
}

#[test]
fn malformed_terms_are_refused_at_their_position() {
    for (value, column, details) in [
        ("", 1, "unexpected end of input expecting field name (* or [a..z0..9_$])"),
        ("clients()", 9, "unexpected \")\" expecting field name (* or [a..z0..9_$])"),
        ("clients(a,b)", 10, "unexpected \",\" expecting letter, digit, \"-\", \"->>\", \"->\" or \")\""),
        ("id,", 4, "unexpected end of input expecting field name (* or [a..z0..9_$])"),
        ("id.ac", 4, "unexpected \"c\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\""),
        ("id.smth34", 4, "unexpected \"s\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\""),
        ("id.descc", 8, "unexpected 'c' expecting delimiter (.), \",\" or end of input"),
        ("id.nullslasttt", 13, "unexpected 't' expecting \",\" or end of input"),
        ("id.asc.nlsfst", 8, "unexpected \"l\" expecting \"nullsfirst\" or \"nullslast\""),
        ("id.asc.nullslasttt", 17, "unexpected 't' expecting \",\" or end of input"),
        (
            "id!",
            3,
            "unexpected '!' expecting letter, digit, \"-\", \"->>\", \"->\", delimiter (.), \",\" or end of input",
        ),
    ] {
        let error = ordered(value).unwrap_err();
        assert_eq!((error.code.as_str(), &error.hint), ("PGRST100", &None), "{value}");
        assert_eq!(error.message, format!("\"failed to parse order ({value})\" (line 1, column {column})"));
        assert_eq!(error.details.as_deref(), Some(details), "{value}");
    }
}

#[test]
fn the_number_of_terms_is_limited() {
    let most = vec!["id"; MAX_ORDER_TERMS].join(",");
    assert!(ordered(&most).is_ok());
    let error = ordered(&format!("{most},id")).unwrap_err();
    assert_eq!(error.code.as_str(), "PGRST100");
    assert_eq!(error.message, "the query has too many columns to order by");
    assert_eq!(error.details.as_deref(), Some("At most 32 are allowed."));
}
