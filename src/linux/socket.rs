//! Socket options and messages. Everything else about sockets goes to the host as the table says.
//!
//! A `struct msghdr` holds pointers, so the host gets a copy of it whose pointers lead to the same guest memory.
//! Invariant: each of them was checked to lie, with its length, in the guest space.

use super::args::vector;
use super::call::{Call, SysResult};
use crate::base::{GuestAddr, SPACE};
use crate::mmu::{CallArg, SoftMmu};

/// Size of `struct msghdr`: name, its length, iovecs, their count, control data, its length, flags.
const MSGHDR: u64 = 56;
/// Size of `struct mmsghdr`: a msghdr and the number of bytes.
const MMSGHDR: u64 = 64;
/// Most messages of one sendmmsg or recvmmsg (`UIO_MAXIOV`).
const MAX_MESSAGES: i32 = 1024;
const MSG_WAITFORONE: i32 = 0x1_0000;

const SOL_IP: i32 = 0;
const SOL_TCP: i32 = 6;
const SOL_IPV6: i32 = 41;
/// From here on, options of IP and IPv6 belong to the packet filter, whose structures hold pointers.
const FIRST_NETFILTER: i32 = 64;
const TCP_ZEROCOPY_RECEIVE: i32 = 35;

/// Options whose value holds no pointers, so that the host can be shown it as it is.
fn option_is_plain(level: i32, name: i32) -> bool {
    match level {
        libc::SOL_SOCKET => !matches!(name, libc::SO_ATTACH_FILTER | libc::SO_ATTACH_REUSEPORT_CBPF),
        SOL_IP | SOL_IPV6 => (0..FIRST_NETFILTER).contains(&name),
        SOL_TCP => name != TCP_ZEROCOPY_RECEIVE,
        // UDP, ICMPv6, raw, UDP-Lite, netlink.
        17 | 58 | 255 | 136 | 270 => true,
        _ => false,
    }
}

/// setsockopt(fd, level, name, value, length).
pub fn setsockopt(call: &mut Call<'_>) -> SysResult {
    if !option_is_plain(call.int(1), call.int(2)) {
        return Err(libc::ENOPROTOOPT);
    }
    let value = call.guest(3, u64::from(call.int(4).unsigned_abs()));
    call.host(libc::SYS_setsockopt, &mut [call.raw(0), call.raw(1), call.raw(2), value, call.raw(4)])
}

/// getsockopt(fd, level, name, value, length).
pub fn getsockopt(call: &mut Call<'_>) -> SysResult {
    if !option_is_plain(call.int(1), call.int(2)) {
        return Err(libc::ENOPROTOOPT);
    }
    let mut len = [0; 4];
    call.read(call.args[4], &mut len)?;
    let value = call.guest(3, u64::from(u32::from_le_bytes(len)));
    call.host(libc::SYS_getsockopt, &mut [call.raw(0), call.raw(1), call.raw(2), value, call.guest(4, 4)])
}

/// Host address of a guest range; 0 for a null pointer or nothing.
fn host_address(mmu: &SoftMmu, addr: GuestAddr, len: u64) -> SysResult {
    if addr == 0 || len == 0 {
        return Ok(0);
    }
    let inside = addr.checked_add(len).is_some_and(|end| end <= SPACE);
    if inside {
        Ok(mmu.base() as u64 + addr)
    } else {
        Err(libc::EFAULT)
    }
}

/// A message header ready for the host. `vectors` must outlive the use of `header`, which points to it.
struct Message {
    header: [u64; 7],
    vectors: Vec<u64>,
    /// All guest memory that the header leads to.
    ranges: Vec<(GuestAddr, u64)>,
}

impl Message {
    /// Copies the header at `addr` and the iovecs it names.
    fn read(call: &Call<'_>, addr: GuestAddr) -> Result<Message, i32> {
        let mut header = call.words::<7>(addr)?;
        let [name, name_len, iov, count, control, control_len, _] = header;
        let mut ranges =
            vector(call, iov, count).map_err(|e| if e == libc::EINVAL { libc::EMSGSIZE } else { e })?;
        let mut vectors = Vec::new();
        for &(base, len) in &ranges {
            vectors.extend([host_address(call.mmu, base, len)?, len]);
        }
        let name_len = name_len & 0xffff_ffff;
        header[0] = host_address(call.mmu, name, name_len)?;
        header[4] = host_address(call.mmu, control, control_len)?;
        // A length without a buffer must not make the kernel read from address 0 upwards.
        if header[4] == 0 {
            header[5] = 0;
        }
        ranges.extend([(name, name_len), (control, control_len)].iter().filter(|range| range.0 != 0));
        Ok(Message { header, vectors, ranges })
    }

    /// Makes the call; the host's changes to the header are in `self` afterwards.
    fn transfer(&mut self, call: &Call<'_>, number: libc::c_long, flags: i32) -> SysResult {
        self.header[2] = self.vectors.as_ptr().expose_provenance() as u64;
        let mut bytes: Vec<u8> = self.header.iter().flat_map(|word| word.to_le_bytes()).collect();
        // The last argument is none of the call's: it says what guest memory the kernel is going to touch, which
        // matters where code was translated from it.
        let touched = CallArg::Vector(&self.ranges);
        let args = &mut [call.raw(0), CallArg::Out(&mut bytes), CallArg::Int(flags as u64), touched];
        let result = call.host(number, args);
        for (word, chunk) in self.header.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = chunk.try_into().map_or(0, u64::from_le_bytes);
        }
        result
    }

    /// Tells the guest the lengths and flags that a receiving call found.
    fn write_back(&self, call: &Call<'_>, addr: GuestAddr) -> Result<(), i32> {
        call.write(addr.wrapping_add(8), &self.header[1].to_le_bytes()[..4])?;
        call.write(addr.wrapping_add(40), &self.header[5].to_le_bytes())?;
        call.write(addr.wrapping_add(48), &self.header[6].to_le_bytes()[..4])
    }
}

fn send(call: &Call<'_>, addr: GuestAddr, flags: i32) -> SysResult {
    Message::read(call, addr)?.transfer(call, libc::SYS_sendmsg, flags)
}

fn receive(call: &Call<'_>, addr: GuestAddr, flags: i32) -> SysResult {
    let mut message = Message::read(call, addr)?;
    let received = message.transfer(call, libc::SYS_recvmsg, flags)?;
    message.write_back(call, addr)?;
    Ok(received)
}

/// sendmsg(fd, message, flags).
pub fn sendmsg(call: &mut Call<'_>) -> SysResult {
    send(call, call.args[1], call.int(2))
}

/// recvmsg(fd, message, flags).
pub fn recvmsg(call: &mut Call<'_>) -> SysResult {
    receive(call, call.args[1], call.int(2))
}

/// sendmmsg(fd, messages, count, flags).
pub fn sendmmsg(call: &mut Call<'_>) -> SysResult {
    let flags = call.int(3);
    many(call, |call, addr, _| send(call, addr, flags))
}

/// recvmmsg(fd, messages, count, flags, timeout). The timeout, which Linux checks only between messages, is not
/// kept.
pub fn recvmmsg(call: &mut Call<'_>) -> SysResult {
    let flags = call.int(3);
    many(call, |call, addr, index| {
        let dont_wait = if index > 0 && flags & MSG_WAITFORONE != 0 { libc::MSG_DONTWAIT } else { 0 };
        receive(call, addr, flags & !MSG_WAITFORONE | dont_wait)
    })
}

/// One call for each message until one fails; that error counts only if it was the first.
fn many(call: &Call<'_>, each: impl Fn(&Call<'_>, GuestAddr, i32) -> SysResult) -> SysResult {
    let count = call.int(2).clamp(0, MAX_MESSAGES);
    for index in 0..count {
        let addr = call.args[1].wrapping_add(index as u64 * MMSGHDR);
        let done = each(call, addr, index)
            .and_then(|len| call.write(addr.wrapping_add(MSGHDR), &(len as u32).to_le_bytes()));
        match done {
            Ok(()) => {}
            Err(errno) if index == 0 => return Err(errno),
            Err(_) => return Ok(index as u64),
        }
    }
    Ok(count as u64)
}
