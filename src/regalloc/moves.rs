//! Parallel moves: a set of moves that happen at once, as a sequence of moves with the same effect.

use super::{Location, Move, Register, CLASSES};

/// Orders parallel moves; it keeps its memory.
#[derive(Debug, Default)]
pub struct Sequencer {
    pending: Vec<Move>,
}

impl Sequencer {
    /// Appends to `out` a sequence that does what `moves` do at once. No two of them have the same destination, and none
    /// names a scratch register or `Nowhere`. In the sequence at most one side of a move is a slot; a move between slots
    /// goes through a scratch register, whose class need not be the value's, and so does one move of each cycle.
    pub fn sequence(&mut self, moves: &[Move], scratch: [Register; CLASSES], out: &mut Vec<Move>) {
        self.pending.clear();
        self.pending.extend(moves.iter().filter(|one| one.from != one.to));
        // The class whose scratch register holds a value that a cycle waits for.
        let mut busy = None;
        while !self.pending.is_empty() {
            let mut index = 0;
            let before = self.pending.len();
            while index < self.pending.len() {
                let Move { from, to } = self.pending[index];
                if self.pending.iter().any(|other| other.from == to) {
                    index += 1;
                    continue;
                }
                self.pending.swap_remove(index);
                emit(from, to, busy, scratch, out);
                if matches!(from, Location::Register(register) if scratch.contains(&register)) {
                    busy = None;
                }
            }
            if self.pending.len() == before {
                busy = Some(self.break_cycle(scratch, out));
            }
        }
    }

    /// All that is pending are cycles: saves one destination in a scratch register, and returns its class. The chain that
    /// this makes is emitted to its end before another cycle is broken, so one register of each class is enough.
    fn break_cycle(&mut self, scratch: [Register; CLASSES], out: &mut Vec<Move>) -> u8 {
        let saved = self.pending[0].to;
        let class = if let Location::Register(register) = saved { register.class } else { 0 };
        let safe = Location::Register(scratch[usize::from(class)]);
        out.push(Move { from: saved, to: safe });
        for other in self.pending.iter_mut().filter(|other| other.from == saved) {
            other.from = safe;
        }
        class
    }
}

fn emit(from: Location, to: Location, busy: Option<u8>, scratch: [Register; CLASSES], out: &mut Vec<Move>) {
    if matches!((from, to), (Location::Slot(_), Location::Slot(_))) {
        let class = usize::from(busy == Some(0));
        let through = Location::Register(scratch[class]);
        out.extend([Move { from, to: through }, Move { from: through, to }]);
    } else {
        out.push(Move { from, to });
    }
}
