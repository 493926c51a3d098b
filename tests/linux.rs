//! Guest programs of `tests/programs` under `vmjit` and under qemu-riscv64: same output, same ending, on every tier,
//! linked statically and dynamically. One test per row, so that a failure names its program.
//!
//! Where qemu-riscv64 does otherwise than Linux, the same source is compiled for this machine and run by its kernel.

// Without the command there is nothing to run.
#![cfg(feature = "cli")]

mod support;

use support::{compile, run::Guest};

/// What a program is compared with.
#[derive(Clone, Copy, PartialEq)]
enum Oracle {
    /// The same image under qemu-riscv64.
    Qemu,
    /// The same source on this machine.
    Kernel,
}

/// Compares one program, in all ways of linking it.
fn check(oracle: Oracle, test: &str, source: &str, args: &[&str], stdin: Vec<u8>) {
    for link in compile::links(source) {
        let mut guest = Guest::new(compile::compile(source, link), support::compiler_sysroot()).args(args);
        guest.stdin.clone_from(&stdin);
        if test == "startup" {
            guest.options = ["-E", "EXTRA=by option", "-E", "VARIABLE=replaced"].map(Into::into).to_vec();
        }
        let name = format!("{test}-{link:?}");
        match oracle {
            Oracle::Qemu => guest.compare(&name),
            Oracle::Kernel => guest.compare_with_kernel(&name, compile::compile(source, compile::Link::Host)),
        };
    }
}

macro_rules! programs {
    ($sources:ident, $oracle:expr; $($test:ident: $source:literal $(, args $args:expr)? $(, stdin $stdin:expr)?;)*) => {
        $(
            #[test]
            fn $test() {
                #[allow(unused_mut, unused_assignments)]
                let (mut args, mut stdin): (&[&str], Vec<u8>) = (&[], Vec::new());
                $(args = &$args;)?
                $(stdin = $stdin;)?
                check($oracle, stringify!($test), $source, args, stdin);
            }
        )*

        /// The sources that some row names.
        const $sources: &[&str] = &[$($source),*];
    };
}

programs! {
    SOURCES, Oracle::Qemu;

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

    // Threads and shared memory.
    threads_mutex: "threads.c", args ["mutex"];
    threads_inherit: "threads.c", args ["inherit"];
    threads_condition: "threads.c", args ["condition"];
    threads_barrier: "threads.c", args ["barrier"];
    threads_rwlock: "threads.c", args ["rwlock"];
    threads_semaphore: "threads.c", args ["semaphore"];
    threads_locals: "threads.c", args ["locals"];
    threads_once: "threads.c", args ["once"];
    threads_specific: "threads.c", args ["specific"];
    threads_cancel: "threads.c", args ["cancel"];
    threads_join: "threads.c", args ["join"];
    threads_exit_main: "threads.c", args ["exit_main"];
    threads_exit_thread: "threads.c", args ["exit_thread"];
    threads_attributes: "threads.c", args ["attributes"];
    threads_futex_waits: "threads.c", args ["futex_waits"];
    threads_futex_wakes: "threads.c", args ["futex_wakes"];
    threads_timed_lock: "threads.c", args ["timed_lock"];
    threads_exit_thread_raw: "threads.c", args ["exit_thread_raw"];
    threads_crash_thread: "threads.c", args ["crash_thread"];
    threads_cxx: "threads_cxx.cpp";
    atomics_mt_instructions: "atomics_mt.c", args ["instructions"];
    atomics_mt_types_mixed: "atomics_mt.c", args ["types_mixed"];
    atomics_mt_neighbours: "atomics_mt.c", args ["neighbours"];
    atomics_mt_spinlocks: "atomics_mt.c", args ["spinlocks"];
    atomics_mt_stack: "atomics_mt.c", args ["stack"];
    atomics_mt_queue: "atomics_mt.c", args ["queue"];
    atomics_mt_sequence: "atomics_mt.c", args ["sequence"];
    litmus_first: "litmus.c", args ["first"];
    litmus_second: "litmus.c", args ["second"];
    self_modify_mt_own: "self_modify_mt.c", args ["own"];
    self_modify_mt_handed: "self_modify_mt.c", args ["handed"];
    self_modify_mt_places: "self_modify_mt.c", args ["places"];
    self_modify_mt_changing: "self_modify_mt.c", args ["changing"];

    // Signals and faults.
    signals_masks: "signals.c", args ["masks"];
    signals_ignored: "signals.c", args ["ignored"];
    signals_priority: "signals.c", args ["priority"];
    signals_queued: "signals.c", args ["queued"];
    signals_values: "signals.c", args ["values"];
    signals_interrupt: "signals.c", args ["interrupt"];
    signals_restart: "signals.c", args ["restart"];
    signals_remaining: "signals.c", args ["remaining"];
    signals_waiting: "signals.c", args ["waiting"];
    signals_descriptor: "signals.c", args ["descriptor"];
    signals_intervals: "signals.c", args ["intervals"];
    signals_timers: "signals.c", args ["timers"];
    signals_threads: "signals.c", args ["threads"];
    signals_jumps: "signals.c", args ["jumps"];
    signals_death_handled_abort: "signals.c", args ["death_handled_abort"];
    signals_death_pipe: "signals.c", args ["death_pipe"];
    signals_death_alarm: "signals.c", args ["death_alarm"];
    signals_death_spinning: "signals.c", args ["death_spinning"];
    signals_death_kill: "signals.c", args ["death_kill"];
    signals_death_quit: "signals.c", args ["death_quit"];
    signals_death_hangup: "signals.c", args ["death_hangup"];
    signals_death_unblocked: "signals.c", args ["death_unblocked"];
    signals_death_threads: "signals.c", args ["death_threads"];
    sigcontext_registers: "sigcontext.c", args ["registers"];
    sigcontext_change: "sigcontext.c", args ["change"];
    sigcontext_codes: "sigcontext.c", args ["codes"];
    sigcontext_barrier: "sigcontext.c", args ["barrier"];
    sigcontext_jumps: "sigcontext.c", args ["jumps"];
    sigcontext_overflow: "sigcontext.c", args ["overflow"];
    sigcontext_exhausted: "sigcontext.c", args ["exhausted"];
    sigcontext_death_exhausted: "sigcontext.c", args ["death_exhausted"];
    sigcontext_nested: "sigcontext.c", args ["nested"];
    sigcontext_storm: "sigcontext.c", args ["storm"];
    sigcontext_storm_code: "sigcontext.c", args ["storm_code"];
    sigcontext_storm_calls: "sigcontext.c", args ["storm_calls"];
    sigcontext_death_blocked: "sigcontext.c", args ["death_blocked"];
    sigcontext_death_ignored: "sigcontext.c", args ["death_ignored"];
    sigcontext_death_in_handler: "sigcontext.c", args ["death_in_handler"];
    sigcontext_death_no_stack: "sigcontext.c", args ["death_no_stack"];
    sigcontext_death_by_context: "sigcontext.c", args ["death_by_context"];

    // Processes, and servers.
    fork_endings: "fork.c", args ["endings"];
    fork_stopping: "fork.c", args ["stopping"];
    fork_memory: "fork.c", args ["memory"];
    fork_sharing: "fork.c", args ["sharing"];
    fork_with_threads: "fork.c", args ["with_threads"];
    fork_at_fork: "fork.c", args ["at_fork"];
    fork_orphan: "fork.c", args ["orphan"];
    fork_pipeline: "fork.c", args ["pipeline"];
    fork_groups: "fork.c", args ["groups"];
    fork_usage: "fork.c", args ["usage"];
    fork_many: "fork.c", args ["many"];
    fork_computing: "fork.c", args ["computing"];
    fork_inherited: "fork.c", args ["inherited"];
    exec_thread_refused: "exec.c", args ["thread_refused"];
    exec_host_programs: "exec.c", args ["host_programs"];
    server_local_server: "server.c", args ["local_server"];
    server_inet_server: "server.c", args ["inet_server"];
    server_shutdowns: "server.c", args ["shutdowns"];
    server_events: "server.c", args ["events"];
    server_timers: "server.c", args ["timers"];
    server_copies: "server.c", args ["copies"];
    server_passing: "server.c", args ["passing"];
    server_datagrams: "server.c", args ["datagrams"];

    program_name: "program_name.c";
    stopping_naps: "stopping.c", args ["naps"];

    // All at once.
    stress: "stress.c", args ["1.5"];
}

programs! {
    KERNEL_SOURCES, Oracle::Kernel;

    // qemu-riscv64 reserves signals, releases nothing that a process held, and keeps the first status.
    endings_untaken: "endings.c", args ["untaken"];
    endings_none_lost: "endings.c", args ["none_lost"];
    endings_of_a_child: "endings.c", args ["of_a_child"];
    endings_first_ends: "endings.c", args ["first_ends"];
    endings_left_locked: "endings.c", args ["left_locked"];
    endings_after_the_wait: "endings.c", args ["after_the_wait"];
    endings_not_started: "endings.c", args ["not_started"];
    endings_lost_mapping: "endings.c", args ["lost_mapping"];
    endings_alone: "endings.c", args ["alone"];

    // qemu-riscv64 shows the host's.
    proc_files: "proc_files.c";
    // qemu-riscv64 has no list of robust mutexes (get_robust_list: ENOSYS).
    threads_robust: "threads.c", args ["robust"];

    // It keeps SIGKILL and SIGSTOP in masks, dies by other real-time signals than the guest, and refuses SS_AUTODISARM.
    signals_actions: "signals.c", args ["actions"];
    signals_death_real_time: "signals.c", args ["death_real_time"];
    signals_stack: "signals.c", args ["stack"];
    signals_process_wide: "signals.c", args ["process_wide"];

    // Its vfork is a fork: memory is not shared, and posix_spawn does not report why a program did not start. It
    // does not pass on SA_NOCLDWAIT.
    fork_child_signals: "fork.c", args ["child_signals"];
    fork_cloned: "fork.c", args ["cloned"];
    fork_spawn: "fork.c", args ["spawn"];
    fork_exit_signals: "fork.c", args ["exit_signals"];
    fork_growth: "fork.c", args ["growth"];
    fork_end_during_vfork: "fork.c", args ["end_during_vfork"];
    fork_vforked: "fork.c", args ["vforked"];

    // It starts guest programs only where the kernel has been told of it (binfmt_misc).
    exec_self: "exec.c", args ["self"];
    exec_large: "exec.c", args ["large"];
    exec_refused: "exec.c", args ["refused"];
    exec_scripts: "exec.c", args ["scripts"];
    exec_descriptors: "exec.c", args ["descriptors"];
    exec_signals: "exec.c", args ["signals"];
    exec_by_descriptor: "exec.c", args ["by_descriptor"];
    exec_thread: "exec.c", args ["thread"];
    exec_chain: "exec.c", args ["chain"];
    exec_vforked: "exec.c", args ["vforked"];
}

/// What the process that starts a guest has it ignore, the guest finds ignored, and nothing else.
#[test]
fn ignored_signals_are_inherited() {
    let vmjit = support::vmjit();
    let guest = compile::compile("signals.c", compile::Link::Static);
    let native = compile::compile("signals.c", compile::Link::Host);
    for signals in ["", "PIPE", "HUP", "SEGV BUS", "URG PIPE INT"] {
        let run = |words: &[&std::path::Path]| {
            let mut command = std::process::Command::new("/bin/sh");
            let script = if signals.is_empty() {
                "exec \"$@\"".to_owned()
            } else {
                format!("trap '' {signals}; exec \"$@\"")
            };
            command.args(["-c", &script, "sh"]).args(words).arg("inherited");
            let output = command.output().expect("there is a shell");
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let expected = run(&[&native]);
        // Whoever runs the tests may ignore some as well.
        assert!(expected.lines().count() >= signals.split_whitespace().count(), "{signals}: {expected}");
        assert_eq!(run(&[&vmjit, std::path::Path::new("run"), &guest]), expected, "{signals}");
    }
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
        let tested = SOURCES.contains(&name.as_str()) || KERNEL_SOURCES.contains(&name.as_str());
        assert!(!is_source || tested, "no test runs tests/programs/{name}");
    }
}

/// A guest inside another program: threads, and the signals that it sends itself; the program's own stay as they are.
#[test]
fn embedded_guests_have_threads_and_their_own_signals() {
    use vm_engine_jit::{Machine, Status, Tier};
    let threads = compile::compile("threads.c", compile::Link::Static);
    let signals = compile::compile("signals.c", compile::Link::Static);
    let run = |program: &std::path::Path, case: &str, tier| {
        let mut machine = Machine::builder().tier(tier).build().expect("there is room for a guest");
        machine.load(program, &["guest", case]).expect("the program loads");
        machine.run().expect("a program is loaded")
    };
    for (_, tier) in Tier::ALL {
        for case in ["mutex", "condition", "barrier", "futex_wakes", "exit_main"] {
            assert_eq!(run(&threads, case, tier), Status::Exited(0), "{case}, {tier:?}");
        }
        // Ended by a thread that is not the first, while others wait.
        assert_eq!(run(&threads, "exit_thread", tier), Status::Exited(43), "{tier:?}");
        assert_eq!(run(&threads, "crash_thread", tier), Status::Signaled(libc::SIGSEGV), "{tier:?}");
        for case in ["masks", "jumps", "stack", "process_wide"] {
            assert_eq!(run(&signals, case, tier), Status::Exited(0), "{case}, {tier:?}");
        }
        assert_eq!(run(&signals, "death_handled_abort", tier), Status::Signaled(libc::SIGABRT), "{tier:?}");
    }
}

/// Several guests with threads in one program, at the same time; the last one is stopped by its fuel.
#[test]
fn embedded_guests_live_side_by_side() {
    use vm_engine_jit::{Machine, Status};
    let program = compile::compile("threads.c", compile::Link::Static);
    std::thread::scope(|scope| {
        for case in ["mutex", "semaphore", "rwlock", "locals"] {
            let program = &program;
            scope.spawn(move || {
                for _ in 0..3 {
                    let mut machine = Machine::builder().build().expect("there is room for a guest");
                    machine.load(program, &["guest", case]).expect("the program loads");
                    assert_eq!(machine.run().expect("a program is loaded"), Status::Exited(0), "{case}");
                }
            });
        }
    });
    let mut machine = Machine::builder().fuel(20_000).build().expect("there is room for a guest");
    machine.load(&program, &["guest", "mutex"]).expect("the program loads");
    let status = machine.run().expect("a program is loaded");
    assert_eq!(status, Status::OutOfFuel);
}

/// Whatever a guest waits for, and whichever of its threads: `interrupt` stops it at once, and it goes on afterwards.
#[test]
fn embedded_guests_can_be_stopped() {
    use std::time::{Duration, Instant};
    use vm_engine_jit::{Machine, Status, Tier};
    let program = compile::compile("stopping.c", compile::Link::Static);
    for (_, tier) in Tier::ALL {
        for case in ["reads", "pauses", "sleeps", "waits", "counts", "threads", "joins", "leaves"] {
            let mut machine = Machine::builder().tier(tier).build().expect("there is room for a guest");
            machine.load(&program, &["guest", case]).expect("the program loads");
            let handle = machine.interrupt_handle();
            let (mut counted, mut rounds, mut wait) = (0, 0, 60);
            while rounds < 3 {
                let handle = handle.clone();
                let stopper = std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(wait));
                    let start = Instant::now();
                    handle.interrupt();
                    start
                });
                assert_eq!(
                    machine.run().expect("a program is loaded"),
                    Status::Interrupted,
                    "{case}, {tier:?}"
                );
                let took = stopper.join().expect("no panic").elapsed();
                assert!(took < Duration::from_millis(1000), "{case}, {tier:?}: {took:?}");
                // Every thread stands still, and goes on with the next run.
                let counter = machine.process().and_then(|process| process.symbol("counter"));
                let counter = counter.expect("the program has it");
                std::thread::sleep(Duration::from_millis(20));
                let before = machine.memory().read_u64(counter).expect("it is mapped");
                std::thread::sleep(Duration::from_millis(5));
                let after = machine.memory().read_u64(counter).expect("it is mapped");
                assert_eq!(before, after, "{case}, {tier:?}");
                let counts = matches!(case, "counts" | "threads" | "joins" | "leaves");
                if counts && after == counted {
                    // A busy machine may not have let it run at all.
                    wait *= 4;
                    assert!(wait < 5000, "{case}, {tier:?}, after {rounds} rounds");
                } else {
                    rounds += 1;
                }
                counted = after;
            }
            handle.interrupt();
            assert_eq!(machine.run().expect("a program is loaded"), Status::Interrupted, "{case}, {tier:?}");
        }
    }
}

/// A guest that is stopped again and again waits as long as it wants to, and no longer.
#[test]
fn time_goes_on_while_an_embedded_guest_is_stopped() {
    use std::time::{Duration, Instant};
    use vm_engine_jit::{Machine, Status};
    let program = compile::compile("stopping.c", compile::Link::Static);
    let mut machine = Machine::builder().build().expect("there is room for a guest");
    machine.load(&program, &["guest", "naps"]).expect("the program loads");
    let (handle, start) = (machine.interrupt_handle(), Instant::now());
    let is_done = std::sync::atomic::AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(10));
                handle.interrupt();
            }
        });
        let ended = loop {
            match machine.run().expect("a program is loaded") {
                Status::Interrupted if start.elapsed() < Duration::from_secs(30) => {}
                status => break status,
            }
        };
        is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        ended
    });
    assert_eq!(ended, Status::Exited(0));
}

/// A guest inside another program leaves that program's thread as it was, ends with threads that have signals left, and
/// makes room for the next one.
#[test]
fn guests_inside_another_program() {
    let blocked = || {
        let status = std::fs::read_to_string("/proc/thread-self/status").expect("Linux has it");
        status.lines().find(|line| line.starts_with("SigBlk")).map(str::to_owned)
    };
    let image = compile::compile("endings.c", compile::Link::Static);
    let before = blocked();
    let mut machine = vm_engine_jit::Machine::builder().build().expect("there is room for a guest");
    for case in ["untaken", "untaken", "alone"] {
        machine.load(&image, &["endings", case]).expect("it is a program");
        assert_eq!(machine.run().expect("it is loaded"), vm_engine_jit::Status::Exited(0), "{case}");
        assert_eq!(blocked(), before, "{case}");
    }
}
