//! Uploading a module: it is checked, stored, and deployed or activated, all or nothing.

use std::collections::BTreeMap;

use super::{
    Operations,
    deploy::{Rebuilt, Release, commit},
    error::OperateError,
};
use crate::{
    builds::Activation,
    modules::{Checked, UploadError, UploadPlace, Uploaded, keep_code, store_version},
    postgres::{Blocked, LockError, gave_up_waiting},
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
    /// The version was stored, and is to be deployed or activated later.
    Stored,
}

/// Why a module is not uploaded. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum UploadModuleError {
    /// It is refused.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// It cannot be deployed or activated.
    #[error(transparent)]
    Operate(#[from] OperateError),
}

impl LockError for UploadModuleError {
    fn is_of_a_lock(&self) -> bool {
        match self {
            Self::Upload(UploadError::Postgres(error)) => gave_up_waiting(error),
            Self::Upload(_) => false,
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
    /// becomes active unless `activation` is manual. All of it is one transaction.
    ///
    /// # Errors
    /// The component is not a module, it conflicts with other modules, or Postgres fails.
    pub async fn upload(
        &self,
        name: &Identifier,
        bytes: Vec<u8>,
        activation: Activation,
    ) -> Result<UploadOutcome, UploadModuleError> {
        let Checked { module, bytes, code } = self.modules.check(name, bytes).await?;
        let (mut transaction, locks) = self.begin().await?;
        let stored = locks.explain(async {
            let uploaded = store_version(&mut transaction, name, module.descriptor(), &bytes).await?;
            if uploaded.descriptor.kind() == ModuleKind::Upcaster && activation == Activation::Manual {
                transaction.commit().await?;
                return Ok((uploaded, None));
            }
            let releases = BTreeMap::from([(name.clone(), Release { version: uploaded.version, module })]);
            let (transaction, builds) = self.deploy_within(transaction, &releases, activation).await?;
            commit(transaction).await?;
            Ok::<_, UploadModuleError>((uploaded, Some(builds)))
        });
        let (uploaded, builds) = stored.await?;
        keep_code(code).await;
        let Some(builds) = builds else { return Ok(UploadOutcome { uploaded, effect: UploadEffect::Stored }) };
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
            transaction.commit().await?;
            Ok::<_, UploadModuleError>(UploadOutcome { uploaded, effect: UploadEffect::Stored })
        });
        let outcome = stored.await?;
        keep_code(code).await;
        Ok(outcome)
    }
}
