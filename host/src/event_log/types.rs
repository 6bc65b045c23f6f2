//! The types of events that the log has, and names that resemble each other.

use sqlx::PgPool;

use crate::postgres::{rows_within, sql_row};

/// A type of events that the streams of a category have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CategoryType {
    /// The category; empty for streams whose names begin with `-`.
    pub category: String,
    /// The type.
    pub event_type: String,
}

sql_row!(CategoryType { category, event_type });

/// The types that the streams of some categories have, or all streams, at most `limit`; and those of these types anywhere.
pub(super) async fn types(
    pool: &PgPool,
    categories: Option<&[String]>,
    types: Option<&[String]>,
    limit: usize,
) -> Result<Vec<CategoryType>, sqlx::Error> {
    let types = sqlx::query_as(
        "SELECT category, type AS event_type FROM gnomon.event_types
         WHERE $1::text[] IS NULL OR category = ANY($1) OR $2::text[] IS NULL OR type = ANY($2)
         ORDER BY category, type LIMIT $3",
    )
    .bind(categories)
    .bind(types)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch(pool);
    rows_within("the types of events", types).await
}

/// The categories that have events of some types, or any, at most `limit`.
pub(super) async fn categories(
    pool: &PgPool,
    types: Option<&[String]>,
    limit: usize,
) -> Result<Vec<String>, sqlx::Error> {
    let categories = sqlx::query_as(
        "SELECT DISTINCT category FROM gnomon.event_types WHERE $1::text[] IS NULL OR type = ANY($1) ORDER BY category LIMIT $2",
    )
    .bind(types)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch(pool);
    let categories: Vec<(String,)> = rows_within("the categories of events", categories).await?;
    Ok(categories.into_iter().map(|(category,)| category).collect())
}

/// The name that another one may be a misspelling of: the nearest, if it is near enough. Case and one slip count little; names
/// of up to three characters differ by their case only.
#[must_use]
pub fn resembles<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_lowercase();
    let near = known.into_iter().filter(|known| *known != name).filter_map(|known| {
        let distance = strsim::osa_distance(&lower, &known.to_lowercase());
        let length = lower.chars().count().min(known.chars().count());
        let allowed = if length < 4 { 0 } else { (length / 5).clamp(1, 2) };
        (distance <= allowed).then_some((distance, known))
    });
    near.min().map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        let known = ["OrderPlaced", "OrderPaid", "Moved", "A"];
        for (name, wanted) in [
            ("OrderPlacd", Some("OrderPlaced")),
            ("OrdrePlaced", Some("OrderPlaced")),
            ("orderPlaced", Some("OrderPlaced")),
            ("OrderPlaced2", Some("OrderPlaced")),
            ("ORDERPAID", Some("OrderPaid")),
            ("OrderPad", Some("OrderPaid")),
            ("Move", Some("Moved")),
            ("a", Some("A")),
            ("B", None),
            ("OrderShipped", None),
            ("OrderPlaced", None),
            ("Removed", None),
            ("", None),
        ] {
            assert_eq!(resembles(name, known), wanted, "{name}");
        }
    }
}
