//! What `bindgen!` makes of what worlds share: the values that cross, and the interfaces that a module may import.
//!
//! [`convert`](super::convert) alone reads the values, and each interface is seen by the file of [`imports`](super::imports)
//! that answers its calls. What a world exports is made in the file of that [world](super::worlds).

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit/v0.1.0",
        inline: "
            package gnomon:host;

            world shared {
                import gnomon:module/cursor@0.1.0;
                import gnomon:module/log@0.1.0;
                import gnomon:module/read-model@0.1.0;

                /// How events go in and what comes back, in every world: whether a type owns what it holds is found out
                /// from the functions that use it.
                export call: interface {
                    use gnomon:module/types@0.1.0.{event, failure};
                    call: func(events: list<event>) -> result<_, failure>;
                }
            }
        ",
        world: "gnomon:host/shared",
        imports: { default: trappable },
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

#[allow(unreachable_pub, reason = "what is generated for a world exports them once more")]
pub use generated::gnomon::module::{cursor, log, read_model, types};
