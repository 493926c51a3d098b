//! Loading a program: places the image and its interpreter in guest memory and starts the stack.
//!
//! Layout of the guest space (all of it below 4 GiB):
//!
//! ```text
//! 0x0001_0000  lowest address; programs linked without a place of their own start here
//! 0x1000_0000  position-independent programs, then the heap (brk), upwards
//!              ... free ...
//!              mmap area, from the stack downwards: interpreter, libraries, large allocations
//!              1 MiB gap
//!              stack
//! 0xffff_0000  end
//! ```

use super::elf::{self, Image, Segment};
use super::mm::{Memory, LOWEST, TASK_END};
use super::path::{Follow, Paths};
use super::process::{Config, Start};
use super::stack;
use crate::base::error::{ElfError, Error};
use crate::base::state::CpuState;
use crate::base::{GuestAddr, PAGE};
use crate::mmu::{Backing, Prot, SoftMmu};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Where position-independent programs go: low, so that the heap behind them has most of the space above it.
const PIE_BASE: GuestAddr = 0x1000_0000;
/// Distance between the stack and what lies below it, so that an overrun faults (Linux: `stack_guard_gap`).
const STACK_GAP: u64 = 1 << 20;
/// Stacks are at least this large, whatever was asked for.
const MIN_STACK: u64 = 64 << 10;
/// And at most this large: a quarter of the space.
const MAX_STACK: u64 = 1 << 30;

/// What loading leaves for the process.
pub struct Loaded {
    pub memory: Memory,
    pub start: Start,
    pub stack_size: u64,
}

/// An image in its place.
struct Placed {
    image: Image,
    bias: GuestAddr,
}

impl Placed {
    fn at(&self, addr: GuestAddr) -> GuestAddr {
        self.bias.wrapping_add(addr)
    }
}

/// Loads the program at `path`; see [`super::Process::load`].
pub fn program(
    mmu: &SoftMmu,
    cpu: &mut CpuState,
    paths: &Paths,
    path: &Path,
    args: &[OsString],
    config: &Config,
) -> Result<Loaded, Error> {
    let stack_size = config.stack_size.clamp(MIN_STACK, MAX_STACK).next_multiple_of(PAGE);
    let stack_low = TASK_END - stack_size;
    let file = open(path)?;
    let image = elf::parse_source(&file)?;
    let bias = if image.relocatable { PIE_BASE.next_multiple_of(image.align) } else { 0 };
    check_place(&image, bias, stack_low - STACK_GAP)?;
    let main = Placed { image, bias };
    let mut memory = Memory::new(main.at(main.image.high()), stack_low - STACK_GAP);
    place(mmu, &mut memory, &file, &main, paths.exe.as_os_str())?;
    let interp = interpreter(mmu, &mut memory, paths, &main)?;

    let prot = if main.image.exec_stack { Prot::RWX } else { Prot::RW };
    mmu.map(stack_low, stack_size, prot, Backing::Anonymous)?;
    memory.stack = (stack_low, TASK_END);
    let program = stack::Program {
        args,
        env: &config.env,
        exec_name: path.as_os_str(),
        phdr: if main.image.phdr == 0 { 0 } else { main.at(main.image.phdr) },
        phnum: main.image.phnum,
        entry: main.at(main.image.entry),
        interp_base: interp.as_ref().map_or(0, |interp| interp.bias),
    };
    let built = stack::build(mmu, TASK_END, stack_size, &program)?;
    cpu.set_x(2, built.sp);
    cpu.pc = interp.as_ref().map_or(program.entry, |interp| interp.at(interp.image.entry));
    let start = Start {
        cmdline: built.cmdline,
        environ: built.environ,
        auxv: built.auxv,
        stack: built.sp,
        code: (main.at(main.image.low()), main.at(main.image.high())),
        bias: main.bias,
    };
    Ok(Loaded { memory, start, stack_size })
}

fn open(path: &Path) -> Result<File, Error> {
    let failed = |source| Error::File { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(failed)?;
    // A directory opens, but has no contents; a pipe or a terminal would block.
    match file.metadata().map_err(failed)?.is_file() {
        true => Ok(file),
        false => Err(Error::Elf(ElfError::NotElf)),
    }
}

/// Loads the interpreter that `main` names, below everything mapped so far.
fn interpreter(
    mmu: &SoftMmu,
    memory: &mut Memory,
    paths: &Paths,
    main: &Placed,
) -> Result<Option<Placed>, Error> {
    let Some(name) = &main.image.interp else { return Ok(None) };
    let host = paths.host(name, Follow::Yes);
    let path = Path::new(OsStr::from_bytes(&host));
    let missing = || ElfError::NoInterpreter(String::from_utf8_lossy(name).into_owned());
    let file = File::open(path).map_err(|_| missing())?;
    let image = elf::parse_source(&file)?;
    let span = image.high() - image.low();
    let bias = if image.relocatable {
        let inside = image.low() % image.align;
        let room = span + inside + (image.align - PAGE);
        let free = memory.find_free(mmu, room).ok_or(ElfError::BadSegment("no room for the interpreter"))?;
        free.next_multiple_of(image.align).wrapping_sub(image.low() - inside)
    } else {
        0
    };
    check_place(&image, bias, memory.top)?;
    if !mmu.is_free(bias.wrapping_add(image.low()), span) {
        return Err(ElfError::BadSegment("the interpreter overlaps the program").into());
    }
    let interp = Placed { image, bias };
    place(mmu, memory, &file, &interp, path.as_os_str())?;
    Ok(Some(interp))
}

/// Checks that an image lies between the lowest address and `end`.
fn check_place(image: &Image, bias: GuestAddr, end: GuestAddr) -> Result<(), ElfError> {
    if bias.wrapping_add(image.low()) < LOWEST {
        return Err(ElfError::BadSegment("below the lowest address, 64 KiB"));
    }
    match bias.wrapping_add(image.high()) <= end {
        true => Ok(()),
        false => Err(ElfError::BadSegment("image too large, or where the stack is")),
    }
}

fn place(
    mmu: &SoftMmu,
    memory: &mut Memory,
    file: &File,
    placed: &Placed,
    name: &OsStr,
) -> Result<(), Error> {
    for segment in &placed.image.segments {
        place_segment(mmu, memory, file, *segment, placed.bias, name)?;
    }
    Ok(())
}

/// Maps one segment: its part of the file, the rest of the last page zeroed, whole zero pages behind.
fn place_segment(
    mmu: &SoftMmu,
    memory: &mut Memory,
    file: &File,
    segment: Segment,
    bias: GuestAddr,
    name: &OsStr,
) -> Result<(), Error> {
    let vaddr = bias.wrapping_add(segment.vaddr);
    let start = vaddr / PAGE * PAGE;
    let file_end = vaddr + segment.file_size;
    let end = (vaddr + segment.mem_size).next_multiple_of(PAGE);
    let mut mapped = start;
    if segment.file_size > 0 {
        mapped = file_end.next_multiple_of(PAGE);
        let offset = segment.offset / PAGE * PAGE;
        let backing = Backing::File { fd: file.as_fd(), offset, shared: false };
        mmu.map(start, mapped - start, segment.prot, backing)?;
        memory.files.insert(start, mapped, offset, name.as_bytes());
    }
    if segment.mem_size > segment.file_size && segment.file_size > 0 && segment.prot.write {
        // Linux, too, leaves the rest of the page as the file has it where the segment cannot be written.
        let zeros = vec![0; (mapped - file_end) as usize];
        mmu.write(file_end, &zeros).map_err(|_| ElfError::Truncated)?;
    }
    if end > mapped {
        mmu.map(mapped, end - mapped, segment.prot, Backing::Anonymous)?;
    }
    Ok(())
}
