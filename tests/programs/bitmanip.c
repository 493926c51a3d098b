// build: -march=rv64gc_zba_zbb_zbs
// Every instruction of Zba, Zbb and Zbs on corner and random values.

#include "check.h"

#define OP(name)                                                                 \
    do {                                                                         \
        uint64_t r;                                                              \
        __asm__ volatile(#name " %0, %1, %2" : "=r"(r) : "r"(a), "r"(b));        \
        printf(" " #name " %lx", r);                                             \
    } while (0)

#define UNARY(name)                                                              \
    do {                                                                         \
        uint64_t r;                                                              \
        __asm__ volatile(#name " %0, %1" : "=r"(r) : "r"(a));                    \
        printf(" " #name " %lx", r);                                             \
    } while (0)

#define IMMEDIATE(name, value)                                                   \
    do {                                                                         \
        uint64_t r;                                                              \
        __asm__ volatile(#name " %0, %1, " #value : "=r"(r) : "r"(a));           \
        printf(" " #name "(" #value ") %lx", r);                                 \
    } while (0)

static void single(uint64_t a) {
    printf("%lx:", a);
    UNARY(clz); UNARY(ctz); UNARY(cpop); UNARY(clzw); UNARY(ctzw); UNARY(cpopw);
    UNARY(sext.b); UNARY(sext.h); UNARY(zext.h); UNARY(orc.b); UNARY(rev8); UNARY(zext.w);
    IMMEDIATE(rori, 0); IMMEDIATE(rori, 1); IMMEDIATE(rori, 63); IMMEDIATE(roriw, 0); IMMEDIATE(roriw, 1);
    IMMEDIATE(roriw, 31); IMMEDIATE(slli.uw, 0); IMMEDIATE(slli.uw, 4); IMMEDIATE(slli.uw, 63);
    IMMEDIATE(bclri, 0); IMMEDIATE(bclri, 63); IMMEDIATE(bexti, 0); IMMEDIATE(bexti, 63); IMMEDIATE(binvi, 31);
    IMMEDIATE(binvi, 63); IMMEDIATE(bseti, 32); IMMEDIATE(bseti, 63);
    putchar('\n');
}

static void pair(uint64_t a, uint64_t b) {
    printf("%lx %lx:", a, b);
    OP(add.uw); OP(sh1add); OP(sh2add); OP(sh3add); OP(sh1add.uw); OP(sh2add.uw); OP(sh3add.uw);
    OP(andn); OP(orn); OP(xnor); OP(max); OP(maxu); OP(min); OP(minu);
    OP(rol); OP(ror); OP(rolw); OP(rorw); OP(bclr); OP(bext); OP(binv); OP(bset);
    putchar('\n');
}

int main(void) {
    static const uint64_t corners[] = {
        0, 1, 31, 32, 63, 0x80, 0xff00, 0x8000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
        0x7fffffffffffffff, 0x8000000000000000, 0xffffffff80000000, 0xffffffffffffffff, 0x00ff00f00f010080,
    };
    const size_t count = sizeof corners / sizeof *corners;
    for (size_t i = 0; i < count; i++) single(corners[i]);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) pair(corners[i], corners[j]);
    for (int i = 0; i < 100; i++) {
        uint64_t a = next_random() >> (next_random() & 63), b = next_random();
        single(a);
        pair(a, b);
    }
    return 0;
}
