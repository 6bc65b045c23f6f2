//! What is counted of the HTTP API.

use std::{sync::Arc, time::Duration};

use super::{
    counter::{Counter, Gauge},
    histogram::Histogram,
    names,
    register::Register,
    series::{OTHER, Series},
};

/// Series of answers: some dozen routes with some methods and some statuses each.
const MAX_ANSWERS: usize = 1000;
/// Series of durations: some dozen routes with some methods each.
const MAX_ROUTES: usize = 200;
/// Tenants that have series of their own; a host has no more.
const MAX_TENANTS: usize = 64;
/// Methods that have a name in the measures.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What is counted of the HTTP API.
#[derive(Debug)]
pub struct HttpMeasures {
    requests: Arc<Series<Counter>>,
    duration: Arc<Series<Histogram>>,
    refused: Arc<Series<Counter>>,
    denied: Arc<Series<Counter>>,
    refused_connections: Counter,
    of_tenants: Arc<Series<Counter>>,
    refused_of_tenants: Arc<Series<Counter>>,
    certificate_expires: Gauge,
    certificate_refused: Gauge,
    failed_handshakes: Counter,
}

impl HttpMeasures {
    pub(super) fn new(register: &mut Register) -> Self {
        let kinds = ["appends", "reads", "waits", "operations", "followers", "exports"];
        Self {
            requests: register.counters(names::HTTP_REQUESTS, MAX_ANSWERS),
            duration: register.histograms(names::HTTP_DURATION, MAX_ROUTES),
            refused: register.counters_of(names::HTTP_REFUSED, &kinds),
            denied: register
                .counters_of(names::HTTP_DENIED, &["unauthenticated", "forbidden", "too_many_tries", "no_issuer_keys"]),
            refused_connections: register.counter(names::HTTP_REFUSED_CONNECTIONS),
            of_tenants: register.counters(names::TENANT_REQUESTS, MAX_TENANTS),
            refused_of_tenants: register.counters(names::TENANT_REFUSED, MAX_TENANTS),
            certificate_expires: register.gauge(names::TLS_CERTIFICATE_EXPIRES),
            certificate_refused: register.gauge(names::TLS_CERTIFICATE_REFUSED),
            failed_handshakes: register.counter(names::TLS_FAILED_HANDSHAKES),
        }
    }

    /// A request was answered. `route` is the pattern of its path, `None` if there is none for it.
    pub fn answered(&self, method: &str, route: Option<&str>, status: &str, time: Duration) {
        let method = METHODS.iter().find(|known| **known == method).copied().unwrap_or(OTHER);
        let route = route.unwrap_or(OTHER);
        self.requests.of(&[method, route, status]).inc();
        self.duration.of(&[method, route]).observe(time);
    }

    /// A request was refused, since as many of its kind were under way as may be.
    pub fn refused(&self, kind: &str) {
        self.refused.of(&[kind]).inc();
    }

    /// A request was refused, since it is not known who makes it, or since its caller may not do this.
    pub fn denied(&self, reason: &str) {
        self.denied.of(&[reason]).inc();
    }

    /// A connection was refused, since all were busy.
    pub fn refused_connection(&self) {
        self.refused_connections.inc();
    }

    /// A request is for a tenant.
    pub fn for_tenant(&self, tenant: &str) {
        self.of_tenants.of(&[tenant]).inc();
    }

    /// A request was refused, since as many of its tenant were under way as may be.
    pub fn refused_for_tenant(&self, tenant: &str) {
        self.refused_of_tenants.of(&[tenant]).inc();
    }

    /// New connections get a certificate that expires at this time, in seconds of Unix time, if that is known.
    pub fn uses_certificate(&self, expires: Option<u64>) {
        self.certificate_expires.set(expires.and_then(|expires| i64::try_from(expires).ok()).unwrap_or_default());
    }

    /// Whether the files of the certificate have what cannot be used.
    pub fn refuses_certificate(&self, refuses: bool) {
        self.certificate_refused.set(i64::from(refuses));
    }

    /// A client opened a connection and did not make TLS of it.
    pub fn failed_handshake(&self) {
        self.failed_handshakes.inc();
    }
}
