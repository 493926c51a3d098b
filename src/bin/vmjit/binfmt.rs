//! `vmjit install-binfmt`: the rule by which the kernel starts riscv64 programs by this command.
//!
//! Source: Linux `Documentation/admin-guide/binfmt-misc.rst`, `fs/binfmt_misc.c`.

use crate::{Failure, FAILED};
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

/// Where rules are written to.
const REGISTER: &str = "/proc/sys/fs/binfmt_misc/register";
/// An ELF header up to `e_machine`: 64 bits, little-endian, version 1; type and machine riscv64.
const MAGIC: [u8; 20] = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf3\0";
/// Which bits of it count: not the ABI of the system, and of the type not what tells `ET_EXEC` (2) from `ET_DYN` (3).
const MASK: [u8; 20] = *b"\xff\xff\xff\xff\xff\xff\xff\0\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff";

/// Registers the rule, or prints it.
pub fn install(print: bool) -> Result<ExitCode, Failure> {
    let rule = rule()?;
    if print {
        std::io::stdout().write_all(&rule)?;
        return Ok(ExitCode::SUCCESS);
    }
    // Not `fs::write`, which would create the file where the kernel's is not.
    let file = std::fs::OpenOptions::new().write(true).open(REGISTER);
    file.and_then(|mut file| file.write_all(&rule)).map_err(|error| {
        let hint = match error.raw_os_error() {
            Some(libc::ENOENT) => "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc first",
            Some(libc::EEXIST) => "it is there already: echo -1 >/proc/sys/fs/binfmt_misc/vmjit removes it",
            _ => "this is for root; install-binfmt --print prints what root is to write there",
        };
        Failure { message: format!("{REGISTER}: {error} ({hint})"), code: FAILED }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// `:name:M:offset:magic:mask:interpreter:flags` and the end of the line. Flag F: the interpreter is opened now, so that
/// programs in other roots and containers find it; P: the program's own name is passed on.
fn rule() -> Result<Vec<u8>, Failure> {
    let refuse = |message: String| Failure { message, code: FAILED };
    let command = std::env::current_exe().map_err(|error| refuse(format!("/proc/self/exe: {error}")))?;
    let path = command.as_os_str().as_bytes();
    if path.iter().any(|&byte| byte == b':' || byte == b'\n') {
        return Err(refuse(format!("{}: a rule cannot hold this path", command.display())));
    }
    let escaped = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "\\x{byte:02x}");
            text
        })
    };
    let start = format!(":vmjit:M::{}:{}:", escaped(&MAGIC), escaped(&MASK));
    Ok([start.as_bytes(), path, b":PF\n"].concat())
}
