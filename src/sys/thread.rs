//! Threads of the host: for threads of the guest, and one for the engine itself, which works beside them.
//!
//! Not the standard library's: while it starts or ends a thread it holds a lock of its own, and a child that another thread
//! forks meanwhile could never start one. What the C library holds then it makes usable in the child itself.
//!
//! Invariant: the closure is handed over whole, and run once.
#![allow(unsafe_code, reason = "pthreads")]

#[cfg(feature = "linux")]
use memmap2::MmapMut;
use std::ffi::c_void;

#[cfg(feature = "linux")]
/// Stack for signal handlers of the host; the processor's registers alone take up to eleven KiB of it.
const SIGNAL_STACK: usize = 64 << 10;

#[cfg(feature = "linux")]
/// What a thread begins with: what it does, and its stack for signal handlers.
type Body = (Box<dyn FnOnce() + Send>, MmapMut);

#[cfg(feature = "linux")]
/// Starts a thread that nobody waits for, with `stack` bytes of stack. A panic in it ends the process.
///
/// # Errors
/// The host's `errno`: EAGAIN if there are too many.
pub fn start(stack: usize, body: impl FnOnce() + Send + 'static) -> Result<(), i32> {
    // Here, where its lack can still be told.
    let signal_stack = MmapMut::map_anon(SIGNAL_STACK).map_err(|_| libc::EAGAIN)?;
    let body: Box<Body> = Box::new((Box::new(body), signal_stack));
    let body = Box::into_raw(body);
    // SAFETY: the attributes are initialised before they are used and destroyed after; the thread gets the box, or, if
    // there is none, this function takes it back.
    unsafe {
        let mut attributes = std::mem::zeroed();
        let mut id = std::mem::zeroed();
        libc::pthread_attr_init(&mut attributes);
        libc::pthread_attr_setdetachstate(&mut attributes, libc::PTHREAD_CREATE_DETACHED);
        libc::pthread_attr_setstacksize(&mut attributes, stack);
        let error = libc::pthread_create(&mut id, &attributes, run, body.cast());
        libc::pthread_attr_destroy(&mut attributes);
        if error != 0 {
            drop(Box::from_raw(body));
            return Err(error);
        }
    }
    Ok(())
}

#[cfg(feature = "linux")]
extern "C" fn run(body: *mut c_void) -> *mut c_void {
    // SAFETY: `start` passes a box that it has given up.
    let (body, mut memory) = *unsafe { Box::from_raw(body.cast::<Body>()) };
    let signals = |sp: *mut c_void, flags, size| {
        let stack = libc::stack_t { ss_sp: sp, ss_flags: flags, ss_size: size };
        // SAFETY: the memory lives until the second call, which is after the last use of it.
        unsafe { libc::sigaltstack(&stack, std::ptr::null_mut()) };
    };
    signals(memory.as_mut_ptr().cast(), 0, SIGNAL_STACK);
    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_err() {
        std::process::abort();
    }
    // No signal of the guest's comes to this thread any more.
    super::signal::block_all();
    signals(std::ptr::null_mut(), libc::SS_DISABLE, 0);
    std::ptr::null_mut()
}

/// A thread that works beside those of the guest.
#[derive(Debug)]
pub struct Beside(libc::pthread_t);

impl Beside {
    /// Waits until it has ended.
    pub fn join(self) {
        // SAFETY: the thread was started to be joined (`start_beside`), and this is the only handle to it.
        unsafe { libc::pthread_join(self.0, std::ptr::null_mut()) };
    }

    /// In a child process, which does not have it: there is nothing to wait for.
    #[cfg(feature = "linux")]
    pub fn forget(self) {}
}

/// Starts a thread with `stack` bytes of stack that nobody sends a signal to: it blocks all, so that the kernel gives none that
/// is meant for the guest to it. It must not access the guest's memory. A panic in it ends the process. `name` is what the
/// host shows; it ends with a NUL.
///
/// # Errors
/// The host's `errno`: EAGAIN if there are too many.
pub fn start_beside(
    stack: usize,
    name: &'static [u8; 16],
    body: impl FnOnce() + Send + 'static,
) -> Result<Beside, i32> {
    type Plain = (Box<dyn FnOnce() + Send>, &'static [u8; 16]);
    extern "C" fn run(body: *mut c_void) -> *mut c_void {
        // SAFETY: `start_beside` passes a box that it has given up.
        let (body, name) = *unsafe { Box::from_raw(body.cast::<Plain>()) };
        if name[15] == 0 {
            // SAFETY: the pointer is to 16 bytes that end with a NUL.
            unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
        }
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_err() {
            std::process::abort();
        }
        std::ptr::null_mut()
    }
    let body: Box<Plain> = Box::new((Box::new(body), name));
    let body = Box::into_raw(body);
    // A thread begins with the mask of the one that starts it. Not by the C library, which leaves two signals out.
    let exchange = |new: u64| {
        let mut old = 0u64;
        // SAFETY: both pointers are to local sets of the kernel's size.
        unsafe {
            libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const new, &raw mut old, 8)
        };
        old
    };
    let mask = exchange(u64::MAX);
    // SAFETY: the attributes are initialised before they are used and destroyed after; the thread gets the box, or, if
    // there is none, this function takes it back.
    let started = unsafe {
        let mut attributes = std::mem::zeroed();
        let mut id = std::mem::zeroed();
        libc::pthread_attr_init(&mut attributes);
        libc::pthread_attr_setstacksize(&mut attributes, stack);
        let error = libc::pthread_create(&mut id, &attributes, run, body.cast());
        libc::pthread_attr_destroy(&mut attributes);
        match error {
            0 => Ok(Beside(id)),
            error => {
                drop(Box::from_raw(body));
                Err(error)
            }
        }
    };
    exchange(mask);
    started
}
