// Floating point: fast Fourier transforms forward and back, in double precision, and one in single precision.
#include "bench.h"
#include <math.h>

#define N 4096

static double re[N], im[N], cosine[N / 2], sine[N / 2];
static float fre[N], fim[N];

// Roots of unity by half-angle formulas: square roots only, so that they are the same everywhere.
static void make_roots(void) {
    double c = -1, s = 0;
    cosine[0] = 1, sine[0] = 0;
    for (int step = N / 2; step >= 1; step /= 2) {
        // (c, s) is the angle of `step` entries; known so far are all multiples of 2 * step.
        for (int i = 0; i + step < N / 2; i += 2 * step) {
            cosine[i + step] = cosine[i] * c - sine[i] * s;
            sine[i + step] = cosine[i] * s + sine[i] * c;
        }
        double half = sqrt((1 + c) / 2);
        s = step == N / 2 ? 1 : s / (2 * half), c = half;
    }
}

#define TRANSFORM(name, type, re, im)                                                       \
    static void name(int sign) {                                                            \
        for (int i = 1, j = 0; i < N; i++) {                                                \
            int bit = N >> 1;                                                               \
            for (; j & bit; bit >>= 1) j ^= bit;                                            \
            j ^= bit;                                                                       \
            if (i < j) {                                                                    \
                type t = re[i];                                                             \
                re[i] = re[j], re[j] = t, t = im[i], im[i] = im[j], im[j] = t;              \
            }                                                                               \
        }                                                                                   \
        for (int length = 2; length <= N; length *= 2)                                      \
            for (int start = 0; start < N; start += length)                                 \
                for (int k = 0; k < length / 2; k++) {                                      \
                    type c = (type)cosine[k * (N / length)], s = (type)(sign * sine[k * (N / length)]); \
                    int p = start + k, q = p + length / 2;                                  \
                    type x = re[q] * c - im[q] * s, y = re[q] * s + im[q] * c;              \
                    re[q] = re[p] - x, im[q] = im[p] - y, re[p] += x, im[p] += y;           \
                }                                                                           \
    }

TRANSFORM(transform, double, re, im)
TRANSFORM(transform_single, float, fre, fim)

int main(int argc, char **argv) {
    uint32_t seed = 17;
    uint64_t sum = 0;
    make_roots();
    for (int i = 0; i < N; i++) re[i] = (double)(random32(&seed) % 2001) / 1000 - 1, im[i] = 0, fre[i] = (float)re[i];
    for (long round = scaled(argc, argv, 770); round > 0; round--) {
        transform(1);
        sum = sum * 31 + bits_of(re[round % N]);
        transform(-1);
        for (int i = 0; i < N; i++) re[i] /= N, im[i] /= N;
        transform_single(1);
        for (int i = 0; i < N; i++) fre[i] /= 64, fim[i] /= 64;
    }
    for (int i = 0; i < N; i++) sum = sum * 31 + bits_of(re[i]) + bits_of(fre[i]);
    return finish(sum);
}
