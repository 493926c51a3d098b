# Entry of the freestanding C programs: sets up gp, calls main, exits with its result.
# The kernel enters with sp at argc and 16-byte aligned, as the psABI wants it at a call (psABI 2.1, 8.3).

    .section .text.start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    .option push
    .option norelax                 # gp is not valid before this line
    la      gp, __global_pointer$
    .option pop
    li      fp, 0                   # end of the chain of frames
    call    main
    li      a7, 93                  # exit
    ecall
    .size _start, . - _start
