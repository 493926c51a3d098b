//! Rust files as the rules see them: lines, the same lines without comments and literals, and what is test code.

use std::fs;
use std::path::{Path, PathBuf};

/// The crate's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the tree.
pub struct Source {
    /// Relative to the crate's folder.
    pub path: String,
    pub lines: Vec<String>,
    /// `lines` with comments and the contents of literals blanked out.
    pub code: Vec<String>,
    /// Which lines exist only in tests.
    pub test: Vec<bool>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        let lines: Vec<String> = text.lines().map(str::to_string).collect();
        let mut code: Vec<String> = blank(text).lines().map(str::to_string).collect();
        code.resize(lines.len(), String::new());
        let test = test_lines(&code);
        Source { path: path.to_string(), lines, code, test }
    }

    /// A finding at line `index` (from 0).
    pub fn at(&self, index: usize, what: &str) -> String {
        format!("{}:{}: {what}", self.path, index + 1)
    }

    /// The file as a path of modules: `a/b.rs` and `a/b/mod.rs` are `[a, b]`, and `a/b_tests.rs` is `[a, b, tests]`.
    pub fn modules(&self) -> Vec<&str> {
        let path = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let path = path.strip_suffix(".rs").unwrap_or(path);
        let tests = path.strip_suffix("_tests");
        tests.unwrap_or(path).split('/').filter(|part| *part != "mod").chain(tests.map(|_| "tests")).collect()
    }
}

/// All Rust files below the given folders, those that exist only in tests marked as such.
pub fn rust_files(folders: &[&str]) -> Vec<Source> {
    let mut sources = Vec::new();
    for folder in folders {
        for path in files(folder) {
            if path.ends_with(".rs") {
                sources.push(Source::new(&path, &read(&path)));
            }
        }
    }
    let tests: Vec<String> = sources.iter().flat_map(test_modules).collect();
    for source in &mut sources {
        if !source.path.starts_with("src/") || tests.contains(&source.path) {
            source.test.fill(true);
        }
    }
    sources
}

/// All files below a folder, sorted, relative to the crate's folder; build output is left out.
pub fn files(folder: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root().join(folder)) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_string();
        match path.is_dir() {
            true if name.ends_with("/target") || name.ends_with("/corpus") => {}
            true => found.extend(files(&name)),
            false => found.push(name),
        }
    }
    found
}

/// The text of a file of the tree.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Replaces comments and the contents of string and character literals by blanks; lines stay.
pub fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Where the comment or literal at `at` ends; `at` itself if none begins there.
fn literal_end(chars: &[char], at: usize) -> usize {
    let next = |offset: usize| chars.get(at + offset).copied().unwrap_or('\n');
    let find = |from: usize, end: &[char]| {
        let found = chars[from.min(chars.len())..].windows(end.len()).position(|window| window == end);
        found.map_or(chars.len(), |index| from + index + end.len())
    };
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match chars[at] {
        '/' if next(1) == '/' => find(at, &['\n']) - 1,
        '/' if next(1) == '*' => find(at + 2, &['*', '/']),
        'r' if !in_word || chars[at - 1] == 'b' => {
            let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
            if next(1 + hashes) != '"' {
                return at;
            }
            let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            find(at + 2 + hashes, &end)
        }
        '"' => {
            let mut end = at + 1;
            while end < chars.len() && chars[end] != '"' {
                end += if chars[end] == '\\' { 2 } else { 1 };
            }
            (end + 1).min(chars.len())
        }
        '\'' if next(1) == '\\' => find(at + 3, &['\'']),
        '\'' if next(2) == '\'' => at + 3,
        _ => at,
    }
}

/// Lines of items under `#[cfg(test)]`.
fn test_lines(code: &[String]) -> Vec<bool> {
    let mut test = vec![false; code.len()];
    let mut index = 0;
    while index < code.len() {
        if code[index].trim() == "#[cfg(test)]" {
            let indent = indent(&code[index]);
            let one_line = |line: &str| line.trim_end().ends_with(';') || line.trim_end().ends_with('}');
            let last =
                (index + 1..code.len()).find(|&i| indent == self::indent(&code[i]) && one_line(&code[i]));
            let last = last.unwrap_or(code.len() - 1);
            test[index..=last].fill(true);
            index = last;
        }
        index += 1;
    }
    test
}

/// Number of leading blanks.
pub fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Files that are modules declared under `#[cfg(test)]`.
fn test_modules(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in source.code.iter().enumerate() {
        let Some(name) = line.trim().strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) else {
            continue;
        };
        if !source.test[index] || !source.path.starts_with("src/") {
            continue;
        }
        let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let named = source.lines[index - 1]
            .trim()
            .strip_prefix("#[path = \"")
            .and_then(|rest| rest.strip_suffix("\"]"));
        found.push(format!("{folder}/{}", named.map_or(format!("{name}.rs"), str::to_string)));
    }
    found
}

/// A function: name, first line and last line (from 0).
pub fn functions(source: &Source) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (first, line) in source.code.iter().enumerate() {
        let Some(at) = word(line, "fn") else { continue };
        let name: String =
            line[at + 2..].trim_start().chars().take_while(|&c| is_word(c) || c == '$').collect();
        if name.is_empty() {
            continue;
        }
        let (mut depth, mut open) = (0, false);
        'function: for (last, line) in source.code.iter().enumerate().skip(first) {
            let start = if last == first { at } else { 0 };
            for c in line[start..].chars() {
                match c {
                    ';' if depth == 0 => break 'function,
                    '{' | '(' | '[' => (depth, open) = (depth + 1, open || c == '{'),
                    '}' | ')' | ']' => depth -= 1,
                    _ => {}
                }
                if open && depth == 0 {
                    found.push((name, first, last));
                    break 'function;
                }
            }
        }
    }
    found
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where `what` stands in `line` as a whole word.
pub fn word(line: &str, what: &str) -> Option<usize> {
    let outside = |c: Option<char>| !c.is_some_and(is_word);
    line.match_indices(what).map(|(at, _)| at).find(|&at| {
        outside(line[..at].chars().next_back()) && outside(line[at + what.len()..].chars().next())
    })
}
