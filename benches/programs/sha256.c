// 32-bit arithmetic: the compression function of SHA-256 (FIPS 180-4), with pseudo-random round constants, so that
// no table need be kept; the work is the same.
#include "bench.h"

static uint32_t constants[64];

static inline uint32_t rotate(uint32_t x, int n) {
    return x >> n | x << (32 - n);
}

static void compress(uint32_t *state, const uint32_t *block) {
    uint32_t w[64];
    memcpy(w, block, 64);
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + constants[i] + w[i];
        uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

int main(int argc, char **argv) {
    uint32_t seed = 1, state[8], block[16];
    for (int i = 0; i < 64; i++) constants[i] = random32(&seed);
    for (int i = 0; i < 8; i++) state[i] = random32(&seed);
    for (int i = 0; i < 16; i++) block[i] = random32(&seed);
    for (long round = scaled(argc, argv, 390000); round > 0; round--) {
        compress(state, block);
        block[round & 15] ^= state[round & 7];
    }
    return finish((uint64_t)state[0] << 32 | state[7]);
}
