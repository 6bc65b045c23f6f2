//! The server's settings.

use super::config::Durability;
use super::error::EmbeddedError;
use super::layout::Layout;

const ALWAYS: &str = include_str!("gnomon.conf");
const DURABILITY_OFF: &str = include_str!("gnomon-durability-off.conf");

/// Appended to the `postgresql.conf` that `initdb` writes. A cluster that was moved elsewhere does not start until this line is
/// changed, instead of starting with other settings unnoticed.
pub(super) const INCLUDE: &str = "
# Gnomon's settings. Yours go below this line, where they win.
include = '../gnomon.conf'
";

/// Writes the settings of this version of Gnomon.
pub(super) fn write(layout: &Layout, durability: Durability) -> Result<(), EmbeddedError> {
    let content = match durability {
        Durability::On => ALWAYS.to_owned(),
        Durability::Off => format!("{ALWAYS}{DURABILITY_OFF}"),
    };
    layout.write(&layout.settings(), &content, 0o644, None)
}
