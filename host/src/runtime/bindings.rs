//! The bindings that `bindgen!` generates for what all worlds share: the values that are passed, and the interfaces that a
//! module may import.
//!
//! Only [`convert`](super::convert) and [`declared`](super::declared) read the values, and each interface is used only by the file of
//! [`imports`](super::imports) that implements it. The exports of a world are generated in the file of that
//! [world](super::worlds).

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit/v0.2.0",
        inline: "
            package gnomon:host;

            world shared {
                import gnomon:module/cursor@0.2.0;
                import gnomon:module/log@0.2.0;
                import gnomon:module/read-model@0.2.0;

                /// Passes events in, and a failure or what a descriptor holds out, as every world does: from the functions that use a type, `bindgen!`
                /// concludes whether it borrows or owns its data.
                export call: interface {
                    use gnomon:module/tables@0.2.0.{table};
                    use gnomon:module/types@0.2.0.{batch, failure, sdk, wanted-type};
                    call: func(batch: batch) -> result<tuple<sdk, wanted-type, table>, failure>;
                }
            }
        ",
        world: "gnomon:host/shared",
        imports: { default: trappable },
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

#[allow(unreachable_pub, reason = "the code generated for each world re-exports them")]
pub use generated::gnomon::module::{cursor, log, read_model, tables, types};
