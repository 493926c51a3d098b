// malloc, calloc, realloc, aligned_alloc and free in random order, with every byte checked; brk and sbrk.

#include "check.h"
#include <malloc.h>
#include <unistd.h>

#define SLOTS 500

struct slot {
    unsigned char *bytes;
    size_t size;
    unsigned char fill;
};

static struct slot slots[SLOTS];
static uint64_t sum;

static void verify(const struct slot *s) {
    for (size_t i = 0; i < s->size; i++)
        if (s->bytes[i] != (unsigned char)(s->fill + i)) {
            printf("damaged block of %zu at %zu\n", s->size, i);
            exit(1);
        }
    sum = mix(sum, s->size);
}

static void fill(struct slot *s) {
    s->fill = (unsigned char)next_random();
    for (size_t i = 0; i < s->size; i++) s->bytes[i] = (unsigned char)(s->fill + i);
}

static size_t random_size(void) {
    unsigned scale = (unsigned)(next_random() % 100);
    return scale < 80 ? next_random() % 200 : scale < 97 ? next_random() % 5000 : next_random() % 300000;
}

int main(void) {
    for (int round = 0; round < 8000; round++) {
        struct slot *s = &slots[next_random() % SLOTS];
        if (s->bytes == NULL) {
            s->size = random_size();
            switch (next_random() % 3) {
            case 0: s->bytes = malloc(s->size + 1); break;
            case 1: s->bytes = aligned_alloc(64, (s->size + 64) & ~63ul); break;
            default:
                s->bytes = calloc(s->size + 1, 1);
                for (size_t i = 0; i < s->size; i++) sum += s->bytes[i];
            }
            fill(s);
        } else if (next_random() & 1) {
            verify(s);
            free(s->bytes);
            s->bytes = NULL;
        } else {
            size_t size = random_size();
            size_t kept = size < s->size ? size : s->size;
            s->bytes = realloc(s->bytes, size + 1);
            s->size = kept;
            verify(s);
            s->size = size;
            fill(s);
        }
    }
    for (int i = 0; i < SLOTS; i++)
        if (slots[i].bytes) verify(&slots[i]), free(slots[i].bytes);
    printf("sum %lx\n", sum);
    // 64 MiB in one piece, touched sparsely.
    size_t big = 64u << 20;
    unsigned char *wide = malloc(big);
    for (size_t i = 0; i < big; i += 4096) wide[i] = (unsigned char)(i >> 12);
    for (size_t i = 0; i < big; i += 4096) sum = mix(sum, wide[i]);
    free(wide);
    printf("sum %lx\n", sum);
    malloc_trim(0);
    char *end = sbrk(0);
    CHECK(sbrk(100000) == end);
    memset(end, 7, 100000);
    CHECK((char *)sbrk(0) == end + 100000);
    CHECK(sbrk(-100000) == end + 100000);
    CHECK(brk(end + 5000) == 0);
    CHECK((char *)sbrk(0) == end + 5000);
    printf("fresh memory is zero: %d\n", end[4999] == 0 || end[4999] == 7);
    return 0;
}
