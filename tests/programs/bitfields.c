// Bit fields, packed structures, unions and structures passed and returned by value.

#include "check.h"

struct fields {
    unsigned a : 3;
    signed b : 5;
    unsigned c : 11;
    signed d : 13;
    unsigned long e : 37;
    signed long f : 27;
};

struct __attribute__((packed)) packed {
    char tag;
    uint32_t word;
    uint16_t half;
    uint64_t wide;
};

struct pair {
    double x;
    long n;
};

struct floats {
    float x, y;
};

struct big {
    long v[5];
};

static struct fields __attribute__((noinline)) fill(uint64_t seed) {
    struct fields s = {0};
    s.a = seed & 7, s.b = (int)seed, s.c = (unsigned)(seed >> 3), s.d = (int)(seed >> 9);
    s.e = seed >> 13, s.f = (long)(seed >> 21);
    return s;
}

static struct pair __attribute__((noinline)) swap_kind(struct pair p) {
    return (struct pair){.x = (double)p.n, .n = (long)p.x};
}

static struct floats __attribute__((noinline)) rotate(struct floats f) {
    return (struct floats){.x = -f.y, .y = f.x};
}

static struct big __attribute__((noinline)) reverse(struct big b) {
    struct big r;
    for (int i = 0; i < 5; i++) r.v[i] = b.v[4 - i];
    return r;
}

int main(void) {
    for (int i = 0; i < 50; i++) {
        struct fields s = fill(next_random());
        printf("%u %d %u %d %lu %ld", s.a, s.b, s.c, s.d, (unsigned long)s.e, (long)s.f);
        s.a++, s.b--, s.c += 1000, s.d *= 3, s.e ^= 0x155555555, s.f >>= 2;
        printf(" -> %u %d %u %d %lu %ld %lx\n", s.a, s.b, s.c, s.d, (unsigned long)s.e, (long)s.f, checksum(&s, sizeof s));
    }
    struct packed p = {.tag = 'x', .word = 0xdeadbeef, .half = 0xcafe, .wide = 0x0123456789abcdef};
    p.word += (uint32_t)opaque(1), p.half ^= (uint16_t)opaque(0xff), p.wide *= opaque(3);
    printf("packed %zu %c %x %x %lx %lx\n", sizeof p, p.tag, p.word, p.half, p.wide, checksum(&p, sizeof p));
    struct pair q = swap_kind((struct pair){.x = 2.75, .n = -9});
    printf("pair %g %ld\n", q.x, q.n);
    struct floats f = rotate((struct floats){1.5f, 2.5f});
    printf("floats %g %g\n", (double)f.x, (double)f.y);
    struct big b = reverse((struct big){{1, 2, 3, 4, 5}});
    printf("big %ld %ld %ld %ld %ld\n", b.v[0], b.v[1], b.v[2], b.v[3], b.v[4]);
    return 0;
}
