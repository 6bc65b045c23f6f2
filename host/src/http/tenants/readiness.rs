//! Which tenants can be served.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{gate::TenantGate, name::TenantName};
use crate::http::{
    health,
    problem::{Code, Problem},
};

/// Who asks so soon after somebody else gets the same answer: anybody may ask, and each question is one to each database.
const SHARED_FOR: Duration = Duration::from_secs(1);

/// Looks which tenants can be served. Clones are handles on one.
#[derive(Clone, Debug)]
pub(super) struct Readiness(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    tenants: Vec<TenantGate>,
    /// Whether everybody may know the names of tenants.
    names_are_public: bool,
    last: Mutex<Option<(Instant, Vec<bool>)>>,
}

impl Readiness {
    pub(super) fn new(tenants: Vec<TenantGate>, names_are_public: bool) -> Self {
        Self(Arc::new(Shared { tenants, names_are_public, last: Mutex::default() }))
    }

    /// Each tenant, and whether it is ready: its Postgres answers, and appends can be made.
    pub(super) async fn of_each(&self) -> Vec<(TenantGate, bool)> {
        let Shared { tenants, last, .. } = &*self.0;
        let mut last = last.lock().await;
        let found = match &*last {
            Some((looked, found)) if looked.elapsed() < SHARED_FOR => found.clone(),
            _ => {
                let looks = tenants.iter().map(|tenant| tenant.gate().api().cloned()).map(|api| async move {
                    match api {
                        Some(api) => health::check(&api).await.is_ok(),
                        None => false,
                    }
                });
                let found = join_all(looks).await;
                *last = Some((Instant::now(), found.clone()));
                found
            }
        };
        tenants.iter().cloned().zip(found).collect()
    }

    /// What is told of it: the host is ready as long as one of its tenants is.
    pub(super) async fn told(&self) -> Result<Value, Problem> {
        let each = self.of_each().await;
        let away: Vec<&TenantName> = each.iter().filter(|(_, ready)| !ready).map(|(tenant, _)| tenant.name()).collect();
        let (of, ready) = (each.len(), each.len() - away.len());
        let names: Vec<&str> = away.iter().map(|name| name.as_str()).collect();
        if ready == 0 {
            let detail = format!("none of the {of} tenants of this host is ready; the log of the host says why");
            let problem = Problem::new(Code::Starting, detail).with("tenants", of).with("ready", 0);
            return Err(if self.0.names_are_public { problem.with("not_ready", &names) } else { problem });
        }
        let mut told = json!({"status": "ready", "tenants": of, "ready": ready});
        if self.0.names_are_public {
            told["not_ready"] = json!(names);
        }
        Ok(told)
    }
}
