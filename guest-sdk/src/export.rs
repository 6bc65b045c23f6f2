//! How a projection becomes a component.

/// Makes a projection what its crate is built to: `gnomon_sdk::export!(Accounts);`, once in a crate.
///
/// The crate is of `crate-type = ["cdylib", "rlib"]`, and is built by `cargo build --release --target wasm32-wasip2`. For
/// other targets the macro is nothing, so that tests run natively.
#[macro_export]
macro_rules! export {
    ($projection:ty) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "the exports of a component bear names that are not mangled")]
        const _: () = {
            type Exported = $crate::__export::Component<$projection>;
    $crate::__export::export_projection!(Exported with_types_in $crate::__export::bindings);
        };

        #[cfg(not(target_family = "wasm"))]
        const _: () = {
            const fn is_projection<P: $crate::Projection>() {}
            is_projection::<$projection>();
        };
    };
}
