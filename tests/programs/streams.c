// Modes: "cat" copies standard input to standard output and counts it on standard error; "large" writes a
// megabyte in odd pieces; "pipe" writes to a pipe that nobody reads; "signals" registers handlers.

#include "check.h"
#include <signal.h>
#include <unistd.h>

static void copy(void) {
    static char buffer[7001];
    long total = 0, n;
    uint64_t sum = 0;
    while ((n = read(0, buffer, sizeof buffer)) > 0) {
        for (long i = 0; i < n; i++) sum = mix(sum, (unsigned char)buffer[i]);
        for (long done = 0; done < n;) done += write(1, buffer + done, (size_t)(n - done));
        total += n;
    }
    fprintf(stderr, "%ld bytes %lx\n", total, sum);
}

static void large(void) {
    for (int i = 0; i < 16000; i++) {
        for (int j = 0; j < i % 120 + 5; j++) putchar(' ' + (i * 7 + j * 13) % 95);
        putchar('\n');
    }
}

static void broken_pipe(void) {
    int p[2];
    signal(SIGPIPE, SIG_IGN);
    RESULT(pipe(p));
    RESULT(close(p[0]));
    RESULT(write(p[1], "x", 1));
    signal(SIGPIPE, SIG_DFL);
    fflush(stdout);
    write(p[1], "x", 1);  // dies here
    puts("not reached");
}

static void handler(int signal) {
    (void)signal;
}

static void registration(void) {
    struct sigaction action = {0}, old;
    sigset_t set;
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART | SA_NODEFER;
    sigaddset(&action.sa_mask, SIGUSR2);
    RESULT(sigaction(SIGUSR1, &action, NULL));
    RESULT(sigaction(SIGUSR1, NULL, &old));
    printf("handler %d flags %x mask %d %d\n", old.sa_handler == handler, old.sa_flags & (SA_RESTART | SA_NODEFER | SA_SIGINFO),
           sigismember(&old.sa_mask, SIGUSR2), sigismember(&old.sa_mask, SIGHUP));
    RESULT(sigaction(SIGKILL, &action, NULL));
    RESULT(sigaction(99, &action, NULL));
    RESULT(sigaction(SIGUSR2, NULL, &old));
    printf("default %d\n", old.sa_handler == SIG_DFL);
    sigemptyset(&set), sigaddset(&set, SIGUSR2);
    RESULT(sigprocmask(SIG_BLOCK, &set, NULL));
    RESULT(sigprocmask(SIG_SETMASK, NULL, &set));
    printf("blocked %d %d\n", sigismember(&set, SIGUSR2), sigismember(&set, SIGUSR1));
    raise(SIGUSR2);
    RESULT(sigpending(&set));
    printf("pending %d %d\n", sigismember(&set, SIGUSR2), sigismember(&set, SIGUSR1));
    static char other_stack[32768];
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack}, before;
    RESULT(sigaltstack(&stack, &before));
    printf("no stack before %d\n", before.ss_flags == SS_DISABLE);
    RESULT(sigaltstack(NULL, &before));
    printf("stack %d %zu\n", before.ss_sp == other_stack, before.ss_size);
    signal(SIGCHLD, SIG_IGN);
    RESULT(raise(SIGCHLD));
    RESULT(kill(getpid(), 0));
    RESULT(raise(99));
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (!strcmp(mode, "cat")) copy();
    else if (!strcmp(mode, "large")) large();
    else if (!strcmp(mode, "pipe")) broken_pipe();
    else if (!strcmp(mode, "signals")) registration();
    else return 2;
    return 0;
}
