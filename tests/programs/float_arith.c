// build: -lm
// Single and double arithmetic on special and ordinary values: every operation, rounding mode and exception flag.
// Results for round-to-nearest are printed, the other modes as checksums; with the argument "all" everything is.

#include "check.h"

static const uint64_t doubles[] = {
    0x0000000000000000, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000, 0x3ff8000000000000,
    0xc004000000000000, 0x0000000000000001, 0x800fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff,
    0xffefffffffffffff, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000001234,
    0x7ff0000000000001, 0x400921fb54442d18, 0x3cb0000000000000, 0x3fd5555555555555, 0x7fe0000000000000,
    0x0018000000000000, 0x43e0000000000000,
};
static const uint32_t floats[] = {
    0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x3fc00000, 0xc0200000, 0x00000001, 0x807fffff,
    0x00800000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc01234, 0x7f800001,
    0x40490fdb, 0x34000000, 0x3eaaaaab, 0x7f000000, 0x00c00000, 0x5f000000,
};
#define COUNT (sizeof doubles / sizeof *doubles)

static int printing;
static uint64_t sum;

static void set_mode(uint64_t mode) {
    __asm__ volatile("fsrm %0\n fsflags x0" : : "r"(mode));
}

static uint64_t flags(void) {
    uint64_t value;
    __asm__ volatile("frflags %0" : "=r"(value));
    return value;
}

static void result(const char *name, uint64_t value, uint64_t raised) {
    sum = mix(mix(sum, value), raised);
    if (printing) printf(" %s %lx/%lx", name, value, raised);
}

#define OP2(name, load, read)                                                                         \
    do {                                                                                              \
        uint64_t r;                                                                                   \
        set_mode(mode);                                                                               \
        __asm__ volatile(load " ft0, %1\n" load " ft1, %2\n" name " ft2, ft0, ft1\n" read " %0, ft2"  \
                         : "=r"(r) : "r"(a), "r"(b) : "ft0", "ft1", "ft2");                           \
        result(name, r, flags());                                                               \
    } while (0)

#define COMPARE(name, load)                                                                           \
    do {                                                                                              \
        uint64_t r;                                                                                   \
        set_mode(mode);                                                                               \
        __asm__ volatile(load " ft0, %1\n" load " ft1, %2\n" name " %0, ft0, ft1"                     \
                         : "=r"(r) : "r"(a), "r"(b) : "ft0", "ft1");                                  \
        result(name, r, flags());                                                               \
    } while (0)

#define OP3(name, load, read)                                                                         \
    do {                                                                                              \
        uint64_t r;                                                                                   \
        set_mode(mode);                                                                               \
        __asm__ volatile(load " ft0, %1\n" load " ft1, %2\n" load " ft2, %3\n" name                   \
                         " ft3, ft0, ft1, ft2\n" read " %0, ft3"                                      \
                         : "=r"(r) : "r"(a), "r"(b), "r"(c) : "ft0", "ft1", "ft2", "ft3");            \
        result(name, r, flags());                                                               \
    } while (0)

#define OP1(name, load, read)                                                                         \
    do {                                                                                              \
        uint64_t r;                                                                                   \
        set_mode(mode);                                                                               \
        __asm__ volatile(load " ft0, %1\n" name " ft2, ft0\n" read " %0, ft2"                         \
                         : "=r"(r) : "r"(a) : "ft0", "ft2");                                          \
        result(name, r, flags());                                                               \
    } while (0)

#define TO_INTEGER(name, load)                                                                        \
    do {                                                                                              \
        uint64_t r;                                                                                   \
        set_mode(mode);                                                                               \
        __asm__ volatile(load " ft0, %1\n" name " %0, ft0" : "=r"(r) : "r"(a) : "ft0");               \
        result(name, r, flags());                                                               \
    } while (0)

#define PAIR(suffix, load, read)                                                                      \
    OP2("fadd." suffix, load, read); OP2("fsub." suffix, load, read); OP2("fmul." suffix, load, read); \
    OP2("fdiv." suffix, load, read); OP2("fmin." suffix, load, read); OP2("fmax." suffix, load, read); \
    OP2("fsgnj." suffix, load, read); OP2("fsgnjn." suffix, load, read); OP2("fsgnjx." suffix, load, read); \
    COMPARE("feq." suffix, load); COMPARE("flt." suffix, load); COMPARE("fle." suffix, load)

#define TRIPLE(suffix, load, read)                                                                    \
    OP3("fmadd." suffix, load, read); OP3("fmsub." suffix, load, read);                               \
    OP3("fnmadd." suffix, load, read); OP3("fnmsub." suffix, load, read)

static void pair_double(uint64_t a, uint64_t b, uint64_t mode) {
    PAIR("d", "fmv.d.x", "fmv.x.d");
}

static void pair_single(uint64_t a, uint64_t b, uint64_t mode) {
    PAIR("s", "fmv.w.x", "fmv.x.d");
}

static void triple_double(uint64_t a, uint64_t b, uint64_t c, uint64_t mode) {
    TRIPLE("d", "fmv.d.x", "fmv.x.d");
}

static void triple_single(uint64_t a, uint64_t b, uint64_t c, uint64_t mode) {
    TRIPLE("s", "fmv.w.x", "fmv.x.d");
}

static void one_double(uint64_t a, uint64_t mode) {
    OP1("fsqrt.d", "fmv.d.x", "fmv.x.d");
    OP1("fcvt.s.d", "fmv.d.x", "fmv.x.d");
    TO_INTEGER("fclass.d", "fmv.d.x");
}

static void one_single(uint64_t a, uint64_t mode) {
    OP1("fsqrt.s", "fmv.w.x", "fmv.x.d");
    OP1("fcvt.d.s", "fmv.w.x", "fmv.x.d");
    TO_INTEGER("fclass.s", "fmv.w.x");
}

// Singles that are not NaN-boxed count as NaN, except where bits are moved.
static void unboxed(void) {
    uint64_t mode = 0, a = 0x000000003f800000, b = 0xffffffff40000000;
    OP2("fadd.s", "fmv.d.x", "fmv.x.d");
    OP2("fmin.s", "fmv.d.x", "fmv.x.d");
    OP2("fsgnj.s", "fmv.d.x", "fmv.x.d");
    OP2("fsgnjn.s", "fmv.d.x", "fmv.x.d");
    COMPARE("feq.s", "fmv.d.x");
    TO_INTEGER("fclass.s", "fmv.d.x");
    TO_INTEGER("fmv.x.w", "fmv.d.x");
    TO_INTEGER("fcvt.w.s", "fmv.d.x");
    OP1("fcvt.d.s", "fmv.d.x", "fmv.x.d");
    putchar('\n');
}

static void each_mode(uint64_t mode, int all) {
    printing = mode == 0 || all;
    for (size_t i = 0; i < COUNT; i++) {
        one_double(doubles[i], mode), one_single(floats[i], mode);
        if (printing) putchar('\n');
        for (size_t j = 0; j < COUNT; j++) {
            if (printing) printf("%lx %lx:", doubles[i], doubles[j]);
            pair_double(doubles[i], doubles[j], mode), pair_single(floats[i], floats[j], mode);
            if (printing) putchar('\n');
        }
    }
    printf("mode %lu one and two operands: %lx\n", mode, sum);
    sum = 0;
    for (size_t i = 0; i < COUNT; i += 3)
        for (size_t j = 0; j < COUNT; j += 2)
            for (size_t k = 0; k < COUNT; k += 2) {
                if (printing) printf("%lx %lx %lx:", doubles[i], doubles[j], doubles[k]);
                triple_double(doubles[i], doubles[j], doubles[k], mode);
                triple_single(floats[i], floats[j], floats[k], mode);
                if (printing) putchar('\n');
            }
    printf("mode %lu three operands: %lx\n", mode, sum);
    sum = 0;
}

// Random operands of nearby magnitudes, where rounding decides.
static void random_operands(uint64_t mode, int all) {
    printing = all;
    random_state = 1;
    for (int i = 0; i < 2000; i++) {
        uint64_t a = next_random() >> 2 | 0x3000000000000000, b = next_random() >> 2 | 0x3000000000000000;
        uint64_t c = a ^ next_random() >> 20;
        pair_double(a, b, mode), pair_single(a >> 32, b >> 32, mode), triple_double(a, b, c, mode);
        triple_single(a >> 32, b >> 32, c >> 32, mode), one_double(a, mode), one_single(a >> 32, mode);
        if (printing) putchar('\n');
    }
    printf("mode %lu random operands: %lx\n", mode, sum);
    sum = 0;
}

int main(int argc, char **argv) {
    int all = argc > 1 && strcmp(argv[1], "all") == 0;
    for (uint64_t mode = 0; mode < 5; mode++) each_mode(mode, all), random_operands(mode, all);
    printing = 1;
    unboxed();
    return 0;
}
