//! A component without the debug information that is no help to its author.
//!
//! The standard library and the C library are linked with all of theirs, which is most of a component. What tells the lines of the crate
//! and of its dependencies is kept, for backtraces. Neither cargo nor the linker can tell the two apart.

use anyhow::{Context, bail};
use gimli::{
    DW_AT_language, DW_LANG_Rust, EndianSlice, LittleEndian, SectionId, leb128,
    read::{self, AttributeValue, Reader},
    write::{self, Address, EndianVec},
};

/// Bytes before the first section of a module or a component.
const PREAMBLE: usize = 8;
/// Of custom sections, in modules and components.
const CUSTOM: u8 = 0;
/// Of the sections of a component that hold a module or a component.
const NESTED: [u8; 2] = [1, 4];
/// Where the sources of the standard library and of its dependencies are said to be.
const STANDARD_LIBRARY: [&[u8]; 2] = [b"/rustc/", b"/rust/deps/"];

type Bytes<'a> = EndianSlice<'a, LittleEndian>;

/// A section of a module or component.
struct Section<'a> {
    id: u8,
    bytes: &'a [u8],
}

/// Removes from a component the debug information of the standard library and of C.
///
/// # Errors
/// It is not a component, or its debug information cannot be read.
pub(super) fn keep_own(component: &[u8]) -> anyhow::Result<Vec<u8>> {
    let Some((preamble, _)) = component.split_at_checked(PREAMBLE) else { bail!("it is not a component") };
    let sections = sections(component).context("it is not a component")?;
    let mut out = preamble.to_vec();
    // The second half of the version: 0 for modules, 1 for components.
    let is_module = preamble.ends_with(&[0, 0]);
    for section in &sections {
        if is_module && section.debug_name().is_some() {
            continue;
        }
        if !is_module && NESTED.contains(&section.id) {
            put(&mut out, section.id, &keep_own(section.bytes)?)?;
        } else {
            put(&mut out, section.id, section.bytes)?;
        }
    }
    if is_module {
        for (name, bytes) in own_debug_info(&sections).context("cannot read its debug information")? {
            put(&mut out, CUSTOM, &[named(name)?.as_slice(), bytes.as_slice()].concat())?;
        }
    }
    Ok(out)
}

fn sections(binary: &[u8]) -> gimli::Result<Vec<Section<'_>>> {
    let mut reader = Bytes::new(binary.get(PREAMBLE..).unwrap_or_default(), LittleEndian);
    let mut sections = Vec::new();
    while !reader.is_empty() {
        let id = reader.read_u8()?;
        sections.push(Section { id, bytes: sized(&mut reader)? });
    }
    Ok(sections)
}

/// Bytes behind their number.
fn sized<'a>(reader: &mut Bytes<'a>) -> gimli::Result<&'a [u8]> {
    let length = reader.read_uleb128()?;
    Ok(reader.split(usize::try_from(length).unwrap_or(usize::MAX))?.slice())
}

impl<'a> Section<'a> {
    /// The name of a section of debug information, and its content.
    fn debug_name(&self) -> Option<(&'a str, &'a [u8])> {
        if self.id != CUSTOM {
            return None;
        }
        let mut rest = Bytes::new(self.bytes, LittleEndian);
        let name = str::from_utf8(sized(&mut rest).ok()?).ok().filter(|name| name.starts_with(".debug_"))?;
        Some((name, rest.slice()))
    }
}

/// The sections of the debug information that is kept. All that is not needed for it is left out.
fn own_debug_info(sections: &[Section<'_>]) -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
    let find = |id: SectionId| sections.iter().filter_map(Section::debug_name).find(|(name, _)| *name == id.name());
    let load = |id| gimli::Result::Ok(Bytes::new(find(id).map(|(_, bytes)| bytes).unwrap_or_default(), LittleEndian));
    let all = read::Dwarf::load(load)?;
    let (_, info) = find(SectionId::DebugInfo).unwrap_or_default();
    let units_of = |range| info.get(range).context("a unit is beyond the end");
    let mut own = Vec::new();
    let mut units = all.units();
    while let Some(header) = units.next()? {
        if is_own(&all.unit(header)?)? {
            let start = header.debug_info_offset().map(|offset| offset.0).unwrap_or_default();
            let range = start..start + header.length_including_self();
            own.extend_from_slice(units_of(range)?);
        }
    }
    let own = read::Dwarf::load(|id| match id {
        SectionId::DebugInfo => gimli::Result::Ok(Bytes::new(&own, LittleEndian)),
        other => load(other),
    })?;
    let mut dwarf = write::Dwarf::from(&own, &|address| Some(Address::Constant(address)))?;
    let mut written = write::Sections::new(EndianVec::new(LittleEndian));
    dwarf.write(&mut written)?;
    let mut found = Vec::new();
    written.for_each(|id, bytes| {
        if !bytes.slice().is_empty() {
            found.push((id.name(), bytes.slice().to_vec()));
        }
        anyhow::Ok(())
    })?;
    Ok(found)
}

/// Whether a unit is of the author's crate, or of one that was compiled with it.
fn is_own(unit: &read::Unit<Bytes<'_>>) -> gimli::Result<bool> {
    let mut entries = unit.entries();
    let Some(root) = entries.next_dfs()? else { return Ok(false) };
    let is_rust = root.attr_value(DW_AT_language) == Some(AttributeValue::Language(DW_LANG_Rust));
    let name = unit.name.map(|name| name.slice()).unwrap_or_default();
    Ok(is_rust && !STANDARD_LIBRARY.iter().any(|path| name.starts_with(path)))
}

fn named(name: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    leb128::write::unsigned(&mut bytes, name.len() as u64)?;
    bytes.extend_from_slice(name.as_bytes());
    Ok(bytes)
}

fn put(out: &mut Vec<u8>, id: u8, bytes: &[u8]) -> anyhow::Result<()> {
    out.push(id);
    leb128::write::unsigned(out, bytes.len() as u64)?;
    out.extend_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = r#"(core module (func (export "f")) (@custom "producers" "x"))"#;

    #[test]
    fn a_component_without_debug_information_stays_as_it_is() {
        let component = wat::parse_str(format!("(component {MODULE} (component {MODULE}))")).unwrap();
        assert_eq!(keep_own(&component).unwrap(), component);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let refused = |bytes: &[u8]| format!("{:#}", keep_own(bytes).unwrap_err());
        assert_eq!(refused(b"\0asm"), "it is not a component");
        assert!(refused(b"\0asm\x0d\0\x01\0\x01\x7f").starts_with("it is not a component: "));
        let module = r#"(core module (@custom ".debug_info" "not a unit"))"#;
        let component = wat::parse_str(format!("(component {module})")).unwrap();
        assert!(refused(&component).starts_with("cannot read its debug information: "), "{}", refused(&component));
    }
}
