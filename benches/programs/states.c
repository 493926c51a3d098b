// Large flat code: a machine of 1024 states, each its own few instructions at its own place, visited in an order
// that depends on the data.
#include "bench.h"

// State n: mixes with constants of its own and chooses one of two successors.
#define STATE(n)                                                                     \
    case n:                                                                          \
        x = (x ^ ((n) * 2654435761u + 12345u)) * ((n) * 2 + 1u);                     \
        x += x >> ((n) % 13 + 3);                                                    \
        state = x & ((n) % 7 + 1) ? ((n) * 5 + 1) % 1024 : ((n) * 3 + 7 + x % 16) % 1024; \
        break;
#define STATES4(n) STATE(n) STATE((n) + 1) STATE((n) + 2) STATE((n) + 3)
#define STATES16(n) STATES4(n) STATES4((n) + 4) STATES4((n) + 8) STATES4((n) + 12)
#define STATES64(n) STATES16(n) STATES16((n) + 16) STATES16((n) + 32) STATES16((n) + 48)
#define STATES256(n) STATES64(n) STATES64((n) + 64) STATES64((n) + 128) STATES64((n) + 192)

int main(int argc, char **argv) {
    uint32_t x = 1, state = 0;
    uint64_t sum = 0;
    for (long step = scaled(argc, argv, 8600000); step > 0; step--) {
        switch (state) {
            STATES256(0)
            STATES256(256)
            STATES256(512)
            STATES256(768)
        }
        sum += x ^ state;
    }
    return finish(sum);
}
