//! Files of `/proc` that must speak of the guest: their contents.
//!
//! Source: proc(5); Linux `fs/proc/task_mmu.c` (maps) and `arch/riscv/kernel/cpu.c` (cpuinfo).

use super::call::Call;
use super::path::Special;
use super::proc_status as status;
use crate::base::GuestAddr;
use crate::mmu::Region;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt};

/// Names of files that [`contents`] may make.
pub const NAMES: [&[u8]; 12] = [
    b"exe", b"mem", b"maps", b"smaps", b"cmdline", b"environ", b"auxv", b"stat", b"statm", b"status",
    b"comm", b"cpuinfo",
];

/// What the file says, or `None` if the host's file serves.
pub fn contents(call: &mut Call<'_>, special: Special) -> Option<Vec<u8>> {
    let process = call.process;
    match special {
        Special::Exe | Special::Mem => None,
        Special::Maps => Some(maps(call)),
        Special::Smaps => Some(smaps(call)),
        Special::Cmdline => Some(process.start.cmdline.clone()),
        Special::Environ => Some(process.start.environ.clone()),
        Special::Auxv => Some(process.start.auxv.clone()),
        Special::Stat(whose) => status::stat(call, whose),
        Special::Statm => status::statm(call),
        Special::Status(whose) => status::status(call, whose),
        Special::Comm(whose) => {
            // With a process of its own the guest's names are the host's.
            let name = status::own_name(call, whose)?;
            Some([name.as_bytes(), b"\n"].concat())
        }
        Special::Cpuinfo => Some(cpuinfo().into_bytes()),
    }
}

fn maps(call: &Call<'_>) -> Vec<u8> {
    lines(call).into_iter().flat_map(|(_, line)| line).collect()
}

/// As `maps`, with sizes behind each line. What the host says of its own mappings is divided among those of the guest that
/// lie in them.
fn smaps(call: &Call<'_>) -> Vec<u8> {
    /// What is summed, in kB.
    const SUMMED: [&str; 10] = [
        "Rss",
        "Pss",
        "Shared_Clean",
        "Shared_Dirty",
        "Private_Clean",
        "Private_Dirty",
        "Referenced",
        "Anonymous",
        "Swap",
        "SwapPss",
    ];
    let host = fs::read_to_string("/proc/self/smaps").unwrap_or_default();
    let base = call.mmu.base() as u64;
    let mut mappings: Vec<((u64, u64), [u64; SUMMED.len()])> = Vec::new();
    for line in host.lines() {
        let mut words = line.split_whitespace();
        let Some(first) = words.next() else { continue };
        if let Some(index) =
            first.strip_suffix(':').and_then(|name| SUMMED.iter().position(|known| *known == name))
        {
            let value = words.next().and_then(|value| value.parse().ok()).unwrap_or(0);
            mappings.last_mut().into_iter().for_each(|mapping| mapping.1[index] = value);
        } else if let Some((start, end)) = first.split_once('-').filter(|_| !first.ends_with(':')) {
            let bound = |text| u64::from_str_radix(text, 16).unwrap_or(0).wrapping_sub(base);
            mappings.push(((bound(start), bound(end)), [0; SUMMED.len()]));
        }
    }
    let mut text = Vec::new();
    for ((start, end), line) in lines(call) {
        text.extend(line);
        let _ =
            write!(text, "Size: {:14} kB\nKernelPageSize: 4 kB\nMMUPageSize: 4 kB\n", (end - start) >> 10);
        for (index, name) in SUMMED.iter().enumerate() {
            let share = |((from, to), values): &((u64, u64), [u64; SUMMED.len()])| {
                let common = end.min(*to).saturating_sub(start.max(*from));
                values[index] * common / to.saturating_sub(*from).max(1)
            };
            let sum: u64 = mappings.iter().filter(|((from, to), _)| from < to).map(share).sum();
            let _ = writeln!(text, "{:16}{:8} kB", format!("{name}:"), sum / 4 * 4);
        }
    }
    text
}

/// `start-end perms offset major:minor inode name`, one line per mapping.
fn lines(call: &Call<'_>) -> Vec<((GuestAddr, GuestAddr), Vec<u8>)> {
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
            let line = [line.as_bytes(), call.process.paths.guest(name), b"\n"].concat();
            text.push(((start, end), line));
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
