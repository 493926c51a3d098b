// Every integer instruction of RV64IM on pairs of corner values, one line a pair and group.

#include "check.h"

static const uint64_t values[] = {
    0, 1, 2, 7, 31, 32, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff,
    0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001, 0xffffffff80000000, 0xffffffff7fffffff,
    0xfffffffffffffffe, 0xffffffffffffffff, 0x0123456789abcdef, 0xdeadbeefcafef00d,
};
#define COUNT (sizeof values / sizeof *values)

#define OP(name)                                                                 \
    do {                                                                         \
        uint64_t r;                                                              \
        __asm__ volatile(#name " %0, %1, %2" : "=r"(r) : "r"(a), "r"(b));        \
        printf(" " #name " %lx", r);                                             \
    } while (0)

#define IMMEDIATE(name, value)                                                   \
    do {                                                                         \
        uint64_t r;                                                              \
        __asm__ volatile(#name " %0, %1, " #value : "=r"(r) : "r"(a));           \
        printf(" " #name "(" #value ") %lx", r);                                 \
    } while (0)

#define BRANCH(name)                                                             \
    do {                                                                         \
        __asm__ goto(#name " %0, %1, %l2" : : "r"(a), "r"(b) : : name##_taken);  \
        putchar('-');                                                            \
        break;                                                                   \
    name##_taken:                                                                \
        putchar('+');                                                            \
    } while (0)

static void __attribute__((noinline)) branches(uint64_t a, uint64_t b) {
    printf(" branches ");
    BRANCH(beq);
    BRANCH(bne);
    BRANCH(blt);
    BRANCH(bge);
    BRANCH(bltu);
    BRANCH(bgeu);
}

static void pair(uint64_t a, uint64_t b) {
    printf("%lx %lx:", a, b);
    OP(add); OP(sub); OP(sll); OP(slt); OP(sltu); OP(xor); OP(srl); OP(sra); OP(or); OP(and);
    printf("\n  words:");
    OP(addw); OP(subw); OP(sllw); OP(srlw); OP(sraw);
    printf("\n  multiply:");
    OP(mul); OP(mulh); OP(mulhsu); OP(mulhu); OP(mulw);
    printf("\n  divide:");
    OP(div); OP(divu); OP(rem); OP(remu); OP(divw); OP(divuw); OP(remw); OP(remuw);
    branches(a, b);
    putchar('\n');
}

static void single(uint64_t a) {
    printf("%lx:", a);
    IMMEDIATE(addi, -2048); IMMEDIATE(addi, 2047); IMMEDIATE(slti, -1); IMMEDIATE(slti, 2047); IMMEDIATE(sltiu, -1);
    IMMEDIATE(sltiu, 1); IMMEDIATE(xori, -1); IMMEDIATE(ori, -2048); IMMEDIATE(andi, -256);
    IMMEDIATE(slli, 1); IMMEDIATE(slli, 63); IMMEDIATE(srli, 1); IMMEDIATE(srli, 63); IMMEDIATE(srai, 1);
    IMMEDIATE(srai, 63); IMMEDIATE(addiw, -2048); IMMEDIATE(addiw, 1); IMMEDIATE(slliw, 31); IMMEDIATE(srliw, 31);
    IMMEDIATE(sraiw, 31); IMMEDIATE(srliw, 0); IMMEDIATE(sraiw, 0); IMMEDIATE(slli, 32); IMMEDIATE(srai, 32);
    putchar('\n');
}

// The same register as source and destination, and x0 as either.
static void same_register(void) {
    uint64_t a = opaque(0x123456789), zero;
    __asm__ volatile("sub %0, %0, %0" : "+r"(a));
    printf("sub same %lx\n", a);
    a = opaque(3);
    __asm__ volatile("mul %0, %0, %0\n mul %0, %0, %0" : "+r"(a));
    printf("mul same %lx\n", a);
    __asm__ volatile("addi x0, %1, 5\n add %0, x0, x0" : "=r"(zero) : "r"(a));
    printf("x0 %lx\n", zero);
    __asm__ volatile("div %0, %1, x0\n" : "=r"(a) : "r"(opaque(42)));
    printf("div x0 %lx\n", a);
    __asm__ volatile("lui %0, 0x80000\n" : "=r"(a));
    printf("lui %lx\n", a);
    __asm__ volatile("lui %0, 0xfffff\n addiw %0, %0, 1" : "=r"(a));
    printf("lui addiw %lx\n", a);
    __asm__ volatile("1: auipc %0, 1\n 2: auipc %1, 0\n sub %0, %1, %0" : "=&r"(a), "=&r"(zero));
    printf("auipc difference %ld\n", (long)a);
}

// Loads and stores of every width, sign and alignment.
static void memory(void) {
    static unsigned char bytes[32];
    for (int offset = 0; offset < 9; offset++) {
        for (int i = 0; i < 32; i++) bytes[i] = (unsigned char)(0x81 + 0x13 * i);
        unsigned char *p = bytes + opaque((uint64_t)offset);
        uint64_t r[7];
        __asm__ volatile(
            "lb %0, 0(%7)\n lbu %1, 1(%7)\n lh %2, 2(%7)\n lhu %3, 3(%7)\n lw %4, 4(%7)\n lwu %5, 5(%7)\n ld %6, 6(%7)"
            : "=&r"(r[0]), "=&r"(r[1]), "=&r"(r[2]), "=&r"(r[3]), "=&r"(r[4]), "=&r"(r[5]), "=&r"(r[6])
            : "r"(p)
            : "memory");
        printf("offset %d:", offset);
        for (int i = 0; i < 7; i++) printf(" %lx", r[i]);
        uint64_t value = opaque(0x1122334455667788);
        __asm__ volatile("sb %0, 0(%1)\n sh %0, 3(%1)\n sw %0, 7(%1)\n sd %0, 13(%1)" : : "r"(value), "r"(p) : "memory");
        printf(" stored %lx\n", checksum(bytes, sizeof bytes));
    }
}

int main(void) {
    for (size_t i = 0; i < COUNT; i++) single(values[i]);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < COUNT; j++) pair(values[i], values[j]);
    same_register();
    memory();
    return 0;
}
