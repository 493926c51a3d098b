//! Files that are no programs, and command lines that make no sense: `vmjit` says so in one line that starts with
//! its name and ends with code 127 (not found), 126 (cannot be executed) or 125 (its own trouble). It never panics and
//! never dies by a signal.

// Without the command there is nothing to run.
#![cfg(feature = "cli")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use support::run::{execute, shell, Outcome};

/// Where the fields lie (ELF-64 specification, file header and program header).
const E_TYPE: usize = 16;
const E_MACHINE: usize = 18;
const E_ENTRY: usize = 24;
const E_PHOFF: usize = 32;
const E_PHENTSIZE: usize = 54;
const E_PHNUM: usize = 56;
const P_OFFSET: usize = 8;
const P_VADDR: usize = 16;
const P_FILESZ: usize = 32;
const P_MEMSZ: usize = 40;
const PT_LOAD: u32 = 1;
const PT_INTERP: u32 = 3;

/// The bytes of a small program that works.
fn image() -> Vec<u8> {
    fs::read(support::project().join("asm/guest/bin/primes.elf")).expect("the demo programs are committed")
}

/// The offset of the first program header of type `kind`.
fn header(image: &[u8], kind: u32) -> usize {
    let start = u64::from_le_bytes(image[E_PHOFF..E_PHOFF + 8].try_into().expect("eight bytes")) as usize;
    let count = usize::from(image[E_PHNUM]);
    let found = (0..count).map(|i| start + 56 * i).find(|&at| image[at..at + 4] == kind.to_le_bytes());
    found.expect("the image has such a header")
}

fn put(image: &mut [u8], at: usize, value: u64) {
    image[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

/// Writes an executable file.
fn write(test: &str, bytes: &[u8]) -> PathBuf {
    let path = support::scratch("bad_input").join(test);
    // A new file each time: the old one may still be mapped by a run that was stopped.
    let _ = fs::remove_file(&path);
    fs::write(&path, bytes).expect("the target folder is writable");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("own file");
    path
}

fn vmjit(args: &[&Path]) -> Outcome {
    let mut command = shell(&support::vmjit());
    command.args(args);
    execute(command, b"")
}

fn run(program: &Path) -> Outcome {
    vmjit(&[Path::new("run"), program])
}

/// `codes` are the exit codes allowed.
fn expect(what: &str, outcome: &Outcome, codes: &[i32]) {
    let code = outcome.status.code();
    assert!(
        code.is_some_and(|code| codes.contains(&code)),
        "{what}: {} stderr: {}",
        outcome.ending(),
        outcome.stderr
    );
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert!(lines.len() == 1, "{what}: not exactly one line on stderr: {lines:?}");
    let cause = lines[0].strip_prefix("vmjit: ");
    assert!(cause.is_some_and(|cause| cause.len() > 5), "{what}: does not name a cause: {lines:?}");
    assert!(outcome.stdout.is_empty(), "{what}: wrote to standard output");
}

/// Runs a changed copy of the working image.
fn expect_changed(test: &str, codes: &[i32], change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = image();
    change(&mut bytes);
    expect(test, &run(&write(test, &bytes)), codes);
}

#[test]
fn unchanged_image_runs() {
    let outcome = run(&write("unchanged", &image()));
    assert!(outcome.status.success(), "{}: {}", outcome.ending(), outcome.stderr);
}

#[test]
fn missing_file() {
    expect("missing file", &run(Path::new("/no/such/program")), &[127]);
}

#[test]
fn directory() {
    expect("directory", &run(Path::new("/")), &[126]);
}

#[test]
fn not_executable() {
    let path = write("not_executable", &image());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("own file");
    expect("not executable", &run(&path), &[126]);
}

#[test]
fn empty_file() {
    expect("empty file", &run(&write("empty", b"")), &[126]);
}

#[test]
fn text_file() {
    expect("text file", &run(&write("text", b"just some words\n")), &[126]);
}

#[test]
fn random_bytes() {
    for length in [1, 4, 63, 64, 65, 120, 1000, 70_000] {
        let name = format!("random-{length}");
        expect(&name, &run(&write(&name, &support::sample_bytes(length))), &[126]);
    }
}

#[test]
fn truncated() {
    let bytes = image();
    let load = header(&bytes, PT_LOAD);
    let field = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes")) as usize;
    let needed = field(load + P_OFFSET) + field(load + P_FILESZ);
    for length in (0..needed).step_by(13).chain([63, 64, 119, 120, needed - 1]) {
        let name = format!("truncated-{length}");
        expect(&name, &run(&write(&name, &bytes[..length])), &[126]);
    }
}

#[test]
fn other_machine() {
    expect("x86-64 program", &run(Path::new(env!("CARGO_BIN_EXE_vmjit"))), &[126]);
    expect_changed("machine", &[126], |b| b[E_MACHINE] = 183);
}

#[test]
fn wrong_identification() {
    expect_changed("class", &[126], |b| b[4] = 1);
    expect_changed("big-endian", &[126], |b| b[5] = 2);
    expect_changed("version", &[126], |b| b[6] = 9);
    expect_changed("magic", &[126], |b| b[0] = 0x7e);
    expect_changed("object-file", &[126], |b| b[E_TYPE] = 1);
    expect_changed("core-file", &[126], |b| b[E_TYPE] = 4);
}

#[test]
fn program_header_table() {
    expect_changed("no-headers", &[126], |b| b[E_PHNUM] = 0);
    expect_changed("header-size", &[126], |b| b[E_PHENTSIZE] = 32);
    expect_changed("headers-outside", &[126], |b| put(b, E_PHOFF, 1 << 40));
    expect_changed("headers-overflow", &[126], |b| put(b, E_PHOFF, u64::MAX - 7));
    expect_changed("too-many-headers", &[126], |b| b[E_PHNUM..E_PHNUM + 2].fill(0xff));
}

#[test]
fn segments() {
    let load = header(&image(), PT_LOAD);
    expect_changed("size-in-file", &[126], |b| put(b, load + P_FILESZ, 1 << 40));
    expect_changed("file-larger-than-memory", &[126], |b| put(b, load + P_MEMSZ, 1));
    expect_changed("size-in-memory", &[125, 126], |b| put(b, load + P_MEMSZ, 1 << 40));
    expect_changed("size-overflow", &[125, 126], |b| put(b, load + P_MEMSZ, u64::MAX));
    expect_changed("address-overflow", &[125, 126], |b| put(b, load + P_VADDR, u64::MAX - 0xfff));
    expect_changed("address-high", &[125, 126], |b| put(b, load + P_VADDR, 1 << 50));
    expect_changed("offset-overflow", &[126], |b| put(b, load + P_OFFSET, u64::MAX - 0xfff));
    expect_changed("not-congruent", &[126], |b| put(b, load + P_VADDR, 0x10007));
    // The second loadable segment lies over the first.
    expect_changed("overlapping", &[126], |b| put(b, load + 56 + P_VADDR, 0x10000 + 0x330));
}

#[test]
fn entry_outside() {
    // The program starts and faults at once, like any jump to nowhere; or it is refused.
    for (name, entry) in
        [("entry-unmapped", 0x5000_0000_u64), ("entry-odd", 0x10001), ("entry-huge", 1 << 63)]
    {
        let mut bytes = image();
        put(&mut bytes, E_ENTRY, entry);
        let outcome = run(&write(name, &bytes));
        assert!(!outcome.stderr.contains("panicked"), "{name}: {}", outcome.stderr);
        assert!(!outcome.status.success(), "{name}: succeeded");
    }
}

#[test]
fn missing_interpreter() {
    let note = header(&image(), 0x6474_e551); // PT_GNU_STACK becomes PT_INTERP
    let with_interpreter = |test: &str, path: &[u8], codes: &[i32]| {
        expect_changed(test, codes, |b| {
            let (at, length) = (b.len() as u64, path.len() as u64);
            b.extend_from_slice(path);
            b[note..note + 4].copy_from_slice(&PT_INTERP.to_le_bytes());
            put(b, note + P_OFFSET, at);
            put(b, note + P_FILESZ, length);
            put(b, note + P_MEMSZ, length);
        });
    };
    with_interpreter("interpreter-missing", b"/no/such/loader\0", &[126, 127]);
    with_interpreter("interpreter-unterminated", b"/lib/ld.so", &[126, 127]);
    with_interpreter("interpreter-empty", b"\0", &[126, 127]);
    with_interpreter("interpreter-directory", b"/\0", &[126, 127]);
}

#[test]
fn command_lines() {
    let program = write("command_lines", &image());
    let words = |words: &[&str]| vmjit(&words.iter().map(Path::new).collect::<Vec<_>>());
    expect("unknown flag", &vmjit(&[Path::new("run"), Path::new("--no-such-flag"), &program]), &[125]);
    expect(
        "unknown tier",
        &vmjit(&[Path::new("run"), Path::new("--tier"), Path::new("warp"), &program]),
        &[125],
    );
    expect(
        "unknown pass",
        &vmjit(&[Path::new("run"), Path::new("--without"), Path::new("mend"), &program]),
        &[125],
    );
    expect("unknown command", &words(&["fly"]), &[125]);
    expect("no command", &words(&[]), &[125]);
    expect("no program", &words(&["run"]), &[125]);
    expect("flag without value", &words(&["run", "-L"]), &[125]);
}

/// No address space for the guest's 4 GiB, or for anything at all.
#[test]
fn out_of_memory() {
    let program = write("out_of_memory", &image());
    for kilobytes in [200_000, 1_000_000, 3_000_000] {
        let mut command = std::process::Command::new("/bin/sh");
        command.arg("-c").arg(format!("ulimit -v {kilobytes}; exec \"$0\" \"$@\""));
        command.arg(support::vmjit()).arg("run").arg(&program);
        expect("out of memory", &execute(command, b""), &[125]);
    }
}

/// Random damage to the headers: whatever happens, it is not a panic. (The image is one that soon ends if it starts.)
#[test]
fn damaged_headers() {
    let original = image();
    let load = header(&original, PT_LOAD);
    let mut state = 7u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    for round in 0..150 {
        let mut bytes = original.clone();
        for _ in 0..=next() % 3 {
            bytes[next() as usize % (load + 112)] = next() as u8;
        }
        let outcome = run(&write("damaged", &bytes));
        let code = outcome.status.code();
        assert!(
            !outcome.stderr.contains("panicked") && code != Some(101),
            "round {round}: {}",
            outcome.stderr
        );
    }
}
