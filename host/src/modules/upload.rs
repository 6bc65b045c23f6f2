//! Checks and stores uploaded components.

use std::sync::Arc;

use sqlx::{Postgres, Transaction, types::Json};
use tokio_util::sync::CancellationToken;

use super::{
    CannotLoad, Descriptor, Digest, Identifier, InvalidModule, Module, ModuleKind, ModuleVersion, Modules, UploadPlace,
};
use crate::{
    postgres::is_transient,
    runtime::{Loaded, ModuleLabel, NewCode, ProjectionDescriptor, view_name},
};

/// A component that was found to be a module.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) module: Module,
    pub(crate) bytes: Arc<Vec<u8>>,
    /// To be kept when the module is stored.
    pub(crate) code: NewCode,
}

/// Keeps the compiled code of a module that is stored now.
pub(crate) async fn keep_code(code: NewCode) {
    // If it is not kept, it is compiled again.
    let _ = tokio::task::spawn_blocking(move || code.keep()).await;
}

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
    /// The host takes no more uploads at once.
    #[error("the host is busy with {max} other uploads, the limit max_uploads; nothing of this one was read")]
    Busy {
        /// How many it takes.
        max: usize,
    },
    /// The host cannot check it now.
    #[error("the host cannot check the module now: {0}")]
    Host(String),
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
            Self::Busy { .. } | Self::Host(_) | Self::Interrupted => true,
            _ => false,
        }
    }
}

impl Modules {
    /// A place among the uploads that the host takes at once, to be taken before the body of an upload is read.
    ///
    /// # Errors
    /// There is none free.
    pub fn upload_place(&self) -> Result<UploadPlace, UploadError> {
        self.lanes.place().map_err(|max| UploadError::Busy { max })
    }

    /// Checks a component on its own, without comparing it with stored modules. Others wait meanwhile. If the caller no longer waits, it
    /// is given up.
    ///
    /// # Errors
    /// The component is not a module, or cannot be checked now.
    pub(crate) async fn check(&self, name: &Identifier, bytes: Vec<u8>) -> Result<Checked, UploadError> {
        // It has no version before it is stored; the label appears only in log lines of `describe`.
        let label = ModuleLabel { name: name.clone(), version: None };
        let (runtime, lanes, bytes) = (self.runtime.clone(), self.lanes.clone(), Arc::new(bytes));
        let given_up = CancellationToken::new();
        let _gives_up = given_up.clone().drop_guard();
        // In a task of its own, so that the next upload begins only when what this one does on other threads has ended.
        let checking = tokio::spawn(async move {
            let turn = given_up.run_until_cancelled(lanes.checking.acquire()).await;
            let Some(Ok(_turn)) = turn else { return Err(UploadError::Interrupted) };
            let hashed = Arc::clone(&bytes);
            let digest = tokio::task::spawn_blocking(move || Digest::of(&hashed)).await;
            let digest = digest.map_err(|_| UploadError::Interrupted)?;
            let loaded =
                runtime.load_apart(label, digest, Arc::clone(&bytes), &lanes.compiling_upload, &given_up).await;
            match loaded {
                Ok(Loaded { module, code }) => Ok(Checked { module, bytes, code }),
                Err(CannotLoad::Invalid(error)) => Err(error.into()),
                Err(CannotLoad::Host(message)) => Err(UploadError::Host(message)),
            }
        });
        checking.await.map_err(|_| UploadError::Interrupted)?
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
    // Names only: the descriptors of all versions may be large. There are no views on the rows of reactors.
    let others: Vec<(String, String)> = sqlx::query_as(
        "SELECT DISTINCT module, declared ->> 'name'
         FROM gnomon.module_versions, jsonb_array_elements(descriptor -> 'tables') declared
         WHERE module <> $1 AND descriptor ->> 'kind' = 'projection' AND jsonb_typeof(declared -> 'name') = 'string'",
    )
    .bind(name.as_str())
    .fetch_all(&mut **transaction)
    .await?;
    let view = |projection: &Identifier, table: String| {
        let table = Identifier::new(table).ok()?;
        Some((view_name(projection, &table).ok()?, table))
    };
    let mine: Vec<(Identifier, Identifier)> =
        descriptor.tables.iter().filter_map(|table| view(name, table.name.clone())).collect();
    for (other, table) in others {
        let Ok(other) = Identifier::new(other) else { continue };
        let Some((their, _)) = view(&other, table) else { continue };
        if let Some((view, table)) = mine.iter().find(|(view, _)| *view == their) {
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
