//! What the arguments of a system call are: the vocabulary of the table's columns, and the conversion of arguments
//! for calls that the host kernel can serve as they are.

use super::call::{Call, SysResult};
use super::names::FlagSet;
use super::path::Follow;
use crate::base::{GuestAddr, SPACE};
use crate::mmu::CallArg;

/// One argument of a system call. Numbers in parentheses: `k` is the index of the argument that holds a length,
/// `n` a size in bytes.
#[derive(Clone, Copy, Debug)]
pub enum Arg {
    /// `int`, decimal.
    Int,
    /// `long` or `size_t`, decimal.
    Long,
    /// A bit set without names, hexadecimal.
    Hex,
    /// A file mode, octal.
    Mode,
    /// A descriptor, or `AT_FDCWD`.
    Fd,
    /// A signal number.
    Signal,
    /// A bit set with names.
    Flags(&'static FlagSet),
    /// A path that is looked up: absolute ones through the sysroot, the last link followed.
    Path,
    /// As `Path`, without following the last link.
    Link,
    /// As `Path` or `Link`, which is said by `AT_SYMLINK_NOFOLLOW` in argument `k`.
    PathAt(u8),
    /// A path that is created, removed or changed: never looked for in the sysroot.
    Name,
    /// A string that is not a path.
    Text,
    /// An address that is not passed to the host by itself.
    Ptr,
    /// A structure of `n` bytes that the kernel reads or writes, or null.
    Struct(u16),
    /// As many elements of `n` bytes as argument `k` says.
    Array(u8, u16),
    /// Bytes that the kernel reads.
    InBuf(u8),
    /// Bytes that the kernel writes; the call returns how many.
    OutBuf(u8),
    /// `struct iovec` elements, as many as argument `k` says, that the kernel reads from.
    InVec(u8),
    /// As `InVec`, that the kernel writes to.
    OutVec(u8),
}

/// Most elements of an iovec array (`UIO_MAXIOV`).
const MAX_VECTOR: u64 = 1024;

/// An argument ready for the host.
enum Ready {
    Plain(CallArg<'static>),
    Text(Vec<u8>),
    Vector(Vec<(GuestAddr, u64)>),
}

impl Ready {
    fn as_arg(&self) -> CallArg<'_> {
        match self {
            Ready::Plain(CallArg::Guest { addr, len }) => CallArg::Guest { addr: *addr, len: *len },
            Ready::Plain(CallArg::Int(value)) => CallArg::Int(*value),
            Ready::Plain(_) => CallArg::Int(0),
            Ready::Text(bytes) => CallArg::In(bytes),
            Ready::Vector(ranges) => CallArg::Vector(ranges),
        }
    }
}

/// Makes the host call `number` with the call's arguments converted as `formats` say.
pub fn pass(call: &Call<'_>, number: libc::c_long, formats: &[Arg]) -> SysResult {
    // A length that would run over the end of the space is cut there: what lies behind is not the guest's, and the
    // kernel meets the unmapped end of the space just as it would meet the end of a native one.
    let mut args = call.args;
    for (index, format) in formats.iter().enumerate().take(6) {
        if let Arg::InBuf(k) | Arg::OutBuf(k) = *format {
            let len = &mut args[usize::from(k)];
            *len = cut(call.args[index], *len);
        }
    }
    let mut ready: [Ready; 6] = std::array::from_fn(|_| Ready::Plain(CallArg::Int(0)));
    for (index, format) in formats.iter().enumerate().take(6) {
        ready[index] = prepare(call, &args, index, *format)?;
    }
    let mut converted = ready.each_ref().map(Ready::as_arg);
    call.host(number, &mut converted[..formats.len().min(6)])
}

/// `len`, cut at the end of the space. An address outside keeps its length, which then makes it EFAULT.
fn cut(addr: GuestAddr, len: u64) -> u64 {
    if addr < SPACE {
        len.min(SPACE - addr)
    } else {
        len
    }
}

fn prepare(call: &Call<'_>, args: &[u64; 6], index: usize, format: Arg) -> Result<Ready, i32> {
    let addr = args[index];
    let range = |len: u64| Ready::Plain(CallArg::Guest { addr, len });
    let path = |follow| if addr == 0 { Ok(range(0)) } else { call.path(index, follow).map(Ready::Text) };
    Ok(match format {
        Arg::Int | Arg::Long | Arg::Hex | Arg::Mode | Arg::Fd | Arg::Signal | Arg::Flags(_) => {
            Ready::Plain(CallArg::Int(addr))
        }
        Arg::Path => path(Follow::Yes)?,
        Arg::Link => path(Follow::No)?,
        Arg::PathAt(k) => {
            let nofollow = args[usize::from(k)] as i32 & libc::AT_SYMLINK_NOFOLLOW != 0;
            path(if nofollow { Follow::No } else { Follow::Yes })?
        }
        Arg::Name | Arg::Text if addr == 0 => range(0),
        Arg::Name | Arg::Text => Ready::Text(call.string(index)?),
        // A row with such an argument has a handler of its own.
        Arg::Ptr => return Err(libc::EFAULT),
        Arg::Struct(len) => range(u64::from(len)),
        Arg::Array(k, size) => range(args[usize::from(k)].checked_mul(u64::from(size)).ok_or(libc::EINVAL)?),
        Arg::InBuf(k) | Arg::OutBuf(k) => range(args[usize::from(k)]),
        Arg::InVec(k) | Arg::OutVec(k) => Ready::Vector(vector(call, addr, args[usize::from(k)])?),
    })
}

/// Reads an array of `struct iovec` (address and length, 64 bits each).
pub fn vector(call: &Call<'_>, addr: GuestAddr, count: u64) -> Result<Vec<(GuestAddr, u64)>, i32> {
    if count > MAX_VECTOR {
        return Err(libc::EINVAL);
    }
    let mut ranges = Vec::with_capacity(count as usize);
    for index in 0..count {
        let [base, len] = call.words(addr.wrapping_add(index * 16))?;
        if len > i64::MAX as u64 {
            return Err(libc::EINVAL);
        }
        // An element of no bytes may point anywhere.
        ranges.push(if len == 0 { (0, 0) } else { (base, cut(base, len)) });
    }
    Ok(ranges)
}
