//! Calls made by a fake guest: registers and memory without a program.

pub use super::fake::{Guest, SCRATCH, SCRATCH_LEN, WILD};
use super::*;
use crate::base::{PAGE, SPACE};
use std::fs;
use std::path::PathBuf;

impl Guest {
    fn word(&self, offset: u64) -> u64 {
        self.mmu.read_u64(SCRATCH + offset).unwrap()
    }

    fn pipe(&mut self) -> (u64, u64) {
        assert_eq!(self.call("pipe2", &[SCRATCH, 0o2_000_000]), 0);
        let ends = self.word(0);
        (ends & 0xffff_ffff, ends >> 32)
    }
}

const AT_FDCWD: u64 = -100i64 as u64;

/// A temporary file, removed when dropped.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str, contents: &str) -> TempFile {
        let path = std::env::temp_dir().join(format!("vmjit-{name}-{}", std::process::id()));
        fs::write(&path, contents).unwrap();
        TempFile(path)
    }

    fn c_string(&self) -> Vec<u8> {
        let mut bytes = self.0.as_os_str().as_encoded_bytes().to_vec();
        bytes.push(0);
        bytes
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn the_table_is_ascending_and_complete() {
    assert!(TABLE.len() >= 120, "{}", TABLE.len());
    assert!(TABLE.windows(2).all(|pair| pair[0].number < pair[1].number));
    assert!(TABLE.iter().all(|row| row.number < NUMBERS as u64 && row.args.len() <= 6));
    for row in TABLE {
        assert_eq!(find(row.number).unwrap().name, row.name);
        // What the host is shown must be a number or a checked range.
        let opaque = row.args.iter().any(|arg| matches!(arg, Ptr));
        assert!(!(matches!(row.handler, Host(_)) && opaque), "{}", row.name);
        for arg in row.args {
            if let PathAt(k) | InBuf(k) | OutBuf(k) | InVec(k) | OutVec(k) | Array(k, _) = arg {
                assert!(usize::from(*k) < row.args.len(), "{}", row.name);
            }
        }
    }
    assert!(find(3000).is_none() && find(u64::MAX).is_none() && find(244).is_none());
}

#[test]
fn data_goes_through_a_pipe() {
    let mut guest = Guest::new();
    let (read, write) = guest.pipe();
    let text = guest.put(0x100, b"hello");
    assert_eq!(guest.call("write", &[write, text, 5]), 5);
    assert_eq!(guest.call("read", &[read, SCRATCH + 0x200, 100]), 5);
    assert_eq!(guest.get(0x200, 5), b"hello");
    let vector = [text, 2, SCRATCH + 0x103, 2].map(u64::to_le_bytes).concat();
    let vector = guest.put(0x300, &vector);
    assert_eq!(guest.call("writev", &[write, vector, 2]), 4);
    // A length far over the end of the space is cut, not refused.
    assert_eq!(guest.call("read", &[read, SCRATCH + 0x200, u64::MAX]), 4);
    assert_eq!(guest.get(0x200, 5), b"helo".iter().chain(b"o").copied().collect::<Vec<_>>());
    for fd in [read, write] {
        assert_eq!(guest.call("close", &[fd]), 0);
    }
}

#[test]
fn files_are_opened_and_described() {
    let mut guest = Guest::new();
    let file = TempFile::new("files", "contents");
    let path = guest.put(0, &file.c_string());
    let fd = guest.call("openat", &[AT_FDCWD, path, 0o2_000_000, 0]) as u64;
    assert!((fd as i64) >= 0);
    assert_eq!(guest.call("fstat", &[fd, SCRATCH + 0x1000]), 0);
    assert_eq!(guest.word(0x1000 + 48), 8);
    let by_fd = guest.get(0x1000, 128);
    assert_eq!(guest.call("newfstatat", &[AT_FDCWD, path, SCRATCH + 0x1000, 0]), 0);
    assert_eq!(guest.get(0x1000, 128), by_fd);
    assert_eq!(guest.call("fcntl", &[fd, libc::F_GETFL as u64, 0]) & 0o3, 0);
    assert_eq!(guest.call("lseek", &[fd, 3, 0]), 3);
    assert_eq!(guest.call("read", &[fd, SCRATCH + 0x1000, 100]), 5);
    assert_eq!(guest.call("ioctl", &[fd, 0x5401, SCRATCH + 0x1000]), -i64::from(libc::ENOTTY));
    assert_eq!(guest.call("ioctl", &[fd, 0x1234_5678, 0]), -i64::from(libc::ENOTTY));
    assert_eq!(guest.call("close", &[fd]), 0);
    let missing = guest.put(0, b"/nonexistent/file\0");
    assert_eq!(guest.call("openat", &[AT_FDCWD, missing, 0, 0]), -i64::from(libc::ENOENT));
    let long = guest.put(0x2000, &[b'a'; 5000]);
    assert_eq!(guest.call("openat", &[AT_FDCWD, long, 0, 0]), -i64::from(libc::ENAMETOOLONG));
}

#[test]
fn proc_self_speaks_of_the_guest() {
    let mut guest = Guest::new();
    let path = guest.put(0, b"/proc/self/exe\0");
    assert_eq!(guest.call("readlinkat", &[AT_FDCWD, path, SCRATCH + 0x100, 100]), 9);
    assert_eq!(guest.get(0x100, 9), b"/opt/prog");
    assert_eq!(guest.call("readlinkat", &[AT_FDCWD, path, SCRATCH + 0x100, 4]), 4);
    let path = guest.put(0, b"/proc/self/maps\0");
    let fd = guest.call("openat", &[AT_FDCWD, path, 0, 0]) as u64;
    let len = guest.call("read", &[fd, SCRATCH + 0x100, 4096]);
    let text = String::from_utf8(guest.get(0x100, len as usize)).unwrap();
    assert!(text.starts_with("00100000-00110000 rw-p 00000000 00:00 0 \n"), "{text}");
    assert_eq!(guest.call("close", &[fd]), 0);
    let path = guest.put(0, b"/proc/self/mem\0");
    assert_eq!(guest.call("openat", &[AT_FDCWD, path, 2, 0]), -i64::from(libc::EACCES));
    let path = guest.put(0, b"/proc/cpuinfo\0");
    let fd = guest.call("openat", &[AT_FDCWD, path, 0, 0]) as u64;
    assert!(guest.call("read", &[fd, SCRATCH + 0x100, 4096]) > 0);
    assert!(String::from_utf8(guest.get(0x100, 200)).unwrap().contains("rv64imafdc"));
    assert_eq!(guest.call("close", &[fd]), 0);
}

#[test]
fn the_machine_is_riscv64() {
    let mut guest = Guest::new();
    assert_eq!(guest.call("uname", &[SCRATCH]), 0);
    assert_eq!(guest.get(0, 6), b"Linux\0");
    assert_eq!(guest.get(4 * 65, 8), b"riscv64\0");
    let pairs = [4u64, 0, 99, 7].map(u64::to_le_bytes).concat();
    let pairs = guest.put(0x400, &pairs);
    assert_eq!(guest.call("riscv_hwprobe", &[pairs, 2, 0, 0, 0]), 0);
    assert_eq!([guest.word(0x400), guest.word(0x410), guest.word(0x418)], [4, u64::MAX, 0]);
    assert_eq!(guest.call("riscv_hwprobe", &[pairs, 1, 0, 0, 2]), -i64::from(libc::EINVAL));
    assert_eq!(guest.call("riscv_flush_icache", &[0, 0, 0]), 0);
    assert_eq!(guest.call("riscv_flush_icache", &[0, 0, 2]), -i64::from(libc::EINVAL));
}

#[test]
fn epoll_events_have_the_layout_of_the_guest() {
    let mut guest = Guest::new();
    let (read, write) = guest.pipe();
    let epoll = guest.call("epoll_create1", &[0]) as u64;
    let event = [&1u64.to_le_bytes()[..], &0x1122_3344_5566_7788u64.to_le_bytes()].concat();
    let event = guest.put(0x100, &event);
    assert_eq!(guest.call("epoll_ctl", &[epoll, 1, read, event]), 0);
    assert_eq!(guest.call("epoll_pwait", &[epoll, SCRATCH + 0x200, 4, 0, 0, 8]), 0);
    assert_eq!(guest.call("write", &[write, SCRATCH, 1]), 1);
    assert_eq!(guest.call("epoll_pwait", &[epoll, SCRATCH + 0x200, 4, -1i64 as u64, 0, 8]), 1);
    assert_eq!([guest.word(0x200), guest.word(0x208)], [1, 0x1122_3344_5566_7788]);
    // The same by poll and select.
    let fds = guest.put(0x300, &[&(read as u32).to_le_bytes()[..], &[1, 0, 0, 0]].concat());
    assert_eq!(guest.call("ppoll", &[fds, 1, 0, 0, 0]), 1);
    let set = guest.put(0x400, &(1u64 << read).to_le_bytes());
    if read < 64 {
        assert_eq!(guest.call("pselect6", &[read + 1, set, 0, 0, 0, 0]), 1);
    }
    for fd in [read, write, epoll] {
        guest.call("close", &[fd]);
    }
}

#[test]
fn messages_carry_data_and_descriptors() {
    let mut guest = Guest::new();
    assert_eq!(guest.call("socketpair", &[1, 2, 0, SCRATCH]), 0);
    let (a, b) = (guest.word(0) & 0xffff_ffff, guest.word(0) >> 32);
    let text = guest.put(0x100, b"message");
    let vector = guest.put(0x200, &[text, 7].map(u64::to_le_bytes).concat());
    // SCM_RIGHTS with one descriptor: length, level, type, number.
    let control = guest.put(0x300, &[20u64, 1 | 1 << 32, a].map(u64::to_le_bytes).concat());
    let header = guest.put(0x400, &[0, 0, vector, 1, control, 24, 0].map(u64::to_le_bytes).concat());
    assert_eq!(guest.call("sendmsg", &[a, header, 0]), 7);
    guest.put(0x200, &[SCRATCH + 0x500, 64].map(u64::to_le_bytes).concat());
    guest.put(0x400, &[0, 0, vector, 1, SCRATCH + 0x600, 64, 0].map(u64::to_le_bytes).concat());
    assert_eq!(guest.call("recvmsg", &[b, header, 0]), 7);
    assert_eq!(guest.get(0x500, 7), b"message");
    assert_eq!([guest.word(0x428), guest.word(0x600), guest.word(0x608)], [24, 20, 1 | 1 << 32]);
    let received = guest.word(0x610) & 0xffff_ffff;
    assert!(received != a && guest.call("close", &[received]) == 0);
    // Into a page that code was translated from.
    assert_eq!(guest.call("mprotect", &[SCRATCH + 0x1000, PAGE, 7]), 0);
    guest.mmu.watch_code(SCRATCH + 0x1000, 4);
    let (epoch, into) = (guest.mmu.code_epoch(), SCRATCH + 0x1000);
    assert_eq!(guest.call("write", &[a, text, 7]), 7);
    guest.put(0x200, &[into, 64].map(u64::to_le_bytes).concat());
    assert_eq!(guest.call("recvmsg", &[b, header, 0]), 7);
    assert!(guest.mmu.code_epoch() > epoch && guest.get(0x1000, 7) == b"message");
    // A pointer out of the space never reaches the host.
    guest.put(0x200, &[SPACE + 0x1000, 64].map(u64::to_le_bytes).concat());
    assert_eq!(guest.call("recvmsg", &[b, header, 0x40]), -i64::from(libc::EFAULT));
    assert_eq!(guest.call("setsockopt", &[a, 1, 26, SCRATCH, 16]), -i64::from(libc::ENOPROTOOPT));
    guest.call("close", &[a]);
    guest.call("close", &[b]);
}

#[test]
fn a_broken_pipe_kills_unless_ignored() {
    let mut guest = Guest::new();
    let (read, write) = guest.pipe();
    guest.call("close", &[read]);
    assert_eq!(guest.call("write", &[write, SCRATCH, 1]), -i64::from(libc::EPIPE));
    assert_eq!(guest.outcome, Outcome::Die(libc::SIGPIPE));
    let ignore = guest.put(0x100, &[1u64, 0, 0].map(u64::to_le_bytes).concat());
    assert_eq!(guest.call("rt_sigaction", &[13, ignore, 0, 8]), 0);
    assert_eq!(guest.call("write", &[write, SCRATCH, 1]), -i64::from(libc::EPIPE));
    assert_eq!(guest.outcome, Outcome::Continue);
    guest.call("close", &[write]);
}

#[test]
fn signals_wait_while_blocked_and_kill_by_default() {
    let mut guest = Guest::new();
    let pid = u64::from(std::process::id());
    let all = guest.put(0, &u64::MAX.to_le_bytes());
    assert_eq!(guest.call("rt_sigprocmask", &[0, all, SCRATCH + 8, 8]), 0);
    assert_eq!(guest.call("kill", &[pid, 6]), 0);
    assert_eq!(guest.outcome, Outcome::Continue);
    assert_eq!(guest.call("rt_sigpending", &[SCRATCH + 16, 8]), 0);
    assert_eq!(guest.word(16), 1 << 5);
    assert_eq!(guest.call("rt_sigprocmask", &[2, SCRATCH + 8, 0, 8]), 0);
    assert_eq!(guest.outcome, Outcome::Die(6));
    // SIGKILL cannot be blocked, SIGCHLD does nothing, a handler is remembered.
    assert_eq!(guest.call("rt_sigprocmask", &[0, all, 0, 8]), 0);
    assert_eq!(guest.call("kill", &[pid, 9]), 0);
    assert_eq!(guest.outcome, Outcome::Die(9));
    assert_eq!(guest.call("kill", &[pid, 17]), 0);
    assert_eq!(guest.outcome, Outcome::Continue);
    let action = guest.put(0x100, &[0x12345, 4, 7].map(u64::to_le_bytes).concat());
    assert_eq!(guest.call("rt_sigaction", &[10, action, 0, 8]), 0);
    assert_eq!(guest.call("rt_sigaction", &[10, 0, SCRATCH + 0x200, 8]), 0);
    assert_eq!([guest.word(0x200), guest.word(0x208), guest.word(0x210)], [0x12345, 4, 7]);
    assert_eq!(guest.call("rt_sigaction", &[9, action, 0, 8]), -i64::from(libc::EINVAL));
    assert_eq!(guest.call("exit_group", &[0x1ff]), 0);
    assert_eq!(guest.outcome, Outcome::Exit(0xff));
}

#[test]
fn limits_names_and_lists_are_kept() {
    let mut guest = Guest::new();
    assert_eq!(guest.call("prlimit64", &[0, 3, 0, SCRATCH]), 0);
    assert_eq!([guest.word(0), guest.word(8)], [8 << 20, u64::MAX]);
    let limit = guest.put(0x10, &[1 << 20, 2 << 20].map(u64::to_le_bytes).concat());
    assert_eq!(guest.call("setrlimit", &[9, limit]), 0);
    assert_eq!(guest.call("getrlimit", &[9, SCRATCH]), 0);
    assert_eq!([guest.word(0), guest.word(8)], [1 << 20, 2 << 20]);
    let name = guest.put(0x20, b"a long name for a thread\0");
    assert_eq!(guest.call("prctl", &[15, name]), 0);
    assert_eq!(guest.call("prctl", &[16, SCRATCH + 0x80]), 0);
    assert_eq!(guest.get(0x80, 16), b"a long name for\0");
    assert_eq!(guest.call("set_robust_list", &[SCRATCH, 24]), 0);
    assert_eq!(guest.call("get_robust_list", &[0, SCRATCH + 0x100, SCRATCH + 0x108]), 0);
    assert_eq!([guest.word(0x100), guest.word(0x108)], [SCRATCH, 24]);
    let value = guest.put(0x200, &5u32.to_le_bytes());
    assert_eq!(guest.call("futex", &[value, 128, 6, 0]), -i64::from(libc::EAGAIN));
    assert_eq!(guest.call("futex", &[value, 129, 1]), 0);
    let time = guest.put(0x300, &[0, 1000u64].map(u64::to_le_bytes).concat());
    assert_eq!(guest.call("futex", &[value, 128, 5, time]), -i64::from(libc::ETIMEDOUT));
}

#[test]
fn unknown_calls_are_counted() {
    let mut guest = Guest::new();
    for number in [9998, 9999, 9998, 9998] {
        guest.cpu.set_x(17, number);
        guest.thread.syscall(&guest.mmu, &mut guest.cpu);
        assert_eq!(guest.cpu.x(10) as i64, -i64::from(libc::ENOSYS));
    }
    assert_eq!(guest.call("rseq", &[]), -i64::from(libc::ENOSYS));
    let counts: Vec<_> = guest.thread.process.unknown_calls().iter().map(|(&n, &count)| (n, count)).collect();
    assert_eq!(counts, [(9998, 3), (9999, 1)]);
}

#[test]
fn pointers_to_nothing_are_efault() {
    let mut guest = Guest::new();
    let (read, write) = guest.pipe();
    guest.call("write", &[write, SCRATCH, 8]);
    for bad in [WILD, SCRATCH + SCRATCH_LEN, 0x1000, SPACE - 8, SPACE, SPACE + SCRATCH, u64::MAX - 7] {
        let calls: [(&str, &[u64]); 14] = [
            ("read", &[read, bad, 8]),
            ("write", &[write, bad, 8]),
            ("readv", &[read, bad, 1]),
            ("fstat", &[read, bad]),
            ("openat", &[AT_FDCWD, bad, 0, 0]),
            ("newfstatat", &[AT_FDCWD, SCRATCH, bad, 0x1000]),
            ("clock_gettime", &[0, bad]),
            ("uname", &[bad]),
            ("rt_sigaction", &[1, bad, 0, 8]),
            ("getrandom", &[bad, 8, 0]),
            ("pipe2", &[bad, 0]),
            ("prlimit64", &[0, 3, 0, bad]),
            ("sysinfo", &[bad]),
            ("futex", &[bad, 0, 0, 0]),
        ];
        guest.put(0, &[0; 64]);
        for (name, args) in calls {
            // An address that is not a multiple of 4 is refused by futex before it is looked at.
            let want = if name == "futex" && bad % 4 != 0 { libc::EINVAL } else { libc::EFAULT };
            assert_eq!(guest.call(name, args), -i64::from(want), "{name} {bad:#x}");
        }
    }
    for fd in [read, write] {
        guest.call("close", &[fd]);
    }
}

/// A generator of pseudo-random numbers (xorshift64*), so that a failure repeats.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.next() as usize % from.len()]
    }
}

#[test]
fn no_arguments_make_a_call_panic() {
    // Not these: they would change the test's own process, end it, or wait (ppoll of nothing without a timeout).
    let spare = |name: &str| {
        name.starts_with("set") && !name.ends_with("xattr")
            || matches!(
                name,
                "kill" | "tkill" | "tgkill" | "umask" | "close_range" | "sync" | "ioprio_set" | "ppoll"
            )
    };
    // No value is a small number in its low 32 bits, so that none is a descriptor or a process in use.
    let values = [
        WILD,
        0x1_2340,
        SPACE - 8,
        SPACE + 0x7000_0000,
        1 << 40 | 0x7000_0000,
        u64::MAX,
        i64::MIN as u64 | 0x7000_0001,
    ];
    let mut random = Random(0x1234_5678_9abc_def1);
    // The second half with the trace on: it reads the same pointers.
    let mut guests = [Guest::with_trace(false), Guest::with_trace(true)];
    for round in 0..60 {
        let guest = &mut guests[round / 30];
        for row in TABLE.iter().filter(|row| !spare(row.name)) {
            let mut args = [0; 6];
            args[0] = random.pick(&values);
            for arg in &mut args[1..] {
                *arg = if random.next().is_multiple_of(4) { 0 } else { random.pick(&values) };
            }
            guest.call(row.name, &args);
        }
    }
    // Still a working guest.
    for guest in &mut guests {
        assert_eq!(guest.call("munmap", &[SCRATCH, PAGE]), 0);
    }
}
