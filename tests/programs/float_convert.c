// Conversions between integers and floating point with every static rounding mode, and the control register.

#include "check.h"

#define TO_INTEGER(name, mode, load)                                                                  \
    do {                                                                                              \
        uint64_t r, raised;                                                                           \
        __asm__ volatile("fsflags x0\n" load " ft0, %2\n" name " %0, ft0, " mode "\n frflags %1"      \
                         : "=r"(r), "=r"(raised) : "r"(bits) : "ft0");                                \
        printf(" %lx/%lx", r, raised);                                                                \
    } while (0)

#define FROM_INTEGER(name, mode)                                                                      \
    do {                                                                                              \
        uint64_t r, raised;                                                                           \
        __asm__ volatile("fsflags x0\n" name " ft0, %2" mode "\n fmv.x.d %0, ft0\n frflags %1"        \
                         : "=r"(r), "=r"(raised) : "r"(bits) : "ft0");                                \
        printf(" %lx/%lx", r, raised);                                                                \
    } while (0)

#define ALL_MODES(name, load)                                                                         \
    printf("\n  " name);                                                                              \
    TO_INTEGER(name, "rne", load); TO_INTEGER(name, "rtz", load); TO_INTEGER(name, "rdn", load);      \
    TO_INTEGER(name, "rup", load); TO_INTEGER(name, "rmm", load)

#define ALL_MODES_FROM(name)                                                                          \
    printf("\n  " name);                                                                              \
    FROM_INTEGER(name, ", rne"); FROM_INTEGER(name, ", rtz"); FROM_INTEGER(name, ", rdn");            \
    FROM_INTEGER(name, ", rup"); FROM_INTEGER(name, ", rmm")

static void from_double(double value) {
    uint64_t bits;
    memcpy(&bits, &value, 8);
    printf("double %a", value);
    ALL_MODES("fcvt.w.d", "fmv.d.x");
    ALL_MODES("fcvt.wu.d", "fmv.d.x");
    ALL_MODES("fcvt.l.d", "fmv.d.x");
    ALL_MODES("fcvt.lu.d", "fmv.d.x");
    putchar('\n');
}

static void from_single(float value) {
    uint32_t word;
    memcpy(&word, &value, 4);
    uint64_t bits = word;
    printf("float %a", (double)value);
    ALL_MODES("fcvt.w.s", "fmv.w.x");
    ALL_MODES("fcvt.wu.s", "fmv.w.x");
    ALL_MODES("fcvt.l.s", "fmv.w.x");
    ALL_MODES("fcvt.lu.s", "fmv.w.x");
    putchar('\n');
}

static void from_integer(uint64_t bits) {
    printf("integer %lx", bits);
    ALL_MODES_FROM("fcvt.s.w");
    ALL_MODES_FROM("fcvt.s.wu");
    ALL_MODES_FROM("fcvt.s.l");
    ALL_MODES_FROM("fcvt.s.lu");
    ALL_MODES_FROM("fcvt.d.l");
    ALL_MODES_FROM("fcvt.d.lu");
    printf("\n  fcvt.d.w ");
    FROM_INTEGER("fcvt.d.w", "");
    FROM_INTEGER("fcvt.d.wu", "");
    putchar('\n');
}

static void control_register(void) {
    uint64_t a, b, c, d;
    __asm__ volatile("li %0, 0x1ff\n fscsr %0\n frcsr %1\n frflags %2\n frrm %3" : "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d));
    printf("fcsr %lx flags %lx mode %lx\n", b, c, d);
    __asm__ volatile("csrrwi %0, fflags, 0x15\n csrrci %1, fflags, 0x5\n csrrsi %2, frm, 1\n frcsr %3"
                     : "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d));
    printf("%lx %lx %lx %lx\n", a, b, c, d);
    __asm__ volatile("fscsr x0\n frcsr %0" : "=r"(a));
    printf("fcsr %lx\n", a);
}

int main(void) {
    static const double values[] = {
        0.0, -0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, -0.25, -0.5, -0.75, -1.0, -1.5, -2.5, 0x1p-1074, -0x1p-1074,
        2147483646.5, 2147483647.0, 2147483647.5, 2147483648.0, -2147483648.0, -2147483648.5, -2147483649.0,
        4294967295.0, 4294967295.5, 4294967296.0, 0x1.fffffffffffffp62, 0x1p63, -0x1p63, -0x1.0000000000001p63,
        0x1.fffffffffffffp63, 0x1p64, 1e300, -1e300, __builtin_inf(), -__builtin_inf(), __builtin_nan(""),
        4503599627370497.5, 9007199254740993.0, 0x1.fffffep30, 0x1.fffffffep31,
    };
    static const uint64_t integers[] = {
        0, 1, ~0ul, 0x7fffffff, 0x80000000, 0xffffffff, 0x1000001, 0x1000003, 0x7fffffffffffffff, 0x8000000000000000,
        0x20000000000001, 0x20000000000003, 0xfffffffffffffbff, 0xfffffffffffffc00, 0x7ffffffffffffdff,
        0x8000008000000001, 0xffffff7fffffffff, 0x7fffffbfffffffff, 0x123456789abcdef,
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) from_double(values[i]), from_single((float)values[i]);
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) from_integer(integers[i]);
    control_register();
    return 0;
}
