//! An interface that modules of a world may import.

use wasmtime::component::Linker;

/// An import of a world whose instances hold a `T`.
pub(in crate::runtime) struct Import<T: 'static> {
    /// Its name in the contract, without the version.
    pub(in crate::runtime) interface: &'static str,
    /// Adds its functions to a linker.
    pub(in crate::runtime) link: Box<dyn Fn(&mut Linker<T>) -> wasmtime::Result<()>>,
}
