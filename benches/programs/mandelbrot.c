// Floating point: the Mandelbrot set, a short loop of multiplications and a comparison.
#include "bench.h"

int main(int argc, char **argv) {
    uint64_t sum = 0;
    long rows = scaled(argc, argv, 250);
    for (long row = 0; row < rows; row++)
        for (int column = 0; column < 300; column++) {
            double cr = -2.0 + column / 100.0, ci = -1.25 + (double)row * 2.5 / (double)rows, zr = 0, zi = 0;
            int n = 0;
            for (; n < 1500; n++) {
                double rr = zr * zr, ii = zi * zi;
                if (rr + ii > 4.0) break;
                zi = 2.0 * zr * zi + ci, zr = rr - ii + cr;
            }
            sum = sum * 31 + (uint64_t)n;
        }
    return finish(sum);
}
