//! Checks and stores uploaded components.

use sqlx::{Postgres, Transaction, types::Json};

use super::{Descriptor, Digest, Identifier, InvalidModule, Module, ModuleKind, ModuleVersion, Modules};
use crate::{
    postgres::is_transient,
    runtime::{ModuleLabel, ProjectionDescriptor, view_name},
};

/// The result of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// The module.
    pub name: Identifier,
    /// The version that has these bytes.
    pub version: ModuleVersion,
    /// The digest of the bytes.
    pub digest: Digest,
    /// What the module declares.
    pub descriptor: Descriptor,
    /// Whether the version is new; if not, the same bytes were uploaded before.
    pub new: bool,
}

/// Why a component is refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// It is not a module.
    #[error(transparent)]
    Invalid(#[from] InvalidModule),
    /// The name belongs to a module of another kind.
    #[error("`{name}` is {}, and this is {}; upload it under another name", existing.with_article(), uploaded.with_article())]
    OtherKind {
        /// The name.
        name: Identifier,
        /// The kind of the stored module.
        existing: ModuleKind,
        /// The kind of the uploaded module.
        uploaded: ModuleKind,
    },
    /// The view of a table has the name of another projection's view.
    #[error(
        "the view read_models.{view} of table `{table}` has the name of a view of projection `{other}`; rename the table or \
         upload the module under another name"
    )]
    ViewTaken {
        /// The view.
        view: Identifier,
        /// The table whose view it would be.
        table: Identifier,
        /// Whose view it is.
        other: Identifier,
    },
    /// Postgres fails.
    #[error("cannot store the module: {0}")]
    Postgres(sqlx::Error),
    /// The thread that checked the module panicked, or the host shuts down.
    #[error("checking the module was interrupted")]
    Interrupted,
}

impl From<sqlx::Error> for UploadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}

impl UploadError {
    /// Whether the same upload may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Postgres(error) => is_transient(error),
            Self::Interrupted => true,
            _ => false,
        }
    }
}

impl Modules {
    /// Checks a component on its own, without comparing it with stored modules.
    ///
    /// # Errors
    /// The component is not a module.
    pub(crate) async fn check(&self, name: &Identifier, bytes: Vec<u8>) -> Result<(Module, Vec<u8>), UploadError> {
        // It has no version before it is stored; the label appears only in log lines of `describe`.
        let label = ModuleLabel { name: name.clone(), version: None };
        let runtime = self.runtime.clone();
        let checked =
            tokio::task::spawn_blocking(move || (runtime.load(label, &Digest::of(&bytes), &bytes), bytes)).await;
        let (module, bytes) = checked.map_err(|_| UploadError::Interrupted)?;
        Ok((module?, bytes))
    }
}

/// Stores a component with the descriptor that it gave as the module's next version, unless its bytes are stored already. The
/// caller commits the transaction; until then other uploads wait.
///
/// # Errors
/// The module conflicts with stored modules, or Postgres fails.
pub(crate) async fn store_version(
    transaction: &mut Transaction<'_, Postgres>,
    name: &Identifier,
    descriptor: Descriptor,
    bytes: &[u8],
) -> Result<Uploaded, UploadError> {
    let digest = Digest::of(bytes);
    // One upload at a time, so that versions have no gaps and no two views have one name. Uploads are rare.
    sqlx::query("LOCK TABLE gnomon.modules IN SHARE ROW EXCLUSIVE MODE").execute(&mut **transaction).await?;
    let known: Option<ModuleVersion> =
        sqlx::query_scalar("SELECT version FROM gnomon.module_versions WHERE module = $1 AND digest = $2")
            .bind(name.as_str())
            .bind(digest.as_str())
            .fetch_optional(&mut **transaction)
            .await?;
    let (version, new) = match known {
        Some(version) => (version, false),
        None => {
            check_kind(transaction, name, descriptor.kind()).await?;
            if let Descriptor::Projection(projection) = &descriptor {
                check_views(transaction, name, projection).await?;
            }
            (insert(transaction, name, &digest, &descriptor, bytes).await?, true)
        }
    };
    Ok(Uploaded { name: name.clone(), version, digest, descriptor, new })
}

async fn check_kind(
    transaction: &mut Transaction<'_, Postgres>,
    name: &Identifier,
    uploaded: ModuleKind,
) -> Result<(), UploadError> {
    // `None` if the name was free. Decoding fails for a kind that this program does not know.
    let existing: Option<Json<ModuleKind>> = sqlx::query_scalar(
        "WITH new AS (INSERT INTO gnomon.modules (name, kind) VALUES ($1, $2) ON CONFLICT DO NOTHING)
         SELECT to_json(kind) FROM gnomon.modules WHERE name = $1",
    )
    .bind(name.as_str())
    .bind(uploaded.as_str())
    .fetch_optional(&mut **transaction)
    .await?;
    match existing {
        Some(Json(existing)) if existing != uploaded => {
            Err(UploadError::OtherKind { name: name.clone(), existing, uploaded })
        }
        _ => Ok(()),
    }
}

/// Refuses a projection whose views have the names of another's: `a_b` with table `c`, and `a` with table `b_c`.
async fn check_views(
    transaction: &mut Transaction<'_, Postgres>,
    name: &Identifier,
    descriptor: &ProjectionDescriptor,
) -> Result<(), UploadError> {
    let others: Vec<(String, Json<Descriptor>)> =
        sqlx::query_as("SELECT module, descriptor FROM gnomon.module_versions WHERE module <> $1")
            .bind(name.as_str())
            .fetch_all(&mut **transaction)
            .await?;
    let views = |projection: &Identifier, descriptor: &ProjectionDescriptor| -> Vec<(Identifier, Identifier)> {
        let tables = descriptor.tables.iter().filter_map(|table| Identifier::new(table.name.as_str()).ok());
        tables.filter_map(|table| Some((view_name(projection, &table).ok()?, table))).collect()
    };
    let mine = views(name, descriptor);
    for (other, descriptor) in others {
        let (Ok(other), Descriptor::Projection(descriptor)) = (Identifier::new(other), descriptor.0) else {
            continue;
        };
        let theirs = views(&other, &descriptor);
        if let Some((view, table)) = mine.iter().find(|(view, _)| theirs.iter().any(|(their, _)| their == view)) {
            return Err(UploadError::ViewTaken { view: view.clone(), table: table.clone(), other });
        }
    }
    Ok(())
}

async fn insert(
    transaction: &mut Transaction<'_, Postgres>,
    name: &Identifier,
    digest: &Digest,
    descriptor: &Descriptor,
    bytes: &[u8],
) -> Result<ModuleVersion, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO gnomon.module_versions (module, version, digest, descriptor, component)
         SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4 FROM gnomon.module_versions WHERE module = $1
         RETURNING version",
    )
    .bind(name.as_str())
    .bind(digest.as_str())
    .bind(Json(descriptor))
    .bind(bytes)
    .fetch_one(&mut **transaction)
    .await
}
