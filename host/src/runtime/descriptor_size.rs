//! How large a descriptor may be. This is checked first, and stops at the first limit: all other checks name everything that is wrong, item
//! by item, so there must not be too many of them, nor too long ones.

use gnomon_values::limits::{
    MAX_COLUMNS, MAX_INDEX_COLUMNS, MAX_INDEXES, MAX_REFERENCES, MAX_SINKS, MAX_STEPS, MAX_TABLES, MAX_WANTED,
};

use super::{
    descriptor::{ProjectionDescriptor, ReactorDescriptor, Sdk, UpcasterDescriptor, WantedType},
    printable::printable,
};
use crate::read_model::{IndexKindDeclaration, TableDeclaration};

/// Bytes of all texts of a descriptor together. It is stored with each version, and read for each build.
pub const MAX_DESCRIPTOR_BYTES: usize = 1024 * 1024;
/// Bytes of the name of a category or an event type in a descriptor: as many as a host can be set to accept in its log. A column's name may
/// have fewer, which is checked with its table.
pub const MAX_DECLARED_NAME_BYTES: usize = 2000;
/// Bytes of a text that a message shows.
const SHOWN_BYTES: usize = 60;

/// Checks the lists of what a module wants of the log, before they are looked at.
///
/// # Errors
/// They are too long.
pub(super) fn check_wanted(event_types: usize, categories: usize, tags: usize) -> Result<(), String> {
    if [event_types, categories, tags].iter().any(|count| *count > MAX_WANTED) {
        return Err(format!(
            "event types: {event_types}, categories: {categories}, tags: {tags}; at most {MAX_WANTED} of each are allowed"
        ));
    }
    Ok(())
}

/// Checks the number of an upcaster's steps.
///
/// # Errors
/// There are too many.
pub(super) fn check_steps(steps: usize) -> Result<(), String> {
    if steps > MAX_STEPS {
        return Err(format!("steps: {steps}; 1 to {MAX_STEPS} are allowed"));
    }
    Ok(())
}

/// Checks the size of a projection's descriptor.
///
/// # Errors
/// Names the first thing that is too large.
pub(super) fn check_projection(descriptor: &ProjectionDescriptor) -> Result<(), String> {
    let ProjectionDescriptor { sdk, description, tables, event_types, categories, tags, .. } = descriptor;
    if tables.len() > MAX_TABLES {
        return Err(format!("tables: {}; 1 to {MAX_TABLES} are allowed", tables.len()));
    }
    check_wanted(event_types.len(), categories.len(), tags.len())?;
    check_texts(sdk, description.as_ref(), tables, named(event_types, categories, tags))
}

/// Checks the number of a reactor's sinks.
///
/// # Errors
/// There are too many.
pub(super) fn check_sinks(sinks: usize) -> Result<(), String> {
    if sinks > MAX_SINKS {
        return Err(format!("sinks: {sinks}; at most {MAX_SINKS} are allowed"));
    }
    Ok(())
}

/// Checks the size of a reactor's descriptor.
///
/// # Errors
/// Names the first thing that is too large.
pub(super) fn check_reactor(descriptor: &ReactorDescriptor) -> Result<(), String> {
    let ReactorDescriptor { sdk, description, tables, event_types, categories, tags, sinks, .. } = descriptor;
    if tables.len() > MAX_TABLES {
        return Err(format!("tables: {}; 0 to {MAX_TABLES} are allowed", tables.len()));
    }
    check_wanted(event_types.len(), categories.len(), tags.len())?;
    check_sinks(sinks.len())?;
    check_texts(sdk, description.as_ref(), tables, named(event_types, categories, tags).chain(sinks))
}

/// What a module names of the log.
fn named<'d>(
    event_types: &'d [WantedType],
    categories: &'d [String],
    tags: &'d [String],
) -> impl Iterator<Item = &'d String> + Clone {
    event_types.iter().map(|wanted| &wanted.event_type).chain(categories).chain(tags)
}

/// Checks the texts of a descriptor: of the tables, and of the other names.
fn check_texts<'d>(
    sdk: &'d Sdk,
    description: Option<&'d String>,
    tables: &'d [TableDeclaration],
    names: impl Iterator<Item = &'d String> + Clone,
) -> Result<(), String> {
    tables.iter().try_for_each(check_table)?;
    names.clone().try_for_each(|name| check_name(name))?;
    let names_of_tables = tables.iter().map(|table| &table.name);
    names_of_tables.clone().try_for_each(|name| check_name(name))?;
    let own = names.chain(names_of_tables).chain(description).chain([&sdk.name, &sdk.version, &sdk.language]);
    check_bytes(own.map(String::len).sum::<usize>() + tables.iter().flat_map(texts).map(String::len).sum::<usize>())
}

/// Checks the size of an upcaster's descriptor.
///
/// # Errors
/// Names the first thing that is too large.
pub(super) fn check_upcaster(UpcasterDescriptor { sdk, steps }: &UpcasterDescriptor) -> Result<(), String> {
    check_steps(steps.len())?;
    for step in steps {
        check_name(&step.event_type)?;
        if step.produces.len() > MAX_WANTED {
            let count = step.produces.len();
            return Err(format!("step {step}: it produces {count} types; at most {MAX_WANTED} are allowed"));
        }
        step.produces.iter().try_for_each(|produced| check_name(produced))?;
    }
    let names = steps.iter().flat_map(|step| step.produces.iter().chain([&step.event_type]));
    check_bytes(names.chain([&sdk.name, &sdk.version, &sdk.language]).map(String::len).sum())
}

fn check_table(table: &TableDeclaration) -> Result<(), String> {
    let name = || printable(&table.name, SHOWN_BYTES);
    let counts = [
        ("columns", table.columns.len(), 1, MAX_COLUMNS),
        ("key columns", table.key.len(), 1, MAX_INDEX_COLUMNS),
        ("indexes", table.indexes.len(), 0, MAX_INDEXES),
        ("references", table.references.len(), 0, MAX_REFERENCES),
    ];
    for (what, count, min, max) in counts {
        if count > max {
            return Err(format!("table `{}`: {what}: {count}; {min} to {max} are allowed", name()));
        }
    }
    let of_indexes = table.indexes.iter().map(|index| match &index.kind {
        IndexKindDeclaration::Btree { columns } | IndexKindDeclaration::Gin { columns } => columns.len(),
        IndexKindDeclaration::FullText { columns, .. } => columns.len(),
    });
    let of_references = table.references.iter().map(|reference| reference.columns.len());
    match of_indexes.chain(of_references).max() {
        Some(count) if count > MAX_INDEX_COLUMNS => Err(format!(
            "table `{}`: columns of an index or a reference: {count}; 1 to {MAX_INDEX_COLUMNS} are allowed",
            name()
        )),
        _ => texts(table).try_for_each(|text| check_name(text)),
    }
}

/// The texts of a table, without its name.
fn texts(table: &TableDeclaration) -> impl Iterator<Item = &String> {
    let columns = table.columns.iter().flat_map(|column| column.description.iter().chain([&column.name]));
    let indexes = table.indexes.iter().flat_map(|index| {
        let of_kind: Vec<&String> = match &index.kind {
            IndexKindDeclaration::Btree { columns } | IndexKindDeclaration::Gin { columns } => columns.iter().collect(),
            IndexKindDeclaration::FullText { language, columns } => {
                columns.iter().map(|column| &column.column).chain([language]).collect()
            }
        };
        of_kind.into_iter().chain([&index.name])
    });
    let references = table.references.iter().flat_map(|reference| reference.columns.iter().chain([&reference.table]));
    columns.chain(&table.description).chain(&table.key).chain(indexes).chain(references)
}

fn check_name(name: &str) -> Result<(), String> {
    let bytes = name.len();
    if bytes > MAX_DECLARED_NAME_BYTES {
        let shown = printable(name, SHOWN_BYTES);
        return Err(format!(
            "`{shown}` in its descriptor has {bytes} bytes; at most {MAX_DECLARED_NAME_BYTES} are allowed"
        ));
    }
    Ok(())
}

fn check_bytes(bytes: usize) -> Result<(), String> {
    if bytes > MAX_DESCRIPTOR_BYTES {
        return Err(format!(
            "the texts of its descriptor have {bytes} bytes; at most {MAX_DESCRIPTOR_BYTES} are allowed"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::{
        event_log::SchemaVersion,
        read_model::{ColumnDeclaration, ColumnType, Identifier},
        runtime::{Sdk, Step, WantedType},
    };

    fn table(columns: usize) -> TableDeclaration {
        let column = |number: usize| ColumnDeclaration {
            name: format!("column_{number}"),
            description: None,
            column_type: ColumnType::I64,
            nullable: false,
        };
        TableDeclaration {
            name: "wide".to_owned(),
            description: None,
            columns: (0..columns).map(column).collect(),
            key: vec!["column_0".to_owned()],
            indexes: Vec::new(),
            references: Vec::new(),
        }
    }

    fn projection(tables: Vec<TableDeclaration>) -> ProjectionDescriptor {
        ProjectionDescriptor {
            sdk: Sdk::of_tests(),
            description: None,
            tables,
            all_types: true,
            event_types: Vec::new(),
            categories: Vec::new(),
            tags: Vec::new(),
            partitioned_by: None,
        }
    }

    fn refused(descriptor: &ProjectionDescriptor) -> Vec<String> {
        let began = Instant::now();
        let reasons = descriptor.check(&Identifier::new("a").unwrap()).unwrap_err();
        // It took minutes.
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        reasons
    }

    #[test]
    fn what_there_is_too_much_of_is_counted_and_not_looked_at() {
        assert_eq!(refused(&projection(vec![table(700_001)])), ["table `wide`: columns: 700001; 1 to 250 are allowed"]);
        let mut many_keys = table(250);
        many_keys.key = vec!["nothing".to_owned(); 700_001];
        assert_eq!(refused(&projection(vec![many_keys])), ["table `wide`: key columns: 700001; 1 to 16 are allowed"]);
        assert_eq!(refused(&projection(vec![table(1); 33])), ["tables: 33; 1 to 32 are allowed"]);
        let wanted = WantedType { event_type: "A".to_owned(), schema_version: None };
        let many_types = ProjectionDescriptor { event_types: vec![wanted; 700_001], ..projection(vec![table(1)]) };
        assert_eq!(
            refused(&many_types),
            ["event types: 700001, categories: 0, tags: 0; at most 1000 of each are allowed"]
        );
    }

    #[test]
    fn names_and_texts_have_a_length() {
        let of_categories = |categories| ProjectionDescriptor { categories, ..projection(vec![table(1)]) };
        let reasons = refused(&of_categories(vec!["x".repeat(60_000_000)]));
        assert_eq!(
            reasons,
            [format!("`{}…` in its descriptor has 60000000 bytes; at most 2000 are allowed", "x".repeat(57))]
        );
        let reasons = refused(&of_categories((0..600).map(|number| format!("{number:02000}")).collect()));
        assert_eq!(reasons, ["the texts of its descriptor have 1200039 bytes; at most 1048576 are allowed"]);
        let long_name = TableDeclaration { name: "t".repeat(3000), ..table(1) };
        assert!(refused(&projection(vec![long_name]))[0].ends_with("has 3000 bytes; at most 2000 are allowed"));
        assert!(of_categories(vec!["x".repeat(255)]).check(&Identifier::new("a").unwrap()).is_ok());
    }

    #[test]
    fn upcasters_have_the_same_limits() {
        let version = |number: u32| SchemaVersion::try_from(number).unwrap();
        let step =
            |produces: Vec<String>| Step { event_type: "A".to_owned(), from: version(1), to: version(2), produces };
        let refused = |steps| UpcasterDescriptor { sdk: Sdk::of_tests(), steps }.check().unwrap_err();
        assert_eq!(refused(vec![step(Vec::new()); 100_000]), ["steps: 100000; 1 to 1000 are allowed"]);
        assert_eq!(
            refused(vec![step(vec!["A".to_owned(); 100_000])]),
            ["step `A` 1 → 2: it produces 100000 types; at most 1000 are allowed"]
        );
        let long = refused(vec![step((0..1000).map(|number| format!("{number:02000}")).collect())]);
        assert!(long[0].starts_with("the texts of its descriptor have 2000"), "{long:?}");
    }
}
