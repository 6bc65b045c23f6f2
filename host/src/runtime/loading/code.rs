//! Compiled code.

use wasmtime::{Engine, component::Component};

/// Bytes of code that each component may have, beside [`CODE_OF_A_BYTE`] for each of its own.
const MAX_CODE_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of code for each byte of a component; a Rust module has two or three.
const CODE_OF_A_BYTE: usize = 8;

/// The code of a component, as the compiler of this program made it. Nothing else may be put in: the host executes it.
#[derive(Debug)]
pub(super) struct CompiledCode(Vec<u8>);

impl CompiledCode {
    /// What the compiler made in this process or in one that this host started, or what this host has kept of that, unchanged.
    pub(super) fn of_compiler(code: Vec<u8>) -> Self {
        Self(code)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Makes the code executable.
    ///
    /// # Errors
    /// It is for another engine, or its instances would not fit into the pool of this one.
    pub(super) fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: the machine code is executed. It comes from the compiler of this program, as whoever made this value has seen to;
        // wasmtime itself refuses code of another version or other settings.
        #[allow(unsafe_code, reason = "the only way to load code that was compiled before, or by another process")]
        unsafe {
            Component::deserialize(engine, &self.0)
        }
    }
}

/// The most bytes of code that a component of so many bytes may have.
pub(super) fn max_code_bytes(component_bytes: usize) -> usize {
    component_bytes.saturating_mul(CODE_OF_A_BYTE).saturating_add(MAX_CODE_BYTES)
}

/// The message for a component with more code.
pub(super) fn too_much_code(component_bytes: usize) -> String {
    let max = max_code_bytes(component_bytes);
    format!(
        "its compiled code would have more than {max} bytes; the limit is 32 MiB and {CODE_OF_A_BYTE} bytes for each of its own"
    )
}
