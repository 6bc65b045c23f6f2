//! What stands beside the host: programs that use Postgres alone, as fast as they can.
//!
//! None of them checks versions, ids or conditions, tells anybody, or serves several hosts: each is a limit and not a replacement.

mod commits;
mod copy;
mod flights;
mod fold;
mod insert;
mod log;
mod message_db;
mod publish;
mod same_rows;
mod select;
mod tables;
mod upserts;

pub(super) use self::{
    commits::commits_one_after_the_other,
    copy::{copies_of, copy_all},
    flights::fold_flights,
    fold::fold_all,
    insert::inserts,
    message_db::{MessageDb, writes},
    publish::publish,
    same_rows::{check_accounts, check_flights},
    select::{pages, point_queries, selects_of_movements},
    upserts::Upserts,
};
