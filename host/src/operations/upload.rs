//! Uploading a module: it is checked, stored, and deployed or activated, all or nothing.

use super::{Operations, activate::ReplacedBuild, error::OperateError, upcasters::Rebuilt};
use crate::{
    builds::{Activation, BuildNumber, notify},
    modules::{UploadError, Uploaded, store_version},
    read_model::Identifier,
    runtime::Module,
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
    /// The projection was deployed.
    Deployed {
        /// The build of the version.
        build: BuildNumber,
        /// The active build, if this one is to replace it.
        replaces: Option<ReplacedBuild>,
    },
    /// The upcaster was activated, and these builds were started.
    Activated(Vec<Rebuilt>),
    /// The upcaster was stored, and an operator has to activate it.
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
        let (module, bytes) = self.modules.check(name, bytes).await?;
        let mut transaction = crate::postgres::begin(&self.pool).await?;
        let uploaded = store_version(&mut transaction, name, module.descriptor(), &bytes).await?;
        let version = uploaded.version;
        match module {
            Module::Projection(module) => {
                let (changes, deployed) =
                    self.deploy_within(transaction, name, version, module.tables(), activation).await?;
                changes.commit().await?;
                self.activate_if_live(&deployed).await;
                Ok(UploadOutcome {
                    uploaded,
                    effect: UploadEffect::Deployed { build: deployed.build.number, replaces: deployed.replaces },
                })
            }
            Module::Upcaster(upcaster) if activation == Activation::Auto => {
                let (mut transaction, rebuilt) =
                    self.activate_upcaster_within(transaction, name, version, &upcaster).await?;
                notify(&mut transaction).await?;
                transaction.commit().await?;
                Ok(UploadOutcome { uploaded, effect: UploadEffect::Activated(rebuilt) })
            }
            Module::Upcaster(_) => {
                transaction.commit().await?;
                Ok(UploadOutcome { uploaded, effect: UploadEffect::Stored })
            }
        }
    }
}
