//! Where answers are kept.

use super::url::CacheUrl;

/// Where answers are kept.
#[derive(Clone, Debug)]
pub struct CacheSettings {
    /// Bytes of the answers that this host keeps in memory; 0 keeps none.
    pub cache_bytes: usize,
    /// A Redis that hosts share.
    pub cache_url: Option<CacheUrl>,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { cache_bytes: 64 * 1024 * 1024, cache_url: None }
    }
}
