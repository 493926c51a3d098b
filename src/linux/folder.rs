//! Reading folders. Of the host's threads a guest sees those that are its own.

use super::args::{pass, Arg};
use super::call::{Call, SysResult};
use crate::base::lock;
use std::os::unix::ffi::OsStrExt;

/// Where an entry (`struct linux_dirent64`, getdents(2)) has its length, and its name, which ends with a NUL.
const LENGTH: usize = 16;
const NAME: usize = 19;

/// getdents64(fd, entries, size).
pub fn getdents64(call: &mut Call<'_>) -> SysResult {
    loop {
        let len = pass(call, libc::SYS_getdents64, &[Arg::Fd, Arg::Array(2, 1), Arg::Long])?;
        // In the list of threads the first entry behind the folder itself and the one around it is the process's own id.
        // Other folders are not looked at twice.
        let mut entries = vec![0; len as usize];
        if len == 0 || call.read(call.args[1], &mut entries).is_err() || !has_numbers(&entries) {
            return Ok(len);
        }
        if !is_list_of_threads(call.int(0)) {
            return Ok(len);
        }
        let mut own: Vec<i32> = lock(&call.process.threads.list).iter().map(|peer| peer.tid()).collect();
        own.push(call.thread.tid());
        let kept = retain(&entries, |name| number(name).is_none_or(|tid| own.contains(&tid)));
        if !kept.is_empty() {
            call.write(call.args[1], &kept)?;
            return Ok(kept.len() as u64);
        }
        // Nothing would say that this is the end.
    }
}

/// The entries, each with its name.
fn each(entries: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = entries;
    std::iter::from_fn(move || {
        let length = rest.get(LENGTH..LENGTH + 2)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))?;
        let (entry, behind) = rest.split_at_checked(usize::from(length))?;
        rest = behind;
        let name = entry.get(NAME..)?;
        let end = name.iter().position(|&byte| byte == 0)?;
        Some((entry, &name[..end]))
    })
}

fn number(name: &[u8]) -> Option<i32> {
    std::str::from_utf8(name).ok()?.parse().ok()
}

fn has_numbers(entries: &[u8]) -> bool {
    each(entries).take(3).any(|(_, name)| number(name).is_some())
}

fn retain(entries: &[u8], keep: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    each(entries).filter(|(_, name)| keep(name)).flat_map(|(entry, _)| entry.to_vec()).collect()
}

/// Whether an open folder is `/proc/PID/task` of this process.
fn is_list_of_threads(fd: i32) -> bool {
    let path = std::fs::read_link(format!("/proc/thread-self/fd/{fd}")).unwrap_or_default();
    let Some(rest) = path.as_os_str().as_bytes().strip_prefix(b"/proc/") else { return false };
    let mut words = rest.split(|&byte| byte == b'/');
    let pid = words.next().and_then(number).map(i64::from);
    // Of a thread it is the same list.
    let (pid, word) = match (pid, words.next()) {
        (pid, Some(b"task")) => (pid, words.next()),
        _ => return false,
    };
    pid == Some(i64::from(std::process::id())) && word.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Vec<u8> {
        let length = (NAME + name.len() + 1).next_multiple_of(8);
        let mut entry = vec![0; length];
        entry[LENGTH..LENGTH + 2].copy_from_slice(&(length as u16).to_le_bytes());
        entry[NAME..NAME + name.len()].copy_from_slice(name.as_bytes());
        entry
    }

    #[test]
    fn entries_are_told_apart() {
        let entries = [entry("."), entry(".."), entry("17"), entry("a longer name"), entry("18")].concat();
        assert!(has_numbers(&entries));
        assert!(!has_numbers(&[entry("."), entry("x")].concat()));
        let kept = retain(&entries, |name| number(name).is_none_or(|tid| tid == 18));
        let names: Vec<&[u8]> = each(&kept).map(|(_, name)| name).collect();
        assert_eq!(names, [&b"."[..], b"..", b"a longer name", b"18"]);
        assert_eq!(each(&entries[..30]).count(), 1);
    }

    #[test]
    fn the_list_of_threads_is_known_by_its_name() {
        use std::os::fd::AsRawFd;
        let is = |path: &str| is_list_of_threads(std::fs::File::open(path).unwrap().as_raw_fd());
        assert!(is("/proc/self/task"));
        assert!(is(&format!("/proc/{}/task", std::process::id())));
        assert!(!is("/proc/self") && !is("/proc/1/task") && !is("/tmp"));
    }
}
