//! Limits of tenants.

use super::limit::{
    ErrorLocation::{Code, Nowhere},
    Limit::{Fixed, Text},
    Row,
    Unit::{Bytes, Number},
};
use crate::{
    cli::host::MAX_TENANTS_FILE_BYTES,
    http::{MAX_TENANT_NAME, MAX_TENANTS},
    server::STARTS_AT_ONCE,
};

pub(super) const TENANTS: &[Row] = &[
    ("tenants of a host", Fixed(MAX_TENANTS, Number("")), Nowhere),
    ("the name of a tenant", Fixed(MAX_TENANT_NAME, Number("characters")), Nowhere),
    ("the file of `--tenants`", Fixed(MAX_TENANTS_FILE_BYTES as usize, Bytes), Nowhere),
    (
        "requests of a tenant under way, `max_requests`",
        Text("an equal part of `--max-client-connections`"),
        Code("overloaded"),
    ),
    (
        "batches that are folded at once for a tenant, of builds and of reactors each",
        Text("2 for each processor, 4 at least"),
        Nowhere,
    ),
    ("instances of modules of a tenant", Text("an equal part of 8,000; 125 at least, 1,000 at most"), Nowhere),
    ("hosts of tenants that start at once", Fixed(STARTS_AT_ONCE, Number("")), Nowhere),
];
