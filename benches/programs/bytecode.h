// A register machine's program, shared by the two interpreters: nested loops with arithmetic, array access and
// comparisons. Instructions are four bytes: operation, destination, two sources.

#ifndef BYTECODE_H
#define BYTECODE_H

#include "bench.h"

enum { SET, ADD, SUBTRACT, MULTIPLY, XOR, SHIFT, LOAD, STORE, ADD_SMALL, LESS, JUMP_IF, JUMP_UNLESS, MOVE, HALT };

static uint64_t memory_cells[256];

// Registers: 0 round, 1 rounds, 2 index, 3 accumulator, 4 temporary, 5 condition, 6 limit, 7 loaded
static const unsigned char program_code[][4] = {
    /*  0 */ {SET, 3, 1, 0},         {SET, 6, 200, 0},   {SET, 0, 0, 0},
    /*  3 */ {SET, 2, 0, 0},
    /*  4 */ {LOAD, 7, 2, 0},        {MULTIPLY, 4, 3, 7}, {ADD, 3, 4, 2},       {SHIFT, 4, 3, 7},
    /*  8 */ {XOR, 3, 3, 4},         {ADD, 7, 7, 3},     {STORE, 7, 2, 0},      {LESS, 5, 3, 7},
    /* 12 */ {JUMP_IF, 14, 5, 0},    {SUBTRACT, 3, 3, 2},
    /* 14 */ {ADD_SMALL, 2, 2, 1},   {LESS, 5, 2, 6},    {JUMP_IF, 4, 5, 0},
    /* 17 */ {ADD_SMALL, 0, 0, 1},   {MOVE, 4, 3, 0},    {LESS, 5, 0, 1},       {JUMP_UNLESS, 22, 5, 0},
    /* 21 */ {JUMP_IF, 3, 5, 0},
    /* 22 */ {HALT, 0, 3, 0},
};

#endif
