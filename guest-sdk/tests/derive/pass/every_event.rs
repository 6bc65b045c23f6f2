use gnomon_sdk::{Events, prelude::*, schema::WantedType, testing::{event, given, json}};
use serde::Deserialize;

#[derive(Events)]
enum Named {
    #[event("Opened", schema_version = 2)]
    Opened(Opened),
    #[event("Two words & ünïcode",)]
    Odd(std::collections::BTreeMap<String, i64>),
    #[event("Closed", schema_version = 3)]
    Closed,
}

#[derive(Deserialize)]
struct Opened {
    owner: String,
}

#[derive(Events)]
enum All {
    #[event("Opened")]
    Opened,
    #[event(other)]
    Other(gnomon_sdk::serde_json::Value),
}

#[derive(Table)]
#[table("seen")]
struct Seen {
    #[key]
    position: i64,
    what: String,
}

struct SeesNamed;

impl Projection for SeesNamed {
    type Event = Named;
    type Tables = Seen;

    fn handle(event: &Event<Named>, rows: &mut Rows) -> Result<(), Failure> {
        let what = match &event.data {
            Named::Opened(opened) => opened.owner.clone(),
            Named::Odd(numbers) => format!("{numbers:?}"),
            Named::Closed => "closed".to_owned(),
        };
        rows.put(Seen { position: i64::try_from(event.position)?, what });
        Ok(())
    }
}

struct SeesAll;

impl Projection for SeesAll {
    type Event = All;
    type Tables = (Seen,);

    fn handle(event: &Event<All>, rows: &mut Rows) -> Result<(), Failure> {
        let what = match &event.data {
            All::Opened => "opened".to_owned(),
            All::Other(data) => format!("{} {data}", event.event_type),
        };
        rows.put(Seen { position: i64::try_from(event.position)?, what });
        Ok(())
    }
}

gnomon_sdk::export!(SeesAll);

fn seen(position: i64, what: &str) -> Seen {
    Seen { position, what: what.into() }
}

fn main() {
    let wanted = |event_type, schema_version| WantedType { event_type, schema_version };
    let named = [wanted("Opened", Some(2)), wanted("Two words & ünïcode", None), wanted("Closed", Some(3))];
    assert_eq!(Named::WANTED, named);
    assert!(All::ALL_TYPES && !Named::ALL_TYPES);
    assert_eq!(All::WANTED, [wanted("Opened", None)]);

    let opened = || event("a-1", "Opened", json!({ "owner": "ann", "more": 1 }));
    let closed = || event("a-1", "Closed", json!(null));
    given::<SeesNamed>([opened().schema_version(2), event("a-1", "Two words & ünïcode", json!({ "n": 1 }))])
        .when([closed().schema_version(3), event("a-1", "Unheard", json!(0))])
        .then_rows([seen(1, "ann"), seen(2, "{\"n\": 1}"), seen(3, "closed")]);
    given::<SeesNamed>([opened()]).then_fails(
        1,
        "Opened: the event has schema version 1, but this module reads version 2; activate an upcaster that rewrites \
         `Opened` from version 1 to 2",
    );
    given::<SeesNamed>([opened().schema_version(3)]).then_fails(
        1,
        "Opened: the event has schema version 3, but this module reads version 2; deploy a version of this module that \
         reads version 3 of `Opened`",
    );
    given::<SeesNamed>([closed().schema_version(2)]).then_fails(1, "Closed: the event has schema version 2");
    given::<SeesAll>([opened(), event("b", "Unheard", json!([1]))])
        .then_rows([seen(1, "opened"), seen(2, "Unheard [1]")]);
}
