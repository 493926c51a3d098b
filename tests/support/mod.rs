//! Shared by the integration tests: where the tools are, running a guest under `vmjit` and under the reference
//! emulator, and comparing what the two did.

// Every test binary includes this file and uses its own part of it.
#![allow(dead_code)]

pub mod compile;
pub mod run;

use std::path::{Path, PathBuf};

/// The tiers that every guest program runs on, by their names on the command line.
pub const TIERS: &[&str] = &["interp", "o0", "o2", "auto", "random"];

/// The folder that `tests/setup.sh` and `tests/packages.sh` fill.
pub fn tools() -> PathBuf {
    match std::env::var_os("VMJIT_TOOLS") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/vm-engine-jit"),
    }
}

/// The reference emulator.
pub fn qemu() -> PathBuf {
    require(tools().join("bin/qemu-riscv64"), "tests/setup.sh")
}

/// The unpacked Debian packages.
pub fn debian_sysroot() -> PathBuf {
    require(tools().join("sysroot-riscv64"), "tests/packages.sh")
}

/// The libraries that come with the cross compiler.
pub fn compiler_sysroot() -> PathBuf {
    require(PathBuf::from("/usr/riscv64-linux-gnu"), "tests/setup.sh")
}

/// The command under test; `VMJIT_BIN` names another in its place.
pub fn vmjit() -> PathBuf {
    std::env::var_os("VMJIT_BIN").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_vmjit")), PathBuf::from)
}

/// How often each program runs on each tier: what threads do differs from run to run.
pub fn repetitions() -> usize {
    std::env::var("VMJIT_REPEAT").map_or(1, |count| count.parse().expect("VMJIT_REPEAT is a number"))
}

/// The project's folder.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder for the files of the test `name`, not shared with any other test.
pub fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("the target folder is writable");
    folder
}

/// Repeatable bytes (xorshift), of which about half repeat earlier ones, so that they can be compressed.
pub fn sample_bytes(count: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes: Vec<u8> = Vec::with_capacity(count + 64);
    while bytes.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let length = (state >> 8 & 31) as usize + 4;
        if state & 1 == 0 && bytes.len() > 5000 {
            let start = bytes.len() - 4 - (state >> 16) as usize % 4990;
            for offset in 0..length {
                bytes.push(bytes[start + offset % 4]);
            }
        } else {
            bytes.extend(state.to_le_bytes().iter().cycle().take(length));
        }
    }
    bytes.truncate(count);
    bytes
}

/// Repeatable lines of text: a number, a word, a number with a fraction.
pub fn sample_lines(count: usize) -> String {
    const WORDS: [&str; 8] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"];
    let mut state = 1u32;
    let mut text = String::new();
    for _ in 0..count {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let word = WORDS[(state >> 13 & 7) as usize];
        text.push_str(&format!("{} {word} {}.{}\n", state >> 20, state >> 24, state >> 28));
    }
    text
}

fn require(path: PathBuf, script: &str) -> PathBuf {
    assert!(path.exists(), "missing {}: run {script} first", path.display());
    path
}
