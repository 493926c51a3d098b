// Allocation: malloc, realloc and free of varied sizes in random order.
#include "bench.h"

#define SLOTS 2000

int main(int argc, char **argv) {
    static unsigned char *slots[SLOTS];
    static size_t sizes[SLOTS];
    uint32_t seed = 31;
    uint64_t sum = 0;
    for (long step = scaled(argc, argv, 1900000); step > 0; step--) {
        uint32_t r = random32(&seed), at = r % SLOTS;
        size_t size = 8 + (r >> 12) % (r >> 28 == 0 ? 6000 : 200);
        if (slots[at] && r & 1 << 30) {
            slots[at] = realloc(slots[at], size);
            slots[at][size - 1] = (unsigned char)r;
        } else {
            if (slots[at]) sum += slots[at][sizes[at] - 1];
            free(slots[at]);
            slots[at] = malloc(size);
            slots[at][0] = slots[at][size - 1] = (unsigned char)r;
        }
        sizes[at] = size;
    }
    return finish(sum);
}
