//! The import `log`: writes a module's lines to the host's log.

use tracing::Level;
use wasmtime::component::HasSelf;

use super::import::Import;
use crate::runtime::{
    bindings::log::{self, Host, Level as GuestLevel},
    sandbox::output::GuestOutput,
};

/// The import; `state` borrows the output of an instance.
pub(in crate::runtime) fn import<T: 'static>(state: fn(&mut T) -> &mut GuestOutput) -> Import<T> {
    Import {
        interface: "gnomon:module/log",
        link: Box::new(move |linker| log::add_to_linker::<_, HasSelf<GuestOutput>>(linker, state)),
    }
}

impl Host for GuestOutput {
    fn write(&mut self, level: GuestLevel, message: String) -> wasmtime::Result<()> {
        let level = match level {
            GuestLevel::Trace => Level::TRACE,
            GuestLevel::Debug => Level::DEBUG,
            GuestLevel::Info => Level::INFO,
            GuestLevel::Warn => Level::WARN,
            GuestLevel::Error => Level::ERROR,
        };
        self.line(level, &message);
        Ok(())
    }
}
