//! `vmjit demo`: runs the guest programs that are built in and shows what was executed and how fast.
//!
//! The programs' sources are in `asm/guest`, with the script that rebuilds the images.

use crate::Failure;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use vm_engine_jit::{Machine, Status};

/// A built-in program: name, what it shows, image.
struct Program {
    name: &'static str,
    about: &'static str,
    image: &'static [u8],
}

macro_rules! program {
    ($name:literal, $about:literal) => {
        Program {
            name: $name,
            about: $about,
            image: include_bytes!(concat!("../../../asm/guest/bin/", $name, ".elf")),
        }
    };
}

static PROGRAMS: &[Program] = &[
    program!("hello", "two system calls in assembly"),
    program!("collatz", "branches and 64-bit arithmetic in assembly"),
    program!("primes", "a sieve: byte stores and loads"),
    program!("nqueens", "recursion"),
    program!("sha256", "32-bit arithmetic and rotates"),
    program!("brainf", "a bytecode interpreter"),
    program!("mandelbrot", "double-precision floating point"),
];

pub fn demo() -> Result<ExitCode, Failure> {
    let mut table = String::new();
    for program in PROGRAMS {
        println!("-- {}: {}", program.name, program.about);
        let (instructions, seconds) = run(program)?;
        table.push_str(&format!(
            "{:<12} {:>14} {:>10.1} {:>16.0}\n",
            program.name,
            instructions,
            seconds * 1e3,
            instructions as f64 / seconds / 1e6
        ));
    }
    print!("\n{:<12} {:>14} {:>10} {:>16}\n{table}", "program", "instructions", "ms", "million/second");
    Ok(ExitCode::SUCCESS)
}

/// Runs one program; returns its guest instructions and seconds.
fn run(program: &Program) -> Result<(u64, f64), Failure> {
    std::io::stdout().flush()?;
    let started = Instant::now();
    let mut machine = Machine::builder().build()?;
    let file = TemporaryFile::new(program)?;
    machine.load(&file.0, &[program.name])?;
    drop(file);
    match machine.run()? {
        Status::Exited(0) => Ok((machine.stats().instructions, started.elapsed().as_secs_f64())),
        status => {
            Err(Failure { message: format!("{} ended with {status:?}", program.name), code: crate::FAILED })
        }
    }
}

/// The image as a file, which goes away when this is dropped; the machine has mapped it by then.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new(program: &Program) -> Result<TemporaryFile, Failure> {
        let path = std::env::temp_dir().join(format!("vmjit-demo-{}-{}", std::process::id(), program.name));
        let failed =
            |source| Failure { message: format!("{}: {source}", path.display()), code: crate::FAILED };
        // A program must be executable to be loaded.
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o700).open(&path).map_err(failed)?;
        let guard = TemporaryFile(path.clone());
        file.write_all(program.image).map_err(failed)?;
        Ok(guard)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // Nothing is left to do about a file that cannot be removed.
        let _ = std::fs::remove_file(&self.0);
    }
}
