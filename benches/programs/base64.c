// Bytes: base64 encoding and decoding, with upper-casing and a byte histogram.
#include "bench.h"

#define SIZE 98304

static unsigned char data[SIZE], text[SIZE / 3 * 4], back[SIZE], value[256];
static uint32_t histogram[256];

int main(int argc, char **argv) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t seed = 11;
    uint64_t sum = 0;
    for (int i = 0; i < 64; i++) value[(unsigned char)digits[i]] = (unsigned char)i;
    for (int i = 0; i < SIZE; i++) data[i] = (unsigned char)random32(&seed);
    for (long round = scaled(argc, argv, 460); round > 0; round--) {
        for (int i = 0, o = 0; i < SIZE; i += 3, o += 4) {
            uint32_t word = (uint32_t)data[i] << 16 | (uint32_t)data[i + 1] << 8 | data[i + 2];
            text[o] = (unsigned char)digits[word >> 18], text[o + 1] = (unsigned char)digits[word >> 12 & 63];
            text[o + 2] = (unsigned char)digits[word >> 6 & 63], text[o + 3] = (unsigned char)digits[word & 63];
        }
        for (int i = 0; i < SIZE / 3 * 4; i++) histogram[text[i]]++;
        for (int i = 0, o = 0; o < SIZE; i += 4, o += 3) {
            uint32_t word = (uint32_t)value[text[i]] << 18 | (uint32_t)value[text[i + 1]] << 12 | (uint32_t)value[text[i + 2]] << 6 |
                            value[text[i + 3]];
            back[o] = (unsigned char)(word >> 16), back[o + 1] = (unsigned char)(word >> 8), back[o + 2] = (unsigned char)word;
        }
        if (memcmp(data, back, SIZE)) return 1;
        data[round % SIZE]++;
    }
    for (int i = 0; i < 256; i++) sum = sum * 31 + histogram[i];
    return finish(sum);
}
