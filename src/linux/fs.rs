//! Files: opening them, and the calls whose flags or results need a look. Reading, writing and the rest go to the
//! host as the table says.

use super::abi;
use super::call::{Call, SysResult, PATH_MAX};
use super::path::{Follow, Special};
use super::proc;
use crate::mmu::CallArg;
use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt;

/// openat(dir, path, flags, mode).
pub fn openat(call: &mut Call<'_>) -> SysResult {
    let flags = abi::open_flags_to_host(call.int(2));
    let mut path = call.string(1)?;
    path.pop();
    if let Some(fd) = special(call, &path, flags)? {
        return Ok(fd);
    }
    let path = host_path(call, &path, flags);
    let args = &mut [call.raw(0), CallArg::In(&path), CallArg::Int(flags as u64), call.raw(3)];
    call.host(libc::SYS_openat, args)
}

/// openat2(dir, path, how, size); `struct open_how` is flags, mode, resolve.
pub fn openat2(call: &mut Call<'_>) -> SysResult {
    const HOW: u64 = 24;
    let size = call.args[3];
    if !(HOW..=4096).contains(&size) {
        return Err(if size > 4096 { libc::E2BIG } else { libc::EINVAL });
    }
    let [flags, mode, resolve] = call.words::<3>(call.args[2])?;
    let mut rest = vec![0; (size - HOW) as usize];
    call.read(call.args[2].wrapping_add(HOW), &mut rest)?;
    let flags = i32::try_from(flags).map_err(|_| libc::EINVAL)?;
    if rest.iter().any(|&byte| byte != 0) {
        return Err(libc::E2BIG);
    }
    let flags = abi::open_flags_to_host(flags);
    let mut path = call.string(1)?;
    path.pop();
    // With restrictions on the lookup the path is the guest's business alone.
    if resolve == 0 {
        if let Some(fd) = special(call, &path, flags)? {
            return Ok(fd);
        }
        path = host_path(call, &path, flags);
    } else {
        path.push(0);
    }
    let how: Vec<u8> = [flags as u64, mode, resolve].iter().flat_map(|word| word.to_le_bytes()).collect();
    call.host(libc::SYS_openat2, &mut [call.raw(0), CallArg::In(&path), CallArg::In(&how), CallArg::Int(HOW)])
}

/// The path for the host, with its NUL.
fn host_path(call: &Call<'_>, path: &[u8], flags: i32) -> Vec<u8> {
    let follow = if flags & libc::O_NOFOLLOW != 0 { Follow::No } else { Follow::Yes };
    let mut path = call.process.paths.host(path, follow).into_owned();
    path.push(0);
    path
}

/// A descriptor for a file whose contents are made here; `None` for all others.
fn special(call: &mut Call<'_>, path: &[u8], flags: i32) -> Result<Option<u64>, i32> {
    let path = whole_name(call.int(0), path);
    let Some(special) = call.process.paths.special(&path) else { return Ok(None) };
    let Some(contents) = proc::contents(call, special) else {
        return if special == Special::Mem { Err(libc::EACCES) } else { Ok(None) };
    };
    if flags & libc::O_ACCMODE != libc::O_RDONLY {
        return Err(libc::EACCES);
    }
    if flags & libc::O_DIRECTORY != 0 {
        return Err(libc::ENOTDIR);
    }
    memory_file(call, &contents, flags).map(Some)
}

/// The name of a file below an open folder of `/proc`, whole; other paths as they are.
fn whole_name(folder: i32, path: &[u8]) -> Cow<'_, [u8]> {
    let relative = folder >= 0 && path.first() != Some(&b'/');
    let file = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    if !relative || !proc::NAMES.contains(&file) {
        return Cow::Borrowed(path);
    }
    match std::fs::read_link(format!("/proc/thread-self/fd/{folder}")) {
        Ok(folder) if folder.starts_with("/proc") => {
            Cow::Owned([folder.as_os_str().as_bytes(), b"/", path].concat())
        }
        _ => Cow::Borrowed(path),
    }
}

/// A descriptor of a new anonymous file with these contents, to be read from the start.
fn memory_file(call: &Call<'_>, contents: &[u8], flags: i32) -> SysResult {
    let cloexec = if flags & libc::O_CLOEXEC != 0 { u64::from(libc::MFD_CLOEXEC) } else { 0 };
    let fd = call.host(libc::SYS_memfd_create, &mut [CallArg::In(b"proc\0"), CallArg::Int(cloexec)])?;
    let mut done = 0;
    while done < contents.len() {
        let rest = &contents[done..];
        let args = &mut [
            CallArg::Int(fd),
            CallArg::In(rest),
            CallArg::Int(rest.len() as u64),
            CallArg::Int(done as u64),
        ];
        match call.host(libc::SYS_pwrite64, args) {
            Ok(0) => break,
            Ok(more) => done += more as usize,
            Err(libc::EINTR) => {}
            Err(errno) => {
                let _ = call.host(libc::SYS_close, &mut [CallArg::Int(fd)]);
                return Err(errno);
            }
        }
    }
    Ok(fd)
}

/// close(fd): done even if it says EINTR, so it is not to be made again.
pub fn close(call: &mut Call<'_>) -> SysResult {
    match call.host(libc::SYS_close, &mut [call.raw(0)]) {
        Err(libc::EINTR) => Ok(0),
        result => result,
    }
}

/// readlinkat(dir, path, buf, size).
pub fn readlinkat(call: &mut Call<'_>) -> SysResult {
    let size = call.int(3);
    if size <= 0 {
        return Err(libc::EINVAL);
    }
    let mut guest_path = call.string(1)?;
    guest_path.pop();
    let paths = &call.process.paths;
    let target = if paths.special(&guest_path) == Some(Special::Exe) {
        paths.exe.as_os_str().as_bytes().to_vec()
    } else {
        let path = call.path(1, Follow::No)?;
        let mut target = vec![0; PATH_MAX];
        let limit = CallArg::Int(PATH_MAX as u64);
        let args = &mut [call.raw(0), CallArg::In(&path), CallArg::Out(&mut target), limit];
        let len = call.host(libc::SYS_readlinkat, args)?;
        target.truncate(len as usize);
        // What the kernel says about open files is in terms of the host.
        if guest_path.starts_with(b"/proc/") {
            paths.guest(&target).to_vec()
        } else {
            target
        }
    };
    let len = target.len().min(size as usize);
    call.write(call.args[2], &target[..len])?;
    Ok(len as u64)
}

/// chdir(path): to the host's directory, or to the sysroot's if only that has it, so that a guest can work in its own
/// files and still finds the user's.
pub fn chdir(call: &mut Call<'_>) -> SysResult {
    let path = call.string(0)?;
    match call.host(libc::SYS_chdir, &mut [CallArg::In(&path)]) {
        Err(libc::ENOENT) => {
            let path = call.path(0, Follow::Yes)?;
            call.host(libc::SYS_chdir, &mut [CallArg::In(&path)])
        }
        result => result,
    }
}

/// pipe2(fds, flags).
pub fn pipe2(call: &mut Call<'_>) -> SysResult {
    let flags = abi::open_flags_to_host(call.int(1));
    call.host(libc::SYS_pipe2, &mut [call.guest(0, 8), CallArg::Int(flags as u64)])
}

/// sync_file_range(fd, offset, length, flags): by fdatasync, which does at least as much and has a number on every
/// host.
pub fn sync_file_range(call: &mut Call<'_>) -> SysResult {
    let [_, offset, len, flags, ..] = call.args;
    let in_range = (offset as i64) >= 0
        && (len as i64) >= 0
        && offset.checked_add(len).is_some_and(|end| end as i64 >= 0);
    if flags & !7 != 0 || !in_range {
        return Err(libc::EINVAL);
    }
    call.host(libc::SYS_fdatasync, &mut [call.raw(0)])
}

/// close_range(first, last, flags).
pub fn close_range(call: &mut Call<'_>) -> SysResult {
    // CLOSE_RANGE_UNSHARE would give this thread a descriptor table of its own; only CLOSE_RANGE_CLOEXEC is left.
    if call.args[2] & !4 != 0 {
        return Err(libc::EINVAL);
    }
    call.host(libc::SYS_close_range, &mut [call.raw(0), call.raw(1), call.raw(2)])
}

/// fcntl(fd, command, argument).
pub fn fcntl(call: &mut Call<'_>) -> SysResult {
    let pass = |arg: CallArg<'_>| call.host(libc::SYS_fcntl, &mut [call.raw(0), call.raw(1), arg]);
    match call.int(1) {
        libc::F_GETFL => {
            let flags = pass(CallArg::Int(0))?;
            Ok(abi::open_flags_to_guest(flags as i32) as u64)
        }
        libc::F_SETFL => pass(CallArg::Int(abi::open_flags_to_host(call.int(2)) as u64)),
        // F_GETLK, F_SETLK, F_SETLKW and F_OFD_*: struct flock.
        5..=7 | 36..=38 => pass(call.guest(2, 32)),
        // F_SETOWN_EX, F_GETOWN_EX: type and id.
        15 | 16 => pass(call.guest(2, 8)),
        // F_GET_RW_HINT to F_SET_FILE_RW_HINT.
        1035..=1038 => pass(call.guest(2, 8)),
        // F_DUPFD, F_GETFD, F_SETFD; F_SETOWN to F_GETSIG; F_SETLEASE, F_GETLEASE, F_NOTIFY; F_DUPFD_CLOEXEC;
        // F_SETPIPE_SZ to F_GET_SEALS.
        0..=2 | 8..=11 | 1024..=1026 | 1030..=1034 => pass(call.raw(2)),
        _ => Err(libc::EINVAL),
    }
}
