// Integer: multiplication of matrices of 32-bit numbers, with a data-dependent transformation in between.
#include "bench.h"

#define N 64

static int32_t a[N][N], b[N][N], c[N][N];

int main(int argc, char **argv) {
    uint32_t seed = 7;
    uint64_t sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = (int32_t)(random32(&seed) >> 20), b[i][j] = (int32_t)(random32(&seed) >> 20);
    for (long round = scaled(argc, argv, 2000); round > 0; round--) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                int32_t t = 0;
                for (int k = 0; k < N; k++) t += a[i][k] * b[k][j];
                c[i][j] = t;
            }
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                a[i][j] = (c[i][j] >> 3 & 0xfff) ^ (c[j][i] < 0 ? 5 : 0);
                sum = sum * 31 + (uint32_t)c[i][j];
            }
    }
    return finish(sum);
}
