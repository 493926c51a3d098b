// Floating point: the largest singular value of an infinite matrix whose elements cost a division each.
#include "bench.h"
#include <math.h>

#define N 300

static double u[N], v[N], t[N];

static double element(int i, int j) {
    return 1.0 / (double)((i + j) * (i + j + 1) / 2 + i + 1);
}

static void multiply(const double *in, double *out, int transposed) {
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int j = 0; j < N; j++) sum += (transposed ? element(j, i) : element(i, j)) * in[j];
        out[i] = sum;
    }
}

int main(int argc, char **argv) {
    for (int i = 0; i < N; i++) u[i] = 1.0;
    for (long round = scaled(argc, argv, 300); round > 0; round--) {
        multiply(u, t, 0), multiply(t, v, 1);
        multiply(v, t, 0), multiply(t, u, 1);
    }
    double product = 0, square = 0;
    for (int i = 0; i < N; i++) product += u[i] * v[i], square += v[i] * v[i];
    return finish(bits_of(sqrt(product / square)));
}
