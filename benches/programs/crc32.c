// Integer: table-driven CRC-32 over a buffer, one dependent load a byte.
#include "bench.h"

static uint32_t table[256];
static unsigned char data[1 << 16];

int main(int argc, char **argv) {
    uint32_t seed = 1, crc = ~0u;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++) c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
        table[i] = c;
    }
    for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)random32(&seed);
    for (long round = scaled(argc, argv, 590); round > 0; round--)
        for (size_t i = 0; i < sizeof data; i++) crc = crc >> 8 ^ table[(crc ^ data[i]) & 255];
    return finish(~crc);
}
