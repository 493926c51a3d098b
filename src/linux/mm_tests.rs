//! The mmap family, call by call, and under random sequences.

use super::super::tests::{Guest, Random, SCRATCH, SCRATCH_LEN, WILD};
use super::*;
use std::os::fd::AsRawFd;

const PRIVATE: u64 = MAP_PRIVATE | MAP_ANONYMOUS;
const NO_FD: u64 = u64::MAX;

fn map(guest: &mut Guest, addr: u64, len: u64, prot: u64, flags: u64) -> i64 {
    guest.call("mmap", &[addr, len, prot, flags, NO_FD, 0])
}

fn error(code: i32) -> i64 {
    -i64::from(code)
}

#[test]
fn mappings_are_placed_from_the_top() {
    let mut guest = Guest::new();
    let first = map(&mut guest, 0, 5000, 3, PRIVATE) as u64;
    assert_eq!(first, 0xff00_0000 - 2 * PAGE);
    assert_eq!(map(&mut guest, 0, PAGE, 3, PRIVATE) as u64, first - PAGE);
    // A hole is used again.
    assert_eq!(guest.call("munmap", &[first, 5000]), 0);
    assert_eq!(map(&mut guest, 0, 2 * PAGE, 3, PRIVATE) as u64, first);
    // Hints are taken if free, ignored if not or impossible.
    assert_eq!(map(&mut guest, 0x5000_0123, PAGE, 3, PRIVATE), 0x5000_0000);
    assert_ne!(map(&mut guest, 0x5000_0000, PAGE, 3, PRIVATE), 0x5000_0000);
    assert!(map(&mut guest, 1 << 40, PAGE, 3, PRIVATE) > 0);
    assert!(map(&mut guest, 0x1000, PAGE, 3, PRIVATE) > 0x1_0000);
}

#[test]
fn fixed_mappings_replace_or_refuse() {
    let mut guest = Guest::new();
    guest.put(0, b"old");
    let fixed = PRIVATE | MAP_FIXED;
    assert_eq!(map(&mut guest, SCRATCH, PAGE, 3, PRIVATE | MAP_FIXED_NOREPLACE), error(libc::EEXIST));
    assert_eq!(map(&mut guest, SCRATCH, PAGE, 3, fixed), SCRATCH as i64);
    assert_eq!(guest.get(0, 3), [0; 3]);
    assert_eq!(map(&mut guest, 0x6000_0000, PAGE, 3, PRIVATE | MAP_FIXED_NOREPLACE), 0x6000_0000);
    assert_eq!(map(&mut guest, SCRATCH + 1, PAGE, 3, fixed), error(libc::EINVAL));
    assert_eq!(map(&mut guest, 0, PAGE, 3, fixed), error(libc::EPERM));
    assert_eq!(map(&mut guest, SPACE, PAGE, 3, fixed), error(libc::ENOMEM));
    assert_eq!(map(&mut guest, TASK_END, PAGE, 3, fixed), error(libc::ENOMEM));
    assert_eq!(map(&mut guest, u64::MAX - 0xfff, PAGE, 3, fixed), error(libc::ENOMEM));
}

/// A mapping that the host refuses only after it has taken away what was there.
#[test]
fn what_a_refused_mapping_has_destroyed_is_gone() {
    const F_ADD_SEALS: u64 = 1033;
    const F_SEAL_WRITE: u64 = 8;
    const F_SEAL_FUTURE_WRITE: u64 = 16;
    for seal in [F_SEAL_WRITE, F_SEAL_FUTURE_WRITE] {
        let mut guest = Guest::new();
        let name = guest.put(0, b"sealed\0");
        let fd = guest.call("memfd_create", &[name, 2]) as u64;
        assert_eq!(guest.call("ftruncate", &[fd, 4 * PAGE]), 0);
        assert_eq!(guest.call("fcntl", &[fd, F_ADD_SEALS, seal]), 0);
        let at = 0x5000_0000;
        assert_eq!(map(&mut guest, at, 4 * PAGE, 3, PRIVATE | MAP_FIXED), at as i64);
        guest.mmu.write(at, b"here").unwrap();
        let mapped = guest.call("mmap", &[at, 2 * PAGE, 3, MAP_SHARED | MAP_FIXED, fd, 0]);
        assert_eq!(mapped, error(libc::EPERM));
        for page in (0..4).map(|index| at + index * PAGE) {
            // As the host sees it, so the page bytes say; in any case the access ends.
            assert_eq!(guest.mmu.write(page, b"x").is_ok(), guest.mmu.is_mapped(page, PAGE));
        }
        assert!(guest.mmu.is_mapped(at + 2 * PAGE, 2 * PAGE));
        assert_eq!(guest.call("close", &[fd]), 0);
    }
}

/// Nothing of the host's can come to lie in the space while pages move, however they do.
#[test]
fn pages_move_shrink_and_grow() {
    let mut guest = Guest::new();
    let at = 0x5000_0000;
    for (old_len, new_len) in [(4, 4), (4, 2), (2, 7)] {
        for flags in [PRIVATE, MAP_SHARED | MAP_ANONYMOUS] {
            let (old_len, new_len) = (old_len * PAGE, new_len * PAGE);
            assert_eq!(map(&mut guest, at, old_len, 3, flags | MAP_FIXED), at as i64);
            guest.mmu.write(at + PAGE, b"second page").unwrap();
            let to = at + 64 * PAGE;
            assert_eq!(guest.call("mremap", &[at, old_len, new_len, 3, to]), to as i64);
            let mut bytes = [0; 11];
            guest.mmu.read(to + PAGE, &mut bytes).unwrap();
            assert_eq!(&bytes, b"second page");
            assert!(guest.mmu.is_free(at, old_len) && guest.mmu.is_mapped(to, new_len));
            assert!(guest.mmu.read(at, &mut bytes).is_err());
            // Shared memory has no more pages than it had.
            let written = guest.mmu.write(to + new_len - 8, &[1; 8]);
            assert_eq!(written.is_ok(), new_len <= old_len || flags == PRIVATE);
            assert_eq!(guest.call("munmap", &[to, new_len]), 0);
        }
    }
}

#[test]
fn impossible_requests_fail_as_on_linux() {
    let mut guest = Guest::new();
    assert_eq!(map(&mut guest, 0, 0, 3, PRIVATE), error(libc::EINVAL));
    for len in [SPACE, SPACE - PAGE, 1 << 46, u64::MAX, u64::MAX - PAGE] {
        assert_eq!(map(&mut guest, 0, len, 3, PRIVATE), error(libc::ENOMEM), "{len:#x}");
    }
    assert_eq!(map(&mut guest, 0, PAGE, 3, MAP_ANONYMOUS), error(libc::EINVAL));
    assert_eq!(map(&mut guest, 0, PAGE, 3, MAP_PRIVATE), error(libc::EBADF));
    assert_eq!(guest.call("mmap", &[0, PAGE, 3, MAP_PRIVATE, 9999, 0]), error(libc::EBADF));
    assert_eq!(guest.call("mmap", &[0, PAGE, 3, MAP_PRIVATE, 0, 1]), error(libc::EINVAL));
    for (addr, len) in [(1, PAGE), (0, 0), (SPACE, PAGE), (0, u64::MAX)] {
        assert_eq!(guest.call("munmap", &[addr, len]), error(libc::EINVAL));
    }
    assert_eq!(guest.call("munmap", &[WILD, PAGE]), 0);
    assert_eq!(guest.call("mprotect", &[WILD, PAGE, 1]), error(libc::ENOMEM));
    assert_eq!(guest.call("mprotect", &[SCRATCH, SCRATCH_LEN + PAGE, 1]), error(libc::ENOMEM));
    assert_eq!(guest.call("mprotect", &[SCRATCH + 1, PAGE, 1]), error(libc::EINVAL));
    assert_eq!(guest.call("mprotect", &[SCRATCH, PAGE, 0x40]), error(libc::EINVAL));
    assert_eq!(guest.call("mprotect", &[SCRATCH, u64::MAX, 1]), error(libc::ENOMEM));
    assert_eq!(guest.call("madvise", &[SCRATCH, PAGE, 100]), error(libc::EINVAL));
    assert_eq!(guest.call("madvise", &[WILD, PAGE, 4]), error(libc::ENOMEM));
}

#[test]
fn protection_is_enforced() {
    let mut guest = Guest::new();
    assert_eq!(guest.call("mprotect", &[SCRATCH, PAGE, 1]), 0);
    assert_eq!(guest.mmu.prot(SCRATCH), Some(Prot::R));
    assert_eq!(guest.call("uname", &[SCRATCH]), error(libc::EFAULT));
    assert_eq!(guest.call("mprotect", &[SCRATCH, PAGE, 3]), 0);
    assert_eq!(guest.call("uname", &[SCRATCH]), 0);
    assert_eq!(guest.call("madvise", &[SCRATCH, PAGE, 4]), 0);
    assert_eq!(guest.get(0, 4), [0; 4]);
}

#[test]
fn the_heap_grows_and_shrinks() {
    let mut guest = Guest::new();
    let start = guest.call("brk", &[0]) as u64;
    assert_eq!(guest.call("brk", &[start + 10]) as u64, start + 10);
    guest.mmu.write(start, b"heap").unwrap();
    assert_eq!(guest.call("brk", &[start + 5 * PAGE]) as u64, start + 5 * PAGE);
    assert!(guest.mmu.is_mapped(start, 5 * PAGE) && guest.mmu.is_free(start + 5 * PAGE, PAGE));
    assert_eq!(guest.call("brk", &[start + PAGE]) as u64, start + PAGE);
    assert!(guest.mmu.is_free(start + PAGE, PAGE));
    // Impossible ends leave it alone.
    for end in [start - 1, u64::MAX, SPACE, 1] {
        assert_eq!(guest.call("brk", &[end]) as u64, start + PAGE);
    }
    map(&mut guest, start + 3 * PAGE, PAGE, 3, PRIVATE | MAP_FIXED);
    assert_eq!(guest.call("brk", &[start + 4 * PAGE]) as u64, start + PAGE);
    let mut back = [0; 4];
    guest.mmu.read(start, &mut back).unwrap();
    assert_eq!(&back, b"heap");
}

#[test]
fn mappings_move_and_grow() {
    let mut guest = Guest::new();
    let at = map(&mut guest, 0x4000_0000, 2 * PAGE, 3, PRIVATE) as u64;
    guest.mmu.write(at, b"data").unwrap();
    let holds = |guest: &Guest, at: u64| {
        let mut back = [0; 4];
        guest.mmu.read(at, &mut back).is_ok_and(|()| back == *b"data")
    };
    // In place, then elsewhere because something is in the way, then to a given place.
    assert_eq!(guest.call("mremap", &[at, 2 * PAGE, 4 * PAGE, 0, 0]) as u64, at);
    assert!(guest.mmu.is_mapped(at, 4 * PAGE));
    map(&mut guest, at + 4 * PAGE, PAGE, 1, PRIVATE | MAP_FIXED);
    assert_eq!(guest.call("mremap", &[at, 4 * PAGE, 5 * PAGE, 0, 0]), error(libc::ENOMEM));
    let moved = guest.call("mremap", &[at, 4 * PAGE, 6 * PAGE, 1, 0]) as u64;
    assert!(moved != at && holds(&guest, moved) && guest.mmu.is_free(at, 4 * PAGE));
    assert!(guest.mmu.is_mapped(moved, 6 * PAGE));
    let to = 0x4800_0000;
    assert_eq!(guest.call("mremap", &[moved, 6 * PAGE, 2 * PAGE, 3, to]) as u64, to);
    assert!(
        holds(&guest, to) && guest.mmu.is_free(moved, 6 * PAGE) && guest.mmu.is_free(to + 2 * PAGE, PAGE)
    );
    // DONTUNMAP leaves the old pages there, empty.
    let kept = guest.call("mremap", &[to, 2 * PAGE, 2 * PAGE, 5, 0]) as u64;
    assert!(holds(&guest, kept) && guest.mmu.is_mapped(to, 2 * PAGE) && !holds(&guest, to));
    // Shrinking.
    assert_eq!(guest.call("mremap", &[kept, 2 * PAGE, PAGE, 0, 0]) as u64, kept);
    assert!(guest.mmu.is_free(kept + PAGE, PAGE));
    // What cannot be.
    let cases: [(&[u64], i32); 6] = [
        (&[WILD, PAGE, 2 * PAGE, 1, 0], libc::EFAULT),
        (&[kept + 1, PAGE, PAGE, 1, 0], libc::EINVAL),
        (&[kept, PAGE, 0, 1, 0], libc::EINVAL),
        (&[kept, PAGE, PAGE, 2, to], libc::EINVAL),
        (&[kept, PAGE, PAGE, 3, kept], libc::EINVAL),
        (&[kept, PAGE, 1 << 40, 1, 0], libc::ENOMEM),
    ];
    for (args, want) in cases {
        assert_eq!(guest.call("mremap", args), error(want), "{args:x?}");
    }
}

#[test]
fn several_host_mappings_move_as_one() {
    let mut guest = Guest::new();
    let at = 0x4000_0000;
    map(&mut guest, at, PAGE, 3, PRIVATE | MAP_FIXED);
    map(&mut guest, at + PAGE, PAGE, 3, PRIVATE | MAP_FIXED);
    guest.mmu.write(at + PAGE - 2, b"data").unwrap();
    // Different advice keeps the host from joining the two.
    guest.call("madvise", &[at, PAGE, 16]);
    let moved = guest.call("mremap", &[at, 2 * PAGE, 3 * PAGE, 3, 0x4800_0000]) as u64;
    assert_eq!(moved, 0x4800_0000);
    let mut back = [0; 4];
    guest.mmu.read(moved + PAGE - 2, &mut back).unwrap();
    assert_eq!(&back, b"data");
    assert!(guest.mmu.is_free(at, 2 * PAGE) && guest.mmu.is_mapped(moved, 3 * PAGE));
}

#[test]
fn files_are_mapped_private_and_shared() {
    let path = std::env::temp_dir().join(format!("vmjit-mm-{}", std::process::id()));
    std::fs::write(&path, [b'x'; 5000]).unwrap();
    let file = std::fs::File::options().read(true).write(true).open(&path).unwrap();
    let fd = file.as_raw_fd() as u64;
    let mut guest = Guest::new();
    let shared = guest.call("mmap", &[0, 2 * PAGE, 3, MAP_SHARED, fd, 0]) as u64;
    let private = guest.call("mmap", &[0, 4 * PAGE, 3, MAP_PRIVATE, fd, PAGE]) as u64;
    assert_eq!(
        crate::base::lock(&guest.thread.process.memory).files.pieces(private, private + 1)[0].1.offset,
        PAGE
    );
    guest.mmu.write(shared, b"shared").unwrap();
    guest.mmu.write(private, b"private").unwrap();
    assert_eq!(guest.call("msync", &[shared, 2 * PAGE, libc::MS_SYNC as u64]), 0);
    let contents = std::fs::read(&path).unwrap();
    assert!(contents.starts_with(b"sharedx") && contents[4096..].iter().all(|&byte| byte == b'x'));
    // Beyond the end of the file.
    let fault = guest.mmu.read_u64(private + 2 * PAGE).unwrap_err();
    assert!(fault.beyond_file);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn failed_calls_leave_no_hole() {
    let mut guest = Guest::new();
    // A pipe cannot be mapped, which some kernels find out when the old mapping is gone.
    assert_eq!(guest.call("pipe2", &[SCRATCH, 0]), 0);
    let read = guest.mmu.read_u64(SCRATCH).unwrap() & 0xffff_ffff;
    for addr in [SCRATCH + PAGE, 0x5000_0000] {
        assert!(guest.call("mmap", &[addr, PAGE, 1, MAP_PRIVATE | MAP_FIXED, read, 0]) < 0);
        let mut resident = [0];
        let args = &mut [CallArg::Guest { addr, len: PAGE }, CallArg::Int(PAGE), CallArg::Out(&mut resident)];
        assert_eq!(guest.mmu.host_call(libc::SYS_mincore, args), Ok(0));
    }
}

#[test]
fn random_sequences_stay_in_bounds() {
    let mut guest = Guest::new();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let names = ["mmap", "munmap", "mprotect", "mremap", "brk", "madvise", "msync", "mincore", "mlock2"];
    for _ in 0..20_000 {
        let name = random.pick(&names);
        let near = SCRATCH + random.next() % 64 * PAGE;
        let addr =
            random.pick(&[near, near, near, near + 1, 0, TASK_END - PAGE, SPACE - PAGE, u64::MAX - 0xfff]);
        let len = random.pick(&[PAGE, 3 * PAGE, 10 * PAGE, 1, 0, SPACE, u64::MAX]);
        let third = random.pick(&[0, 1, 3, 5, 7, PAGE, 6 * PAGE, u64::MAX]);
        let flags =
            random.pick(&[PRIVATE, PRIVATE | MAP_FIXED, PRIVATE | MAP_FIXED_NOREPLACE, 0x21, 1, 3, 5, 7]);
        let fifth = random.pick(&[NO_FD, near + 70 * PAGE]);
        guest.call(name, &[addr, len, third, flags, fifth, 0]);
    }
    let regions = guest.mmu.regions();
    assert!(regions.iter().all(|region| region.start >= LOWEST && region.end <= TASK_END));
}
