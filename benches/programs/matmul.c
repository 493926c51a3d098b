// Floating point: product of double matrices, rows times columns.
#include "bench.h"

#define N 128

static double a[N][N], b[N][N], c[N][N];

int main(int argc, char **argv) {
    uint64_t sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = (i * 7 + j * 3) % 101 / 64.0, b[i][j] = (i * 5 - j * 11) % 97 / 32.0;
    for (long round = scaled(argc, argv, 130); round > 0; round--) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double t = 0;
                for (int k = 0; k < N; k++) t += a[i][k] * b[k][j];
                c[i][j] = t;
            }
        for (int i = 0; i < N; i++) a[i][round % N] = c[i][i] / 1024.0, sum = sum * 31 + bits_of(c[i][(i * 3 + round) % N]);
    }
    return finish(sum);
}
