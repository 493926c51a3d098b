//! Unmodified programs of the Debian riscv64 distribution under `vmjit` and under qemu-riscv64: same output, same
//! ending. `tests/packages.sh` unpacks them.

// Without the command there is nothing to run.
#![cfg(feature = "cli")]

mod support;

use support::run::{Guest, Outcome};

/// A program of the packages, with some files in its folder.
fn program(name: &str) -> Guest {
    let sysroot = support::debian_sysroot();
    let mut guest = Guest::new(sysroot.join("usr/bin").join(name), sysroot);
    guest.env = vec![
        ("PATH", "/usr/bin:/bin"),
        ("LC_ALL", "C"),
        ("TZ", "UTC"),
        // The order of Python's and Perl's hash tables must not differ from run to run.
        ("PYTHONHASHSEED", "0"),
        ("PERL_HASH_SEED", "0"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ];
    guest.files = vec![
        ("lines.txt", support::sample_lines(5000).into_bytes()),
        ("data", support::sample_bytes(200_000)),
    ];
    guest
}

/// Adds a script of `tests/programs/scripts` to the guest's folder.
fn with_script(mut guest: Guest, name: &'static str) -> Guest {
    let path = support::compile::source("scripts").join(name);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    guest.files.push((name, text));
    guest
}

/// Fails also when both emulators agree on an error.
fn successful(outcome: &Outcome) {
    assert!(outcome.status.success(), "{}: {}", outcome.ending(), outcome.stderr);
    assert!(!outcome.stdout.is_empty(), "no output");
}

macro_rules! commands {
    ($($test:ident: $program:literal $args:tt;)*) => {
        $(
            #[test]
            fn $test() {
                successful(&program($program).args($args).compare(stringify!($test)));
            }
        )*
    };
}

commands! {
    busybox_sort: "busybox" ["sort", "-n", "-r", "lines.txt"];
    busybox_uniq: "busybox" ["sort", "-u", "-k2,2", "lines.txt"];
    busybox_sed: "busybox" ["sed", "-n", r"s/\([0-9]*\) \([a-z]*a\) .*/\2:\1/p", "lines.txt"];
    busybox_awk: "busybox" ["awk", "{ n[$2] += $1 } END { for (i = 0; i < 1; i++) print n[\"zeta\"], NR }", "lines.txt"];
    busybox_grep: "busybox" ["grep", "-c", "-E", "^[0-9]{3} (al|ze)", "lines.txt"];
    busybox_wc: "busybox" ["wc", "lines.txt", "data"];
    busybox_md5sum: "busybox" ["md5sum", "lines.txt", "data"];
    busybox_sha512sum: "busybox" ["sha512sum", "data"];
    busybox_find: "busybox" ["find", ".", "-type", "f", "-size", "+100", "-name", "d*"];
    busybox_cut: "busybox" ["cut", "-d", " ", "-f", "3,1", "lines.txt"];
    busybox_gzip: "busybox" ["gzip", "-c", "-9", "data"];
    busybox_hexdump: "busybox" ["hexdump", "-C", "-n", "3000", "data"];
    busybox_fold: "busybox" ["fold", "-w", "37", "lines.txt"];
    busybox_expr: "busybox" ["expr", "123456789", "*", "987"];
    coreutils_sort: "sort" ["--parallel=1", "-k2,2", "-k1,1n", "lines.txt"];
    coreutils_sha256sum: "sha256sum" ["data", "lines.txt"];
    coreutils_factor: "factor" ["123456789012345678", "18446744073709551557", "1000000016000000063"];
    coreutils_base64: "base64" ["-w", "100", "data"];
    coreutils_od: "od" ["-A", "x", "-t", "f8x4c", "-N", "2000", "data"];
    coreutils_date: "date" ["-u", "-d", "2024-02-29 12:34:56 +3 days", "+%A %c %j %s"];
    coreutils_seq: "seq" ["-f", "%010.3f", "1", "0.37", "500"];
    coreutils_ls: "ls" ["-1", "-F", "-S", "."];
    coreutils_wc: "wc" ["-lwcm", "lines.txt"];
    grep_expression: "grep" ["-n", "-o", "-E", "[a-z]+ 1[0-9]+", "lines.txt"];
    sed_script: "sed" ["-E", "1~7d; s/([0-9]+) ([a-z]+)/\\2 \\1/; y/aeiou/AEIOU/; $!N; P; D", "lines.txt"];
    coreutils_join: "join" ["--nocheck-order", "lines.txt", "lines.txt"];
    find_files: "find" [".", "-printf", "%f %s %y\\n"];
    tar_archive: "tar" ["--numeric-owner", "--sort=name", "--mtime=@0", "-cf", "-", "lines.txt", "data"];
    bash_version: "bash" ["-c", "a=(1 2 3); echo ${a[@]/2/x} $((2**40)) ${BASH_VERSINFO[0]}; [[ abc =~ ^a(.)c$ ]] && echo ${BASH_REMATCH[1]}"];
    openssl_sha256: "openssl" ["dgst", "-sha256", "data"];
    openssl_md5: "openssl" ["dgst", "-md5", "lines.txt"];
    openssl_encrypt: "openssl" ["enc", "-aes-256-cbc", "-K", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "-iv", "0102030405060708090a0b0c0d0e0f10", "-in", "data"];
    openssl_prime: "openssl" ["prime", "170141183460469231731687303715884105727"];
    zstd_stdout: "zstd" ["--single-thread", "--no-asyncio", "-q", "-c", "-5", "data"];
    file_type: "file" ["-b", "data", "lines.txt"];
}

macro_rules! scripts {
    ($($test:ident: $program:literal $options:tt $script:literal;)*) => {
        $(
            #[test]
            fn $test() {
                let guest = with_script(program($program).args::<[&str; _], &str>($options).args([$script]), $script);
                let outcome = guest.args(["lines.txt"]).compare(stringify!($test));
                assert!(outcome.status.code() == Some(if $script == "builtins.sh" { 7 } else { 0 }), "{}: {}", outcome.ending(), outcome.stderr);
                assert!(!outcome.stdout.is_empty(), "no output");
            }
        )*
    };
}

scripts! {
    lua_script: "lua5.4" [] "table.lua";
    gawk_script: "gawk" ["-f"] "words.awk";
    mawk_script: "mawk" ["-f"] "words.awk";
    perl_script: "perl" [] "text.pl";
    python_script: "python3" ["-E", "-s"] "modules.py";
    bash_script: "bash" [] "builtins.sh";
    dash_script: "dash" [] "builtins.sh";
}

/// A guest that reads a script from standard input.
fn fed(name: &str, args: &[&str], script: &'static str) -> Guest {
    let mut guest = with_script(program(name), script).args(args);
    guest.stdin = guest.files.last().expect("the script was added").1.clone();
    guest
}

#[test]
fn sqlite_script() {
    successful(&fed("sqlite3", &["-batch", ":memory:"], "tables.sql").compare("sqlite_script"));
}

#[test]
fn sqlite_file() {
    successful(&fed("sqlite3", &["-batch", "base.db"], "tables.sql").compare("sqlite_file"));
}

#[test]
fn bc_script() {
    successful(&fed("bc", &["-l"], "numbers.bc").compare("bc_script"));
}

/// Packs a megabyte, then unpacks what came out.
fn round_trip(test: &str, name: &str, pack: &[&str], unpack: &[&str]) {
    let original = support::sample_bytes(1 << 20);
    let mut packing = program(name).args(pack);
    packing.stdin.clone_from(&original);
    let packed = packing.compare(&format!("{test}-pack")).stdout;
    assert!(!packed.is_empty() && packed.len() < original.len(), "packed to {} bytes", packed.len());
    let mut unpacking = program(name).args(unpack);
    unpacking.stdin = packed;
    let unpacked = unpacking.compare(&format!("{test}-unpack")).stdout;
    assert!(unpacked == original, "the round trip changed the data");
}

#[test]
fn xz_round_trip() {
    // One thread: more are another test's subject.
    round_trip("xz", "xz", &["-T1", "-3", "-c"], &["-T1", "-d", "-c"]);
}

#[test]
fn gzip_round_trip() {
    round_trip("gzip", "gzip", &["-n", "-6", "-c"], &["-d", "-c"]);
}

#[test]
fn busybox_bzip2_round_trip() {
    round_trip("bzip2", "busybox", &["bzip2", "-c"], &["bunzip2", "-c"]);
}

#[test]
fn zstd_round_trip() {
    round_trip(
        "zstd",
        "zstd",
        &["--single-thread", "--no-asyncio", "-q", "-3", "-c"],
        &["--no-asyncio", "-q", "-d", "-c"],
    );
}
