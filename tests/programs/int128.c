// 128-bit arithmetic: multiply-high, carries, and the compiler's own division routines.

#include "check.h"

typedef unsigned __int128 u128;
typedef __int128 i128;

static void show(const char *name, u128 value) {
    printf(" %s %016lx%016lx", name, (uint64_t)(value >> 64), (uint64_t)value);
}

static u128 random_wide(void) {
    u128 value = (u128)next_random() << 64 | next_random();
    return value >> (next_random() & 127);
}

int main(void) {
    for (int i = 0; i < 300; i++) {
        u128 a = random_wide(), b = random_wide();
        if (b == 0) b = 1;
        int shift = (int)(next_random() & 127);
        show("a", a), show("b", b);
        show("add", a + b), show("sub", a - b), show("mul", a * b), show("neg", -a);
        show("div", a / b), show("rem", a % b);
        i128 sa = next_random() & 1 ? -(i128)a : (i128)a, sb = next_random() & 1 ? -(i128)b : (i128)b;
        show("sdiv", (u128)(sa / sb)), show("srem", (u128)(sa % sb));
        show("shl", a << shift), show("shr", a >> shift), show("sar", (u128)(sa >> shift));
        printf(" cmp %d%d%d popcount %d\n", a < b, sa < sb, a == b,
               __builtin_popcountll((uint64_t)a) + __builtin_popcountll((uint64_t)(a >> 64)));
    }
    // Decimal factorials up to 34!, the largest that fits.
    u128 factorial = 1;
    for (unsigned n = 2; n <= 34; n++) {
        factorial *= n;
        char digits[40];
        int count = 0;
        for (u128 rest = factorial; rest; rest /= 10) digits[count++] = (char)('0' + (int)(rest % 10));
        printf("%u! = ", n);
        while (count) putchar(digits[--count]);
        putchar('\n');
    }
    return 0;
}
