//! Guest programs of `tests/programs` under `vmjit` and under qemu-riscv64: same output, same ending, on every tier,
//! linked statically and dynamically. One test per row, so that a failure names its program.

// Without the command there is nothing to run.
#![cfg(feature = "cli")]

mod support;

use support::{compile, run::Guest};

/// Compares one program, in all ways of linking it.
fn check(test: &str, source: &str, args: &[&str], stdin: Vec<u8>) {
    for link in compile::links(source) {
        let mut guest = Guest::new(compile::compile(source, link), support::compiler_sysroot()).args(args);
        guest.stdin.clone_from(&stdin);
        if test == "startup" {
            guest.options = ["-E", "EXTRA=by option", "-E", "VARIABLE=replaced"].map(Into::into).to_vec();
        }
        guest.compare(&format!("{test}-{link:?}"));
    }
}

macro_rules! programs {
    ($($test:ident: $source:literal $(, args $args:expr)? $(, stdin $stdin:expr)?;)*) => {
        $(
            #[test]
            fn $test() {
                #[allow(unused_mut, unused_assignments)]
                let (mut args, mut stdin): (&[&str], Vec<u8>) = (&[], Vec::new());
                $(args = &$args;)?
                $(stdin = $stdin;)?
                check(stringify!($test), $source, args, stdin);
            }
        )*

        /// The sources that some row names.
        const SOURCES: &[&str] = &[$($source),*];
    };
}

programs! {
    // Instructions.
    integer: "integer.c";
    bitmanip: "bitmanip.c";
    zicond: "zicond.c";
    compressed: "compressed.c";
    atomics: "atomics.c";
    misaligned: "misaligned.c";
    float_arith: "float_arith.c";
    float_convert: "float_convert.c";

    // Compiled code and the libraries.
    int128: "int128.c";
    bitfields: "bitfields.c";
    control_flow: "control_flow.c";
    many_blocks: "many_blocks.c";
    fenv: "fenv.c";
    rounding_modes: "rounding.c", args ["modes"];
    rounding_alternates: "rounding.c", args ["alternate"];
    rounding_reserved: "rounding.c", args ["reserved5"];
    rounding_dynamic: "rounding.c", args ["reserved7"];
    libm: "libm.c";
    library: "library.c";
    heap: "heap.c";
    cxx_exceptions: "cxx_exceptions.cpp";
    cxx_library: "cxx_library.cpp";
    loading: "loading.c";
    self_modify: "self_modify.c";
    new_code_fences: "new_code.c", args ["fences"];
    new_code_flush: "new_code.c", args ["flush"];
    new_code_remap: "new_code.c", args ["remap"];
    new_code_replace: "new_code.c", args ["replace"];
    new_code_protect: "new_code.c", args ["protect"];
    new_code_unmap: "new_code.c", args ["unmap"];
    calls_jumps: "calls.c", args ["jumps"];
    calls_deep: "calls.c", args ["deep"];
    calls_mutual: "calls.c", args ["mutual"];
    calls_collide: "calls.c", args ["collide"];
    calls_overflow: "calls.c", args ["overflow"];
    calls_switching: "calls.c", args ["switching"];

    // The process and its system calls.
    raw_start: "raw_start.S", args ["alpha", "", "gamma delta"];
    startup: "startup.c", args ["first", "second argument", "", "*"];
    process: "process.c";
    hwprobe: "hwprobe.c";
    files: "files.c";
    descriptors: "descriptors.c";
    memory_map: "memory_map.c";
    stdin_copied: "streams.c", args ["cat"], stdin support::sample_bytes(300_000);
    stdin_empty: "streams.c", args ["cat"];
    stdout_large: "streams.c", args ["large"];
    pipe_broken: "streams.c", args ["pipe"];
    signals_registered: "streams.c", args ["signals"];

    // Ways to end.
    death_return: "deaths.c", args ["return"];
    death_exit: "deaths.c", args ["exit"];
    death_exit_raw: "deaths.c", args ["_exit"];
    death_abort: "deaths.c", args ["abort"];
    death_null_read: "deaths.c", args ["null-read"];
    death_null_write: "deaths.c", args ["null-write"];
    death_null_call: "deaths.c", args ["null-call"];
    death_illegal: "deaths.c", args ["illegal"];
    death_unimp: "deaths.c", args ["unimp"];
    death_ebreak: "deaths.c", args ["ebreak"];
    death_stack_overflow: "deaths.c", args ["overflow"];
    death_write_code: "deaths.c", args ["write-code"];
    death_execute_data: "deaths.c", args ["execute-data"];
    death_after_munmap: "deaths.c", args ["after-munmap"];
    death_read_only: "deaths.c", args ["read-only"];
    death_past_end_of_file: "deaths.c", args ["past-end-of-file"];
    death_kill: "deaths.c", args ["kill"];
    death_raise: "deaths.c", args ["raise"];
}

/// A position-independent program without a dynamic linker.
#[test]
fn static_pie() {
    let program = compile::compile("raw_start.S", compile::Link::StaticPie);
    Guest::new(program, support::compiler_sysroot()).args(["x"]).compare("static_pie");
}

/// The demo programs, whose images and expected outputs are committed.
#[test]
fn demo_programs() {
    let folder = support::project().join("asm/guest/bin");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder exists") {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_some_and(|extension| extension == "elf") {
            let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            let outcome = Guest::new(path.clone(), folder.clone()).compare(&format!("demo-{name}"));
            let expected = std::fs::read(path.with_extension("out")).expect("every image has its output");
            assert!(outcome.stdout == expected, "{name}: other output than committed");
            count += 1;
        }
    }
    assert!(count >= 6, "only {count} demo programs found");
}

/// A program that no row names would not be tested.
#[test]
fn every_source_has_a_test() {
    for entry in std::fs::read_dir(compile::source("")).expect("the folder exists") {
        let name = entry.expect("the folder can be read").file_name().to_string_lossy().into_owned();
        let is_source = [".c", ".cpp", ".S"].iter().any(|extension| name.ends_with(extension));
        assert!(!is_source || SOURCES.contains(&name.as_str()), "no test runs tests/programs/{name}");
    }
}
