//! The compile budget: limits what a component may cost to compile, before it is compiled.
//!
//! The time and memory of the compiler grow faster than the size of a function. What a byte of code costs depends on its operands as well: one
//! `br_table` over blocks of a thousand results each has a million of them. Instances of nested components multiply: thirty components,
//! each of which makes two instances of the one before it, give 2³⁰ instances.
//!
//! What this misses ends with the process that compiles (`compile_process.rs`); here it is refused in milliseconds, and with a reason that
//! names what to change.

use wasmparser::{BlockType, ComponentInstance, CompositeInnerType, FunctionBody, Operator, Parser, Payload, TypeRef};

/// The most work of compiling a component, in the units of [`Function::work`]: about half a minute on one processor. A Rust module of
/// three megabytes takes a thirtieth of it.
const MAX_WORK: u64 = 300_000_000_000;
/// The most operands of a component that no byte of its code stands for; compiling a million of them takes several seconds, and
/// gigabytes if they are those of one function. Compilers make none: what a call takes is pushed first, by an instruction for each.
const MAX_OPERANDS: u64 = 1_000_000;
/// The most segments of data and of elements; their time grows with the square, and 100,000 take a minute. A Rust module has a handful.
const MAX_SEGMENTS: u64 = 10_000;
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
    let (mut work, mut operands, mut segments) = (0_u64, 0_u64, 0_u64);
    let (mut dearest, mut widest) = (Function::default(), Function::default());
    // Those that are being read: each module is within a component.
    let mut modules = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(not_valid)? {
            Payload::Version { .. } => modules.push(Module::default()),
            Payload::End(_) => drop(modules.pop()),
            Payload::ComponentSection { .. } => components += 1,
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    if let ComponentInstance::Instantiate { .. } = instance.map_err(not_valid)? {
                        instances += 1;
                    }
                }
            }
            Payload::DataSection(section) => segments += u64::from(section.count()),
            Payload::ElementSection(section) => segments += u64::from(section.count()),
            payload => {
                let Some(module) = modules.last_mut() else { continue };
                let Some(function) = module.read(payload)? else { continue };
                work = work.saturating_add(function.work());
                operands = operands.saturating_add(function.operands);
                if function.work() > dearest.work() {
                    dearest = function;
                }
                if function.operands > widest.operands {
                    widest = function;
                }
            }
        }
    }
    if work > MAX_WORK {
        let Function { at, bytes, .. } = dearest;
        reasons.push(format!(
            "its functions would take too long to compile, above all the one at byte {at}, which has {bytes} bytes of code; \
             split it into smaller functions with fewer local variables"
        ));
    }
    if operands > MAX_OPERANDS {
        let Function { at, operands: of_one, .. } = widest;
        reasons.push(format!(
            "the blocks, branches and calls of its functions pass {operands} values that no instruction makes, {of_one} of them in the \
             function at byte {at}; the limit is {MAX_OPERANDS}; give functions and blocks fewer parameters and results"
        ));
    }
    if segments > MAX_SEGMENTS {
        reasons.push(format!("it has {segments} segments of data and elements; the limit is {MAX_SEGMENTS}"));
    }
    if components > MAX_COMPONENTS {
        reasons.push(format!("it has {components} nested components; the limit is {MAX_COMPONENTS}"));
    }
    if instances > MAX_INSTANCES {
        reasons.push(format!("it makes {instances} instances of nested components; the limit is {MAX_INSTANCES}"));
    }
    if reasons.is_empty() { Ok(()) } else { Err(reasons) }
}

/// How many values go into a function or a block, and come out.
#[derive(Clone, Copy, Debug, Default)]
struct Signature {
    params: u64,
    results: u64,
}

/// What has been read of a module.
#[derive(Debug, Default)]
struct Module {
    types: Vec<Signature>,
    /// The types of its functions, imported ones first.
    functions: Vec<u32>,
    /// How many functions have been read or are imported.
    read: usize,
}

/// What a function costs.
#[derive(Clone, Copy, Debug, Default)]
struct Function {
    /// Where it is in the component.
    at: usize,
    /// The size of its code.
    bytes: u64,
    /// Its local variables and parameters.
    locals: u64,
    /// The values that its blocks, branches and calls pass, beyond its bytes.
    operands: u64,
}

impl Function {
    /// The work of compiling it. It grows with the square of the size, and with the number of local variables at each branch.
    /// Measured with wasmtime 48: functions that consist of branches take 0.6 s for 60 KB, 7 s for 250 KB, 120 s for 1 MB; 80 KB
    /// of loops over 9,000 variables take 15 s. A value that is passed costs about as much as a byte.
    fn work(&self) -> u64 {
        let size = self.bytes.saturating_add(self.operands);
        size.saturating_mul(size.saturating_add(self.locals.saturating_mul(170)))
    }
}

impl Module {
    /// Reads a part of the module; answers what it costs if it is a function.
    fn read(&mut self, payload: Payload<'_>) -> Result<Option<Function>, Vec<String>> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    self.types.extend(group.map_err(not_valid)?.types().map(
                        |found| match &found.composite_type.inner {
                            CompositeInnerType::Func(function) => Signature {
                                params: function.params().len() as u64,
                                results: function.results().len() as u64,
                            },
                            _ => Signature::default(),
                        },
                    ));
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if let TypeRef::Func(type_index) | TypeRef::FuncExact(type_index) = import.map_err(not_valid)?.ty {
                        self.functions.push(type_index);
                        self.read += 1;
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for type_index in section {
                    self.functions.push(type_index.map_err(not_valid)?);
                }
            }
            Payload::CodeSectionEntry(body) => {
                let own = self.of_function(self.read);
                self.read += 1;
                return self.function(&body, own).map(Some);
            }
            _ => {}
        }
        Ok(None)
    }

    fn of_function(&self, index: usize) -> Signature {
        self.functions.get(index).map(|type_index| self.of_type(*type_index)).unwrap_or_default()
    }

    /// Indexes that do not exist are for the compiler to refuse.
    fn of_type(&self, index: u32) -> Signature {
        self.types.get(index as usize).copied().unwrap_or_default()
    }

    fn of_block(&self, block: BlockType) -> Signature {
        match block {
            BlockType::Empty => Signature::default(),
            BlockType::Type(_) => Signature { params: 0, results: 1 },
            BlockType::FuncType(index) => self.of_type(index),
        }
    }

    fn function(&self, body: &FunctionBody<'_>, own: Signature) -> Result<Function, Vec<String>> {
        let bytes = body.range().len() as u64;
        let mut locals = own.params;
        for group in body.get_locals_reader().map_err(not_valid)? {
            locals = locals.saturating_add(u64::from(group.map_err(not_valid)?.0));
        }
        // What a branch to each of the open blocks passes, and what comes out at their ends; the function itself is the outermost.
        let mut open = vec![(own.results, own.results)];
        let mut operands = 0_u64;
        let branch = |open: &[(u64, u64)], depth: u32| {
            let at = open.len().checked_sub(depth as usize + 1);
            at.and_then(|at| open.get(at)).map_or(0, |(passed, _)| *passed)
        };
        let call = |Signature { params, results }: Signature| params + results;
        let mut reader = body.get_operators_reader().map_err(not_valid)?;
        while !reader.eof() {
            operands = operands.saturating_add(match reader.read().map_err(not_valid)? {
                Operator::Block { blockty } | Operator::If { blockty } => {
                    let block = self.of_block(blockty);
                    open.push((block.results, block.results));
                    call(block)
                }
                Operator::TryTable { try_table } => {
                    let block = self.of_block(try_table.ty);
                    open.push((block.results, block.results));
                    call(block)
                }
                Operator::Loop { blockty } => {
                    let block = self.of_block(blockty);
                    open.push((block.params, block.results));
                    call(block)
                }
                Operator::End => open.pop().map_or(0, |(_, results)| results),
                Operator::Br { relative_depth }
                | Operator::BrIf { relative_depth }
                | Operator::BrOnNull { relative_depth }
                | Operator::BrOnNonNull { relative_depth } => branch(&open, relative_depth),
                Operator::BrTable { targets } => {
                    let mut passed = branch(&open, targets.default());
                    for target in targets.targets() {
                        passed = passed.saturating_add(branch(&open, target.map_err(not_valid)?));
                    }
                    passed
                }
                Operator::Return => own.results,
                Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                    call(self.of_function(function_index as usize))
                }
                Operator::CallIndirect { type_index, .. }
                | Operator::ReturnCallIndirect { type_index, .. }
                | Operator::CallRef { type_index }
                | Operator::ReturnCallRef { type_index } => call(self.of_type(type_index)),
                _ => 0,
            });
        }
        Ok(Function { at: body.range().start, bytes, locals, operands: operands.saturating_sub(bytes) })
    }
}

fn not_valid(error: wasmparser::BinaryReaderError) -> Vec<String> {
    vec![format!("it is not a valid component: {error}")]
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Why a component with one core module is refused.
    fn refused(module: &str) -> String {
        let component = wat::parse_str(format!("(component (core module {module}))")).unwrap();
        let began = Instant::now();
        let reasons = check(&component).unwrap_err();
        assert!(began.elapsed().as_secs() < 20, "it took {:?}", began.elapsed());
        reasons.join("; ")
    }

    fn many(times: usize, text: &str) -> String {
        text.repeat(times)
    }

    /// These take 14 s and 8 GB, 24 s and 2 GB, and a minute to compile.
    #[test]
    fn operands_count_beside_bytes() {
        let results = format!("(result {})", many(1000, "i64 "));
        let blocks = format!(
            "(type $wide (func {results})) (func $made (type $wide) unreachable) (func (type $wide) {} (br_table {} (i32.const 0)) {})",
            many(901, "block (type $wide) "),
            (0..=901).map(|depth| format!("{depth} ")).collect::<String>(),
            many(901, "end "),
        );
        let reason = refused(&blocks);
        assert!(reason.contains("values that no instruction makes"), "{reason}");
        assert!(reason.contains("its functions would take too long to compile"), "{reason}");

        let params = format!("(param {})", many(1000, "i64 "));
        let calls =
            format!("(func $f {params} {results} unreachable) (func {results} unreachable {})", many(5000, "call $f "));
        let reason = refused(&calls);
        assert!(
            reason.contains("the limit is 1000000; give functions and blocks fewer parameters and results"),
            "{reason}"
        );
        // Spread over many functions as well.
        let function = format!("(func {results} unreachable {})", many(10, "call $f "));
        let reason = refused(&format!("(func $f {params} {results} unreachable) {}", many(100, &function)));
        assert!(reason.contains("values that no instruction makes"), "{reason}");
    }

    #[test]
    fn segments_count() {
        let data = format!("(memory 1) {}", many(100_000, "(data \"x\")"));
        assert_eq!(refused(&data), "it has 100000 segments of data and elements; the limit is 10000");
        let elements = format!("(func $f) {}", many(10_001, "(elem func $f)"));
        assert_eq!(refused(&elements), "it has 10001 segments of data and elements; the limit is 10000");
    }

    #[test]
    fn what_compilers_make_is_within_the_budget() {
        assert_eq!(check(&test_support::component("bank")), Ok(()));
    }
}
