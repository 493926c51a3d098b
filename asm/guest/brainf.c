// A bytecode interpreter: translates a program of the eight-command language to operations with counts and jump
// targets, then runs them. Loads, a jump table and unpredictable indirect branches.

#include "sys.h"

// Prints the alphabet; after each letter two nested loops waste time.
static const char source[] =
    "++++[>++++<-]>[>++++<-]"                    // cell 2 = 64, the code before 'A'
    "<++++++[>++++<-]>++"                        // cell 1 = 26 letters to go
    "["                                          //
    ">+."                                        // next letter
    ">++++++++++++++++++++++++++++++++++++++++"  // cell 3 = 40 rounds of
    "[>-[>+<-]>[-]<<-]"                          // 255 steps from cell 4 to cell 5, then clear it
    "<<-]"                                       //
    ">>++++++++++.";                             // line feed

enum operation { ADD, MOVE, LOOP, END, OUTPUT, STOP };

struct code {
    u8 operation;
    short argument;  // amount to add or move, or the index of the matching bracket
};

static struct code program[sizeof source];
static u8 cells[256];

static u8 operation_of(char command) {
    switch (command) {
    case '+':
    case '-': return ADD;
    case '<':
    case '>': return MOVE;
    case '[': return LOOP;
    case ']': return END;
    default: return OUTPUT;
    }
}

static void translate(void) {
    short open[16];
    u32 depth = 0;
    short at = 0;
    for (const char *p = source; *p; p++) {
        u8 operation = operation_of(*p);
        short step = *p == '+' || *p == '>' ? 1 : -1;
        if (operation <= MOVE && at && program[at - 1].operation == operation) {
            program[at - 1].argument = (short)(program[at - 1].argument + step);
            continue;
        }
        program[at].operation = operation;
        program[at].argument = step;
        if (operation == LOOP) open[depth++] = at;
        if (operation == END) {
            short start = open[--depth];
            program[at].argument = start;
            program[start].argument = at;
        }
        at++;
    }
    program[at].operation = STOP;
}

static u64 run(void) {
    u64 steps = 0;
    u8 *cell = cells;
    for (const struct code *code = program;; code++, steps++) {
        switch (code->operation) {
        case ADD: *cell = (u8)(*cell + code->argument); break;
        case MOVE: cell += code->argument; break;
        case LOOP:
            if (!*cell) code = program + code->argument;
            break;
        case END:
            if (*cell) code = program + code->argument;
            break;
        case OUTPUT: put((char)*cell); break;
        case STOP: return steps;
        }
    }
}

int main(void) {
    translate();
    u64 steps = run();
    put_decimal(steps);
    put_text(" steps\n");
    return 0;
}
