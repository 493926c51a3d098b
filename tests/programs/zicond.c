// Zicond (czero.eqz, czero.nez), HINTs, fences and counters: instructions an assembler may not know are given as
// numbers.

#include "check.h"

static uint64_t czero_eqz(uint64_t value, uint64_t condition) {
    uint64_t r;
    __asm__ volatile(".insn r 0x33, 5, 7, %0, %1, %2" : "=r"(r) : "r"(value), "r"(condition));
    return r;
}

static uint64_t czero_nez(uint64_t value, uint64_t condition) {
    uint64_t r;
    __asm__ volatile(".insn r 0x33, 7, 7, %0, %1, %2" : "=r"(r) : "r"(value), "r"(condition));
    return r;
}

int main(void) {
    static const uint64_t conditions[] = {0, 1, 0x80000000, 0x100000000, 0x8000000000000000, ~0ul};
    for (int i = 0; i < 6; i++)
        printf("%lx: %lx %lx\n", conditions[i], czero_eqz(0x123456789abcdef0, conditions[i]),
               czero_nez(0x123456789abcdef0, conditions[i]));
    // HINTs (writes to x0), pause, fences: none may change anything.
    uint64_t a = opaque(5);
    __asm__ volatile(
        "addi x0, %0, 1\n add x0, x0, %0\n slli x0, x0, 31\n srai x0, x0, 7\n lui x0, 1\n auipc x0, 3\n sltu x0, %0, %0\n"
        ".word 0x0100000f\n"  // pause
        "fence\n fence r, w\n fence.tso\n fence.i"
        : "+r"(a));
    printf("after hints %lu\n", a);
    uint64_t time0, time1, cycle0, cycle1, instret;
    __asm__ volatile("rdtime %0\n rdcycle %1" : "=r"(time0), "=r"(cycle0));
    for (volatile int i = 0; i < 100000; i++) {}
    __asm__ volatile("rdtime %0\n rdcycle %1\n rdinstret %2" : "=r"(time1), "=r"(cycle1), "=r"(instret));
    CHECK(time1 > time0);
    CHECK(cycle1 > cycle0);
    CHECK(instret != 0);
    return 0;
}
