//! The scopes of a JWT.

use serde_json::{Map, Value};

use crate::access::grant::Grants;

/// What the claim of this name grants: a text with blanks between scopes, as RFC 8693 has it, or a list of texts. Scopes of other programs, and what is
/// of another kind, grant nothing.
///
/// A name with dots reaches into objects, unless there is a claim of the whole name: names of claims are often URLs.
pub(super) fn grants(claims: &Map<String, Value>, name: &str) -> Grants {
    match claims.get(name).or_else(|| within(claims, name)) {
        Some(Value::String(scopes)) => Grants::known(scopes.split_ascii_whitespace()),
        Some(Value::Array(scopes)) => Grants::known(scopes.iter().filter_map(Value::as_str)),
        _ => Grants::default(),
    }
}

fn within<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    let mut names = path.split('.');
    let first = claims.get(names.next()?)?;
    names.try_fold(first, |value, name| value.as_object()?.get(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts(claims: Value, name: &str) -> Vec<String> {
        let Value::Object(claims) = claims else { panic!("not claims") };
        grants(&claims, name).texts()
    }

    #[test]
    fn scopes_are_in_a_text_or_in_a_list() {
        assert_eq!(
            texts(json!({"scope": "openid append=order  read:models"}), "scope"),
            ["append=order", "read:models"]
        );
        assert_eq!(texts(json!({"roles": ["append", 1, "deploy", "append deploy"]}), "roles"), ["append", "deploy"]);
        for nothing in
            [json!({}), json!({"scope": 1}), json!({"scope": {}}), json!({"scope": null}), json!({"scope": "Admin"})]
        {
            assert!(texts(nothing.clone(), "scope").is_empty(), "{nothing}");
        }
    }

    #[test]
    fn a_name_with_dots_reaches_into_objects_unless_it_is_there_as_it_is() {
        let keycloak = json!({"realm_access": {"roles": ["offline_access", "operate"]}});
        assert_eq!(texts(keycloak.clone(), "realm_access.roles"), ["operate"]);
        for name in ["realm_access", "realm_access.", "realm_access.roles.0", ".realm_access.roles", "other.roles"] {
            assert!(texts(keycloak.clone(), name).is_empty(), "{name}");
        }
        let both = json!({"https://a.example/scopes": "append", "https://a": {"example/scopes": "admin"}});
        assert_eq!(texts(both, "https://a.example/scopes"), ["append"]);
    }

    #[test]
    fn scopes_of_other_programs_take_no_room() {
        let mut roles: Vec<String> = (0..100).map(|number| format!("other-{number}")).collect();
        roles.push("append".to_owned());
        assert_eq!(texts(json!({ "roles": roles }), "roles"), ["append"]);
    }
}
