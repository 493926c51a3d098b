// Pointers: a binary search tree with random priorities (treap): insertions with rotations, then look-ups.
#include "bench.h"

struct node {
    struct node *child[2];
    uint32_t key, priority;
};

static struct node *pool;
static uint32_t used, seed = 99;

static struct node *insert(struct node *t, uint32_t key) {
    if (!t) {
        pool[used] = (struct node){{NULL, NULL}, key, random32(&seed)};
        return &pool[used++];
    }
    if (key == t->key) return t;
    int side = key > t->key;
    struct node *c = t->child[side] = insert(t->child[side], key);
    if (c->priority > t->priority) {
        t->child[side] = c->child[!side];
        c->child[!side] = t;
        return c;
    }
    return t;
}

int main(int argc, char **argv) {
    uint64_t sum = 0;
    pool = malloc(sizeof *pool * 20000);
    for (long round = scaled(argc, argv, 13); round > 0; round--) {
        struct node *root = NULL;
        used = 0;
        for (int i = 0; i < 20000; i++) root = insert(root, random32(&seed) % 100000);
        for (uint32_t i = 0; i < 60000; i++) {
            uint32_t key = i * 7919u % 100000, depth = 0;
            const struct node *n = root;
            while (n && n->key != key) n = n->child[key > n->key], depth++;
            sum += n ? depth : 1;
        }
    }
    return finish(sum);
}
