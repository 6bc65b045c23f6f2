//! What statistics say of sizes and growth. It takes a look at each file, so it is remembered for a while.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use gnomon_values::Instant;

use crate::{
    api,
    http::{convert, seldom::Seldom, state::Api},
};

/// For how long it is remembered.
const EVERY: Duration = Duration::from_secs(10);
/// How long who asks first waits for it. Others get what was measured before.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Builds that are shown.
const MAX_BUILDS: usize = 1000;

/// Measures when somebody asks, and off the way of the answers. Clones are handles on one.
#[derive(Clone, Debug)]
pub(in crate::http) struct Measurements(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    api: Api,
    last: Seldom<api::Measured>,
}

impl Measurements {
    pub(in crate::http) fn new(api: Api) -> Self {
        Self(Arc::new(Shared { api, last: Seldom::new(EVERY) }))
    }

    /// What was measured last; `None` if there is nothing yet.
    pub(super) async fn get(&self) -> Option<api::Measured> {
        let Shared { api, last } = &*self.0;
        let wait = if last.is_known() { Duration::ZERO } else { FIRST_WAIT };
        let (measured, _) = last.get(wait, measure(api.clone())).await;
        measured
    }
}

async fn measure(api: Api) -> Result<api::Measured, sqlx::Error> {
    let log_bytes = api.log.bytes().await?;
    let growth = api.log.growth().await?;
    let builds = api.operations.build_sizes(MAX_BUILDS).await?;
    Ok(convert::measured(now(), log_bytes, growth, builds))
}

fn now() -> Instant {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Instant(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
