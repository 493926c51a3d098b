//! Well-formedness of a block. Front ends run it on what they make; the engine runs it on blocks that a host built.
//!
//! Rules: register 0 is never written; a temporary is written before it is read; no mark repeats the one before
//! it.

use super::ops::Operand;
use super::{IRBlock, IROp};
use crate::base::error::Error;
use crate::base::{RegId, FIRST_TEMP, REGISTERS};

/// Checks all rules.
///
/// # Errors
/// `Error::InvalidBlock` with the index of the first operation that breaks a rule (`ops.len()`: the terminator).
pub fn verify(block: &IRBlock) -> Result<(), Error> {
    let mut written = [false; REGISTERS];
    let readable = |written: &[bool; REGISTERS], reg: RegId| reg < FIRST_TEMP || written[usize::from(reg)];
    let mut last_mark = None;
    for (index, op) in block.ops.iter().enumerate() {
        let fail = |why| Error::InvalidBlock { op: index, why };
        let (mut def, mut unread) = (None, false);
        let mut copy = *op;
        copy.operands(&mut |operand| match operand {
            Operand::Def(reg) => def = Some(*reg),
            Operand::Use(reg) => unread |= !readable(&written, *reg),
            _ => {}
        });
        if unread {
            return Err(fail("reads a temporary that nothing wrote"));
        }
        if def == Some(0) {
            return Err(fail("writes register 0"));
        }
        if let Some(reg) = def {
            written[usize::from(reg)] = true;
        }
        if let IROp::Mark { pc } = *op {
            if last_mark.replace(pc) == Some(pc) {
                return Err(fail("repeats the mark before it"));
            }
        }
    }
    if block.term.uses().any(|reg| !readable(&written, reg)) {
        return Err(Error::InvalidBlock { op: block.ops.len(), why: "reads a temporary that nothing wrote" });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::base::error::Error;
    use crate::ir::text::parse;

    fn check(body: &str) -> Result<(), (usize, &'static str)> {
        let block = parse(&format!("block 0x0 {{\n{body}\n}}")).unwrap().remove(0);
        super::verify(&block).map_err(|error| match error {
            Error::InvalidBlock { op, why } => (op, why),
            other => panic!("{other}"),
        })
    }

    #[test]
    fn rules_hold() {
        assert_eq!(check("add x1, x2, x0\nreturn"), Ok(()));
        assert_eq!(check("const t0, 1\nadd x1, t0, t0\nreturn"), Ok(()));
        assert_eq!(check("add x0, x1, x2\nreturn"), Err((0, "writes register 0")));
        assert_eq!(
            check("mark 0x0\nadd x1, t0, x2\nreturn"),
            Err((1, "reads a temporary that nothing wrote"))
        );
        assert_eq!(check("add t0, x1, t0\nreturn"), Err((0, "reads a temporary that nothing wrote")));
        assert_eq!(check("jumpind t5, 0"), Err((0, "reads a temporary that nothing wrote")));
        assert_eq!(check("mark 0x4\nmark 0x4\nreturn"), Err((1, "repeats the mark before it")));
    }
}
