//! The programs that have to work, one row each. `tests/acceptance.rs` makes a test of every row, `tests/tidy.rs` the
//! table in `docs/compatibility.md`.

// Each of the two includes this file and uses its own part of it.
#![allow(dead_code)]

/// Whether a row's test has to pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Passes,
    /// The test is ignored unless asked for: `cargo test --test acceptance -- --include-ignored`.
    NotYet,
}

/// On which tiers a row runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tiers {
    Every,
    /// The default, and machine code from the start: for programs that take seconds.
    Two,
}

/// A program and what it is asked to do.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Name of the test and of the file with the answer.
    pub name: &'static str,
    pub state: State,
    pub tiers: Tiers,
    /// The Debian package that the program comes from, and how its version begins.
    pub package: &'static str,
    pub version: &'static str,
    /// The program, and its arguments: a script of `tests/programs/acceptance` comes first.
    pub command: &'static [&'static str],
    pub exercises: &'static str,
}

/// Hands all rows to the macro `$each`: name, state, tiers, package, version, command, what is exercised.
macro_rules! rows {
    ($each:ident) => {
        $each! {
            bash_pipes Passes Every "bash" "5.2" ["bash", "pipes.bash"] "pipes, subshells, substitution, here-documents, coprocesses, descriptors, recursion";
            bash_traps Passes Every "bash" "5.2" ["bash", "traps.bash"] "traps EXIT, ERR, INT, DEBUG, RETURN; signals to oneself, children, groups; interrupted wait; ends by signals";
            bash_jobs Passes Two "bash" "5.2" ["bash", "jobs.bash"] "background jobs, wait -n -p, a pool, stop and continue, disown, orphans, named pipes";
            bash_substitution Passes Every "bash" "5.2" ["bash", "substitution.bash"] "process substitution through /dev/fd";
            dash_posix Passes Every "dash" "0.5.12" ["dash", "posix.sh", "1"] "children, traps, kill, scripts with and without #!, PATH, limits";
            busybox_posix Passes Every "busybox" "1:1.37" ["busybox", "sh", "posix.sh", "1"] "the same in the shell of busybox";
            coreutils_programs Passes Two "coreutils" "9.7" ["bash", "coreutils.bash"] "env, timeout, nohup, nice, split --filter, sort --parallel and --compress-program, stdbuf (LD_PRELOAD), tee, tail --pid";
            findutils_programs Passes Every "findutils" "4.10" ["bash", "find.bash"] "find -exec, -execdir; xargs -P, -I, -0, its exit codes";
            make_jobs Passes Every "make" "4.4" ["bash", "make.bash"] "make -j4: recursion, jobserver, functions, pattern rules, errors, --shuffle, -O";
            interpreters_programs Passes Two "gawk" "1:5.2" ["bash", "scripting.bash"] "gawk and mawk pipes, coprocesses, sockets; lua io.popen; busybox; sed e; pgrep, ps, free";
            python_threads Passes Every "python3" "3.13" ["python3", "-E", "-s", "-u", "threads.py"] "threading: locks, conditions, barriers, queues, locals, timers; thread pools";
            python_processes Passes Every "python3" "3.13" ["python3", "-E", "-s", "-u", "processes.py"] "subprocess: pipes, errors, timeouts, signals, descriptors, limits; fork, posix_spawn, exec";
            python_fork Passes Two "python3" "3.13" ["python3", "-E", "-s", "-u", "workers.py", "fork"] "multiprocessing by fork: queues, pipes, shared memory, pools";
            python_spawn Passes Two "python3" "3.13" ["python3", "-E", "-s", "-u", "workers.py", "spawn", "forkserver"] "the same by spawn and forkserver";
            python_asyncio Passes Every "python3" "3.13" ["python3", "-E", "-s", "-u", "events.py"] "asyncio: subprocesses, TCP, UDP and UNIX sockets, signals, threads, cancellation";
            python_signals Passes Every "python3" "3.13" ["python3", "-E", "-s", "-u", "signals.py"] "signal: timers, masks, wake-up descriptors, sigwait, EINTR; faulthandler; crashes in C";
            python_terminal Passes Two "python3" "3.13" ["python3", "-E", "-s", "-u", "terminal.py"] "pseudo-terminals: modes, sizes; bash with job control, Ctrl-C, Ctrl-Z, Ctrl-D, SIGWINCH";
            perl_processes Passes Every "perl" "5.40" ["perl", "processes.pl"] "fork, pipe open, open3, %SIG, alarm, waitpid, sigprocmask, socketpair, exec";
            perl_threads Passes Every "perl" "5.40" ["perl", "threads.pl"] "interpreter threads, shared variables, queues, conditions, kill";
            git_history Passes Two "git" "1:2.47" ["bash", "history.bash"] "init, commit, merge, conflict, rebase, stash, bisect, gc, fsck, clone, push, hooks: hashes are known";
            gcc_compile Passes Two "gcc" "4:14.2" ["bash", "compile_c.bash"] "cc1, as, ld, LTO, OpenMP, shared and static, UBSan; what it makes is run";
            gxx_compile Passes Two "g++" "4:14.2" ["bash", "compile_cxx.bash"] "C++20 with threads, exceptions, regex; what it makes is run";
            musl_compile Passes Two "musl-tools" "1.2.5" ["bash", "compile_musl.bash"] "a static program with musl: threads, signals, popen, fork";
            gcc_project Passes Two "make" "4.4" ["bash", "build.bash"] "make -j2 of ten C files with gcc; what it makes is run";
            go_goroutines Passes Every "golang-go" "2:1.24" ["goroutines"] "cross-compiled, static: goroutines, GC, preemption, timers, nil faults, os/exec, signals, net/http";
            node_engine Passes Two "nodejs" "20.19" ["node", "engine.js"] "V8's own machine code, GC, workers, child processes, crypto and zlib threads, HTTP, signals";
            redis_server Passes Two "redis-server" "5:8.0" ["bash", "redis.bash"] "redis-server with I/O threads and AOF, redis-cli, pub/sub, Lua, redis-benchmark, restart";
            sqlite_processes Passes Every "sqlite3" "3.46" ["bash", "database.bash"] "WAL with several writers and readers, locks between processes, a killed writer";
            openssl_tls Passes Two "openssl" "3.5" ["bash", "tls.bash"] "keys, certificates, s_server with s_client (TLS 1.2, 1.3), speed -multi 2";
            compressors_threads Passes Two "xz-utils" "5.8" ["bash", "compressors.bash"] "zstd -T2, --adapt; xz -T2, -T3; tar with compressors and commands";
        }
    };
}

macro_rules! table {
    ($($name:ident $state:ident $tiers:ident $package:literal $version:literal [$($word:literal),+] $exercises:literal;)*) => {
        /// All rows.
        pub const ROWS: &[Row] = &[$(Row {
            name: stringify!($name),
            state: State::$state,
            tiers: Tiers::$tiers,
            package: $package,
            version: $version,
            command: &[$($word),+],
            exercises: $exercises,
        }),*];
    };
}

rows!(table);

/// The table of `docs/compatibility.md`.
pub fn document() -> String {
    let mut text =
        String::from("| test | program | exercised | on tiers | result |\n|---|---|---|---|---|\n");
    for row in ROWS {
        let version = row.version.split_once(':').map_or(row.version, |(_, version)| version);
        let (tiers, result) = match (row.tiers, row.state) {
            (Tiers::Every, State::Passes) => ("every", "passes"),
            (Tiers::Every, State::NotYet) => ("every", "not yet"),
            (Tiers::Two, State::Passes) => ("`auto`, `o0`", "passes"),
            (Tiers::Two, State::NotYet) => ("`auto`, `o0`", "not yet"),
        };
        text.push_str(&format!(
            "| `{}` | {} {version} | {} | {tiers} | {result} |\n",
            row.name, row.package, row.exercises
        ));
    }
    text
}
