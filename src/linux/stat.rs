//! stat(2) of the guest by statx(2) of the host.

use super::abi::{self, STATX};
use super::call::{Call, SysResult};
use super::path::Follow;
use crate::mmu::CallArg;

/// `STATX_BASIC_STATS`: what `struct stat` has.
const BASIC: u64 = 0x7ff;

/// newfstatat(dir, path, stat, flags).
pub fn newfstatat(call: &mut Call<'_>) -> SysResult {
    let flags = call.int(3);
    let known = libc::AT_SYMLINK_NOFOLLOW | libc::AT_EMPTY_PATH | libc::AT_NO_AUTOMOUNT;
    if flags & !known != 0 {
        return Err(libc::EINVAL);
    }
    let follow = if flags & libc::AT_SYMLINK_NOFOLLOW != 0 { Follow::No } else { Follow::Yes };
    let path = call.path(1, follow)?;
    by_statx(call, call.args[0], &path, flags, call.args[2])
}

/// fstat(fd, stat).
pub fn fstat(call: &mut Call<'_>) -> SysResult {
    // To statx this number would mean the working directory.
    if call.int(0) == libc::AT_FDCWD {
        return Err(libc::EBADF);
    }
    by_statx(call, call.args[0], b"\0", libc::AT_EMPTY_PATH, call.args[1])
}

fn by_statx(call: &Call<'_>, dir: u64, path: &[u8], flags: i32, to: u64) -> SysResult {
    let mut statx = [0; STATX];
    let mut args = [
        CallArg::Int(dir),
        CallArg::In(path),
        CallArg::Int(flags as u64),
        CallArg::Int(BASIC),
        CallArg::Out(&mut statx),
    ];
    call.host(libc::SYS_statx, &mut args)?;
    call.write(to, &abi::stat_of(&statx))?;
    Ok(0)
}
