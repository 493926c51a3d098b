// Bytes: a compressor that finds repeats through a hash table, and its decompressor.
#include "bench.h"

#define SIZE 300000

static unsigned char input[SIZE], packed[SIZE * 2], output[SIZE];
static int32_t last[1 << 14];

static size_t compress(void) {
    size_t out = 0;
    memset(last, -1, sizeof last);
    for (size_t at = 0; at < SIZE;) {
        size_t length = 0, distance = 0;
        if (at + 4 < SIZE) {
            uint32_t word = input[at] | (uint32_t)input[at + 1] << 8 | (uint32_t)input[at + 2] << 16 | (uint32_t)input[at + 3] << 24;
            uint32_t slot = word * 2654435761u >> 18;
            int32_t candidate = last[slot];
            last[slot] = (int32_t)at;
            if (candidate >= 0 && at - (size_t)candidate < 65536)
                while (length < 255 && at + length < SIZE && input[(size_t)candidate + length] == input[at + length]) length++;
            distance = at - (size_t)candidate;
        }
        if (length >= 5) {
            packed[out++] = 1, packed[out++] = (unsigned char)length;
            packed[out++] = (unsigned char)distance, packed[out++] = (unsigned char)(distance >> 8);
            at += length;
        } else {
            packed[out++] = 0, packed[out++] = input[at++];
        }
    }
    return out;
}

static size_t decompress(size_t size) {
    size_t out = 0;
    for (size_t at = 0; at < size;) {
        if (packed[at]) {
            size_t distance = packed[at + 2] | (size_t)packed[at + 3] << 8;
            for (int n = packed[at + 1]; n > 0; n--, out++) output[out] = output[out - distance];
            at += 4;
        } else {
            output[out++] = packed[at + 1], at += 2;
        }
    }
    return out;
}

int main(int argc, char **argv) {
    uint32_t seed = 5;
    uint64_t sum = 0;
    for (size_t i = 0; i < SIZE; i++) {
        uint32_t r = random32(&seed);
        input[i] = i > 1000 && r % 4 ? input[i - 1 - (r >> 27) * 29] : (unsigned char)('a' + r / 64 % 26);
    }
    for (long round = scaled(argc, argv, 90); round > 0; round--) {
        size_t size = compress();
        if (decompress(size) != SIZE || memcmp(input, output, SIZE)) return 1;
        sum = sum * 31 + size;
        input[(size_t)round * 7919 % SIZE] ^= 1;
    }
    return finish(sum);
}
