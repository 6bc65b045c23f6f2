//! The migrations that this program has within itself.

use std::borrow::Cow;

use include_dir::{Dir, File, include_dir};
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// `<version>_<description>.sql` each. Not `sqlx::migrate!`: sqlx's macros need all of sqlx at compile time, which is compiled a second time
/// for that.
const FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../migrations");

/// The migrations of this program, in their order.
pub(super) fn migrator() -> Migrator {
    let mut migrations = FOLDER.files().filter_map(migration).collect::<Vec<_>>();
    migrations.sort_by_key(|migration| migration.version);
    Migrator { migrations: migrations.into(), ..Migrator::DEFAULT }
}

/// `None` if the file is not a migration. That none is left out is tested.
fn migration(file: &'static File<'_>) -> Option<Migration> {
    let name = file.path().file_stem().and_then(|name| name.to_str())?;
    let (version, description) = name.split_once('_')?;
    // The same description as sqlx makes of a file: databases have it.
    let description = Cow::Owned(description.replace('_', " "));
    let sql = Cow::Borrowed(file.contents_utf8()?);
    Some(Migration::new(version.parse().ok()?, description, MigrationType::Simple, sql, false))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Databases that sqlx migrated from the folder are those of this program.
    #[tokio::test]
    async fn the_migrations_are_those_that_sqlx_finds_in_the_folder() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations"));
        let found = Migrator::new(folder).await.unwrap();
        let facts = |migrator: &Migrator| {
            let facts = |migration: &Migration| {
                let Migration { version, description, migration_type, sql, checksum, no_tx } = migration.clone();
                (version, description, migration_type, sql, checksum, no_tx)
            };
            migrator.iter().map(facts).collect::<Vec<_>>()
        };
        assert_eq!(facts(&migrator()), facts(&found));
        assert_eq!(found.iter().count(), std::fs::read_dir(folder).unwrap().count());
    }
}
