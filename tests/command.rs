//! What `vmjit` prints about programs and about itself: `dump`, and counts in reports. (Running programs is
//! `tests/linux.rs`; broken input is `tests/bad_input.rs`.)

// Without the command there is nothing to run.
#![cfg(feature = "cli")]

mod support;

use std::ffi::OsStr;
use std::path::Path;
use support::compile::{compile, Link};
use support::run::{execute, shell, Guest, Outcome};

fn vmjit<S: AsRef<OsStr>>(args: &[S]) -> Outcome {
    let mut command = shell(&support::vmjit());
    command.args(args);
    execute(command, b"")
}

fn text(outcome: &Outcome) -> String {
    assert_eq!(outcome.ending(), "exit code 0", "{}", outcome.stderr);
    String::from_utf8(outcome.stdout.clone()).expect("the output is text")
}

fn dump(options: &[&str], program: &Path, place: &str) -> Outcome {
    let program = program.to_str().expect("the path is text");
    vmjit(&[&["dump"], options, &[program, place]].concat())
}

/// A program of the project whose code and place in memory never change.
fn hello() -> std::path::PathBuf {
    support::project().join("asm/guest/bin/hello.elf")
}

/// The entry of `hello`, as its header says.
fn entry() -> String {
    let image = std::fs::read(hello()).expect("the demo programs are committed");
    format!("{:#x}", u64::from_le_bytes(image[24..32].try_into().expect("eight bytes")))
}

#[test]
fn dump_shows_guest_code_ir_and_machine_code() {
    let all = text(&dump(&[], &hello(), &entry()));
    assert_eq!(all, text(&dump(&["--guest", "--ir", "--asm"], &hello(), &entry())));
    let lines: Vec<&str> = all.lines().collect();
    assert!(lines[0].starts_with(&format!("block {}: ", entry())), "{all}");
    // The block ends with the first system call.
    let at = |what: &str| {
        lines.iter().position(|line| line.contains(what)).unwrap_or_else(|| panic!("no {what}\n{all}"))
    };
    let order = ["sub r15", ": ", "  ecall", "  syscall 0x", "[rbp+pc]", "cold:", ".L0:"].map(at);
    assert!(order.windows(2).skip(2).all(|pair| pair[0] < pair[1]), "{order:?}\n{all}");
    // No address of this process.
    assert_eq!(all, text(&dump(&[], &hello(), &entry())));
}

#[test]
fn dump_shows_what_it_is_asked_for() {
    let show = |options: &[&str]| text(&dump(options, &hello(), &entry()));
    let (guest, ir, asm) = (show(&["--guest"]), show(&["--ir"]), show(&["--asm"]));
    let has = |text: &str| ["  ecall", "  syscall 0x", "[rbp+pc]"].map(|what| text.contains(what));
    assert_eq!(has(&guest), [true, false, false], "{guest}");
    assert_eq!(has(&ir), [false, true, false], "{ir}");
    assert_eq!(has(&asm), [false, false, true], "{asm}");
    assert_eq!(has(&show(&["--asm", "--guest"])), [true, false, true]);
}

#[test]
fn dump_finds_symbols_in_static_and_pie_programs() {
    for link in [Link::Static, Link::Dynamic] {
        let program = compile("integer.c", link);
        let named = text(&dump(&[], &program, "main"));
        let head = named.lines().next().unwrap_or("");
        let address = head.split([' ', ':']).nth(1).unwrap_or("");
        assert!(head.starts_with(&format!("block {address} <main>: ")), "{link:?}: {head}");
        // main begins by making room on the stack.
        assert!(named.lines().any(|line| line.contains("addi x2, x2, -")), "{link:?}: {named}");
        let placed = text(&dump(&[], &program, address));
        assert_eq!(placed, named.replace(" <main>", ""), "{link:?}");
    }
}

/// Of a program that is run first, the regions that become of a function.
#[test]
fn dump_shows_regions_through_all_stages() {
    let program = support::project().join("asm/guest/bin/primes.elf");
    let show =
        |options: &[&str], place: &str| text(&dump(&[&["--tier", "o2"], options].concat(), &program, place));
    let all = show(&[], "all");
    let head =
        all.lines().find_map(|line| line.strip_prefix("region at ")).unwrap_or_else(|| panic!("{all}"));
    let head = head.split(',').next().unwrap_or_default();
    let stages =
        ["region at ", "  bgeu a1", ", as it was built", "after fold\n", "after mend\n", "code\n", "sub r15"];
    let at = stages.map(|stage| all.find(stage).unwrap_or_else(|| panic!("no {stage}: {all}")));
    assert!(at[2] < at[3] && at[3] < at[4] && at[4] < at[5] && at[5] < at[6], "{at:?}: {all}");
    let one = show(&["--ir"], head);
    assert!(one.contains(&format!("region at {head},")) && !one.contains("sub r15"), "{one}");
    let less = show(&["--asm"], "all");
    assert!(less.contains("sub r15") && !less.contains("after fold"), "{less}");
    let cold = dump(&["--tier", "o2"], &program, &entry());
    assert_eq!(cold.ending(), "exit code 126");
    assert!(cold.stderr.contains("did not run often enough"), "{}", cold.stderr);
    for options in [&["--tier", "o0"][..], &["--fuel", "5"], &["--tier", "none"]] {
        assert_eq!(dump(options, &program, "all").ending(), "exit code 125", "{options:?}");
    }
}

#[test]
fn dump_says_what_it_cannot_show() {
    let program = compile("integer.c", Link::Static);
    let missing = Path::new("/nonexistent/program");
    let source = support::compile::source("integer.c");
    for (program, place, code, message) in [
        (&*program, "no_such_symbol", 125, "no symbol 'no_such_symbol'"),
        (&program, "0xzz", 125, "is no address"),
        (&program, "0x8", 126, "no code at 0x8"),
        (&program, "0xffffffffffffffff", 126, "no code at 0xffffffffffffffff"),
        // Data, not code.
        (&program, "stdout", 126, "no code at"),
        (missing, "main", 127, "/nonexistent/program"),
        (&source, "main", 126, "not an ELF"),
    ] {
        let outcome = dump(&[], program, place);
        assert_eq!(outcome.ending(), format!("exit code {code}"), "{place}: {}", outcome.stderr);
        assert!(
            outcome.stderr.starts_with("vmjit: ") && outcome.stderr.lines().count() == 1,
            "{}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains(message), "{place}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty(), "{place}");
    }
    for args in [&["dump"][..], &["dump", "program"], &["dump", "--x86"], &["dump", "a", "b", "c"]] {
        assert_eq!(vmjit(args).ending(), "exit code 125", "{args:?}");
    }
}

/// A number in the report of `--stats=json`, which is a line of standard error.
fn stat(outcome: &Outcome, key: &str) -> u64 {
    let line = outcome.stderr.lines().rfind(|line| line.starts_with('{'));
    let report: serde_json::Value = serde_json::from_str(line.unwrap_or("")).expect("a line is the report");
    report["engine"][key].as_u64().unwrap_or_else(|| panic!("no {key} in {report}"))
}

/// Runs a guest under `vmjit` with options, and compares its output with the reference's.
fn with_options(test: &str, guest: &Guest, options: &[&str]) -> Outcome {
    let folder = support::scratch(test);
    let expected = guest.compare(test);
    let mut command = shell(&support::vmjit());
    command.arg("run").arg("-L").arg(&guest.sysroot).args(options).arg(&guest.program).args(&guest.args);
    command.env_clear().envs(guest.env.iter().copied()).current_dir(folder.join("work"));
    let outcome = execute(command, &guest.stdin);
    assert_eq!(outcome.ending(), expected.ending(), "{options:?}: {}", outcome.stderr);
    assert!(outcome.stdout == expected.stdout, "{options:?}: other output");
    outcome
}

/// A program of a thousand small pieces, of which the cache holds a part.
#[test]
fn code_cache_smaller_than_the_program() {
    let guest = Guest::new(compile("many_blocks.c", Link::Static), support::compiler_sysroot());
    for tier in ["o0", "o2", "auto"] {
        let options = ["--tier", tier, "--stats=json", "--code-cache", "64K"];
        let outcome = with_options(&format!("code-cache-{tier}"), &guest, &options);
        assert!(stat(&outcome, "evictions") > 0, "{tier}: {}", outcome.stderr);
        assert!(stat(&outcome, "code_bytes") <= 64 << 10, "{tier}: {}", outcome.stderr);
        let roomy = with_options(&format!("code-cache-{tier}"), &guest, &["--tier", tier, "--stats=json"]);
        assert_eq!(stat(&roomy, "evictions"), 0, "{tier}: {}", roomy.stderr);
        assert_eq!(stat(&outcome, "instructions"), stat(&roomy, "instructions"), "{tier}");
    }
}

/// An interpreter of another language, whose code is larger than the cache by far.
#[test]
fn code_cache_smaller_than_python() {
    let sysroot = support::debian_sysroot();
    let script = "import json, re; print(len(json.dumps([re.sub('[aeiou]', str(i), 'interpreter') for i in range(300)])))";
    let mut guest = Guest::new(sysroot.join("usr/bin/python3"), sysroot).args(["-S", "-E", "-c", script]);
    guest.env = vec![("LC_ALL", "C"), ("PYTHONHASHSEED", "0"), ("PYTHONDONTWRITEBYTECODE", "1")];
    for tier in ["o0", "o2", "auto"] {
        let options = ["--tier", tier, "--stats=json", "--code-cache", "256K"];
        let outcome = with_options("code-cache-python", &guest, &options);
        assert!(stat(&outcome, "evictions") > 0, "{tier}: {}", outcome.stderr);
    }
}

/// However much fuel there is, every tier runs as many instructions.
#[test]
fn fuel_is_exact_on_every_tier() {
    let guest = Guest::new(compile("many_blocks.c", Link::Static), support::compiler_sysroot());
    let folder = support::scratch("fuel");
    let count = |tier: &str, fuel: &str| {
        let mut command = shell(&support::vmjit());
        command.arg("run").arg("-L").arg(&guest.sysroot).args([
            "--tier",
            tier,
            "--stats=json",
            "--fuel",
            fuel,
        ]);
        command.arg(&guest.program).env_clear().envs(guest.env.iter().copied()).current_dir(&folder);
        let outcome = execute(command, &guest.stdin);
        (stat(&outcome, "instructions"), outcome.ending())
    };
    let whole = count("interp", "1000000000").0;
    for fuel in [1_000, 54_321, 123_456, whole / 2, whole - 1, whole, whole + 1] {
        let fuel = fuel.to_string();
        let expected = count("interp", &fuel);
        for tier in support::TIERS.iter().copied().chain(["o1"]) {
            assert_eq!(count(tier, &fuel), expected, "{tier}, fuel {fuel}");
        }
    }
}

#[test]
fn code_cache_option_takes_bytes() {
    let program = hello();
    let program = program.to_str().expect("the path is text");
    for bytes in ["0", "1", "4K", "1M"] {
        assert_eq!(vmjit(&["run", "--code-cache", bytes, program]).ending(), "exit code 0", "{bytes}");
    }
    assert_eq!(vmjit(&["run", "--code-cache", "little", program]).ending(), "exit code 125");
}

/// The README's first command.
#[test]
fn demo_runs_every_built_in_program() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_vmjit")).arg("demo").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for name in ["hello", "collatz", "primes", "nqueens", "sha256", "brainf", "mandelbrot"] {
        let expected = std::fs::read_to_string(format!("asm/guest/bin/{name}.out")).unwrap();
        assert!(text.contains(&expected), "{name} prints something else:\n{text}");
    }
    assert!(text.contains("million/second"), "{text}");
}

/// The rule that `install-binfmt --print` prints: name, kind, offset, magic, mask, interpreter, flags.
fn rule() -> Vec<String> {
    let line = text(&vmjit(&["install-binfmt", "--print"]));
    let parts: Vec<String> = line.trim_end().split(':').skip(1).map(str::to_owned).collect();
    assert!(line.starts_with(":vmjit:M::") && line.ends_with('\n') && parts.len() == 7, "{line}");
    parts
}

#[test]
fn binfmt_rule_knows_riscv64_programs() {
    let rule = rule();
    let bytes = |part: &str| -> Vec<u8> {
        let numbers = part.split("\\x").skip(1);
        numbers.map(|number| u8::from_str_radix(number, 16).expect("a byte")).collect()
    };
    let (magic, mask) = (bytes(&rule[3]), bytes(&rule[4]));
    assert_eq!([magic.len(), mask.len()], [20, 20]);
    let matches = |program: &Path| {
        let file = std::fs::read(program).expect("a program");
        file.iter().zip(&magic).zip(&mask).all(|((byte, magic), mask)| byte & mask == magic & mask)
    };
    // Programs of both types, and one for this machine.
    assert!(matches(&compile("program_name.c", Link::Static)));
    assert!(matches(&compile("program_name.c", Link::Dynamic)));
    assert!(!matches(&compile("program_name.c", Link::Host)));
    assert!(!matches(&support::compile::source("program_name.c")));
    assert_eq!(rule[5..], [support::vmjit().canonicalize().unwrap().to_str().unwrap(), "PF"]);
}

/// For real, where the kernel lets users have rules of their own (6.7, if namespaces are allowed).
#[test]
fn programs_run_by_the_kernel() {
    let inside = "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || exit 99";
    let namespace = |script: &str| {
        let mut command = shell(Path::new("unshare"));
        command
            .args(["--user", "--map-root-user", "--mount", "bash", "-c"])
            .arg(format!("{inside}; {script}"));
        let program = compile("program_name.c", Link::Dynamic);
        command.arg("-").arg(support::vmjit()).current_dir(program.parent().expect("a folder"));
        command.env("VMJIT_SYSROOT", support::compiler_sysroot());
        execute(command, b"")
    };
    let outcome = namespace("\"$1\" install-binfmt");
    if !outcome.stderr.is_empty() && outcome.ending() != "exit code 125" {
        println!("not tried, this kernel has no rules for users: {}", outcome.stderr);
        return;
    }
    let program = compile("program_name.c", Link::Dynamic);
    let name = program.file_name().and_then(OsStr::to_str).expect("a name");
    let script =
        format!("\"$1\" install-binfmt && ./{name} one 'two three'; echo $?; exec -a other ./{name}");
    let outcome = namespace(&script);
    let expected = format!("./{name}|one|two three|./{name}|0\n3\nother|{}|0\n", program.display());
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), expected, "{}", outcome.stderr);
    assert_eq!(outcome.ending(), "exit code 1");
    // A tier that there is not; and the rule once more.
    let outcome = namespace(&format!("\"$1\" install-binfmt && VMJIT_TIER=none ./{name}"));
    assert!(
        outcome.ending() == "exit code 125" && outcome.stderr.contains("unknown tier"),
        "{}",
        outcome.stderr
    );
    let outcome = namespace("\"$1\" install-binfmt && \"$1\" install-binfmt");
    assert!(
        outcome.ending() == "exit code 125" && outcome.stderr.contains("there already"),
        "{}",
        outcome.stderr
    );
}
