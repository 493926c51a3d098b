//! Host system calls on the guest's behalf, whose pointers are guest ranges.

use super::SoftMmu;
use crate::base::{GuestAddr, SPACE};
use crate::sys::host::{self, HostArg};

/// Host calls that only read guest memory, so that code which lies beside what they read stays watched.
const ONLY_READS: &[i64] = &[
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_pwritev2,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_connect,
    libc::SYS_bind,
];

/// An argument of a host system call made on the guest's behalf.
#[derive(Debug)]
pub enum CallArg<'a> {
    /// A plain number or descriptor.
    Int(u64),
    /// A guest range that the kernel reads or writes; address 0 stands for a null pointer.
    Guest { addr: GuestAddr, len: u64 },
    /// Bytes that the kernel reads (a path needs its NUL).
    In(&'a [u8]),
    /// Bytes that the kernel writes.
    Out(&'a mut [u8]),
    /// Guest ranges (address, length), passed as an array of `struct iovec`. At most one per call.
    Vector(&'a [(GuestAddr, u64)]),
}

impl SoftMmu {
    /// Makes a host system call whose pointers lie in guest memory or in the caller's slices. Memory that the guest
    /// may not access makes the kernel answer EFAULT, as on a native system.
    ///
    /// # Errors
    /// The host's `errno`; EFAULT for a guest range that leaves the space.
    pub(crate) fn host_call(&self, number: i64, args: &mut [CallArg<'_>]) -> Result<u64, i32> {
        // Watched code may be written now. Waiting for an EFAULT would be too late: by then a call may have taken what it
        // was to deliver (a datagram, a connection), or stopped short without one.
        let writes = !ONLY_READS.contains(&number);
        if writes {
            self.release_arguments(args);
        }
        match self.host_call_once(number, args) {
            // Another thread may have begun a watch meanwhile.
            Err(libc::EFAULT) if writes && self.release_arguments(args) => self.host_call_once(number, args),
            result => result,
        }
    }

    /// Ends the watch over all guest ranges among the arguments; true if there was one.
    fn release_arguments(&self, args: &[CallArg<'_>]) -> bool {
        let mut released = false;
        for arg in args {
            match arg {
                CallArg::Guest { addr, len } => released |= self.release(*addr, *len),
                CallArg::Vector(list) => {
                    for &(addr, len) in *list {
                        released |= self.release(addr, len);
                    }
                }
                CallArg::Int(_) | CallArg::In(_) | CallArg::Out(_) => {}
            }
        }
        released
    }

    fn host_call_once(&self, number: i64, args: &mut [CallArg<'_>]) -> Result<u64, i32> {
        let mut ranges = Vec::new();
        for arg in args.iter() {
            if let CallArg::Vector(list) = arg {
                for &(addr, len) in *list {
                    ranges.push((self.range(addr, len)?, len as usize));
                }
            }
        }
        let mut converted = Vec::with_capacity(args.len());
        for arg in args.iter_mut() {
            converted.push(match arg {
                CallArg::Int(value) => HostArg::Int(*value),
                CallArg::Guest { addr: 0, .. } => HostArg::Guest(0),
                CallArg::Guest { addr, len } => HostArg::Guest(self.range(*addr, *len)?),
                CallArg::In(bytes) => HostArg::In(bytes),
                CallArg::Out(bytes) => HostArg::Out(bytes),
                CallArg::Vector(_) => HostArg::Vector(&ranges),
            });
        }
        host::call(number, &mut converted)
    }

    /// Wakes one thread, of this or another process, that waits for the futex at `word`.
    pub(crate) fn wake_futex(&self, word: GuestAddr) {
        if let Ok(host) = self.range(word, 4) {
            host::wake_futex(host);
        }
    }

    /// Host address of a guest range that must lie in the space.
    fn range(&self, addr: GuestAddr, len: u64) -> Result<usize, i32> {
        let inside = addr.checked_add(len).is_some_and(|end| end <= SPACE);
        if inside {
            Ok(self.host(addr))
        } else {
            Err(libc::EFAULT)
        }
    }
}
