//! Boundaries that a query draws: appends with conditions, over HTTP, on two hosts of one database.
//!
//! The examples are those of <https://dcb.events/examples/>, with clients that race for what only one of them may have.

mod courses;
mod decide;
mod duplicates;
mod invoices;
mod prices;
mod random;
mod read_models;
mod seats;
mod sign_ups;
mod usernames;
