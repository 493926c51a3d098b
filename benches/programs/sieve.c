// Integer: sieve of Eratosthenes, byte stores with growing strides.
#include "bench.h"

#define LIMIT 1000000

static unsigned char composite[LIMIT];

int main(int argc, char **argv) {
    uint64_t sum = 0;
    for (long round = scaled(argc, argv, 49); round > 0; round--) {
        memset(composite, 0, sizeof composite);
        for (uint32_t i = 2; i * i < LIMIT; i++)
            if (!composite[i])
                for (uint32_t j = i * i; j < LIMIT; j += i) composite[j] = 1;
        for (uint32_t i = 2; i < LIMIT; i++)
            if (!composite[i]) sum += i ^ (uint64_t)round;
    }
    return finish(sum);
}
