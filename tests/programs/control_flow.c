// Calls in every form: many arguments, function pointers, switch tables, tail calls, variable argument lists,
// a bytecode interpreter with computed goto, deep recursion, setjmp and longjmp.

#include "check.h"
#include <setjmp.h>
#include <stdarg.h>

static long __attribute__((noinline)) many(long a, int b, short c, char d, double e, float f, long g, long h, long i, long j,
                                           double k, unsigned l, const char *m) {
    return a + 2 * b + 3 * c + 4 * d + (long)(5 * e) + (long)(6 * f) + 7 * g + 8 * h + 9 * i + 10 * j + (long)(11 * k) + 12 * (long)l +
           (long)strlen(m);
}

static double __attribute__((noinline)) sum_of(const char *kinds, ...) {
    va_list list, again;
    va_start(list, kinds);
    va_copy(again, list);
    double sum = 0;
    for (const char *k = kinds; *k; k++) {
        switch (*k) {
        case 'i': sum += va_arg(list, int); break;
        case 'l': sum += (double)va_arg(list, long); break;
        case 'd': sum += va_arg(list, double); break;
        case 's': sum += (double)strlen(va_arg(list, char *)); break;
        case 'L': sum += (double)va_arg(list, long double); break;
        }
    }
    va_end(list);
    if (*kinds == 'i') sum += va_arg(again, int);
    va_end(again);
    return sum;
}

static long twice(long x) { return 2 * x; }
static long square(long x) { return x * x; }
static long negate(long x) { return -x; }
static long halve(long x) { return x / 2; }

static int __attribute__((noinline)) is_odd(unsigned n);
static int __attribute__((noinline)) is_even(unsigned n) {
    return n == 0 ? 1 : is_odd(n - 1);
}
static int __attribute__((noinline)) is_odd(unsigned n) {
    return n == 0 ? 0 : is_even(n - 1);
}

static unsigned __attribute__((noinline)) classify(unsigned n) {
    switch (n) {
    case 0: return 17;
    case 1: return n * 3;
    case 2: return 99 ^ n;
    case 3: return n << 9;
    case 4: return ~n;
    case 5: return 12345;
    case 6: return n % 4;
    case 7: return 0xdead;
    case 8: return n + 1000000;
    case 9: return 9 * n;
    case 100: return 1;
    case 1000: return 2;
    case 100000: return 3;
    default: return n / 7;
    }
}

static long __attribute__((noinline)) depth(long n) {
    volatile char frame[100];
    frame[n % 100] = (char)n;
    return n == 0 ? 0 : depth(n - 1) + frame[n % 100] - (char)n + 1;
}

static unsigned ackermann(unsigned m, unsigned n) {
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

// A stack machine: computes the sum of squares of 1…n.
static long interpret(long n) {
    static void *const actions[] = {&&push, &&load, &&store, &&add, &&multiply, &&decrement_jump, &&halt};
    static const unsigned char code[] = {1, 0, 1, 0, 4, 1, 1, 3, 2, 1, 5, 0, 0, 6};
    long stack[8], variables[2] = {n, 0}, *top = stack;
    const unsigned char *pc = code;
#define NEXT goto *actions[*pc++]
    NEXT;
push: *top++ = *pc++; NEXT;
load: *top++ = variables[*pc++]; NEXT;
store: variables[*pc++] = *--top; NEXT;
add: top--, top[-1] += *top; NEXT;
multiply: top--, top[-1] *= *top; NEXT;
decrement_jump:
    if (--variables[*pc++]) pc = code + *pc;
    else pc++;
    NEXT;
halt:
    return variables[1];
}

static jmp_buf environment;

static void __attribute__((noinline)) climb(int n) {
    if (n == 0) longjmp(environment, 42);
    climb(n - 1);
    printf("never here\n");
}

static void jumps(void) {
    volatile int count = 0;
    volatile double kept = 1.5;
    int code = setjmp(environment);
    printf("setjmp %d count %d kept %g\n", code, count, kept);
    count++, kept *= 2;
    if (count < 4) climb(count * 10);
    sigjmp_buf other;
    code = sigsetjmp(other, 1);
    printf("sigsetjmp %d\n", code);
    if (code == 0) siglongjmp(other, 0);  // 0 is delivered as 1
}

int main(void) {
    printf("many %ld\n", many(1, -2, 3, 'x', 1.25, 2.5f, 7, 8, 9, 10, 11.5, 12, "text"));
    printf("varargs %g %g %g\n", sum_of("ildsL", 1, 2l, 3.5, "four", 5.25L), sum_of("dddddddddd", 1., 2., 3., 4., 5., 6., 7., 8., 9., 10.),
           sum_of("idLildL", 1, 2., 3.L, 4, 5l, 6., 7.L));
    long (*const functions[])(long) = {twice, square, negate, halve};
    long value = 3;
    for (int i = 0; i < 40; i++) value = functions[(value >> 1 ^ i) & 3](value) % 1000003;
    printf("pointers %ld\n", value);
    printf("even %d odd %d\n", is_even(100001), is_odd(100001));
    unsigned classes = 0;
    for (unsigned i = 0; i < 20; i++) classes = classes * 31 + classify(i);
    printf("switch %u %u %u\n", classes, classify(1000), classify(100000));
    printf("depth %ld\n", depth(40000));
    printf("ackermann %u\n", ackermann(2, 300));
    printf("interpreter %ld\n", interpret(1000));
    jumps();
    char text[100];
    int length = snprintf(text, sizeof text, "%5d|%-8s|%+.3e|%x|%c|%%|%p|", -42, "left", 12345.678, 0xbeef, 'z', (void *)0x1234);
    printf("%d %s\n", length, text);
    return 0;
}
