//! The house rules, as tests. Each rule reads the whole tree and reports every place that breaks it.
//!
//! `BLESS=1 cargo test --test tidy` rewrites the parts of `docs/` that are made from tables.

// The rows of the acceptance list, for their document.
#[path = "acceptance/rows.rs"]
mod rows;

#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/source.rs"]
mod source;

use source::{rust_files, Source};

/// Folders with Rust files.
const ALL: &[&str] = &["src", "tests", "benches", "fuzz", "docs"];

/// Fails with all findings.
#[track_caller]
fn none(found: &[String]) {
    assert!(found.is_empty(), "{} findings:\n{}\n", found.len(), found.join("\n"));
}

#[test]
fn layers_are_used_downwards_only() {
    none(&code::layers(&rust_files(&["src"])));
}

#[test]
fn unsafe_code_is_listed_and_argued() {
    let sources = rust_files(ALL);
    none(&code::unsafe_code(&sources, code::UNSAFE_FILES));
    none(&documents::unsafe_list(code::UNSAFE_FILES));
}

#[test]
fn files_and_functions_are_short() {
    none(&code::lengths(&rust_files(ALL)));
}

#[test]
fn nothing_is_unfinished_or_may_panic() {
    none(&code::unfinished(&rust_files(ALL)));
}

#[test]
fn host_dependence_stays_in_its_homes() {
    none(&code::host_dependence(&rust_files(&["src"])));
}

#[test]
fn public_types_are_defined_once() {
    none(&code::types(&rust_files(&["src"])));
}

#[test]
fn lib_and_fuzz_targets_are_thin() {
    none(&code::thin_files(&rust_files(&["src", "fuzz"])));
}

#[test]
fn top_level_is_fixed() {
    none(&documents::top_level());
}

#[test]
fn documents_name_paths_that_exist() {
    none(&documents::paths());
}

#[test]
fn documents_show_commands_that_work() {
    none(&documents::commands());
}

#[test]
fn documents_cover_the_tree() {
    none(&documents::coverage());
}

#[test]
fn generated_documents_are_current() {
    none(&documents::generated());
}

#[test]
fn ir_rows_say_what_they_compute() {
    none(&documents::formulas());
}

#[test]
fn decision_records_have_one_form() {
    none(&documents::decisions());
}

/// Every rule about code finds what it forbids.
#[test]
fn rules_find_what_they_forbid() {
    type Rule = fn(&[Source]) -> Vec<String>;
    let in_unsafe_file: Rule = |sources| code::unsafe_code(sources, &["src/mmu/mod.rs"]);
    let long = |lines: usize| format!("fn f() {{\n{}}}\n", "    g();\n".repeat(lines));
    let bad: &[(Rule, &str, &str)] = &[
        (code::layers, "src/ir/mod.rs", "use crate::engine::Jit;"),
        (code::layers, "src/guest/mod.rs", "use crate::sys::host;"),
        (code::layers, "src/asm/mod.rs", "use crate::ir::IROp;"),
        (code::layers, "src/policy/mod.rs", "use crate::codegen::compile;"),
        (code::layers, "src/ir/ops.rs", "use super::super::engine::Jit;"),
        (code::layers, "src/other.rs", ""),
        (code::layers, "src/ir/mod.rs", "use crate::Jit;"),
        (in_unsafe_file, "src/ir/mod.rs", "// SAFETY: no.\nunsafe { f() }"),
        (in_unsafe_file, "src/mmu/mod.rs", "let a = 1;\nunsafe { f() }"),
        (in_unsafe_file, "src/mmu/mod.rs", "/// Does it.\npub unsafe fn f() {}"),
        (in_unsafe_file, "src/mmu/mod.rs", "unsafe impl Send for X {}"),
        (in_unsafe_file, "src/mmu/mod.rs", "fn f() {}"),
        (in_unsafe_file, "src/ir/mod.rs", "#![allow(unsafe_code)]"),
        (code::lengths, "src/a.rs", &"\n".repeat(801)),
        (code::lengths, "src/a.rs", &long(79)),
        (code::unfinished, "src/a.rs", "fn f() { todo!() }"),
        (code::unfinished, "src/a.rs", concat!("// A place", "holder.")),
        (code::unfinished, "src/a.rs", "fn f() { x.unwrap(); }"),
        (code::unfinished, "src/a.rs", "#[cfg(test)]\nmod tests {\n}\nfn f() { x.expect(\"\"); }"),
        (code::host_dependence, "src/ir/mod.rs", "#[cfg(target_arch = \"x86_64\")]"),
        (code::types, "src/a.rs", "pub struct A;\npub enum A {}"),
        (code::thin_files, "src/lib.rs", "fn f() {}"),
        (code::thin_files, "fuzz/fuzz_targets/a.rs", &"\n".repeat(16)),
    ];
    for (number, (rule, path, text)) in bad.iter().enumerate() {
        assert!(!rule(&[Source::new(path, text)]).is_empty(), "case {number} was not found: {path}: {text}");
    }
    let good: &[(Rule, &str, &str)] = &[
        (code::layers, "src/ir/mod.rs", "use crate::base::error; // crate::engine\n/// [`crate::engine`]\n"),
        (in_unsafe_file, "src/mmu/mod.rs", "// SAFETY: yes,\n// it is.\nlet a =\n    unsafe { \"unsafe\" };"),
        (
            in_unsafe_file,
            "src/mmu/mod.rs",
            "/// # Safety\n/// Be careful.\n#[inline]\npub unsafe fn f() {}\n",
        ),
        (code::lengths, "src/a.rs", &long(78)),
        (code::unfinished, "src/a.rs", "#[cfg(test)]\nmod tests {\n    fn f() { x.unwrap(); }\n}\n"),
        (
            code::unfinished,
            "src/a.rs",
            "// todo!\nlet s = \"dbg!\"; let c = '\"'; let r = r#\"todo!\"#; 'a: loop {}",
        ),
    ];
    for (rule, path, text) in good {
        none(&rule(&[Source::new(path, text)]));
    }
}
