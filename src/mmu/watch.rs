//! Code in guest memory: fetching it for translation, and noticing that it changed.
//!
//! A page that code was translated from is watched: if the guest may write it, the host's tables say no until it does.
//! The first write faults, the watch ends, and translations are out of date. Where a watch is impossible (shared memory)
//! or costs more than it saves (data that is written beside the code that writes it), `fence.i` does the work, as the
//! architecture asks of programs anyway (RISC-V Unpriv. "Zifencei").

use super::{next_epoch, page, prot_of, Prot, SoftMmu};
use crate::base::error::{Access, Fault};
use crate::base::{GuestAddr, PAGE, SPACE};
use std::sync::atomic::Ordering;

impl SoftMmu {
    /// Reads code for the decoder: up to `into.len()` bytes from `addr` while the pages are executable. Returns how many
    /// bytes were read.
    ///
    /// # Errors
    /// The fetch fault, if not even one byte is executable.
    pub fn fetch(&self, addr: GuestAddr, into: &mut [u8]) -> Result<usize, Fault> {
        let mut done = 0;
        while done < into.len() {
            let at = addr.wrapping_add(done as u64);
            if self.page_byte(at) & page::EXEC == 0 {
                break;
            }
            let len = (into.len() - done).min((PAGE - at % PAGE) as usize);
            if self.read(at, &mut into[done..done + len]).is_err() {
                break;
            }
            done += len;
        }
        if done == 0 && !into.is_empty() {
            let mapped = self.page_byte(addr) & page::MAPPED != 0;
            return Err(Fault { addr, access: Access::Fetch, mapped, beyond_file: false });
        }
        Ok(done)
    }

    /// Whether code was translated from the page at `addr`, so that writes to it make translations out of date.
    pub fn is_code(&self, addr: GuestAddr) -> bool {
        let byte = self.space.pages().get((addr / PAGE) as usize);
        byte.is_some_and(|byte| byte.load(Ordering::Acquire) & page::CODE != 0)
    }

    /// Notes that code was translated from `[addr, addr + len)`: from now on a write there makes translations out of
    /// date ([`SoftMmu::code_written`]).
    pub fn watch_code(&self, addr: GuestAddr, len: u64) {
        let (first, last) = (addr / PAGE, (addr + len.max(1) - 1) / PAGE);
        let pages = self.space.pages();
        let known = |index| {
            pages.get(index as usize).is_none_or(|byte| byte.load(Ordering::Acquire) & page::CODE != 0)
        };
        if known(first) && known(last) {
            return;
        }
        let _changing = self.freeze();
        for index in first..=last {
            let Some(byte) = pages.get(index as usize) else { break };
            let bits = byte.load(Ordering::Relaxed);
            if bits & page::CODE != 0 {
                continue;
            }
            let watchable = bits & (page::SHARED | page::MIXED) == 0;
            if watchable && bits & page::WRITE != 0 {
                let read_only = Prot { write: false, ..prot_of(bits).unwrap_or_default() };
                if self.space.protect(index * PAGE, PAGE, read_only).is_ok() {
                    self.watches.store(true, Ordering::Relaxed);
                    byte.fetch_or(page::CODE | page::WATCHED, Ordering::Release);
                    continue;
                }
            }
            if !watchable || bits & page::WRITE != 0 {
                self.shared_code.store(true, Ordering::Relaxed);
            }
            // Last: whoever sees the bit relies on the watch.
            byte.fetch_or(page::CODE, Ordering::Release);
        }
    }

    /// If a fault is a write to translated code that the guest may do, lets it happen and declares the translations out
    /// of date: the access is to be tried again. `pc` is the address of the instruction that wrote, if the guest did: on
    /// a page that writes to itself the watch ends for good, since translating the instruction to try it again would
    /// start it anew.
    pub fn code_written(&self, fault: &Fault, pc: Option<GuestAddr>) -> bool {
        let page_start = fault.addr / PAGE * PAGE;
        if fault.access != Access::Store || fault.beyond_file {
            return false;
        }
        if !self.release(page_start, PAGE) {
            // Perhaps another thread has just ended the watch.
            let bits = self.page_byte(fault.addr);
            return bits & (page::MAPPED | page::WRITE | page::WATCHED) == page::MAPPED | page::WRITE;
        }
        // The instruction may begin on the page before and end on this one.
        if pc.is_some_and(|pc| pc / PAGE == fault.addr / PAGE || (pc + 3) / PAGE == fault.addr / PAGE) {
            if let Some(byte) = self.space.pages().get((page_start / PAGE) as usize) {
                byte.fetch_or(page::MIXED, Ordering::Relaxed);
            }
        }
        true
    }

    /// Ends every watch, for those who write without being able to try again.
    pub(crate) fn release_all(&self) {
        if self.watches.load(Ordering::Relaxed) {
            let _changing = self.freeze();
            self.watches.store(false, Ordering::Relaxed);
            self.end_watch(0, SPACE);
        }
    }

    /// Ends the watch over the pages of a range; true if there was one.
    pub(super) fn release(&self, addr: GuestAddr, len: u64) -> bool {
        if !self.watches.load(Ordering::Relaxed) {
            return false;
        }
        let _changing = self.freeze();
        self.end_watch(addr, len)
    }

    /// As [`SoftMmu::release`], for those who change mappings already.
    pub(super) fn end_watch(&self, addr: GuestAddr, len: u64) -> bool {
        let Some(pages) =
            self.space.pages().get((addr / PAGE) as usize..addr.saturating_add(len).div_ceil(PAGE) as usize)
        else {
            return false;
        };
        let mut released = false;
        for (index, byte) in (addr / PAGE..).zip(pages) {
            let bits = byte.load(Ordering::Relaxed);
            if bits & page::WATCHED == 0 {
                continue;
            }
            let prot = prot_of(bits).unwrap_or_default();
            if self.space.protect(index * PAGE, PAGE, prot).is_ok() {
                byte.fetch_and(!(page::WATCHED | page::CODE), Ordering::Relaxed);
                released = true;
            }
        }
        if released {
            self.invalidate_code();
        }
        released
    }

    /// Makes later translations see all earlier stores (`fence.i`, `riscv_flush_icache`). Writes to watched code have
    /// done so already; only code in shared memory may have changed unseen.
    pub fn sync_code(&self) {
        // Another thread may just have let the write happen and not yet declared the translations out of date.
        drop(self.freeze());
        if self.shared_code.load(Ordering::Relaxed) {
            self.invalidate_code();
        }
    }

    /// Changes with each event after which translations may be out of date; a translation is good while this is what it
    /// was when the code was fetched. No other memory of this process ever has the same number.
    #[inline]
    pub fn code_epoch(&self) -> u64 {
        self.code_epoch.load(Ordering::SeqCst)
    }

    /// Declares all translations out of date.
    pub fn invalidate_code(&self) {
        self.code_epoch.store(next_epoch(), Ordering::SeqCst);
    }
}
