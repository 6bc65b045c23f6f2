//! The compile budget: limits what a component may cost to compile, before it is compiled.
//!
//! No deadline interrupts the compiler, and its time and memory grow faster than the size of a function. Instances of nested
//! components multiply: thirty components, each of which makes two instances of the one before it, give 2³⁰ instances.

use wasmparser::{ComponentInstance, FunctionBody, Parser, Payload};

/// The most work of compiling a component, in the units of [`work`]: about half a minute on one processor. A Rust module of three
/// megabytes takes a thirtieth of it.
const MAX_WORK: u64 = 300_000_000_000;
/// The most components nested in a component; a Rust module has one for each interface that it exports.
const MAX_COMPONENTS: usize = 8;
/// The most instances that are made of nested components: with [`MAX_COMPONENTS`] they multiply to 65,536 at most.
const MAX_INSTANCES: usize = 32;

/// Checks that a component is within the compile budget.
///
/// # Errors
/// A message for everything that is too large.
pub(super) fn check(bytes: &[u8]) -> Result<(), Vec<String>> {
    let mut reasons = Vec::new();
    let (mut components, mut instances) = (0, 0);
    let (mut total, mut largest) = (0_u64, (0, 0, 0));
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(not_valid)? {
            Payload::CodeSectionEntry(body) => {
                let work = work(&body)?;
                total = total.saturating_add(work);
                largest = largest.max((work, body.range().start, body.range().len()));
            }
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
    if total > MAX_WORK {
        let (_, at, bytes) = largest;
        reasons.push(format!(
            "its functions would take too long to compile, above all the one at byte {at}, which has {bytes} bytes of code; \
             split it into smaller functions with fewer local variables"
        ));
    }
    if components > MAX_COMPONENTS {
        reasons.push(format!("it has {components} nested components; the limit is {MAX_COMPONENTS}"));
    }
    if instances > MAX_INSTANCES {
        reasons.push(format!("it makes {instances} instances of nested components; the limit is {MAX_INSTANCES}"));
    }
    if reasons.is_empty() { Ok(()) } else { Err(reasons) }
}

/// The work of compiling a function. It grows with the square of the size, and with the number of local variables at each branch.
/// Measured with wasmtime 48: functions that consist of branches take 0.6 s for 60 KB, 7 s for 250 KB, 120 s for 1 MB; 80 KB
/// of loops over 9,000 variables take 15 s.
fn work(body: &FunctionBody<'_>) -> Result<u64, Vec<String>> {
    let bytes = body.range().len() as u64;
    let mut locals = 0_u64;
    for group in body.get_locals_reader().map_err(not_valid)? {
        locals += u64::from(group.map_err(not_valid)?.0);
    }
    Ok(bytes.saturating_mul(bytes + 170 * locals))
}

fn not_valid(error: wasmparser::BinaryReaderError) -> Vec<String> {
    vec![format!("it is not a valid component: {error}")]
}
