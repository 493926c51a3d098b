//! Loading a program: places the image and its interpreter in guest memory and starts the stack.
//!
//! Layout of the guest space (all of it below 4 GiB):
//!
//! ```text
//! 0x0001_0000  lowest address; programs linked without a place of their own start here
//! 0x1000_0000  position-independent programs, then the heap (brk), upwards
//!              ... free ...
//!              mmap area, from the stack downwards: interpreter, libraries, large allocations
//!              a page for the code that signal handlers return to, once there are any
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
use std::os::unix::fs::MetadataExt;
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
    check_place(&image, bias, stack_low - STACK_GAP - PAGE)?;
    let main = Placed { image, bias };
    // The page above the mmap area is for the code that handlers return to.
    let mut memory = Memory::new(main.at(main.image.high()), stack_low - STACK_GAP - PAGE);
    place(mmu, &mut memory, &file, &main, paths.exe.as_os_str())?;
    let interp = interpreter(mmu, &mut memory, paths, &main)?;

    let prot = if main.image.exec_stack { Prot::RWX } else { Prot::RW };
    mmu.map(stack_low, stack_size, prot, Backing::Anonymous)?;
    memory.stack = (stack_low, TASK_END);
    let program = stack::Program {
        args,
        env: &config.env,
        exec_name: config.exec_name.as_deref().unwrap_or(path.as_os_str()),
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

/// Opens a program under the rules of execve: a regular file that somebody may execute.
fn open(path: &Path) -> Result<File, Error> {
    let failed = |source| Error::File { path: path.to_path_buf(), source };
    // Looked at before it is opened, because opening a pipe waits for its other end.
    let meta = std::fs::metadata(path).map_err(failed)?;
    if !meta.is_file() || meta.mode() & 0o111 == 0 {
        return Err(failed(std::io::Error::from_raw_os_error(libc::EACCES)));
    }
    File::open(path).map_err(failed)
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

#[cfg(test)]
mod tests {
    use super::super::elf::test_file as file;
    use super::super::thread::Thread;
    use super::super::Process;
    use super::*;
    use crate::engine::presence::Presence;
    use crate::mmu::Placement;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    const EXEC: u16 = 2;
    const DYN: u16 = 3;
    const LOAD: u32 = 1;
    const INTERP: u32 = 3;

    /// Loads `bytes` as a program; the space, the hart and the process, or why not.
    fn load(name: &str, bytes: &[u8], config: &Config) -> Result<(SoftMmu, CpuState, Thread), Error> {
        let path = std::env::temp_dir().join(format!("vmjit-load-{name}-{}", std::process::id()));
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let mmu = SoftMmu::reserve(Placement::Based).unwrap();
        let mut cpu = CpuState::default();
        let loaded = Process::load(&mmu, &mut cpu, &path, &["prog".into()], config, &Presence::default());
        fs::remove_file(&path).unwrap();
        loaded.map(|process| (mmu, cpu, process))
    }

    fn config() -> Config {
        Config { env: vec![b"A=1".to_vec()], ..Config::default() }
    }

    fn text(addr: u64) -> (u32, u32, u64, u64, u64, u64, u64) {
        (LOAD, 5, 0, addr, 0x1000, 0x1000, 0x1000)
    }

    #[test]
    fn a_static_program_is_mapped_and_its_bss_zeroed() {
        let data = (LOAD, 6, 0x1000, 0x12000, 0x10, 0x2010, 0x1000);
        let mut bytes = file(EXEC, 0x10100, &[text(0x10000), data], 0x3000);
        bytes[0x1000..].fill(0xee);
        let (mmu, cpu, mut thread) = load("static", &bytes, &config()).unwrap();
        assert_eq!((cpu.pc, cpu.x(2) % 16), (0x10100, 0));
        let prots = [0x10000, 0x11000, 0x12000, 0x13000, 0x14000, 0x15000].map(|addr| mmu.prot(addr));
        assert_eq!(prots, [Some(Prot::RX), None, Some(Prot::RW), Some(Prot::RW), Some(Prot::RW), None]);
        assert_eq!(mmu.read_u64(0x12008).unwrap(), 0xeeee_eeee_eeee_eeee);
        assert_eq!([mmu.read_u64(0x12010).unwrap(), mmu.read_u64(0x12ff8).unwrap()], [0, 0]);
        assert_eq!(mmu.read_u64(cpu.x(2)).unwrap(), 1);
        // The heap begins behind the image, and the stack has its size and a gap below.
        let mut cpu = cpu;
        cpu.set_x(17, 214);
        cpu.set_x(10, 0);
        thread.syscall(&mmu, &mut cpu);
        assert_eq!(cpu.x(10), 0x15000);
        assert!(mmu.is_mapped(TASK_END - (8 << 20), 8 << 20));
        assert!(mmu.is_free(TASK_END - (9 << 20), 1 << 20) && mmu.is_free(TASK_END, 0x1_0000));
    }

    #[test]
    fn a_program_without_a_place_gets_one() {
        let bytes = file(DYN, 0x100, &[text(0)], 0x1000);
        let (mmu, cpu, _) = load("pie", &bytes, &config()).unwrap();
        assert_eq!(cpu.pc, PIE_BASE + 0x100);
        assert_eq!(mmu.prot(PIE_BASE), Some(Prot::RX));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let bad = |name, bytes: &[u8]| {
            matches!(load(name, bytes, &config()), Err(Error::Elf(ElfError::BadSegment(_))))
        };
        assert!(bad("low", &file(EXEC, 0x8000, &[text(0x8000)], 0x1000)));
        assert!(bad("stack", &file(EXEC, 0xffe0_0000, &[text(0xffe0_0000)], 0x1000)));
        let huge = (LOAD, 6, 0, 0x20000, 0, 0xfff0_0000, 0x1000);
        assert!(bad("huge", &file(EXEC, 0x10100, &[text(0x10000), huge], 0x1000)));
        let mut bytes = file(EXEC, 0x10100, &[text(0x10000), (INTERP, 4, 0x800, 0, 9, 9, 1)], 0x1000);
        bytes[0x800..0x808].copy_from_slice(b"/no/such");
        let error = load("interp", &bytes, &config()).err().unwrap();
        assert!(matches!(error, Error::Elf(ElfError::NoInterpreter(path)) if path == "/no/such"));
        let long = Config { env: vec![vec![b'x'; 3 << 20]], ..Config::default() };
        let error = load("env", &file(EXEC, 0x10100, &[text(0x10000)], 0x1000), &long).err().unwrap();
        assert!(matches!(error, Error::NoMemory { .. }));
        let mmu = SoftMmu::reserve(Placement::Based).unwrap();
        for path in ["/", "/etc/passwd", "/nonexistent"] {
            let loaded = Process::load(
                &mmu,
                &mut CpuState::default(),
                Path::new(path),
                &[],
                &config(),
                &Presence::default(),
            );
            assert!(matches!(loaded, Err(Error::File { .. })), "{path}");
        }
    }
}
