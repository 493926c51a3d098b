// Entry to and exit from generated code on x86-64 hosts. Assembled into the crate by one `global_asm!` in
// `src/sys/enter.rs`, which passes the offsets of `CpuState` as constants: {HOST_RSP} and so on.
//
// Contract (the table of register roles is in `src/codegen/x64/roles.rs`):
//
//   routine          called by              in                          out
//   vmjit_enter      Rust, System V ABI     rdi = &CpuState,            eax = exit code of the generated code
//                                           rsi = code to run
//   vmjit_leave      generated code (jmp)   rbp = &CpuState + BIAS,     returns from vmjit_enter
//                                           eax = exit code
//   vmjit_helper     helper thunk (call),   rbp = &CpuState + BIAS,     eax = 0 and back to the caller, or
//                    which a block called   rax = &IROp                 not 0 and leaves with that exit code
//   vmjit_call       Rust, System V ABI     rdi = &poll word,           rax = what the kernel returned, or
//                                           rsi = system call number,   -{NOT_MADE}: the call was not made
//                                           rdx = &its six arguments
//   vmjit_restore    the kernel, after a    the kernel's signal frame   does not return
//                    signal handler
//
// Generated code runs on a stack of its own, which holds nothing but pairs (guest return address, host return
// address). So leaving it does not lose them, and host frames are never below guest ones: an unwinder that starts
// in a helper finds vmjit_helper's frame, whose CFA is vmjit_enter's, and then the Rust caller.
//
// What these routines do not do: moving guest registers between host registers and CpuState. That is generated from
// the table of roles ("load all", "save all"), so that the roles are written in one place. The code that
// vmjit_enter jumps to begins with "load all"; who jumps to vmjit_leave has done "save all"; vmjit_helper's caller
// has done "save all" and does "load all" afterwards.

    .text
    .balign 16
    .globl vmjit_enter
    .hidden vmjit_enter
    .type vmjit_enter, @function
vmjit_enter:
    .cfi_startproc
    // Callee-saved registers of the System V ABI (psABI 3.2.1); generated code uses all of them.
    push rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbp, 0
    push rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbx, 0
    push r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r12, 0
    push r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r13, 0
    push r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r14, 0
    push r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r15, 0
    // The stack is aligned to 16 bytes for the calls that vmjit_helper makes from here.
    sub rsp, 8
    .cfi_adjust_cfa_offset 8
    lea rbp, [rdi + {BIAS}]
    stmxcsr dword ptr [rbp + {HOST_MXCSR}]
    ldmxcsr dword ptr [rbp + {GUEST_MXCSR}]
    // Switch stacks. From here on an unwinder reads the CFA through CpuState: it is 64 bytes above the stack pointer
    // that is kept there. DW_CFA_def_cfa_expression (0x0f), 7 bytes: DW_OP_breg6 (rbp) HOST_RSP (SLEB128, two bytes
    // for 64 <= offset < 8192), DW_OP_deref, DW_OP_plus_uconst 64.
    mov qword ptr [rbp + {HOST_RSP}], rsp
    .cfi_remember_state
    .cfi_escape 0x0f, 6, 0x76, ({HOST_RSP} & 0x7f) | 0x80, ({HOST_RSP} >> 7) & 0x7f, 0x06, 0x23, 64
    mov rsp, qword ptr [rbp + {JIT_RSP}]
    jmp rsi
    .cfi_restore_state

    .balign 16
    .globl vmjit_leave
    .hidden vmjit_leave
vmjit_leave:
    .cfi_remember_state
    .cfi_escape 0x0f, 6, 0x76, ({HOST_RSP} & 0x7f) | 0x80, ({HOST_RSP} >> 7) & 0x7f, 0x06, 0x23, 64
    mov qword ptr [rbp + {JIT_RSP}], rsp
    mov rsp, qword ptr [rbp + {HOST_RSP}]
    stmxcsr dword ptr [rbp + {GUEST_MXCSR}]
    ldmxcsr dword ptr [rbp + {HOST_MXCSR}]
    .cfi_restore_state
    add rsp, 8
    .cfi_adjust_cfa_offset -8
    pop r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore r15
    pop r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore r14
    pop r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore r13
    pop r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore r12
    pop rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    pop rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbp
    ret
    .cfi_endproc
    .size vmjit_enter, . - vmjit_enter

    .balign 16
    .globl vmjit_helper
    .hidden vmjit_helper
    .type vmjit_helper, @function
vmjit_helper:
    .cfi_startproc
    // The frame is that of vmjit_enter: its saved registers and return address, found through CpuState.
    .cfi_escape 0x0f, 6, 0x76, ({HOST_RSP} & 0x7f) | 0x80, ({HOST_RSP} >> 7) & 0x7f, 0x06, 0x23, 64
    .cfi_offset rbp, -16
    .cfi_offset rbx, -24
    .cfi_offset r12, -32
    .cfi_offset r13, -40
    .cfi_offset r14, -48
    .cfi_offset r15, -56
    mov qword ptr [rbp + {JIT_RSP}], rsp
    mov rsp, qword ptr [rbp + {HOST_RSP}]
    stmxcsr dword ptr [rbp + {GUEST_MXCSR}]
    ldmxcsr dword ptr [rbp + {HOST_MXCSR}]
    lea rdi, [rbp - {BIAS}]
    mov rsi, rax
    call qword ptr [rbp + {HELPER}]
    test eax, eax
    mov rsp, qword ptr [rbp + {JIT_RSP}]
    jnz vmjit_leave_after_helper
    ldmxcsr dword ptr [rbp + {GUEST_MXCSR}]
    ret
vmjit_leave_after_helper:
    // The helper has left the guest's control word in CpuState; load it so that vmjit_leave stores the same.
    ldmxcsr dword ptr [rbp + {GUEST_MXCSR}]
    // Drop the return addresses into the helper thunk and into the block that called it.
    add rsp, 16
    jmp vmjit_leave
    .cfi_endproc
    .size vmjit_helper, . - vmjit_helper

// A system call that a signal cannot slip past. The handler of sys/signal.rs sets a bit of the poll word; if the word is
// looked at after that, the call is not made; if the handler interrupts between the look and the call, it sees the
// program counter in [vmjit_call_look, vmjit_call_made) and makes it vmjit_call_off. A call that the kernel has begun is
// ended by the signal itself. Nothing is pushed, so the stack is the same everywhere.
    .balign 16
    .globl vmjit_call
    .hidden vmjit_call
    .type vmjit_call, @function
vmjit_call:
    .cfi_startproc
    mov rcx, rdi
    mov rax, rsi
    mov r11, rdx
    mov rdi, qword ptr [r11]
    mov rsi, qword ptr [r11 + 8]
    mov rdx, qword ptr [r11 + 16]
    mov r10, qword ptr [r11 + 24]
    mov r8, qword ptr [r11 + 32]
    mov r9, qword ptr [r11 + 40]
    .globl vmjit_call_look
    .hidden vmjit_call_look
vmjit_call_look:
    test dword ptr [rcx], {STOP}
    jnz vmjit_call_off
    syscall
    .globl vmjit_call_made
    .hidden vmjit_call_made
vmjit_call_made:
    ret
    .globl vmjit_call_off
    .hidden vmjit_call_off
vmjit_call_off:
    mov rax, -{NOT_MADE}
    ret
    .cfi_endproc
    .size vmjit_call, . - vmjit_call

// rt_sigreturn. The kernel wants the address of such a routine with each handler (SA_RESTORER).
    .balign 16
    .globl vmjit_restore
    .hidden vmjit_restore
    .type vmjit_restore, @function
vmjit_restore:
    mov eax, 15
    syscall
    .size vmjit_restore, . - vmjit_restore
