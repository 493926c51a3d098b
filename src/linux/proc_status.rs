//! `stat`, `statm` and `status` of the guest: the host's, with what is the guest's own in them.
//!
//! Source: proc_pid_stat(5), proc_pid_statm(5), proc_pid_status(5).

use super::call::Call;
use super::path::Whose;
use super::signal::signal_of;
use crate::base::{lock, PAGE};
use crate::sys::signal::bit;
use std::fmt::Write;
use std::fs;

/// A thread's name, if the host does not know it.
pub fn own_name(call: &Call<'_>, whose: Whose) -> Option<String> {
    let own = !call.thread.whole && is_caller(call, whose);
    let name = match whose {
        Whose::Process => *lock(&call.process.name),
        Whose::Caller | Whose::Thread(_) => call.thread.name,
    };
    own.then(|| String::from_utf8_lossy(&name).trim_end_matches('\0').to_string())
}

/// Whether it is the calling thread. (Inside another program the guest's first thread is not the process's.)
fn is_caller(call: &Call<'_>, whose: Whose) -> bool {
    match whose {
        Whose::Caller => true,
        Whose::Thread(tid) => tid == call.thread.tid(),
        Whose::Process => !call.thread.whole || call.thread.tid() == std::process::id() as i32,
    }
}

fn host_file(whose: Whose, name: &str) -> Option<String> {
    let path = match whose {
        Whose::Process => format!("/proc/self/{name}"),
        Whose::Caller => format!("/proc/thread-self/{name}"),
        Whose::Thread(tid) => format!("/proc/self/task/{tid}/{name}"),
    };
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Bytes of memory, by what they are.
struct Sizes {
    /// All that is mapped.
    all: u64,
    /// The guest's at most, of what the host process has in memory.
    resident: u64,
    /// Private and writable, without the stack.
    data: u64,
    stack: u64,
    /// Code of the program, and other code.
    program: u64,
    libraries: u64,
}

impl Sizes {
    fn of(call: &Call<'_>) -> Sizes {
        let memory = call.memory();
        let regions = call.mmu.regions();
        let sum = |of: &dyn Fn(&crate::mmu::Region) -> bool| -> u64 {
            regions.iter().filter(|region| of(region)).map(|region| region.end - region.start).sum()
        };
        let stack = memory.stack.1 - memory.stack.0;
        let all = call.mmu.mapped_bytes();
        let host = fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let resident = host.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * PAGE;
        let (low, high) = call.process.start.code;
        let program = (high.next_multiple_of(PAGE) - low / PAGE * PAGE).min(all);
        let code = sum(&|region| region.prot.exec && !region.prot.write);
        Sizes {
            all,
            resident: resident.min(all),
            data: sum(&|region| region.prot.write && !region.shared).saturating_sub(stack),
            stack,
            program,
            libraries: code.saturating_sub(program),
        }
    }
}

/// Signals: pending, blocked, ignored, caught.
fn signals(call: &mut Call<'_>) -> [u64; 4] {
    let (ignored, caught) = call.actions(|actions| actions.sets());
    let pending = call.thread.pending.iter().fold(0, |set, info| set | bit(signal_of(info)));
    [pending & call.thread.mask, call.thread.mask, ignored, caught]
}

/// `stat`: one line of fields.
pub fn stat(call: &mut Call<'_>, whose: Whose) -> Option<Vec<u8>> {
    let host = host_file(whose, "stat")?;
    // The name stands in parentheses and may contain some itself.
    let (open, close) = (host.find('(')?, host.rfind(')')?);
    let (pid, rest) = (host[..open].trim_end(), &host[close + 1..]);
    let name = own_name(call, whose).unwrap_or_else(|| host[open + 1..close].to_string());
    let (sizes, own) = (Sizes::of(call), is_caller(call, whose));
    let [pending, blocked, ignored, caught] = signals(call).map(|set| set & 0x7fff_ffff);
    let start = &call.process.start;
    let threads = call.process.threads.count() as u64;
    let heap = call.memory().heap().0;
    let mut text = format!("{pid} ({name})");
    // Fields count from 1; the rest begins with field 3.
    for (index, field) in rest.split_whitespace().enumerate() {
        let guest = match index + 3 {
            20 => Some(threads),
            23 => Some(sizes.all),
            24 => Some(sizes.resident / PAGE),
            26 => Some(start.code.0),
            27 => Some(start.code.1),
            28 => Some(start.stack),
            31 if own => Some(pending),
            32 if own => Some(blocked),
            33 => Some(ignored),
            34 => Some(caught),
            47 => Some(heap),
            // Data, arguments and environment: not told.
            45 | 46 | 48..=51 => Some(0),
            _ => None,
        };
        let _ = match guest {
            Some(value) => write!(text, " {value}"),
            None => write!(text, " {field}"),
        };
    }
    text.push('\n');
    Some(text.into_bytes())
}

/// `statm`: pages of memory.
pub fn statm(call: &Call<'_>) -> Option<Vec<u8>> {
    let sizes = Sizes::of(call);
    let [all, resident, code, data] =
        [sizes.all, sizes.resident, sizes.program, sizes.data + sizes.stack].map(|bytes| bytes / PAGE);
    Some(format!("{all} {resident} 0 {code} 0 {data} 0\n").into_bytes())
}

/// `status`: one line for each name.
pub fn status(call: &mut Call<'_>, whose: Whose) -> Option<Vec<u8>> {
    let host = host_file(whose, "status")?;
    let (sizes, own) = (Sizes::of(call), is_caller(call, whose));
    let [pending, blocked, ignored, caught] = signals(call);
    let memory = |bytes: u64| Some(format!("{:8} kB", bytes >> 10));
    let set = |set: u64| Some(format!("{set:016x}"));
    let mut text = String::new();
    for line in host.lines() {
        let Some((name, value)) = line.split_once(":\t") else { continue };
        let guest = match name {
            "Name" => own_name(call, whose),
            "VmPeak" | "VmSize" => memory(sizes.all),
            "VmHWM" | "VmRSS" | "RssAnon" => memory(sizes.resident),
            "RssFile" | "RssShmem" => memory(0),
            "VmData" => memory(sizes.data),
            "VmStk" => memory(sizes.stack),
            "VmExe" => memory(sizes.program),
            "VmLib" => memory(sizes.libraries),
            "Threads" => Some(call.process.threads.count().to_string()),
            "SigPnd" if own => {
                let host = u64::from_str_radix(value, 16).unwrap_or(0);
                set(host | pending)
            }
            "SigBlk" if own => set(blocked),
            "SigIgn" => set(ignored),
            "SigCgt" => set(caught),
            _ => None,
        };
        let _ = writeln!(text, "{name}:\t{}", guest.as_deref().unwrap_or(value));
    }
    Some(text.into_bytes())
}
