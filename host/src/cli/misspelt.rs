//! Notes about types of events, and about streams, that no projection reads and whose names are like those that one reads.

use super::client::{Client, ClientError};
use crate::{
    api::{Projections, ProjectionsQuery, Reading},
    event_log::resembles,
};

/// What may be misspelt of an event; `None` if a projection reads it, or if it is like nothing that one reads.
pub(super) async fn note(client: &Client, stream: &str, event_type: &str) -> Result<Option<String>, ClientError> {
    let query = ProjectionsQuery { retired: false, reading: true };
    let found: Projections = client.json(client.get(&["v1", "projections"]).query(&query)).await?;
    let readings = found.projections.into_iter().filter_map(|projection| Some((projection.name, projection.reading?)));
    Ok(misspelt(&readings.collect::<Vec<_>>(), stream, event_type))
}

fn misspelt(readings: &[(String, Reading)], stream: &str, event_type: &str) -> Option<String> {
    let category = stream.split_once('-').map_or(stream, |(category, _)| category);
    let has_type = |reading: &Reading| reading.all_types || reading.log_types.iter().any(|known| known == event_type);
    let has_category =
        |reading: &Reading| reading.categories.is_empty() || reading.categories.iter().any(|known| known == category);
    if readings.iter().any(|(_, reading)| has_type(reading) && has_category(reading)) {
        return None;
    }
    readings.iter().find_map(|(projection, reading)| match (has_type(reading), has_category(reading)) {
        (false, true) => {
            let meant = resembles(event_type, types(reading))?;
            Some(format!("no projection reads `{event_type}`; `{projection}` reads `{meant}`: did you mean that?"))
        }
        (true, false) => {
            let meant = resembles(category, reading.categories.iter().map(String::as_str))?;
            Some(format!(
                "no projection reads `{event_type}` of stream `{stream}`; `{projection}` reads streams `{meant}-…`: did you mean that?"
            ))
        }
        _ => None,
    })
}

fn types(reading: &Reading) -> impl Iterator<Item = &str> {
    reading.types.iter().map(|known| known.event_type.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reading(types: &[&str], categories: &[&str]) -> Reading {
        let handled: Vec<_> = types.iter().map(|name| json!({"type": name, "handled": 1})).collect();
        serde_json::from_value(json!({"build": 1, "all_types": false, "log_types": types, "types": handled,
            "categories": categories, "ignored": [], "more_ignored": 0}))
        .unwrap()
    }

    #[test]
    fn a_note_is_about_what_nobody_reads_and_resembles_what_somebody_reads() {
        let readings = [
            ("orders".to_owned(), reading(&["OrderPlaced"], &["order"])),
            ("audit".to_owned(), reading(&["Opened"], &[])),
        ];
        let note = |stream: &str, event_type: &str| misspelt(&readings, stream, event_type);
        assert_eq!(
            note("order-1", "OrderPlacd").unwrap(),
            "no projection reads `OrderPlacd`; `orders` reads `OrderPlaced`: did you mean that?"
        );
        assert_eq!(
            note("oder-1", "OrderPlaced").unwrap(),
            "no projection reads `OrderPlaced` of stream `oder-1`; `orders` reads streams `order-…`: did you mean that?"
        );
        for (stream, event_type) in
            [("order-1", "OrderPlaced"), ("x-1", "Opened"), ("order-1", "Shipped"), ("account-1", "OrderPlaced")]
        {
            assert_eq!(note(stream, event_type), None, "{stream} {event_type}");
        }
        // An upcaster makes what the projection reads of it.
        let mut behind = readings[0].clone();
        assert!(misspelt(std::slice::from_ref(&behind), "order-1", "OrderPlacedV").is_some());
        behind.1.log_types.push("OrderPlacedV".to_owned());
        assert_eq!(misspelt(&[behind], "order-1", "OrderPlacedV"), None);
        // What another projection reads is not misspelt.
        let both = [readings[0].clone(), ("other".to_owned(), reading(&["OrderPlacd"], &[]))];
        assert_eq!(misspelt(&both, "order-1", "OrderPlacd"), None);
    }
}
