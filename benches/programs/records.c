// A mixture after the manner of systems programs: records assigned whole, strings compared, enumerations, small
// procedures, pointers to pointers.
#include "bench.h"

enum kind { FIRST, SECOND, THIRD, FOURTH };

struct record {
    struct record *link;
    enum kind kind;
    int number;
    char text[32];
};

static struct record one, two;
static int table[50], grid[50][50], global;
static char letter;

__attribute__((noinline)) static enum kind successor(enum kind k, int limit) {
    switch (k) {
    case FIRST: return limit > 100 ? FIRST : FOURTH;
    case SECOND: return THIRD;
    case THIRD: return SECOND;
    default: return k;
    }
}

__attribute__((noinline)) static int same_letter(char a, char b, enum kind *out) {
    if (a != b) return 0;
    letter = a, *out = FIRST;
    return 1;
}

__attribute__((noinline)) static int later_text(const char *a, const char *b) {
    int at = 2;
    enum kind k = SECOND;
    while (at <= 2)
        if (!same_letter(a[at], b[at + 1], &k)) at++;
        else return 0;
    if (strcmp(a, b) > 0) {
        global = at + 7;
        return 1;
    }
    return 0;
}

__attribute__((noinline)) static void fill(int *row, int (*rows)[50], int a, int b) {
    int at = a + 5;
    row[at] = b, row[at + 1] = row[at], row[at + 30] = at;
    for (int i = at; i <= at + 1; i++) rows[at][i] = at;
    rows[at][at - 1]++, rows[at + 20][at] = row[at];
    global = 5;
}

__attribute__((noinline)) static void follow(struct record *r) {
    struct record *next = r->link;
    *next = *r;
    r->number = 5, next->number = r->number, next->link = r->link;
    if (next->kind == FIRST) {
        next->number = 6, next->kind = successor(r->kind, global);
        next->number += 10;
    } else {
        *r = *r->link;
    }
}

int main(int argc, char **argv) {
    uint64_t sum = 0;
    char text[32], other[32];
    strcpy(one.text, "A PROGRAM OF MANY SMALL PIECES"), strcpy(text, "A PROGRAM OF MANY LITTLE PARTS");
    for (long round = 1, rounds = scaled(argc, argv, 5800000); round <= rounds; round++) {
        one.link = &two, one.kind = round % 3 ? FIRST : THIRD;
        int a = 2, b = 3, c = 0;
        memcpy(other, "A PROGRAM OF MANY SMALL PIECES", 31);
        enum kind k = later_text(text, other) ? FIRST : SECOND;
        while (a < b) c = 5 * a - b, c += (int)(round & 7), a++;
        fill(table, grid, a, c);
        follow(&one);
        for (char l = 'A'; l <= letter % 4 + 'B'; l++)
            if (k == SECOND) k = successor(k, a), b = (int)round, strcpy(other, "A PROGRAM OF MANY SMALL PARTS"), global = b;
        b *= a, a = b / (c | 1), b = 7 * (b - c) - a;
        sum = sum * 31 + (uint32_t)(a + b + two.number + table[8] + (int)k) + (unsigned char)other[20];
    }
    return finish(sum);
}
