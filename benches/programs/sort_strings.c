// Text: sorts strings with qsort and strcmp, formats and parses numbers.
#include "bench.h"

#define COUNT 8000

static char storage[COUNT][24];
static const char *strings[COUNT];

static int compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int main(int argc, char **argv) {
    uint32_t seed = 41;
    uint64_t sum = 0;
    for (long round = scaled(argc, argv, 69); round > 0; round--) {
        for (int i = 0; i < COUNT; i++) {
            uint32_t number = random32(&seed) % 5000, tail = random32(&seed);
            snprintf(storage[i], sizeof storage[i], "key-%u-%x", number, tail);
            strings[i] = storage[i];
        }
        qsort(strings, COUNT, sizeof *strings, compare);
        for (int i = 0; i < COUNT; i += 7) sum = sum * 31 + strtoul(strings[i] + 4, NULL, 10) + (unsigned char)strings[i][strlen(strings[i]) - 1];
    }
    return finish(sum);
}
