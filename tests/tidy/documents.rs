//! Rules about the documents: what they name exists, what they show works, what is made from tables is current.

use super::source::{files, read, root, rust_files};
use std::collections::BTreeSet;
use std::path::Path;
use vm_engine_jit::ir::ops::ROWS;

/// The entries of the crate's folder; those that start with a dot or are made by tools may be missing.
const TOP_LEVEL: &[&str] = &[
    ".cargo",
    ".ci",
    ".git",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "asm",
    "benches",
    "docs",
    "fuzz",
    "rustfmt.toml",
    "src",
    "target",
    "tests",
];
/// What the beginning of a path of this tree looks like.
const FOLDERS: &[&str] = &["src/", "tests/", "docs/", "asm/", "fuzz/", "benches/", ".ci/"];
const EXTENSIONS: &[&str] = &["rs", "md", "toml", "sh", "S", "c", "svg"];

/// All documents.
fn documents() -> Vec<String> {
    let mut paths = vec!["README.md".to_string(), "CHANGELOG.md".to_string()];
    paths.extend(files("docs").into_iter().filter(|path| path.ends_with(".md")));
    paths
}

fn exists(path: &str) -> bool {
    root().join(path).exists()
}

pub fn top_level() -> Vec<String> {
    let mut found = Vec::new();
    for entry in root().read_dir().unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !TOP_LEVEL.contains(&name.as_str()) {
            found.push(format!("{name}: no entry of the top level (allowed: {TOP_LEVEL:?})"));
        }
    }
    let made_by_tools = [".git", "target", "Cargo.lock"];
    let missing = TOP_LEVEL.iter().filter(|name| !made_by_tools.contains(name) && !exists(name));
    found.extend(missing.map(|name| format!("{name}: missing")));
    found
}

/// Parts of a line in backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Whether `token`, found in `document`, is a path that does not exist.
fn is_broken(token: &str, document: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-*:".contains(c);
    let token = token.split(':').next().unwrap_or("");
    let looks = FOLDERS.iter().any(|folder| token.starts_with(folder))
        || token.contains('/')
            && EXTENSIONS.iter().any(|e| Path::new(token).extension().is_some_and(|x| x == *e));
    if !looks || !token.chars().all(plain) || token.starts_with('/') {
        return false;
    }
    let path = token.split('*').next().unwrap_or(""); // of a pattern, the folder before it
    let path = if path == token { path } else { path.rsplit_once('/').map_or("", |(folder, _)| folder) };
    let beside = Path::new(document).parent().unwrap_or(Path::new("")).join(path);
    !(exists(path) || exists(&format!("src/{path}")) || root().join(beside).exists())
}

pub fn paths() -> Vec<String> {
    let mut found = Vec::new();
    for document in documents() {
        let mut fenced = false;
        for (index, line) in read(&document).lines().enumerate() {
            fenced ^= line.trim_start().starts_with("```");
            let links = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            let mut tokens: Vec<&str> =
                links.filter(|link| !link.contains("://") && !link.starts_with('#')).collect();
            tokens.retain(|link| {
                let path = link.split('#').next().unwrap_or("");
                !root().join(Path::new(&document).parent().unwrap()).join(path).exists()
            });
            if !fenced {
                tokens.extend(quoted(line).filter(|token| is_broken(token, &document)));
            }
            found.extend(tokens.iter().map(|token| format!("{document}:{}: no file {token}", index + 1)));
        }
    }
    for source in rust_files(&["src", "tests", "benches", "fuzz", "docs"]) {
        for (index, line) in
            source.lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("//"))
        {
            let named = quoted(line).filter(|token| FOLDERS.iter().any(|folder| token.starts_with(folder)));
            for token in named.filter(|token| is_broken(token, &source.path)) {
                found.push(source.at(index, &format!("no file {token}")));
            }
        }
    }
    found
}

/// The help text of the command, taken from its source so that this works without the feature `cli`.
fn help() -> String {
    let source = read("src/bin/vmjit/flags.rs");
    let text = source.split_once("const HELP: &str = \"\\\n").and_then(|(_, rest)| rest.split_once("\";"));
    text.expect("src/bin/vmjit/flags.rs has HELP").0.to_string()
}

/// Command lines that a document shows: in shell blocks, and in backticks.
fn command_lines(document: &str) -> Vec<(usize, String)> {
    let (mut lines, mut shell, mut fenced) = (Vec::new(), false, false);
    for (index, line) in read(document).lines().enumerate() {
        let text = line.trim();
        if let Some(language) = text.strip_prefix("```") {
            fenced = !fenced;
            shell = fenced && ["sh", "bash", "console"].contains(&language);
        } else if shell {
            let command = text.split(" #").next().unwrap_or("").trim_start_matches("$ ");
            lines.push((index + 1, command.to_string()));
        } else if !fenced {
            lines.extend(quoted(line).map(|token| (index + 1, token.to_string())));
        }
    }
    lines
}

/// What is wrong with a command line, as far as can be told without running it.
fn wrong(command: &str, manifest: &str, help: &str) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().skip_while(|word| word.contains('=')).collect();
    let (tool, rest) = words.split_first()?;
    let after =
        |flag: &str| rest.iter().position(|word| *word == flag).and_then(|at| rest.get(at + 1).copied());
    match *tool {
        "bash" if rest.first().is_some_and(|path| !exists(path)) => Some(format!("no file {}", rest[0])),
        "cargo" => {
            let declared = |key: &str, name: &str| manifest.contains(&format!("{key} = \"{name}\""));
            for (flag, folder) in
                [("--test", "tests"), ("--bench", "benches"), ("--example", "docs/examples")]
            {
                if let Some(name) = after(flag).filter(|name| !exists(&format!("{folder}/{name}.rs"))) {
                    return Some(format!("no {flag} {name}"));
                }
            }
            if let Some(name) = after("--bin").filter(|name| !declared("name", name)) {
                return Some(format!("no --bin {name}"));
            }
            for feature in after("--features").unwrap_or("").split(',').filter(|feature| !feature.is_empty())
            {
                if !manifest.lines().any(|line| line.starts_with(&format!("{feature} = ["))) {
                    return Some(format!("no feature {feature}"));
                }
            }
            let own = rest.first() == Some(&"run") && after("--example").is_none();
            let split = rest.iter().position(|word| *word == "--").filter(|_| own)?;
            wrong_vmjit(&rest[split + 1..], help)
        }
        "vmjit" | "target/release/vmjit" => wrong_vmjit(rest, help),
        _ => None,
    }
}

/// What the help text of `vmjit` does not know.
fn wrong_vmjit(words: &[&str], help: &str) -> Option<String> {
    let (command, mut rest) = words.split_first()?;
    let option = |flag: &str| {
        let name = flag.split('=').next().unwrap_or("");
        help.lines().find(|line| line.split([' ', ',', '=', '[']).any(|word| word == name))
    };
    if !help.contains(&format!("  vmjit {command} ")) && option(command).is_none() {
        return Some(format!("vmjit has no command {command}"));
    }
    while let Some((flag, more)) = rest.split_first().filter(|(flag, _)| flag.starts_with('-')) {
        let Some(line) = option(flag) else { return Some(format!("vmjit has no option {flag}")) };
        // An option with a value is followed by the value's name in capitals.
        let usage = line.trim_start().split("  ").next().unwrap_or("");
        let takes =
            usage.split(' ').next_back().is_some_and(|word| word.len() > 1 && word == word.to_uppercase());
        rest = if takes { more.get(1..).unwrap_or(&[]) } else { more };
    }
    None
}

pub fn commands() -> Vec<String> {
    let (manifest, help) = (read("Cargo.toml"), help());
    assert!(wrong("bash tests/nothing.sh", &manifest, &help).is_some());
    assert!(wrong("A=1 cargo test --test nothing", &manifest, &help).is_some());
    assert!(wrong("cargo test --features nothing", &manifest, &help).is_some());
    assert!(wrong("cargo run --release -- nothing", &manifest, &help).is_some());
    assert!(wrong("vmjit run -L DIR --nothing PROGRAM", &manifest, &help).is_some());
    assert_eq!(wrong("vmjit run -L DIR --fuel 5 PROGRAM --nothing", &manifest, &help), None);
    let mut found = Vec::new();
    for document in documents() {
        for (line, command) in command_lines(&document) {
            found.extend(
                wrong(&command, &manifest, &help).map(|why| format!("{document}:{line}: {command}: {why}")),
            );
        }
    }
    found
}

/// The documents that promise completeness are complete.
pub fn coverage() -> Vec<String> {
    let mut found = Vec::new();
    let mut need = |document: &str, text: &str, names: BTreeSet<String>| {
        let missing = names.into_iter().filter(|name| !text.contains(&format!("`{name}`")));
        found.extend(missing.map(|name| format!("{document}: says nothing of {name}")));
    };
    let map = |path: &String| match path.rsplit_once('/') {
        Some(("src", _)) | None => path.clone(),
        Some((folder, _)) => format!("{folder}/"),
    };
    let architecture = "docs/architecture.md";
    need(architecture, &read(architecture), files("src").iter().map(map).collect());
    let is_test = |path: &String| path.matches('/').count() == 1 || path.starts_with("fuzz/fuzz_targets/");
    let tests = ["tests", "fuzz", "benches"].iter().flat_map(|folder| files(folder)).filter(is_test);
    let tests = tests.filter(|path| path.ends_with(".rs") || path.ends_with(".sh"));
    need("docs/testing.md", &read("docs/testing.md"), tests.collect());
    let (manifest, lines) = (read("Cargo.toml"), read("README.md").lines().count());
    for example in files("docs/examples").iter().filter(|path| path.ends_with(".rs")) {
        if !manifest.contains(&format!("path = \"{example}\"")) {
            found.push(format!("{example}: no [[example]] of Cargo.toml"));
        }
    }
    if lines > 150 {
        found.push(format!("README.md: {lines} lines (most: 150)"));
    }
    found
}

/// `docs/unsafe.md` has one section for each file with `unsafe` and no other.
pub fn unsafe_list(allowed: &[&str]) -> Vec<String> {
    let text = read("docs/unsafe.md");
    let sections = text.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'));
    let (sections, allowed): (BTreeSet<&str>, BTreeSet<&str>) =
        (sections.collect(), allowed.iter().copied().collect());
    sections
        .symmetric_difference(&allowed)
        .map(|path| format!("docs/unsafe.md and UNSAFE_FILES: {path}"))
        .collect()
}

pub fn formulas() -> Vec<String> {
    let bad = ROWS.iter().filter(|row| {
        let writes = row.operands.starts_with("dst");
        row.formula.trim().is_empty() || writes && !row.formula.contains("dst")
    });
    bad.map(|row| format!("src/ir/ops.rs: {} does not say what it computes: '{}'", row.name, row.formula))
        .collect()
}

/// `docs/ir.md`: the table of operations.
fn ir_table() -> String {
    let mut text =
        String::from("| operation | text form | effect | exchange | computes |\n|---|---|---|---|---|\n");
    for row in ROWS {
        let exchange = if row.commutative { "yes" } else { "" };
        let form = format!("{} {}", row.mnemonic, row.operands);
        let formula = row.formula.replace('|', "\\|");
        let effect = format!("{:?}", row.effect).to_lowercase();
        text.push_str(&format!("| {} | `{}` | {effect} | {exchange} | {formula} |\n", row.name, form.trim()));
    }
    text
}

/// Parts of documents that are made from tables stand between two marker lines.
pub fn generated() -> Vec<String> {
    let parts = [
        ("docs/ir.md", ir_table()),
        ("docs/command.md", format!("```text\n{}```\n", help())),
        ("docs/compatibility.md", crate::rows::document()),
    ];
    let (begin, end) = ("<!-- generated: begin -->\n", "<!-- generated: end -->");
    let mut found = Vec::new();
    for (path, wanted) in parts {
        let text = read(path);
        let Some((before, rest)) = text.split_once(begin) else {
            found.push(format!("{path}: no marker line '{}'", begin.trim()));
            continue;
        };
        let Some((is, after)) = rest.split_once(end) else {
            found.push(format!("{path}: no marker line '{end}'"));
            continue;
        };
        if is != wanted && std::env::var_os("BLESS").is_some() {
            std::fs::write(root().join(path), format!("{before}{begin}{wanted}{end}{after}")).unwrap();
        } else if is != wanted {
            let differs = is.lines().zip(wanted.lines()).position(|(is, wanted)| is != wanted);
            let line = before.lines().count()
                + 2
                + differs.unwrap_or(is.lines().count().min(wanted.lines().count()));
            found.push(format!("{path}:{line}: not current; run BLESS=1 cargo test --test tidy"));
        }
    }
    found
}

/// Decision records are numbered without gaps and have the same four sections.
pub fn decisions() -> Vec<String> {
    let mut found = Vec::new();
    for (index, path) in files("docs/adr").iter().enumerate() {
        let number = index + 1;
        if !path.starts_with(&format!("docs/adr/{number:04}-")) {
            found.push(format!("{path}: should have number {number:04}"));
        }
        let text = read(path);
        for heading in ["# ", "## Context", "## Decision", "## Alternatives", "## Consequences"] {
            if !text.lines().any(|line| line == heading || heading == "# " && line.starts_with("# ")) {
                found.push(format!("{path}: no section '{heading}'"));
            }
        }
    }
    found
}
