//! ioctl(2): terminals, descriptors, file attributes, network interfaces.
//!
//! Only requests that are listed here go to the host, because the kernel follows the pointer by the request's own
//! idea of its size. All of them have the same number and layout on riscv64 and on the hosts.

use super::call::{Call, SysResult};
use crate::mmu::CallArg;

/// Bytes behind the pointer; 0 if the argument is a number or nothing.
const REQUESTS: &[(u64, u64)] = &[
    // asm-generic/ioctls.h
    (0x5401, 36),      // TCGETS
    (0x5402, 36),      // TCSETS
    (0x5403, 36),      // TCSETSW
    (0x5404, 36),      // TCSETSF
    (0x5409, 0),       // TCSBRK
    (0x540a, 0),       // TCXONC
    (0x540b, 0),       // TCFLSH
    (0x540c, 0),       // TIOCEXCL
    (0x540d, 0),       // TIOCNXCL
    (0x540e, 0),       // TIOCSCTTY
    (0x540f, 4),       // TIOCGPGRP
    (0x5410, 4),       // TIOCSPGRP
    (0x5411, 4),       // TIOCOUTQ
    (0x5412, 1),       // TIOCSTI
    (0x5413, 8),       // TIOCGWINSZ
    (0x5414, 8),       // TIOCSWINSZ
    (0x541b, 4),       // FIONREAD
    (0x5421, 4),       // FIONBIO
    (0x5422, 0),       // TIOCNOTTY
    (0x5423, 4),       // TIOCSETD
    (0x5424, 4),       // TIOCGETD
    (0x5425, 0),       // TCSBRKP
    (0x5429, 4),       // TIOCGSID
    (0x802c_542a, 44), // TCGETS2
    (0x402c_542b, 44), // TCSETS2
    (0x402c_542c, 44), // TCSETSW2
    (0x402c_542d, 44), // TCSETSF2
    (0x8004_5430, 4),  // TIOCGPTN
    (0x4004_5431, 4),  // TIOCSPTLCK
    (0x5441, 0),       // TIOCGPTPEER
    (0x5450, 0),       // FIONCLEX
    (0x5451, 0),       // FIOCLEX
    (0x5452, 4),       // FIOASYNC
    // linux/fs.h
    (0x1260, 8),       // BLKGETSIZE
    (0x1268, 4),       // BLKSSZGET
    (0x8008_1272, 8),  // BLKGETSIZE64
    (0x4004_9409, 0),  // FICLONE
    (0x4020_940d, 32), // FICLONERANGE
    (0x8008_6601, 8),  // FS_IOC_GETFLAGS
    (0x4008_6602, 8),  // FS_IOC_SETFLAGS
    // linux/sockios.h: struct ifreq, in the variants without pointers
    (0x8910, 40), // SIOCGIFNAME
    (0x8913, 40), // SIOCGIFFLAGS
    (0x8915, 40), // SIOCGIFADDR
    (0x8919, 40), // SIOCGIFBRDADDR
    (0x891b, 40), // SIOCGIFNETMASK
    (0x8921, 40), // SIOCGIFMTU
    (0x8927, 40), // SIOCGIFHWADDR
    (0x8933, 40), // SIOCGIFINDEX
    (0x8942, 40), // SIOCGIFTXQLEN
    (0x8905, 4),  // SIOCATMARK
];

/// ioctl(fd, request, argument).
pub fn ioctl(call: &mut Call<'_>) -> SysResult {
    // The kernel takes the request as 32 bits.
    let request = call.args[1] & 0xffff_ffff;
    let Some(&(_, size)) = REQUESTS.iter().find(|row| row.0 == request) else {
        // A closed descriptor is reported first.
        call.host(libc::SYS_fcntl, &mut [call.raw(0), CallArg::Int(libc::F_GETFD as u64), CallArg::Int(0)])?;
        return Err(libc::ENOTTY);
    };
    let argument = if size == 0 { call.raw(2) } else { call.guest(2, size) };
    call.host(libc::SYS_ioctl, &mut [call.raw(0), CallArg::Int(request), argument])
}
