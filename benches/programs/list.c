// Pointers: walks a shuffled linked list, reverses it, removes and inserts nodes.
#include "bench.h"

#define NODES 20000

struct node {
    struct node *next;
    uint64_t value;
};

static struct node nodes[NODES];

int main(int argc, char **argv) {
    uint32_t seed = 3, order[NODES];
    uint64_t sum = 0;
    for (uint32_t i = 0; i < NODES; i++) order[i] = i;
    for (uint32_t i = NODES - 1; i > 0; i--) {
        uint32_t j = random32(&seed) % (i + 1), t = order[i];
        order[i] = order[j], order[j] = t;
    }
    struct node *head = NULL;
    for (uint32_t i = 0; i < NODES; i++) {
        nodes[order[i]] = (struct node){head, i};
        head = &nodes[order[i]];
    }
    for (long round = scaled(argc, argv, 890); round > 0; round--) {
        for (struct node *n = head; n; n = n->next) sum += n->value ^ sum << 1;
        if (round % 3 == 0) {
            struct node *reversed = NULL;
            while (head) {
                struct node *next = head->next;
                head->next = reversed, reversed = head, head = next;
            }
            head = reversed;
        } else {
            struct node *moved = head->next;
            head->next = moved->next;
            moved->value += sum & 15;
            moved->next = head, head = moved;
        }
    }
    return finish(sum);
}
