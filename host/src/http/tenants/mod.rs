//! The hosts of several tenants behind one listener: who a request is for, and what is answered beside them.
//!
//! Each tenant has a host of its own: its database, its API with its door and its guard, and places for its requests, which no other tenant's take.
//! What is here knows which of them a request goes to, and nothing of what they have.

mod choice;
mod dispatcher;
mod gate;
mod name;
mod process;
mod readiness;
mod stranger;

pub use self::{
    dispatcher::{MAX_TENANTS, Tenants},
    gate::TenantGate,
    name::{MAX_TENANT_NAME, TenantName, TenantNameError},
};
