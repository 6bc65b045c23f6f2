//! How a projection, or an upcaster, becomes a component.

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

        const _: () = {
            const fn is_projection<P: $crate::Projection>() {
                $crate::check_categories(P::CATEGORIES);
            }
            is_projection::<$projection>();
        };
    };
}

/// Makes the steps of an upcaster what its crate is built to: `gnomon_sdk::export_upcaster!(EurosToCents);`, or
/// `export_upcaster!(First, Second)` for several steps, once in a crate.
///
/// The crate is built as [that of a projection](crate::export!). Steps that do not fit together do not compile, for any
/// target.
#[macro_export]
macro_rules! export_upcaster {
    ($($step:ty),+ $(,)?) => {
        const _: () = $crate::upcaster::check_steps::<($($step,)+)>();

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "the exports of a component bear names that are not mangled")]
        const _: () = {
            type Exported = $crate::__export::UpcasterComponent<($($step,)+)>;
            $crate::__export::export_upcaster!(Exported with_types_in $crate::__export::upcaster_bindings);
        };
    };
}
