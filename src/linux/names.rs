//! Names of flags, errors and signals for the trace.

/// Bits with names.
#[derive(Debug)]
pub struct FlagSet {
    /// Names of the values of the two lowest bits, for flags that begin with an access mode.
    pub modes: &'static [&'static str],
    pub bits: &'static [(u64, &'static str)],
}

impl FlagSet {
    /// As `A|B|0x8000`, or `0`.
    pub fn text(&self, value: u64) -> String {
        let mut rest = value;
        let mut parts: Vec<String> = Vec::new();
        if let Some(mode) = self.modes.get((value & 3) as usize) {
            parts.push((*mode).into());
            rest &= !3;
        }
        for &(bits, name) in self.bits {
            if rest & bits == bits {
                parts.push(name.into());
                rest &= !bits;
            }
        }
        if rest != 0 || parts.is_empty() {
            parts.push(if rest == 0 { "0".into() } else { format!("{rest:#x}") });
        }
        parts.join("|")
    }
}

/// `openat` and all descriptor flags (Linux `asm-generic/fcntl.h`).
pub static OPEN: FlagSet = FlagSet {
    modes: &["O_RDONLY", "O_WRONLY", "O_RDWR"],
    bits: &[
        (0o100, "O_CREAT"),
        (0o200, "O_EXCL"),
        (0o400, "O_NOCTTY"),
        (0o1000, "O_TRUNC"),
        (0o2000, "O_APPEND"),
        (0o4000, "O_NONBLOCK"),
        (0o4_010_000, "O_SYNC"),
        (0o10_000, "O_DSYNC"),
        (0o20_000, "O_ASYNC"),
        (0o40_000, "O_DIRECT"),
        (0o100_000, "O_LARGEFILE"),
        (0o20_200_000, "O_TMPFILE"),
        (0o200_000, "O_DIRECTORY"),
        (0o400_000, "O_NOFOLLOW"),
        (0o1_000_000, "O_NOATIME"),
        (0o2_000_000, "O_CLOEXEC"),
        (0o10_000_000, "O_PATH"),
    ],
};

/// `AT_*` flags (Linux `linux/fcntl.h`).
pub static AT: FlagSet = FlagSet {
    modes: &[],
    bits: &[
        (0x100, "AT_SYMLINK_NOFOLLOW"),
        (0x200, "AT_EACCESS"),
        (0x400, "AT_SYMLINK_FOLLOW"),
        (0x800, "AT_NO_AUTOMOUNT"),
        (0x1000, "AT_EMPTY_PATH"),
        (0x2000, "AT_STATX_FORCE_SYNC"),
        (0x4000, "AT_STATX_DONT_SYNC"),
    ],
};

/// Modes of `access` (Linux `linux/fs.h`); none is `F_OK`.
pub static ACCESS: FlagSet = FlagSet { modes: &[], bits: &[(4, "R_OK"), (2, "W_OK"), (1, "X_OK")] };

/// Memory protection (Linux `asm-generic/mman-common.h`).
pub static PROT: FlagSet =
    FlagSet { modes: &[], bits: &[(1, "PROT_READ"), (2, "PROT_WRITE"), (4, "PROT_EXEC"), (8, "PROT_SEM")] };

/// Kinds of mappings (Linux `asm-generic/mman.h`).
pub static MAP: FlagSet = FlagSet {
    modes: &[],
    bits: &[
        (3, "MAP_SHARED_VALIDATE"),
        (1, "MAP_SHARED"),
        (2, "MAP_PRIVATE"),
        (0x10, "MAP_FIXED"),
        (0x20, "MAP_ANONYMOUS"),
        (0x100, "MAP_GROWSDOWN"),
        (0x800, "MAP_DENYWRITE"),
        (0x2000, "MAP_LOCKED"),
        (0x4000, "MAP_NORESERVE"),
        (0x8000, "MAP_POPULATE"),
        (0x1_0000, "MAP_NONBLOCK"),
        (0x2_0000, "MAP_STACK"),
        (0x4_0000, "MAP_HUGETLB"),
        (0x10_0000, "MAP_FIXED_NOREPLACE"),
    ],
};

/// Flags of `send` and `recv` (Linux `linux/socket.h`).
pub static MSG: FlagSet = FlagSet {
    modes: &[],
    bits: &[
        (1, "MSG_OOB"),
        (2, "MSG_PEEK"),
        (4, "MSG_DONTROUTE"),
        (0x20, "MSG_TRUNC"),
        (0x40, "MSG_DONTWAIT"),
        (0x100, "MSG_WAITALL"),
        (0x4000, "MSG_NOSIGNAL"),
        (0x8000, "MSG_MORE"),
        (0x4000_0000, "MSG_CMSG_CLOEXEC"),
    ],
};

macro_rules! names {
    ($function:ident: $($name:ident)*) => {
        /// The constant's name, if it is one of the list.
        pub fn $function(value: i32) -> Option<&'static str> {
            $(if value == libc::$name { return Some(stringify!($name)); })*
            None
        }
    };
}

names! { error:
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST
    EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM
    ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ENODATA ETIME EPROTO EOVERFLOW EILSEQ EUSERS ENOTSOCK
    EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT
    EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN
    ESHUTDOWN ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EDQUOT ECANCELED
}

names! { signal:
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM
    SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO
    SIGPWR SIGSYS
}
