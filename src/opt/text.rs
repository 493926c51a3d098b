//! Text form of a function, for people.

use super::func::{Func, Node, Term, Value};
use crate::ir::ops::Operand;
use crate::ir::text::register_name;
use std::fmt::Write;

fn name(value: Value) -> String {
    match value {
        Value::NONE => "-".to_string(),
        Value(number) => format!("v{number}"),
    }
}

/// The function as text.
pub fn show(func: &Func) -> String {
    let mut out = String::new();
    for id in func.reached() {
        let block = &func.blocks[id.index()];
        let kind = if block.entry { " entry" } else { "" };
        let preds: Vec<String> = block.preds.iter().map(|pred| format!("b{}", pred.0)).collect();
        let _ = writeln!(
            out,
            "b{}{kind}: pc {:#x}, cost {}, count {}, from {}",
            id.0,
            block.pc,
            block.cost,
            block.count,
            preds.join(" ")
        );
        if let Some(state) = block.safepoint {
            let _ = writeln!(out, "  safepoint {}", show_state(func, state.0 as usize));
        }
        for phi in &block.phis {
            let args: Vec<String> = phi.args.iter().map(|&arg| name(arg)).collect();
            let _ = writeln!(out, "  {} = phi {}", name(phi.value), args.join(", "));
        }
        for &value in &block.insts {
            let _ = writeln!(out, "  {}", show_inst(func, value));
        }
        let _ = match &block.term {
            Term::Goto(to) => writeln!(out, "  goto b{}", to.0),
            Term::Branch { cond, args: [a, b], taken, fallthrough } => writeln!(
                out,
                "  if {} {}, {} goto b{} else b{}",
                cond.name(),
                name(*a),
                name(*b),
                taken.0,
                fallthrough.0
            ),
            Term::Leave { term, state, temps } => {
                let temps: Vec<String> = temps
                    .iter()
                    .map(|&(reg, value)| format!("{}={}", register_name(reg), name(value)))
                    .collect();
                let back = block.back.map_or(String::new(), |back| format!(" back to b{}", back.0));
                writeln!(
                    out,
                    "  leave {term} with {} {}{back}",
                    show_state(func, state.0 as usize),
                    temps.join(" ")
                )
            }
        };
    }
    out
}

fn show_state(func: &Func, state: usize) -> String {
    let regs = func.touched.iter().zip(&func.states[state].regs);
    let words: Vec<String> =
        regs.map(|(&reg, &value)| format!("{}={}", register_name(reg), name(value))).collect();
    words.join(" ")
}

fn show_inst(func: &Func, value: Value) -> String {
    let inst = func.inst(value);
    let args: Vec<String> = inst.uses().map(name).collect();
    let sunk = if inst.sunk { " (sunk)" } else { "" };
    let text = match inst.node {
        Node::Home(reg) => format!("home {}", register_name(reg)),
        Node::Phi => "phi".to_string(),
        Node::Gone => "gone".to_string(),
        Node::Op(op) => {
            let mut words = args;
            let mut copy = op;
            copy.operands(&mut |operand| match operand {
                Operand::Imm(imm) => words.push(imm.to_string()),
                Operand::Mode(rm) => words.push(rm.name().to_string()),
                _ => {}
            });
            format!("{} {}", op.info().mnemonic, words.join(", "))
        }
    };
    let state = inst.state.map_or(String::new(), |state| {
        let state = &func.states[state.0 as usize];
        format!("   ; {:#x} +{}", state.pc, state.begun)
    });
    format!("{} = {text}{sunk}{state}", name(value))
}
