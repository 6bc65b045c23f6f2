//! The world of projections.

use std::marker::PhantomData;

pub use super::generated::export_projection;
use super::{
    convert::{events, sdk},
    declared::{Package, description, names, tables, wanted_types},
    generated::exports::gnomon::module::projection_guest as guest,
};
use crate::{Events, Partition, Projection, guest as module};

/// The component of a projection that the crate `C` exports.
#[derive(Debug)]
pub struct Component<P, C>(PhantomData<(P, C)>);

impl<P: Projection, C: Package> guest::Guest for Component<P, C> {
    fn describe() -> guest::Descriptor {
        guest::Descriptor {
            sdk: sdk(),
            description: description::<C>(),
            tables: tables::<P::Tables>(),
            all_types: P::Event::ALL_TYPES,
            event_types: wanted_types::<P::Event>(),
            categories: names(P::CATEGORIES),
            tags: names(P::TAGS),
            partitioned_by: P::PARTITIONED_BY.map(|partition| match partition {
                Partition::Stream => guest::Partition::Stream,
            }),
        }
    }

    fn handle(batch: guest::Batch) -> Result<(), guest::Failure> {
        module::handle::<P>(events(batch))
            .map_err(|failure| guest::Failure { position: failure.position, message: failure.message })
    }
}
