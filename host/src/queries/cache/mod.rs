//! Answers that are kept, so that a query on rows that have not changed is answered without a statement on them.
//!
//! A kept answer says of which [`Contents`](super::contents::Contents) it is. Whether these are still those of the active build, Postgres is
//! asked for each request ([`look`](super::look)); so nothing here has to expire, and no host has to tell another one what has changed.
//!
//! There are two levels: the memory of this host, and a Redis that hosts may share. The second one may lose all that it has, be away, be slow, or
//! have something else under a key: then it has no answer.

mod kept;
mod key;
mod levels;
mod link;
mod memory;
mod settings;
mod shared;
mod stored;
mod url;

pub(super) use self::{kept::KeptAnswer, key::request_parts, levels::AnswerCache};
pub use self::{
    kept::MAX_KEPT_ANSWER_BYTES,
    settings::CacheSettings,
    url::{CacheUrl, CacheUrlError},
};
