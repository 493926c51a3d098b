// Placements of N queens that do not attack each other, for N = 1 to 12: recursion, calls and returns.

#include "sys.h"

// Columns and both diagonals that are taken, as bit sets of the present row.
static u32 place(u32 all, u32 columns, u32 left, u32 right) {
    if (columns == all) return 1;
    u32 solutions = 0;
    for (u32 free = all & ~(columns | left | right); free;) {
        u32 queen = free & -free;
        free ^= queen;
        solutions += place(all, columns | queen, (left | queen) << 1, (right | queen) >> 1);
    }
    return solutions;
}

int main(void) {
    for (u32 n = 1; n <= 12; n++) {
        put_decimal(n);
        put_text(": ");
        put_decimal(place((1u << n) - 1, 0, 0, 0));
        put('\n');
    }
    return 0;
}
