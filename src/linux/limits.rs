//! Resource limits. Those on memory are the guest's own: imposed on the host process they would hit the engine.

use super::call::{Call, SysResult};
use crate::base::lock;
use crate::mmu::CallArg;

/// `RLIM_INFINITY`.
const INFINITY: u64 = u64::MAX;
const RLIMIT_DATA: i32 = 2;
const RLIMIT_STACK: i32 = 3;
const RLIMIT_AS: i32 = 9;
/// Number of resources.
const RESOURCES: i32 = 16;

/// The limits that are kept here: resource, soft, hard. They are reported, not enforced.
#[derive(Debug)]
pub struct Limits([(i32, u64, u64); 3]);

impl Limits {
    /// With the size of the initial stack as its soft limit.
    pub fn new(stack_size: u64) -> Limits {
        Limits([
            (RLIMIT_DATA, INFINITY, INFINITY),
            (RLIMIT_STACK, stack_size, INFINITY),
            (RLIMIT_AS, INFINITY, INFINITY),
        ])
    }

    fn get(&mut self, resource: i32) -> Option<&mut (i32, u64, u64)> {
        self.0.iter_mut().find(|limit| limit.0 == resource)
    }
}

/// getrlimit(resource, limit).
pub fn getrlimit(call: &mut Call<'_>) -> SysResult {
    let [resource, to, ..] = call.args;
    access(call, 0, resource as i32, 0, to)
}

/// setrlimit(resource, limit).
pub fn setrlimit(call: &mut Call<'_>) -> SysResult {
    let [resource, from, ..] = call.args;
    call.words::<2>(from)?;
    access(call, 0, resource as i32, from, 0)
}

/// prlimit64(pid, resource, new, old).
pub fn prlimit64(call: &mut Call<'_>) -> SysResult {
    let [_, resource, from, to, ..] = call.args;
    access(call, call.int(0), resource as i32, from, to)
}

fn access(call: &mut Call<'_>, pid: i32, resource: i32, new: u64, old: u64) -> SysResult {
    if !(0..RESOURCES).contains(&resource) {
        return Err(libc::EINVAL);
    }
    let mine = pid == 0 || pid == std::process::id() as i32;
    if mine && lock(&call.process.limits).get(resource).is_some() {
        return own(call, resource, new, old);
    }
    let [new, old] = [new, old].map(|addr| CallArg::Guest { addr, len: 16 });
    call.host(libc::SYS_prlimit64, &mut [CallArg::Int(pid as u64), CallArg::Int(resource as u64), new, old])
}

fn own(call: &mut Call<'_>, resource: i32, new: u64, old: u64) -> SysResult {
    let wanted = if new == 0 { None } else { Some(call.words::<2>(new)?) };
    let mut limits = lock(&call.process.limits);
    let Some(limit) = limits.get(resource) else { return Err(libc::EINVAL) };
    let was = [limit.1, limit.2];
    if let Some([soft, hard]) = wanted {
        if soft > hard {
            return Err(libc::EINVAL);
        }
        // Raising a hard limit takes rights that a guest is not assumed to have.
        if hard > limit.2 {
            return Err(libc::EPERM);
        }
        (limit.1, limit.2) = (soft, hard);
    }
    if old != 0 {
        call.write_words(old, &was)?;
    }
    Ok(0)
}
