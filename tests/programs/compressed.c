// build: -march=rv64gc
// Every instruction of the C extension (Zca, Zcd) written out, among them branches over odd halves of words.

#include "check.h"

static void registers(void) {
    uint64_t r[16];
    uint64_t *p = r;
    __asm__ volatile(
        "li a4, 0x12345678\n li a5, -3\n"
        "c.li a3, -32\n sd a3, 0(%0)\n"
        "c.lui a3, 31\n sd a3, 8(%0)\n"
        "c.lui a3, 0xfffe0\n sd a3, 16(%0)\n"
        "mv a3, a4\n c.addi a3, -32\n sd a3, 24(%0)\n"
        "mv a3, a4\n c.addiw a3, 31\n sd a3, 32(%0)\n"
        "mv a3, a5\n c.addiw a3, 0\n sd a3, 40(%0)\n"
        "mv a3, a5\n c.slli a3, 33\n sd a3, 48(%0)\n"
        "mv a3, a5\n c.srli a3, 33\n sd a3, 56(%0)\n"
        "mv a3, a5\n c.srai a3, 33\n sd a3, 64(%0)\n"
        "mv a3, a4\n c.andi a3, -8\n sd a3, 72(%0)\n"
        "mv a3, a4\n c.sub a3, a5\n sd a3, 80(%0)\n"
        "mv a3, a4\n c.xor a3, a5\n sd a3, 88(%0)\n"
        "mv a3, a4\n c.or a3, a5\n sd a3, 96(%0)\n"
        "mv a3, a4\n c.and a3, a5\n sd a3, 104(%0)\n"
        "mv a3, a4\n c.subw a3, a5\n sd a3, 112(%0)\n"
        "c.mv a3, a4\n c.add a3, a5\n c.addw a3, a5\n c.nop\n sd a3, 120(%0)\n"
        : : "r"(p) : "a3", "a4", "a5", "memory");
    for (int i = 0; i < 16; i++) printf("%lx\n", r[i]);
}

static void memory(void) {
    static uint64_t cells[32];
    for (int i = 0; i < 32; i++) cells[i] = 0x8000000180000001u * (unsigned)(i + 1);
    uint64_t w, d, f, sw, sd, fs;
    __asm__ volatile(
        "mv a5, %6\n"
        "c.lw a4, 124(a5)\n mv %0, a4\n"
        "c.ld a4, 248(a5)\n mv %1, a4\n"
        "c.fld fa4, 8(a5)\n fmv.x.d %2, fa4\n"
        "li a4, 0x77\n c.sw a4, 4(a5)\n c.sd a4, 16(a5)\n c.fsd fa4, 24(a5)\n"
        "c.addi16sp sp, -512\n"
        "c.swsp a4, 252(sp)\n c.lwsp a3, 252(sp)\n mv %3, a3\n"
        "c.sdsp %1, 504(sp)\n c.ldsp a3, 504(sp)\n mv %4, a3\n"
        "c.fsdsp fa4, 488(sp)\n c.fldsp fa5, 488(sp)\n fmv.x.d %5, fa5\n"
        "c.addi4spn a3, sp, 488\n c.ld a3, 0(a3)\n sub %5, %5, a3\n"
        "c.addi16sp sp, 496\n c.addi16sp sp, 16\n"
        : "=&r"(w), "=&r"(d), "=&r"(f), "=&r"(sw), "=&r"(sd), "=&r"(fs)
        : "r"(cells)
        : "a3", "a4", "a5", "fa4", "fa5", "memory");
    printf("%lx %lx %lx %lx %lx %lx %lx\n", w, d, f, sw, sd, fs, checksum(cells, sizeof cells));
}

static uint64_t jumps(uint64_t n) {
    uint64_t r = 0;
    // c.beqz, c.bnez, c.j, c.jalr, c.jr at even and odd halfwords; the loop body is an odd number of halfwords.
    __asm__ volatile(
        "mv a4, %1\n mv a5, %0\n"
        ".balign 4\n c.nop\n"
        "1: c.beqz a4, 2f\n c.addi a4, -1\n addi a5, a5, 3\n c.bnez a4, 1b\n c.j 2f\n"
        "   c.addi a5, 31\n"
        "2: mv t2, ra\n la a3, 3f\n c.jalr a3\n c.addi a5, 1\n mv ra, t2\n c.j 4f\n"
        "3: c.addi a5, 16\n c.jr ra\n"
        "4: mv %0, a5\n"
        : "+r"(r)
        : "r"(n)
        : "a3", "a4", "a5", "t2", "memory");
    return r;
}

int main(void) {
    registers();
    memory();
    for (uint64_t n = 0; n < 5; n++) printf("jumps %lu\n", jumps(n));
    printf("jumps %lu\n", jumps(1000));
    return 0;
}
