// Shared by the guest programs: each prints what it computes, and the test compares the text with another
// emulator's. Values go through `opaque`, so that the compiler cannot compute them beforehand.

#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Prints a condition and whether it holds: for facts whose numbers may differ between emulators.
#define CHECK(condition) printf("%s: %s\n", #condition, (condition) ? "yes" : "NO")

// Prints a call and its result, with the name of the error when it is -1.
#define RESULT(call) print_result(#call, (long)(call))

static inline long print_result(const char *text, long result) {
    if (result == -1)
        printf("%s = -1 %s\n", text, strerrorname_np(errno));
    else
        printf("%s = %ld\n", text, result);
    return result;
}

static inline uint64_t opaque(uint64_t value) {
    __asm__ volatile("" : "+r"(value));
    return value;
}

// A running checksum of 64-bit values (multiply and xor-shift), for results too many to print.
static inline uint64_t mix(uint64_t sum, uint64_t value) {
    sum = (sum ^ value) * 0x9e3779b97f4a7c15u;
    return sum ^ sum >> 29;
}

static inline uint64_t checksum(const void *bytes, size_t count) {
    uint64_t sum = count;
    for (size_t i = 0; i < count; i++) sum = mix(sum, ((const unsigned char *)bytes)[i]);
    return sum;
}

// A repeatable sequence of numbers (xorshift64*).
static uint64_t random_state = 88172645463325252u;

__attribute__((unused)) static uint64_t next_random(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1du;
}

// Where a thread cannot be started, the program ends: it would wait for it for ever, or find nothing wrong.
__attribute__((unused)) static int guarded_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg) {
    int error = pthread_create(thread, attributes, run, arg);
    if (error) printf("pthread_create: %s\n", strerrorname_np(error)), exit(3);
    return 0;
}

// Where fork fails, the program ends: it would signal its child by the number -1, which means every process of the
// machine. Nor does any program signal the machine's first process, or its own group.
__attribute__((unused)) static pid_t guarded_fork(void) {
    pid_t child = fork();
    if (child < 0) printf("fork: %s\n", strerrorname_np(errno)), exit(3);
    return child;
}

__attribute__((unused)) static int guarded_kill(pid_t to, int number) {
    if (to >= -1 && to <= 1) printf("kill: %d\n", to), exit(3);
    return kill(to, number);
}

#define pthread_create guarded_create
#define fork() guarded_fork()
#define kill(to, number) guarded_kill(to, number)

// A program of several cases runs the one that its first argument names.
struct test_case {
    const char *name;
    void (*run)(void);
};

#define CASE(function) {#function, function}

__attribute__((unused)) static int run_case(const struct test_case *cases, int argc, char **argv) {
    for (; argc > 1 && cases->name; cases++)
        if (!strcmp(cases->name, argv[1])) return cases->run(), 0;
    return 2;
}

#endif
