//! Uploading a module: it is stored, checked, and put to work, all or nothing.

use super::{Operations, error::OperateError, upcasters::Rebuilt};
use crate::{
    builds::{Activation, BuildId, notify},
    modules::{UploadError, Uploaded},
    read_model::Identifier,
    runtime::Module,
};

/// The result of an upload.
#[derive(Clone, Debug)]
pub struct UploadOutcome {
    /// The version that has these bytes.
    pub uploaded: Uploaded,
    /// The build of the version, if it is one of a projection.
    pub build: Option<BuildId>,
    /// The builds that were begun because an upcaster was activated.
    pub builds: Option<Vec<Rebuilt>>,
}

/// Why a module is not uploaded. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum UploadModuleError {
    /// It is not taken in.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// It is not put to work.
    #[error(transparent)]
    Operate(#[from] OperateError),
}

impl From<sqlx::Error> for UploadModuleError {
    fn from(error: sqlx::Error) -> Self {
        Self::Upload(error.into())
    }
}

impl Operations {
    /// The largest component that is taken, in bytes.
    #[must_use]
    pub fn max_module_bytes(&self) -> usize {
        self.modules.max_module_bytes()
    }

    /// Takes a component in as the module's next version, unless its bytes are there already. A projection gets a build; an
    /// upcaster becomes active unless `activation` is manual. It is one transaction.
    ///
    /// # Errors
    /// It is not a module, does not fit beside the others, or Postgres fails.
    pub async fn upload(
        &self,
        name: &Identifier,
        bytes: Vec<u8>,
        activation: Activation,
    ) -> Result<UploadOutcome, UploadModuleError> {
        let (module, bytes) = self.modules.check(name, bytes).await?;
        let mut transaction = self.pool.begin().await?;
        let uploaded = self.modules.store(&mut transaction, name, &module, &bytes).await?;
        let version = uploaded.version;
        match module {
            Module::Projection(module) => {
                let (changes, deployed) =
                    self.deploy_within(transaction, name, version, module.tables(), activation).await?;
                changes.commit().await?;
                self.turn_to(&deployed).await;
                Ok(UploadOutcome { uploaded, build: Some(deployed.build), builds: None })
            }
            Module::Upcaster(upcaster) if activation == Activation::Auto => {
                let (mut transaction, rebuilt) =
                    self.activate_upcaster_within(transaction, name, version, &upcaster).await?;
                notify(&mut transaction).await?;
                transaction.commit().await?;
                Ok(UploadOutcome { uploaded, build: None, builds: Some(rebuilt) })
            }
            Module::Upcaster(_) => {
                transaction.commit().await?;
                Ok(UploadOutcome { uploaded, build: None, builds: None })
            }
        }
    }
}
