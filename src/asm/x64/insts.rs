//! THE table of x86-64 instructions: one row per instruction.
//!
//! The rows make the [`Op`] enum, [`ROWS`] and the emit methods of [`Assembler`]; encoder, text, register visitor,
//! sample generator and tests are driven by [`ROWS`]. Nothing lists the instructions a second time, so whoever has
//! checked this list against the manual has checked what the assembler can emit.
//!
//! Columns: name of the method; `v` if it takes a [`Size`] first; opcode, in the manual's notation with the additions
//! of [`super::row`]; mnemonic; operands, destination first, each with its use (`r`, `w`, `rw`, `n` for not
//! accessed), its name, and what it can be ([`Kind`]); operand encoding; registers used implicitly; use of the flags;
//! feature needed; volume and page in the Intel Software Developer's Manual (order number 325462).
//!
//! Names are `<mnemonic>_<form>`. The form has one letter per operand (`r` general-purpose register, `x` vector
//! register, `m` memory, `i` immediate, `c` the register cl, `l` label, `p` predicate) and the width of the data if
//! it is not that of the instruction.

use super::features::Feature;
use super::inst::{Builder, Raw};
#[cfg(any(test, feature = "testing"))]
use super::inst::{FromRaw, Inst};
use super::mem::Mem;
use super::reg::{Cond, Gpr, Predicate, Size, Xmm, RAX, RBX, RCX, RDX, RSP};
use super::row::{encoding, places, Encoding, Kind, Mark, Operand, Place, Row};
use super::Assembler;
use crate::asm::Label;
use crate::base::text::{Few, Text};

macro_rules! rows {
    ($(
        $name:ident $sized:tt $opcode:literal $mnemonic:literal ($($mark:ident $arg:ident: $kind:ident),*)
        $op_en:literal [$($use:ident $register:ident),*] $flags:tt $feature:tt $manual:literal;
    )*) => {
        /// An operation: one variant per row, named as the row.
        #[allow(non_camel_case_types, reason = "the names of the rows, so that one search finds both")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Op {
            $(#[doc = concat!("`", $mnemonic, "`: `", $opcode, "`, Intel SDM ", $manual)] $name,)*
        }

        /// The rows, in the order of [`Op`].
        pub static ROWS: &[Row] = &TABLE;

        /// A static of its own, so that each row has one address.
        static TABLE: [Row; [$(Op::$name),*].len()] = [$({
            const OPERANDS: &[Operand] = &[$(Operand {
                name: Text::new(stringify!($arg)),
                mark: rows!(@mark $mark),
                kind: Kind::$kind,
            }),*];
            const PLACES: [Place; 4] = places($op_en);
            Row {
                op: Op::$name,
                name: Text::new(stringify!($name)),
                opcode: Text::new($opcode),
                mnemonic: Text::new($mnemonic),
                operands: Few::new(OPERANDS, Operand::NONE),
                op_en: Text::new($op_en),
                implicit: Few::new(&[$((rows!(@mark $use), $register)),*], (Mark::N, RAX)),
                flags: rows!(@flags $flags),
                feature: rows!(@feature $feature),
                manual: Text::new($manual),
                sized: rows!(@sized $sized),
                places: PLACES,
            }
        }),*];

        /// One method per row.
        impl Assembler {
            $(rows!(@method $sized $name $opcode $mnemonic ($($arg $kind)*) $op_en $manual);)*
        }

        /// Calls the method of the instruction's row with the instruction's operands. For tests: this way they go
        /// through the typed methods.
        #[cfg(any(test, feature = "testing"))]
        impl Assembler {
            pub fn replay(&mut self, inst: &Inst) {
                let mut operands = inst.operands().map(|(_, raw)| raw);
                match inst.op() {
                    $(Op::$name => rows!(@replay $sized self inst operands $name ($($kind)*)),)*
                }
            }
        }
    };

    (@method v $name:ident $opcode:literal $mnemonic:literal ($($arg:ident $kind:ident)*) $op_en:literal $manual:literal) => {
        #[doc = concat!("`", $mnemonic, "`: `", $opcode, "`, Intel SDM ", $manual)]
        #[inline]
        pub fn $name(&mut self, size: Size $(, $arg: rows!(@type $kind))*) {
            const PLACES: [Place; 4] = places($op_en);
            self.emit::<{ Op::$name as usize }>(Builder::new(Op::$name, size)$(.with(&PLACES, Raw::from($arg)))*.build());
        }
    };
    (@method - $name:ident $opcode:literal $mnemonic:literal ($($arg:ident $kind:ident)*) $op_en:literal $manual:literal) => {
        #[doc = concat!("`", $mnemonic, "`: `", $opcode, "`, Intel SDM ", $manual)]
        #[inline]
        pub fn $name(&mut self $(, $arg: rows!(@type $kind))*) {
            #[allow(dead_code, reason = "rows without operands have no places")]
            const PLACES: [Place; 4] = places($op_en);
            self.emit::<{ Op::$name as usize }>(Builder::new(Op::$name, Size::S32)$(.with(&PLACES, Raw::from($arg)))*.build());
        }
    };
    (@replay v $self:ident $inst:ident $operands:ident $name:ident ($($kind:ident)*)) => {
        $self.$name($inst.head.size() $(, rows!(@operand $operands $kind))*)
    };
    (@replay - $self:ident $inst:ident $operands:ident $name:ident ($($kind:ident)*)) => {
        $self.$name($(rows!(@operand $operands $kind)),*)
    };
    (@operand $operands:ident $kind:ident) => {
        next_operand::<rows!(@type $kind)>(&mut $operands)
    };

    (@type R8) => { Gpr }; (@type R16) => { Gpr }; (@type R32) => { Gpr }; (@type R64) => { Gpr }; (@type Rv) => { Gpr };
    (@type M8) => { Mem }; (@type M16) => { Mem }; (@type M32) => { Mem }; (@type M64) => { Mem }; (@type Mv) => { Mem };
    (@type M128) => { Mem }; (@type M) => { Mem }; (@type X) => { Xmm };
    (@type Ib) => { i8 }; (@type Iw) => { i16 }; (@type Id) => { i32 };
    (@type Ub) => { u8 }; (@type Ud) => { u32 }; (@type Uq) => { u64 };
    (@type P) => { Predicate }; (@type Cc) => { Cond }; (@type L) => { Label };

    (@mark r) => { Mark::R }; (@mark w) => { Mark::W }; (@mark rw) => { Mark::Rw }; (@mark n) => { Mark::N };
    (@flags -) => { None }; (@flags $mark:ident) => { Some(rows!(@mark $mark)) };
    (@feature -) => { None }; (@feature $feature:ident) => { Some(Feature::$feature) };
    (@sized v) => { true }; (@sized -) => { false };
}

/// The next operand of an instruction, typed.
#[cfg(any(test, feature = "testing"))]
fn next_operand<T: FromRaw>(operands: &mut dyn Iterator<Item = Raw>) -> T {
    match operands.next().and_then(T::from_raw) {
        Some(value) => value,
        None => unreachable!("an instruction has the operands of its row"),
    }
}

impl Op {
    /// The row of the operation.
    #[inline(always)]
    pub fn row(self) -> &'static Row {
        // The variants have the discriminants 0, 1, 2, ... and the rows are in the same order.
        &TABLE[self as usize]
    }
}

/// What the encoder needs of the row with this index.
pub(super) const fn encoding_of(row: usize) -> Encoding {
    let row = &TABLE[row];
    encoding(row.opcode.as_str(), row.operands.as_slice(), &row.places)
}

// Rows never wrap: a row is held against the manual as one line.
#[rustfmt::skip]
rows! {
    // name           v opcode                         mnemonic        operands                                op/en implicit         fl feature manual

    // Moves. Loads of 8 and 16 bits are movzx and movsx. `mov_ri32` and `movabs_ri` set all 64 bits.
    mov_rr            v "[REX.W] 89 /r"                "mov"           (w dst: Rv, r src: Rv)                  "MR" []               -  -      "2B MOV";
    mov_rm            v "[REX.W] 8B /r"                "mov"           (w dst: Rv, r src: Mv)                  "RM" []               -  -      "2B MOV";
    mov_mr            v "[REX.W] 89 /r"                "mov"           (w dst: Mv, r src: Rv)                  "MR" []               -  -      "2B MOV";
    mov_mr8           - "88 /r"                        "mov"           (w dst: M8, r src: R8)                  "MR" []               -  -      "2B MOV";
    mov_mr16          - "66 89 /r"                     "mov"           (w dst: M16, r src: R16)                "MR" []               -  -      "2B MOV";
    mov_ri            v "[REX.W] C7 /0 id"             "mov"           (w dst: Rv, r imm: Id)                  "MI" []               -  -      "2B MOV";
    mov_ri32          - "B8 +rd id"                    "mov"           (w dst: R32, r imm: Ud)                 "OI" []               -  -      "2B MOV";
    movabs_ri         - "REX.W B8 +rd io"              "mov"           (w dst: R64, r imm: Uq)                 "OI" []               -  -      "2B MOV";
    mov_mi            v "[REX.W] C7 /0 id"             "mov"           (w dst: Mv, r imm: Id)                  "MI" []               -  -      "2B MOV";
    mov_mi8           - "C6 /0 ib"                     "mov"           (w dst: M8, r imm: Ib)                  "MI" []               -  -      "2B MOV";
    mov_mi16          - "66 C7 /0 iw"                  "mov"           (w dst: M16, r imm: Iw)                 "MI" []               -  -      "2B MOV";
    movzx_rr8         v "[REX.W] 0F B6 /r"             "movzx"         (w dst: Rv, r src: R8)                  "RM" []               -  -      "2B MOVZX";
    movzx_rm8         v "[REX.W] 0F B6 /r"             "movzx"         (w dst: Rv, r src: M8)                  "RM" []               -  -      "2B MOVZX";
    movzx_rr16        v "[REX.W] 0F B7 /r"             "movzx"         (w dst: Rv, r src: R16)                 "RM" []               -  -      "2B MOVZX";
    movzx_rm16        v "[REX.W] 0F B7 /r"             "movzx"         (w dst: Rv, r src: M16)                 "RM" []               -  -      "2B MOVZX";
    movsx_rr8         v "[REX.W] 0F BE /r"             "movsx"         (w dst: Rv, r src: R8)                  "RM" []               -  -      "2B MOVSX";
    movsx_rm8         v "[REX.W] 0F BE /r"             "movsx"         (w dst: Rv, r src: M8)                  "RM" []               -  -      "2B MOVSX";
    movsx_rr16        v "[REX.W] 0F BF /r"             "movsx"         (w dst: Rv, r src: R16)                 "RM" []               -  -      "2B MOVSX";
    movsx_rm16        v "[REX.W] 0F BF /r"             "movsx"         (w dst: Rv, r src: M16)                 "RM" []               -  -      "2B MOVSX";
    movsxd_rr         - "REX.W 63 /r"                  "movsxd"        (w dst: R64, r src: R32)                "RM" []               -  -      "2B MOVSX/MOVSXD";
    movsxd_rm         - "REX.W 63 /r"                  "movsxd"        (w dst: R64, r src: M32)                "RM" []               -  -      "2B MOVSX/MOVSXD";
    movbe_rm          v "[REX.W] 0F 38 F0 /r"          "movbe"         (w dst: Rv, r src: Mv)                  "RM" []               -  Movbe  "2B MOVBE";
    movbe_mr          v "[REX.W] 0F 38 F1 /r"          "movbe"         (w dst: Mv, r src: Rv)                  "MR" []               -  Movbe  "2B MOVBE";
    lea_rm            v "[REX.W] 8D /r"                "lea"           (w dst: Rv, n src: M)                   "RM" []               -  -      "2A LEA";
    xchg_rr           v "[REX.W] 87 /r"                "xchg"          (rw a: Rv, rw b: Rv)                    "MR" []               -  -      "2D XCHG";
    bswap_r           v "[REX.W] 0F C8 +rd"            "bswap"         (rw dst: Rv)                            "O"  []               -  -      "2A BSWAP";
    push_r            - "50 +rd"                       "push"          (r src: R64)                            "O"  [rw RSP]         -  -      "2B PUSH";
    push_m            - "FF /6"                        "push"          (r src: M64)                            "M"  [rw RSP]         -  -      "2B PUSH";
    push_i            - "68 is"                        "push"          (r imm: Id)                             "I"  [rw RSP]         -  -      "2B PUSH";
    pop_r             - "58 +rd"                       "pop"           (w dst: R64)                            "O"  [rw RSP]         -  -      "2B POP";
    pop_m             - "8F /0"                        "pop"           (w dst: M64)                            "M"  [rw RSP]         -  -      "2B POP";
    pushfq            - "9C"                           "pushfq"        ()                                      "ZO" [rw RSP]         r  -      "2B PUSHF";
    popfq             - "9D"                           "popfq"         ()                                      "ZO" [rw RSP]         w  -      "2B POPF";

    // Arithmetic and logic on two operands.
    add_rr            v "[REX.W] 01 /r"                "add"           (rw dst: Rv, r src: Rv)                 "MR" []               w  -      "2A ADD";
    add_rm            v "[REX.W] 03 /r"                "add"           (rw dst: Rv, r src: Mv)                 "RM" []               w  -      "2A ADD";
    add_mr            v "[REX.W] 01 /r"                "add"           (rw dst: Mv, r src: Rv)                 "MR" []               w  -      "2A ADD";
    add_ri            v "[REX.W] 81 /0 is"             "add"           (rw dst: Rv, r imm: Id)                 "MI" []               w  -      "2A ADD";
    add_mi            v "[REX.W] 81 /0 is"             "add"           (rw dst: Mv, r imm: Id)                 "MI" []               w  -      "2A ADD";
    add_rr8           - "00 /r"                        "add"           (rw dst: R8, r src: R8)                 "MR" []               w  -      "2A ADD";
    add_rm8           - "02 /r"                        "add"           (rw dst: R8, r src: M8)                 "RM" []               w  -      "2A ADD";
    add_mr8           - "00 /r"                        "add"           (rw dst: M8, r src: R8)                 "MR" []               w  -      "2A ADD";
    add_ri8           - "80 /0 ib"                     "add"           (rw dst: R8, r imm: Ib)                 "MI" []               w  -      "2A ADD";
    add_mi8           - "80 /0 ib"                     "add"           (rw dst: M8, r imm: Ib)                 "MI" []               w  -      "2A ADD";
    add_rm16          - "66 03 /r"                     "add"           (rw dst: R16, r src: M16)               "RM" []               w  -      "2A ADD";
    add_mr16          - "66 01 /r"                     "add"           (rw dst: M16, r src: R16)               "MR" []               w  -      "2A ADD";
    or_rr             v "[REX.W] 09 /r"                "or"            (rw dst: Rv, r src: Rv)                 "MR" []               w  -      "2B OR";
    or_rm             v "[REX.W] 0B /r"                "or"            (rw dst: Rv, r src: Mv)                 "RM" []               w  -      "2B OR";
    or_mr             v "[REX.W] 09 /r"                "or"            (rw dst: Mv, r src: Rv)                 "MR" []               w  -      "2B OR";
    or_ri             v "[REX.W] 81 /1 is"             "or"            (rw dst: Rv, r imm: Id)                 "MI" []               w  -      "2B OR";
    or_mi             v "[REX.W] 81 /1 is"             "or"            (rw dst: Mv, r imm: Id)                 "MI" []               w  -      "2B OR";
    or_rr8            - "08 /r"                        "or"            (rw dst: R8, r src: R8)                 "MR" []               w  -      "2B OR";
    or_rm8            - "0A /r"                        "or"            (rw dst: R8, r src: M8)                 "RM" []               w  -      "2B OR";
    or_mr8            - "08 /r"                        "or"            (rw dst: M8, r src: R8)                 "MR" []               w  -      "2B OR";
    or_ri8            - "80 /1 ib"                     "or"            (rw dst: R8, r imm: Ib)                 "MI" []               w  -      "2B OR";
    or_mi8            - "80 /1 ib"                     "or"            (rw dst: M8, r imm: Ib)                 "MI" []               w  -      "2B OR";
    or_rm16           - "66 0B /r"                     "or"            (rw dst: R16, r src: M16)               "RM" []               w  -      "2B OR";
    or_mr16           - "66 09 /r"                     "or"            (rw dst: M16, r src: R16)               "MR" []               w  -      "2B OR";
    adc_rr            v "[REX.W] 11 /r"                "adc"           (rw dst: Rv, r src: Rv)                 "MR" []               rw -      "2A ADC";
    adc_rm            v "[REX.W] 13 /r"                "adc"           (rw dst: Rv, r src: Mv)                 "RM" []               rw -      "2A ADC";
    adc_mr            v "[REX.W] 11 /r"                "adc"           (rw dst: Mv, r src: Rv)                 "MR" []               rw -      "2A ADC";
    adc_ri            v "[REX.W] 81 /2 is"             "adc"           (rw dst: Rv, r imm: Id)                 "MI" []               rw -      "2A ADC";
    adc_mi            v "[REX.W] 81 /2 is"             "adc"           (rw dst: Mv, r imm: Id)                 "MI" []               rw -      "2A ADC";
    adc_rr8           - "10 /r"                        "adc"           (rw dst: R8, r src: R8)                 "MR" []               rw -      "2A ADC";
    adc_rm8           - "12 /r"                        "adc"           (rw dst: R8, r src: M8)                 "RM" []               rw -      "2A ADC";
    adc_mr8           - "10 /r"                        "adc"           (rw dst: M8, r src: R8)                 "MR" []               rw -      "2A ADC";
    adc_ri8           - "80 /2 ib"                     "adc"           (rw dst: R8, r imm: Ib)                 "MI" []               rw -      "2A ADC";
    adc_mi8           - "80 /2 ib"                     "adc"           (rw dst: M8, r imm: Ib)                 "MI" []               rw -      "2A ADC";
    adc_rm16          - "66 13 /r"                     "adc"           (rw dst: R16, r src: M16)               "RM" []               rw -      "2A ADC";
    adc_mr16          - "66 11 /r"                     "adc"           (rw dst: M16, r src: R16)               "MR" []               rw -      "2A ADC";
    sbb_rr            v "[REX.W] 19 /r"                "sbb"           (rw dst: Rv, r src: Rv)                 "MR" []               rw -      "2B SBB";
    sbb_rm            v "[REX.W] 1B /r"                "sbb"           (rw dst: Rv, r src: Mv)                 "RM" []               rw -      "2B SBB";
    sbb_mr            v "[REX.W] 19 /r"                "sbb"           (rw dst: Mv, r src: Rv)                 "MR" []               rw -      "2B SBB";
    sbb_ri            v "[REX.W] 81 /3 is"             "sbb"           (rw dst: Rv, r imm: Id)                 "MI" []               rw -      "2B SBB";
    sbb_mi            v "[REX.W] 81 /3 is"             "sbb"           (rw dst: Mv, r imm: Id)                 "MI" []               rw -      "2B SBB";
    sbb_rr8           - "18 /r"                        "sbb"           (rw dst: R8, r src: R8)                 "MR" []               rw -      "2B SBB";
    sbb_rm8           - "1A /r"                        "sbb"           (rw dst: R8, r src: M8)                 "RM" []               rw -      "2B SBB";
    sbb_mr8           - "18 /r"                        "sbb"           (rw dst: M8, r src: R8)                 "MR" []               rw -      "2B SBB";
    sbb_ri8           - "80 /3 ib"                     "sbb"           (rw dst: R8, r imm: Ib)                 "MI" []               rw -      "2B SBB";
    sbb_mi8           - "80 /3 ib"                     "sbb"           (rw dst: M8, r imm: Ib)                 "MI" []               rw -      "2B SBB";
    sbb_rm16          - "66 1B /r"                     "sbb"           (rw dst: R16, r src: M16)               "RM" []               rw -      "2B SBB";
    sbb_mr16          - "66 19 /r"                     "sbb"           (rw dst: M16, r src: R16)               "MR" []               rw -      "2B SBB";
    and_rr            v "[REX.W] 21 /r"                "and"           (rw dst: Rv, r src: Rv)                 "MR" []               w  -      "2A AND";
    and_rm            v "[REX.W] 23 /r"                "and"           (rw dst: Rv, r src: Mv)                 "RM" []               w  -      "2A AND";
    and_mr            v "[REX.W] 21 /r"                "and"           (rw dst: Mv, r src: Rv)                 "MR" []               w  -      "2A AND";
    and_ri            v "[REX.W] 81 /4 is"             "and"           (rw dst: Rv, r imm: Id)                 "MI" []               w  -      "2A AND";
    and_mi            v "[REX.W] 81 /4 is"             "and"           (rw dst: Mv, r imm: Id)                 "MI" []               w  -      "2A AND";
    and_rr8           - "20 /r"                        "and"           (rw dst: R8, r src: R8)                 "MR" []               w  -      "2A AND";
    and_rm8           - "22 /r"                        "and"           (rw dst: R8, r src: M8)                 "RM" []               w  -      "2A AND";
    and_mr8           - "20 /r"                        "and"           (rw dst: M8, r src: R8)                 "MR" []               w  -      "2A AND";
    and_ri8           - "80 /4 ib"                     "and"           (rw dst: R8, r imm: Ib)                 "MI" []               w  -      "2A AND";
    and_mi8           - "80 /4 ib"                     "and"           (rw dst: M8, r imm: Ib)                 "MI" []               w  -      "2A AND";
    and_rm16          - "66 23 /r"                     "and"           (rw dst: R16, r src: M16)               "RM" []               w  -      "2A AND";
    and_mr16          - "66 21 /r"                     "and"           (rw dst: M16, r src: R16)               "MR" []               w  -      "2A AND";
    sub_rr            v "[REX.W] 29 /r"                "sub"           (rw dst: Rv, r src: Rv)                 "MR" []               w  -      "2B SUB";
    sub_rm            v "[REX.W] 2B /r"                "sub"           (rw dst: Rv, r src: Mv)                 "RM" []               w  -      "2B SUB";
    sub_mr            v "[REX.W] 29 /r"                "sub"           (rw dst: Mv, r src: Rv)                 "MR" []               w  -      "2B SUB";
    sub_ri            v "[REX.W] 81 /5 is"             "sub"           (rw dst: Rv, r imm: Id)                 "MI" []               w  -      "2B SUB";
    sub_mi            v "[REX.W] 81 /5 is"             "sub"           (rw dst: Mv, r imm: Id)                 "MI" []               w  -      "2B SUB";
    sub_rr8           - "28 /r"                        "sub"           (rw dst: R8, r src: R8)                 "MR" []               w  -      "2B SUB";
    sub_rm8           - "2A /r"                        "sub"           (rw dst: R8, r src: M8)                 "RM" []               w  -      "2B SUB";
    sub_mr8           - "28 /r"                        "sub"           (rw dst: M8, r src: R8)                 "MR" []               w  -      "2B SUB";
    sub_ri8           - "80 /5 ib"                     "sub"           (rw dst: R8, r imm: Ib)                 "MI" []               w  -      "2B SUB";
    sub_mi8           - "80 /5 ib"                     "sub"           (rw dst: M8, r imm: Ib)                 "MI" []               w  -      "2B SUB";
    sub_rm16          - "66 2B /r"                     "sub"           (rw dst: R16, r src: M16)               "RM" []               w  -      "2B SUB";
    sub_mr16          - "66 29 /r"                     "sub"           (rw dst: M16, r src: R16)               "MR" []               w  -      "2B SUB";
    xor_rr            v "[REX.W] 31 /r"                "xor"           (rw dst: Rv, r src: Rv)                 "MR" []               w  -      "2D XOR";
    xor_rm            v "[REX.W] 33 /r"                "xor"           (rw dst: Rv, r src: Mv)                 "RM" []               w  -      "2D XOR";
    xor_mr            v "[REX.W] 31 /r"                "xor"           (rw dst: Mv, r src: Rv)                 "MR" []               w  -      "2D XOR";
    xor_ri            v "[REX.W] 81 /6 is"             "xor"           (rw dst: Rv, r imm: Id)                 "MI" []               w  -      "2D XOR";
    xor_mi            v "[REX.W] 81 /6 is"             "xor"           (rw dst: Mv, r imm: Id)                 "MI" []               w  -      "2D XOR";
    xor_rr8           - "30 /r"                        "xor"           (rw dst: R8, r src: R8)                 "MR" []               w  -      "2D XOR";
    xor_rm8           - "32 /r"                        "xor"           (rw dst: R8, r src: M8)                 "RM" []               w  -      "2D XOR";
    xor_mr8           - "30 /r"                        "xor"           (rw dst: M8, r src: R8)                 "MR" []               w  -      "2D XOR";
    xor_ri8           - "80 /6 ib"                     "xor"           (rw dst: R8, r imm: Ib)                 "MI" []               w  -      "2D XOR";
    xor_mi8           - "80 /6 ib"                     "xor"           (rw dst: M8, r imm: Ib)                 "MI" []               w  -      "2D XOR";
    xor_rm16          - "66 33 /r"                     "xor"           (rw dst: R16, r src: M16)               "RM" []               w  -      "2D XOR";
    xor_mr16          - "66 31 /r"                     "xor"           (rw dst: M16, r src: R16)               "MR" []               w  -      "2D XOR";
    cmp_rr            v "[REX.W] 39 /r"                "cmp"           (r dst: Rv, r src: Rv)                  "MR" []               w  -      "2A CMP";
    cmp_rm            v "[REX.W] 3B /r"                "cmp"           (r dst: Rv, r src: Mv)                  "RM" []               w  -      "2A CMP";
    cmp_mr            v "[REX.W] 39 /r"                "cmp"           (r dst: Mv, r src: Rv)                  "MR" []               w  -      "2A CMP";
    cmp_ri            v "[REX.W] 81 /7 is"             "cmp"           (r dst: Rv, r imm: Id)                  "MI" []               w  -      "2A CMP";
    cmp_mi            v "[REX.W] 81 /7 is"             "cmp"           (r dst: Mv, r imm: Id)                  "MI" []               w  -      "2A CMP";
    cmp_rr8           - "38 /r"                        "cmp"           (r dst: R8, r src: R8)                  "MR" []               w  -      "2A CMP";
    cmp_rm8           - "3A /r"                        "cmp"           (r dst: R8, r src: M8)                  "RM" []               w  -      "2A CMP";
    cmp_mr8           - "38 /r"                        "cmp"           (r dst: M8, r src: R8)                  "MR" []               w  -      "2A CMP";
    cmp_ri8           - "80 /7 ib"                     "cmp"           (r dst: R8, r imm: Ib)                  "MI" []               w  -      "2A CMP";
    cmp_mi8           - "80 /7 ib"                     "cmp"           (r dst: M8, r imm: Ib)                  "MI" []               w  -      "2A CMP";
    cmp_rm16          - "66 3B /r"                     "cmp"           (r dst: R16, r src: M16)                "RM" []               w  -      "2A CMP";
    cmp_mr16          - "66 39 /r"                     "cmp"           (r dst: M16, r src: R16)                "MR" []               w  -      "2A CMP";
    test_rr           v "[REX.W] 85 /r"                "test"          (r a: Rv, r b: Rv)                      "MR" []               w  -      "2B TEST";
    test_mr           v "[REX.W] 85 /r"                "test"          (r a: Mv, r b: Rv)                      "MR" []               w  -      "2B TEST";
    test_ri           v "[REX.W] F7 /0 id"             "test"          (r a: Rv, r imm: Id)                    "MI" []               w  -      "2B TEST";
    test_mi           v "[REX.W] F7 /0 id"             "test"          (r a: Mv, r imm: Id)                    "MI" []               w  -      "2B TEST";
    test_rr8          - "84 /r"                        "test"          (r a: R8, r b: R8)                      "MR" []               w  -      "2B TEST";
    test_ri8          - "F6 /0 ib"                     "test"          (r a: R8, r imm: Ib)                    "MI" []               w  -      "2B TEST";
    test_mi8          - "F6 /0 ib"                     "test"          (r a: M8, r imm: Ib)                    "MI" []               w  -      "2B TEST";

    // Arithmetic and logic on one operand. `inc` and `dec` leave CF alone.
    inc_r             v "[REX.W] FF /0"                "inc"           (rw dst: Rv)                            "M"  []               w  -      "2A INC";
    inc_m             v "[REX.W] FF /0"                "inc"           (rw dst: Mv)                            "M"  []               w  -      "2A INC";
    dec_r             v "[REX.W] FF /1"                "dec"           (rw dst: Rv)                            "M"  []               w  -      "2A DEC";
    dec_m             v "[REX.W] FF /1"                "dec"           (rw dst: Mv)                            "M"  []               w  -      "2A DEC";
    neg_r             v "[REX.W] F7 /3"                "neg"           (rw dst: Rv)                            "M"  []               w  -      "2B NEG";
    neg_m             v "[REX.W] F7 /3"                "neg"           (rw dst: Mv)                            "M"  []               w  -      "2B NEG";
    not_r             v "[REX.W] F7 /2"                "not"           (rw dst: Rv)                            "M"  []               -  -      "2B NOT";
    not_m             v "[REX.W] F7 /2"                "not"           (rw dst: Mv)                            "M"  []               -  -      "2B NOT";

    // Multiplication and division.
    mul_r             v "[REX.W] F7 /4"                "mul"           (r src: Rv)                             "M"  [rw RAX, w RDX]  w  -      "2B MUL";
    mul_m             v "[REX.W] F7 /4"                "mul"           (r src: Mv)                             "M"  [rw RAX, w RDX]  w  -      "2B MUL";
    imul_r            v "[REX.W] F7 /5"                "imul"          (r src: Rv)                             "M"  [rw RAX, w RDX]  w  -      "2A IMUL";
    imul_m            v "[REX.W] F7 /5"                "imul"          (r src: Mv)                             "M"  [rw RAX, w RDX]  w  -      "2A IMUL";
    imul_rr           v "[REX.W] 0F AF /r"             "imul"          (rw dst: Rv, r src: Rv)                 "RM" []               w  -      "2A IMUL";
    imul_rm           v "[REX.W] 0F AF /r"             "imul"          (rw dst: Rv, r src: Mv)                 "RM" []               w  -      "2A IMUL";
    imul_rri          v "[REX.W] 69 /r is"             "imul"          (w dst: Rv, r src: Rv, r imm: Id)       "RMI" []               w  -      "2A IMUL";
    imul_rmi          v "[REX.W] 69 /r is"             "imul"          (w dst: Rv, r src: Mv, r imm: Id)       "RMI" []               w  -      "2A IMUL";
    div_r             v "[REX.W] F7 /6"                "div"           (r src: Rv)                             "M"  [rw RAX, rw RDX] w  -      "2A DIV";
    div_m             v "[REX.W] F7 /6"                "div"           (r src: Mv)                             "M"  [rw RAX, rw RDX] w  -      "2A DIV";
    idiv_r            v "[REX.W] F7 /7"                "idiv"          (r src: Rv)                             "M"  [rw RAX, rw RDX] w  -      "2A IDIV";
    idiv_m            v "[REX.W] F7 /7"                "idiv"          (r src: Mv)                             "M"  [rw RAX, rw RDX] w  -      "2A IDIV";
    cdqe              - "REX.W 98"                     "cdqe"          ()                                      "ZO" [rw RAX]         -  -      "2A CBW/CWDE/CDQE";
    cdq               - "99"                           "cdq"           ()                                      "ZO" [r RAX, w RDX]   -  -      "2A CWD/CDQ/CQO";
    cqo               - "REX.W 99"                     "cqo"           ()                                      "ZO" [r RAX, w RDX]   -  -      "2A CWD/CDQ/CQO";

    // Shifts and rotates. The count is taken modulo the size; if it is 0 the flags stay.
    rol_ri            v "[REX.W] C1 /0 ib"             "rol"           (rw dst: Rv, r count: Ub)               "MI" []               w  -      "2B RCL/RCR/ROL/ROR";
    rol_mi            v "[REX.W] C1 /0 ib"             "rol"           (rw dst: Mv, r count: Ub)               "MI" []               w  -      "2B RCL/RCR/ROL/ROR";
    rol_rc            v "[REX.W] D3 /0"                "rol"           (rw dst: Rv)                            "MC" [r RCX]          w  -      "2B RCL/RCR/ROL/ROR";
    rol_mc            v "[REX.W] D3 /0"                "rol"           (rw dst: Mv)                            "MC" [r RCX]          w  -      "2B RCL/RCR/ROL/ROR";
    ror_ri            v "[REX.W] C1 /1 ib"             "ror"           (rw dst: Rv, r count: Ub)               "MI" []               w  -      "2B RCL/RCR/ROL/ROR";
    ror_mi            v "[REX.W] C1 /1 ib"             "ror"           (rw dst: Mv, r count: Ub)               "MI" []               w  -      "2B RCL/RCR/ROL/ROR";
    ror_rc            v "[REX.W] D3 /1"                "ror"           (rw dst: Rv)                            "MC" [r RCX]          w  -      "2B RCL/RCR/ROL/ROR";
    ror_mc            v "[REX.W] D3 /1"                "ror"           (rw dst: Mv)                            "MC" [r RCX]          w  -      "2B RCL/RCR/ROL/ROR";
    shl_ri            v "[REX.W] C1 /4 ib"             "shl"           (rw dst: Rv, r count: Ub)               "MI" []               w  -      "2B SAL/SAR/SHL/SHR";
    shl_mi            v "[REX.W] C1 /4 ib"             "shl"           (rw dst: Mv, r count: Ub)               "MI" []               w  -      "2B SAL/SAR/SHL/SHR";
    shl_rc            v "[REX.W] D3 /4"                "shl"           (rw dst: Rv)                            "MC" [r RCX]          w  -      "2B SAL/SAR/SHL/SHR";
    shl_mc            v "[REX.W] D3 /4"                "shl"           (rw dst: Mv)                            "MC" [r RCX]          w  -      "2B SAL/SAR/SHL/SHR";
    shr_ri            v "[REX.W] C1 /5 ib"             "shr"           (rw dst: Rv, r count: Ub)               "MI" []               w  -      "2B SAL/SAR/SHL/SHR";
    shr_mi            v "[REX.W] C1 /5 ib"             "shr"           (rw dst: Mv, r count: Ub)               "MI" []               w  -      "2B SAL/SAR/SHL/SHR";
    shr_rc            v "[REX.W] D3 /5"                "shr"           (rw dst: Rv)                            "MC" [r RCX]          w  -      "2B SAL/SAR/SHL/SHR";
    shr_mc            v "[REX.W] D3 /5"                "shr"           (rw dst: Mv)                            "MC" [r RCX]          w  -      "2B SAL/SAR/SHL/SHR";
    sar_ri            v "[REX.W] C1 /7 ib"             "sar"           (rw dst: Rv, r count: Ub)               "MI" []               w  -      "2B SAL/SAR/SHL/SHR";
    sar_mi            v "[REX.W] C1 /7 ib"             "sar"           (rw dst: Mv, r count: Ub)               "MI" []               w  -      "2B SAL/SAR/SHL/SHR";
    sar_rc            v "[REX.W] D3 /7"                "sar"           (rw dst: Rv)                            "MC" [r RCX]          w  -      "2B SAL/SAR/SHL/SHR";
    sar_mc            v "[REX.W] D3 /7"                "sar"           (rw dst: Mv)                            "MC" [r RCX]          w  -      "2B SAL/SAR/SHL/SHR";
    shld_rri          v "[REX.W] 0F A4 /r ib"          "shld"          (rw dst: Rv, r src: Rv, r count: Ub)    "MRI" []               w  -      "2B SHLD";
    shld_rrc          v "[REX.W] 0F A5 /r"             "shld"          (rw dst: Rv, r src: Rv)                 "MRC" [r RCX]          w  -      "2B SHLD";
    shrd_rri          v "[REX.W] 0F AC /r ib"          "shrd"          (rw dst: Rv, r src: Rv, r count: Ub)    "MRI" []               w  -      "2B SHRD";
    shrd_rrc          v "[REX.W] 0F AD /r"             "shrd"          (rw dst: Rv, r src: Rv)                 "MRC" [r RCX]          w  -      "2B SHRD";

    // Bits. `bsf` and `bsr` leave the destination alone if the source is 0.
    bt_rr             v "[REX.W] 0F A3 /r"             "bt"            (r dst: Rv, r bit: Rv)                  "MR" []               w  -      "2A BT";
    bt_ri             v "[REX.W] 0F BA /4 ib"          "bt"            (r dst: Rv, r bit: Ub)                  "MI" []               w  -      "2A BT";
    bt_mi             v "[REX.W] 0F BA /4 ib"          "bt"            (r dst: Mv, r bit: Ub)                  "MI" []               w  -      "2A BT";
    bts_rr            v "[REX.W] 0F AB /r"             "bts"           (rw dst: Rv, r bit: Rv)                 "MR" []               w  -      "2A BTS";
    bts_ri            v "[REX.W] 0F BA /5 ib"          "bts"           (rw dst: Rv, r bit: Ub)                 "MI" []               w  -      "2A BTS";
    bts_mi            v "[REX.W] 0F BA /5 ib"          "bts"           (rw dst: Mv, r bit: Ub)                 "MI" []               w  -      "2A BTS";
    btr_rr            v "[REX.W] 0F B3 /r"             "btr"           (rw dst: Rv, r bit: Rv)                 "MR" []               w  -      "2A BTR";
    btr_ri            v "[REX.W] 0F BA /6 ib"          "btr"           (rw dst: Rv, r bit: Ub)                 "MI" []               w  -      "2A BTR";
    btr_mi            v "[REX.W] 0F BA /6 ib"          "btr"           (rw dst: Mv, r bit: Ub)                 "MI" []               w  -      "2A BTR";
    btc_rr            v "[REX.W] 0F BB /r"             "btc"           (rw dst: Rv, r bit: Rv)                 "MR" []               w  -      "2A BTC";
    btc_ri            v "[REX.W] 0F BA /7 ib"          "btc"           (rw dst: Rv, r bit: Ub)                 "MI" []               w  -      "2A BTC";
    btc_mi            v "[REX.W] 0F BA /7 ib"          "btc"           (rw dst: Mv, r bit: Ub)                 "MI" []               w  -      "2A BTC";
    bsf_rr            v "[REX.W] 0F BC /r"             "bsf"           (rw dst: Rv, r src: Rv)                 "RM" []               w  -      "2A BSF";
    bsf_rm            v "[REX.W] 0F BC /r"             "bsf"           (rw dst: Rv, r src: Mv)                 "RM" []               w  -      "2A BSF";
    bsr_rr            v "[REX.W] 0F BD /r"             "bsr"           (rw dst: Rv, r src: Rv)                 "RM" []               w  -      "2A BSR";
    bsr_rm            v "[REX.W] 0F BD /r"             "bsr"           (rw dst: Rv, r src: Mv)                 "RM" []               w  -      "2A BSR";
    popcnt_rr         v "F3 [REX.W] 0F B8 /r"          "popcnt"        (w dst: Rv, r src: Rv)                  "RM" []               w  Popcnt "2B POPCNT";
    popcnt_rm         v "F3 [REX.W] 0F B8 /r"          "popcnt"        (w dst: Rv, r src: Mv)                  "RM" []               w  Popcnt "2B POPCNT";
    tzcnt_rr          v "F3 [REX.W] 0F BC /r"          "tzcnt"         (w dst: Rv, r src: Rv)                  "RM" []               w  Bmi1   "2B TZCNT";
    tzcnt_rm          v "F3 [REX.W] 0F BC /r"          "tzcnt"         (w dst: Rv, r src: Mv)                  "RM" []               w  Bmi1   "2B TZCNT";
    lzcnt_rr          v "F3 [REX.W] 0F BD /r"          "lzcnt"         (w dst: Rv, r src: Rv)                  "RM" []               w  Lzcnt  "2A LZCNT";
    lzcnt_rm          v "F3 [REX.W] 0F BD /r"          "lzcnt"         (w dst: Rv, r src: Mv)                  "RM" []               w  Lzcnt  "2A LZCNT";
    andn_rrr          v "VEX.LZ.NP.0F38.[W1] F2 /r"    "andn"          (w dst: Rv, r inverted: Rv, r src: Rv)  "RVM" []               w  Bmi1   "2A ANDN";
    andn_rrm          v "VEX.LZ.NP.0F38.[W1] F2 /r"    "andn"          (w dst: Rv, r inverted: Rv, r src: Mv)  "RVM" []               w  Bmi1   "2A ANDN";
    blsr_rr           v "VEX.LZ.NP.0F38.[W1] F3 /1"    "blsr"          (w dst: Rv, r src: Rv)                  "VM" []               w  Bmi1   "2A BLSR";
    blsr_rm           v "VEX.LZ.NP.0F38.[W1] F3 /1"    "blsr"          (w dst: Rv, r src: Mv)                  "VM" []               w  Bmi1   "2A BLSR";
    blsmsk_rr         v "VEX.LZ.NP.0F38.[W1] F3 /2"    "blsmsk"        (w dst: Rv, r src: Rv)                  "VM" []               w  Bmi1   "2A BLSMSK";
    blsmsk_rm         v "VEX.LZ.NP.0F38.[W1] F3 /2"    "blsmsk"        (w dst: Rv, r src: Mv)                  "VM" []               w  Bmi1   "2A BLSMSK";
    blsi_rr           v "VEX.LZ.NP.0F38.[W1] F3 /3"    "blsi"          (w dst: Rv, r src: Rv)                  "VM" []               w  Bmi1   "2A BLSI";
    blsi_rm           v "VEX.LZ.NP.0F38.[W1] F3 /3"    "blsi"          (w dst: Rv, r src: Mv)                  "VM" []               w  Bmi1   "2A BLSI";
    bextr_rrr         v "VEX.LZ.NP.0F38.[W1] F7 /r"    "bextr"         (w dst: Rv, r src: Rv, r control: Rv)   "RMV" []               w  Bmi1   "2A BEXTR";
    bextr_rmr         v "VEX.LZ.NP.0F38.[W1] F7 /r"    "bextr"         (w dst: Rv, r src: Mv, r control: Rv)   "RMV" []               w  Bmi1   "2A BEXTR";
    bzhi_rrr          v "VEX.LZ.NP.0F38.[W1] F5 /r"    "bzhi"          (w dst: Rv, r src: Rv, r start: Rv)     "RMV" []               w  Bmi2   "2A BZHI";
    bzhi_rmr          v "VEX.LZ.NP.0F38.[W1] F5 /r"    "bzhi"          (w dst: Rv, r src: Mv, r start: Rv)     "RMV" []               w  Bmi2   "2A BZHI";
    shlx_rrr          v "VEX.LZ.66.0F38.[W1] F7 /r"    "shlx"          (w dst: Rv, r src: Rv, r count: Rv)     "RMV" []               -  Bmi2   "2B SARX/SHLX/SHRX";
    shlx_rmr          v "VEX.LZ.66.0F38.[W1] F7 /r"    "shlx"          (w dst: Rv, r src: Mv, r count: Rv)     "RMV" []               -  Bmi2   "2B SARX/SHLX/SHRX";
    shrx_rrr          v "VEX.LZ.F2.0F38.[W1] F7 /r"    "shrx"          (w dst: Rv, r src: Rv, r count: Rv)     "RMV" []               -  Bmi2   "2B SARX/SHLX/SHRX";
    shrx_rmr          v "VEX.LZ.F2.0F38.[W1] F7 /r"    "shrx"          (w dst: Rv, r src: Mv, r count: Rv)     "RMV" []               -  Bmi2   "2B SARX/SHLX/SHRX";
    sarx_rrr          v "VEX.LZ.F3.0F38.[W1] F7 /r"    "sarx"          (w dst: Rv, r src: Rv, r count: Rv)     "RMV" []               -  Bmi2   "2B SARX/SHLX/SHRX";
    sarx_rmr          v "VEX.LZ.F3.0F38.[W1] F7 /r"    "sarx"          (w dst: Rv, r src: Mv, r count: Rv)     "RMV" []               -  Bmi2   "2B SARX/SHLX/SHRX";
    rorx_rri          v "VEX.LZ.F2.0F3A.[W1] F0 /r ib" "rorx"          (w dst: Rv, r src: Rv, r count: Ub)     "RMI" []               -  Bmi2   "2B RORX";
    rorx_rmi          v "VEX.LZ.F2.0F3A.[W1] F0 /r ib" "rorx"          (w dst: Rv, r src: Mv, r count: Ub)     "RMI" []               -  Bmi2   "2B RORX";
    mulx_rrr          v "VEX.LZ.F2.0F38.[W1] F6 /r"    "mulx"          (w high: Rv, w low: Rv, r src: Rv)      "RVM" [r RDX]          -  Bmi2   "2B MULX";
    mulx_rrm          v "VEX.LZ.F2.0F38.[W1] F6 /r"    "mulx"          (w high: Rv, w low: Rv, r src: Mv)      "RVM" [r RDX]          -  Bmi2   "2B MULX";
    pdep_rrr          v "VEX.LZ.F2.0F38.[W1] F5 /r"    "pdep"          (w dst: Rv, r src: Rv, r mask: Rv)      "RVM" []               -  Bmi2   "2B PDEP";
    pdep_rrm          v "VEX.LZ.F2.0F38.[W1] F5 /r"    "pdep"          (w dst: Rv, r src: Rv, r mask: Mv)      "RVM" []               -  Bmi2   "2B PDEP";
    pext_rrr          v "VEX.LZ.F3.0F38.[W1] F5 /r"    "pext"          (w dst: Rv, r src: Rv, r mask: Rv)      "RVM" []               -  Bmi2   "2B PEXT";
    pext_rrm          v "VEX.LZ.F3.0F38.[W1] F5 /r"    "pext"          (w dst: Rv, r src: Rv, r mask: Mv)      "RVM" []               -  Bmi2   "2B PEXT";

    // Conditions.
    setcc_r           - "0F 90 +cc /0"                 "set"           (r cond: Cc, w dst: R8)                 "cM" []               r  -      "2B SETcc";
    setcc_m           - "0F 90 +cc /0"                 "set"           (r cond: Cc, w dst: M8)                 "cM" []               r  -      "2B SETcc";
    cmovcc_rr         v "[REX.W] 0F 40 +cc /r"         "cmov"          (r cond: Cc, rw dst: Rv, r src: Rv)     "cRM" []               r  -      "2A CMOVcc";
    cmovcc_rm         v "[REX.W] 0F 40 +cc /r"         "cmov"          (r cond: Cc, rw dst: Rv, r src: Mv)     "cRM" []               r  -      "2A CMOVcc";

    // Control. The forms with a label are usually reached through `jmp`, `jcc` and `call` of the assembler.
    jmp_l8            - "EB cb"                        "jmp"           (r target: L)                           "D"  []               -  -      "2A JMP";
    jmp_l32           - "E9 cd"                        "jmp"           (r target: L)                           "D"  []               -  -      "2A JMP";
    jmp_r             - "FF /4"                        "jmp"           (r target: R64)                         "M"  []               -  -      "2A JMP";
    jmp_m             - "FF /4"                        "jmp"           (r target: M64)                         "M"  []               -  -      "2A JMP";
    jcc_l8            - "70 +cc cb"                    "j"             (r cond: Cc, r target: L)               "cD" []               r  -      "2A Jcc";
    jcc_l32           - "0F 80 +cc cd"                 "j"             (r cond: Cc, r target: L)               "cD" []               r  -      "2A Jcc";
    call_l32          - "E8 cd"                        "call"          (r target: L)                           "D"  [rw RSP]         -  -      "2A CALL";
    call_r            - "FF /2"                        "call"          (r target: R64)                         "M"  [rw RSP]         -  -      "2A CALL";
    call_m            - "FF /2"                        "call"          (r target: M64)                         "M"  [rw RSP]         -  -      "2A CALL";
    ret               - "C3"                           "ret"           ()                                      "ZO" [rw RSP]         -  -      "2B RET";
    int3              - "CC"                           "int3"          ()                                      "ZO" []               -  -      "2A INT n/INTO/INT3";
    ud2               - "0F 0B"                        "ud2"           ()                                      "ZO" []               -  -      "2B UD";
    endbr64           - "F3 0F 1E FA"                  "endbr64"       ()                                      "ZO" []               -  -      "2A ENDBR64";
    nop_1             - "90"                           "nop"           ()                                      "ZO" []               -  -      "2B NOP";
    pause             - "F3 90"                        "pause"         ()                                      "ZO" []               -  -      "2B PAUSE";

    // Atomic and ordering instructions. `xchg` with memory locks without a prefix.
    xchg_mr           v "[REX.W] 87 /r"                "xchg"          (rw a: Mv, rw b: Rv)                    "MR" []               -  -      "2D XCHG";
    xchg_mr8          - "86 /r"                        "xchg"          (rw a: M8, rw b: R8)                    "MR" []               -  -      "2D XCHG";
    xchg_mr16         - "66 87 /r"                     "xchg"          (rw a: M16, rw b: R16)                  "MR" []               -  -      "2D XCHG";
    cmpxchg_mr        v "[REX.W] 0F B1 /r"             "cmpxchg"       (rw dst: Mv, r src: Rv)                 "MR" [rw RAX]         w  -      "2A CMPXCHG";
    cmpxchg_mr8       - "0F B0 /r"                     "cmpxchg"       (rw dst: M8, r src: R8)                 "MR" [rw RAX]         w  -      "2A CMPXCHG";
    cmpxchg_mr16      - "66 0F B1 /r"                  "cmpxchg"       (rw dst: M16, r src: R16)               "MR" [rw RAX]         w  -      "2A CMPXCHG";
    xadd_mr           v "[REX.W] 0F C1 /r"             "xadd"          (rw dst: Mv, rw src: Rv)                "MR" []               w  -      "2D XADD";
    xadd_mr8          - "0F C0 /r"                     "xadd"          (rw dst: M8, rw src: R8)                "MR" []               w  -      "2D XADD";
    xadd_mr16         - "66 0F C1 /r"                  "xadd"          (rw dst: M16, rw src: R16)              "MR" []               w  -      "2D XADD";
    lock_cmpxchg_mr   v "F0 [REX.W] 0F B1 /r"          "lock cmpxchg"  (rw dst: Mv, r src: Rv)                 "MR" [rw RAX]         w  -      "2A CMPXCHG";
    lock_cmpxchg_mr8  - "F0 0F B0 /r"                  "lock cmpxchg"  (rw dst: M8, r src: R8)                 "MR" [rw RAX]         w  -      "2A CMPXCHG";
    lock_cmpxchg_mr16 - "F0 66 0F B1 /r"               "lock cmpxchg"  (rw dst: M16, r src: R16)               "MR" [rw RAX]         w  -      "2A CMPXCHG";
    lock_xadd_mr      v "F0 [REX.W] 0F C1 /r"          "lock xadd"     (rw dst: Mv, rw src: Rv)                "MR" []               w  -      "2D XADD";
    lock_xadd_mr8     - "F0 0F C0 /r"                  "lock xadd"     (rw dst: M8, rw src: R8)                "MR" []               w  -      "2D XADD";
    lock_xadd_mr16    - "F0 66 0F C1 /r"               "lock xadd"     (rw dst: M16, rw src: R16)              "MR" []               w  -      "2D XADD";
    lock_cmpxchg16b_m - "F0 REX.W 0F C7 /1"            "lock cmpxchg16b" (rw dst: M128)                          "M"  [rw RAX, rw RDX, r RBX, r RCX] w  Cx16   "2A CMPXCHG8B/CMPXCHG16B";
    lock_add_mr       v "F0 [REX.W] 01 /r"             "lock add"      (rw dst: Mv, r src: Rv)                 "MR" []               w  -      "2A ADD";
    lock_add_mi       v "F0 [REX.W] 81 /0 is"          "lock add"      (rw dst: Mv, r imm: Id)                 "MI" []               w  -      "2A ADD";
    lock_add_mr8      - "F0 00 /r"                     "lock add"      (rw dst: M8, r src: R8)                 "MR" []               w  -      "2A ADD";
    lock_add_mr16     - "F0 66 01 /r"                  "lock add"      (rw dst: M16, r src: R16)               "MR" []               w  -      "2A ADD";
    lock_or_mr        v "F0 [REX.W] 09 /r"             "lock or"       (rw dst: Mv, r src: Rv)                 "MR" []               w  -      "2B OR";
    lock_or_mi        v "F0 [REX.W] 81 /1 is"          "lock or"       (rw dst: Mv, r imm: Id)                 "MI" []               w  -      "2B OR";
    lock_or_mr8       - "F0 08 /r"                     "lock or"       (rw dst: M8, r src: R8)                 "MR" []               w  -      "2B OR";
    lock_or_mr16      - "F0 66 09 /r"                  "lock or"       (rw dst: M16, r src: R16)               "MR" []               w  -      "2B OR";
    lock_and_mr       v "F0 [REX.W] 21 /r"             "lock and"      (rw dst: Mv, r src: Rv)                 "MR" []               w  -      "2A AND";
    lock_and_mi       v "F0 [REX.W] 81 /4 is"          "lock and"      (rw dst: Mv, r imm: Id)                 "MI" []               w  -      "2A AND";
    lock_and_mr8      - "F0 20 /r"                     "lock and"      (rw dst: M8, r src: R8)                 "MR" []               w  -      "2A AND";
    lock_and_mr16     - "F0 66 21 /r"                  "lock and"      (rw dst: M16, r src: R16)               "MR" []               w  -      "2A AND";
    lock_sub_mr       v "F0 [REX.W] 29 /r"             "lock sub"      (rw dst: Mv, r src: Rv)                 "MR" []               w  -      "2B SUB";
    lock_sub_mi       v "F0 [REX.W] 81 /5 is"          "lock sub"      (rw dst: Mv, r imm: Id)                 "MI" []               w  -      "2B SUB";
    lock_sub_mr8      - "F0 28 /r"                     "lock sub"      (rw dst: M8, r src: R8)                 "MR" []               w  -      "2B SUB";
    lock_sub_mr16     - "F0 66 29 /r"                  "lock sub"      (rw dst: M16, r src: R16)               "MR" []               w  -      "2B SUB";
    lock_xor_mr       v "F0 [REX.W] 31 /r"             "lock xor"      (rw dst: Mv, r src: Rv)                 "MR" []               w  -      "2D XOR";
    lock_xor_mi       v "F0 [REX.W] 81 /6 is"          "lock xor"      (rw dst: Mv, r imm: Id)                 "MI" []               w  -      "2D XOR";
    lock_xor_mr8      - "F0 30 /r"                     "lock xor"      (rw dst: M8, r src: R8)                 "MR" []               w  -      "2D XOR";
    lock_xor_mr16     - "F0 66 31 /r"                  "lock xor"      (rw dst: M16, r src: R16)               "MR" []               w  -      "2D XOR";
    lock_bts_mi       v "F0 [REX.W] 0F BA /5 ib"       "lock bts"      (rw dst: Mv, r bit: Ub)                 "MI" []               w  -      "2A BTS";
    lock_btr_mi       v "F0 [REX.W] 0F BA /6 ib"       "lock btr"      (rw dst: Mv, r bit: Ub)                 "MI" []               w  -      "2A BTR";
    mfence            - "NP 0F AE F0"                  "mfence"        ()                                      "ZO" []               -  -      "2B MFENCE";
    lfence            - "NP 0F AE E8"                  "lfence"        ()                                      "ZO" []               -  -      "2A LFENCE";
    sfence            - "NP 0F AE F8"                  "sfence"        ()                                      "ZO" []               -  -      "2B SFENCE";

    // Clock, and control and status of SSE.
    rdtsc             - "0F 31"                        "rdtsc"         ()                                      "ZO" [w RAX, w RDX]   -  -      "2B RDTSC";
    ldmxcsr_m         - "NP 0F AE /2"                  "ldmxcsr"       (r src: M32)                            "M"  []               -  -      "2A LDMXCSR";
    stmxcsr_m         - "NP 0F AE /3"                  "stmxcsr"       (w dst: M32)                            "M"  []               -  -      "2B STMXCSR";

    // Moves of vector registers. Loads clear the rest of the register; `movss_xx` and `movsd_xx` keep it.
    movss_xx          - "F3 0F 10 /r"                  "movss"         (rw dst: X, r src: X)                   "RM" []               -  -      "2B MOVSS";
    movss_xm          - "F3 0F 10 /r"                  "movss"         (w dst: X, r src: M32)                  "RM" []               -  -      "2B MOVSS";
    movss_mx          - "F3 0F 11 /r"                  "movss"         (w dst: M32, r src: X)                  "MR" []               -  -      "2B MOVSS";
    movsd_xx          - "F2 0F 10 /r"                  "movsd"         (rw dst: X, r src: X)                   "RM" []               -  -      "2B MOVSD";
    movsd_xm          - "F2 0F 10 /r"                  "movsd"         (w dst: X, r src: M64)                  "RM" []               -  -      "2B MOVSD";
    movsd_mx          - "F2 0F 11 /r"                  "movsd"         (w dst: M64, r src: X)                  "MR" []               -  -      "2B MOVSD";
    movaps_xx         - "NP 0F 28 /r"                  "movaps"        (w dst: X, r src: X)                    "RM" []               -  -      "2B MOVAPS";
    movaps_xm         - "NP 0F 28 /r"                  "movaps"        (w dst: X, r src: M128)                 "RM" []               -  -      "2B MOVAPS";
    movaps_mx         - "NP 0F 29 /r"                  "movaps"        (w dst: M128, r src: X)                 "MR" []               -  -      "2B MOVAPS";
    movapd_xx         - "66 0F 28 /r"                  "movapd"        (w dst: X, r src: X)                    "RM" []               -  -      "2B MOVAPD";
    movapd_xm         - "66 0F 28 /r"                  "movapd"        (w dst: X, r src: M128)                 "RM" []               -  -      "2B MOVAPD";
    movapd_mx         - "66 0F 29 /r"                  "movapd"        (w dst: M128, r src: X)                 "MR" []               -  -      "2B MOVAPD";
    movups_xx         - "NP 0F 10 /r"                  "movups"        (w dst: X, r src: X)                    "RM" []               -  -      "2B MOVUPS";
    movups_xm         - "NP 0F 10 /r"                  "movups"        (w dst: X, r src: M128)                 "RM" []               -  -      "2B MOVUPS";
    movups_mx         - "NP 0F 11 /r"                  "movups"        (w dst: M128, r src: X)                 "MR" []               -  -      "2B MOVUPS";
    movdqa_xx         - "66 0F 6F /r"                  "movdqa"        (w dst: X, r src: X)                    "RM" []               -  -      "2B MOVDQA";
    movdqa_xm         - "66 0F 6F /r"                  "movdqa"        (w dst: X, r src: M128)                 "RM" []               -  -      "2B MOVDQA";
    movdqa_mx         - "66 0F 7F /r"                  "movdqa"        (w dst: M128, r src: X)                 "MR" []               -  -      "2B MOVDQA";
    movdqu_xx         - "F3 0F 6F /r"                  "movdqu"        (w dst: X, r src: X)                    "RM" []               -  -      "2B MOVDQU";
    movdqu_xm         - "F3 0F 6F /r"                  "movdqu"        (w dst: X, r src: M128)                 "RM" []               -  -      "2B MOVDQU";
    movdqu_mx         - "F3 0F 7F /r"                  "movdqu"        (w dst: M128, r src: X)                 "MR" []               -  -      "2B MOVDQU";
    movd_xr           - "66 0F 6E /r"                  "movd"          (w dst: X, r src: R32)                  "RM" []               -  -      "2B MOVD/MOVQ";
    movd_rx           - "66 0F 7E /r"                  "movd"          (w dst: R32, r src: X)                  "MR" []               -  -      "2B MOVD/MOVQ";
    movq_xr           - "66 REX.W 0F 6E /r"            "movq"          (w dst: X, r src: R64)                  "RM" []               -  -      "2B MOVD/MOVQ";
    movq_rx           - "66 REX.W 0F 7E /r"            "movq"          (w dst: R64, r src: X)                  "MR" []               -  -      "2B MOVD/MOVQ";
    movq_xx           - "F3 0F 7E /r"                  "movq"          (w dst: X, r src: X)                    "RM" []               -  -      "2B MOVQ";
    movq_xm           - "F3 0F 7E /r"                  "movq"          (w dst: X, r src: M64)                  "RM" []               -  -      "2B MOVQ";
    movq_mx           - "66 0F D6 /r"                  "movq"          (w dst: M64, r src: X)                  "MR" []               -  -      "2B MOVQ";
    movmskps_rx       - "NP 0F 50 /r"                  "movmskps"      (w dst: R32, r src: X)                  "RM" []               -  -      "2B MOVMSKPS";
    movmskpd_rx       - "66 0F 50 /r"                  "movmskpd"      (w dst: R32, r src: X)                  "RM" []               -  -      "2B MOVMSKPD";
    pmovmskb_rx       - "66 0F D7 /r"                  "pmovmskb"      (w dst: R32, r src: X)                  "RM" []               -  -      "2B PMOVMSKB";
    pextrd_rxi        - "66 0F 3A 16 /r ib"            "pextrd"        (w dst: R32, r src: X, r lane: Ub)      "MRI" []               -  Sse41  "2B PEXTRB/PEXTRD/PEXTRQ";
    pextrd_mxi        - "66 0F 3A 16 /r ib"            "pextrd"        (w dst: M32, r src: X, r lane: Ub)      "MRI" []               -  Sse41  "2B PEXTRB/PEXTRD/PEXTRQ";
    pinsrd_xri        - "66 0F 3A 22 /r ib"            "pinsrd"        (rw dst: X, r src: R32, r lane: Ub)     "RMI" []               -  Sse41  "2B PINSRB/PINSRD/PINSRQ";
    pinsrd_xmi        - "66 0F 3A 22 /r ib"            "pinsrd"        (rw dst: X, r src: M32, r lane: Ub)     "RMI" []               -  Sse41  "2B PINSRB/PINSRD/PINSRQ";
    pextrq_rxi        - "66 REX.W 0F 3A 16 /r ib"      "pextrq"        (w dst: R64, r src: X, r lane: Ub)      "MRI" []               -  Sse41  "2B PEXTRB/PEXTRD/PEXTRQ";
    pextrq_mxi        - "66 REX.W 0F 3A 16 /r ib"      "pextrq"        (w dst: M64, r src: X, r lane: Ub)      "MRI" []               -  Sse41  "2B PEXTRB/PEXTRD/PEXTRQ";
    pinsrq_xri        - "66 REX.W 0F 3A 22 /r ib"      "pinsrq"        (rw dst: X, r src: R64, r lane: Ub)     "RMI" []               -  Sse41  "2B PINSRB/PINSRD/PINSRQ";
    pinsrq_xmi        - "66 REX.W 0F 3A 22 /r ib"      "pinsrq"        (rw dst: X, r src: M64, r lane: Ub)     "RMI" []               -  Sse41  "2B PINSRB/PINSRD/PINSRQ";

    // Scalar floating point. What is above the number in the destination stays.
    sqrtss_xx         - "F3 0F 51 /r"                  "sqrtss"        (rw dst: X, r src: X)                   "RM" []               -  -      "2B SQRTSS";
    sqrtss_xm         - "F3 0F 51 /r"                  "sqrtss"        (rw dst: X, r src: M32)                 "RM" []               -  -      "2B SQRTSS";
    sqrtsd_xx         - "F2 0F 51 /r"                  "sqrtsd"        (rw dst: X, r src: X)                   "RM" []               -  -      "2B SQRTSD";
    sqrtsd_xm         - "F2 0F 51 /r"                  "sqrtsd"        (rw dst: X, r src: M64)                 "RM" []               -  -      "2B SQRTSD";
    addss_xx          - "F3 0F 58 /r"                  "addss"         (rw dst: X, r src: X)                   "RM" []               -  -      "2A ADDSS";
    addss_xm          - "F3 0F 58 /r"                  "addss"         (rw dst: X, r src: M32)                 "RM" []               -  -      "2A ADDSS";
    addsd_xx          - "F2 0F 58 /r"                  "addsd"         (rw dst: X, r src: X)                   "RM" []               -  -      "2A ADDSD";
    addsd_xm          - "F2 0F 58 /r"                  "addsd"         (rw dst: X, r src: M64)                 "RM" []               -  -      "2A ADDSD";
    mulss_xx          - "F3 0F 59 /r"                  "mulss"         (rw dst: X, r src: X)                   "RM" []               -  -      "2B MULSS";
    mulss_xm          - "F3 0F 59 /r"                  "mulss"         (rw dst: X, r src: M32)                 "RM" []               -  -      "2B MULSS";
    mulsd_xx          - "F2 0F 59 /r"                  "mulsd"         (rw dst: X, r src: X)                   "RM" []               -  -      "2B MULSD";
    mulsd_xm          - "F2 0F 59 /r"                  "mulsd"         (rw dst: X, r src: M64)                 "RM" []               -  -      "2B MULSD";
    subss_xx          - "F3 0F 5C /r"                  "subss"         (rw dst: X, r src: X)                   "RM" []               -  -      "2B SUBSS";
    subss_xm          - "F3 0F 5C /r"                  "subss"         (rw dst: X, r src: M32)                 "RM" []               -  -      "2B SUBSS";
    subsd_xx          - "F2 0F 5C /r"                  "subsd"         (rw dst: X, r src: X)                   "RM" []               -  -      "2B SUBSD";
    subsd_xm          - "F2 0F 5C /r"                  "subsd"         (rw dst: X, r src: M64)                 "RM" []               -  -      "2B SUBSD";
    minss_xx          - "F3 0F 5D /r"                  "minss"         (rw dst: X, r src: X)                   "RM" []               -  -      "2B MINSS";
    minss_xm          - "F3 0F 5D /r"                  "minss"         (rw dst: X, r src: M32)                 "RM" []               -  -      "2B MINSS";
    minsd_xx          - "F2 0F 5D /r"                  "minsd"         (rw dst: X, r src: X)                   "RM" []               -  -      "2B MINSD";
    minsd_xm          - "F2 0F 5D /r"                  "minsd"         (rw dst: X, r src: M64)                 "RM" []               -  -      "2B MINSD";
    divss_xx          - "F3 0F 5E /r"                  "divss"         (rw dst: X, r src: X)                   "RM" []               -  -      "2A DIVSS";
    divss_xm          - "F3 0F 5E /r"                  "divss"         (rw dst: X, r src: M32)                 "RM" []               -  -      "2A DIVSS";
    divsd_xx          - "F2 0F 5E /r"                  "divsd"         (rw dst: X, r src: X)                   "RM" []               -  -      "2A DIVSD";
    divsd_xm          - "F2 0F 5E /r"                  "divsd"         (rw dst: X, r src: M64)                 "RM" []               -  -      "2A DIVSD";
    maxss_xx          - "F3 0F 5F /r"                  "maxss"         (rw dst: X, r src: X)                   "RM" []               -  -      "2B MAXSS";
    maxss_xm          - "F3 0F 5F /r"                  "maxss"         (rw dst: X, r src: M32)                 "RM" []               -  -      "2B MAXSS";
    maxsd_xx          - "F2 0F 5F /r"                  "maxsd"         (rw dst: X, r src: X)                   "RM" []               -  -      "2B MAXSD";
    maxsd_xm          - "F2 0F 5F /r"                  "maxsd"         (rw dst: X, r src: M64)                 "RM" []               -  -      "2B MAXSD";
    roundss_xxi       - "66 0F 3A 0A /r ib"            "roundss"       (rw dst: X, r src: X, r mode: Ub)       "RMI" []               -  Sse41  "2B ROUNDSS";
    roundss_xmi       - "66 0F 3A 0A /r ib"            "roundss"       (rw dst: X, r src: M32, r mode: Ub)     "RMI" []               -  Sse41  "2B ROUNDSS";
    roundsd_xxi       - "66 0F 3A 0B /r ib"            "roundsd"       (rw dst: X, r src: X, r mode: Ub)       "RMI" []               -  Sse41  "2B ROUNDSD";
    roundsd_xmi       - "66 0F 3A 0B /r ib"            "roundsd"       (rw dst: X, r src: M64, r mode: Ub)     "RMI" []               -  Sse41  "2B ROUNDSD";
    ucomiss_xx        - "NP 0F 2E /r"                  "ucomiss"       (r a: X, r b: X)                        "RM" []               w  -      "2B UCOMISS";
    ucomiss_xm        - "NP 0F 2E /r"                  "ucomiss"       (r a: X, r b: M32)                      "RM" []               w  -      "2B UCOMISS";
    ucomisd_xx        - "66 0F 2E /r"                  "ucomisd"       (r a: X, r b: X)                        "RM" []               w  -      "2B UCOMISD";
    ucomisd_xm        - "66 0F 2E /r"                  "ucomisd"       (r a: X, r b: M64)                      "RM" []               w  -      "2B UCOMISD";
    comiss_xx         - "NP 0F 2F /r"                  "comiss"        (r a: X, r b: X)                        "RM" []               w  -      "2A COMISS";
    comiss_xm         - "NP 0F 2F /r"                  "comiss"        (r a: X, r b: M32)                      "RM" []               w  -      "2A COMISS";
    comisd_xx         - "66 0F 2F /r"                  "comisd"        (r a: X, r b: X)                        "RM" []               w  -      "2A COMISD";
    comisd_xm         - "66 0F 2F /r"                  "comisd"        (r a: X, r b: M64)                      "RM" []               w  -      "2A COMISD";
    cmpss_xxp         - "F3 0F C2 /r ib"               "cmpss"         (rw dst: X, r src: X, r predicate: P)   "RMI" []               -  -      "2A CMPSS";
    cmpss_xmp         - "F3 0F C2 /r ib"               "cmpss"         (rw dst: X, r src: M32, r predicate: P) "RMI" []               -  -      "2A CMPSS";
    cmpsd_xxp         - "F2 0F C2 /r ib"               "cmpsd"         (rw dst: X, r src: X, r predicate: P)   "RMI" []               -  -      "2A CMPSD";
    cmpsd_xmp         - "F2 0F C2 /r ib"               "cmpsd"         (rw dst: X, r src: M64, r predicate: P) "RMI" []               -  -      "2A CMPSD";

    // Conversions of scalars.
    cvtsi2ss_xr       v "F3 [REX.W] 0F 2A /r"          "cvtsi2ss"      (rw dst: X, r src: Rv)                  "RM" []               -  -      "2A CVTSI2SS";
    cvtsi2ss_xm       v "F3 [REX.W] 0F 2A /r"          "cvtsi2ss"      (rw dst: X, r src: Mv)                  "RM" []               -  -      "2A CVTSI2SS";
    cvtsi2sd_xr       v "F2 [REX.W] 0F 2A /r"          "cvtsi2sd"      (rw dst: X, r src: Rv)                  "RM" []               -  -      "2A CVTSI2SD";
    cvtsi2sd_xm       v "F2 [REX.W] 0F 2A /r"          "cvtsi2sd"      (rw dst: X, r src: Mv)                  "RM" []               -  -      "2A CVTSI2SD";
    cvtss2si_rx       v "F3 [REX.W] 0F 2D /r"          "cvtss2si"      (w dst: Rv, r src: X)                   "RM" []               -  -      "2A CVTSS2SI";
    cvtss2si_rm       v "F3 [REX.W] 0F 2D /r"          "cvtss2si"      (w dst: Rv, r src: M32)                 "RM" []               -  -      "2A CVTSS2SI";
    cvtsd2si_rx       v "F2 [REX.W] 0F 2D /r"          "cvtsd2si"      (w dst: Rv, r src: X)                   "RM" []               -  -      "2A CVTSD2SI";
    cvtsd2si_rm       v "F2 [REX.W] 0F 2D /r"          "cvtsd2si"      (w dst: Rv, r src: M64)                 "RM" []               -  -      "2A CVTSD2SI";
    cvttss2si_rx      v "F3 [REX.W] 0F 2C /r"          "cvttss2si"     (w dst: Rv, r src: X)                   "RM" []               -  -      "2A CVTTSS2SI";
    cvttss2si_rm      v "F3 [REX.W] 0F 2C /r"          "cvttss2si"     (w dst: Rv, r src: M32)                 "RM" []               -  -      "2A CVTTSS2SI";
    cvttsd2si_rx      v "F2 [REX.W] 0F 2C /r"          "cvttsd2si"     (w dst: Rv, r src: X)                   "RM" []               -  -      "2A CVTTSD2SI";
    cvttsd2si_rm      v "F2 [REX.W] 0F 2C /r"          "cvttsd2si"     (w dst: Rv, r src: M64)                 "RM" []               -  -      "2A CVTTSD2SI";
    cvtss2sd_xx       - "F3 0F 5A /r"                  "cvtss2sd"      (rw dst: X, r src: X)                   "RM" []               -  -      "2A CVTSS2SD";
    cvtss2sd_xm       - "F3 0F 5A /r"                  "cvtss2sd"      (rw dst: X, r src: M32)                 "RM" []               -  -      "2A CVTSS2SD";
    cvtsd2ss_xx       - "F2 0F 5A /r"                  "cvtsd2ss"      (rw dst: X, r src: X)                   "RM" []               -  -      "2A CVTSD2SS";
    cvtsd2ss_xm       - "F2 0F 5A /r"                  "cvtsd2ss"      (rw dst: X, r src: M64)                 "RM" []               -  -      "2A CVTSD2SS";

    // Arithmetic on scalars with three operands. The rest of dst is that of src1.
    vaddss_xxx        - "VEX.LIG.F3.0F.WIG 58 /r"      "vaddss"        (w dst: X, r src1: X, r src2: X)        "RVM" []               -  Avx    "2A ADDSS";
    vaddss_xxm        - "VEX.LIG.F3.0F.WIG 58 /r"      "vaddss"        (w dst: X, r src1: X, r src2: M32)      "RVM" []               -  Avx    "2A ADDSS";
    vaddsd_xxx        - "VEX.LIG.F2.0F.WIG 58 /r"      "vaddsd"        (w dst: X, r src1: X, r src2: X)        "RVM" []               -  Avx    "2A ADDSD";
    vaddsd_xxm        - "VEX.LIG.F2.0F.WIG 58 /r"      "vaddsd"        (w dst: X, r src1: X, r src2: M64)      "RVM" []               -  Avx    "2A ADDSD";
    vmulss_xxx        - "VEX.LIG.F3.0F.WIG 59 /r"      "vmulss"        (w dst: X, r src1: X, r src2: X)        "RVM" []               -  Avx    "2B MULSS";
    vmulss_xxm        - "VEX.LIG.F3.0F.WIG 59 /r"      "vmulss"        (w dst: X, r src1: X, r src2: M32)      "RVM" []               -  Avx    "2B MULSS";
    vmulsd_xxx        - "VEX.LIG.F2.0F.WIG 59 /r"      "vmulsd"        (w dst: X, r src1: X, r src2: X)        "RVM" []               -  Avx    "2B MULSD";
    vmulsd_xxm        - "VEX.LIG.F2.0F.WIG 59 /r"      "vmulsd"        (w dst: X, r src1: X, r src2: M64)      "RVM" []               -  Avx    "2B MULSD";
    vsubss_xxx        - "VEX.LIG.F3.0F.WIG 5C /r"      "vsubss"        (w dst: X, r src1: X, r src2: X)        "RVM" []               -  Avx    "2B SUBSS";
    vsubss_xxm        - "VEX.LIG.F3.0F.WIG 5C /r"      "vsubss"        (w dst: X, r src1: X, r src2: M32)      "RVM" []               -  Avx    "2B SUBSS";
    vsubsd_xxx        - "VEX.LIG.F2.0F.WIG 5C /r"      "vsubsd"        (w dst: X, r src1: X, r src2: X)        "RVM" []               -  Avx    "2B SUBSD";
    vsubsd_xxm        - "VEX.LIG.F2.0F.WIG 5C /r"      "vsubsd"        (w dst: X, r src1: X, r src2: M64)      "RVM" []               -  Avx    "2B SUBSD";
    vdivss_xxx        - "VEX.LIG.F3.0F.WIG 5E /r"      "vdivss"        (w dst: X, r src1: X, r src2: X)        "RVM" []               -  Avx    "2A DIVSS";
    vdivss_xxm        - "VEX.LIG.F3.0F.WIG 5E /r"      "vdivss"        (w dst: X, r src1: X, r src2: M32)      "RVM" []               -  Avx    "2A DIVSS";
    vdivsd_xxx        - "VEX.LIG.F2.0F.WIG 5E /r"      "vdivsd"        (w dst: X, r src1: X, r src2: X)        "RVM" []               -  Avx    "2A DIVSD";
    vdivsd_xxm        - "VEX.LIG.F2.0F.WIG 5E /r"      "vdivsd"        (w dst: X, r src1: X, r src2: M64)      "RVM" []               -  Avx    "2A DIVSD";

    // Fused multiply-add of scalars: 132 is dst * src2 + src1, 213 is src1 * dst + src2, 231 is src1 * src2 + dst.
    vfmadd132ss_xxx   - "VEX.LIG.66.0F38.W0 99 /r"     "vfmadd132ss"   (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFMADD132SS/..";
    vfmadd132ss_xxm   - "VEX.LIG.66.0F38.W0 99 /r"     "vfmadd132ss"   (rw dst: X, r src1: X, r src2: M32)     "RVM" []               -  Fma    "2C VFMADD132SS/..";
    vfmadd132sd_xxx   - "VEX.LIG.66.0F38.W1 99 /r"     "vfmadd132sd"   (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFMADD132SD/..";
    vfmadd132sd_xxm   - "VEX.LIG.66.0F38.W1 99 /r"     "vfmadd132sd"   (rw dst: X, r src1: X, r src2: M64)     "RVM" []               -  Fma    "2C VFMADD132SD/..";
    vfmadd213ss_xxx   - "VEX.LIG.66.0F38.W0 A9 /r"     "vfmadd213ss"   (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFMADD132SS/..";
    vfmadd213ss_xxm   - "VEX.LIG.66.0F38.W0 A9 /r"     "vfmadd213ss"   (rw dst: X, r src1: X, r src2: M32)     "RVM" []               -  Fma    "2C VFMADD132SS/..";
    vfmadd213sd_xxx   - "VEX.LIG.66.0F38.W1 A9 /r"     "vfmadd213sd"   (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFMADD132SD/..";
    vfmadd213sd_xxm   - "VEX.LIG.66.0F38.W1 A9 /r"     "vfmadd213sd"   (rw dst: X, r src1: X, r src2: M64)     "RVM" []               -  Fma    "2C VFMADD132SD/..";
    vfmadd231ss_xxx   - "VEX.LIG.66.0F38.W0 B9 /r"     "vfmadd231ss"   (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFMADD132SS/..";
    vfmadd231ss_xxm   - "VEX.LIG.66.0F38.W0 B9 /r"     "vfmadd231ss"   (rw dst: X, r src1: X, r src2: M32)     "RVM" []               -  Fma    "2C VFMADD132SS/..";
    vfmadd231sd_xxx   - "VEX.LIG.66.0F38.W1 B9 /r"     "vfmadd231sd"   (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFMADD132SD/..";
    vfmadd231sd_xxm   - "VEX.LIG.66.0F38.W1 B9 /r"     "vfmadd231sd"   (rw dst: X, r src1: X, r src2: M64)     "RVM" []               -  Fma    "2C VFMADD132SD/..";
    vfmsub132ss_xxx   - "VEX.LIG.66.0F38.W0 9B /r"     "vfmsub132ss"   (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFMSUB132SS/..";
    vfmsub132ss_xxm   - "VEX.LIG.66.0F38.W0 9B /r"     "vfmsub132ss"   (rw dst: X, r src1: X, r src2: M32)     "RVM" []               -  Fma    "2C VFMSUB132SS/..";
    vfmsub132sd_xxx   - "VEX.LIG.66.0F38.W1 9B /r"     "vfmsub132sd"   (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFMSUB132SD/..";
    vfmsub132sd_xxm   - "VEX.LIG.66.0F38.W1 9B /r"     "vfmsub132sd"   (rw dst: X, r src1: X, r src2: M64)     "RVM" []               -  Fma    "2C VFMSUB132SD/..";
    vfmsub213ss_xxx   - "VEX.LIG.66.0F38.W0 AB /r"     "vfmsub213ss"   (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFMSUB132SS/..";
    vfmsub213ss_xxm   - "VEX.LIG.66.0F38.W0 AB /r"     "vfmsub213ss"   (rw dst: X, r src1: X, r src2: M32)     "RVM" []               -  Fma    "2C VFMSUB132SS/..";
    vfmsub213sd_xxx   - "VEX.LIG.66.0F38.W1 AB /r"     "vfmsub213sd"   (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFMSUB132SD/..";
    vfmsub213sd_xxm   - "VEX.LIG.66.0F38.W1 AB /r"     "vfmsub213sd"   (rw dst: X, r src1: X, r src2: M64)     "RVM" []               -  Fma    "2C VFMSUB132SD/..";
    vfmsub231ss_xxx   - "VEX.LIG.66.0F38.W0 BB /r"     "vfmsub231ss"   (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFMSUB132SS/..";
    vfmsub231ss_xxm   - "VEX.LIG.66.0F38.W0 BB /r"     "vfmsub231ss"   (rw dst: X, r src1: X, r src2: M32)     "RVM" []               -  Fma    "2C VFMSUB132SS/..";
    vfmsub231sd_xxx   - "VEX.LIG.66.0F38.W1 BB /r"     "vfmsub231sd"   (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFMSUB132SD/..";
    vfmsub231sd_xxm   - "VEX.LIG.66.0F38.W1 BB /r"     "vfmsub231sd"   (rw dst: X, r src1: X, r src2: M64)     "RVM" []               -  Fma    "2C VFMSUB132SD/..";
    vfnmadd132ss_xxx  - "VEX.LIG.66.0F38.W0 9D /r"     "vfnmadd132ss"  (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFNMADD132SS/..";
    vfnmadd132ss_xxm  - "VEX.LIG.66.0F38.W0 9D /r"     "vfnmadd132ss"  (rw dst: X, r src1: X, r src2: M32)     "RVM" []               -  Fma    "2C VFNMADD132SS/..";
    vfnmadd132sd_xxx  - "VEX.LIG.66.0F38.W1 9D /r"     "vfnmadd132sd"  (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFNMADD132SD/..";
    vfnmadd132sd_xxm  - "VEX.LIG.66.0F38.W1 9D /r"     "vfnmadd132sd"  (rw dst: X, r src1: X, r src2: M64)     "RVM" []               -  Fma    "2C VFNMADD132SD/..";
    vfnmadd213ss_xxx  - "VEX.LIG.66.0F38.W0 AD /r"     "vfnmadd213ss"  (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFNMADD132SS/..";
    vfnmadd213ss_xxm  - "VEX.LIG.66.0F38.W0 AD /r"     "vfnmadd213ss"  (rw dst: X, r src1: X, r src2: M32)     "RVM" []               -  Fma    "2C VFNMADD132SS/..";
    vfnmadd213sd_xxx  - "VEX.LIG.66.0F38.W1 AD /r"     "vfnmadd213sd"  (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFNMADD132SD/..";
    vfnmadd213sd_xxm  - "VEX.LIG.66.0F38.W1 AD /r"     "vfnmadd213sd"  (rw dst: X, r src1: X, r src2: M64)     "RVM" []               -  Fma    "2C VFNMADD132SD/..";
    vfnmadd231ss_xxx  - "VEX.LIG.66.0F38.W0 BD /r"     "vfnmadd231ss"  (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFNMADD132SS/..";
    vfnmadd231ss_xxm  - "VEX.LIG.66.0F38.W0 BD /r"     "vfnmadd231ss"  (rw dst: X, r src1: X, r src2: M32)     "RVM" []               -  Fma    "2C VFNMADD132SS/..";
    vfnmadd231sd_xxx  - "VEX.LIG.66.0F38.W1 BD /r"     "vfnmadd231sd"  (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFNMADD132SD/..";
    vfnmadd231sd_xxm  - "VEX.LIG.66.0F38.W1 BD /r"     "vfnmadd231sd"  (rw dst: X, r src1: X, r src2: M64)     "RVM" []               -  Fma    "2C VFNMADD132SD/..";
    vfnmsub132ss_xxx  - "VEX.LIG.66.0F38.W0 9F /r"     "vfnmsub132ss"  (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFNMSUB132SS/..";
    vfnmsub132ss_xxm  - "VEX.LIG.66.0F38.W0 9F /r"     "vfnmsub132ss"  (rw dst: X, r src1: X, r src2: M32)     "RVM" []               -  Fma    "2C VFNMSUB132SS/..";
    vfnmsub132sd_xxx  - "VEX.LIG.66.0F38.W1 9F /r"     "vfnmsub132sd"  (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFNMSUB132SD/..";
    vfnmsub132sd_xxm  - "VEX.LIG.66.0F38.W1 9F /r"     "vfnmsub132sd"  (rw dst: X, r src1: X, r src2: M64)     "RVM" []               -  Fma    "2C VFNMSUB132SD/..";
    vfnmsub213ss_xxx  - "VEX.LIG.66.0F38.W0 AF /r"     "vfnmsub213ss"  (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFNMSUB132SS/..";
    vfnmsub213ss_xxm  - "VEX.LIG.66.0F38.W0 AF /r"     "vfnmsub213ss"  (rw dst: X, r src1: X, r src2: M32)     "RVM" []               -  Fma    "2C VFNMSUB132SS/..";
    vfnmsub213sd_xxx  - "VEX.LIG.66.0F38.W1 AF /r"     "vfnmsub213sd"  (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFNMSUB132SD/..";
    vfnmsub213sd_xxm  - "VEX.LIG.66.0F38.W1 AF /r"     "vfnmsub213sd"  (rw dst: X, r src1: X, r src2: M64)     "RVM" []               -  Fma    "2C VFNMSUB132SD/..";
    vfnmsub231ss_xxx  - "VEX.LIG.66.0F38.W0 BF /r"     "vfnmsub231ss"  (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFNMSUB132SS/..";
    vfnmsub231ss_xxm  - "VEX.LIG.66.0F38.W0 BF /r"     "vfnmsub231ss"  (rw dst: X, r src1: X, r src2: M32)     "RVM" []               -  Fma    "2C VFNMSUB132SS/..";
    vfnmsub231sd_xxx  - "VEX.LIG.66.0F38.W1 BF /r"     "vfnmsub231sd"  (rw dst: X, r src1: X, r src2: X)       "RVM" []               -  Fma    "2C VFNMSUB132SD/..";
    vfnmsub231sd_xxm  - "VEX.LIG.66.0F38.W1 BF /r"     "vfnmsub231sd"  (rw dst: X, r src1: X, r src2: M64)     "RVM" []               -  Fma    "2C VFNMSUB132SD/..";

    // Logic on whole vector registers.
    andps_xx          - "NP 0F 54 /r"                  "andps"         (rw dst: X, r src: X)                   "RM" []               -  -      "2A ANDPS";
    andps_xm          - "NP 0F 54 /r"                  "andps"         (rw dst: X, r src: M128)                "RM" []               -  -      "2A ANDPS";
    andpd_xx          - "66 0F 54 /r"                  "andpd"         (rw dst: X, r src: X)                   "RM" []               -  -      "2A ANDPD";
    andpd_xm          - "66 0F 54 /r"                  "andpd"         (rw dst: X, r src: M128)                "RM" []               -  -      "2A ANDPD";
    andnps_xx         - "NP 0F 55 /r"                  "andnps"        (rw dst: X, r src: X)                   "RM" []               -  -      "2A ANDNPS";
    andnps_xm         - "NP 0F 55 /r"                  "andnps"        (rw dst: X, r src: M128)                "RM" []               -  -      "2A ANDNPS";
    andnpd_xx         - "66 0F 55 /r"                  "andnpd"        (rw dst: X, r src: X)                   "RM" []               -  -      "2A ANDNPD";
    andnpd_xm         - "66 0F 55 /r"                  "andnpd"        (rw dst: X, r src: M128)                "RM" []               -  -      "2A ANDNPD";
    orps_xx           - "NP 0F 56 /r"                  "orps"          (rw dst: X, r src: X)                   "RM" []               -  -      "2B ORPS";
    orps_xm           - "NP 0F 56 /r"                  "orps"          (rw dst: X, r src: M128)                "RM" []               -  -      "2B ORPS";
    orpd_xx           - "66 0F 56 /r"                  "orpd"          (rw dst: X, r src: X)                   "RM" []               -  -      "2B ORPD";
    orpd_xm           - "66 0F 56 /r"                  "orpd"          (rw dst: X, r src: M128)                "RM" []               -  -      "2B ORPD";
    xorps_xx          - "NP 0F 57 /r"                  "xorps"         (rw dst: X, r src: X)                   "RM" []               -  -      "2D XORPS";
    xorps_xm          - "NP 0F 57 /r"                  "xorps"         (rw dst: X, r src: M128)                "RM" []               -  -      "2D XORPS";
    xorpd_xx          - "66 0F 57 /r"                  "xorpd"         (rw dst: X, r src: X)                   "RM" []               -  -      "2D XORPD";
    xorpd_xm          - "66 0F 57 /r"                  "xorpd"         (rw dst: X, r src: M128)                "RM" []               -  -      "2D XORPD";
    pand_xx           - "66 0F DB /r"                  "pand"          (rw dst: X, r src: X)                   "RM" []               -  -      "2B PAND";
    pand_xm           - "66 0F DB /r"                  "pand"          (rw dst: X, r src: M128)                "RM" []               -  -      "2B PAND";
    pandn_xx          - "66 0F DF /r"                  "pandn"         (rw dst: X, r src: X)                   "RM" []               -  -      "2B PANDN";
    pandn_xm          - "66 0F DF /r"                  "pandn"         (rw dst: X, r src: M128)                "RM" []               -  -      "2B PANDN";
    por_xx            - "66 0F EB /r"                  "por"           (rw dst: X, r src: X)                   "RM" []               -  -      "2B POR";
    por_xm            - "66 0F EB /r"                  "por"           (rw dst: X, r src: M128)                "RM" []               -  -      "2B POR";
    pxor_xx           - "66 0F EF /r"                  "pxor"          (rw dst: X, r src: X)                   "RM" []               -  -      "2B PXOR";
    pxor_xm           - "66 0F EF /r"                  "pxor"          (rw dst: X, r src: M128)                "RM" []               -  -      "2B PXOR";
    pcmpeqb_xx        - "66 0F 74 /r"                  "pcmpeqb"       (rw dst: X, r src: X)                   "RM" []               -  -      "2B PCMPEQB/PCMPEQW/PCMPEQD";
    pcmpeqb_xm        - "66 0F 74 /r"                  "pcmpeqb"       (rw dst: X, r src: M128)                "RM" []               -  -      "2B PCMPEQB/PCMPEQW/PCMPEQD";
    pcmpeqd_xx        - "66 0F 76 /r"                  "pcmpeqd"       (rw dst: X, r src: X)                   "RM" []               -  -      "2B PCMPEQB/PCMPEQW/PCMPEQD";
    pcmpeqd_xm        - "66 0F 76 /r"                  "pcmpeqd"       (rw dst: X, r src: M128)                "RM" []               -  -      "2B PCMPEQB/PCMPEQW/PCMPEQD";
    paddd_xx          - "66 0F FE /r"                  "paddd"         (rw dst: X, r src: X)                   "RM" []               -  -      "2B PADDB/PADDW/PADDD/PADDQ";
    paddd_xm          - "66 0F FE /r"                  "paddd"         (rw dst: X, r src: M128)                "RM" []               -  -      "2B PADDB/PADDW/PADDD/PADDQ";
    paddq_xx          - "66 0F D4 /r"                  "paddq"         (rw dst: X, r src: X)                   "RM" []               -  -      "2B PADDB/PADDW/PADDD/PADDQ";
    paddq_xm          - "66 0F D4 /r"                  "paddq"         (rw dst: X, r src: M128)                "RM" []               -  -      "2B PADDB/PADDW/PADDD/PADDQ";
    psubq_xx          - "66 0F FB /r"                  "psubq"         (rw dst: X, r src: X)                   "RM" []               -  -      "2B PSUBQ";
    psubq_xm          - "66 0F FB /r"                  "psubq"         (rw dst: X, r src: M128)                "RM" []               -  -      "2B PSUBQ";
    psrld_xi          - "66 0F 72 /2 ib"               "psrld"         (rw dst: X, r count: Ub)                "MI" []               -  -      "2B PSRLW/PSRLD/PSRLQ";
    psrad_xi          - "66 0F 72 /4 ib"               "psrad"         (rw dst: X, r count: Ub)                "MI" []               -  -      "2B PSRAW/PSRAD/PSRAQ";
    pslld_xi          - "66 0F 72 /6 ib"               "pslld"         (rw dst: X, r count: Ub)                "MI" []               -  -      "2B PSLLW/PSLLD/PSLLQ";
    psrlq_xi          - "66 0F 73 /2 ib"               "psrlq"         (rw dst: X, r count: Ub)                "MI" []               -  -      "2B PSRLW/PSRLD/PSRLQ";
    psllq_xi          - "66 0F 73 /6 ib"               "psllq"         (rw dst: X, r count: Ub)                "MI" []               -  -      "2B PSLLW/PSLLD/PSLLQ";
    unpcklps_xx       - "NP 0F 14 /r"                  "unpcklps"      (rw dst: X, r src: X)                   "RM" []               -  -      "2B UNPCKLPS";
    unpcklpd_xx       - "66 0F 14 /r"                  "unpcklpd"      (rw dst: X, r src: X)                   "RM" []               -  -      "2B UNPCKLPD";
    punpckldq_xx      - "66 0F 62 /r"                  "punpckldq"     (rw dst: X, r src: X)                   "RM" []               -  -      "2B PUNPCKLBW/../PUNPCKLQDQ";
    punpcklqdq_xx     - "66 0F 6C /r"                  "punpcklqdq"    (rw dst: X, r src: X)                   "RM" []               -  -      "2B PUNPCKLBW/../PUNPCKLQDQ";
    pshufd_xxi        - "66 0F 70 /r ib"               "pshufd"        (w dst: X, r src: X, r order: Ub)       "RMI" []               -  -      "2B PSHUFD";
}
