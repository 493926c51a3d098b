# link: static
# build: -nostdlib
#
# Without any library: walks the initial stack (argc, argv, a null, envp, a null, auxv: psABI 8.3) and prints it with
# raw system calls; checks registers at entry, error returns (negative numbers), and that an ecall keeps all
# registers but a0.

    .globl  _start
_start:
    mv      s0, sp
    andi    t0, sp, 15
    lla     a0, text_aligned
    mv      a1, t0
    call    print_number

    ld      s1, 0(s0)               # argc
    lla     a0, text_argc
    mv      a1, s1
    call    print_number

    addi    s2, s0, 8               # argv
next_argument:
    ld      a0, 0(s2)
    addi    s2, s2, 8
    beqz    a0, arguments_done
    addi    s1, s1, -1
    call    print_line
    j       next_argument
arguments_done:
    lla     a0, text_left
    mv      a1, s1
    call    print_number            # 0 when argv is as long as argc says

next_variable:
    ld      a0, 0(s2)
    addi    s2, s2, 8
    beqz    a0, environment_done
    call    print_line
    j       next_variable
environment_done:

# The values of the entries that are the same everywhere: AT_PHENT 4, AT_PAGESZ 6, AT_CLKTCK 17, AT_SECURE 23. Others differ or come in another order, so that they are only looked for.
    li      s3, 0                   # bit n: entry n was seen
    li      s6, 0
next_entry:
    ld      s4, 0(s2)
    ld      s5, 8(s2)
    addi    s2, s2, 16
    beqz    s4, entries_done
    li      t0, 63
    bgtu    s4, t0, next_entry
    li      t0, 1
    sll     t0, t0, s4
    or      s3, s3, t0
    li      t1, 1 << 4 | 1 << 6 | 1 << 17 | 1 << 23
    and     t0, t0, t1
    beqz    t0, next_entry
    slli    t0, s4, 32
    add     s5, s5, t0              # key and value go into one sum, as the order is free
    add     s6, s6, s5
    j       next_entry
entries_done:
    lla     a0, text_entries
    mv      a1, s6
    call    print_number
    li      t1, 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 9 | 1 << 11 | 1 << 14 | 1 << 16 | 1 << 25 | 1 << 31
    and     a1, s3, t1
    lla     a0, text_seen
    call    print_number

# write to a bad descriptor: -EBADF in a0
    li      a0, -1
    lla     a1, text_argc
    li      a2, 1
    li      a7, 64
    ecall
    neg     a1, a0
    lla     a0, text_bad
    call    print_number
# an unknown system call: -ENOSYS
    li      a7, 4000
    ecall
    neg     a1, a0
    lla     a0, text_unknown
    call    print_number

# all registers but a0 survive an ecall (getpid)
    li      t0, 100
    li      t1, 101
    li      t2, 102
    li      t3, 103
    li      t4, 104
    li      t5, 105
    li      t6, 106
    li      a1, 1
    li      a2, 2
    li      a3, 3
    li      a4, 4
    li      a5, 5
    li      a6, 6
    li      a7, 172
    ecall
    add     t0, t0, t1
    add     t0, t0, t2
    add     t0, t0, t3
    add     t0, t0, t4
    add     t0, t0, t5
    add     t0, t0, t6
    add     a1, a1, a2
    add     a1, a1, a3
    add     a1, a1, a4
    add     a1, a1, a5
    add     a1, a1, a6
    add     a1, a1, a7
    add     a1, a1, t0
    lla     a0, text_kept
    call    print_number

    li      a0, 23
    li      a7, 94                  # exit_group
    ecall

# print_line(a0: text): writes the text and a line feed.
print_line:
    mv      t0, a0
1:  lbu     t1, 0(t0)
    beqz    t1, 2f
    addi    t0, t0, 1
    j       1b
2:  sub     a2, t0, a0
    mv      a1, a0
    li      a0, 1
    li      a7, 64
    ecall
    li      a0, 1
    lla     a1, line_feed
    li      a2, 1
    ecall
    ret

# print_number(a0: text, a1: value): writes the text, the value in hexadecimal, a line feed.
print_number:
    addi    sp, sp, -48
    sd      ra, 40(sp)
    sd      a1, 32(sp)
    mv      t0, a0
1:  lbu     t1, 0(t0)
    beqz    t1, 2f
    addi    t0, t0, 1
    j       1b
2:  sub     a2, t0, a0
    mv      a1, a0
    li      a0, 1
    li      a7, 64
    ecall
    ld      t0, 32(sp)
    addi    t1, sp, 16
    sb      zero, 0(t1)
3:  andi    t2, t0, 15
    addi    t2, t2, '0'
    li      t3, '9'
    ble     t2, t3, 4f
    addi    t2, t2, 'a' - '9' - 1
4:  addi    t1, t1, -1
    sb      t2, 0(t1)
    srli    t0, t0, 4
    bnez    t0, 3b
    mv      a0, t1
    call    print_line
    ld      ra, 40(sp)
    addi    sp, sp, 48
    ret

    .section .rodata
line_feed:
    .ascii  "\n"
text_aligned:
    .asciz  "sp modulo 16: "
text_argc:
    .asciz  "argc: "
text_left:
    .asciz  "arguments left: "
text_entries:
    .asciz  "sum of entries: "
text_seen:
    .asciz  "entries seen: "
text_bad:
    .asciz  "bad descriptor: "
text_unknown:
    .asciz  "unknown call: "
text_kept:
    .asciz  "kept: "
