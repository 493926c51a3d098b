// Indirect jumps: a bytecode interpreter with one switch.
#include "bytecode.h"

int main(int argc, char **argv) {
    uint64_t r[8] = {0, (uint64_t)scaled(argc, argv, 24000)};
    for (size_t i = 0; i < 256; i++) memory_cells[i] = i * i + 1;
    for (const unsigned char(*pc)[4] = program_code;; pc++) {
        const unsigned char *i = *pc;
        switch (i[0]) {
        case SET: r[i[1]] = i[2]; break;
        case ADD: r[i[1]] = r[i[2]] + r[i[3]]; break;
        case SUBTRACT: r[i[1]] = r[i[2]] - r[i[3]]; break;
        case MULTIPLY: r[i[1]] = r[i[2]] * r[i[3]]; break;
        case XOR: r[i[1]] = r[i[2]] ^ r[i[3]]; break;
        case SHIFT: r[i[1]] = r[i[2]] >> i[3]; break;
        case LOAD: r[i[1]] = memory_cells[r[i[2]] & 255]; break;
        case STORE: memory_cells[r[i[2]] & 255] = r[i[1]]; break;
        case ADD_SMALL: r[i[1]] = r[i[2]] + i[3]; break;
        case LESS: r[i[1]] = r[i[2]] < r[i[3]]; break;
        case JUMP_IF:
            if (r[i[2]]) pc = program_code + i[1] - 1;
            break;
        case JUMP_UNLESS:
            if (!r[i[2]]) pc = program_code + i[1] - 1;
            break;
        case MOVE: r[i[1]] = r[i[2]]; break;
        case HALT: return finish(r[i[2]]);
        }
    }
}
