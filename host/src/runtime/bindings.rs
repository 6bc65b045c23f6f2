//! What `bindgen!` makes of the contract. Only this room sees it; the rest of the house speaks of its own types.

/// The world of projections.
pub(super) mod projection {
    wasmtime::component::bindgen!({
        path: "../wit/v0.1.0",
        world: "projection",
        imports: { default: trappable },
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

/// The world of upcasters.
pub(super) mod upcaster {
    wasmtime::component::bindgen!({
        path: "../wit/v0.1.0",
        world: "upcaster",
        imports: { default: trappable },
        ownership: Borrowing { duplicate_if_necessary: true },
        with: {
            "gnomon:module/cursor": super::projection::gnomon::module::cursor,
            "gnomon:module/log": super::projection::gnomon::module::log,
            "gnomon:module/types": super::projection::gnomon::module::types,
        },
    });
}
