//! Fault signals: a host SIGSEGV or SIGBUS that a guest access raised becomes a [`HostFault`]; every other one goes to
//! whoever handled it before.
//!
//! Invariant: the handler touches only this thread's cell, the fixup table (constant) and the interrupted context,
//! so it is async-signal-safe.
#![allow(unsafe_code, reason = "signal handler and interrupted contexts")]

use super::access::Fixup;
use crate::base::error::Error;
use crate::base::state::{CpuState, HostSlots};
use std::cell::Cell;
use std::sync::OnceLock;

extern "C" {
    // Bounds of the section that `sys::access` fills; the linker defines them for any section whose name is a C
    // identifier.
    #[link_name = "__start___vmjit_fixups"]
    static FIXUPS_START: Fixup;
    #[link_name = "__stop___vmjit_fixups"]
    static FIXUPS_STOP: Fixup;
}

/// A fault of one of the accesses of `sys::access`, in terms of the host.
#[derive(Clone, Copy, Debug)]
pub struct HostFault {
    /// Host address of the first byte that could not be accessed.
    pub host: usize,
    /// True for SIGBUS: a file mapping ends before the page.
    pub beyond_file: bool,
    /// Whether the access was a write.
    pub write: bool,
}

thread_local! {
    /// What the handler saw last on this thread.
    static SEEN: Cell<HostFault> = const { Cell::new(HostFault { host: 0, beyond_file: false, write: false }) };
}

/// The fault that brought this thread to a landing place.
#[cold]
pub fn last_fault() -> HostFault {
    SEEN.get()
}

/// What generated code is like.
#[derive(Clone, Copy, Debug)]
pub struct Runnable {
    /// First address and end of all of it.
    pub range: (usize, usize),
    /// Where the code of blocks begins; before it are routines that move registers.
    pub blocks: usize,
    /// Where its faults go on.
    pub landing: usize,
    /// Number of the register that holds the fuel that is left in the code of blocks.
    pub fuel: u8,
}

/// Generated code that this thread is running.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    pub code: Runnable,
    /// First address and end of the guest space; other faults are nobody's but a bug's.
    pub space: (usize, usize),
    /// Address of the `CpuState` that is told where the fault was.
    pub cpu: usize,
}

thread_local! {
    static WATCH: Cell<Option<Watch>> = const { Cell::new(None) };
}

/// Ends a watch when dropped.
pub(super) struct WatchGuard(Option<Watch>);

impl Drop for WatchGuard {
    fn drop(&mut self) {
        WATCH.set(self.0);
    }
}

/// Treats faults in generated code as the guest's until the guard is dropped.
pub(super) fn watch_code(watch: Watch) -> WatchGuard {
    WatchGuard(WATCH.replace(Some(watch)))
}

/// The landing place for a fault in the generated code that this thread is running, if it is one.
fn landing_of_code(pc: usize, host: usize) -> Option<usize> {
    let inside = |range: (usize, usize), at| range.0 <= at && at < range.1;
    let watch = WATCH.get().filter(|watch| inside(watch.code.range, pc) && inside(watch.space, host))?;
    let slot = watch.cpu + std::mem::offset_of!(CpuState, host) + std::mem::offset_of!(HostSlots, host_pc);
    // SAFETY: the state lives and is this thread's while the watch lasts (`enter`); the field is aligned.
    unsafe { std::ptr::with_exposed_provenance_mut::<u64>(slot).write_volatile(pc as u64) };
    Some(watch.code.landing)
}

/// The registers of an interrupted context, by the numbers that instructions have for them.
#[cfg(feature = "linux")]
const REGISTERS: [libc::c_int; 16] = [
    libc::REG_RAX,
    libc::REG_RCX,
    libc::REG_RDX,
    libc::REG_RBX,
    libc::REG_RSP,
    libc::REG_RBP,
    libc::REG_RSI,
    libc::REG_RDI,
    libc::REG_R8,
    libc::REG_R9,
    libc::REG_R10,
    libc::REG_R11,
    libc::REG_R12,
    libc::REG_R13,
    libc::REG_R14,
    libc::REG_R15,
];

/// Ends the slice of generated code that a signal has interrupted: what is left of its fuel goes back to the state, so that
/// the next block finds none, and nothing is lost.
///
/// Async-signal-safe.
#[cfg(feature = "linux")]
pub(super) fn end_slice(context: &mut libc::ucontext_t) {
    let Some(Watch { code, cpu, .. }) = WATCH.get() else { return };
    let registers = &mut context.uc_mcontext.gregs;
    let at = registers[libc::REG_RIP as usize] as usize;
    let fuel = &mut registers[REGISTERS[usize::from(code.fuel & 15)] as usize];
    if code.blocks <= at && at < code.range.1 && *fuel > 0 {
        let rest = std::ptr::with_exposed_provenance_mut::<u64>(cpu + std::mem::offset_of!(CpuState, fuel));
        // SAFETY: the state lives and is this thread's while the watch lasts (`enter`); the field is aligned.
        unsafe { rest.write_volatile(rest.read_volatile().wrapping_add(*fuel as u64)) };
        *fuel = 0;
    }
}

/// What handled SIGSEGV and SIGBUS before us.
static PREVIOUS: OnceLock<[libc::sigaction; 2]> = OnceLock::new();

/// Installs the handler once per process. Later calls do nothing.
///
/// # Errors
/// `Error::Host` if the host refuses.
pub fn install() -> Result<(), Error> {
    static DONE: OnceLock<Result<(), i32>> = OnceLock::new();
    let result = DONE.get_or_init(|| {
        let mut previous = [default_action(); 2];
        for (slot, signal) in previous.iter_mut().zip([libc::SIGSEGV, libc::SIGBUS]) {
            let mut action = default_action();
            action.sa_sigaction = handler as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            // No other handler meanwhile: it would want room on the same stack, and the same inbox. Not by the C library,
            // which leaves two signals out.
            // SAFETY: the kernel's signal set is the first 64 bits of the C library's, which is aligned for them.
            unsafe { *std::ptr::from_mut(&mut action.sa_mask).cast::<u64>() = u64::MAX };
            // SAFETY: both pointers are to valid sigaction structures; the handler is async-signal-safe (header).
            if unsafe { libc::sigaction(signal, &action, slot) } != 0 {
                return Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL));
            }
        }
        PREVIOUS.get_or_init(|| previous);
        Ok(())
    });
    result.map_err(|code| Error::Host {
        what: "cannot install the fault handler",
        source: std::io::Error::from_raw_os_error(code),
    })
}

fn default_action() -> libc::sigaction {
    // SAFETY: sigaction is plain data; all zeroes is SIG_DFL with an empty mask.
    unsafe { std::mem::zeroed() }
}

extern "C" fn handler(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid siginfo and a valid ucontext to an SA_SIGINFO handler.
    let (info, context) = unsafe { (&*info, &mut *context.cast::<libc::ucontext_t>()) };
    // Bit 1 of the page-fault error code (Intel SDM Vol. 3A, 4.7).
    let write = context.uc_mcontext.gregs[libc::REG_ERR as usize] & 2 != 0;
    let pc = &mut context.uc_mcontext.gregs[libc::REG_RIP as usize];
    // SAFETY: si_addr is set for SIGSEGV and SIGBUS (sigaction(2)).
    let host = unsafe { info.si_addr() } as usize;
    let at = *pc as usize;
    // A signal that somebody sent (si_code 0 and below) is no fault (sigaction(2)).
    let raised = info.si_code > 0;
    if let Some(landing) = landing_of(at).or_else(|| landing_of_code(at, host)).filter(|_| raised) {
        SEEN.set(HostFault { host, beyond_file: signal == libc::SIGBUS, write });
        *pc = landing as i64;
        return;
    }
    // Sent by somebody, to the guest that this thread runs.
    #[cfg(feature = "linux")]
    if !raised && super::signal::deliver(info) {
        return;
    }
    pass_on(signal, info, context);
}

/// Not ours: does what was set up before us. A former handler is called; where the default action stood, it is put back
/// and the instruction faults again under it.
fn pass_on(signal: libc::c_int, info: &libc::siginfo_t, context: &mut libc::ucontext_t) {
    let default = default_action();
    let previous = PREVIOUS.get().map_or(&default, |p| &p[usize::from(signal == libc::SIGBUS)]);
    let address = previous.sa_sigaction;
    if address == libc::SIG_DFL || address == libc::SIG_IGN {
        // SAFETY: `previous` is a valid action, from sigaction(2) itself or the default.
        unsafe { libc::sigaction(signal, previous, std::ptr::null_mut()) };
        return;
    }
    call_handler(address, previous.sa_flags as u64, signal, info, context);
}

/// Calls a handler that somebody else has set with these flags.
pub(super) fn call_handler(
    address: usize,
    flags: u64,
    signal: libc::c_int,
    info: &libc::siginfo_t,
    context: &mut libc::ucontext_t,
) {
    let (info, context) =
        (std::ptr::from_ref(info).cast_mut(), std::ptr::from_mut(context).cast::<libc::c_void>());
    if flags & libc::SA_SIGINFO as u64 != 0 {
        type Full = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
        // SAFETY: an action with SA_SIGINFO holds the address of such a function (sigaction(2)).
        let handler: Full = unsafe { std::mem::transmute::<usize, Full>(address) };
        handler(signal, info, context);
    } else {
        type Plain = extern "C" fn(libc::c_int);
        // SAFETY: an action without SA_SIGINFO that is no constant holds the address of such a function.
        let handler: Plain = unsafe { std::mem::transmute::<usize, Plain>(address) };
        handler(signal);
    }
}

/// Where an access at host address `pc` goes on after a fault, if it is one of ours.
fn landing_of(pc: usize) -> Option<usize> {
    // SAFETY: the linker placed both symbols around one array of Fixup (header).
    let table = unsafe {
        let start = &raw const FIXUPS_START;
        let count = (&raw const FIXUPS_STOP).offset_from(start);
        std::slice::from_raw_parts(start, usize::try_from(count).unwrap_or(0))
    };
    table.iter().find_map(|entry| {
        let insn = relative(&entry.insn);
        (insn == pc).then(|| relative(&entry.landing))
    })
}

/// The address that a self-relative field names.
fn relative(field: &i32) -> usize {
    (std::ptr::from_ref(field) as usize).wrapping_add_signed(*field as isize)
}
