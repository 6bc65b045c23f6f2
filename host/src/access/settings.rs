//! Settings of access.

use std::net::IpAddr;

use super::jwt::JwtSettings;

/// Who has to say who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authentication {
    /// Nobody: each request may do everything.
    #[default]
    Open,
    /// Each request, by a token.
    Tokens,
}

/// Settings of access.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessSettings {
    /// Who has to say who they are.
    pub authentication: Authentication,
    /// Whether a host that asks nobody may be reached by other machines.
    pub insecure: bool,
    /// Whether `/metrics` is for everybody.
    pub open_metrics: bool,
    /// Whose JWTs are taken beside tokens, if there is such an issuer.
    pub jwt: Option<JwtSettings>,
}

impl AccessSettings {
    /// Whether each request may do everything.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.authentication == Authentication::Open
    }

    /// Whether a host may listen on an address: one that other machines reach does not let everybody do everything, unless it is told to.
    #[must_use]
    pub fn allow(&self, address: IpAddr) -> bool {
        !self.is_open() || self.insecure || is_loopback(address)
    }
}

/// Whether only this machine reaches an address.
fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_reaches_a_host_that_asks_nobody() {
        let open = AccessSettings::default();
        for address in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert!(open.allow(address.parse().unwrap()), "{address}");
        }
        for address in ["0.0.0.0", "::", "10.0.0.5", "192.0.2.7", "2001:db8::1", "::ffff:10.0.0.5", "fe80::1"] {
            let address = address.parse().unwrap();
            assert!(!open.allow(address), "{address}");
            assert!(AccessSettings { insecure: true, ..open.clone() }.allow(address));
            assert!(AccessSettings { authentication: Authentication::Tokens, ..open.clone() }.allow(address));
        }
    }
}
