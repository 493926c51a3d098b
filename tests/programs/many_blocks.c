// A machine of 512 states, each with code of its own, visited in an order that depends on the data; and calls of
// functions of its own from each, so that returns and computed jumps go everywhere.
// link: static

#include <stdint.h>
#include <stdio.h>

// State n: mixes with its own constants and chooses one of two successors.
#define STATE(n)                                                                                  \
    static __attribute__((noinline)) uint32_t mix_##n(uint32_t x) {                               \
        x = (x ^ (__COUNTER__ * 2654435761u + 12345u)) * (__COUNTER__ * 2 + 1u);                  \
        return x + (x >> (__COUNTER__ % 13 + 3));                                                 \
    }
#define STATES8(n) STATE(n##0) STATE(n##1) STATE(n##2) STATE(n##3) STATE(n##4) STATE(n##5) STATE(n##6) STATE(n##7)
#define STATES64(n) STATES8(n##0) STATES8(n##1) STATES8(n##2) STATES8(n##3) STATES8(n##4) STATES8(n##5) STATES8(n##6) STATES8(n##7)
#define CASE(n) case 0##n: x = mix_##n(x); state = x & 4 ? (0##n * 5 + 1) % 512 : (0##n * 3 + 7 + x % 16) % 512; break;
#define CASES8(n) CASE(n##0) CASE(n##1) CASE(n##2) CASE(n##3) CASE(n##4) CASE(n##5) CASE(n##6) CASE(n##7)
#define CASES64(n) CASES8(n##0) CASES8(n##1) CASES8(n##2) CASES8(n##3) CASES8(n##4) CASES8(n##5) CASES8(n##6) CASES8(n##7)

STATES64(0) STATES64(1) STATES64(2) STATES64(3) STATES64(4) STATES64(5) STATES64(6) STATES64(7)

int main(void) {
    uint32_t x = 1, state = 0;
    uint64_t sum = 0;
    for (long step = 0; step < 300000; step++) {
        switch (state) {
            CASES64(0) CASES64(1) CASES64(2) CASES64(3) CASES64(4) CASES64(5) CASES64(6) CASES64(7)
        }
        sum += x ^ state;
        if (step % 50000 == 0) printf("%lu\n", (unsigned long)sum);
    }
    printf("%lu\n", (unsigned long)sum);
    return 0;
}
