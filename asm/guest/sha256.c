// SHA-256 (FIPS 180-4) of a generated buffer: 32-bit additions, rotations and logic.
// The constants are computed as the standard defines them, from square and cube roots of primes.

#include "sys.h"

#define BYTES (320u * 1024u)

static u32 constants[64], state[8];
static u8 message[BYTES + 64];

static u32 rotate(u32 x, u32 n) {
    return x >> n | x << (32 - n);
}

// The first 32 bits after the binary point of the square root (degree 2) or cube root (degree 3) of a prime:
// the largest r with r^degree <= prime * 2^(32 degree), found bit by bit, less its integer part.
static u32 root_fraction(u32 prime, int degree) {
    u64 root = 0;
    for (int bit = 35; bit >= 0; bit--) {
        u64 trial = root | 1ul << bit;
        unsigned __int128 power = (unsigned __int128)trial * trial;
        if (degree == 3) power *= trial;  // below 2^108
        if (power <= (unsigned __int128)prime << (32 * degree)) root = trial;
    }
    return (u32)root;
}

static void make_constants(void) {
    u32 found = 0;
    for (u32 n = 2; found < 64; n++) {
        u32 divisor = 2;
        while (n % divisor) divisor++;
        if (divisor != n) continue;
        if (found < 8) state[found] = root_fraction(n, 2);
        constants[found++] = root_fraction(n, 3);
    }
}

static void compress(const u8 *block) {
    u32 w[64], v[8];
    for (int i = 0; i < 16; i++)
        w[i] = (u32)block[4 * i] << 24 | (u32)block[4 * i + 1] << 16 | (u32)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        u32 s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        u32 s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    for (int i = 0; i < 8; i++) v[i] = state[i];
    for (int i = 0; i < 64; i++) {
        u32 s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
        u32 t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + constants[i] + w[i];
        u32 s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
        u32 t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        v[7] = v[6], v[6] = v[5], v[5] = v[4], v[4] = v[3] + t1;
        v[3] = v[2], v[2] = v[1], v[1] = v[0], v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) state[i] += v[i];
}

int main(void) {
    make_constants();
    u32 seed = 1;
    for (u32 i = 0; i < BYTES; i++) {
        seed = seed * 1664525 + 1013904223;
        message[i] = (u8)(seed >> 24);
    }
    message[BYTES] = 0x80;  // padding: BYTES is a multiple of 64, so it fills one more block
    for (int i = 0; i < 8; i++) message[BYTES + 56 + i] = (u8)((u64)BYTES * 8 >> (56 - 8 * i));
    for (u32 at = 0; at < BYTES + 64; at += 64) compress(message + at);
    for (int i = 0; i < 8; i++)
        for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[state[i] >> shift & 15]);
    put('\n');
    return 0;
}
