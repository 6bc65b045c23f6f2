//! Bounds what a component costs to compile, before it is compiled.
//!
//! No deadline reaches the compiler, and its time and memory grow faster than a function does. Instances of components inside
//! of components multiply: thirty of them, each making the one before it twice, are a thousand million.

use wasmparser::{ComponentInstance, FunctionBody, Parser, Payload};

/// Bytes of the code of one function; the largest of a Rust module has some 100,000.
const MAX_FUNCTION_BYTES: usize = 1024 * 1024;
/// Local variables of one function; the largest of a Rust module has some thousand.
const MAX_LOCALS: u64 = 10_000;
/// Components inside of a component; a Rust module has one for each interface that it exports.
const MAX_COMPONENTS: usize = 8;
/// Instances that components make of such components: with the number of those, they multiply to 65,536 at the most.
const MAX_INSTANCES: usize = 32;

/// Checks the bulk of a component.
///
/// # Errors
/// Everything that is too large, in words.
pub(super) fn check(bytes: &[u8]) -> Result<(), Vec<String>> {
    let mut reasons = Vec::new();
    let (mut components, mut instances) = (0, 0);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(not_valid)? {
            Payload::CodeSectionEntry(body) => check_function(&body, &mut reasons)?,
            Payload::ComponentSection { .. } => components += 1,
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    if let ComponentInstance::Instantiate { .. } = instance.map_err(not_valid)? {
                        instances += 1;
                    }
                }
            }
            _ => {}
        }
    }
    if components > MAX_COMPONENTS {
        reasons.push(format!("it has {components} components inside of it; the limit is {MAX_COMPONENTS}"));
    }
    if instances > MAX_INSTANCES {
        reasons.push(format!("it makes {instances} instances of components inside of it; the limit is {MAX_INSTANCES}"));
    }
    if reasons.is_empty() { Ok(()) } else { Err(reasons) }
}

fn check_function(body: &FunctionBody<'_>, reasons: &mut Vec<String>) -> Result<(), Vec<String>> {
    let range = body.range();
    let (at, bytes) = (range.start, range.len());
    if bytes > MAX_FUNCTION_BYTES {
        reasons.push(format!("the function at byte {at} has {bytes} bytes of code; the limit is {MAX_FUNCTION_BYTES}"));
    }
    let mut locals = 0;
    for group in body.get_locals_reader().map_err(not_valid)? {
        locals += u64::from(group.map_err(not_valid)?.0);
    }
    if locals > MAX_LOCALS {
        reasons.push(format!("the function at byte {at} has {locals} local variables; the limit is {MAX_LOCALS}"));
    }
    Ok(())
}

fn not_valid(error: wasmparser::BinaryReaderError) -> Vec<String> {
    vec![format!("it is not a valid component: {error}")]
}
