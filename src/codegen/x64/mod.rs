//! FastJit on x86-64: one pass over a block, no allocation: guest registers are where `roles` says, everything else is
//! in scratch registers between two operations.
//!
//! Layout of a block's code:
//!
//! ```text
//!   entry:  sub fuel, cost; jb out_of_fuel
//!           operations, terminator
//!   cold:   out_of_fuel, slow paths of operations (helper calls), stubs of links
//! ```
//!
//! Invariant: at the first byte of each guest instruction's code the guest's registers are all in their homes, and an
//! instruction writes its destination after the last access that can fault. So the registers at a fault are exact but
//! for upper halves that are pending (`upper`) and operations that are put off (`rotate`, `Lower::pair`). These and the
//! program counter are looked up (`CodeObject::pending`, `CodeObject::repairs`, `CodeObject::marks`).

mod control;
mod float;
mod integer;
mod memory;
mod nan;
mod roles;
mod rotate;
mod snippets;
mod thunks;
pub mod unit;
mod upper;

pub use control::TABLE_ENTRIES;
pub use roles::FUEL_REGISTER;
pub use thunks::{homes_from_saved, Thunks};

use super::{Bail, CodeObject, LinkSite, Memory, Repair, CANONICAL_NAN, CANONICAL_SINGLE};
use crate::asm::x64::reg::*;
use crate::asm::x64::{Assembler, CpuFeatures, Mem, Scale, Size};
use crate::asm::Label;
use crate::base::{GuestAddr, RegId};
use crate::ir::ops::Effect;
use crate::ir::{IRBlock, IROp, Terminator};
use nan::Raw;
use roles::{home, Home};
use rotate::PutOff;
use snippets::Snippets;
use thunks::state;
use upper::Upper;

/// What code generation depends on besides the block.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub memory: Memory,
    pub features: CpuFeatures,
    /// Number of the block's first link.
    pub first_link: u32,
    /// Keep a listing (for `vmjit dump` and tests).
    pub listing: bool,
}

/// Generates the code of a block, with its listing if the request asks for it. `keep` is given the operations that
/// helpers will do and returns the address at which each stays.
///
/// # Errors
/// A [`Bail`]; the block has no code then.
pub fn compile(
    block: &IRBlock,
    keep: &mut dyn FnMut(IROp) -> u64,
    request: &Request,
) -> Result<CodeObject, Bail> {
    let mut compiler = Compiler::default();
    if request.listing {
        compiler.0.asm = Assembler::with_listing();
    }
    compiler.emit(block, keep, request)?;
    let Buffers { asm, marks, pending, repairs, links, .. } = compiler.0;
    let code = asm.finish().map_err(Bail::Assembler)?;
    let listing = if request.listing { code.listing().to_string() } else { String::new() };
    Ok(CodeObject { listing, bytes: code.into_bytes(), links, marks, pending, repairs })
}

/// Generates code for block after block and keeps its memory between them.
#[derive(Debug, Default)]
pub struct Compiler(Buffers);

/// What is built up for a block.
#[derive(Debug, Default)]
struct Buffers {
    asm: Assembler,
    marks: Vec<(u32, u32)>,
    pcs: Vec<GuestAddr>,
    pending: Vec<(u32, u64)>,
    repairs: Vec<Repair>,
    links: Vec<LinkSite>,
    cold: Vec<Cold>,
    cost: i32,
    snippets: Snippets,
}

/// Code of one block in the memory of its [`Compiler`]; the fields are those of [`CodeObject`].
#[derive(Debug)]
pub struct Emitted<'a> {
    asm: &'a mut Assembler,
    /// Lengths of the code that is likely to run and of what lies behind it; they may stand apart from each other.
    pub lengths: [usize; 2],
    /// See [`CodeObject::links`].
    pub links: &'a [LinkSite],
    /// See [`CodeObject::marks`].
    pub marks: &'a [(u32, u32)],
    /// The addresses of the block's guest instructions.
    pub pcs: &'a [GuestAddr],
    /// See [`IRBlock::cost`].
    pub cost: u32,
    /// See [`CodeObject::pending`].
    pub pending: &'a [(u32, u64)],
    /// See [`CodeObject::repairs`].
    pub repairs: &'a [Repair],
}

impl Emitted<'_> {
    /// The code of both parts, if the second stands `apart` bytes behind its place next to the first: a multiple of 16.
    ///
    /// # Errors
    /// [`Bail::Assembler`]; the block has no code then.
    pub fn parts(&mut self, apart: i64) -> Result<[&[u8]; 2], Bail> {
        self.asm.finish_in_place(apart).map_err(Bail::Assembler)
    }
}

impl Compiler {
    /// Generates the code of a block; see [`compile`].
    ///
    /// # Errors
    /// A [`Bail`]; the block has no code then.
    pub fn compile(
        &mut self,
        block: &IRBlock,
        keep: &mut dyn FnMut(IROp) -> u64,
        request: &Request,
    ) -> Result<Emitted<'_>, Bail> {
        self.emit(block, keep, request)?;
        let Buffers { asm, marks, pcs, pending, repairs, links, cost, .. } = &mut self.0;
        let lengths = asm.complete();
        Ok(Emitted { asm, lengths, links, marks, pcs, cost: cost.unsigned_abs(), pending, repairs })
    }

    fn emit(
        &mut self,
        block: &IRBlock,
        keep: &mut dyn FnMut(IROp) -> u64,
        request: &Request,
    ) -> Result<(), Bail> {
        self.0.cost = i32::try_from(block.cost()).map_err(|_| Bail::TooLarge)?;
        let Buffers { asm, marks, pcs, pending, repairs, links, cold, cost, snippets } = &mut self.0;
        let cost = *cost;
        asm.clear();
        marks.clear();
        pcs.clear();
        pending.clear();
        repairs.clear();
        links.clear();
        cold.clear();
        let mut lower = Lower {
            asm,
            request,
            keep,
            cost,
            mark: 0,
            marks,
            pcs,
            pending,
            repairs,
            links,
            cold,
            snippets,
            upper: Upper::UNKNOWN,
            put_off: PutOff::default(),
            raw: Raw::default(),
            boxed: 0,
            resync: false,
            local: None,
            kept: Vec::new(),
            failed: false,
            low: false,
            strict: false,
            back: None,
            free: false,
        };
        lower.entry();
        lower.operations(&block.ops, &block.term);
        lower.asm.begin_second();
        lower.cold_code();
        Ok(())
    }
}

/// Slow code that is emitted behind the block.
#[derive(Clone, Copy, Debug)]
struct Cold {
    entry: Label,
    /// Guest instructions begun.
    mark: u32,
    /// What was pending where the code leaves for it, or more.
    pending: u16,
    /// What was raw there.
    raw: u32,
    /// Which of `Lower::kept` it needs, if any.
    kept: u32,
    kind: ColdKind,
}

#[derive(Clone, Copy, Debug)]
enum ColdKind {
    /// Calls the helper for the operation and goes on at the label.
    Helper { op: IROp, back: Label },
    /// Leaves because the fuel does not suffice; what was taken for the block is given back by its place.
    OutOfFuel,
    /// Makes NaNs in registers (see `nan`) canonical and goes on at the label.
    Mend { regs: u32, singles: u32, back: Label },
    /// Makes the NaN in a register canonical and goes on at the label.
    Nan { xmm: Xmm, single: bool, back: Label },
    /// Empties the return stack and goes on at the label.
    EmptyStack { back: Label },
    /// Leaves because a link is not made.
    Stub { link: u32 },
    /// Leaves because the table has no code for the target in rax.
    Miss,
    /// Empties the return stack and goes where the table says for the target in rax, or to the label.
    OtherReturn { miss: Label },
    /// Its label is bound by whoever asked for it.
    Elsewhere,
    /// The same for a call: pushes its return addresses first.
    MissCall { return_to: u64, back: Label, has_room: bool },
}

/// A block being lowered.
struct Lower<'a> {
    asm: &'a mut Assembler,
    request: &'a Request,
    keep: &'a mut dyn FnMut(IROp) -> u64,
    cost: i32,
    /// Guest instructions begun so far.
    mark: u32,
    marks: &'a mut Vec<(u32, u32)>,
    /// Addresses of the guest instructions begun so far.
    pcs: &'a mut Vec<GuestAddr>,
    /// See [`CodeObject::pending`].
    pending: &'a mut Vec<(u32, u64)>,
    /// See [`CodeObject::repairs`].
    repairs: &'a mut Vec<Repair>,
    /// Links and the label of each one's displacement field end.
    links: &'a mut Vec<LinkSite>,
    cold: &'a mut Vec<Cold>,
    snippets: &'a Snippets,
    upper: Upper,
    put_off: PutOff,
    raw: Raw,
    /// Floating-point registers that hold a boxed single for certain.
    boxed: u64,
    /// The rounding mode was written: leave before the next guest instruction.
    resync: bool,
    /// Where the registers of the operation at hand live, in a unit that has its own allocation.
    local: Option<Locals>,
    /// Such homes as slow paths need.
    kept: Vec<Locals>,
    /// An operation has no code.
    failed: bool,
    /// Of the result of the operation at hand only the low half is wanted.
    low: bool,
    /// A comparison is to give up if it is unordered.
    strict: bool,
    /// Where the call comes back to by which a unit leaves, and how many pairs of addresses it put on the return stack before.
    back: Option<(Label, usize)>,
    /// In a unit: nothing that the slow path of the operation at hand needs is where its result goes.
    free: bool,
}

/// Homes of the registers that stand for an operation's operands in a unit that has its own allocation.
type Locals = [Home; 64];

impl Lower<'_> {
    /// Where a virtual register lives.
    #[inline(always)]
    fn home(&self, reg: RegId) -> Home {
        match &self.local {
            None => home(reg),
            Some(homes) => homes[usize::from(reg & 63)],
        }
    }

    fn entry(&mut self) {
        self.marks.push((0, 0));
        self.asm.sub_ri(Size::S64, roles::FUEL, self.cost);
        let cold = self.cold(ColdKind::OutOfFuel);
        self.asm.jcc(Cond::B, cold);
    }

    /// Lowers a block's operations and how it ends.
    fn operations(&mut self, mut rest: &[IROp], term: &Terminator) {
        while let Some((op, after)) = rest.split_first() {
            match *op {
                IROp::Mark { pc } if self.resync => return self.leave_before(pc),
                IROp::Mark { pc } => self.begin(pc),
                IROp::ShlImm { .. } | IROp::Add { .. } => {
                    if let Some(taken) = self.pair(rest) {
                        rest = &rest[taken..];
                        continue;
                    }
                    self.operation(op);
                }
                _ => self.operation(op),
            }
            rest = after;
        }
        self.terminator(term);
    }

    /// A guest instruction begins here.
    #[inline(always)]
    fn begin(&mut self, pc: GuestAddr) {
        self.mark += 1;
        self.marks.push((self.here(), self.mark));
        self.pcs.push(pc);
    }

    /// Begins the guest instruction of a mark.
    fn begin_at(&mut self, mark: &IROp) {
        if let IROp::Mark { pc } = *mark {
            self.begin(pc);
        }
    }

    /// Lowers one operation that is no mark.
    fn operation(&mut self, op: &IROp) {
        let effect = op.info().effect;
        if effect == Effect::Pure && self.put_off(op) {
            return;
        }
        self.prepare(op);
        self.dispatch(op, effect);
    }

    /// Lowers one operation by itself: nothing is put off before or after it.
    fn single_operation(&mut self, op: &IROp) {
        self.dispatch(op, op.info().effect);
    }

    #[inline(always)]
    fn dispatch(&mut self, op: &IROp, effect: Effect) {
        // The effect says which family is the likely one.
        let done = match effect {
            Effect::Pure => self.integer(op) || self.float(op),
            Effect::Float => self.float(op),
            Effect::Reads | Effect::Writes => {
                self.note_pending();
                let from = self.here();
                let done = self.memory(op);
                self.note_put_off(from, op);
                done
            }
            Effect::State => {
                self.resync |= matches!(op, IROp::WriteRound { .. } | IROp::WriteFcsr { .. });
                self.memory(op) || self.float(op)
            }
        };
        if !done {
            self.helper(op);
        }
        if op.boxes_single() {
            self.boxed |= op.def().map_or(0, upper::float_bit);
        }
    }

    /// Lowers a pair of guest instructions that mean one of the host's; returns how many operations that took. What the
    /// first one wrote is overwritten by the second, and nothing between them can fault or leave.
    fn pair(&mut self, ops: &[IROp]) -> Option<usize> {
        match *ops {
            [IROp::ShlImm { dst, src, imm }, IROp::Mark { .. }, add @ IROp::Add { .. }, IROp::Mark { .. }, load, ..]
                if (1..=3).contains(&imm) =>
            {
                let scale = Scale::ALL[usize::from(imm.to_le_bytes()[0])];
                let other = Lower::sum_with(&add, dst)?;
                let sum = match scale {
                    Scale::X2 => IROp::ShlAdd1 { dst, src1: src, src2: other },
                    Scale::X4 => IROp::ShlAdd2 { dst, src1: src, src2: other },
                    _ => IROp::ShlAdd3 { dst, src1: src, src2: other },
                };
                if self.can_index(&sum, &load) {
                    self.prepare_pair(ops);
                    self.begin_at(&ops[3]);
                    self.indexed_load(sum, scale, src, other, &load);
                    return Some(5);
                }
                self.prepare_pair(ops);
                self.shift_add(scale, false, dst, src, other);
                Some(3)
            }
            [sum @ IROp::Add { src1, src2, .. }, IROp::Mark { .. }, load, ..]
                if self.can_index(&sum, &load) =>
            {
                self.prepare(&sum);
                self.begin_at(&ops[1]);
                self.indexed_load(sum, Scale::X1, src1, src2, &load);
                Some(3)
            }
            [IROp::ShlImm { dst, src, imm: 32 }, IROp::Mark { .. }, IROp::ShrImm { dst: to, src: from, imm }, ..]
                if to == dst && from == dst && (1..=32).contains(&imm) =>
            {
                self.prepare_pair(ops);
                self.zero_extended(dst, src, 32 - imm.to_le_bytes()[0]);
                Some(3)
            }
            [IROp::ShlImm { dst, src, imm }, IROp::Mark { .. }, IROp::Add { .. }, ..]
                if (1..=3).contains(&imm) =>
            {
                let other = Lower::sum_with(&ops[2], dst)?;
                let scale = Scale::ALL[usize::from(imm.to_le_bytes()[0])];
                self.prepare_pair(ops);
                self.shift_add(scale, false, dst, src, other);
                Some(3)
            }
            _ => None,
        }
    }

    /// The other operand of an addition that overwrites one.
    fn sum_with(add: &IROp, reg: RegId) -> Option<RegId> {
        match *add {
            IROp::Add { dst, src1, src2 } if dst == reg && (src1 == reg) != (src2 == reg) => {
                Some(if src1 == reg { src2 } else { src1 })
            }
            _ => None,
        }
    }

    /// Begins the second instruction of a pair at once.
    fn prepare_pair(&mut self, ops: &[IROp]) {
        self.prepare(&ops[0]);
        self.prepare(&ops[2]);
        self.begin_at(&ops[1]);
    }

    fn here(&self) -> u32 {
        // Code of a block is far below 4 GiB: at most 64 KiB operations of bounded size each.
        u32::try_from(self.asm.offset()).unwrap_or(u32::MAX)
    }

    fn cold(&mut self, kind: ColdKind) -> Label {
        let entry = self.asm.new_label();
        let (pending, raw) = (self.upper.pending, self.raw.regs);
        self.cold.push(Cold { entry, mark: self.mark, pending, raw, kept: u32::MAX, kind });
        entry
    }

    /// A slow path that does the whole operation by the helper; returns the labels to jump to and to come back to.
    fn slow(&mut self, op: &IROp) -> (Label, Label) {
        let back = self.asm.new_label();
        (self.cold(ColdKind::Helper { op: *op, back }), back)
    }

    /// Does the whole operation by the helper.
    fn helper(&mut self, op: &IROp) {
        self.mend_all();
        self.call_helper(*op);
        if let Some(dst) = op.def() {
            self.define(dst);
        }
    }

    fn call_helper(&mut self, op: IROp) {
        // A unit with its own allocation has not saved the registers where the helper looks.
        self.failed |= self.local.is_some();
        self.extend_all();
        self.note_pending();
        let op = (self.keep)(op);
        self.asm.load_constant(RAX, op);
        self.asm.call_m(state(roles::CALL_HELPER));
    }

    /// The value of an integer-like register: its host register, or `scratch` with the value loaded.
    fn value(&mut self, reg: RegId, scratch: Gpr) -> Gpr {
        match self.home(reg) {
            Home::Gpr(host) => {
                self.extend_home(reg);
                return host;
            }
            Home::Xmm(xmm) => {
                self.mend(reg);
                self.asm.movq_rx(scratch, xmm);
            }
            Home::Slot(at) => self.asm.mov_rm(Size::S64, scratch, state(at)),
            Home::Zero => self.asm.xor_rr(Size::S32, scratch, scratch),
        }
        scratch
    }

    /// Copies the value of a register into `into`.
    fn load(&mut self, into: Gpr, reg: RegId) {
        let host = self.value(reg, into);
        self.move_gpr(into, host);
    }

    fn move_gpr(&mut self, to: Gpr, from: Gpr) {
        if to != from {
            self.asm.mov_rr(Size::S64, to, from);
        }
    }

    /// Where to compute the new value of a register: its host register or `scratch`.
    fn target(&self, reg: RegId, scratch: Gpr) -> Gpr {
        match self.home(reg) {
            Home::Gpr(host) => host,
            _ => scratch,
        }
    }

    /// Puts a computed value into its register.
    fn put(&mut self, reg: RegId, from: Gpr) {
        self.define(reg);
        match self.home(reg) {
            Home::Gpr(host) => self.move_gpr(host, from),
            Home::Xmm(xmm) => self.asm.movq_xr(xmm, from),
            Home::Slot(at) => self.asm.mov_mr(Size::S64, state(at), from),
            Home::Zero => {}
        }
    }

    /// A register as the second operand of an instruction: its host register or its slot.
    fn operand(&mut self, reg: RegId, scratch: Gpr) -> Source {
        match self.home(reg) {
            Home::Slot(at) => Source::Mem(state(at)),
            _ => Source::Gpr(self.value(reg, scratch)),
        }
    }

    /// Emits what was put off. Nothing adds to it meanwhile.
    fn cold_code(&mut self) {
        for index in 0..self.cold.len() {
            let Cold { entry, mark, pending, raw, kept, kind } = self.cold[index];
            if let ColdKind::Elsewhere = kind {
                continue;
            }
            self.local = self.kept.get(kept as usize).copied();
            // Nobody but a reader of the listing asks where the others stand.
            if matches!(kind, ColdKind::Helper { .. } | ColdKind::OutOfFuel) || self.request.listing {
                self.marks.push((self.here(), mark));
            }
            (self.upper.pending, self.raw.regs) = (pending, raw);
            if let ColdKind::OutOfFuel = kind {
                self.note_pending();
            }
            self.asm.bind(entry);
            self.emit_cold(kind);
        }
        (self.upper.pending, self.raw.regs) = (0, 0);
        self.note_pending();
    }

    fn emit_cold(&mut self, kind: ColdKind) {
        match kind {
            ColdKind::Helper { op, back } => {
                self.mend_each(self.raw.regs, 0);
                self.raw.regs = 0;
                self.call_helper(op);
                self.asm.jmp(back);
            }
            ColdKind::Mend { regs, singles, back } => {
                self.mend_each(regs, singles);
                self.asm.jmp(back);
            }
            ColdKind::Nan { xmm, single, back } => {
                let nan = self.asm.constant64(if single { CANONICAL_SINGLE } else { CANONICAL_NAN });
                self.asm.movsd_xm(xmm, Mem::label(nan));
                self.asm.jmp(back);
            }
            ColdKind::OutOfFuel => self.snippets.put_out_of_fuel(self.asm),
            ColdKind::EmptyStack { back } => {
                self.asm.mov_rm(Size::S64, RSP, state(roles::STACK_BASE));
                self.asm.jmp(back);
            }
            ColdKind::Stub { link } => self.snippets.put_stub(self.asm, link),
            ColdKind::MissCall { return_to, back, has_room } => {
                if !has_room {
                    let room = self.asm.new_label();
                    self.asm.cmp_rm(Size::S64, RSP, state(roles::STACK_LIMIT));
                    self.asm.jcc_l8(Cond::Ae, room);
                    self.asm.mov_rm(Size::S64, RSP, state(roles::STACK_BASE));
                    self.asm.bind(room);
                }
                self.push_address(return_to);
                self.asm.lea_rm(Size::S64, RCX, Mem::label(back));
                self.asm.push_r(RCX);
                self.asm.jmp_m(state(roles::MISS_THUNK));
            }
            ColdKind::Elsewhere => {}
            ColdKind::OtherReturn { miss } => {
                self.asm.mov_rm(Size::S64, RSP, state(roles::STACK_BASE));
                self.table_jump(miss);
            }
            ColdKind::Miss => self.asm.jmp_m(state(roles::MISS_THUNK)),
        }
    }
}

/// Second operand of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Gpr(Gpr),
    Mem(Mem),
}

/// The processor's condition for one of the IR.
fn condition(cond: crate::ir::Cond) -> Cond {
    match cond {
        crate::ir::Cond::Eq => Cond::E,
        crate::ir::Cond::Ne => Cond::Ne,
        crate::ir::Cond::Lt => Cond::L,
        crate::ir::Cond::Ge => Cond::Ge,
        crate::ir::Cond::Ltu => Cond::B,
        crate::ir::Cond::Geu => Cond::Ae,
    }
}
