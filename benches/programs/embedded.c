// A mixture after the manner of embedded benchmarks: list handling, small matrices, a text state machine, CRC-16.
#include "bench.h"

struct item {
    struct item *next;
    int16_t data, index;
};

static struct item items[64];
static int16_t a[10][10], b[10][10];
static int32_t c[10][10];

static uint16_t crc16(uint16_t crc, uint32_t value) {
    for (int i = 0; i < 16; i++) {
        uint16_t bit = (crc ^ (value >> i)) & 1;
        crc >>= 1;
        if (bit) crc ^= 0xa001;
    }
    return crc;
}

static struct item *merge_sort(struct item *list, int by_index) {
    if (!list || !list->next) return list;
    struct item *slow = list, *fast = list->next, *result = NULL, **tail = &result;
    while (fast && fast->next) slow = slow->next, fast = fast->next->next;
    struct item *right = merge_sort(slow->next, by_index);
    slow->next = NULL;
    struct item *left = merge_sort(list, by_index);
    while (left && right) {
        int first = by_index ? left->index <= right->index : left->data <= right->data;
        struct item **from = first ? &left : &right;
        *tail = *from, tail = &(*from)->next, *from = (*from)->next;
    }
    *tail = left ? left : right;
    return result;
}

static uint16_t lists(uint16_t crc, uint32_t *seed) {
    for (int i = 0; i < 64; i++) items[i] = (struct item){i < 63 ? &items[i + 1] : NULL, (int16_t)random32(seed), (int16_t)i};
    struct item *list = merge_sort(items, 0);
    for (struct item *i = list; i; i = i->next) crc = crc16(crc, (uint16_t)i->data);
    list = merge_sort(list, 1);
    return crc16(crc, (uint16_t)list->data);
}

static uint16_t matrices(uint16_t crc, int16_t add) {
    for (int i = 0; i < 10; i++)
        for (int j = 0; j < 10; j++) a[i][j] = (int16_t)(i * j + add), b[i][j] = (int16_t)(i - j * add);
    for (int i = 0; i < 10; i++)
        for (int j = 0; j < 10; j++) {
            c[i][j] = 0;
            for (int k = 0; k < 10; k++) c[i][j] += a[i][k] * b[k][j];
        }
    for (int i = 0; i < 10; i++) crc = crc16(crc, (uint32_t)(c[i][9 - i] >> 2 & 0xffff));
    return crc;
}

// Classifies comma-separated numbers: integer, fraction, exponent, or nothing of these.
static uint16_t scan(uint16_t crc, const char *p) {
    enum { START, INTEGER, FRACTION, EXPONENT, INVALID } state = START;
    uint32_t counts[5] = {0};
    for (;; p++) {
        if (*p == ',' || *p == 0) {
            counts[state]++, state = START;
            if (*p == 0) break;
            continue;
        }
        int digit = *p >= '0' && *p <= '9';
        switch (state) {
        case START: state = digit || *p == '-' ? INTEGER : *p == '.' ? FRACTION : INVALID; break;
        case INTEGER: state = digit ? INTEGER : *p == '.' ? FRACTION : *p == 'e' ? EXPONENT : INVALID; break;
        case FRACTION: state = digit ? FRACTION : *p == 'e' ? EXPONENT : INVALID; break;
        case EXPONENT: state = digit || *p == '-' ? EXPONENT : INVALID; break;
        case INVALID: break;
        }
    }
    for (int i = 0; i < 5; i++) crc = crc16(crc, counts[i]);
    return crc;
}

int main(int argc, char **argv) {
    static const char text[] = "5012,1.5e3,-12.75,x17,.5,1e-7,hello,-,99999,3..4,12e,0.125,77,1.0e10,--3,42";
    uint32_t seed = 1;
    uint16_t crc = 0xffff;
    uint64_t sum = 0;
    for (long round = scaled(argc, argv, 11000); round > 0; round--) {
        crc = lists(crc, &seed);
        crc = matrices(crc, (int16_t)(round & 31));
        crc = scan(crc, text + round % 7);
        sum = sum * 31 + crc;
    }
    return finish(sum);
}
