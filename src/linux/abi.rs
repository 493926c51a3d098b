//! Structures and flags where riscv64 (Linux's asm-generic ABI) and a host differ. Everything else that crosses the
//! border - times, limits, usage, statfs, locks, terminals, socket messages - has one layout on all 64-bit Linux.
//!
//! Source: Linux `include/uapi/asm-generic/{stat,fcntl}.h`, `include/uapi/linux/{stat,eventpoll}.h`.

/// Size of the guest's `struct stat`.
pub const STAT: usize = 128;
/// Size of `struct statx`, the same everywhere.
pub const STATX: usize = 256;
/// Size of the guest's `struct epoll_event`: x86-64 alone packs it to 12 bytes.
pub const EPOLL_EVENT: usize = 16;
/// Size of the host's.
pub const HOST_EPOLL_EVENT: usize = size_of::<libc::epoll_event>();

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|field| field.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|field| field.try_into().ok()).map_or(0, u64::from_le_bytes)
}

/// The guest's `struct stat` from what the host's `statx` wrote. (`statx` has one layout on every host, `stat` has
/// not.)
pub fn stat_of(statx: &[u8; STATX]) -> [u8; STAT] {
    let (short, long) = (|at| u32_at(statx, at), |at| u64_at(statx, at));
    let mode = u32::from(u16::from_le_bytes([statx[28], statx[29]]));
    let device = |at: usize| libc::makedev(short(at), short(at + 4));
    let mut stat = [0; STAT];
    let mut put = |at: usize, field: &[u8]| stat[at..at + field.len()].copy_from_slice(field);
    put(0, &device(136).to_le_bytes());
    put(8, &long(32).to_le_bytes());
    put(16, &mode.to_le_bytes());
    put(20, &short(16).to_le_bytes());
    put(24, &short(20).to_le_bytes());
    put(28, &short(24).to_le_bytes());
    put(32, &device(128).to_le_bytes());
    put(48, &long(40).to_le_bytes());
    put(56, &short(4).to_le_bytes());
    put(64, &long(48).to_le_bytes());
    // Access, modification and change: seconds and nanoseconds, in another order than statx has them.
    for (to, from) in [(72, 64), (88, 112), (104, 96)] {
        put(to, &long(from).to_le_bytes());
        put(to + 8, &u64::from(short(from + 8)).to_le_bytes());
    }
    stat
}

/// Open flags whose bits differ between architectures: the guest's and the host's.
const OPEN_FLAGS: [(i32, i32); 3] =
    [(0o40_000, libc::O_DIRECT), (0o200_000, libc::O_DIRECTORY), (0o400_000, libc::O_NOFOLLOW)];
/// `O_LARGEFILE` of the guest and of the host's kernel, which sets it by itself. The C library calls it 0.
const GUEST_LARGEFILE: i32 = 0o100_000;
const HOST_LARGEFILE: i32 = if libc::O_DIRECTORY == 0o200_000 { 0o100_000 } else { 0o400_000 };

/// Open flags for the host.
pub fn open_flags_to_host(flags: i32) -> i32 {
    let rest = OPEN_FLAGS.iter().fold(flags & !GUEST_LARGEFILE, |rest, pair| rest & !pair.0);
    OPEN_FLAGS.iter().filter(|pair| flags & pair.0 != 0).fold(rest, |all, pair| all | pair.1)
}

/// Open flags as the guest knows them.
pub fn open_flags_to_guest(flags: i32) -> i32 {
    let all = [OPEN_FLAGS[0], OPEN_FLAGS[1], OPEN_FLAGS[2], (GUEST_LARGEFILE, HOST_LARGEFILE)];
    let rest = all.iter().fold(flags, |rest, pair| rest & !pair.1);
    all.iter().filter(|pair| flags & pair.1 != 0).fold(rest, |all, pair| all | pair.0)
}

/// A guest's `epoll_event` for the host.
pub fn epoll_to_host(event: &[u8; EPOLL_EVENT]) -> [u8; HOST_EPOLL_EVENT] {
    let mut host = [0; HOST_EPOLL_EVENT];
    host[..4].copy_from_slice(&event[..4]);
    host[HOST_EPOLL_EVENT - 8..].copy_from_slice(&event[EPOLL_EVENT - 8..]);
    host
}

/// A host's `epoll_event` for the guest.
pub fn epoll_to_guest(event: &[u8]) -> [u8; EPOLL_EVENT] {
    let mut guest = [0; EPOLL_EVENT];
    guest[..4].copy_from_slice(&event[..4]);
    guest[EPOLL_EVENT - 8..].copy_from_slice(&event[event.len() - 8..]);
    guest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_fields_go_to_their_places() {
        let mut statx = [0; STATX];
        let mut put = |at: usize, field: &[u8]| statx[at..at + field.len()].copy_from_slice(field);
        put(4, &4096u32.to_le_bytes());
        put(16, &3u32.to_le_bytes());
        put(20, &1000u32.to_le_bytes());
        put(24, &1001u32.to_le_bytes());
        put(28, &0o100_644u16.to_le_bytes());
        put(32, &77u64.to_le_bytes());
        put(40, &(1u64 << 40).to_le_bytes());
        put(48, &9u64.to_le_bytes());
        for (at, seconds) in [(64, 10u64), (96, 30), (112, 20)] {
            put(at, &seconds.to_le_bytes());
            put(at + 8, &(seconds as u32 + 1).to_le_bytes());
        }
        put(136, &8u32.to_le_bytes());
        put(140, &300u32.to_le_bytes());
        let stat = stat_of(&statx);
        let long = |at| u64_at(&stat, at);
        assert_eq!(long(0), libc::makedev(8, 300));
        assert_eq!((long(8), long(48), long(64)), (77, 1 << 40, 9));
        assert_eq!([16, 20, 24, 28, 56].map(|at| u32_at(&stat, at)), [0o100_644, 3, 1000, 1001, 4096]);
        assert_eq!([72, 80, 88, 96, 104, 112].map(long), [10, 11, 20, 21, 30, 31]);
    }

    #[test]
    fn open_flags_survive_the_round_trip() {
        for flags in [0, 0o101, 0o40_000, 0o200_000, 0o600_000, 0o2_644_000] {
            assert_eq!(open_flags_to_guest(open_flags_to_host(flags)), flags);
        }
        assert_eq!(open_flags_to_host(GUEST_LARGEFILE), 0);
        assert_eq!(open_flags_to_guest(HOST_LARGEFILE), GUEST_LARGEFILE);
    }

    #[test]
    fn epoll_events_keep_flags_and_data() {
        let mut event = [0; EPOLL_EVENT];
        event[0] = 1;
        event[8..].copy_from_slice(&0x1122_3344_5566_7788u64.to_le_bytes());
        assert_eq!(epoll_to_guest(&epoll_to_host(&event)), event);
    }
}
