//! Upcasters and their steps.

pub(crate) mod batch;
mod outcome;
mod step;
mod upcast;

pub use self::{outcome::Upcasted, step::Step, upcast::Upcast};

/// The steps of an upcaster: one, or a tuple of up to 32, of any types and in any order.
///
/// They must form chains, or [`export_upcaster!`](crate::export_upcaster) does not compile: each leads to a later version, no two
/// begin at the same version of a type, and each ends where another begins or at the newest version of its type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a step of an upcaster nor a tuple of at most 32 steps",
    note = "implement `Upcast` for it; further steps can be those of another upcaster"
)]
pub trait Upcaster: 'static {
    /// The steps.
    const STEPS: &'static [Step];
}

impl<S: Upcast> Upcaster for S {
    const STEPS: &'static [Step] = &[Step::of::<S>()];
}

/// A tuple of each size up to that of the list.
macro_rules! tuples_of_steps {
    ([$($step:ident)*] $next:ident $($rest:ident)*) => {
        tuples_of_steps! { @ $($step)* $next }
        tuples_of_steps! { [$($step)* $next] $($rest)* }
    };
    ([$($step:ident)*]) => {};
    (@ $($step:ident)*) => {
        impl<$($step: Upcast),*> Upcaster for ($($step,)*) {
            const STEPS: &'static [Step] = &[$(Step::of::<$step>()),*];
        }
    };
}

tuples_of_steps! {
    [] A B C D E F G H I J K L M N O P Q R S T U V W X Y Z AA AB AC AD AE AF
}

/// Checks the steps of an upcaster at compile time.
#[doc(hidden)]
pub const fn check_steps<U: Upcaster>() {
    step::check(U::STEPS);
}
