//! Arbitrary system calls with arbitrary arguments: the host does not crash, no call hangs, every result is one that
//! Linux could give, and memory that is not the guest's to change stays as it is.
//!
//! It must be harmless, since there is no sandbox. The thread that runs it gets a descriptor table and a working folder of
//! its own (`unshare`), the guest is one inside another program, and [`harmless`] keeps from the host what would act on
//! other processes, on files outside that folder, or on the machine.

use super::fuzz::Choices;
use crate::base::{GuestAddr, PAGE, SPACE};
use crate::linux::fake::{Guest, Waker, SCRATCH, SCRATCH_LEN, WILD};
use crate::linux::{find, Arg, Row};
use crate::mmu::{Backing, CallArg, Neighbour, Prot};
use crate::sys::signal;
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Most calls of one input.
const CALLS: usize = 32;
/// Memory that the guest may map: what it asks the host to fill takes time.
const MEMORY: u64 = 32 << 20;

/// Pages that only show: names, then a string without an end. Nothing is mapped behind them.
const FIXED: GuestAddr = 0x20_0000;
const FIXED_LEN: u64 = 2 * PAGE;
/// A page of code that was translated, so that writing to it takes the host's help. Nothing is mapped around it.
const CODE: GuestAddr = 0x21_0000;
/// The page before the end of the space, so that what begins there and is too long runs over the end.
const LAST: GuestAddr = SPACE - PAGE;
/// In the guest's memory: elements of `struct iovec`, then `struct mmsghdr` that lead to them.
const VECTORS: GuestAddr = SCRATCH + 0x800;
const MESSAGES: GuestAddr = SCRATCH + 0xa00;

/// Names inside the folder.
const NAMES: [&str; 6] = ["a", "b", "d", "d/a", "b/", ""];
/// Names of files that are looked at only.
const LOOKED_AT: [&str; 8] = [
    "/proc/self/exe",
    "/proc/self/maps",
    "/proc/self/status",
    "/proc/self/stat",
    "/proc/self/cmdline",
    "/proc/thread-self/comm",
    "/proc/self/mem",
    "/proc/cpuinfo",
];
/// Some requests of ioctl that pipes, sockets, files or terminals know.
const REQUESTS: [u64; 9] = [0x541b, 0x5421, 0x5452, 0x5411, 0x8905, 0x8910, 0x8008_6601, 0x5401, 0x5413];
/// Bytes that each name takes in [`FIXED`].
const NAME: usize = 32;

/// What the calls of one thread share.
struct Host {
    guest: Guest,
    folder: PathBuf,
    known: Known,
    /// Host memory directly before and directly behind the guest's.
    neighbours: [Neighbour; 2],
    kernel: Kernel,
    watch: Arc<Watch>,
}

/// What makes a call of the guest's; the result is that in a0.
type Kernel = fn(&mut Guest, u64, &[u64; 6]) -> i64;

/// What arguments are chosen by.
#[derive(Clone, Copy)]
struct Known {
    /// The lowest descriptor that is the guest's; those below are not for it.
    floor: u64,
    /// Host address of the guest's memory.
    base: u64,
}

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
}

/// Makes the calls that the bytes describe.
///
/// # Panics
/// If the property does not hold: that is a bug found.
pub fn syscalls(data: &[u8]) {
    HOST.with(|host| {
        let mut host = host.borrow_mut();
        // After a failure, everything anew.
        let mut taken = host.take().unwrap_or_else(Host::new);
        taken.run(data);
        *host = Some(taken);
    });
}

/// Bytes of the host's memory on each side of the guest's.
const NEIGHBOUR: usize = 64 << 10;
/// How far from the guest's memory every call is expected to be found out. The rest is looked at less often.
const NEAR: usize = 4 << 10;

impl Host {
    fn new() -> Host {
        signal::expect_kicks().unwrap_or_else(|errno| panic!("errno {errno}"));
        // As in every Rust program; a fuzzer's start is not Rust's.
        let ignored = signal::set_disposition(libc::SIGPIPE, signal::Disposition::Ignore, 0);
        ignored.unwrap_or_else(|errno| panic!("errno {errno}"));
        let (mut guest, neighbours) = Guest::between(NEIGHBOUR);
        guest.mmu.set_limit(MEMORY);
        let apart = (libc::CLONE_FILES | libc::CLONE_FS) as u64;
        host_call(&guest, libc::SYS_unshare, &mut [CallArg::Int(apart)]);
        let tid = host_call(&guest, libc::SYS_gettid, &mut []);
        // Processes of other namespaces may have the same ids.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let name = format!("vmjit-syscalls-{tid}-{}", now.as_nanos());
        let folder = std::env::temp_dir().join(name);
        let open = std::fs::read_dir("/proc/thread-self/fd").map_or(0, |list| {
            let numbers = list.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
            numbers.max().unwrap_or(0)
        });
        // None free below the guest's own.
        let eventfd = || host_call(&guest, libc::SYS_eventfd2, &mut [CallArg::Int(0), CallArg::Int(0)]);
        let floor = std::iter::repeat_with(eventfd).find(|&fd| fd > open).unwrap_or(open) + 1;
        let watch = Arc::new(Watch::default());
        let watched = Arc::downgrade(&watch);
        std::thread::spawn(move || {
            let mut seen = 0;
            while let Some(watch) = watched.upgrade() {
                seen = watch.look(seen);
                drop(watch);
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        let known = Known { floor, base: guest.mmu.base() as u64 };
        Host { guest, folder, known, neighbours, kernel: Guest::call_number, watch }
    }

    fn run(&mut self, data: &[u8]) {
        let mut choices = Choices(data);
        self.prepare(&mut choices);
        let rows: Vec<&Row> = (0..512).filter_map(find).collect();
        let mut used_names = false;
        for _ in 0..CALLS {
            if choices.0.is_empty() {
                break;
            }
            let kind = choices.byte();
            if kind < 48 {
                // Something into memory, for the calls that follow.
                let at = SCRATCH + u64::from(choices.byte()) * 8 + u64::from(choices.byte() & 1) * 0x800;
                let value = value(&mut choices, self.known);
                let _ = self.guest.mmu.write(at, &value.to_le_bytes());
                continue;
            }
            let number = match kind {
                48..52 => choices.word(),
                _ => rows[(usize::from(choices.byte()) << 1 | usize::from(kind & 1)) % rows.len()].number,
            };
            let row = find(number);
            let mut args = [0; 6];
            for (index, arg) in args.iter_mut().enumerate() {
                *arg = argument(&mut choices, row, index, self.known);
            }
            if let Some(row) = row {
                if !harmless(&self.guest, row, &mut args, self.known.floor) {
                    continue;
                }
                used_names |= row.args.iter().any(|arg| matches!(arg, Arg::Name));
                used_names |= matches!(row.name, "openat" | "openat2" | "bind" | "chdir" | "fchdir");
            }
            self.call(number, row, &args);
        }
        self.clean_up(used_names);
    }

    /// A new guest with some memory and descriptors.
    fn prepare(&mut self, choices: &mut Choices<'_>) {
        let _ = std::fs::create_dir_all(self.folder.join("d"));
        let mut folder = self.folder.as_os_str().as_encoded_bytes().to_vec();
        folder.push(0);
        self.guest.reset("/nonexistent/folder/program");
        host_call(&self.guest, libc::SYS_chdir, &mut [CallArg::In(&folder)]);
        let (guest, known) = (&mut self.guest, self.known);
        for (addr, len) in [(FIXED, FIXED_LEN), (CODE, PAGE), (LAST, PAGE)] {
            let mapped = guest.mmu.map(addr, len, Prot::RW, Backing::Anonymous);
            mapped.unwrap_or_else(|error| panic!("{error}"));
        }
        guest.mmu.write(FIXED, &fixed()).unwrap_or_else(|fault| panic!("{fault:?}"));
        let shown = guest.mmu.protect(FIXED, FIXED_LEN, Prot::R);
        let code = guest.mmu.protect(CODE, PAGE, Prot::RWX);
        shown.and(code).unwrap_or_else(|error| panic!("{error}"));
        guest.mmu.watch_code(CODE, 64);
        for index in 0..16 {
            let element = [pointer(choices, known), length(choices)].map(u64::to_le_bytes);
            guest.put(VECTORS - SCRATCH + index * 16, element.as_flattened());
        }
        for index in 0..4 {
            let header = match choices.byte() % 4 {
                0 => [
                    pointer(choices, known),
                    length(choices),
                    VECTORS,
                    length(choices),
                    pointer(choices, known),
                    length(choices),
                ],
                1 => {
                    let count = u64::from(choices.byte() % 20);
                    [0, 0, VECTORS, count, pointer(choices, known), length(choices)]
                }
                _ => [0, 0, VECTORS, u64::from(choices.byte() % 4), 0, 0],
            };
            guest.put(MESSAGES - SCRATCH + index * 64, header.map(u64::to_le_bytes).as_flattened());
        }
        // A millisecond, for calls that wait.
        guest.put(0x40, [0u64, 1_000_000].map(u64::to_le_bytes).as_flattened());
        const AT_FDCWD: u64 = -100i64 as u64;
        let names = |index: u64| FIXED + index * NAME as u64;
        for (name, args) in [
            ("pipe2", [SCRATCH, 0o4000, 0, 0]),
            ("eventfd2", [1, 0o4000, 0, 0]),
            ("socketpair", [1, 1 | 0o4000, 0, SCRATCH]),
            ("openat", [AT_FDCWD, names(0), 0o102, 0o600]),
            ("openat", [AT_FDCWD, names(2), 0o200_000, 0]),
            ("epoll_create1", [0; 4]),
            ("memfd_create", [names(0), 2, 0, 0]),
        ] {
            let result = guest.call(name, &args);
            assert!(result >= 0, "{name}: {result}");
            // Something to read, from both ends.
            let ends = u64::from_le_bytes(guest.get(0, 8).try_into().unwrap_or_default());
            let writable: &[u64] = match name {
                "pipe2" => &[ends >> 32],
                "socketpair" => &[ends & 0xffff_ffff, ends >> 32],
                _ => &[],
            };
            for end in writable {
                let written = guest.call("write", &[*end, FIXED, 64]);
                assert_eq!(written, 64, "{name}");
            }
        }
    }

    fn call(&mut self, number: u64, row: Option<&Row>, args: &[u64; 6]) {
        let name = row.map_or("unknown", |row| row.name);
        let shown = fixed_of(&self.guest);
        let pc = self.guest.cpu.pc;
        self.watch.begin(self.guest.waker());
        let result = (self.kernel)(&mut self.guest, number, args);
        self.watch.end();
        let interrupted = self.guest.cpu.x(10) == args[0] && self.guest.cpu.pc == pc.wrapping_sub(4);
        let handled = self.guest.cpu.pc != pc;
        // The last errno is EHWPOISON. What rt_sigreturn gives is whatever the frame has in that register.
        let sane = !(-4095..0).contains(&result) || result >= -133 || name == "rt_sigreturn";
        assert!(sane || interrupted || handled, "{name} {args:x?}: {result}");
        assert!(row.is_some() || result == -i64::from(libc::ENOSYS), "{number} {args:x?}: {result}");
        assert!(self.is_untouched(NEAR), "{name} {args:x?} changed the host's memory");
        // What the guest did to these pages itself is its own affair.
        if shown.is_some() && !changes_memory(name) {
            assert_eq!(fixed_of(&self.guest), shown, "{name} {args:x?} changed pages that are not writable");
        }
    }

    fn clean_up(&mut self, used_names: bool) {
        let failed = std::thread::panicking();
        assert!(failed || self.is_untouched(NEIGHBOUR), "a call changed the host's memory");
        assert!(failed || !self.has_leaked(), "a call read the host's memory");
        let last = u64::from(u32::MAX);
        let range = &mut [CallArg::Int(self.known.floor), CallArg::Int(last), CallArg::Int(0)];
        host_call(&self.guest, libc::SYS_close_range, range);
        if used_names {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    /// Whether the host's memory on both sides is as it was, up to a distance from the guest's.
    fn is_untouched(&self, distance: usize) -> bool {
        let (start, end) = (self.known.base as usize, self.known.base as usize + SPACE as usize);
        let [before, behind] = &self.neighbours;
        before.is_untouched(start, distance) && behind.is_untouched(end, distance)
    }

    /// Whether the guest has got to see the host's memory: in its own, or in what its descriptors give.
    fn has_leaked(&self) -> bool {
        let memory = &self.guest.mmu;
        let mut bytes = vec![0; SCRATCH_LEN as usize];
        let _ = memory.read(SCRATCH, &mut bytes);
        if Neighbour::is_found_in(&bytes) {
            return true;
        }
        // POLLIN of all descriptors that it may have: pairs of a number and the events.
        const DESCRIPTORS: u64 = 16;
        let mut polled: Vec<u8> =
            (0..DESCRIPTORS).flat_map(|index| ((self.known.floor + index) | 1 << 32).to_le_bytes()).collect();
        let at_once = [0; 16];
        let int = CallArg::Int;
        let args = &mut [CallArg::Out(&mut polled), int(DESCRIPTORS), CallArg::In(&at_once), int(0), int(8)];
        let _ = memory.host_call(libc::SYS_ppoll, args);
        let ready = polled.chunks_exact(8).zip(self.known.floor..).filter(|(entry, _)| entry[6] & 1 != 0);
        ready.flat_map(|(_, fd)| [(fd, libc::SYS_pread64), (fd, libc::SYS_read)]).any(|(fd, number)| {
            let len = int(bytes.len() as u64);
            let read = memory.host_call(number, &mut [int(fd), CallArg::Out(&mut bytes), len, int(0)]);
            read.is_ok_and(|read| Neighbour::is_found_in(&bytes[..read as usize]))
        })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.clean_up(true);
    }
}

/// A call of the harness itself.
fn host_call(guest: &Guest, number: libc::c_long, args: &mut [CallArg<'_>]) -> u64 {
    guest.mmu.host_call(number, args).unwrap_or_else(|errno| panic!("call {number}: errno {errno}"))
}

/// The contents of [`FIXED`].
fn fixed() -> Vec<u8> {
    let mut bytes = vec![b'x'; FIXED_LEN as usize];
    for (slot, name) in bytes.chunks_exact_mut(NAME).zip(NAMES.iter().chain(&LOOKED_AT)) {
        slot[..name.len()].copy_from_slice(name.as_bytes());
        slot[name.len()] = 0;
    }
    bytes
}

/// What [`FIXED`] holds, if it is there and still not writable.
fn fixed_of(guest: &Guest) -> Option<Vec<u8>> {
    let both =
        [FIXED, FIXED + PAGE].map(|page| guest.mmu.prot(page) == Some(Prot::R) && !guest.mmu.is_shared(page));
    let mut bytes = vec![0; FIXED_LEN as usize];
    let held = both == [true, true] && guest.mmu.read(FIXED, &mut bytes).is_ok();
    held.then_some(bytes)
}

/// Whether a call may change pages that are not writable: mapping them anew, or what they show of a file.
fn changes_memory(name: &str) -> bool {
    matches!(name, "brk" | "munmap" | "mremap" | "mmap" | "mprotect" | "pkey_mprotect" | "madvise")
}

/// A pointer: to something or, more often, to nothing.
fn pointer(choices: &mut Choices<'_>, known: Known) -> u64 {
    let small = u64::from(choices.byte());
    match choices.byte() % 28 {
        0 => 0,
        1 => small,
        2 => 0x1_0000 - small,
        3 => WILD + small,
        4 => FIXED + small * 8,
        5 => FIXED + FIXED_LEN - small,
        6 | 7 => SCRATCH + SCRATCH_LEN - small,
        8 => SCRATCH + SCRATCH_LEN,
        9 => SPACE - 1 - small,
        // The host's memory behind the space and before it, if the base were added and nothing checked.
        10 => SPACE + small * 8,
        11 => SPACE + small * PAGE / 32,
        12 => (small * 8).wrapping_neg(),
        13 => (small * 64).wrapping_neg(),
        // The same, if nothing were added.
        14 => known.base + SPACE + small * 8,
        15 => known.base - small * 8,
        // The guest's memory, if the address were cut.
        16 => SPACE + SCRATCH + small,
        17 => 1 << 40 | SCRATCH,
        18 => VECTORS + small % 16 * 16,
        19 => MESSAGES + small % 4 * 64,
        20 => FIXED + small % (NAMES.len() + LOOKED_AT.len()) as u64 * NAME as u64,
        21 => CODE + small * 16,
        22 => CODE + PAGE - small,
        23 => SCRATCH + 0x40,
        24 => SCRATCH + small * PAGE,
        _ => SCRATCH + small * 8,
    }
}

fn length(choices: &mut Choices<'_>) -> u64 {
    match choices.byte() % 16 {
        0 => u64::MAX,
        1 => i64::MAX as u64,
        2 => 1 << 63,
        3 => SPACE,
        4 => 1 << 31,
        5 => (1 << 31) - 1,
        6 => u64::from(u32::MAX),
        7 => SCRATCH_LEN + 1,
        8 => PAGE << (choices.byte() % 16),
        9 => 1024 + u64::from(choices.byte() & 1),
        10 | 11 => 8,
        _ => u64::from(choices.byte()),
    }
}

fn descriptor(choices: &mut Choices<'_>, floor: u64) -> u64 {
    match choices.byte() % 16 {
        0 => u64::MAX,
        1 => i32::MAX as u64,
        2 => -100i64 as u64,
        3 => 1 << 32 | (floor + u64::from(choices.byte() % 16)),
        4 => choices.number(),
        _ => floor + u64::from(choices.byte() % 12),
    }
}

fn value(choices: &mut Choices<'_>, known: Known) -> u64 {
    match choices.byte() % 8 {
        0 | 1 => pointer(choices, known),
        2 | 3 => length(choices),
        4 => descriptor(choices, known.floor),
        5 => 1 << (choices.byte() % 64),
        _ => choices.number(),
    }
}

fn argument(choices: &mut Choices<'_>, row: Option<&Row>, index: usize, known: Known) -> u64 {
    if choices.byte().is_multiple_of(8) {
        return value(choices, known);
    }
    let format = row.and_then(|row| row.args.get(index)).copied();
    let small = u64::from(choices.byte());
    // What these calls take is hit too rarely by chance.
    if !small.is_multiple_of(4) {
        match (row.map_or("", |row| row.name), index, format) {
            ("sendmsg" | "recvmsg" | "sendmmsg" | "recvmmsg", 1, _) => return MESSAGES + small / 4 % 4 * 64,
            (_, _, Some(Arg::InVec(_) | Arg::OutVec(_))) => return VECTORS + small / 4 % 16 * 16,
            ("ioctl", 1, _) => return REQUESTS[small as usize / 4 % REQUESTS.len()],
            ("ioctl", 2, _) => return pointer(choices, known),
            ("setsockopt" | "getsockopt", 1, _) => return [1, 0, 6, 41][(small / 4 % 4) as usize],
            _ => {}
        }
    }
    match format {
        None => value(choices, known),
        Some(Arg::Fd) => descriptor(choices, known.floor),
        Some(Arg::Long) => length(choices),
        Some(Arg::Int | Arg::Hex | Arg::Mode | Arg::Flags(_)) => match choices.byte() % 4 {
            0 => u64::from(choices.byte() % 16),
            1 => 1 << (choices.byte() % 34),
            2 => u64::from(choices.byte()) << (choices.byte() % 16),
            _ => value(choices, known),
        },
        Some(Arg::Signal) => u64::from(choices.byte() % 70),
        Some(Arg::Path | Arg::Link | Arg::PathAt(_) | Arg::Name) => match choices.byte() % 4 {
            0 => pointer(choices, known),
            _ => FIXED + u64::from(choices.byte()) % (NAMES.len() + LOOKED_AT.len()) as u64 * NAME as u64,
        },
        Some(_) => pointer(choices, known),
    }
}

/// Changes arguments until the call can do no harm; false if it always could.
fn harmless(guest: &Guest, row: &Row, args: &mut [u64; 6], floor: u64) -> bool {
    for (arg, format) in args.iter_mut().zip(row.args) {
        match format {
            Arg::Fd if u64::from(*arg as u32) < floor => *arg = *arg % 16 + floor,
            Arg::Path | Arg::Link | Arg::PathAt(_) if !is_allowed(guest, *arg, true) => *arg = WILD,
            Arg::Name if !is_allowed(guest, *arg, false) => *arg = WILD,
            _ => {}
        }
    }
    let own = u64::from(std::process::id());
    let thread = host_call(guest, libc::SYS_gettid, &mut []);
    let nobody = i32::MAX as u64;
    let one_of = |arg: u64, known: u64| if arg & 1 == 0 { known } else { nobody };
    let clamp = |arg: &mut u64| *arg = if (*arg as i64) < 0 { *arg } else { *arg % 0x1_0000 };
    match row.name {
        // The machine, or this process as a whole.
        "sync" | "syncfs" | "adjtimex" | "capset" | "setsid" | "setpgid" | "setgroups" | "setfsuid"
        | "setfsgid" | "setuid" | "setgid" | "setreuid" | "setregid" | "setresuid" | "setresgid"
        | "mknodat" | "sched_setattr" => {
            return false;
        }
        // Other processes.
        "kill" | "rt_sigqueueinfo" | "pidfd_open" => args[0] = one_of(args[0], own),
        "tkill" => args[0] = one_of(args[0], thread),
        "tgkill" | "rt_tgsigqueueinfo" => {
            args[0] = one_of(args[0], own);
            args[1] = one_of(args[1], thread);
        }
        "setpriority" | "ioprio_set" => args[1] = nobody,
        "sched_setparam" | "sched_setscheduler" | "sched_setaffinity" => args[0] = nobody,
        "prlimit64" | "setrlimit" => {
            let at = usize::from(row.name == "prlimit64");
            if at == 1 {
                args[0] = one_of(args[0], own);
            }
            // Data, stack and address space are the guest's own.
            args[at] = [2, 3, 9, u64::MAX][(args[at] % 4) as usize];
        }
        // Signals of the host to this process: SETOWN, SETSIG, SETOWN_EX, SETLEASE, NOTIFY; waiting for this thread itself:
        // OFD_SETLKW.
        "fcntl" if matches!(args[1] as i32, 8 | 10 | 15 | 1024 | 1026 | 38) => args[1] = 1,
        // Memory and disk: as much as is asked for.
        "fallocate" => args[2..4].iter_mut().for_each(clamp),
        "ftruncate" | "truncate" | "lseek" => clamp(&mut args[1]),
        "pwrite64" | "pwritev" | "pwritev2" => clamp(&mut args[3]),
        "sendfile" => clamp(&mut args[3]),
        "splice" | "copy_file_range" => clamp(&mut args[4]),
        "tee" => clamp(&mut args[2]),
        "getrandom" => clamp(&mut args[1]),
        // The network.
        "socket" | "socketpair" if args[0] as i32 != libc::AF_UNIX => args[0] = u64::MAX,
        // What a link leads to.
        "symlinkat" if !is_allowed(guest, args[0], false) => args[0] = FIXED,
        _ => {}
    }
    true
}

/// Whether a name is one of those in [`FIXED`], or none that the host would be shown.
fn is_allowed(guest: &Guest, addr: GuestAddr, look: bool) -> bool {
    match guest.mmu.read_string(addr, 4095) {
        Ok(Some(name)) if addr < SPACE => {
            let mut known = NAMES.iter().chain(LOOKED_AT.iter().filter(|_| look));
            known.any(|known| known.as_bytes() == name)
        }
        _ => true,
    }
}

/// Ends calls that take long: they wait for something that never comes.
#[derive(Default)]
struct Watch {
    /// Odd while a call is under way, another number for each.
    count: AtomicU64,
    waker: Mutex<Waker>,
}

impl Watch {
    fn begin(&self, waker: Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = waker;
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    fn end(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// Ends a call that was under way the last time already.
    fn look(&self, last: u64) -> u64 {
        let count = self.count.load(Ordering::SeqCst);
        if count == last && count % 2 == 1 {
            self.waker.lock().unwrap_or_else(PoisonError::into_inner).wake();
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::super::rng::Rng;
    use super::*;
    use crate::sys::host::{call, HostArg};
    use std::panic::{catch_unwind, AssertUnwindSafe};

    #[test]
    fn the_memory_on_both_sides_is_watched_to_its_ends() {
        let host = Host::new();
        let (start, end) = host.guest.mmu.host_range();
        let [before, behind] = host.neighbours.each_ref().map(Neighbour::range);
        assert_eq!((before.1, behind.0), (start, end));
        assert_eq!(end - start, SPACE as usize);
        for at in [start - 8, start - NEAR, before.0, end, end + NEAR - 8, behind.1 - 8] {
            let is_near = at.abs_diff(start).min(at.abs_diff(end)) <= NEAR;
            let mut word = Neighbour::WORD;
            for byte in [1, Neighbour::WORD[7]] {
                word[7] = byte;
                let written = put(at, &word);
                assert_eq!(written, Ok(8));
                assert_eq!(host.is_untouched(NEIGHBOUR), byte != 1, "{at:#x}");
                assert!(host.is_untouched(NEAR) || (is_near && byte == 1), "{at:#x}");
            }
        }
    }

    #[test]
    fn what_the_guest_sees_of_the_host_is_found() {
        let mut host = Host::new();
        host.prepare(&mut Choices(&[]));
        assert!(!host.has_leaked());
        let (_, end) = host.guest.mmu.host_range();
        let ends = u64::from_le_bytes(host.guest.get(0, 8).try_into().unwrap());
        for fd in [ends >> 32, ends & 0xffff_ffff] {
            let args = &mut [HostArg::Int(fd), HostArg::Guest(end + 3), HostArg::Int(20)];
            assert_eq!(call(libc::SYS_write, args), Ok(20));
            assert!(host.has_leaked());
            assert!(!host.has_leaked());
        }
        host.guest.put(77, &Neighbour::WORD);
        assert!(host.has_leaked());
        host.guest.put(77, &[0; 8]);
        host.run(&[]);
    }

    /// The kernel writes to any address of the host.
    fn put(at: usize, bytes: &[u8]) -> Result<u64, i32> {
        let path = std::env::temp_dir().join(format!("vmjit-put-{}-{at:x}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let file = std::fs::File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&file) as u64;
        call(libc::SYS_read, &mut [HostArg::Int(fd), HostArg::Guest(at), HostArg::Int(bytes.len() as u64)])
    }

    /// Kernels that would forget a check for one call each: within some thousand inputs that is found.
    #[test]
    fn a_missing_check_is_found() {
        let kernels: [(&str, Kernel); 4] = [
            ("base added, no check", |guest, number, args| {
                let at = guest.mmu.base().wrapping_add(args[1] as usize);
                faulty("fstat", guest, number, args, at, 128)
            }),
            ("nothing added", |guest, number, args| {
                faulty("sysinfo", guest, number, args, args[0] as usize, 112)
            }),
            ("length not checked", |guest, number, args| {
                let at = guest.mmu.base() + args[0] as u32 as usize;
                faulty("uname", guest, number, args, at, 390)
            }),
            ("read", |guest, number, args| {
                let at = guest.mmu.base().wrapping_add(args[1] as usize);
                faulty("bind", guest, number, args, at, 0)
            }),
        ];
        for (what, kernel) in kernels {
            let mut rng = Rng::new(7);
            let mut host = Host::new();
            host.kernel = kernel;
            let found = (0..20_000).position(|_| {
                let len = 200 + rng.below(1000);
                let data = rng.bytes(len);
                catch_unwind(AssertUnwindSafe(|| host.run(&data))).is_err()
            });
            // Its own checks would fail again.
            std::mem::forget(host);
            assert!(found.is_some(), "{what}");
        }
    }

    /// A call `name` that accesses the host's memory at `at` if that is a neighbour of the guest's: writes `len` bytes, or
    /// with 0 gives some of it to the guest. Anywhere else it is as it should be.
    fn faulty(name: &str, guest: &mut Guest, number: u64, args: &[u64; 6], at: usize, len: usize) -> i64 {
        let (start, end) = guest.mmu.host_range();
        let reaches = (start - NEIGHBOUR <= at && at < start - 512)
            || (end - len.max(1) < at && at < end + NEIGHBOUR - 512);
        if find(number).is_some_and(|row| row.name == name) && reaches {
            if len == 0 {
                guest.put(0x100, &Neighbour::WORD);
            } else {
                let written = put(at, &vec![0; len]);
                assert_eq!(written, Ok(len as u64));
            }
            return 0;
        }
        guest.call_number(number, args)
    }
}
