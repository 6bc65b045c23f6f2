//! Upcasters that are active.

use crate::{api, builds::ActiveUpcaster, operations::Rebuilt};

impl From<ActiveUpcaster> for api::ActiveUpcaster {
    fn from(ActiveUpcaster { name, active_version, steps }: ActiveUpcaster) -> Self {
        Self { name: name.into(), active_version: active_version.0, steps: steps.into_iter().map(Into::into).collect() }
    }
}

impl From<Rebuilt> for api::NewBuild {
    fn from(Rebuilt { projection, build, replaces }: Rebuilt) -> Self {
        Self { projection: projection.into(), build: build.into(), replaces: replaces.map(Into::into) }
    }
}
