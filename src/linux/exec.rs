//! execve: guest programs by starting this command again, scripts by their `#!` line, the host's programs directly.

use super::call::{Call, SysResult, PATH_MAX};
use super::elf;
use super::path::{Follow, Paths, Special};
use crate::base::GuestAddr;
use crate::mmu::CallArg;
use crate::sys::process::{self, NextProgram};
use crate::sys::signal::{self, ignore_for_exec, IgnoredForExec};
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// Bytes of a script that are looked at (`BINPRM_BUF_SIZE`).
const FIRST_LINE: usize = 256;
/// Scripts that may name each other as interpreter before it is ELOOP.
const MOST_SCRIPTS: usize = 5;
/// Most bytes of arguments and environment (a quarter of the 8 MiB stack), and of one string (`MAX_ARG_STRLEN`).
const MOST_BYTES: usize = 2 << 20;
const MOST_STRING: usize = 128 << 10;

/// execve(path, argv, envp).
pub fn execve(call: &mut Call<'_>) -> SysResult {
    let mut path = call.string(0)?;
    path.pop();
    exec(call, path, call.args[1], call.args[2])
}

/// execveat(dir, path, argv, envp, flags).
pub fn execveat(call: &mut Call<'_>) -> SysResult {
    let (dir, flags) = (call.int(0), call.int(4));
    let mut path = call.string(1)?;
    path.pop();
    let mut kept_open = false;
    if flags & !(libc::AT_EMPTY_PATH | libc::AT_SYMLINK_NOFOLLOW) != 0 {
        return Err(libc::EINVAL);
    }
    let path = match path.first() {
        None if flags & libc::AT_EMPTY_PATH == 0 => return Err(libc::ENOENT),
        None => {
            refuse_vanishing_script(call, dir)?;
            let (name, is_link) = name_of_descriptor(call, dir)?;
            kept_open = is_link && keep_open(call, dir, true)?;
            name
        }
        Some(b'/') => path,
        Some(_) if dir == libc::AT_FDCWD => path,
        Some(_) => {
            let (mut whole, _) = name_of_descriptor(call, dir)?;
            whole.push(b'/');
            whole.extend_from_slice(&path);
            whole
        }
    };
    if flags & libc::AT_SYMLINK_NOFOLLOW != 0 {
        let link = std::fs::symlink_metadata(OsStr::from_bytes(&path));
        if link.is_ok_and(|meta| meta.is_symlink()) {
            return Err(libc::ELOOP);
        }
    }
    let result = exec(call, path, call.args[2], call.args[3]);
    if kept_open {
        // There is no other program.
        keep_open(call, dir, false)?;
    }
    result
}

/// Has the next program inherit a descriptor, or not; whether that is a change.
fn keep_open(call: &Call<'_>, fd: i32, keep: bool) -> Result<bool, i32> {
    let fcntl = |command: i32, value: i32| {
        let [fd, command, value] = [fd, command, value].map(|value| CallArg::Int(value as u64));
        call.host(libc::SYS_fcntl, &mut [fd, command, value])
    };
    let is_kept = fcntl(libc::F_GETFD, 0)? & libc::FD_CLOEXEC as u64 == 0;
    if is_kept != keep {
        fcntl(libc::F_SETFD, if keep { 0 } else { libc::FD_CLOEXEC })?;
    }
    Ok(is_kept != keep)
}

/// ENOENT for a script in a descriptor that its interpreter will not have any more.
fn refuse_vanishing_script(call: &Call<'_>, fd: i32) -> Result<(), i32> {
    let arg = |value: i32| CallArg::Int(value as u64);
    let flags = call.host(libc::SYS_fcntl, &mut [arg(fd), arg(libc::F_GETFD)])?;
    let start = open(format!("/proc/self/fd/{fd}").as_bytes()).ok().and_then(|file| {
        let mut start = [0; 2];
        file.read_at(&mut start, 0).ok().map(|_| start)
    });
    if flags & libc::FD_CLOEXEC as u64 != 0 && start == Some(*b"#!") {
        return Err(libc::ENOENT);
    }
    Ok(())
}

/// A name for the file that a descriptor has open. One without a name is reached through the descriptor itself (true),
/// which the next program must then still have.
fn name_of_descriptor(call: &Call<'_>, fd: i32) -> Result<(Vec<u8>, bool), i32> {
    let link = format!("/proc/self/fd/{fd}");
    let name = std::fs::read_link(&link).map_err(|_| libc::EBADF)?;
    if name.is_absolute() && std::fs::metadata(&name).is_ok() {
        return Ok((call.process.paths.guest(name.as_os_str().as_bytes()).to_vec(), false));
    }
    Ok((link.into_bytes(), true))
}

fn exec(call: &mut Call<'_>, path: Vec<u8>, argv: GuestAddr, envp: GuestAddr) -> SysResult {
    let Some(host) = &call.process.host else { return Err(libc::ENOSYS) };
    let mut room = MOST_BYTES;
    let args = strings(call, argv, &mut room)?;
    let env = strings(call, envp, &mut room)?;
    let name = c_string(&path)?;
    let plan = plan(&call.process.paths, path, args)?;
    let mut line: Vec<CString> = Vec::new();
    if plan.is_guest {
        for word in &host.command {
            line.push(c_string(word.as_bytes())?);
        }
        line.push(c"--argv0".to_owned());
        line.push(plan.args.first().cloned().unwrap_or_default());
        line.push(c"--exec-name".to_owned());
        line.push(name);
        line.push(plan.program);
        line.extend(plan.args.into_iter().skip(1));
        return Err(replace(call, NextProgram::new(c"/proc/self/exe".to_owned(), line, env)));
    }
    drop(name);
    Err(replace(call, NextProgram::new(plan.program, plan.args, env)))
}

/// Goes over to another program, which inherits what the guest ignores, blocks and has not been given yet. Returns if that
/// fails.
fn replace(call: &mut Call<'_>, program: NextProgram) -> i32 {
    let _ignored = pass_on_ignored(call);
    let blocked = signal::block_for_exec(call.thread.mask);
    call.thread.pending.drain(..).for_each(|info| signal::send_again(&info));
    let errno = process::exec(call.thread.next_program.insert(program));
    call.thread.next_program = None;
    signal::set_mask(blocked);
    errno
}

/// The host does not ignore what it needs itself; the next program inherits what the guest has set.
fn pass_on_ignored(call: &mut Call<'_>) -> IgnoredForExec {
    call.actions(|actions| ignore_for_exec(actions.ignored_here_only()))
}

/// The strings of a null-terminated array; null is an empty one.
fn strings(call: &Call<'_>, array: GuestAddr, room: &mut usize) -> Result<Vec<CString>, i32> {
    let mut strings = Vec::new();
    for index in 0.. {
        let [at] = if array == 0 { [0] } else { call.words(array.wrapping_add(8 * index))? };
        if at == 0 {
            break;
        }
        if at >= crate::base::SPACE {
            return Err(libc::EFAULT);
        }
        let text = call.mmu.read_string(at, MOST_STRING - 1).map_err(|_| libc::EFAULT)?.ok_or(libc::E2BIG)?;
        *room = room.checked_sub(text.len() + 9).ok_or(libc::E2BIG)?;
        strings.push(CString::new(text).map_err(|_| libc::EFAULT)?);
    }
    Ok(strings)
}

/// What is to be run.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    /// The program as the host names it.
    program: CString,
    args: Vec<CString>,
    /// It is one for this machine's guest.
    is_guest: bool,
}

/// Finds out what executing `path`, a guest's, means.
fn plan(paths: &Paths, path: Vec<u8>, args: Vec<CString>) -> Result<Plan, i32> {
    let (mut path, mut args) = (path, args);
    for _ in 0..=MOST_SCRIPTS {
        if path.is_empty() {
            return Err(libc::ENOENT);
        }
        if path.len() >= PATH_MAX {
            return Err(libc::ENAMETOOLONG);
        }
        let mut host = paths.host(&path, Follow::Yes).into_owned();
        if !host.contains(&b'/') {
            // So that it is neither taken for an option nor looked for elsewhere.
            host.splice(0..0, *b"./");
        }
        let file = open(&host)?;
        let mut start = [0; FIRST_LINE];
        let len = file.read_at(&mut start, 0).map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))?;
        let Some(line) = start[..len].strip_prefix(b"#!") else {
            let is_guest = is_guest_program(&file, &start[..len], paths)?;
            // What is neither a guest's nor a script is the host's business, its refusal included.
            return Ok(Plan { program: c_string(&host)?, args, is_guest });
        };
        let (interpreter, argument) = words(line, len == FIRST_LINE)?;
        let script = if is_proc_self(paths, &path) { host } else { path };
        let rest = args.into_iter().skip(1);
        args = [Some(interpreter.clone()), argument, Some(script)]
            .into_iter()
            .flatten()
            .map(|word| c_string(&word))
            .collect::<Result<Vec<_>, i32>>()?;
        args.extend(rest);
        path = interpreter;
    }
    Err(libc::ELOOP)
}

fn is_proc_self(paths: &Paths, path: &[u8]) -> bool {
    paths.special(path) == Some(Special::Exe)
}

fn c_string(bytes: &[u8]) -> Result<CString, i32> {
    CString::new(bytes).map_err(|_| libc::EINVAL)
}

/// Opens what may be executed: a regular file with the permission.
fn open(path: &[u8]) -> Result<File, i32> {
    let errno = |error: std::io::Error| error.raw_os_error().unwrap_or(libc::ENOENT);
    let path = Path::new(OsStr::from_bytes(path));
    // Looked at before it is opened, because opening a pipe waits for its other end.
    let meta = std::fs::metadata(path).map_err(errno)?;
    if !meta.is_file() || meta.mode() & 0o111 == 0 {
        return Err(libc::EACCES);
    }
    File::open(path).map_err(errno)
}

/// Whether an ELF file is for riscv64; ENOEXEC if it says so and is broken, ENOENT if it needs an interpreter that is
/// not there.
fn is_guest_program(file: &File, start: &[u8], paths: &Paths) -> Result<bool, i32> {
    /// `EM_RISCV` and the offset of `e_machine`.
    const MACHINE: (usize, [u8; 2]) = (18, 243u16.to_le_bytes());
    let is_ours =
        start.starts_with(b"\x7fELF") && start.get(MACHINE.0..MACHINE.0 + 2) == Some(&MACHINE.1[..]);
    if !is_ours {
        return Ok(false);
    }
    let image = elf::parse_source(file).map_err(|_| libc::ENOEXEC)?;
    if let Some(interpreter) = &image.interp {
        let host = paths.host(interpreter, Follow::Yes);
        std::fs::metadata(OsStr::from_bytes(&host)).map_err(|_| libc::ENOENT)?;
    }
    Ok(true)
}

/// The interpreter that a script's first line names, and the argument for it: all the rest (Linux `fs/binfmt_script.c`).
/// `line` may be `cut` off.
fn words(line: &[u8], cut: bool) -> Result<(Vec<u8>, Option<Vec<u8>>), i32> {
    let is_blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let end = line.iter().position(|&byte| byte == b'\n' || byte == 0);
    let line = match end {
        Some(end) => &line[..end],
        // The name of the interpreter itself must be whole.
        None if cut && !line.iter().skip_while(|byte| is_blank(byte)).any(is_blank) => {
            return Err(libc::ENOEXEC)
        }
        None => line,
    };
    let line = trim(line);
    let split = line.iter().position(is_blank).unwrap_or(line.len());
    let (interpreter, rest) = (line[..split].to_vec(), trim(&line[split..]));
    if interpreter.is_empty() {
        return Err(libc::ENOEXEC);
    }
    Ok((interpreter, (!rest.is_empty()).then(|| rest.to_vec())))
}

fn trim(bytes: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let start = bytes.iter().position(|byte| !is_blank(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn first_lines_are_read_as_linux_reads_them() {
        let read = |line: &str| {
            words(line.as_bytes(), false).map(|(program, argument)| {
                let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
                (text(program), argument.map(text))
            })
        };
        assert_eq!(read("/bin/sh\nrest"), Ok(("/bin/sh".into(), None)));
        assert_eq!(read(" \t/bin/sh -e  -x \t\n"), Ok(("/bin/sh".into(), Some("-e  -x".into()))));
        assert_eq!(read("/bin/sh"), Ok(("/bin/sh".into(), None)));
        assert_eq!(read("  \n"), Err(libc::ENOEXEC));
        assert_eq!(words(b"/very/long", true).err(), Some(libc::ENOEXEC));
    }

    #[test]
    fn scripts_lead_to_their_interpreter_and_not_for_ever() {
        let dir = std::env::temp_dir().join(format!("vmjit-exec-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let write = |name: &str, text: &str, mode| {
            let path = dir.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path.into_os_string().into_encoded_bytes()
        };
        let paths = Paths::default();
        let script = write("script", "#!/bin/true -a b\n", 0o755);
        let run = |path: Vec<u8>| plan(&paths, path, vec![c"zero".into(), c"one".into()]);
        let found = run(script.clone()).unwrap();
        let script = CString::new(script).unwrap();
        assert_eq!(found.args, [c"/bin/true", c"-a b", &script, c"one"].map(|text| text.to_owned()));
        assert!(!found.is_guest && found.program.to_bytes() == b"/bin/true");
        let own = dir.join("loop").into_os_string().into_string().unwrap();
        assert_eq!(run(write("loop", &format!("#!{own}\n"), 0o755)), Err(libc::ELOOP));
        assert_eq!(run(write("plain", "text", 0o644)), Err(libc::EACCES));
        assert_eq!(run(b"/".to_vec()), Err(libc::EACCES));
        assert_eq!(run(b"/no/such".to_vec()), Err(libc::ENOENT));
        assert_eq!(run(write("gone", "#!/no/such\n", 0o755)), Err(libc::ENOENT));
        let broken = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 11], &[243, 0], &[0; 40]].concat();
        let path = dir.join("broken");
        fs::write(&path, broken).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(run(path.into_os_string().into_encoded_bytes()), Err(libc::ENOEXEC));
        fs::remove_dir_all(&dir).unwrap();
    }
}
