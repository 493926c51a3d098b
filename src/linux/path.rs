//! Guest paths to host paths: the sysroot, and what `/proc/self` means to a guest.
//!
//! A name that is looked up is taken from the sysroot if it exists there, else from the host; a name that is
//! created, removed or changed is the host's (`Arg::Name`). Links inside the sysroot are followed as if it were the
//! root, so that an absolute link of a distribution's tree leads to the tree's file and not to the host's.
//! `/proc`, `/dev` and `/sys` are always the host's: a tree for another machine has only empty directories there.
//!
//! This is name translation, not confinement: the guest acts with the rights of the user who runs it.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Most symbolic links followed in one lookup (the kernel's limit).
const MAX_LINKS: u32 = 40;

/// Whether a link in the last place of a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    Yes,
    No,
}

/// How this process names files.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    pub sysroot: Option<PathBuf>,
    /// The main program as the host names it, absolute.
    pub exe: PathBuf,
}

/// A file under `/proc` whose contents must be the guest's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    Exe,
    Maps,
    Cmdline,
    Environ,
    Auxv,
    Stat(Whose),
    Statm,
    Status(Whose),
    Smaps,
    Comm(Whose),
    Cpuinfo,
    /// `/proc/self/mem`: the host's memory, which is not the guest's to touch.
    Mem,
}

/// Whose file under `/proc` it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The process's, or its first thread's.
    Process,
    /// The calling thread's.
    Caller,
    /// That of the thread with this id.
    Thread(i32),
}

impl Paths {
    /// The host's path for a guest path that is looked up.
    pub fn host<'p>(&self, path: &'p [u8], follow: Follow) -> Cow<'p, [u8]> {
        if self.special(path) == Some(Special::Exe) && follow == Follow::Yes {
            return Cow::Owned(self.exe.as_os_str().as_bytes().to_vec());
        }
        match &self.sysroot {
            Some(sysroot) if path.first() == Some(&b'/') && !is_host_tree(path) => {
                Cow::Owned(resolve(sysroot, path, follow).into_os_string().into_vec())
            }
            _ => Cow::Borrowed(path),
        }
    }

    /// A host path as the guest names it: without the sysroot in front.
    pub fn guest<'p>(&self, path: &'p [u8]) -> &'p [u8] {
        let Some(sysroot) = &self.sysroot else { return path };
        match path.strip_prefix(sysroot.as_os_str().as_bytes()) {
            Some(rest) if rest.first() == Some(&b'/') => rest,
            _ => path,
        }
    }

    /// Which special file an absolute path names, if any.
    pub fn special(&self, path: &[u8]) -> Option<Special> {
        let rest = path.strip_prefix(b"/proc/")?;
        if rest == b"cpuinfo" {
            return Some(Special::Cpuinfo);
        }
        let (who, rest) = split_at_slash(rest)?;
        let is_me = || std::process::id().to_string().as_bytes() == who;
        let whose = match who {
            b"thread-self" => Whose::Caller,
            _ if who == b"self" || is_me() => Whose::Process,
            _ => return None,
        };
        let (whose, file) = match rest.strip_prefix(b"task/") {
            None => (whose, rest),
            Some(rest) => {
                let (tid, file) = split_at_slash(rest)?;
                (Whose::Thread(std::str::from_utf8(tid).ok()?.parse().ok()?), file)
            }
        };
        Some(match file {
            b"exe" => Special::Exe,
            b"maps" => Special::Maps,
            b"smaps" => Special::Smaps,
            b"cmdline" => Special::Cmdline,
            b"environ" => Special::Environ,
            b"auxv" => Special::Auxv,
            b"stat" => Special::Stat(whose),
            b"statm" => Special::Statm,
            b"status" => Special::Status(whose),
            b"comm" => Special::Comm(whose),
            b"mem" => Special::Mem,
            _ => return None,
        })
    }
}

/// What stands before the first slash and behind it.
fn split_at_slash(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = path.iter().position(|&byte| byte == b'/')?;
    Some((&path[..slash], &path[slash + 1..]))
}

fn is_host_tree(path: &[u8]) -> bool {
    let under = |dir: &[u8]| path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest[0] == b'/');
    under(b"/proc") || under(b"/dev") || under(b"/sys")
}

/// Walks `path` as if `sysroot` were the root directory. Returns the host's path of what it names there, or the path
/// with its links resolved so far for the host's own tree if the sysroot does not have it.
fn resolve(sysroot: &Path, path: &[u8], follow: Follow) -> PathBuf {
    let mut rest: Vec<Vec<u8>> = components(path);
    // What was reached, relative to the sysroot.
    let mut at: Vec<Vec<u8>> = Vec::new();
    // The path to give up to: the original, until an absolute link replaced it.
    let mut fallback = path.to_vec();
    let mut links = 0;
    rest.reverse();
    while let Some(name) = rest.pop() {
        if name == b".." {
            at.pop();
            continue;
        }
        at.push(name);
        let here = join(sysroot, &at);
        // EINVAL: it exists and is not a link.
        let target = match std::fs::read_link(&here) {
            Ok(_) if rest.is_empty() && follow == Follow::No => continue,
            Ok(target) => target,
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => continue,
            Err(_) => return PathBuf::from(OsStr::from_bytes(&fallback)),
        };
        links += 1;
        if links > MAX_LINKS {
            return here;
        }
        let target = target.into_os_string().into_vec();
        at.pop();
        if target.first() == Some(&b'/') {
            at.clear();
            fallback = target.clone();
            for part in rest.iter().rev() {
                fallback.push(b'/');
                fallback.extend_from_slice(part);
            }
        }
        rest.extend(components(&target).into_iter().rev());
    }
    let mut found = join(sysroot, &at).into_os_string().into_vec();
    // A slash at the end demands a directory; let the host check it.
    if path.len() > 1 && path.last() == Some(&b'/') {
        found.push(b'/');
    }
    PathBuf::from(OsStr::from_bytes(&found))
}

fn join(sysroot: &Path, parts: &[Vec<u8>]) -> PathBuf {
    let mut path = sysroot.to_path_buf();
    path.extend(parts.iter().map(|part| OsStr::from_bytes(part)));
    path
}

fn components(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|&byte| byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .map(<[u8]>::to_vec)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// A sysroot under the test's temporary directory, removed when dropped.
    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str) -> Tree {
            let root = std::env::temp_dir().join(format!("vmjit-path-{name}-{}", std::process::id()));
            fs::create_dir_all(root.join("lib/sub")).unwrap();
            fs::write(root.join("lib/libc.so"), "x").unwrap();
            Tree(root)
        }

        fn paths(&self) -> Paths {
            Paths { sysroot: Some(self.0.clone()), exe: "/opt/prog".into() }
        }

        fn at(&self, rest: &str) -> Vec<u8> {
            self.0.join(rest).into_os_string().into_vec()
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn existing_names_come_from_the_sysroot() {
        let tree = Tree::new("existing");
        let paths = tree.paths();
        let host = |path: &str| paths.host(path.as_bytes(), Follow::Yes).into_owned();
        assert_eq!(host("/lib/libc.so"), tree.at("lib/libc.so"));
        assert_eq!(host("//lib/./sub/../libc.so"), tree.at("lib/libc.so"));
        assert_eq!(host("/../../lib/libc.so"), tree.at("lib/libc.so"));
        assert_eq!(host("/lib/other.so"), b"/lib/other.so");
        assert_eq!(host("lib/libc.so"), b"lib/libc.so");
        assert_eq!(host(""), b"");
        assert_eq!(host("/proc/stat"), b"/proc/stat");
        assert_eq!(paths.guest(&tree.at("lib/libc.so")), b"/lib/libc.so");
        assert_eq!(paths.guest(b"/lib/libc.so"), b"/lib/libc.so");
    }

    #[test]
    fn links_stay_inside_the_sysroot() {
        let tree = Tree::new("links");
        symlink("/lib/libc.so", tree.0.join("lib/absolute")).unwrap();
        symlink("libc.so", tree.0.join("lib/relative")).unwrap();
        symlink("/lib", tree.0.join("usr")).unwrap();
        symlink("loop", tree.0.join("loop")).unwrap();
        symlink("/nowhere/else", tree.0.join("lib/gone")).unwrap();
        let paths = tree.paths();
        let host = |path: &str, follow| paths.host(path.as_bytes(), follow).into_owned();
        assert_eq!(host("/lib/absolute", Follow::Yes), tree.at("lib/libc.so"));
        assert_eq!(host("/lib/relative", Follow::Yes), tree.at("lib/libc.so"));
        assert_eq!(host("/lib/absolute", Follow::No), tree.at("lib/absolute"));
        assert_eq!(host("/usr/libc.so", Follow::No), tree.at("lib/libc.so"));
        assert_eq!(host("/loop", Follow::Yes), tree.at("loop"));
        // A link out of the tree means the host's file of that name.
        assert_eq!(host("/lib/gone", Follow::Yes), b"/nowhere/else");
    }

    #[test]
    fn proc_self_is_the_guest() {
        let paths = Paths { sysroot: None, exe: "/opt/prog".into() };
        assert_eq!(paths.special(b"/proc/self/maps"), Some(Special::Maps));
        assert_eq!(
            paths.special(format!("/proc/{}/auxv", std::process::id()).as_bytes()),
            Some(Special::Auxv)
        );
        assert_eq!(paths.special(b"/proc/1/maps"), None);
        assert_eq!(paths.special(b"/proc/self/task/17/stat"), Some(Special::Stat(Whose::Thread(17))));
        assert_eq!(paths.special(b"/proc/thread-self/status"), Some(Special::Status(Whose::Caller)));
        assert_eq!(paths.special(b"/proc/self/task/17"), None);
        assert_eq!(paths.special(b"/proc/self/task/x/stat"), None);
        assert_eq!(paths.special(b"/proc/cpuinfo"), Some(Special::Cpuinfo));
        assert_eq!(paths.special(b"/proc/self/fd/3"), None);
        assert_eq!(&*paths.host(b"/proc/self/exe", Follow::Yes), b"/opt/prog");
        assert_eq!(&*paths.host(b"/proc/self/exe", Follow::No), b"/proc/self/exe");
    }
}
