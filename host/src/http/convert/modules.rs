//! Modules and their versions.

use crate::{
    api,
    modules::{ModuleSummary, VersionSummary},
    runtime::Descriptor,
};

impl From<ModuleSummary> for api::Module {
    fn from(ModuleSummary { name, kind, latest_version, versions }: ModuleSummary) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
            latest_version: latest_version.0,
            versions: versions.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<VersionSummary> for api::ModuleVersion {
    fn from(VersionSummary { version, digest, bytes, uploaded_at, sdk }: VersionSummary) -> Self {
        Self { version: version.0, digest: digest.to_string(), bytes, uploaded_at, sdk: sdk.into() }
    }
}

impl From<(VersionSummary, Descriptor)> for api::DescribedVersion {
    fn from(
        (VersionSummary { version, digest, bytes, uploaded_at, .. }, descriptor): (VersionSummary, Descriptor),
    ) -> Self {
        Self { version: version.0, digest: digest.to_string(), bytes, uploaded_at, descriptor: descriptor.into() }
    }
}
