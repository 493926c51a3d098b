//! Executable memory: one memory object seen twice, writable at one address and executable at another.
//!
//! Invariants:
//! - No address is writable and executable at once: the views are separate mappings, made once, never changed.
//! - What is executed was published: [`CodeArena::publish`] is the only writer of new code, and it orders the caches.
//! - [`CodeArena::patch_i32`] changes published code by one aligned 4-byte store, which x86-64 and AArch64 processors
//!   fetch whole (Intel SDM Vol. 3A, 9.1.1 and 9.1.3).
#![allow(unsafe_code, reason = "mapping code and patching it")]

use crate::base::error::Error;
use memmap2::{Advice, Mmap, MmapMut, MmapOptions};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicI32, Ordering};

/// Alignment of published code: that of the largest constants in it, and a fetch unit of older processors.
const ALIGN: usize = 16;

/// An arena of code with a fixed cap. Memory is committed as it is used; dropping it frees all.
#[derive(Debug)]
pub struct CodeArena {
    writable: MmapMut,
    executable: Mmap,
    /// Bytes in use at the start, and where those in use at the end begin.
    used: usize,
    rare: usize,
    /// Bytes whose memory was asked for, likewise.
    ready: usize,
    rare_ready: usize,
}

/// Most and least memory that is asked for at once; between them it is as much as is in use.
const MOST: usize = 256 << 10;
const LEAST: usize = 16 << 10;

/// A place that was reserved and not published yet; code for it can be assembled for its final address.
#[derive(Debug)]
pub struct Writable {
    offset: usize,
    len: usize,
}

impl Writable {
    /// Its offset in the arena.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The offset behind it.
    pub fn end(&self) -> usize {
        self.offset + self.len
    }
}

/// Published code: its offset in the arena and its length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Executable {
    pub offset: usize,
    pub len: usize,
}

impl CodeArena {
    /// An arena of `cap` bytes.
    ///
    /// # Errors
    /// `Error::NoMemory` or `Error::Host` if the host gives no memory object or no executable mapping of it.
    pub fn new(cap: usize) -> Result<CodeArena, Error> {
        let failed = |source| Error::Host { what: "cannot map executable memory", source };
        let object = memory_object(cap).map_err(failed)?;
        // SAFETY: the object is anonymous and ours alone, so nobody else changes or truncates it.
        let writable = unsafe { MmapOptions::new().len(cap).map_mut(&object) }.map_err(failed)?;
        // SAFETY: as above; the bytes change only through `writable`, by `publish` and `patch_i32`.
        let executable = unsafe { MmapOptions::new().len(cap).map_exec(&object) }.map_err(failed)?;
        Ok(CodeArena { writable, executable, used: 0, rare: cap, ready: 0, rare_ready: cap })
    }

    /// Host address at which the arena is executed.
    pub fn base(&self) -> usize {
        self.executable.as_ptr() as usize
    }

    /// Size of the arena.
    pub fn cap(&self) -> usize {
        self.executable.len()
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.used + (self.cap() - self.rare)
    }

    /// Whether the offset is in use, in what [`CodeArena::reserve`] gave.
    pub fn has(&self, offset: usize) -> bool {
        offset < self.used
    }

    /// Whether the offset is in use, in what [`CodeArena::reserve_rare`] gave.
    pub fn has_rare(&self, offset: usize) -> bool {
        offset >= self.rare
    }

    /// Reserves `len` bytes at the end of the arena, for code that is rarely run: so what is often run is close together.
    /// The place is a multiple of 16 bytes away from `near`, or `None` if the arena is full.
    pub fn reserve_rare(&mut self, len: usize, near: usize) -> Option<Writable> {
        let end = self.rare.checked_sub(len)?;
        let offset = end.checked_sub(end.wrapping_sub(near) % ALIGN).filter(|&offset| offset >= self.used)?;
        self.rare = offset;
        if offset < self.rare_ready {
            self.make_rare_ready(offset);
        }
        Some(Writable { offset, len })
    }

    /// Reserves `len` bytes, or `None` if the arena is full.
    pub fn reserve(&mut self, len: usize) -> Option<Writable> {
        let offset = self.used.next_multiple_of(ALIGN);
        let end = offset.checked_add(len).filter(|&end| end <= self.rare)?;
        self.used = end;
        if end > self.ready {
            self.make_ready(end);
        }
        Some(Writable { offset, len })
    }

    /// Asks for the memory up to `end` and some more: one call for many pages costs less than a fault for each, and the
    /// executable view finds them all there.
    #[cold]
    fn make_ready(&mut self, end: usize) {
        let more = self.ready.clamp(LEAST, MOST);
        let until = (end.next_multiple_of(LEAST) + more - LEAST).min(self.cap());
        // A host that cannot do that (Linux before 5.14) gives the memory as it is used.
        let _ = self.writable.advise_range(Advice::PopulateWrite, self.ready, until - self.ready);
        self.ready = until;
    }

    /// The same down to an offset.
    #[cold]
    fn make_rare_ready(&mut self, offset: usize) {
        let more = (self.cap() - self.rare_ready).clamp(LEAST, MOST) - LEAST;
        let from = (offset - offset % LEAST).saturating_sub(more);
        let _ = self.writable.advise_range(Advice::PopulateWrite, from, self.rare_ready - from);
        self.rare_ready = from;
    }

    /// Writes code to its place and makes it executable. What does not fit the place is an error of the caller and is
    /// cut off.
    pub fn publish(&mut self, place: Writable, code: &[u8]) -> Executable {
        let len = code.len().min(place.len);
        self.writable[place.offset..place.offset + len].copy_from_slice(&code[..len]);
        // x86-64 keeps instruction and data caches coherent (Intel SDM Vol. 3A, 12.6); the store becomes visible to
        // other harts before a pointer to it does.
        std::sync::atomic::fence(Ordering::Release);
        Executable { offset: place.offset, len }
    }

    /// Replaces 4 published bytes at `offset`, a multiple of 4, atomically. Offsets outside the arena are ignored.
    pub fn patch_i32(&self, offset: usize, value: i32) {
        if !offset.is_multiple_of(4) || offset.checked_add(4).is_none_or(|end| end > self.used) {
            return;
        }
        let at = self.writable.as_ptr().wrapping_add(offset).cast_mut().cast::<i32>();
        // SAFETY: the address is inside the mapping and aligned (both checked); all access to it is atomic or through
        // `&mut self`.
        unsafe { AtomicI32::from_ptr(at) }.store(value.to_le(), Ordering::Release);
    }

    /// A copy of what is in use, for a child process: the arena itself is shared memory, which the parent goes on
    /// changing.
    ///
    /// # Errors
    /// The host's reason.
    pub fn copy(&self) -> io::Result<File> {
        let object = memory_object(self.cap())?;
        object.write_all_at(&self.writable[..self.used], 0)?;
        object.write_all_at(&self.writable[self.rare..], self.rare as u64)?;
        Ok(object)
    }

    /// In a child process: puts a copy in the place of the parent's memory, at the same addresses.
    ///
    /// # Errors
    /// The host's reason; the arena must not be used then, not even what runs from it.
    pub fn become_copy(&mut self, copy: &File) -> io::Result<()> {
        let views = [
            (self.writable.as_ptr(), libc::PROT_READ | libc::PROT_WRITE),
            (self.executable.as_ptr(), libc::PROT_READ | libc::PROT_EXEC),
        ];
        for (at, prot) in views {
            let flags = libc::MAP_SHARED | libc::MAP_FIXED;
            let at = at.cast_mut().cast();
            // SAFETY: the range is that of one of our two mappings, which keeps its length and protection; what it shows
            // is the same, byte for byte, where anything is in use.
            let got = unsafe { libc::mmap(at, self.cap(), prot, flags, copy.as_raw_fd(), 0) };
            if got == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    }

    /// Frees everything that was reserved. The caller vouches that nothing of it will run again.
    pub fn reset(&mut self) {
        self.used = 0;
        self.rare = self.cap();
    }
}

/// An anonymous memory object of `len` bytes.
fn memory_object(len: usize) -> io::Result<File> {
    // SAFETY: the name is a NUL-terminated string; the result is checked.
    let fd = unsafe { libc::memfd_create(c"vmjit-code".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else has it.
    let file = unsafe { File::from_raw_fd(fd) };
    file.set_len(len as u64)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_code_is_seen_by_the_executable_view_and_can_be_patched() {
        let mut arena = CodeArena::new(1 << 16).unwrap();
        let place = arena.reserve(8).unwrap();
        let code = arena.publish(place, &[1, 2, 3, 4, 5, 6, 7, 8]);
        arena.patch_i32(code.offset + 4, 0x0403_0201);
        assert_eq!(arena.executable[code.offset..code.offset + 8], [1, 2, 3, 4, 1, 2, 3, 4]);
        assert_ne!(arena.base(), arena.writable.as_ptr() as usize);
        arena.patch_i32(1 << 20, 7);
        arena.patch_i32(code.offset + 2, 7);
        assert_eq!(arena.executable[code.offset + 2], 3);
    }

    #[test]
    fn a_full_arena_says_so_and_can_start_again() {
        let mut arena = CodeArena::new(4096).unwrap();
        assert!(arena.reserve(4000).is_some());
        assert!(arena.reserve(200).is_none());
        arena.reset();
        assert_eq!(arena.reserve(4096).map(|place| place.offset), Some(0));
    }

    #[test]
    fn rare_code_stands_at_the_end_at_a_distance_of_whole_units() {
        let mut arena = CodeArena::new(1 << 16).unwrap();
        let place = arena.reserve(40).unwrap();
        let near = place.end();
        let rare = arena.reserve_rare(21, near).unwrap();
        assert!((rare.offset() - near).is_multiple_of(16) && (1 << 16) - rare.end() < 16);
        let lower = arena.reserve_rare(100, near).unwrap();
        assert!(lower.end() <= rare.offset() && (lower.offset() - near).is_multiple_of(16));
        let at = arena.publish(lower, &[7; 100]).offset;
        assert!(arena.has_rare(at) && !arena.has(at) && !arena.has_rare(at - 1) && arena.has(near - 1));
        let copy = arena.copy().unwrap();
        let mut bytes = [0; 100];
        copy.read_exact_at(&mut bytes, at as u64).unwrap();
        assert_eq!(bytes, [7; 100]);
        // Both ends meet.
        let left = at - near;
        assert!(arena.reserve(left + 16).is_none() && arena.reserve_rare(left + 16, near).is_none());
    }

    #[test]
    fn no_mapping_is_writable_and_executable() {
        let arena = CodeArena::new(1 << 16).unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let ours: Vec<&str> = maps.lines().filter(|line| line.contains("vmjit-code")).collect();
        assert!(ours.len() >= 2 && ours.iter().all(|line| !line.contains("rwx")), "{ours:?}");
        drop(arena);
    }
}
