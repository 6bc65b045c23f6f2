//! Who appends an event, in its metadata, on a host that is told to (`--actor-in-metadata`).

use std::{borrow::Cow, collections::HashMap};

use serde::de::IgnoredAny;
use serde_json::value::{RawValue, to_raw_value};

use super::{caller::By, convert::invalid_field, problem::Problem, server_error::internal, state::Api};
use crate::api;

/// The member of the metadata.
const MEMBER: &str = "actor";

/// Who appends, to be named in the metadata of events; or nobody, on a host that names none.
#[derive(Clone, Debug)]
pub(super) struct NamedActor(Option<Box<RawValue>>);

impl NamedActor {
    /// The caller of a request, if the host names callers.
    pub(super) fn of(api: &Api, By(caller): &By) -> Result<Self, Problem> {
        if !api.settings.actor_in_metadata {
            return Ok(Self(None));
        }
        let name = to_raw_value(&caller.who().to_string()).map_err(|error| internal(&error))?;
        Ok(Self(Some(name)))
    }

    /// Names it in the metadata of each of some events; `path` is the field that has the list.
    pub(super) fn name_in(&self, events: &mut [api::NewEvent], path: &str) -> Result<(), Problem> {
        let Self(Some(_)) = self else { return Ok(()) };
        events.iter_mut().enumerate().try_for_each(|(index, event)| {
            event.metadata = self.within(event.metadata.take(), || format!("{path}[{index}]."))?;
            Ok(())
        })
    }

    /// The metadata of an event with the name as its last member; `path` is put before the name of the field. The rest of the text is as its writer
    /// wrote it.
    pub(super) fn within(
        &self,
        metadata: Option<Box<RawValue>>,
        path: impl Fn() -> String,
    ) -> Result<Option<Box<RawValue>>, Problem> {
        let Self(Some(name)) = self else { return Ok(metadata) };
        let member = format!("\"{MEMBER}\":{}", name.get());
        let text = match metadata.as_deref().map(RawValue::get) {
            None | Some("null") => format!("{{{member}}}"),
            Some(written) => {
                // No object: it cannot have the member.
                let wrong =
                    "this host names who appends in it (--actor-in-metadata), so it has to be an object, or left out";
                let refused = || invalid_field(format!("{}metadata", path()), wrong);
                let members: HashMap<Cow<'_, str>, IgnoredAny> =
                    serde_json::from_str(written).map_err(|_| refused())?;
                if members.contains_key(MEMBER) {
                    let taken =
                        "this host says here who appends (--actor-in-metadata); leave it out, or give it another name";
                    return Err(invalid_field(format!("{}metadata.{MEMBER}", path()), taken));
                }
                let inside = written.trim_end().strip_suffix('}').ok_or_else(refused)?.trim_end();
                let comma = if members.is_empty() { "" } else { "," };
                format!("{inside}{comma}{member}}}")
            }
        };
        RawValue::from_string(text).map(Some).map_err(|error| internal(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(metadata: Option<&str>) -> Result<String, String> {
        let actor = NamedActor(Some(to_raw_value("jwt \"ada\"").unwrap()));
        let metadata = metadata.map(|text| RawValue::from_string(text.to_owned()).unwrap());
        match actor.within(metadata, || "events[2].".to_owned()) {
            Ok(metadata) => Ok(metadata.unwrap().get().to_owned()),
            Err(problem) => Err(problem.get("detail").unwrap().as_str().unwrap().to_owned()),
        }
    }

    #[test]
    fn metadata_keeps_what_its_writer_wrote() {
        for nothing in [None, Some("null"), Some("{}"), Some("{ }")] {
            assert_eq!(within(nothing).unwrap(), r#"{"actor":"jwt \"ada\""}"#);
        }
        assert_eq!(within(Some("{ \"a\" : 1.50 }")).unwrap(), "{ \"a\" : 1.50,\"actor\":\"jwt \\\"ada\\\"\"}");
        assert_eq!(within(Some(r#"{"a":{"actor":1}}"#)).unwrap(), r#"{"a":{"actor":1},"actor":"jwt \"ada\""}"#);
    }

    #[test]
    fn nobody_else_is_named_and_nothing_is_lost() {
        for own in [r#"{"actor":"token root"}"#, r#"{"actor":null}"#, r#"{"a\u0063tor":1}"#] {
            let said = within(Some(own)).unwrap_err();
            assert!(said.starts_with("events[2].metadata.actor: this host says here who appends"), "{said}");
        }
        for other in ["1", "[]", "\"text\""] {
            let said = within(Some(other)).unwrap_err();
            assert!(said.starts_with("events[2].metadata: this host names who appends in it"), "{said}");
        }
    }

    #[test]
    fn a_host_that_names_nobody_changes_nothing() {
        let metadata = RawValue::from_string("[1]".to_owned()).unwrap();
        assert_eq!(NamedActor(None).within(Some(metadata), String::new).unwrap().unwrap().get(), "[1]");
        assert!(NamedActor(None).within(None, String::new).unwrap().is_none());
    }
}
