// Four small tasks in turns, after the manner of benchmarks for embedded processors: a list that is searched, turned
// round and sorted in two orders, 16-bit matrices, numbers recognised by a state machine, and a CRC over all results.
#include "bench.h"

#define NODES 64
#define SIDE 10
#define TEXT 384

struct node {
    struct node *next;
    int16_t key, place;
};

static struct node nodes[NODES], *head;
static int16_t left[SIDE][SIDE], right[SIDE][SIDE];
static int32_t product[SIDE][SIDE];
static char text[TEXT];

__attribute__((noinline)) static uint16_t crc_byte(uint8_t value, uint16_t crc) {
    for (int bit = 0; bit < 8; bit++) {
        int carry = (crc ^ value) & 1;
        crc >>= 1, value >>= 1;
        if (carry) crc ^= 0xa001;
    }
    return crc;
}

static uint16_t crc_word(uint32_t value, uint16_t crc) {
    for (int byte = 0; byte < 4; byte++) crc = crc_byte((uint8_t)(value >> 8 * byte), crc);
    return crc;
}

static int by_key(const struct node *a, const struct node *b) { return a->key - b->key; }
static int by_place(const struct node *a, const struct node *b) { return a->place - b->place; }

// Merges runs of 1, 2, 4… nodes until one is left.
__attribute__((noinline)) static struct node *sorted(struct node *list, int (*order)(const struct node *, const struct node *)) {
    for (int run = 1;; run *= 2) {
        struct node *p = list, *tail = NULL;
        int merges = 0;
        for (list = NULL; p; merges++) {
            struct node *q = p;
            int left_of_p = 0, left_of_q = run;
            while (left_of_p < run && q) left_of_p++, q = q->next;
            while (left_of_p > 0 || (left_of_q > 0 && q)) {
                struct node *taken;
                if (left_of_p == 0) taken = q, q = q->next, left_of_q--;
                else if (left_of_q == 0 || !q || order(p, q) <= 0) taken = p, p = p->next, left_of_p--;
                else taken = q, q = q->next, left_of_q--;
                if (tail) tail->next = taken;
                else list = taken;
                tail = taken;
            }
            p = q;
        }
        tail->next = NULL;
        if (merges <= 1) return list;
    }
}

static struct node *reversed(struct node *list) {
    struct node *done = NULL;
    while (list) {
        struct node *next = list->next;
        list->next = done, done = list, list = next;
    }
    return done;
}

static const struct node *found(const struct node *list, int16_t key) {
    while (list && list->key != key) list = list->next;
    return list;
}

__attribute__((noinline)) static uint16_t lists(int16_t seed, uint16_t crc) {
    for (int i = 0; i < 16; i++) {
        const struct node *hit = found(head, (int16_t)((seed + i) & 127));
        head = reversed(head);
        crc = crc_word(hit ? (uint32_t)hit->place : 0xffff, crc);
    }
    head = sorted(head, by_key);
    for (const struct node *p = head; p; p = p->next) crc = crc_byte((uint8_t)p->place, crc);
    head = sorted(head, by_place);
    head->key = (int16_t)(seed & 127);
    return crc;
}

__attribute__((noinline)) static uint16_t matrices(int16_t add, uint16_t crc) {
    int32_t sum = 0, last = 0;
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) left[i][j] = (int16_t)(left[i][j] + add);
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            int32_t cell = 0;
            for (int k = 0; k < SIDE; k++) cell += (int32_t)left[i][k] * right[k][j];
            product[i][j] = cell;
        }
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            int32_t cell = (product[i][j] >> 2 & 15) * (product[i][j] >> 5 & 127);
            sum += cell > last ? 10 : 1;
            last = cell;
        }
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) left[i][j] = (int16_t)(left[i][j] - add);
    return crc_word((uint32_t)sum, crc);
}

enum state { START, SIGN, INTEGER, FRACTION, EXPONENT, POWER, WRONG, STATES };

__attribute__((noinline)) static enum state number(const char **at, uint32_t *steps) {
    enum state state = START;
    const char *p = *at;
    for (; *p && *p != ','; p++, steps[state]++) {
        int digit = *p >= '0' && *p <= '9';
        switch (state) {
        case START: state = digit ? INTEGER : *p == '+' || *p == '-' ? SIGN : *p == '.' ? FRACTION : WRONG; break;
        case SIGN: state = digit ? INTEGER : *p == '.' ? FRACTION : WRONG; break;
        case INTEGER: state = digit ? INTEGER : *p == '.' ? FRACTION : *p == 'e' ? EXPONENT : WRONG; break;
        case FRACTION: state = digit ? FRACTION : *p == 'e' ? EXPONENT : WRONG; break;
        case EXPONENT: state = digit || *p == '-' || *p == '+' ? POWER : WRONG; break;
        case POWER: state = digit ? POWER : WRONG; break;
        default: break;
        }
    }
    *at = *p ? p + 1 : p;
    return state;
}

__attribute__((noinline)) static uint16_t states(int step, uint16_t crc) {
    uint32_t ends[STATES] = {0}, steps[STATES] = {0};
    for (int turn = 0; turn < 2; turn++) {
        for (const char *p = text; *p;) ends[number(&p, steps)]++;
        for (int i = step; i < TEXT - 1; i += step)
            if (text[i] != ',') text[i] ^= 1;
    }
    for (int i = 0; i < STATES; i++) crc = crc_word(ends[i], crc_word(steps[i], crc));
    return crc;
}

int main(int argc, char **argv) {
    static const char *const samples[] = {"5012,", "-874,", "+122,", "35.54400,", ".1234500,", "-110.700,", "+0.64400,",
                                          "5.500e+3,", "-.123e-2,", "-87e+832,", "T0.3e-1F,", "1T3.4e4z,", "34.0e-T^,"};
    uint32_t random = 2463534242u;
    for (int i = 0; i < NODES; i++) {
        nodes[i] = (struct node){i + 1 < NODES ? &nodes[i + 1] : NULL, (int16_t)(random32(&random) & 127), (int16_t)i};
    }
    head = nodes;
    for (int i = 0; i < SIDE * SIDE; i++) {
        left[i / SIDE][i % SIDE] = (int16_t)(random32(&random) & 0xfff), right[i / SIDE][i % SIDE] = (int16_t)(i * 7 % 50);
    }
    for (size_t at = 0; at < TEXT - 12;) {
        const char *sample = samples[random32(&random) % 13];
        strcpy(text + at, sample), at += strlen(sample);
    }
    uint16_t crc = 0;
    for (long round = 0, rounds = scaled(argc, argv, 16000); round < rounds; round++) {
        crc = lists((int16_t)round, crc);
        crc = matrices((int16_t)(crc & 31), crc);
        crc = states((int)(round % 5) + 3, crc);
    }
    return finish(crc);
}
