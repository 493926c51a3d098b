// The dynamic rounding mode in loops that are hot: all modes in turn, flags added up, and a reserved mode.
// link: static
// build: -frounding-math -ffp-contract=off

#include <stdio.h>
#include <string.h>

typedef unsigned long u64;

static u64 bits(double d) {
    u64 b;
    memcpy(&b, &d, 8);
    return b;
}

static void set_mode(unsigned long mode) { __asm__ volatile("fsrm %0" ::"r"(mode) : "memory"); }

static unsigned long get_flags(void) {
    unsigned long flags;
    __asm__ volatile("frflags %0" : "=r"(flags)::"memory");
    return flags;
}

static void set_flags(unsigned long flags) { __asm__ volatile("fsflags %0" ::"r"(flags) : "memory"); }

static const double values[] = {0.1, -0.3, 1e308, -1e308, 5e-324, 3.5, -2.5, 1e16, 1.0 / 0.0, 0.0 / 0.0};
enum { COUNT = sizeof values / sizeof *values };

// Every operation that rounds, on all pairs. The compiler must not know the mode.
__attribute__((noinline)) static u64 round_all(u64 hash) {
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++) {
            volatile double a = values[i], b = values[j];
            volatile float c = (float)a, d = (float)b;
            long to_long;
            unsigned to_word;
            double root, fused;
            __asm__ volatile("fcvt.l.d %0, %1, dyn" : "=r"(to_long) : "f"(a));
            __asm__ volatile("fcvt.wu.d %0, %1, dyn" : "=r"(to_word) : "f"(b));
            __asm__ volatile("fsqrt.d %0, %1" : "=f"(root) : "f"(a));
            __asm__ volatile("fmadd.d %0, %1, %2, %1" : "=f"(fused) : "f"(a), "f"(b));
            hash = hash * 31 + bits(a + b) + bits(a * b) * 3 + bits(a / b) * 5 + bits(c / d) * 7 + bits(c * d + c);
            hash = hash * 31 + (u64)to_long + to_word + bits(root) + bits(fused) + bits((double)(long)hash) + get_flags();
        }
    return hash;
}

static void modes(void) {
    u64 hash = 1;
    for (int round = 0; round < 200; round++) {
        unsigned long mode = (unsigned long)(round * 7 % 5);
        set_mode(mode);
        if (round % 3 == 0) set_flags((unsigned long)round & 31);
        hash = round_all(hash);
        if (round < 25) {
            set_mode(0);
            printf("mode %lu: %016lx flags %02lx\n", mode, hash, get_flags());
        }
    }
    set_mode(0);
    printf("%016lx\n", hash);
}

// The mode changes between two operations of one loop.
static void alternate(void) {
    volatile double third = 3.0, one = 1.0;
    u64 hash = 1;
    for (int round = 0; round < 20000; round++) {
        set_mode((unsigned long)(round % 5));
        hash = hash * 31 + bits(one / third);
        set_mode((unsigned long)((round + 2) % 5));
        hash = hash * 31 + bits(-one / third);
    }
    set_mode(0);
    printf("%016lx %02lx\n", hash, get_flags());
}

// A reserved mode: operations that do not use it still work, the first that does is illegal.
static void reserved(unsigned long mode) {
    volatile double third = 3.0, one = 1.0;
    u64 hash = 1;
    for (int round = 0; round < 20000; round++) hash = hash * 31 + bits(one / third);
    set_mode(mode);
    for (int round = 0; round < 1000; round++) {
        double sum;
        __asm__ volatile("fadd.d %0, %1, %2, rup" : "=f"(sum) : "f"((double)one), "f"((double)third));
        hash = hash * 31 + bits(sum) + (u64)(one < third) + bits(-one);
    }
    printf("%016lx\n", hash);
    fflush(stdout);
    for (int round = 0; round < 20000; round++) hash = hash * 31 + bits(one / third);
    printf("%016lx\n", hash);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "modes")) modes();
    if (!strcmp(what, "alternate")) alternate();
    if (!strcmp(what, "reserved5")) reserved(5);
    if (!strcmp(what, "reserved7")) reserved(7);
    return 0;
}
