//! Macros that export a projection, an upcaster or a reactor as a component.

/// Exports a projection as the component of its crate: `gnomon_sdk::export!(Accounts);`, once per crate.
///
/// The crate has `crate-type = ["cdylib", "rlib"]`, and is built by `cargo build --release --target wasm32-wasip2`. For other
/// targets the macro exports nothing, so that tests run natively.
///
/// What the read model is for is said by a doc comment, or else by the `description` in the crate's Cargo.toml. Hosts show its first
/// paragraph.
///
/// ```ignore
/// gnomon_sdk::export! {
///     /// The accounts of the bank, with their balances.
///     Accounts
/// }
/// ```
#[macro_export]
macro_rules! export {
    (#[doc = $first:expr] $(#[doc = $more:expr])* $projection:ty) => {
        $crate::__export_projection!($projection, concat!($first $(, "\n", $more)*));
    };
    ($projection:ty) => {
        $crate::__export_projection!($projection, match option_env!("CARGO_PKG_DESCRIPTION") {
            Some(description) => description,
            None => "",
        });
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_projection {
    ($projection:ty, $description:expr) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "the exports of a component have unmangled names")]
        const _: () = {
            struct Package;

            impl $crate::__export::Package for Package {
                const DESCRIPTION: &'static str = $description;
            }

            type Exported = $crate::__export::Component<$projection, Package>;
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

/// Exports the steps of an upcaster as the component of its crate: `gnomon_sdk::export_upcaster!(EurosToCents);`, or
/// `export_upcaster!(First, Second)` for several steps, once per crate.
///
/// The crate is built like [that of a projection](crate::export!). Steps that do not form chains do not compile, for any target.
#[macro_export]
macro_rules! export_upcaster {
    ($($step:ty),+ $(,)?) => {
        const _: () = $crate::upcaster::check_steps::<($($step,)+)>();

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "the exports of a component have unmangled names")]
        const _: () = {
            type Exported = $crate::__export::UpcasterComponent<($($step,)+)>;
            $crate::__export::export_upcaster!(Exported with_types_in $crate::__export::upcaster_bindings);
        };
    };
}

/// Exports a reactor as the component of its crate: `gnomon_sdk::export_reactor!(Delays);`, once per crate.
///
/// The crate is built like [that of a projection](crate::export!), and what the reactor is for is said in the same way.
#[macro_export]
macro_rules! export_reactor {
    (#[doc = $first:expr] $(#[doc = $more:expr])* $reactor:ty) => {
        $crate::__export_reactor!($reactor, concat!($first $(, "\n", $more)*));
    };
    ($reactor:ty) => {
        $crate::__export_reactor!($reactor, match option_env!("CARGO_PKG_DESCRIPTION") {
            Some(description) => description,
            None => "",
        });
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_reactor {
    ($reactor:ty, $description:expr) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "the exports of a component have unmangled names")]
        const _: () = {
            struct Package;

            impl $crate::__export::Package for Package {
                const DESCRIPTION: &'static str = $description;
            }

            type Exported = $crate::__export::ReactorComponent<$reactor, Package>;
    $crate::__export::export_reactor!(Exported with_types_in $crate::__export::reactor_bindings);
        };

        const _: () = {
            const fn is_reactor<R: $crate::Reactor>() {
                $crate::check_categories(R::CATEGORIES);
                $crate::reactor::check_sinks(R::SINKS);
            }
            is_reactor::<$reactor>();
        };
    };
}
