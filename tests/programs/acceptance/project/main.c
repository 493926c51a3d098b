#include <stdio.h>

#include "parts.h"

int main(void) {
    unsigned (*parts[])(unsigned) = {part0, part1, part2, part3, part4, part5, part6, part7, part8};
    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) printf("part %u: %08x\n", i, parts[i](i));
    return 0;
}
