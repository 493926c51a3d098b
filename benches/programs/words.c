// Text: splits generated text into words and counts them in a hash table.
#include "bench.h"
#include <ctype.h>

#define LENGTH 400000
#define SLOTS 8192

static char text[LENGTH + 1];
static struct {
    const char *word;
    uint32_t length, count;
} table[SLOTS];

static void count_word(const char *word, uint32_t length) {
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < length; i++) hash = (hash ^ (uint32_t)tolower((unsigned char)word[i])) * 16777619u;
    uint32_t slot = hash % SLOTS;
    while (table[slot].word && (table[slot].length != length || strncmp(table[slot].word, word, length))) slot = (slot + 1) % SLOTS;
    table[slot].word = word, table[slot].length = length, table[slot].count++;
}

int main(int argc, char **argv) {
    uint32_t seed = 13;
    uint64_t sum = 0;
    for (int i = 0; i < LENGTH;) {
        uint32_t r = random32(&seed) % 3000, length = 2 + r % 9;
        for (uint32_t j = 0; j < length && i < LENGTH; j++) text[i++] = (char)('a' + (r * (j + 3) >> 3) % 26);
        if (i < LENGTH) text[i++] = r % 11 ? ' ' : '\n';
    }
    for (long round = scaled(argc, argv, 74); round > 0; round--) {
        memset(table, 0, sizeof table);
        for (const char *p = text; *p;) {
            while (*p && !isalpha((unsigned char)*p)) p++;
            const char *start = p;
            while (isalpha((unsigned char)*p)) p++;
            if (p > start) count_word(start, (uint32_t)(p - start));
        }
        for (int i = 0; i < SLOTS; i++) sum = sum * 31 + table[i].count;
    }
    return finish(sum);
}
