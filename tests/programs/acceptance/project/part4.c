#include "parts.h"

/* Part 4: enough code for a compiler to work on. */
#define N ((1 << 10) + 4)

static unsigned table[N];

static unsigned mix(unsigned x) {
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    x *= 0x846ca68bU + 4 * 2;
    return x ^ x >> 16;
}

static void sift(unsigned *heap, unsigned n, unsigned i) {
    for (;;) {
        unsigned largest = i, left = 2 * i + 1, right = left + 1;
        if (left < n && heap[left] > heap[largest]) largest = left;
        if (right < n && heap[right] > heap[largest]) largest = right;
        if (largest == i) return;
        unsigned swap = heap[i];
        heap[i] = heap[largest];
        heap[largest] = swap;
        i = largest;
    }
}

unsigned part4(unsigned seed) {
    for (unsigned i = 0; i < N; i++) table[i] = mix(seed + i);
    for (unsigned i = N / 2; i-- > 0;) sift(table, N, i);
    for (unsigned n = N; n-- > 1;) {
        unsigned swap = table[0];
        table[0] = table[n];
        table[n] = swap;
        sift(table, n, 0);
    }
    unsigned sum = 0;
    for (unsigned i = 0; i < N; i++) sum = sum * 31 + (table[i] ^ i);
    return sum;
}
