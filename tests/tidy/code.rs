//! Rules about Rust files. Each takes the files and returns its findings.

use super::source::{functions, indent, is_word, word, Source};
use std::collections::BTreeMap;

/// The layers, lowest first. A file may use its own layer and those before it.
pub const LAYERS: &[&str] = &[
    "base", "sys", "mmu", "ir", "guest", "interp", "opt", "regalloc", "asm", "codegen", "cache", "policy",
    "engine", "linux", "bin", "testing",
];

/// What a layer must not use although it lies above it, with the reason.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    ("guest", &["sys", "mmu"], "decoding and lifting are pure"),
    ("opt", &["sys", "mmu", "guest", "interp"], "optimisation knows no guest"),
    ("regalloc", &["sys", "mmu", "guest", "interp"], "allocation knows no guest"),
    (
        "asm",
        &["sys", "mmu", "ir", "guest", "interp", "opt", "regalloc"],
        "the assembler stands alone on base",
    ),
    ("codegen", &["sys", "mmu", "guest", "interp"], "hosts know the IR and offsets in the state only"),
    (
        "policy",
        &["sys", "mmu", "guest", "interp", "opt", "regalloc", "asm", "codegen", "cache"],
        "policy decides when, never what",
    ),
];

/// The only files with `unsafe`; `docs/unsafe.md` states the invariant of each.
pub const UNSAFE_FILES: &[&str] = &[
    "src/engine/native.rs",
    "src/mmu/mod.rs",
    "src/sys/access_x86_64.rs",
    "src/sys/enter.rs",
    "src/sys/exec_mem.rs",
    "src/sys/host.rs",
    "src/sys/process.rs",
    "src/sys/signal.rs",
    "src/sys/space.rs",
    "src/sys/thread.rs",
    "src/sys/trap.rs",
];

/// Where code may depend on the host's instruction set.
const HOST_HOMES: &[&str] = &["src/sys/"];

const MAX_FILE: usize = 800;
const MAX_FUNCTION: usize = 80;
/// Longer files, with the reason.
const LONG_FILES: &[(&str, &str)] = &[];
/// Longer functions, with the reason.
const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[
    ("src/interp/execute.rs", "execute", "the dispatch match: one arm per group of rows"),
    ("src/guest/riscv/translate.rs", "integer", "one match arm per instruction"),
];

/// Types of two languages or layers that rightly have the same name, with the reason.
const SAME_NAME: &[(&str, &str)] = &[
    ("Access", "how memory is accessed, in a fault; an access that the optimiser knows"),
    ("Block", "of the optimiser's functions; of the register allocator's"),
    ("Class", "of registers in a guest's operands; of the optimiser's values"),
    ("Edge", "of a region; of the register allocator's functions"),
    ("Flaw", "of a function in SSA form; of an allocation"),
    ("Host", "floating-point unit of the host; what the host says about building"),
    ("Inst", "of a host's processor; of the optimiser's functions"),
    ("Machine", "a guest; what evaluates the optimiser's functions"),
    ("Place", "of a field in a guest instruction; where a value is when a state is made"),
    ("Value", "of the optimiser; of the register allocator"),
    ("Limits", "what a region of blocks may be like; resource limits of a guest process"),
    ("Region", "blocks that are compiled together; a mapping of guest memory"),
    ("Format", "the layout of a guest instruction; a floating-point format"),
    ("Memory", "the memory convention of generated code; the mappings of a guest process"),
    ("Op", "what an instruction of a host does; what one of the guest does"),
    ("Operand", "of a guest instruction; of an IR operation"),
    ("Row", "of the table of a host's instructions; of the tables of the guest's"),
];

/// A file uses only layers that its own may use.
pub fn layers(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in
        sources.iter().filter(|source| source.path.starts_with("src/") && source.path != "src/lib.rs")
    {
        let layer = source.modules()[0];
        let Some(rank) = LAYERS.iter().position(|name| *name == layer) else {
            found.push(source.at(0, &format!("'{layer}' is no layer")));
            continue;
        };
        let mut inner: Vec<usize> = Vec::new();
        for (index, line) in source.code.iter().enumerate() {
            let text = line.trim();
            inner.retain(|&level| !(text == "}" && indent(line) == level));
            if word(line, "mod").is_some() && text.ends_with('{') {
                inner.push(indent(line));
            }
            if layer == "bin" {
                continue; // `crate` is the command there, and all of the library lies below it.
            }
            if line.matches("super::").count() >= source.modules().len() + inner.len()
                && text.contains("super::super")
            {
                found.push(source.at(index, "reaches the crate's root by `super`; write `crate::`"));
            }
            for (at, _) in line.match_indices("crate::") {
                let used: String = line[at + 7..].chars().take_while(|&c| is_word(c)).collect();
                let banned = FORBIDDEN
                    .iter()
                    .find(|(name, below, _)| *name == layer && below.contains(&used.as_str()));
                match LAYERS.iter().position(|name| *name == used) {
                    None => found.push(source.at(index, &format!("'crate::{used}' names no layer"))),
                    Some(other) if other > rank => {
                        found
                            .push(source.at(index, &format!("'{layer}' uses '{used}', which lies above it")));
                    }
                    Some(_) => found.extend(banned.map(|(.., why)| {
                        source.at(index, &format!("'{layer}' must not use '{used}': {why}"))
                    })),
                }
            }
        }
    }
    found
}

/// `unsafe` stands in the listed files only, and every use of it says why it is sound.
pub fn unsafe_code(sources: &[Source], allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let mut used = false;
        for (index, line) in source.code.iter().enumerate() {
            let Some(at) = word(line, "unsafe") else { continue };
            used = true;
            let rest = line[at + 6..].trim_start();
            let wants = if rest.starts_with("fn") { "# Safety" } else { "SAFETY:" };
            if !allowed.contains(&source.path.as_str()) {
                found.push(source.at(index, "`unsafe` outside the files of UNSAFE_FILES"));
            } else if !comment_above(source, index).contains(wants) {
                found.push(source.at(index, &format!("`unsafe` without a comment '{wants}' above it")));
            }
        }
        if !used && allowed.contains(&source.path.as_str()) {
            found.push(
                source.at(0, "has no `unsafe` any more; take it out of UNSAFE_FILES and docs/unsafe.md"),
            );
        }
        for (index, line) in source.code.iter().enumerate() {
            let lint = line.contains("allow(unsafe_code") || line.contains("expect(unsafe_code");
            if lint && !allowed.contains(&source.path.as_str()) {
                found.push(source.at(index, "permits `unsafe` outside the files of UNSAFE_FILES"));
            }
        }
    }
    found
}

/// The comment right above a line, across attributes and the beginning of the same statement.
fn comment_above(source: &Source, index: usize) -> String {
    let mut comment = String::new();
    for above in (0..index).rev() {
        let (line, code) = (source.lines[above].trim(), source.code[above].trim());
        let continues = code.ends_with(['=', '(', ',']) || code.starts_with("#[");
        match line.starts_with("//") {
            true => comment.insert_str(0, line),
            false if continues && comment.is_empty() => {}
            false if code.starts_with("#[") => {}
            false => break,
        }
    }
    comment
}

/// No file and no function is longer than can be read at once.
pub fn lengths(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let lines = source.lines.len();
        let exempt = LONG_FILES.iter().any(|(path, _)| *path == source.path);
        if (lines > MAX_FILE) != exempt {
            found.push(source.at(0, &format!("{lines} lines (most: {MAX_FILE}; listed as long: {exempt})")));
        }
        for (name, first, last) in functions(source) {
            let lines = last - first + 1;
            let exempt = LONG_FUNCTIONS.iter().any(|(path, long, _)| *path == source.path && *long == name);
            if (lines > MAX_FUNCTION) != exempt {
                let what = format!(
                    "function {name}: {lines} lines (most: {MAX_FUNCTION}; listed as long: {exempt})"
                );
                found.push(source.at(first, &what));
            }
        }
    }
    found
}

/// Nothing is left for later, and nothing may panic where a guest or a file could cause it.
pub fn unfinished(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    let filler = concat!("place", "holder");
    for source in sources {
        let testing = source.path.starts_with("src/testing/");
        for (index, code) in source.code.iter().enumerate() {
            for name in ["todo!", "unimplemented!", "dbg!"] {
                if code.contains(name) {
                    found.push(source.at(index, name));
                }
            }
            if source.lines[index].to_lowercase().contains(filler) {
                found.push(source.at(index, &format!("the word '{filler}'")));
            }
            let panics = code.contains(".unwrap()") || code.contains(".expect(");
            if panics && !testing && !source.test[index] {
                found.push(source.at(index, "`unwrap` or `expect` outside tests"));
            }
        }
    }
    found
}

/// The host's instruction set is asked for in its homes only.
pub fn host_dependence(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| source.path.starts_with("src/")) {
        for (index, line) in source.code.iter().enumerate() {
            if word(line, "target_arch").is_some()
                && !HOST_HOMES.iter().any(|home| source.path.starts_with(home))
            {
                found.push(source.at(index, "depends on the host's instruction set outside its homes"));
            }
        }
    }
    found
}

/// Each public type has one definition. (Types of `testing` are no part of the interface.)
pub fn types(sources: &[Source]) -> Vec<String> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.path.starts_with("src/testing/")) {
        for (index, line) in source.code.iter().enumerate().filter(|(index, _)| !source.test[*index]) {
            for kind in ["pub struct ", "pub enum ", "pub trait "] {
                let Some(name) = line.trim().strip_prefix(kind) else { continue };
                let name = name.split(|c| !is_word(c)).next().unwrap_or("");
                if !name.is_empty() {
                    places.entry(name).or_default().push(source.at(index, name));
                }
            }
        }
    }
    let twice = places.iter().filter(|(name, places)| {
        let exempt = SAME_NAME.iter().any(|(same, _)| same == *name);
        (places.len() > 1) != exempt
    });
    twice.map(|(name, places)| format!("type {name}: {}", places.join(" and "))).collect()
}

/// `src/lib.rs` is documentation, modules and re-exports; fuzz targets only call what the library holds.
pub fn thin_files(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        if source.path == "src/lib.rs" {
            let starts = ["#", "pub mod ", "mod ", "pub use ", "}"];
            for (index, line) in source.code.iter().enumerate() {
                let text = line.trim();
                if !text.is_empty()
                    && indent(line) == 0
                    && !starts.iter().any(|start| text.starts_with(start))
                {
                    found.push(source.at(index, "only documentation, `mod` and `pub use` belong here"));
                }
            }
        }
        if source.path.starts_with("fuzz/") && source.lines.len() > 15 {
            found.push(
                source.at(15, "a fuzz target has at most 15 lines; generators belong into src/testing"),
            );
        }
    }
    found
}
