//! Who and where the process is: uname, prctl, personality. Plain ids go to the host as the table says.

use super::call::{Call, SysResult};
use crate::mmu::CallArg;
use crate::sys::process as host;

/// Fields of `struct new_utsname`: sysname, nodename, release, version, machine, domainname, 65 bytes each.
const FIELD: usize = 65;
const UTSNAME: usize = 6 * FIELD;

/// uname(buf): the host's, on another machine.
pub fn uname(call: &mut Call<'_>) -> SysResult {
    let mut names = [0; UTSNAME];
    call.host(libc::SYS_uname, &mut [CallArg::Out(&mut names)])?;
    let machine = &mut names[4 * FIELD..5 * FIELD];
    machine.fill(0);
    machine[..7].copy_from_slice(b"riscv64");
    call.write(call.args[0], &names)?;
    Ok(0)
}

/// personality(persona): only Linux's own.
pub fn personality(call: &mut Call<'_>) -> SysResult {
    const QUERY: u32 = u32::MAX;
    match call.args[0] as u32 {
        0 | QUERY => Ok(0),
        _ => Err(libc::EINVAL),
    }
}

/// prctl(option, ...): what concerns the guest alone. Options that would change the host process are refused.
pub fn prctl(call: &mut Call<'_>) -> SysResult {
    let [_, arg, ..] = call.args;
    let zero = call.args[1..5].iter().all(|&arg| arg == 0);
    match call.int(0) {
        libc::PR_SET_NAME => {
            let mut name = [0; 16];
            for (index, byte) in name.iter_mut().take(15).enumerate() {
                let mut one = [0];
                call.read(arg.wrapping_add(index as u64), &mut one)?;
                if one[0] == 0 {
                    break;
                }
                *byte = one[0];
            }
            call.thread.name = name;
            if call.thread.is_first {
                *crate::base::lock(&call.process.name) = name;
            }
            if call.thread.whole {
                host::set_name(&name);
            }
            Ok(0)
        }
        // The host's, since other threads may have set it (`/proc/self/task/*/comm`).
        libc::PR_GET_NAME if call.thread.whole => {
            let known = std::fs::read("/proc/thread-self/comm").unwrap_or_default();
            let mut name = [0; 16];
            let bytes = known.iter().filter(|&&byte| byte != b'\n');
            name.iter_mut().take(15).zip(bytes).for_each(|(to, from)| *to = *from);
            call.write(arg, &name)?;
            Ok(0)
        }
        libc::PR_GET_NAME => {
            let name = call.thread.name;
            call.write(arg, &name)?;
            Ok(0)
        }
        // Where the host's process is not the guest's, remembered only.
        libc::PR_SET_PDEATHSIG if arg <= 64 => {
            if call.thread.whole {
                host::set_own(libc::PR_SET_PDEATHSIG, arg)?;
            }
            call.thread.parent_death_signal = arg as u32;
            Ok(0)
        }
        libc::PR_SET_CHILD_SUBREAPER | libc::PR_SET_NO_NEW_PRIVS if call.thread.whole => {
            host::set_own(call.int(0), arg)
        }
        libc::PR_GET_PDEATHSIG => {
            call.write(arg, &call.thread.parent_death_signal.to_le_bytes())?;
            Ok(0)
        }
        libc::PR_GET_DUMPABLE => Ok(1),
        libc::PR_SET_DUMPABLE if arg <= 1 => Ok(0),
        libc::PR_CAPBSET_READ => capability(arg),
        libc::PR_GET_TIMERSLACK => Ok(50_000),
        libc::PR_SET_TIMERSLACK => Ok(0),
        libc::PR_GET_KEEPCAPS | libc::PR_GET_SECCOMP => Ok(0),
        libc::PR_GET_NO_NEW_PRIVS if zero => Ok(0),
        libc::PR_GET_CHILD_SUBREAPER => {
            call.write(arg, &[0; 4])?;
            Ok(0)
        }
        _ => Err(libc::EINVAL),
    }
}

/// Whether a capability is in the bounding set, as the host's `/proc` says.
fn capability(number: u64) -> SysResult {
    let last = std::fs::read_to_string("/proc/sys/kernel/cap_last_cap").ok();
    // CAP_CHECKPOINT_RESTORE, the last one since Linux 5.9.
    let last = last.and_then(|text| text.trim().parse().ok()).unwrap_or(40);
    if number > last || number > 63 {
        return Err(libc::EINVAL);
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    let set = set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0);
    Ok(set >> number & 1)
}
