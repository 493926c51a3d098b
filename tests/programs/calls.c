// Calls that a prediction of returns must survive: stacks that are left, that overflow, that are switched, and calls
// through pointers whose targets share an entry of a table.
// link: static
// build: -fno-optimize-sibling-calls -fno-inline

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

typedef unsigned long u64;

static jmp_buf out;
static volatile u64 sum;

static u64 leave_at(int depth) {
    if (depth == 0) longjmp(out, 1);
    return leave_at(depth - 1) * 3 + 1;
}

static u64 depth_of(int depth) { return depth == 0 ? 1 : depth_of(depth - 1) * 3 + (u64)depth; }

// Out of thousands of frames, ten thousand times; a few calls that return in between.
static void jumps(void) {
    static volatile int round;
    for (round = 0; round < 10000; round++) {
        if (setjmp(out) == 0) sum += leave_at(1000 + round % 7 * 300);
        sum = sum * 5 + depth_of(round % 10);
    }
    printf("%lu\n", sum);
}

// Far more frames than a return stack holds; all of them return, several times.
static void deep(void) {
    for (int round = 0; round < 5; round++) printf("%lu\n", depth_of(100000 + round));
}

typedef u64 (*function)(int);
static function volatile pointers[8];

static u64 even(int n) { return n == 0 ? 7 : pointers[1](n - 1) + 1; }
static u64 odd(int n) { return n == 0 ? 9 : pointers[2](n - 1) * 3; }
static u64 third(int n) { return n == 0 ? 11 : pointers[0](n - 1) ^ 5; }

static void mutual(void) {
    pointers[0] = even, pointers[1] = odd, pointers[2] = third;
    for (int n = 0; n < 100000; n = n * 3 + 1) printf("%lu\n", pointers[n % 3](n));
    printf("%lu\n", even(100000));
}

// Their addresses are equal modulo a power of two, so that each call forgets the target of the one before.
__attribute__((aligned(65536))) static u64 ping(int n) { return n == 0 ? 1 : pointers[1](n - 1) + 2; }
__attribute__((aligned(65536))) static u64 pong(int n) { return n == 0 ? 3 : pointers[0](n - 1) * 3; }

static void collide(void) {
    pointers[0] = ping, pointers[1] = pong;
    for (int n = 100000; n < 150000; n += 9999) printf("%lu\n", pointers[n % 2](n));
}

// Dies of the end of the stack.
static void overflow(void) {
    pointers[0] = even, pointers[1] = odd, pointers[2] = third;
    puts("before");
    fflush(stdout);
    printf("%lu\n", even(100000000));
}

static ucontext_t main_context, contexts[3];

static void worker(int index) {
    for (int round = 0; round < 2000; round++) {
        sum = sum * 7 + depth_of(round % 20) + (u64)index;
        swapcontext(&contexts[index], &contexts[(index + 1) % 3]);
        sum = sum * 11 + depth_of(index);
    }
}

// Three stacks, each left in the middle of calls.
static void switching(void) {
    for (int index = 0; index < 3; index++) {
        getcontext(&contexts[index]);
        contexts[index].uc_stack.ss_size = 1 << 16;
        contexts[index].uc_stack.ss_sp = malloc(1 << 16);
        contexts[index].uc_link = &main_context;
        makecontext(&contexts[index], (void (*)(void))worker, 1, index);
    }
    swapcontext(&main_context, &contexts[0]);
    printf("%lu\n", sum);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "jumps")) jumps();
    if (!strcmp(what, "deep")) deep();
    if (!strcmp(what, "mutual")) mutual();
    if (!strcmp(what, "collide")) collide();
    if (!strcmp(what, "overflow")) overflow();
    if (!strcmp(what, "switching")) switching();
    return 0;
}
