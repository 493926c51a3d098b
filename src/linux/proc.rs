//! Files of `/proc` that must speak of the guest: their contents.
//!
//! Source: proc(5); Linux `fs/proc/task_mmu.c` (maps) and `arch/riscv/kernel/cpu.c` (cpuinfo).

use super::call::Call;
use super::path::Special;
use crate::base::GuestAddr;
use crate::mmu::Region;
use std::fmt::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt};

/// What the file says, or `None` if the host's file serves.
pub fn contents(call: &Call<'_>, special: Special) -> Option<Vec<u8>> {
    let process = call.process;
    match special {
        Special::Exe | Special::Mem => None,
        Special::Maps => Some(maps(call)),
        Special::Cmdline => Some(process.start.cmdline.clone()),
        Special::Environ => Some(process.start.environ.clone()),
        Special::Auxv => Some(process.start.auxv.clone()),
        Special::Stat => stat(call),
        // The host's threads have the names of the guest's.
        Special::Comm if call.thread.whole => None,
        Special::Comm => {
            let mut name: Vec<u8> = call.thread.name.iter().copied().take_while(|&byte| byte != 0).collect();
            name.push(b'\n');
            Some(name)
        }
        Special::Cpuinfo => Some(cpuinfo().into_bytes()),
    }
}

/// `start-end perms offset major:minor inode name`, one line per mapping.
fn maps(call: &Call<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    for region in call.mmu.regions() {
        for (start, end, file) in split(call, &region) {
            let (offset, name) = file.unwrap_or_default();
            let meta = fs::metadata(Path::new(OsStr::from_bytes(&name))).ok().filter(|_| !name.is_empty());
            let device = meta.as_ref().map_or(0, MetadataExt::dev);
            let perms = [
                if region.prot.read { b'r' } else { b'-' },
                if region.prot.write { b'w' } else { b'-' },
                if region.prot.exec { b'x' } else { b'-' },
                if region.shared { b's' } else { b'p' },
            ];
            let mut line = format!(
                "{start:08x}-{end:08x} {} {offset:08x} {:02x}:{:02x} {} ",
                String::from_utf8_lossy(&perms),
                libc::major(device),
                libc::minor(device),
                meta.as_ref().map_or(0, MetadataExt::ino),
            );
            let name = if name.is_empty() { label(call, start, end).as_bytes() } else { &name };
            if !name.is_empty() {
                // Names begin in column 73, as the kernel pads them.
                line = format!("{line:<73}");
            }
            text.extend_from_slice(line.as_bytes());
            text.extend_from_slice(call.process.paths.guest(name));
            text.push(b'\n');
        }
    }
    text
}

/// Part of a region: its bounds, and offset and name of the file it shows.
type Part = (GuestAddr, GuestAddr, Option<(u64, Vec<u8>)>);

/// Cuts a region where files, the heap or the stack begin and end.
fn split(call: &Call<'_>, region: &Region) -> Vec<Part> {
    let memory = &*call.memory();
    let mut parts: Vec<Part> = Vec::new();
    let mut at = region.start;
    let plain = |from: GuestAddr, to: GuestAddr, parts: &mut Vec<Part>| {
        let (heap, stack) = (memory.heap(), memory.stack);
        let mut cuts = vec![from, to];
        cuts.extend(
            [heap.0, heap.1.next_multiple_of(4096), stack.0, stack.1].iter().filter(|&&c| c > from && c < to),
        );
        cuts.sort_unstable();
        parts.extend(cuts.windows(2).filter(|pair| pair[0] < pair[1]).map(|pair| (pair[0], pair[1], None)));
    };
    for (start, file) in memory.files.pieces(region.start, region.end) {
        plain(at, start, &mut parts);
        parts.push((start, file.end, Some((file.offset, file.name.to_vec()))));
        at = file.end;
    }
    plain(at, region.end, &mut parts);
    parts
}

/// What an anonymous mapping is called.
fn label(call: &Call<'_>, start: GuestAddr, end: GuestAddr) -> &'static str {
    let memory = &*call.memory();
    let within = |(low, high): (GuestAddr, GuestAddr)| {
        start >= low && end <= high.next_multiple_of(4096) && low < high
    };
    match () {
        () if within(memory.heap()) => "[heap]",
        () if within(memory.stack) => "[stack]",
        () => "",
    }
}

/// The host's `stat` with the guest's name, code and stack in it.
fn stat(call: &Call<'_>) -> Option<Vec<u8>> {
    let host = fs::read_to_string("/proc/self/stat").ok()?;
    // The name stands in parentheses and may contain some itself.
    let (pid, rest) = (host.split(' ').next()?, &host[host.rfind(')')? + 1..]);
    let name = call.thread.name;
    let name = String::from_utf8_lossy(&name);
    let start = &call.process.start;
    let mut text = format!("{pid} ({})", name.trim_end_matches('\0'));
    // Fields count from 1; the rest begins with field 3.
    for (index, field) in rest.split_whitespace().enumerate() {
        let guest = match index + 3 {
            26 => Some(start.code.0),
            27 => Some(start.code.1),
            28 => Some(start.stack),
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

fn cpuinfo() -> String {
    let harts = std::thread::available_parallelism().map_or(1, usize::from);
    let mut text = String::new();
    for hart in 0..harts {
        let _ = write!(
            text,
            "processor\t: {hart}\nhart\t\t: {hart}\nisa\t\t: rv64imafdc_zicond_zicsr_zifencei_zba_zbb_zbs\n\
             mmu\t\t: sv39\nmvendorid\t: 0x0\nmarchid\t\t: 0x0\nmimpid\t\t: 0x0\n\n"
        );
    }
    text
}
