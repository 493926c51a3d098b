//! The command `vmjit`: a thin user of the library.
//!
//! Exit codes follow other launchers (`env`, `timeout`): the guest's own, or 127 if the program was not found, 126 if
//! it cannot be run, 125 for every other failure of this command. A signal that ends the guest ends this process.

mod binfmt;
mod demo;
mod disasm;
mod dump;
mod flags;
mod run;
mod stages;

use flags::Command;
use std::io::Write;
use std::process::ExitCode;
use vm_engine_jit::Error;

/// A failure of the command: what standard error says after `vmjit: `, and the exit code.
struct Failure {
    message: String,
    code: u8,
}

/// Exit codes of the command itself.
const FAILED: u8 = 125;
const CANNOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;

impl Failure {
    fn usage(message: impl Into<String>) -> Failure {
        Failure { message: format!("{} (see vmjit --help)", message.into()), code: FAILED }
    }

    /// A failure that has to do with the program file.
    fn of_program(program: &std::path::Path, error: &Error) -> Failure {
        let code = match error {
            Error::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound => NOT_FOUND,
            Error::File { .. } | Error::Elf(_) | Error::BadRange { .. } => CANNOT_RUN,
            _ => FAILED,
        };
        let message = match error {
            Error::File { .. } => error.to_string(),
            _ => format!("{}: {error}", program.display()),
        };
        Failure { message, code }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { message: error.to_string(), code: FAILED }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure { message: format!("cannot write output: {error}"), code: FAILED }
    }
}

fn main() -> ExitCode {
    let result = flags::parse().and_then(|command| match command {
        Command::Run(options) => run::run(*options),
        Command::Disasm(options) => disasm::disasm(&options),
        Command::Dump(options) => dump::dump(&options),
        Command::InstallBinfmt(print) => binfmt::install(print),
        Command::Demo => demo::demo(),
        Command::Print(text) => {
            std::io::stdout().write_all(text.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
    });
    result.unwrap_or_else(|failure| {
        // One line, whatever the message quotes.
        let line: String = failure.message.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        // If standard error is gone, the exit code is all there is to say.
        let _ = writeln!(std::io::stderr(), "vmjit: {line}");
        ExitCode::from(failure.code)
    })
}
