//! Memory cells for spilled values.
//!
//! Invariant: two values have the same slot only if they are never live at the same position. So a value's slot, once
//! written, holds it as long as it lives, and it is written at most once on every path from the definition.

use super::live::{Definition, Live, LATE, NONE, STEP};
use super::scan::ValueState;
use super::{Function, Location, OutOfSlots, Target};

/// A value that occupies a slot at its live positions before `limit`.
#[derive(Clone, Copy, Debug)]
struct Tenant {
    value: u32,
    limit: u32,
    next: u32,
}

#[derive(Debug, Default)]
pub(super) struct Slots {
    /// Slot of each spilled value, and of those that are still where they arrived.
    pub of: Vec<Option<u16>>,
    /// How many free slots are in use, from the first on.
    pub used: u16,
    tenants: Vec<Tenant>,
    /// The last tenant of each slot.
    last: Vec<u32>,
    /// Values that take any slot, by start.
    rest: Vec<(u32, u32)>,
}

/// Position behind which a value that arrives at a slot may have left it.
pub(super) fn arrived(definition: &Definition) -> u32 {
    definition.position - LATE + STEP
}

impl Slots {
    /// Gives each spilled value a slot: where it arrives, its home, or a free one.
    ///
    /// # Errors
    /// If there are too few free slots.
    pub fn assign(
        &mut self,
        function: &Function,
        target: &Target,
        live: &Live,
        values: &[ValueState],
    ) -> Result<(), OutOfSlots> {
        self.of.clear();
        self.of.resize(values.len(), None);
        self.used = 0;
        self.tenants.clear();
        self.last.clear();
        self.rest.clear();
        let fixed = |value: usize| match live.definitions[value].fixed {
            Location::Slot(slot) if values[value].spilled => Some(slot),
            _ => None,
        };
        // Nobody else may be in a slot while a value arrives there.
        let arriving = (0..values.len()).filter_map(|value| Some((value, fixed(value)?)));
        for (value, slot) in arriving.clone() {
            self.admit(value, slot, arrived(&live.definitions[value]) + 1);
        }
        for (value, slot) in arriving {
            let end = live.definitions[value].position + 1;
            let dead = live.ranges[live.first_range[value] as usize].end == end;
            if dead || self.is_free(live, value, slot) {
                self.of[value] = Some(slot);
                self.admit(value, slot, NONE);
            }
        }
        for (value, state) in values.iter().enumerate().filter(|(_, state)| state.spilled) {
            if self.of[value].is_some() {
                continue;
            }
            debug_assert!(state.first != NONE, "only values that are live are spilled");
            match function.homes[value].filter(|&home| self.is_free(live, value, home)) {
                Some(home) => {
                    self.of[value] = Some(home);
                    self.admit(value, home, NONE);
                }
                None => self.rest.push((live.ranges[live.first_range[value] as usize].start, value as u32)),
            }
        }
        self.rest.sort_unstable();
        for index in 0..self.rest.len() {
            let value = self.rest[index].1 as usize;
            let slot = target.free_slots.clone().find(|&slot| self.is_free(live, value, slot));
            let slot = slot.ok_or(OutOfSlots)?;
            self.of[value] = Some(slot);
            self.used = self.used.max(slot - target.free_slots.start + 1);
            self.admit(value, slot, NONE);
        }
        // What arrived in a slot that nobody else wants stays there besides, wherever it is read.
        for (value, definition) in live.definitions.iter().enumerate() {
            if let (Location::Slot(slot), false) = (definition.fixed, values[value].spilled) {
                if self.is_free(live, value, slot) {
                    self.of[value] = Some(slot);
                    self.admit(value, slot, NONE);
                }
            }
        }
        Ok(())
    }

    fn admit(&mut self, value: usize, slot: u16, limit: u32) {
        let slot = usize::from(slot);
        if self.last.len() <= slot {
            self.last.resize(slot + 1, NONE);
        }
        let tenant = Tenant { value: value as u32, limit, next: self.last[slot] };
        self.last[slot] = self.tenants.len() as u32;
        self.tenants.push(tenant);
    }

    /// Whether nobody else is in the slot while the value lives.
    fn is_free(&self, live: &Live, value: usize, slot: u16) -> bool {
        let mut next = self.last.get(usize::from(slot)).copied().unwrap_or(NONE);
        while let Some(tenant) = self.tenants.get(next as usize) {
            if tenant.value as usize != value && overlap(live, value, tenant) {
                return false;
            }
            next = tenant.next;
        }
        true
    }
}

/// Whether a value is live while the tenant occupies its slot.
fn overlap(live: &Live, value: usize, tenant: &Tenant) -> bool {
    let (mut i, mut j) = (live.first_range[value], live.first_range[tenant.value as usize]);
    while let (Some(x), Some(y)) = (live.ranges.get(i as usize), live.ranges.get(j as usize)) {
        let start = x.start.max(y.start);
        if start >= tenant.limit {
            return false;
        }
        if start < x.end.min(y.end) {
            return true;
        }
        if x.end <= y.end {
            i = x.next;
        } else {
            j = y.next;
        }
    }
    false
}
