//! What stands beside the host: programs that use Postgres alone, as fast as they can.
//!
//! None of them checks versions, ids or conditions, tells anybody, or serves several hosts: each is a limit and not a replacement.

mod commits;
mod copy;
mod fold;
mod insert;
mod select;
mod tables;

pub(super) use self::{
    commits::commits_one_after_the_other,
    copy::{copies_of, copy_all},
    fold::{check_accounts, fold_all},
    insert::inserts,
    select::{pages, point_queries},
};
