// Calls: Fibonacci numbers by double recursion.
#include "bench.h"

// Not inlined or turned into a loop: the call itself is what is measured.
__attribute__((noinline, optimize("no-inline", "no-optimize-sibling-calls"))) static uint64_t fib(uint64_t n) {
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int main(int argc, char **argv) {
    uint64_t sum = 0;
    for (long round = scaled(argc, argv, 130); round > 0; round--) sum = sum * 31 + fib(26 + (uint64_t)round % 3);
    return finish(sum);
}
