// Allocation: builds, checks and frees complete binary trees.
#include "bench.h"

struct tree {
    struct tree *left, *right;
};

static struct tree *build(int depth) {
    struct tree *t = malloc(sizeof *t);
    t->left = depth ? build(depth - 1) : NULL;
    t->right = depth ? build(depth - 1) : NULL;
    return t;
}

static uint64_t count(const struct tree *t) {
    return t ? 1 + count(t->left) + count(t->right) : 0;
}

static void drop(struct tree *t) {
    if (!t) return;
    drop(t->left), drop(t->right);
    free(t);
}

int main(int argc, char **argv) {
    uint64_t sum = 0;
    for (long round = scaled(argc, argv, 390); round > 0; round--) {
        struct tree *t = build(10 + (int)(round % 6));
        sum = sum * 31 + count(t);
        drop(t);
    }
    return finish(sum);
}
