// The Mandelbrot set in characters: double precision multiply and add, compare, short loops.

#include "sys.h"

#define COLUMNS 64
#define ROWS 24
#define ITERATIONS 6000

static u32 escape_time(double cr, double ci) {
    double zr = 0.0, zi = 0.0;
    for (u32 n = 0; n < ITERATIONS; n++) {
        double rr = zr * zr, ii = zi * zi;
        if (rr + ii > 4.0) return n;
        zi = 2.0 * zr * zi + ci;
        zr = rr - ii + cr;
    }
    return ITERATIONS;
}

int main(void) {
    static const char shades[] = ".,:;+=*%$@";
    u64 total = 0;
    for (u32 row = 0; row < ROWS; row++) {
        for (u32 column = 0; column < COLUMNS; column++) {
            double cr = -2.2 + 3.2 * (double)column / (COLUMNS - 1);
            double ci = -1.2 + 2.4 * (double)row / (ROWS - 1);
            u32 n = escape_time(cr, ci);
            total += n;
            put(n == ITERATIONS ? '#' : n < 2 ? ' ' : shades[n > 20 ? 9 : n / 2 - 1]);
        }
        put('\n');
    }
    put_text("iterations ");
    put_decimal(total);
    put('\n');
    return 0;
}
