// 32-bit and 64-bit arithmetic: three random number generators and a fixed-point integration, registers only.
#include "bench.h"

int main(int argc, char **argv) {
    uint32_t x = 123456789, carry = 362436, lcg = 1;
    uint64_t wide = 0x9e3779b97f4a7c15u, inside = 0;
    for (long i = scaled(argc, argv, 51000000); i > 0; i--) {
        lcg = lcg * 1664525u + 1013904223u;
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        uint64_t product = 698769069ull * carry + (uint32_t)(wide >> 32);
        carry = (uint32_t)(product >> 32) ^ (uint32_t)product;
        wide = wide * 6364136223846793005u + carry;
        int32_t a = (int32_t)(lcg >> 16) - 32768, b = (int32_t)(x >> 16) - 32768;
        inside += a * a + b * b < 1 << 30;
    }
    return finish(wide ^ inside << 32 ^ lcg ^ (uint64_t)x << 16);
}
