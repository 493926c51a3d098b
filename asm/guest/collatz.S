# Longest Collatz chain that starts below 60,000, in pure assembly: shifts, tests and branches on registers only.
#
#   s0 start   s1 limit   s2 best start   s3 best length   t0 value   t1 length

    .equ    LIMIT, 60000

    .globl _start
_start:
    li      s0, 1
    li      s1, LIMIT
    li      s2, 1
    li      s3, 0
next_start:
    mv      t0, s0
    li      t1, 1
    li      t2, 1
step:
    beq     t0, t2, chain_done
    andi    t3, t0, 1
    addi    t1, t1, 1
    beqz    t3, even
    slli    t3, t0, 1               # odd: value = 3 * value + 1
    add     t0, t0, t3
    addi    t0, t0, 1
    j       step
even:
    srli    t0, t0, 1
    j       step
chain_done:
    ble     t1, s3, not_longer
    mv      s3, t1
    mv      s2, s0
not_longer:
    addi    s0, s0, 1
    bltu    s0, s1, next_start

    la      a0, start_text
    mv      a1, s2
    call    print_number
    la      a0, length_text
    mv      a1, s3
    call    print_number
    li      a0, 0
    li      a7, 93                  # exit
    ecall

# print_number(a0: text that ends with a zero byte, a1: value): writes text, value in decimal, line feed.
print_number:
    addi    sp, sp, -64
    mv      t0, sp                  # the line grows upwards from here
copy_text:
    lbu     t1, 0(a0)
    beqz    t1, text_copied
    sb      t1, 0(t0)
    addi    a0, a0, 1
    addi    t0, t0, 1
    j       copy_text
text_copied:
    li      t2, 10
    mv      t3, a1
    addi    t0, t0, 1               # where the last digit goes: one further for each digit but the first
count_digits:
    divu    t3, t3, t2
    beqz    t3, digits_counted
    addi    t0, t0, 1
    j       count_digits
digits_counted:
    sb      t2, 0(t0)               # the line feed has the code 10
    addi    a2, t0, 1               # end of the line
write_digit:
    addi    t0, t0, -1
    remu    t3, a1, t2
    addi    t3, t3, '0'
    sb      t3, 0(t0)
    divu    a1, a1, t2
    bnez    a1, write_digit
    li      a0, 1
    mv      a1, sp
    sub     a2, a2, sp
    li      a7, 64                  # write
    ecall
    addi    sp, sp, 64
    ret

    .section .rodata
start_text:
    .asciz  "start "
length_text:
    .asciz  "length "
