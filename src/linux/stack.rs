//! The initial stack: arguments, environment and auxiliary vector.
//!
//! ```text
//! sp -> argc, argv[0..argc], 0, envp[..], 0, auxv[..] (type, value), AT_NULL, padding, 16 random bytes, strings
//! ```
//!
//! Source: System V gABI, "Process Initialization"; RISC-V ELF psABI (sp is 16-byte aligned); Linux `fs/binfmt_elf.c`
//! for the entries of the auxiliary vector.

use super::elf;
use crate::base::error::Error;
use crate::base::{GuestAddr, PAGE};
use crate::mmu::{CallArg, SoftMmu};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// I, M, A, F, D and C as bits of `AT_HWCAP`, one per letter (Linux `arch/riscv/include/uapi/asm/hwcap.h`).
const HWCAP: u64 = letter(b'I') | letter(b'M') | letter(b'A') | letter(b'F') | letter(b'D') | letter(b'C');

const fn letter(letter: u8) -> u64 {
    1 << (letter - b'A')
}

/// What the stack tells the program about itself.
pub struct Program<'a> {
    pub args: &'a [OsString],
    pub env: &'a [Vec<u8>],
    /// The path the program was started by (`AT_EXECFN`).
    pub exec_name: &'a OsStr,
    pub phdr: GuestAddr,
    pub phnum: u64,
    pub entry: GuestAddr,
    /// Load bias of the interpreter, 0 without one.
    pub interp_base: GuestAddr,
}

/// The finished stack.
pub struct Built {
    pub sp: GuestAddr,
    pub cmdline: Vec<u8>,
    pub environ: Vec<u8>,
    pub auxv: Vec<u8>,
}

/// Writes the initial stack below `top`.
///
/// # Errors
/// `Error::NoMemory` if it would take more than a quarter of the stack (Linux's limit on arguments).
pub fn build(mmu: &SoftMmu, top: GuestAddr, stack_size: u64, program: &Program<'_>) -> Result<Built, Error> {
    let mut random = [0; 16];
    mmu.host_call(libc::SYS_getrandom, &mut [CallArg::Out(&mut random), CallArg::Int(16), CallArg::Int(0)])
        .map_err(|errno| Error::Host { what: "getrandom", source: std::io::Error::from_raw_os_error(errno) })?;
    let cmdline = joined(program.args.iter().map(|arg| arg.as_bytes()));
    let environ = joined(program.env.iter().map(Vec::as_slice));
    // Strings and the pointers to them.
    let bytes = (cmdline.len() + environ.len() + (program.args.len() + program.env.len()) * 8) as u64;
    if bytes > stack_size / 4 {
        return Err(Error::NoMemory { what: "arguments and environment", bytes });
    }
    let (sp, image, auxv) = layout(top, program, &random, &Ids::of_host(mmu));
    let unmapped = |_| Error::BadRange { addr: sp, len: image.len() as u64 };
    mmu.write(sp, &image).map_err(unmapped)?;
    Ok(Built { sp, cmdline, environ, auxv })
}

/// The strings one after the other, each with its NUL; what follows a NUL inside one is cut off.
fn joined<'s>(strings: impl Iterator<Item = &'s [u8]>) -> Vec<u8> {
    let mut all = Vec::new();
    for string in strings {
        all.extend(string.iter().take_while(|&&byte| byte != 0));
        all.push(0);
    }
    all
}

/// User and group ids for the auxiliary vector.
#[derive(Default)]
struct Ids {
    uid: u64,
    euid: u64,
    gid: u64,
    egid: u64,
}

impl Ids {
    fn of_host(mmu: &SoftMmu) -> Ids {
        // These calls cannot fail.
        let id = |number| mmu.host_call(number, &mut []).unwrap_or(0);
        Ids {
            uid: id(libc::SYS_getuid),
            euid: id(libc::SYS_geteuid),
            gid: id(libc::SYS_getgid),
            egid: id(libc::SYS_getegid),
        }
    }
}

/// Computes sp, the bytes from sp to `top`, and the auxiliary vector.
fn layout(
    top: GuestAddr,
    program: &Program<'_>,
    random: &[u8; 16],
    ids: &Ids,
) -> (GuestAddr, Vec<u8>, Vec<u8>) {
    let args = joined(program.args.iter().map(|arg| arg.as_bytes()));
    let env = joined(program.env.iter().map(Vec::as_slice));
    let name = joined(std::iter::once(program.exec_name.as_bytes()));
    // Strings end at the top; Linux keeps the last word zero.
    let strings_len = (args.len() + env.len() + name.len() + random.len() + 8) as u64;
    let strings = (top - strings_len) / 16 * 16;
    let args_at = strings + random.len() as u64;
    let env_at = args_at + args.len() as u64;
    let name_at = env_at + env.len() as u64;

    let aux = auxv(program, ids, strings, name_at);
    let mut words = vec![program.args.len() as u64];
    words.extend(starts(args_at, &args));
    words.push(0);
    words.extend(starts(env_at, &env));
    words.push(0);
    words.extend(aux.iter().flat_map(|&(kind, value)| [kind, value]));
    let sp = (strings - words.len() as u64 * 8) / 16 * 16;

    let mut image: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    image.resize((strings - sp) as usize, 0);
    for part in [&random[..], &args, &env, &name] {
        image.extend_from_slice(part);
    }
    image.resize((top - sp) as usize, 0);
    let aux_bytes = aux.iter().flat_map(|&(kind, value)| [kind, value]).flat_map(u64::to_le_bytes).collect();
    (sp, image, aux_bytes)
}

/// Addresses of the strings in `bytes`, which lie at `at`.
fn starts(at: GuestAddr, bytes: &[u8]) -> Vec<GuestAddr> {
    let mut next = at;
    bytes
        .split_inclusive(|&byte| byte == 0)
        .map(|string| {
            let start = next;
            next += string.len() as u64;
            start
        })
        .collect()
}

fn auxv(program: &Program<'_>, ids: &Ids, random: GuestAddr, name: GuestAddr) -> Vec<(u64, u64)> {
    vec![
        (libc::AT_PHDR, program.phdr),
        (libc::AT_PHENT, elf::PHDR),
        (libc::AT_PHNUM, program.phnum),
        (libc::AT_PAGESZ, PAGE),
        (libc::AT_BASE, program.interp_base),
        (libc::AT_FLAGS, 0),
        (libc::AT_ENTRY, program.entry),
        (libc::AT_UID, ids.uid),
        (libc::AT_EUID, ids.euid),
        (libc::AT_GID, ids.gid),
        (libc::AT_EGID, ids.egid),
        (libc::AT_HWCAP, HWCAP),
        // USER_HZ, fixed by the kernel's interface.
        (libc::AT_CLKTCK, 100),
        (libc::AT_RANDOM, random),
        (libc::AT_SECURE, 0),
        (libc::AT_EXECFN, name),
        (libc::AT_NULL, 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program<'a>(args: &'a [OsString], env: &'a [Vec<u8>]) -> Program<'a> {
        let exec_name = OsStr::new("/bin/prog");
        Program { args, env, exec_name, phdr: 0x10040, phnum: 7, entry: 0x10100, interp_base: 0 }
    }

    #[test]
    fn the_stack_is_laid_out_as_linux_does() {
        let args = ["prog".into(), "".into(), "x y".into()];
        let env = [b"A=1".to_vec(), b"B=".to_vec()];
        let top = 0xffff_0000;
        let (sp, image, aux) = layout(top, &program(&args, &env), &[7; 16], &Ids::default());
        assert_eq!((sp % 16, sp + image.len() as u64), (0, top));
        let word = |index: usize| u64::from_le_bytes(image[index * 8..index * 8 + 8].try_into().unwrap());
        let string = |addr: u64| {
            let rest = &image[(addr - sp) as usize..];
            String::from_utf8(rest[..rest.iter().position(|&b| b == 0).unwrap()].to_vec()).unwrap()
        };
        assert_eq!(word(0), 3);
        assert_eq!([string(word(1)), string(word(2)), string(word(3))], ["prog", "", "x y"]);
        assert_eq!(word(4), 0);
        assert_eq!([string(word(5)), string(word(6))], ["A=1", "B="]);
        assert_eq!(word(7), 0);
        assert_eq!(&image[64..64 + aux.len()], aux);
        let value = |kind: u64| {
            let pair = aux.chunks(16).find(|pair| pair[..8] == kind.to_le_bytes()).unwrap();
            u64::from_le_bytes(pair[8..].try_into().unwrap())
        };
        assert_eq!(value(libc::AT_PAGESZ), 4096);
        assert_eq!(string(value(libc::AT_EXECFN)), "/bin/prog");
        assert_eq!(image[(value(libc::AT_RANDOM) - sp) as usize..][..16], [7; 16]);
        assert_eq!(value(libc::AT_RANDOM) % 16, 0);
        assert_eq!(value(libc::AT_HWCAP), 0x112d);
        assert_eq!(aux[aux.len() - 16..], [0; 16]);
    }

    #[test]
    fn no_arguments_and_odd_counts_keep_the_alignment() {
        for count in 0..5 {
            let args: Vec<OsString> = (0..count).map(|n| n.to_string().into()).collect();
            let (sp, image, _) = layout(0xffff_0000, &program(&args, &[]), &[0; 16], &Ids::default());
            assert_eq!(sp % 16, 0);
            assert_eq!(image[..8], (count as u64).to_le_bytes());
        }
    }
}
