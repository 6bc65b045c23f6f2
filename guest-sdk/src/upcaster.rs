//! Upcasters and their steps.

pub(crate) mod batch;
mod outcome;
mod step;
mod upcast;

pub use self::{outcome::Upcasted, step::Step, upcast::Upcast};

/// The steps of an upcaster: one, or a tuple of several, of any types and in any order.
///
/// They must form chains, or [`export_upcaster!`](crate::export_upcaster) does not compile: each leads to a later version, no two
/// begin at the same version of a type, and each ends where another begins or at the newest version of its type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a step of an upcaster nor a tuple of steps",
    note = "implement `Upcast` for it"
)]
pub trait Upcaster: 'static {
    /// The steps.
    const STEPS: &'static [Step];
}

impl<S: Upcast> Upcaster for S {
    const STEPS: &'static [Step] = &[Step::of::<S>()];
}

macro_rules! tuples_of_steps {
    ($($($step:ident)*;)*) => {$(
        impl<$($step: Upcast),*> Upcaster for ($($step,)*) {
            const STEPS: &'static [Step] = &[$(Step::of::<$step>()),*];
        }
    )*};
}

tuples_of_steps! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
    A B C D E F G H I J K L M;
    A B C D E F G H I J K L M N;
    A B C D E F G H I J K L M N O;
    A B C D E F G H I J K L M N O P;
}

/// Checks the steps of an upcaster at compile time.
#[doc(hidden)]
pub const fn check_steps<U: Upcaster>() {
    step::check(U::STEPS);
}
