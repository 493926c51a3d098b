// Indirect jumps: the same interpreter with an indirect jump after every operation.
#include "bytecode.h"

int main(int argc, char **argv) {
    static void *const actions[] = {&&set,  &&add,       &&subtract, &&multiply, &&xor,         &&shift, &&load,
                                    &&store, &&add_small, &&less,     &&jump_if,  &&jump_unless, &&move,  &&halt};
    uint64_t r[8] = {0, (uint64_t)scaled(argc, argv, 24000)};
    for (size_t i = 0; i < 256; i++) memory_cells[i] = i * i + 1;
    const unsigned char(*pc)[4] = program_code;
    const unsigned char *i;
#define NEXT i = *pc++; goto *actions[i[0]]
    NEXT;
set: r[i[1]] = i[2]; NEXT;
add: r[i[1]] = r[i[2]] + r[i[3]]; NEXT;
subtract: r[i[1]] = r[i[2]] - r[i[3]]; NEXT;
multiply: r[i[1]] = r[i[2]] * r[i[3]]; NEXT;
xor: r[i[1]] = r[i[2]] ^ r[i[3]]; NEXT;
shift: r[i[1]] = r[i[2]] >> i[3]; NEXT;
load: r[i[1]] = memory_cells[r[i[2]] & 255]; NEXT;
store: memory_cells[r[i[2]] & 255] = r[i[1]]; NEXT;
add_small: r[i[1]] = r[i[2]] + i[3]; NEXT;
less: r[i[1]] = r[i[2]] < r[i[3]]; NEXT;
jump_if:
    if (r[i[2]]) pc = program_code + i[1];
    NEXT;
jump_unless:
    if (!r[i[2]]) pc = program_code + i[1];
    NEXT;
move: r[i[1]] = r[i[2]]; NEXT;
halt:
    return finish(r[i[2]]);
}
