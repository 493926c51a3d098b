// Shared by the bench programs. Each takes its length in percent of the default (100: about 0.15 s when compiled
// natively with -O2) and prints a checksum, which must be the same on every machine: no floating-point contraction,
// no library function whose last bit may differ.

#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The default count scaled by the program's argument.
static inline long scaled(int argc, char **argv, long count) {
    long percent = argc > 1 ? atol(argv[1]) : 100;
    long result = count * percent / 100;
    return result > 0 ? result : 1;
}

static inline uint32_t random32(uint32_t *state) {
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

static inline int finish(uint64_t checksum) {
    printf("%016llx\n", (unsigned long long)checksum);
    return 0;
}

static inline uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

#endif
