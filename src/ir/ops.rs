//! THE IR table: one row per operation, grouped by operand shape.
//!
//! A row is: variant, mnemonic of the text form, function of `ir::eval` that computes it, commutative (`c`) or not
//! (`-`), formula. The groups fix the operands and the effect. Everything that knows all operations (the enum,
//! def/use, text form, interpreter, `docs/ir.md`) is expanded from this table by [`for_each_op!`]; nothing lists
//! the operations a second time.
//!
//! Conventions: values are 64 bits; `w` operations compute on the low 32 bits and sign-extend the result; narrow
//! floating-point values are NaN-boxed (RISC-V Unpriv. D, "NaN Boxing of Narrower Values").

use crate::base::text::Text;
use crate::base::{GuestAddr, RegId};
use crate::ir::float::Rounding;

/// What an operation may do besides computing its result; passes ask this and list no operations themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Result depends on the operands only; may be removed, duplicated and moved.
    Pure,
    /// Accrues floating-point flags, may read the rounding mode, traps if a dynamic rounding mode is reserved.
    Float,
    /// Reads guest memory; may fault.
    Reads,
    /// Writes guest memory (and may read it); may fault.
    Writes,
    /// Reads or writes the hart's state or orders memory; stays where it is.
    State,
}

/// Rounding mode of a floating-point operation: fixed, or that of the hart at the time (`frm`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundMode {
    Static(Rounding),
    Dynamic,
}

impl RoundMode {
    /// All modes, in the order of their encodings.
    pub const ALL: [RoundMode; 6] = [
        RoundMode::Static(Rounding::NearestEven),
        RoundMode::Static(Rounding::TowardZero),
        RoundMode::Static(Rounding::Down),
        RoundMode::Static(Rounding::Up),
        RoundMode::Static(Rounding::NearestMaxMagnitude),
        RoundMode::Dynamic,
    ];

    /// The assembler's name (RISC-V Unpriv. F, table "Rounding mode encoding").
    pub fn name(self) -> &'static str {
        match self {
            RoundMode::Static(Rounding::NearestEven) => "rne",
            RoundMode::Static(Rounding::TowardZero) => "rtz",
            RoundMode::Static(Rounding::Down) => "rdn",
            RoundMode::Static(Rounding::Up) => "rup",
            RoundMode::Static(Rounding::NearestMaxMagnitude) => "rmm",
            RoundMode::Dynamic => "dyn",
        }
    }
}

/// Memory order of an atomic operation (RISC-V Unpriv. A, "aq" and "rl" bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Relaxed,
    Acquire,
    Release,
    AcquireRelease,
}

impl Order {
    /// All orders.
    pub const ALL: [Order; 4] = [Order::Relaxed, Order::Acquire, Order::Release, Order::AcquireRelease];

    /// Name in the text form.
    pub fn name(self) -> &'static str {
        match self {
            Order::Relaxed => "relaxed",
            Order::Acquire => "acquire",
            Order::Release => "release",
            Order::AcquireRelease => "acqrel",
        }
    }
}

/// Hands the whole table to the macro `$with`.
#[rustfmt::skip] // rows never wrap
macro_rules! for_each_op {
    ($with:path) => { $with! {
        constant {
            Const       "const"     identity    -   "dst = imm";
        }
        unary {
            Copy        "copy"      identity    -   "dst = src";
            Clz         "clz"       clz         -   "dst = number of leading zero bits of src (64 if src = 0)";
            Ctz         "ctz"       ctz         -   "dst = number of trailing zero bits of src (64 if src = 0)";
            Popcnt      "popcnt"    popcnt      -   "dst = number of one bits of src";
            ClzW        "clzw"      clzw        -   "dst = number of leading zero bits of src[31:0] (32 if 0)";
            CtzW        "ctzw"      ctzw        -   "dst = number of trailing zero bits of src[31:0] (32 if 0)";
            PopcntW     "popcntw"   popcntw     -   "dst = number of one bits of src[31:0]";
            SextB       "sextb"     sextb       -   "dst = sign-extended src[7:0]";
            SextH       "sexth"     sexth       -   "dst = sign-extended src[15:0]";
            ZextH       "zexth"     zexth       -   "dst = zero-extended src[15:0]";
            ByteSwap    "bswap"     bswap       -   "dst = src with its bytes in reverse order";
            OrBytes     "orbytes"   orbytes     -   "each byte of dst = 0xff if that byte of src is not 0, else 0";
            BoxF32      "boxf32"    box_f32     -   "dst = NaN-boxed src[31:0]";
            BitsF32     "bitsf32"   sextw       -   "dst = sign-extended src[31:0], boxed or not";
            ClassF32    "classf32"  class_f32   -   "dst = class mask of binary32 src (RISC-V fclass)";
            ClassF64    "classf64"  class_f64   -   "dst = class mask of binary64 src (RISC-V fclass)";
        }
        binary {
            Add         "add"       add         c   "dst = src1 + src2";
            Sub         "sub"       sub         -   "dst = src1 - src2";
            And         "and"       and         c   "dst = src1 & src2";
            Or          "or"        or          c   "dst = src1 | src2";
            Xor         "xor"       xor         c   "dst = src1 ^ src2";
            AndNot      "andnot"    andnot      -   "dst = src1 & ~src2";
            OrNot       "ornot"     ornot       -   "dst = src1 | ~src2";
            XorNot      "xornot"    xornot      c   "dst = src1 ^ ~src2";
            Shl         "shl"       shl         -   "dst = src1 << src2[5:0]";
            Shr         "shr"       shr         -   "dst = src1 >> src2[5:0], zeroes shifted in";
            Sar         "sar"       sar         -   "dst = src1 >> src2[5:0], sign shifted in";
            Rotl        "rotl"      rotl        -   "dst = src1 rotated left by src2[5:0]";
            Rotr        "rotr"      rotr        -   "dst = src1 rotated right by src2[5:0]";
            AddW        "addw"      addw        c   "dst = sext32(src1 + src2)";
            SubW        "subw"      subw        -   "dst = sext32(src1 - src2)";
            ShlW        "shlw"      shlw        -   "dst = sext32(src1 << src2[4:0])";
            ShrW        "shrw"      shrw        -   "dst = sext32(src1[31:0] >> src2[4:0])";
            SarW        "sarw"      sarw        -   "dst = sext32(src1)[31:0] >> src2[4:0], sign shifted in";
            RotlW       "rotlw"     rotlw       -   "dst = sext32(src1[31:0] rotated left by src2[4:0])";
            RotrW       "rotrw"     rotrw       -   "dst = sext32(src1[31:0] rotated right by src2[4:0])";
            SetLt       "setlt"     setlt       -   "dst = 1 if src1 < src2 (signed) else 0";
            SetLtu      "setltu"    setltu      -   "dst = 1 if src1 < src2 (unsigned) else 0";
            Min         "min"       min         c   "dst = the smaller (signed)";
            MinU        "minu"      minu        c   "dst = the smaller (unsigned)";
            Max         "max"       max         c   "dst = the larger (signed)";
            MaxU        "maxu"      maxu        c   "dst = the larger (unsigned)";
            ShlAdd1     "shladd1"   shladd1     -   "dst = (src1 << 1) + src2";
            ShlAdd2     "shladd2"   shladd2     -   "dst = (src1 << 2) + src2";
            ShlAdd3     "shladd3"   shladd3     -   "dst = (src1 << 3) + src2";
            AddUw       "adduw"     adduw       -   "dst = src1[31:0] + src2";
            ShlAdd1Uw   "shladd1uw" shladd1uw   -   "dst = (src1[31:0] << 1) + src2";
            ShlAdd2Uw   "shladd2uw" shladd2uw   -   "dst = (src1[31:0] << 2) + src2";
            ShlAdd3Uw   "shladd3uw" shladd3uw   -   "dst = (src1[31:0] << 3) + src2";
            BitClear    "bitclr"    bitclr      -   "dst = src1 & ~(1 << src2[5:0])";
            BitExtract  "bitext"    bitext      -   "dst = (src1 >> src2[5:0]) & 1";
            BitInvert   "bitinv"    bitinv      -   "dst = src1 ^ (1 << src2[5:0])";
            BitSet      "bitset"    bitset      -   "dst = src1 | (1 << src2[5:0])";
            ZeroIfZero  "zeroeqz"   zeroeqz     -   "dst = 0 if src2 = 0 else src1";
            ZeroIfNot   "zeronez"   zeronez     -   "dst = src1 if src2 = 0 else 0";
            Mul         "mul"       mul         c   "dst = src1 * src2";
            MulW        "mulw"      mulw        c   "dst = sext32(src1 * src2)";
            MulH        "mulh"      mulh        c   "dst = (src1 * src2) >> 64, both signed";
            MulHU       "mulhu"     mulhu       c   "dst = (src1 * src2) >> 64, both unsigned";
            MulHSU      "mulhsu"    mulhsu      -   "dst = (src1 * src2) >> 64, src1 signed, src2 unsigned";
            Div         "div"       div         -   "dst = src1 / src2 (signed, toward 0); -1 if src2 = 0; src1 on overflow";
            DivU        "divu"      divu        -   "dst = src1 / src2 (unsigned); 2^64-1 if src2 = 0";
            Rem         "rem"       rem         -   "dst = src1 - src2 * div(src1, src2)";
            RemU        "remu"      remu        -   "dst = src1 - src2 * divu(src1, src2)";
            DivW        "divw"      divw        -   "dst = sext32(div of the low 32 bits)";
            DivUW       "divuw"     divuw       -   "dst = sext32(divu of the low 32 bits)";
            RemW        "remw"      remw        -   "dst = sext32(rem of the low 32 bits)";
            RemUW       "remuw"     remuw       -   "dst = sext32(remu of the low 32 bits)";
            SignF32     "sgnjf32"   sgnj_f32    -   "dst = binary32 src1 with the sign of src2";
            SignNotF32  "sgnjnf32"  sgnjn_f32   -   "dst = binary32 src1 with the opposite sign of src2";
            SignXorF32  "sgnjxf32"  sgnjx_f32   -   "dst = binary32 src1 with both signs' exclusive or";
            SignF64     "sgnjf64"   sgnj_f64    -   "dst = binary64 src1 with the sign of src2";
            SignNotF64  "sgnjnf64"  sgnjn_f64   -   "dst = binary64 src1 with the opposite sign of src2";
            SignXorF64  "sgnjxf64"  sgnjx_f64   -   "dst = binary64 src1 with both signs' exclusive or";
        }
        immediate {
            AddImm      "addi"      add         -   "dst = src + imm";
            AndImm      "andi"      and         -   "dst = src & imm";
            OrImm       "ori"       or          -   "dst = src | imm";
            XorImm      "xori"      xor         -   "dst = src ^ imm";
            ShlImm      "shli"      shl         -   "dst = src << imm[5:0]";
            ShrImm      "shri"      shr         -   "dst = src >> imm[5:0], zeroes shifted in";
            SarImm      "sari"      sar         -   "dst = src >> imm[5:0], sign shifted in";
            RotrImm     "rotri"     rotr        -   "dst = src rotated right by imm[5:0]";
            AddWImm     "addwi"     addw        -   "dst = sext32(src + imm)";
            ShlWImm     "shlwi"     shlw        -   "dst = sext32(src << imm[4:0])";
            ShrWImm     "shrwi"     shrw        -   "dst = sext32(src[31:0] >> imm[4:0])";
            SarWImm     "sarwi"     sarw        -   "dst = sext32(src)[31:0] >> imm[4:0], sign shifted in";
            RotrWImm    "rotrwi"    rotrw       -   "dst = sext32(src[31:0] rotated right by imm[4:0])";
            ShlUwImm    "shluwi"    shluw       -   "dst = src[31:0] << imm[5:0]";
            SetLtImm    "setlti"    setlt       -   "dst = 1 if src < imm (signed) else 0";
            SetLtuImm   "setltui"   setltu      -   "dst = 1 if src < imm (unsigned, imm sign-extended) else 0";
            BitClearImm "bitclri"   bitclr      -   "dst = src & ~(1 << imm[5:0])";
            BitExtractImm "bitexti" bitext      -   "dst = (src >> imm[5:0]) & 1";
            BitInvertImm "bitinvi"  bitinv      -   "dst = src ^ (1 << imm[5:0])";
            BitSetImm   "bitseti"   bitset      -   "dst = src | (1 << imm[5:0])";
        }
        load {
            Load        "load"      load_u64    -   "dst = 64 bits at base + offset";
            LoadU32     "loadu32"   load_u32    -   "dst = zero-extended 32 bits at base + offset";
            LoadS32     "loads32"   load_s32    -   "dst = sign-extended 32 bits at base + offset";
            LoadU16     "loadu16"   load_u16    -   "dst = zero-extended 16 bits at base + offset";
            LoadS16     "loads16"   load_s16    -   "dst = sign-extended 16 bits at base + offset";
            LoadU8      "loadu8"    load_u8     -   "dst = zero-extended 8 bits at base + offset";
            LoadS8      "loads8"    load_s8     -   "dst = sign-extended 8 bits at base + offset";
            LoadF32     "loadf32"   load_f32    -   "dst = NaN-boxed 32 bits at base + offset";
        }
        store {
            Store       "store"     store_u64   -   "64 bits at base + offset = src";
            Store32     "store32"   store_u32   -   "32 bits at base + offset = src[31:0]";
            Store16     "store16"   store_u16   -   "16 bits at base + offset = src[15:0]";
            Store8      "store8"    store_u8    -   "8 bits at base + offset = src[7:0]";
        }
        float_unary {
            SqrtF32     "sqrtf32"   sqrt_f32    -   "dst = square root of binary32 src";
            SqrtF64     "sqrtf64"   sqrt_f64    -   "dst = square root of binary64 src";
            F64ToF32    "f64tof32"  f64_to_f32  -   "dst = binary32 of binary64 src";
            F32ToF64    "f32tof64"  f32_to_f64  -   "dst = binary64 of binary32 src (exact)";
            F32ToI32    "f32toi32"  f32_to_i32  -   "dst = sext32(signed 32-bit integer of src), saturating";
            F32ToU32    "f32tou32"  f32_to_u32  -   "dst = sext32(unsigned 32-bit integer of src), saturating";
            F32ToI64    "f32toi64"  f32_to_i64  -   "dst = signed 64-bit integer of src, saturating";
            F32ToU64    "f32tou64"  f32_to_u64  -   "dst = unsigned 64-bit integer of src, saturating";
            F64ToI32    "f64toi32"  f64_to_i32  -   "dst = sext32(signed 32-bit integer of src), saturating";
            F64ToU32    "f64tou32"  f64_to_u32  -   "dst = sext32(unsigned 32-bit integer of src), saturating";
            F64ToI64    "f64toi64"  f64_to_i64  -   "dst = signed 64-bit integer of src, saturating";
            F64ToU64    "f64tou64"  f64_to_u64  -   "dst = unsigned 64-bit integer of src, saturating";
            I32ToF32    "i32tof32"  i32_to_f32  -   "dst = binary32 of signed src[31:0]";
            U32ToF32    "u32tof32"  u32_to_f32  -   "dst = binary32 of unsigned src[31:0]";
            I64ToF32    "i64tof32"  i64_to_f32  -   "dst = binary32 of signed src";
            U64ToF32    "u64tof32"  u64_to_f32  -   "dst = binary32 of unsigned src";
            I32ToF64    "i32tof64"  i32_to_f64  -   "dst = binary64 of signed src[31:0] (exact)";
            U32ToF64    "u32tof64"  u32_to_f64  -   "dst = binary64 of unsigned src[31:0] (exact)";
            I64ToF64    "i64tof64"  i64_to_f64  -   "dst = binary64 of signed src";
            U64ToF64    "u64tof64"  u64_to_f64  -   "dst = binary64 of unsigned src";
        }
        float_binary {
            AddF32      "addf32"    add_f32     c   "dst = src1 + src2 (binary32)";
            SubF32      "subf32"    sub_f32     -   "dst = src1 - src2 (binary32)";
            MulF32      "mulf32"    mul_f32     c   "dst = src1 * src2 (binary32)";
            DivF32      "divf32"    div_f32     -   "dst = src1 / src2 (binary32)";
            AddF64      "addf64"    add_f64     c   "dst = src1 + src2 (binary64)";
            SubF64      "subf64"    sub_f64     -   "dst = src1 - src2 (binary64)";
            MulF64      "mulf64"    mul_f64     c   "dst = src1 * src2 (binary64)";
            DivF64      "divf64"    div_f64     -   "dst = src1 / src2 (binary64)";
        }
        float_ternary {
            MulAddF32   "muladdf32" muladd_f32  -   "dst = src1 * src2 + src3, one rounding (binary32)";
            MulSubF32   "mulsubf32" mulsub_f32  -   "dst = src1 * src2 - src3, one rounding (binary32)";
            NegMulSubF32 "nmulsubf32" nmulsub_f32 - "dst = -(src1 * src2) + src3, one rounding (binary32)";
            NegMulAddF32 "nmuladdf32" nmuladd_f32 - "dst = -(src1 * src2) - src3, one rounding (binary32)";
            MulAddF64   "muladdf64" muladd_f64  -   "dst = src1 * src2 + src3, one rounding (binary64)";
            MulSubF64   "mulsubf64" mulsub_f64  -   "dst = src1 * src2 - src3, one rounding (binary64)";
            NegMulSubF64 "nmulsubf64" nmulsub_f64 - "dst = -(src1 * src2) + src3, one rounding (binary64)";
            NegMulAddF64 "nmuladdf64" nmuladd_f64 - "dst = -(src1 * src2) - src3, one rounding (binary64)";
        }
        float_compare {
            MinF32      "minf32"    min_f32     c   "dst = minimumNumber(src1, src2), -0 below +0 (binary32)";
            MaxF32      "maxf32"    max_f32     c   "dst = maximumNumber(src1, src2), -0 below +0 (binary32)";
            EqF32       "eqf32"     eq_f32      c   "dst = 1 if src1 = src2 else 0, quiet (binary32)";
            LtF32       "ltf32"     lt_f32      -   "dst = 1 if src1 < src2 else 0, signalling (binary32)";
            LeF32       "lef32"     le_f32      -   "dst = 1 if src1 <= src2 else 0, signalling (binary32)";
            MinF64      "minf64"    min_f64     c   "dst = minimumNumber(src1, src2), -0 below +0 (binary64)";
            MaxF64      "maxf64"    max_f64     c   "dst = maximumNumber(src1, src2), -0 below +0 (binary64)";
            EqF64       "eqf64"     eq_f64      c   "dst = 1 if src1 = src2 else 0, quiet (binary64)";
            LtF64       "ltf64"     lt_f64      -   "dst = 1 if src1 < src2 else 0, signalling (binary64)";
            LeF64       "lef64"     le_f64      -   "dst = 1 if src1 <= src2 else 0, signalling (binary64)";
        }
        atomic32 {
            SwapAt32    "swapat32"  second      -   "dst = sext32(32 bits at base); that memory = src[31:0]";
            AddAt32     "addat32"   addw        -   "dst = sext32(32 bits at base); that memory = dst + src";
            XorAt32     "xorat32"   xor         -   "dst = sext32(32 bits at base); that memory = dst ^ src";
            AndAt32     "andat32"   and         -   "dst = sext32(32 bits at base); that memory = dst & src";
            OrAt32      "orat32"    or          -   "dst = sext32(32 bits at base); that memory = dst | src";
            MinAt32     "minat32"   min         -   "dst = sext32(32 bits at base); that memory = the smaller (signed)";
            MaxAt32     "maxat32"   max         -   "dst = sext32(32 bits at base); that memory = the larger (signed)";
            MinUAt32    "minuat32"  minu        -   "dst = sext32(32 bits at base); that memory = the smaller (unsigned)";
            MaxUAt32    "maxuat32"  maxu        -   "dst = sext32(32 bits at base); that memory = the larger (unsigned)";
        }
        atomic64 {
            SwapAt64    "swapat64"  second      -   "dst = 64 bits at base; that memory = src";
            AddAt64     "addat64"   add         -   "dst = 64 bits at base; that memory = dst + src";
            XorAt64     "xorat64"   xor         -   "dst = 64 bits at base; that memory = dst ^ src";
            AndAt64     "andat64"   and         -   "dst = 64 bits at base; that memory = dst & src";
            OrAt64      "orat64"    or          -   "dst = 64 bits at base; that memory = dst | src";
            MinAt64     "minat64"   min         -   "dst = 64 bits at base; that memory = the smaller (signed)";
            MaxAt64     "maxat64"   max         -   "dst = 64 bits at base; that memory = the larger (signed)";
            MinUAt64    "minuat64"  minu        -   "dst = 64 bits at base; that memory = the smaller (unsigned)";
            MaxUAt64    "maxuat64"  maxu        -   "dst = 64 bits at base; that memory = the larger (unsigned)";
        }
        reserve {
            LoadReserved32 "lr32"   load_s32    -   "dst = sext32(32 bits at base); reserve them";
            LoadReserved64 "lr64"   load_u64    -   "dst = 64 bits at base; reserve them";
        }
        conditional {
            StoreConditional32 "sc32" store_u32 -   "if the reservation of base holds: 32 bits at base = src, dst = 0; else dst = 1";
            StoreConditional64 "sc64" store_u64 -   "if the reservation of base holds: 64 bits at base = src, dst = 0; else dst = 1";
        }
        state_read {
            ReadFlags   "readflags" fflags      -   "dst = accrued floating-point flags";
            ReadRound   "readround" frm         -   "dst = dynamic rounding mode";
            ReadFcsr    "readfcsr"  fcsr        -   "dst = flags | rounding mode << 5";
            ReadTime    "readtime"  time        -   "dst = real-time clock, in ticks of 100 ns";
            ReadRetired "readretired" retired   -   "dst = guest instructions retired before this block";
        }
        state_write {
            WriteFlags  "writeflags" set_fflags -   "accrued floating-point flags = src[4:0]";
            WriteRound  "writeround" set_frm    -   "dynamic rounding mode = src[2:0]";
            WriteFcsr   "writefcsr" set_fcsr    -   "flags = src[4:0], rounding mode = src[7:5]";
        }
        fence {
            Fence       "fence"     fence       -   "orders all memory accesses before against all after";
        }
        mark {
            Mark        "mark"      mark        -   "the operations that follow belong to the guest instruction at pc";
        }
    } };
}
pub(crate) use for_each_op;

/// One row of the table as data, for passes and documents.
#[derive(Clone, Copy, Debug)]
pub struct OpInfo {
    /// The enum variant's name.
    pub name: Text<20>,
    /// Name in the text form.
    pub mnemonic: Text<16>,
    /// Names of the operands, in the order of the text form.
    pub operands: Text<28>,
    pub effect: Effect,
    /// Whether `src1` and `src2` may be exchanged.
    pub commutative: bool,
    /// What it computes.
    pub formula: Text<80>,
}

macro_rules! commutative {
    (c) => {
        true
    };
    (-) => {
        false
    };
}

/// Expands to the enum, the row data and the operand visitors.
macro_rules! define {
    ($( $group:ident { $($name:ident $mnemonic:literal $eval:ident $c:tt $formula:literal;)* } )*) => {
        define!(@enum $( $group { $($name $formula;)* } )*);

        /// All rows of the table, in its order.
        pub static ROWS: &[OpInfo] = &TABLE;

        static TABLE: [OpInfo; [$($($mnemonic),*),*].len()] = [$($(OpInfo {
            name: Text::new(stringify!($name)),
            mnemonic: Text::new($mnemonic),
            operands: Text::new(define!(@operands $group)),
            effect: define!(@effect $group),
            commutative: commutative!($c),
            formula: Text::new($formula),
        },)*)*];
    };
    (@enum
        constant { $($con:ident $dcon:literal;)* } unary { $($un:ident $dun:literal;)* }
        binary { $($bin:ident $dbin:literal;)* } immediate { $($imm:ident $dimm:literal;)* }
        load { $($ld:ident $dld:literal;)* } store { $($st:ident $dst:literal;)* }
        float_unary { $($fu:ident $dfu:literal;)* } float_binary { $($fb:ident $dfb:literal;)* }
        float_ternary { $($ft:ident $dft:literal;)* } float_compare { $($fc:ident $dfc:literal;)* }
        atomic32 { $($a32:ident $da32:literal;)* } atomic64 { $($a64:ident $da64:literal;)* }
        reserve { $($lr:ident $dlr:literal;)* } conditional { $($sc:ident $dsc:literal;)* }
        state_read { $($sr:ident $dsr:literal;)* } state_write { $($sw:ident $dsw:literal;)* }
        fence { $($fe:ident $dfe:literal;)* } mark { $($mk:ident $dmk:literal;)* }
    ) => {
        /// An IR operation. Registers are numbered as [`RegId`] says; addresses and immediates are 64-bit values.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum IROp {
            $(#[doc = $dcon] $con { dst: RegId, imm: i64 },)*
            $(#[doc = $dun] $un { dst: RegId, src: RegId },)*
            $(#[doc = $dbin] $bin { dst: RegId, src1: RegId, src2: RegId },)*
            $(#[doc = $dimm] $imm { dst: RegId, src: RegId, imm: i64 },)*
            $(#[doc = $dld] $ld { dst: RegId, base: RegId, offset: i64 },)*
            $(#[doc = $dst] $st { src: RegId, base: RegId, offset: i64 },)*
            $(#[doc = $dfu] $fu { dst: RegId, src: RegId, rm: RoundMode },)*
            $(#[doc = $dfb] $fb { dst: RegId, src1: RegId, src2: RegId, rm: RoundMode },)*
            $(#[doc = $dft] $ft { dst: RegId, src1: RegId, src2: RegId, src3: RegId, rm: RoundMode },)*
            $(#[doc = $dfc] $fc { dst: RegId, src1: RegId, src2: RegId },)*
            $(#[doc = $da32] $a32 { dst: RegId, src: RegId, base: RegId, order: Order },)*
            $(#[doc = $da64] $a64 { dst: RegId, src: RegId, base: RegId, order: Order },)*
            $(#[doc = $dlr] $lr { dst: RegId, base: RegId, order: Order },)*
            $(#[doc = $dsc] $sc { dst: RegId, src: RegId, base: RegId, order: Order },)*
            $(#[doc = $dsr] $sr { dst: RegId },)*
            $(#[doc = $dsw] $sw { src: RegId },)*
            $(#[doc = $dfe] $fe {},)*
            $(#[doc = $dmk] $mk { pc: GuestAddr },)*
        }

        impl IROp {
            /// Calls `visit` with every operand, in the order of the text form; this is the one place that knows
            /// which field of which operation plays which role.
            pub fn operands(&mut self, visit: &mut dyn FnMut(Operand<'_>)) {
                use Operand::{Addr, Def, Imm, Mode, Sync, Use};
                match self {
                    $(IROp::$con { dst, imm })|* => { visit(Def(dst)); visit(Imm(imm)); }
                    $(IROp::$un { dst, src })|* => { visit(Def(dst)); visit(Use(src)); }
                    $(IROp::$bin { dst, src1, src2 })|* $(| IROp::$fc { dst, src1, src2 })* => {
                        visit(Def(dst)); visit(Use(src1)); visit(Use(src2));
                    }
                    $(IROp::$imm { dst, src, imm })|* => { visit(Def(dst)); visit(Use(src)); visit(Imm(imm)); }
                    $(IROp::$ld { dst, base, offset })|* => { visit(Def(dst)); visit(Use(base)); visit(Imm(offset)); }
                    $(IROp::$st { src, base, offset })|* => { visit(Use(src)); visit(Use(base)); visit(Imm(offset)); }
                    $(IROp::$fu { dst, src, rm })|* => { visit(Def(dst)); visit(Use(src)); visit(Mode(rm)); }
                    $(IROp::$fb { dst, src1, src2, rm })|* => {
                        visit(Def(dst)); visit(Use(src1)); visit(Use(src2)); visit(Mode(rm));
                    }
                    $(IROp::$ft { dst, src1, src2, src3, rm })|* => {
                        visit(Def(dst)); visit(Use(src1)); visit(Use(src2)); visit(Use(src3)); visit(Mode(rm));
                    }
                    $(IROp::$a32 { dst, src, base, order })|* $(| IROp::$a64 { dst, src, base, order })*
                    $(| IROp::$sc { dst, src, base, order })* => {
                        visit(Def(dst)); visit(Use(src)); visit(Use(base)); visit(Sync(order));
                    }
                    $(IROp::$lr { dst, base, order })|* => { visit(Def(dst)); visit(Use(base)); visit(Sync(order)); }
                    $(IROp::$sr { dst })|* => visit(Def(dst)),
                    $(IROp::$sw { src })|* => visit(Use(src)),
                    $(IROp::$fe {})|* => {}
                    $(IROp::$mk { pc })|* => visit(Addr(pc)),
                }
            }

            /// The register that the operation writes.
            #[inline]
            pub fn def(&self) -> Option<RegId> {
                match *self {
                    $(IROp::$con { dst, .. })|* $(| IROp::$un { dst, .. })* $(| IROp::$bin { dst, .. })*
                    $(| IROp::$imm { dst, .. })* $(| IROp::$ld { dst, .. })* $(| IROp::$fu { dst, .. })*
                    $(| IROp::$fb { dst, .. })* $(| IROp::$ft { dst, .. })* $(| IROp::$fc { dst, .. })*
                    $(| IROp::$a32 { dst, .. })* $(| IROp::$a64 { dst, .. })* $(| IROp::$lr { dst, .. })*
                    $(| IROp::$sc { dst, .. })* $(| IROp::$sr { dst, .. })* => Some(dst),
                    $(IROp::$st { .. })|* $(| IROp::$sw { .. })* $(| IROp::$fe {})* $(| IROp::$mk { .. })* => None,
                }
            }

            /// The operation of row `index` of [`ROWS`] with all operands zero, for parsers and generators.
            pub fn blank(index: usize) -> Option<IROp> {
                let (rm, order) = (RoundMode::Dynamic, Order::Relaxed);
                const BLANKS: &[fn(RoundMode, Order) -> IROp] = &[
                    $(|_, _| IROp::$con { dst: 0, imm: 0 },)*
                    $(|_, _| IROp::$un { dst: 0, src: 0 },)*
                    $(|_, _| IROp::$bin { dst: 0, src1: 0, src2: 0 },)*
                    $(|_, _| IROp::$imm { dst: 0, src: 0, imm: 0 },)*
                    $(|_, _| IROp::$ld { dst: 0, base: 0, offset: 0 },)*
                    $(|_, _| IROp::$st { src: 0, base: 0, offset: 0 },)*
                    $(|rm, _| IROp::$fu { dst: 0, src: 0, rm },)*
                    $(|rm, _| IROp::$fb { dst: 0, src1: 0, src2: 0, rm },)*
                    $(|rm, _| IROp::$ft { dst: 0, src1: 0, src2: 0, src3: 0, rm },)*
                    $(|_, _| IROp::$fc { dst: 0, src1: 0, src2: 0 },)*
                    $(|_, order| IROp::$a32 { dst: 0, src: 0, base: 0, order },)*
                    $(|_, order| IROp::$a64 { dst: 0, src: 0, base: 0, order },)*
                    $(|_, order| IROp::$lr { dst: 0, base: 0, order },)*
                    $(|_, order| IROp::$sc { dst: 0, src: 0, base: 0, order },)*
                    $(|_, _| IROp::$sr { dst: 0 },)*
                    $(|_, _| IROp::$sw { src: 0 },)*
                    $(|_, _| IROp::$fe {},)*
                    $(|_, _| IROp::$mk { pc: 0 },)*
                ];
                BLANKS.get(index).map(|blank| blank(rm, order))
            }

            /// Index of the operation's row in [`ROWS`].
            pub fn index(&self) -> usize {
                #[allow(clippy::enum_variant_names, reason = "mirrors IROp to number its variants")]
                enum Number { $($con,)* $($un,)* $($bin,)* $($imm,)* $($ld,)* $($st,)* $($fu,)* $($fb,)* $($ft,)* $($fc,)*
                    $($a32,)* $($a64,)* $($lr,)* $($sc,)* $($sr,)* $($sw,)* $($fe,)* $($mk,)* }
                let number = match self {
                    $(IROp::$con { .. } => Number::$con,)* $(IROp::$un { .. } => Number::$un,)*
                    $(IROp::$bin { .. } => Number::$bin,)* $(IROp::$imm { .. } => Number::$imm,)*
                    $(IROp::$ld { .. } => Number::$ld,)* $(IROp::$st { .. } => Number::$st,)*
                    $(IROp::$fu { .. } => Number::$fu,)* $(IROp::$fb { .. } => Number::$fb,)*
                    $(IROp::$ft { .. } => Number::$ft,)* $(IROp::$fc { .. } => Number::$fc,)*
                    $(IROp::$a32 { .. } => Number::$a32,)* $(IROp::$a64 { .. } => Number::$a64,)*
                    $(IROp::$lr { .. } => Number::$lr,)* $(IROp::$sc { .. } => Number::$sc,)*
                    $(IROp::$sr { .. } => Number::$sr,)* $(IROp::$sw { .. } => Number::$sw,)*
                    $(IROp::$fe { .. } => Number::$fe,)* $(IROp::$mk { .. } => Number::$mk,)*
                };
                number as usize
            }
        }
    };
    (@operands constant) => { "dst, imm" };
    (@operands unary) => { "dst, src" };
    (@operands binary) => { "dst, src1, src2" };
    (@operands immediate) => { "dst, src, imm" };
    (@operands load) => { "dst, base, offset" };
    (@operands store) => { "src, base, offset" };
    (@operands float_unary) => { "dst, src, rm" };
    (@operands float_binary) => { "dst, src1, src2, rm" };
    (@operands float_ternary) => { "dst, src1, src2, src3, rm" };
    (@operands float_compare) => { "dst, src1, src2" };
    (@operands atomic32) => { "dst, src, base, order" };
    (@operands atomic64) => { "dst, src, base, order" };
    (@operands reserve) => { "dst, base, order" };
    (@operands conditional) => { "dst, src, base, order" };
    (@operands state_read) => { "dst" };
    (@operands state_write) => { "src" };
    (@operands fence) => { "" };
    (@operands mark) => { "pc" };
    (@effect load) => { Effect::Reads };
    (@effect reserve) => { Effect::Reads };
    (@effect store) => { Effect::Writes };
    (@effect atomic32) => { Effect::Writes };
    (@effect atomic64) => { Effect::Writes };
    (@effect conditional) => { Effect::Writes };
    (@effect float_unary) => { Effect::Float };
    (@effect float_binary) => { Effect::Float };
    (@effect float_ternary) => { Effect::Float };
    (@effect float_compare) => { Effect::Float };
    (@effect state_read) => { Effect::State };
    (@effect state_write) => { Effect::State };
    (@effect fence) => { Effect::State };
    (@effect mark) => { Effect::State };
    (@effect $pure:ident) => { Effect::Pure };
}

/// One operand of an operation, with its role.
#[derive(Debug)]
pub enum Operand<'a> {
    /// The register that is written.
    Def(&'a mut RegId),
    /// A register that is read.
    Use(&'a mut RegId),
    /// An immediate or address offset.
    Imm(&'a mut i64),
    /// A guest address.
    Addr(&'a mut GuestAddr),
    /// A rounding mode.
    Mode(&'a mut RoundMode),
    /// A memory order.
    Sync(&'a mut Order),
}

for_each_op!(define);

impl IROp {
    /// The operation's row.
    pub fn info(&self) -> &'static OpInfo {
        &TABLE[self.index()]
    }

    /// Whether the operation leaves a boxed single in its destination.
    pub fn boxes_single(&self) -> bool {
        matches!(
            self,
            IROp::LoadF32 { .. }
                | IROp::BoxF32 { .. }
                | IROp::AddF32 { .. }
                | IROp::SubF32 { .. }
                | IROp::MulF32 { .. }
                | IROp::DivF32 { .. }
                | IROp::SqrtF32 { .. }
                | IROp::MinF32 { .. }
                | IROp::MaxF32 { .. }
                | IROp::MulAddF32 { .. }
                | IROp::MulSubF32 { .. }
                | IROp::NegMulSubF32 { .. }
                | IROp::NegMulAddF32 { .. }
                | IROp::SignF32 { .. }
                | IROp::SignNotF32 { .. }
                | IROp::SignXorF32 { .. }
                | IROp::F64ToF32 { .. }
                | IROp::I32ToF32 { .. }
                | IROp::U32ToF32 { .. }
                | IROp::I64ToF32 { .. }
                | IROp::U64ToF32 { .. }
        )
    }
}

// The table fits one cache line per four operations, and the interpreter walks it directly.
const _: () = assert!(size_of::<IROp>() == 16);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_variants_are_in_the_same_order() {
        for (index, row) in ROWS.iter().enumerate() {
            let op = IROp::blank(index).unwrap();
            assert_eq!(op.index(), index);
            let name = format!("{op:?}");
            assert!(name.starts_with(&*row.name), "{name} is not {}", row.name);
        }
        assert!(IROp::blank(ROWS.len()).is_none());
    }

    #[test]
    fn mnemonics_are_unique() {
        let mut seen = std::collections::HashSet::new();
        assert!(ROWS.iter().all(|row| seen.insert(row.mnemonic)));
    }
}
