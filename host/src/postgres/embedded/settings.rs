//! The server's settings.

use super::config::Durability;
use super::error::EmbeddedError;
use super::layout::Layout;

const ALWAYS: &str = include_str!("gnomon.conf");
const DURABILITY_OFF: &str = include_str!("gnomon-durability-off.conf");

/// Goes to the end of the `postgresql.conf` that `initdb` writes, and stays there. A cluster that was moved away does not
/// start until someone has looked at this line; that is better than to start with other settings unnoticed.
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
