// Calls: Ackermann's and Takeuchi's functions, deep recursion.
#include "bench.h"

__attribute__((noinline)) static unsigned ackermann(unsigned m, unsigned n) {
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

__attribute__((noinline)) static int takeuchi(int x, int y, int z) {
    return y >= x ? z : takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y));
}

int main(int argc, char **argv) {
    uint64_t sum = 0;
    for (long round = scaled(argc, argv, 27); round > 0; round--) {
        sum = sum * 31 + ackermann(3, 7 + (unsigned)round % 2);
        sum = sum * 31 + (unsigned)takeuchi(18, 12, 6 + (int)(round % 2));
    }
    return finish(sum);
}
