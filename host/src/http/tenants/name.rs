//! Names of tenants.

use std::{fmt, str::FromStr};

/// Characters of a name, at most.
pub const MAX_TENANT_NAME: usize = 63;

/// The name of a tenant: 1 to 63 of a-z, 0-9 and `-`. It is a part of paths, of tokens and of folders, and is written nowhere in another way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantName(String);

/// A text is not the name of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not the name of a tenant, which has 1 to {MAX_TENANT_NAME} characters of a-z, 0-9 and -", .0.escape_debug())]
pub struct TenantNameError(String);

impl TenantName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantName {
    type Err = TenantNameError;

    fn from_str(text: &str) -> Result<Self, TenantNameError> {
        let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=MAX_TENANT_NAME).contains(&text.len()) && text.bytes().all(is_part) {
            return Ok(Self(text.to_owned()));
        }
        Err(TenantNameError(text.chars().take(MAX_TENANT_NAME + 1).collect()))
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_way_to_be_written() {
        for name in ["a", "acme", "7", "a-b", "-", &"x".repeat(63)] {
            assert_eq!(name.parse::<TenantName>().unwrap().as_str(), name);
        }
        for name in ["", "Acme", "a_b", "a.b", "..", "a/b", "a%62", "é", "a b", &"x".repeat(64)] {
            let error = name.parse::<TenantName>().unwrap_err().to_string();
            assert!(error.ends_with("1 to 63 characters of a-z, 0-9 and -"), "{error}");
        }
    }
}
