//! The world of upcasters.

use super::convert::{events, sdk};
use crate::{Upcaster, guest as module};

#[allow(missing_docs, unreachable_pub, unsafe_code, unused_qualifications, clippy::all, reason = "generated code")]
pub mod generated {
    wit_bindgen::generate!({
        path: "wit",
        world: "upcaster",
        pub_export_macro: true,
        export_macro_name: "export_upcaster",
        with: {
            "gnomon:module/cursor@0.2.0": crate::bindings::generated::gnomon::module::cursor,
            "gnomon:module/log@0.2.0": crate::bindings::generated::gnomon::module::log,
            "gnomon:module/types@0.2.0": crate::bindings::generated::gnomon::module::types,
        },
    });
}

pub use self::generated::export_upcaster;
use self::generated::exports::gnomon::module::upcaster_guest as guest;

/// The component of an upcaster.
#[derive(Debug)]
pub struct Component<U>(std::marker::PhantomData<U>);

impl<U: Upcaster> guest::Guest for Component<U> {
    fn describe() -> guest::Descriptor {
        let step = |step: &crate::upcaster::Step| guest::Step {
            event_type: step.event_type.to_owned(),
            from: step.from,
            to: step.to,
            produces: step.produces.iter().map(|&event_type| event_type.to_owned()).collect(),
        };
        guest::Descriptor { sdk: sdk(), steps: U::STEPS.iter().map(step).collect() }
    }

    fn upcast(batch: guest::Batch) -> Result<Vec<Vec<guest::Upcasted>>, guest::Failure> {
        let upcasted = module::upcast::<U>(events(batch).collect())
            .map_err(|failure| guest::Failure { position: failure.position, message: failure.message })?;
        let results = upcasted.into_iter().map(|results| {
            let results = results.into_iter().map(|made| guest::Upcasted {
                event_type: made.event_type,
                schema_version: made.schema_version,
                data: made.data,
                metadata: made.metadata,
                tags: made.tags,
            });
            results.collect()
        });
        Ok(results.collect())
    }
}
