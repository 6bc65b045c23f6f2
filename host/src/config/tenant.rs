//! The tenant of a host that a command is for.

use clap::Args;

/// The tenant of a host that a command is for.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantOption {
    /// Tenant of the host, if it has several; the command then asks below its path, as with --url …/t/NAME
    #[arg(long, env = "GNOMON_TENANT", value_name = "NAME", hide_short_help = true, value_parser = tenant_name)]
    pub tenant: Option<String>,
}

impl TenantOption {
    /// The URL under which the host, or the tenant of it, is reached. It is also the name by which something is remembered of it.
    #[must_use]
    pub fn at(&self, host: &str) -> String {
        match &self.tenant {
            Some(tenant) => format!("{}/t/{tenant}", host.trim_end_matches('/')),
            None => host.to_owned(),
        }
    }
}

fn tenant_name(text: &str) -> Result<String, String> {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=63).contains(&text.len()) && text.bytes().all(is_part) {
        return Ok(text.to_owned());
    }
    Err("the name of a tenant has 1 to 63 characters of a-z, 0-9 and -".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_a_path_of_its_host() {
        let of = |tenant: Option<&str>, host| TenantOption { tenant: tenant.map(str::to_owned) }.at(host);
        assert_eq!(of(None, "http://h:7070/"), "http://h:7070/");
        assert_eq!(of(Some("acme"), "http://h:7070/"), "http://h:7070/t/acme");
        assert_eq!(of(Some("acme"), "https://h/below"), "https://h/below/t/acme");
        assert_eq!(tenant_name("acme-2"), Ok("acme-2".to_owned()));
        for name in ["", "Acme", "a/b", "..", "a b", &"x".repeat(64)] {
            assert!(tenant_name(name).is_err(), "{name}");
        }
    }
}
