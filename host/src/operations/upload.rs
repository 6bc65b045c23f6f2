//! Uploading a module: it is checked, stored, and deployed or activated, all or nothing.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::{
    Operations,
    deploy::{Done, Rebuilt, Release, commit},
    error::OperateError,
    reactors::DeployedReactor,
};
use crate::{
    builds::Activation,
    event_log::Position,
    modules::{Checked, UploadError, UploadPlace, Uploaded, keep_code, store_version},
    postgres::{Blocked, LockError, gave_up_waiting},
    reactors,
    read_model::Identifier,
    runtime::ModuleKind,
};

/// The result of an upload.
#[derive(Clone, Debug)]
pub struct UploadOutcome {
    /// The version that has these bytes.
    pub uploaded: Uploaded,
    /// What the upload has started.
    pub effect: UploadEffect,
}

/// What an upload has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadEffect {
    /// The projection was deployed, and this is the build of the version.
    Deployed(Rebuilt),
    /// The upcaster is active, and these are the builds of the projections that read its types.
    Activated(Vec<Rebuilt>),
    /// The reactor was deployed.
    Reacts(DeployedReactor),
    /// The version was stored, and is to be deployed or activated later.
    Stored,
}

/// Why a module is not uploaded. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum UploadModuleError {
    /// It is refused.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// A position to begin at is given for what does not begin at one now.
    #[error("`{name}` is {}, and `from` says where a reactor begins that is deployed with the upload", kind.with_article())]
    BeginsNowhere {
        /// The module.
        name: Identifier,
        /// Its kind.
        kind: ModuleKind,
    },
    /// It cannot be deployed or activated.
    #[error(transparent)]
    Operate(#[from] OperateError),
}

impl LockError for UploadModuleError {
    fn is_of_a_lock(&self) -> bool {
        match self {
            Self::Upload(UploadError::Postgres(error)) => gave_up_waiting(error),
            Self::Upload(_) | Self::BeginsNowhere { .. } => false,
            Self::Operate(error) => error.is_of_a_lock(),
        }
    }

    fn blocked(blocked: Blocked) -> Self {
        Self::Operate(OperateError::blocked(blocked))
    }
}

impl From<sqlx::Error> for UploadModuleError {
    fn from(error: sqlx::Error) -> Self {
        Self::Upload(error.into())
    }
}

impl Operations {
    /// The largest component that can be uploaded, in bytes.
    #[must_use]
    pub fn max_module_bytes(&self) -> usize {
        self.modules.max_module_bytes()
    }

    /// A place among the uploads that the host takes at once. Whoever reads an upload from somewhere else takes it before, and holds it
    /// until the end.
    ///
    /// # Errors
    /// [`UploadError::Busy`]
    pub fn upload_place(&self) -> Result<UploadPlace, UploadError> {
        self.modules.upload_place()
    }

    /// Stores a component as the module's next version, unless a version has the same bytes. A projection gets a build; an upcaster
    /// becomes active and a reactor works unless `activation` is manual. All of it is one transaction.
    ///
    /// # Errors
    /// The component is not a module, it conflicts with other modules, or Postgres fails.
    pub async fn upload(
        &self,
        name: &Identifier,
        bytes: Vec<u8>,
        activation: Activation,
    ) -> Result<UploadOutcome, UploadModuleError> {
        self.upload_from(name, bytes, activation, None).await
    }

    /// [Uploads](Self::upload) a reactor, whose first event is the one at `from`, if it has not begun; or any module, without `from`.
    ///
    /// # Errors
    /// As for an upload; and it is another module, and a position is given, or the reactor has begun.
    pub async fn upload_from(
        &self,
        name: &Identifier,
        bytes: Vec<u8>,
        activation: Activation,
        from: Option<Position>,
    ) -> Result<UploadOutcome, UploadModuleError> {
        let Checked { module, bytes, code } = self.modules.check(name, bytes).await?;
        let kind = module.descriptor().kind();
        if from.is_some() && (kind != ModuleKind::Reactor || activation == Activation::Manual) {
            return Err(UploadModuleError::BeginsNowhere { name: name.clone(), kind });
        }
        let (mut transaction, locks) = self.begin().await?;
        let stored = locks.explain(async {
            let uploaded = store_version(&mut transaction, name, module.descriptor(), &bytes).await?;
            let is_stored_only = match kind {
                ModuleKind::Projection => false,
                ModuleKind::Upcaster | ModuleKind::Reactor => activation == Activation::Manual,
            };
            if is_stored_only {
                note_stored(&mut transaction, &uploaded).await?;
                transaction.commit().await?;
                return Ok((uploaded, None));
            }
            let releases = BTreeMap::from([(name.clone(), Release { version: uploaded.version, module, from })]);
            let (transaction, done) = self.deploy_within(transaction, &releases, activation).await?;
            commit(transaction).await?;
            Ok::<_, UploadModuleError>((uploaded, Some(done)))
        });
        let (uploaded, done) = stored.await?;
        keep_code(code).await;
        let Some(Done { builds, mut reactors }) = done else {
            return Ok(UploadOutcome { uploaded, effect: UploadEffect::Stored });
        };
        self.reactors_changed.notify_one();
        if let Some(reactor) = reactors.pop() {
            return Ok(UploadOutcome { uploaded, effect: UploadEffect::Reacts(reactor) });
        }
        self.activate_live_ones(&builds).await;
        let mut builds: Vec<Rebuilt> = builds.into_iter().map(|build| build.rebuilt).collect();
        let effect = match (uploaded.descriptor.kind(), builds.pop()) {
            (ModuleKind::Projection, Some(build)) => UploadEffect::Deployed(build),
            (_, last) => UploadEffect::Activated(builds.into_iter().chain(last).collect()),
        };
        Ok(UploadOutcome { uploaded, effect })
    }

    /// Stores a component as the module's next version, unless a version has the same bytes, and begins nothing: the version is
    /// deployed later, with others as one change.
    ///
    /// # Errors
    /// The component is not a module, it conflicts with other modules, or Postgres fails.
    pub async fn store(&self, name: &Identifier, bytes: Vec<u8>) -> Result<UploadOutcome, UploadModuleError> {
        let Checked { module, bytes, code } = self.modules.check(name, bytes).await?;
        let (mut transaction, locks) = self.begin().await?;
        let stored = locks.explain(async {
            let uploaded = store_version(&mut transaction, name, module.descriptor(), &bytes).await?;
            note_stored(&mut transaction, &uploaded).await?;
            transaction.commit().await?;
            Ok::<_, UploadModuleError>(UploadOutcome { uploaded, effect: UploadEffect::Stored })
        });
        let outcome = stored.await?;
        keep_code(code).await;
        Ok(outcome)
    }
}

/// Notes in the history of a reactor that it has another version, which does not work yet.
async fn note_stored(connection: &mut PgConnection, uploaded: &Uploaded) -> Result<(), sqlx::Error> {
    if uploaded.new && uploaded.descriptor.kind() == ModuleKind::Reactor {
        let cause = "an operator uploaded it, to be activated later";
        reactors::note(connection, &uploaded.name, uploaded.version, reactors::Change::Uploaded, cause).await?;
    }
    Ok(())
}
