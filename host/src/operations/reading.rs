//! What a projection reads of the log, and what it passes over.

use super::{
    Operations,
    log_filter::{LogFilter, log_filter},
};
use crate::{
    builds::{BuildNumber, DefaultBuild, of_projection, pick},
    event_log::{CategoryType, EventLog, Filter, resembles},
    read_model::Identifier,
    subscriptions::handled,
};

/// Types of the log that are looked at.
const MAX_TYPES: usize = 10_000;
/// Types that are passed over, and that are answered.
const MAX_IGNORED: usize = 100;

/// What a build reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The build: the active one, or the newest if none is active.
    pub build: BuildNumber,
    /// The types that it reads, and how many events of each it has handled: those that its module names, and those that it got.
    pub types: Vec<(String, u64)>,
    /// Whether it reads events of every type.
    pub all_types: bool,
    /// The types as the log has them, with those that upcasters make into others; none if it reads every type.
    pub log_types: Vec<String>,
    /// The categories of streams that it reads; all if there are none.
    pub categories: Vec<String>,
    /// Tags of which each event that it reads has one or more; events with any tags or none if there are none.
    pub tags: Vec<String>,
    /// Types that it passes over, those that may be misspelt first.
    pub ignored: Vec<Ignored>,
    /// How many more it passes over.
    pub more_ignored: usize,
}

/// A type of events in the log that a build passes over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ignored {
    /// The type, and the category of the streams that have its events.
    pub found: CategoryType,
    /// The type that its writer may mean, if the build reads one of a similar name.
    pub type_meant: Option<String>,
    /// The category that its writer may mean, if the build reads one of a similar name.
    pub category_meant: Option<String>,
}

impl Operations {
    /// What a projection reads, and what it passes over; `None` if there is no such projection, or if all its builds are retired.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn reading(&self, log: &EventLog, name: &Identifier) -> Result<Option<Reading>, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        let Some(builds) = of_projection(&mut *connection, name).await? else { return Ok(None) };
        let Ok(build) = pick(name, &builds, None, DefaultBuild::ActiveOrNewest) else { return Ok(None) };
        let handled = handled(&mut connection, build.id.subscription()).await?;
        let LogFilter { filter, projection } = log_filter(&mut connection, build).await?;
        drop(connection);
        let found = log.event_types(&filter, MAX_TYPES).await?;
        let mut types = handled;
        for event_type in projection.event_types.into_iter().map(|wanted| wanted.event_type) {
            if !types.iter().any(|(known, _)| *known == event_type) {
                types.push((event_type, 0));
            }
        }
        types.sort_unstable();
        let mut ignored: Vec<Ignored> = found.into_iter().filter_map(|found| ignored(&filter, found)).collect();
        ignored.sort_by_cached_key(|ignored| (ignored.has_no_hint(), ignored.clone()));
        let more_ignored = ignored.len().saturating_sub(MAX_IGNORED);
        ignored.truncate(MAX_IGNORED);
        let categories = filter.categories.names().unwrap_or_default().to_vec();
        let log_types = filter.types.names().unwrap_or_default().to_vec();
        let (build, all_types, tags) = (build.number, projection.all_types, projection.tags);
        Ok(Some(Reading { build, types, all_types, log_types, categories, tags, ignored, more_ignored }))
    }
}

impl Ignored {
    /// Whether it is like nothing that is read.
    fn has_no_hint(&self) -> bool {
        self.type_meant.is_none() && self.category_meant.is_none()
    }
}

/// A type that a build passes over, unless that is for its category alone, which is like no other.
fn ignored(filter: &Filter, found: CategoryType) -> Option<Ignored> {
    let has_type = filter.types.admits(&found.event_type);
    let has_category = filter.categories.admits(&found.category);
    let meant = |names: Option<&[String]>, name: &str| {
        resembles(name, names.unwrap_or_default().iter().map(String::as_str)).map(str::to_owned)
    };
    let type_meant = if has_type { None } else { meant(filter.types.names(), &found.event_type) };
    let category_meant = if has_category { None } else { meant(filter.categories.names(), &found.category) };
    match (has_type, has_category) {
        (true, true) | (false, false) => None,
        (true, false) if category_meant.is_none() => None,
        _ => Some(Ignored { found, type_meant, category_meant }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_log::NameFilter;

    #[test]
    fn what_is_passed_over_is_of_a_category_that_is_read_or_of_one_with_a_similar_name() {
        let filter = Filter {
            types: NameFilter::only(["OrderPlaced"; 1]),
            categories: NameFilter::only(["order"; 1]),
            query: None,
        };
        let ignored = |category: &str, event_type: &str| {
            let found = CategoryType { category: category.to_owned(), event_type: event_type.to_owned() };
            ignored(&filter, found).map(|ignored| (ignored.type_meant, ignored.category_meant))
        };
        assert_eq!(ignored("order", "OrderPlaced"), None);
        assert_eq!(ignored("order", "OrderPlacd"), Some((Some("OrderPlaced".to_owned()), None)));
        assert_eq!(ignored("order", "Shipped"), Some((None, None)));
        assert_eq!(ignored("oder", "OrderPlaced"), Some((None, Some("order".to_owned()))));
        assert_eq!(ignored("account", "OrderPlaced"), None);
        assert_eq!(ignored("account", "Opened"), None);
    }
}
