//! The command line: commands, flags and the help text that lists them.

use crate::Failure;
use lexopt::prelude::*;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use vm_engine_jit::linux::machine::started_for_another;
use vm_engine_jit::opt::passes::Without;
use vm_engine_jit::Tier;

/// What the user asked for.
pub enum Command {
    Run(Box<RunOptions>),
    Disasm(DisasmOptions),
    Dump(DumpOptions),
    /// Whether only to print.
    InstallBinfmt(bool),
    Demo,
    /// Help or version.
    Print(String),
}

/// `vmjit run`.
#[derive(Default)]
pub struct RunOptions {
    pub sysroot: Option<PathBuf>,
    /// `-E NAME=VALUE` (set) and `-U NAME` (remove), in their order.
    pub env: Vec<(OsString, Option<OsString>)>,
    pub tier: Tier,
    /// Its name, if it was given.
    pub tier_name: Option<OsString>,
    pub strace: bool,
    pub trace_regions: bool,
    /// Passes that are left out, and their names.
    pub without: Without,
    pub without_names: Vec<OsString>,
    /// Optimised code is compiled by the guest's threads themselves.
    pub foreground: bool,
    pub stats: Option<StatsForm>,
    pub fuel: Option<u64>,
    pub memory: Option<u64>,
    pub stack: Option<u64>,
    pub code_cache: Option<u64>,
    pub argv0: Option<OsString>,
    /// The name by which a program was executed, for programs that a guest executes.
    pub exec_name: Option<OsString>,
    pub program: PathBuf,
    /// Arguments after the program.
    pub args: Vec<OsString>,
}

/// How `--stats` prints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StatsForm {
    Text,
    Json,
}

/// `vmjit disasm`.
#[derive(Default)]
pub struct DisasmOptions {
    pub program: PathBuf,
    pub ir: bool,
}

/// `vmjit dump`. What is not asked for is not shown; without a choice all is.
#[derive(Default)]
pub struct DumpOptions {
    pub program: PathBuf,
    /// An address (`0x…`) or a symbol; with a tier also `all`.
    pub place: String,
    /// Show what this tier makes of it when the program is run with these arguments.
    pub tier: Option<Tier>,
    pub args: Vec<OsString>,
    pub sysroot: Option<PathBuf>,
    pub fuel: Option<u64>,
    pub guest: bool,
    pub ir: bool,
    pub asm: bool,
}

const HELP: &str = "\
vmjit runs riscv64 Linux programs.

  vmjit run [OPTION]... PROGRAM [ARG]...   run a program
  vmjit disasm [--ir] PROGRAM              print its code, with --ir also what it is lifted to
  vmjit dump [OPTION]... PROGRAM PLACE     show the block at an address (0x…) or symbol
  vmjit install-binfmt [--print]           have the kernel start riscv64 programs so; with --print tell root how
  vmjit demo                               run the programs that are built in

Options of run:
  -L, --sysroot DIR        look absolute guest paths up in DIR first
  -E, --env NAME=VALUE     set a variable of the guest's environment
  -U, --unset NAME         remove one
  -0, --argv0 NAME         the name the program sees as its own (default: PROGRAM)
      --exec-name PATH     the path it is told it was executed by (default: PROGRAM)
      --tier TIER          what runs the code: interp, o0, o1, o2, auto (default), random[:SEED]
      --strace             print each system call to standard error
      --trace-regions      print each optimised region to standard error: after each pass, and its code
      --without PASS       leave a pass of the optimiser out; may be given again
      --foreground         compile optimised code where it is found hot, not beside the guest in a thread of its own
      --stats[=json]       print counts to standard error at the end
      --fuel N             stop after N guest instructions (exit code 125)
      --memory BYTES       most memory the guest may map; suffixes K, M, G
      --stack BYTES        size of its stack (default 8M)
      --code-cache BYTES   most machine code kept (default 64M)
  -h, --help               this text
  -V, --version            the version

What dump shows (default: all three):
      --guest              guest instructions
      --ir                 operations that they are lifted to; of a region: its form as it is built and after each pass
      --asm                x86-64 code that these become, rarely run code at the end

  vmjit dump --tier o1|o2 [OPTION]... PROGRAM PLACE [ARG]...   run a program; then show the regions that have code at PLACE

      --tier TIER          with o1 or o2: the regions that this tier makes; PLACE may be 'all'
  -L, --sysroot DIR        as for run
      --fuel N             as for run: stop after N guest instructions

Programs that the kernel runs by vmjit take --sysroot from VMJIT_SYSROOT, --tier from VMJIT_TIER.

Exit code: the program's own; 127 if it was not found, 126 if it cannot be run, 125 if vmjit itself failed.
";

/// Reads the command line.
pub fn parse() -> Result<Command, Failure> {
    if started_for_another() {
        return by_kernel(std::env::args_os(), |name| std::env::var_os(name));
    }
    let mut parser = lexopt::Parser::from_env();
    let command = match parser.next()? {
        None => return Err(Failure::usage("no command")),
        Some(Short('h') | Long("help")) => return Ok(Command::Print(HELP.to_string())),
        Some(Short('V') | Long("version")) => {
            return Ok(Command::Print(concat!("vmjit ", env!("CARGO_PKG_VERSION"), "\n").to_string()))
        }
        Some(Value(command)) => command,
        Some(other) => return Err(other.unexpected().into()),
    };
    match command.as_bytes() {
        b"run" => run(&mut parser),
        b"disasm" => disasm(&mut parser),
        b"dump" => dump(&mut parser),
        b"install-binfmt" => match parser.next()? {
            None => Ok(Command::InstallBinfmt(false)),
            Some(Long("print")) => match parser.next()? {
                None => Ok(Command::InstallBinfmt(true)),
                Some(other) => Err(other.unexpected().into()),
            },
            Some(Short('h') | Long("help")) => Ok(Command::Print(HELP.to_string())),
            Some(other) => Err(other.unexpected().into()),
        },
        b"demo" => match parser.next()? {
            None => Ok(Command::Demo),
            Some(Short('h') | Long("help")) => Ok(Command::Print(HELP.to_string())),
            Some(other) => Err(other.unexpected().into()),
        },
        _ => Err(Failure::usage(format!("unknown command '{}'", command.display()))),
    }
}

/// The words are this command, the program's path, its own name, its arguments; options can come from the environment only.
fn by_kernel(
    mut words: impl Iterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Command, Failure> {
    let (_, Some(program), Some(argv0)) = (words.next(), words.next(), words.next()) else {
        return Err(Failure::usage("started by the kernel without a program"));
    };
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let tier_name = set("VMJIT_TIER");
    let tier = tier_name.as_deref().map(tier).transpose()?.unwrap_or_default();
    Ok(Command::Run(Box::new(RunOptions {
        program: program.into(),
        argv0: Some(argv0),
        args: words.collect(),
        sysroot: set("VMJIT_SYSROOT").map(Into::into),
        tier,
        tier_name,
        ..RunOptions::default()
    })))
}

fn run(parser: &mut lexopt::Parser) -> Result<Command, Failure> {
    let mut options = RunOptions::default();
    loop {
        match parser.next()? {
            None => return Err(Failure::usage("run: no program")),
            Some(Value(program)) => {
                options.program = program.into();
                options.args = parser.raw_args()?.collect();
                return Ok(Command::Run(Box::new(options)));
            }
            Some(Short('h') | Long("help")) => return Ok(Command::Print(HELP.to_string())),
            Some(Short('L') | Long("sysroot")) => options.sysroot = Some(parser.value()?.into()),
            Some(Short('E') | Long("env")) => options.env.push(assignment(&parser.value()?)?),
            Some(Short('U') | Long("unset")) => options.env.push((parser.value()?, None)),
            Some(Short('0') | Long("argv0")) => options.argv0 = Some(parser.value()?),
            Some(Long("tier")) => {
                let name = parser.value()?;
                options.tier = tier(&name)?;
                options.tier_name = Some(name);
            }
            Some(Long("exec-name")) => options.exec_name = Some(parser.value()?),
            Some(Long("strace")) => options.strace = true,
            Some(Long("trace-regions")) => options.trace_regions = true,
            Some(Long("without")) => {
                let name = parser.value()?;
                let add = options.without.add(&name.to_string_lossy());
                add.map_err(|names| {
                    Failure::usage(format!("--without {}: no such pass; there are {names}", name.display()))
                })?;
                options.without_names.push(name);
            }
            Some(Long("foreground")) => options.foreground = true,
            Some(Long("stats")) => options.stats = Some(stats(parser.optional_value())?),
            Some(Long("fuel")) => options.fuel = Some(parser.value()?.parse()?),
            Some(Long("memory")) => options.memory = Some(bytes(&parser.value()?)?),
            Some(Long("stack")) => options.stack = Some(bytes(&parser.value()?)?),
            Some(Long("code-cache")) => options.code_cache = Some(bytes(&parser.value()?)?),
            Some(other) => return Err(other.unexpected().into()),
        }
    }
}

fn disasm(parser: &mut lexopt::Parser) -> Result<Command, Failure> {
    let mut options = DisasmOptions::default();
    let mut program = None;
    loop {
        match parser.next()? {
            None => break,
            Some(Short('h') | Long("help")) => return Ok(Command::Print(HELP.to_string())),
            Some(Long("ir")) => options.ir = true,
            Some(Value(path)) if program.is_none() => program = Some(path),
            Some(other) => return Err(other.unexpected().into()),
        }
    }
    options.program = program.ok_or_else(|| Failure::usage("disasm: no program"))?.into();
    Ok(Command::Disasm(options))
}

fn dump(parser: &mut lexopt::Parser) -> Result<Command, Failure> {
    let mut options = DumpOptions::default();
    let mut words = Vec::new();
    loop {
        match parser.next()? {
            None => break,
            Some(Short('h') | Long("help")) => return Ok(Command::Print(HELP.to_string())),
            Some(Long("guest")) => options.guest = true,
            Some(Long("ir")) => options.ir = true,
            Some(Long("asm")) => options.asm = true,
            Some(Long("tier")) => options.tier = Some(region_tier(&parser.value()?)?),
            Some(Short('L') | Long("sysroot")) => options.sysroot = Some(parser.value()?.into()),
            Some(Long("fuel")) => options.fuel = Some(parser.value()?.parse()?),
            Some(Value(word)) if words.len() < 2 => {
                words.push(word);
                if words.len() == 2 && options.tier.is_some() {
                    options.args = parser.raw_args()?.collect();
                    break;
                }
            }
            Some(other) => return Err(other.unexpected().into()),
        }
    }
    let mut words = words.into_iter();
    options.program = words.next().ok_or_else(|| Failure::usage("dump: no program"))?.into();
    let place = words.next().ok_or_else(|| Failure::usage("dump: no address or symbol"))?;
    options.place = place.to_string_lossy().into_owned();
    if options.tier.is_none() && (options.sysroot.is_some() || options.fuel.is_some()) {
        return Err(Failure::usage("dump: only with --tier the program is run"));
    }
    if !(options.guest || options.ir || options.asm) {
        (options.guest, options.ir, options.asm) = (true, true, true);
    }
    Ok(Command::Dump(options))
}

fn assignment(word: &OsStr) -> Result<(OsString, Option<OsString>), Failure> {
    let bytes = word.as_bytes();
    match bytes.iter().position(|&byte| byte == b'=') {
        Some(at) if at > 0 => {
            let (name, value) = (OsStr::from_bytes(&bytes[..at]), OsStr::from_bytes(&bytes[at + 1..]));
            Ok((name.into(), Some(value.into())))
        }
        _ => Err(Failure::usage(format!("'{}' is not NAME=VALUE", word.display()))),
    }
}

fn tier(word: &OsStr) -> Result<Tier, Failure> {
    word.to_str().and_then(Tier::parse).ok_or_else(|| {
        let names: Vec<&str> = Tier::ALL.iter().map(|(name, _)| *name).collect();
        Failure::usage(format!("unknown tier '{}' (there are: {})", word.display(), names.join(", ")))
    })
}

/// A tier that makes regions.
fn region_tier(word: &OsStr) -> Result<Tier, Failure> {
    match tier(word)? {
        tier @ (Tier::O1 | Tier::O2) => Ok(tier),
        _ => Err(Failure::usage("dump: --tier takes o1 or o2")),
    }
}

fn stats(word: Option<OsString>) -> Result<StatsForm, Failure> {
    match word.as_deref().map(OsStr::as_bytes) {
        None => Ok(StatsForm::Text),
        Some(b"json") => Ok(StatsForm::Json),
        Some(_) => Err(Failure::usage("--stats takes nothing or =json")),
    }
}

/// A number of bytes with an optional suffix K, M or G (powers of 1024).
fn bytes(word: &OsStr) -> Result<u64, Failure> {
    let bad = || Failure::usage(format!("'{}' is not a number of bytes", word.display()));
    let text = word.to_str().ok_or_else(bad)?;
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K') => (&text[..text.len() - 1], 10),
        Some(b'M') => (&text[..text.len() - 1], 20),
        Some(b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number: u64 = digits.parse().map_err(|_| bad())?;
    number.checked_mul(1 << shift).ok_or_else(bad)
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Failure {
        Failure::usage(error.to_string())
    }
}
