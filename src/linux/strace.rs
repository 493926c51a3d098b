//! The trace: one line per system call, in the form that strace(1) made familiar.

use super::args::Arg;
use super::call::{Call, SysResult, PATH_MAX};
use super::{names, Row};
use std::fmt::Write;

/// Strings are cut at this many characters, as strace cuts them; paths are not.
const MAX_STRING: usize = 32;

/// A line under way: arguments that the call reads are formatted before it, what it writes after it.
pub struct TraceLine {
    name: String,
    args: Vec<Piece>,
    hex_result: bool,
}

enum Piece {
    Done(String),
    /// A buffer whose contents are known when the call returns.
    Later(u64),
}

impl TraceLine {
    /// Formats what is known before the call.
    pub fn new(call: &Call<'_>, number: u64, row: Option<&Row>) -> TraceLine {
        let Some(row) = row else {
            let args = call.args.iter().map(|arg| Piece::Done(format!("{arg:#x}"))).collect();
            return TraceLine { name: format!("syscall_{number}"), args, hex_result: false };
        };
        let mut args: Vec<Piece> =
            row.args.iter().enumerate().map(|(index, &format)| before(call, index, format)).collect();
        // The mode of openat is there only if something may be created.
        if row.name == "openat"
            && call.args[2] & (libc::O_CREAT | libc::O_TMPFILE & !libc::O_DIRECTORY) as u64 == 0
        {
            args.truncate(3);
        }
        let hex_result = matches!(row.name, "mmap" | "mremap" | "brk");
        TraceLine { name: row.name.into(), args, hex_result }
    }

    /// The whole line with its newline.
    pub fn finish(self, call: &Call<'_>, result: SysResult) -> String {
        let mut text = self.name;
        text.push('(');
        for (index, piece) in self.args.iter().enumerate() {
            if index > 0 {
                text.push_str(", ");
            }
            match (piece, result) {
                (Piece::Done(done), _) => text.push_str(done),
                (Piece::Later(addr), Ok(len)) => text.push_str(&buffer(call, *addr, len)),
                (Piece::Later(addr), Err(_)) => text.push_str(&pointer(*addr)),
            }
        }
        text.push_str(") = ");
        text.push_str(&match result {
            _ if call.outcome != super::Outcome::Continue => "?".into(),
            Ok(value) if self.hex_result => format!("{value:#x}"),
            Ok(value) => (value as i64).to_string(),
            Err(errno) => error_text(errno),
        });
        text.push('\n');
        text
    }
}

/// As `-1 ENOENT (No such file or directory)`.
fn error_text(errno: i32) -> String {
    let message = std::io::Error::from_raw_os_error(errno).to_string();
    let message = message.split(" (os error").next().unwrap_or_default();
    format!("-1 {} ({message})", names::error(errno).unwrap_or("E?"))
}

fn before(call: &Call<'_>, index: usize, format: Arg) -> Piece {
    let value = call.args[index];
    let int = value as i32;
    let length = |k: u8| call.args[usize::from(k)];
    Piece::Done(match format {
        Arg::Int => int.to_string(),
        Arg::Long => (value as i64).to_string(),
        Arg::Hex => format!("{value:#x}"),
        Arg::Mode => format!("{:#05o}", value as u32).replacen("0o", "0", 1),
        Arg::Fd if int == libc::AT_FDCWD => "AT_FDCWD".into(),
        Arg::Fd => int.to_string(),
        Arg::Signal => names::signal(int).map_or_else(|| int.to_string(), str::to_string),
        Arg::Flags(set) => set.text(value),
        Arg::Path | Arg::Link | Arg::PathAt(_) | Arg::Name => string(call, index, PATH_MAX),
        Arg::Text => string(call, index, MAX_STRING),
        Arg::Ptr | Arg::Struct(_) | Arg::Array(..) => pointer(value),
        Arg::InBuf(k) => buffer(call, value, length(k)),
        Arg::OutBuf(_) => return Piece::Later(value),
        Arg::InVec(k) | Arg::OutVec(k) => vector(call, value, length(k), matches!(format, Arg::InVec(_))),
    })
}

fn pointer(addr: u64) -> String {
    if addr == 0 {
        "NULL".into()
    } else {
        format!("{addr:#x}")
    }
}

fn string(call: &Call<'_>, index: usize, limit: usize) -> String {
    match call.string(index) {
        Ok(mut bytes) => {
            bytes.pop();
            quote(&bytes[..bytes.len().min(limit)], bytes.len() > limit)
        }
        Err(_) => pointer(call.args[index]),
    }
}

fn buffer(call: &Call<'_>, addr: u64, len: u64) -> String {
    let shown = len.min(MAX_STRING as u64) as usize;
    let mut bytes = vec![0; shown];
    match call.read(addr, &mut bytes) {
        Ok(()) => quote(&bytes, len > shown as u64),
        Err(_) => pointer(addr),
    }
}

/// As `[{iov_base="text", iov_len=4}, ...]`; the first few elements.
fn vector(call: &Call<'_>, addr: u64, count: u64, contents: bool) -> String {
    const SHOWN: u64 = 4;
    let mut text = String::from("[");
    for index in 0..count.min(SHOWN) {
        let Ok([base, len]) = call.words(addr.wrapping_add(index * 16)) else { return pointer(addr) };
        let base = if contents { buffer(call, base, len) } else { pointer(base) };
        let comma = if index > 0 { ", " } else { "" };
        let _ = write!(text, "{comma}{{iov_base={base}, iov_len={len}}}");
    }
    text.push_str(if count > SHOWN { ", ...]" } else { "]" });
    text
}

/// In quotes with C escapes; `more` appends an ellipsis.
fn quote(bytes: &[u8], more: bool) -> String {
    let mut text = String::from("\"");
    for (index, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            b'\r' => text.push_str("\\r"),
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => {
                // Short octal, unless the next character would be read as part of it.
                let digit = bytes.get(index + 1).is_some_and(u8::is_ascii_digit);
                let _ = if digit { write!(text, "\\{byte:03o}") } else { write!(text, "\\{byte:o}") };
            }
        }
    }
    text.push_str(if more { "\"..." } else { "\"" });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_as_in_c() {
        assert_eq!(quote(b"a\"b\\\n\t\0", false), r#""a\"b\\\n\t\0""#);
        assert_eq!(quote(b"\x01\x312\x7f", true), r#""\0011""#.replace("11\"", "112\\177\"..."));
        assert_eq!(quote(&[0xff], false), r#""\377""#);
    }

    #[test]
    fn flags_and_errors_have_names() {
        assert_eq!(names::OPEN.text(0o2_000_000), "O_RDONLY|O_CLOEXEC");
        assert_eq!(names::OPEN.text(0o101), "O_WRONLY|O_CREAT");
        assert_eq!(names::MAP.text(0x22), "MAP_PRIVATE|MAP_ANONYMOUS");
        assert_eq!(names::PROT.text(0x10), "0x10");
        assert_eq!(names::AT.text(0), "0");
        assert_eq!(error_text(libc::ENOENT), "-1 ENOENT (No such file or directory)");
    }
}
