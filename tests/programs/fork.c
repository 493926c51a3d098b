// build: -pthread -lrt
// Processes: fork, vfork, clone, posix_spawn, and the ways to wait. Only the first process prints, or its
// children in turn.

#include "check.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void pause_for(long microseconds) {
    nanosleep(&(struct timespec){microseconds / 1000000, microseconds % 1000000 * 1000}, NULL);
}

static const char *describe(int status) {
    static char text[64];
    if (WIFEXITED(status)) sprintf(text, "exit code %d", WEXITSTATUS(status));
    else if (WIFSIGNALED(status)) sprintf(text, "signal %d", WTERMSIG(status));
    else if (WIFSTOPPED(status)) sprintf(text, "stopped by %d", WSTOPSIG(status));
    else if (WIFCONTINUED(status)) sprintf(text, "continued");
    else sprintf(text, "status %x", (unsigned)status);
    return text;
}

static pid_t start(void (*function)(void)) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        function();
        fflush(stdout);
        _exit(0);
    }
    return child;
}

static int wait_for(pid_t child) {
    int status = -1;
    if (waitpid(child, &status, 0) != child) printf("waitpid: %s\n", strerrorname_np(errno));
    return status;
}

static void *shared_page(void) {
    return mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static int way;

static void end_somehow(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    switch (way) {
    case 0: _exit(0);
    case 1: _exit(255);
    case 2: exit(256 + 7);
    case 3: abort();
    case 4: raise(SIGKILL);
    case 5: *(volatile int *)opaque(0) = 1;
    case 6: raise(SIGTERM);
    case 7: raise(SIGRTMIN);
    case 8: syscall(SYS_exit, 77);
    case 9: syscall(SYS_exit_group, -1);
    case 10: alarm(0), raise(SIGALRM);
    }
}

static void endings(void) {
    for (way = 0; way <= 10; way++) {
        pid_t child = start(end_somehow);
        int status = wait_for(child);
        if (way == 7) printf("7: real-time signal %d\n", WIFSIGNALED(status) && WTERMSIG(status) == SIGRTMIN);
        else printf("%d: %s\n", way, describe(status));
        siginfo_t info = {0};
        child = start(end_somehow);
        RESULT(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
        RESULT(waitid(P_ALL, 0, &info, WEXITED));
        printf("code %d status %d pid %d uid %d signo %d\n", info.si_code, way == 7 ? 0 : info.si_status, info.si_pid == child,
               info.si_uid == getuid(), info.si_signo);
    }
    int status;
    RESULT(wait(&status));
    RESULT(waitpid(-1, &status, WNOHANG));
    RESULT(waitpid(getpid(), &status, 0));
    RESULT(waitpid(1 << 30, &status, 0));
    RESULT(waitpid(-1, &status, 0x7000));
    RESULT(waitid(P_ALL, 0, NULL, 0));
    RESULT(waitid(77, 0, NULL, WEXITED));
}

static void sleep_long(void) {
    for (;;) pause();
}

static void stopping(void) {
    int status;
    pid_t child = start(sleep_long);
    RESULT(waitpid(child, &status, WNOHANG | WUNTRACED | WCONTINUED));
    for (int i = 0; i < 2; i++) {
        RESULT(kill(child, i ? SIGSTOP : SIGTSTP) + kill(child, SIGSTOP));
        RESULT(waitpid(child, &status, WUNTRACED) == child);
        printf("%d\n", WIFSTOPPED(status));
        RESULT(kill(child, SIGCONT));
        RESULT(waitpid(child, &status, WCONTINUED) == child);
        puts(describe(status));
    }
    siginfo_t info;
    kill(child, SIGSTOP);
    RESULT(waitid(P_PID, (id_t)child, &info, WSTOPPED));
    printf("code %d status %d\n", info.si_code, info.si_status);
    kill(child, SIGCONT);
    RESULT(waitid(P_PID, (id_t)child, &info, WCONTINUED));
    printf("code %d status %d\n", info.si_code, info.si_status);
    kill(child, SIGSTOP), kill(child, SIGKILL);
    do RESULT(waitpid(child, &status, WUNTRACED) == child);
    while (WIFSTOPPED(status));
    puts(describe(status));
}

static long numbers[100000];
static int from_child[2], to_child[2];

static void change_memory(void) {
    long sum = 0;
    for (int i = 0; i < 100000; i++) sum += numbers[i], numbers[i] = -1;
    void *more = sbrk(1 << 20);
    memset(more, 7, 1 << 20);
    char *text = malloc(100);
    strcpy(text, "the child's own");
    printf("child: sum %ld, %s, fork of a fork: ", sum, text);
    pid_t child = start(end_somehow);
    puts(describe(wait_for(child)));
}

// Each has its own memory from the fork on, and both have what was there before.
static void memory(void) {
    for (int i = 0; i < 100000; i++) numbers[i] = i;
    char *mapped = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(mapped, "before");
    way = 2;
    for (int round = 0; round < 3; round++) {
        pid_t child = start(change_memory);
        for (int i = 0; i < 100000; i += 10) numbers[i] += 1;
        puts(describe(wait_for(child)));
        long sum = 0;
        for (int i = 0; i < 100000; i++) sum += numbers[i];
        printf("parent: sum %ld, %s\n", sum, mapped);
    }
}

static struct {
    _Atomic long counter;
    uint32_t word;
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    pthread_barrier_t gate;
    long guarded, turn;
} *shared;

static void use_shared(void) {
    pthread_barrier_wait(&shared->gate);
    for (int i = 0; i < 2000; i++) {
        shared->counter += 3;
        pthread_mutex_lock(&shared->mutex);
        shared->guarded = shared->guarded + 1;
        pthread_mutex_unlock(&shared->mutex);
    }
    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&shared->mutex);
        while (shared->turn % 4 != way) pthread_cond_wait(&shared->condition, &shared->mutex);
        shared->turn++;
        pthread_cond_broadcast(&shared->condition);
        pthread_mutex_unlock(&shared->mutex);
    }
    while (shared->word == 0) syscall(SYS_futex, &shared->word, FUTEX_WAIT, 0, NULL, NULL, 0);
    _exit(10 + way);
}

static void sharing(void) {
    pthread_mutexattr_t mutex;
    pthread_condattr_t condition;
    pthread_barrierattr_t gate;
    shared = shared_page();
    pthread_mutexattr_init(&mutex), pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_condattr_init(&condition), pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
    pthread_barrierattr_init(&gate), pthread_barrierattr_setpshared(&gate, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared->mutex, &mutex), pthread_cond_init(&shared->condition, &condition);
    pthread_barrier_init(&shared->gate, &gate, 5);
    pid_t children[4];
    for (way = 0; way < 4; way++) children[way] = start(use_shared);
    pthread_barrier_wait(&shared->gate);
    for (int i = 0; i < 2000; i++) shared->counter += 3;
    pause_for(5000);
    __atomic_store_n(&shared->word, 1, __ATOMIC_SEQ_CST);
    CHECK(syscall(SYS_futex, &shared->word, FUTEX_WAKE, 100, NULL, NULL, 0) <= 4);
    for (int i = 0; i < 4; i++) puts(describe(wait_for(children[i])));
    printf("counter %ld guarded %ld turn %ld\n", shared->counter, shared->guarded, shared->turn);
}

static _Atomic int running, busy_stop;

static void *keep_busy(void *arg) {
    running++;
    while (!busy_stop) {
        char *text = malloc((size_t)(100 + (long)arg * 1000));
        text[0] = 1;
        free(text);
        numbers[(long)arg]++;
    }
    return NULL;
}

static void *just_return(void *arg) {
    return (char *)arg + 1;
}

static __thread int own_value = 5;

static void live_alone(void) {
    if (gettid() != getpid() || own_value != 6) _exit(1);
    long before = numbers[0] + numbers[1] + numbers[2];
    void *blocks[100];
    for (int i = 0; i < 100; i++) blocks[i] = malloc((size_t)(i * 50 + 1));
    for (int i = 0; i < 100; i++) free(blocks[i]);
    pause_for(2000);
    if (numbers[0] + numbers[1] + numbers[2] != before) _exit(2);  // the others are not here
    pthread_t thread;
    void *result;
    if (pthread_create(&thread, NULL, just_return, (void *)41) || pthread_join(thread, &result) || (long)result != 42) _exit(3);
    _exit(44);
}

static void *fork_here(void *arg) {
    own_value = 6;
    return (void *)(long)wait_for(start(live_alone));
}

// The child has one thread only, the one that forked, whatever the others were doing.
static void with_threads(void) {
    pthread_t busy[3], thread;
    own_value = 6;
    for (long i = 0; i < 3; i++) pthread_create(&busy[i], NULL, keep_busy, (void *)i);
    while (running < 3) sched_yield();
    for (int i = 0; i < 5; i++) puts(describe(wait_for(start(live_alone))));
    for (int i = 0; i < 5; i++) {
        void *status;
        pthread_create(&thread, NULL, fork_here, NULL);
        pthread_join(thread, &status);
        puts(describe((int)(long)status));
    }
    busy_stop = 1;
    for (int i = 0; i < 3; i++) pthread_join(busy[i], NULL);
}

static volatile int seen_by_parent;

// The child shares the memory, and the parent waits until it has ended or started another program.
static void vforked(void) {
    for (int i = 1; i <= 20; i++) {
        pid_t child = vfork();
        if (child == 0) {
            seen_by_parent += i;
            _exit(i);
        }
        if (seen_by_parent != i * (i + 1) / 2) puts("not seen");
        int status = wait_for(child);
        if (i % 5 == 0) printf("%d: %s\n", seen_by_parent, describe(status));
    }
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    pid_t child = vfork();
    if (child == 0) {
        struct timespec nap = {0, 20000000};
        syscall(SYS_nanosleep, &nap, NULL);
        _exit(0);
    }
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 >= 19);
    wait_for(child);
    child = vfork();
    if (child == 0) {
        execve("/no/such/program", (char *[]){"x", NULL}, environ);
        seen_by_parent = errno;
        _exit(3);
    }
    printf("%s, %s\n", strerrorname_np(seen_by_parent), describe(wait_for(child)));
}

static int run_cloned(void *arg) {
    numbers[0] += (long)arg;
    return 12;
}

static void cloned(void) {
    static char stack[65536] __attribute__((aligned(16)));
    char *top = stack + sizeof stack;
    // Waits for the child, which has a stack of its own and all else in common.
    pid_t child = clone(run_cloned, top, CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)5);
    printf("%s\n", describe(wait_for(child)));
    printf("memory %ld\n", numbers[0]);
    child = clone(run_cloned, top, CLONE_VM | CLONE_VFORK, (void *)6);
    int status;
    RESULT(waitpid(child, &status, 0));
    RESULT(waitpid(child, &status, __WCLONE) == child);
    printf("memory %ld\n", numbers[0]);
    child = clone(run_cloned, top, SIGCHLD, (void *)7);
    printf("%s\n", describe(wait_for(child)));
    printf("memory %ld\n", numbers[0]);
    pid_t told = 0;
    child = clone(run_cloned, top, CLONE_PARENT_SETTID | SIGCHLD, (void *)7, &told);
    CHECK(told == child);
    printf("%s\n", describe(wait_for(child)));
    RESULT(clone(run_cloned, top, CLONE_THREAD, NULL));
    RESULT(clone(run_cloned, top, CLONE_SIGHAND, NULL));
}

// How the parent is told of a child's end is the parent's choice.
static volatile int told[65];

static void tell(int number) { told[number]++; }

static void exit_signals(void) {
    static const int numbers[] = {SIGUSR1, 0, SIGCHLD, SIGUSR2};
    signal(SIGUSR1, tell), signal(SIGUSR2, tell), signal(SIGCHLD, tell);
    for (int i = 0; i < 4; i++) {
        int status;
        pid_t child = syscall(SYS_clone, numbers[i], 0, 0, 0, 0);
        if (child == 0) {
            char *memory = malloc(100000);
            memory[5000] = i;
            syscall(SYS_exit_group, memory[5000] + 10 + (syscall(SYS_gettid) != syscall(SYS_getpid)));
        }
        pid_t ordinary = waitpid(child, &status, 0);
        while (ordinary != child && waitpid(child, &status, __WCLONE) != child) {}
        printf("%s, ordinary %d, told %d %d %d\n", describe(status), ordinary == child, told[SIGUSR1], told[SIGCHLD], told[SIGUSR2]);
    }
}

// A process that starts many others does not grow.
static long resident(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    fscanf(file, "%*s %ld", &pages);
    fclose(file);
    return pages * 4096;
}

static void growth(void) {
    mmap(NULL, 1 << 29, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    char *args[] = {"true", "some", "arguments", NULL};
    long before = 0;
    pid_t child;
    for (int i = 0; i < 400; i++) {
        if (i == 80) before = resident();
        if (posix_spawn(&child, "/bin/true", NULL, NULL, args, environ) || wait_for(child)) puts("failed");
    }
    long more = resident() - before;
    if (more >= 700000) printf("more by %ld\n", more);
    CHECK(more < 700000);
}

// The process ends while its first thread sleeps until a child of vfork is done.
static void *end_all(void *arg) {
    pause_for(30000);
    syscall(SYS_exit_group, 7);
    return arg;
}

static void away(void) {
    pthread_t thread;
    struct timespec nap = {2, 0};
    pthread_create(&thread, NULL, end_all, NULL);
    if (vfork() == 0) {
        for (int fd = 0; fd < 3; fd++) syscall(SYS_close, fd);
        syscall(SYS_nanosleep, &nap, NULL);
        _exit(0);
    }
}

static void run_away(void) { execve("/proc/self/exe", (char *[]){"fork", "away", NULL}, environ); }

static void end_during_vfork(void) {
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 0; i < 2; i++) printf("%s\n", describe(wait_for(start(i ? away : run_away))));
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 < 1900);
}

static void spawn(void) {
    pid_t child = 77;
    char *args[] = {"sh", "-c", "exit 9", NULL};
    printf("no such program: %s\n", strerrorname_np(posix_spawn(&child, "/no/such/program", NULL, NULL, args, environ)));
    printf("a folder: %s\n", strerrorname_np(posix_spawn(&child, "/", NULL, NULL, args, environ)));
    printf("not in PATH: %s\n", strerrorname_np(posix_spawnp(&child, "no-such-program-at-all", NULL, NULL, args, environ)));
    printf("child %d\n", child);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/no/such/folder/file", O_WRONLY, 0);
    printf("no such file: %s\n", strerrorname_np(posix_spawn(&child, "/proc/self/exe", &actions, NULL, args, environ)));
    int status;
    RESULT(waitpid(-1, &status, 0));
    // This program, with a case that says what it was given.
    posix_spawnattr_t attributes;
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGUSR1);
    signal(SIGUSR2, SIG_IGN);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &set);
    sigemptyset(&set), sigaddset(&set, SIGUSR2);
    posix_spawnattr_setsigdefault(&attributes, &set);
    pipe(from_child);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, from_child[1], 1);
    posix_spawn_file_actions_addclose(&actions, from_child[0]);
    args[0] = "fork", args[1] = "spawned", args[2] = NULL;
    for (int i = 0; i < 3; i++) {
        char text[300];
        fflush(stdout);
        RESULT(posix_spawn(&child, "/proc/self/exe", &actions, &attributes, args, environ));
        printf("%s\n", describe(wait_for(child)));
        long length = read(from_child[0], text, sizeof text);
        printf("%.*s", (int)length, text);
    }
    fflush(stdout);
    RESULT(system("exit 3") >> 8);
    FILE *file = popen("echo from the shell", "r");
    char line[100] = "";
    fgets(line, sizeof line, file);
    printf("%s%d\n", line, pclose(file));
}

static void spawned(void) {
    sigset_t set;
    struct sigaction action;
    sigprocmask(SIG_BLOCK, NULL, &set);
    sigaction(SIGUSR2, NULL, &action);
    printf("spawned: blocked %d default %d own group %d\n", sigismember(&set, SIGUSR1), action.sa_handler == SIG_DFL, getpgid(0) == getpid());
}

static void before(void) { printf("prepare "); }
static void before_too(void) { printf("prepare too "); }
static void in_parent(void) { printf("parent "); }
static void in_child(void) { printf("child "); }
static void in_child_too(void) { printf("child too\n"); }

static void at_fork(void) {
    pthread_atfork(before, in_parent, in_child);
    pthread_atfork(before_too, NULL, in_child_too);
    for (int i = 0; i < 2; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (!child) fflush(stdout), _exit(0);
        wait_for(child);
        puts("");
    }
}

static void ask_parent(void) {
    pid_t before = getppid();
    char byte;
    close(from_child[0]);
    if (start(end_somehow) < 0) _exit(1);
    pid_t child = fork();
    if (!child) {
        read(to_child[0], &byte, 1);  // until the parent has ended
        for (int i = 0; i < 1000 && getppid() == before; i++) pause_for(1000);
        write(from_child[1], "o", 1);
        _exit(0);
    }
    _exit(0);
}

// The child of a process that has ended gets another parent.
static void orphan(void) {
    char byte = 0;
    pipe(from_child), pipe(to_child);
    way = 0;
    wait_for(start(ask_parent));
    write(to_child[1], "x", 1);
    close(from_child[1]);
    RESULT(read(from_child[0], &byte, 1));
    printf("%c\n", byte);
    RESULT(read(from_child[0], &byte, 1));
    // And a signal when it asks for one.
    pipe(from_child);
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        if (!fork()) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            write(from_child[1], "r", 1);
            for (;;) pause();
        }
        read(from_child[0], &byte, 1);
        _exit(0);
    }
    wait_for(child);
    close(from_child[1]);
    RESULT(read(from_child[0], &byte, 1));  // at the end of the last process that could write
}

static volatile sig_atomic_t reaped, sum_of_codes;

static void reap(int number) {
    int status, saved = errno;
    while (waitpid(-1, &status, WNOHANG) > 0) reaped++, sum_of_codes += WEXITSTATUS(status);
    errno = saved;
}

static void child_signals(void) {
    struct sigaction action = {0};
    sigset_t set, none;
    action.sa_handler = reap, action.sa_flags = SA_RESTART;
    sigaction(SIGCHLD, &action, NULL);
    sigemptyset(&set), sigaddset(&set, SIGCHLD), sigemptyset(&none);
    for (int i = 0; i < 30; i++)
        if (!fork()) pause_for(i % 7 * 500), _exit(i);
    sigprocmask(SIG_BLOCK, &set, NULL);
    while (reaped < 30) sigsuspend(&none);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    printf("reaped %d sum %d\n", reaped, sum_of_codes);
    signal(SIGCHLD, SIG_IGN);  // children leave nothing behind
    for (int i = 0; i < 5; i++)
        if (!fork()) _exit(i);
    int status;
    RESULT(waitpid(-1, &status, 0));
    action.sa_handler = SIG_DFL, action.sa_flags = SA_NOCLDWAIT;
    sigaction(SIGCHLD, &action, NULL);
    if (!fork()) _exit(1);
    RESULT(waitpid(-1, &status, 0));
    action.sa_flags = 0;
    sigaction(SIGCHLD, &action, NULL);
    puts(describe(wait_for(start(end_somehow))));
}

// A number goes through fifty processes; each adds to it.
static void pipeline(void) {
    int ends[2], input = -1;
    pipe(ends);
    int first = ends[1];
    input = ends[0];
    for (int i = 0; i < 50; i++) {
        pipe(ends);
        fflush(stdout);
        if (!fork()) {
            long value;
            close(ends[0]), close(first);
            while (read(input, &value, sizeof value) == sizeof value) value += i, write(ends[1], &value, sizeof value);
            _exit(0);
        }
        close(input), close(ends[1]);
        input = ends[0];
    }
    long sum = 0, value;
    for (long i = 0; i < 100; i++) write(first, &i, sizeof i);
    close(first);
    while (read(input, &value, sizeof value) == sizeof value) sum += value;
    int count = 0, status;
    while (wait(&status) > 0) count += status == 0;
    printf("sum %ld processes %d\n", sum, count);
}

static void in_session(void) {
    pid_t own = getpid();
    CHECK(getpgid(0) == getppid() || getpgid(0) != own);
    RESULT(setsid() == own);
    CHECK(getsid(0) == own && getpgrp() == own);
    RESULT(setsid());
    RESULT(setpgid(0, 0));
}

static void groups(void) {
    puts(describe(wait_for(start(in_session))));
    pid_t first = start(sleep_long), second = start(sleep_long);
    RESULT(setpgid(first, first));
    RESULT(setpgid(second, first));
    CHECK(getpgid(first) == first && getpgid(second) == first && getpgid(0) != first && getsid(first) == getsid(0));
    RESULT(setpgid(second, 1 << 30));
    RESULT(getpgid(1 << 30));
    RESULT(setpgid(0, -1));
    RESULT(kill(-first, SIGTERM));
    int status;
    pid_t a = waitpid(-first, &status, 0), b = waitpid(-first, &status, 0);
    printf("%s, both %d\n", describe(status), a + b == first + second);
    RESULT(waitpid(-first, &status, 0));
    RESULT(kill(-first, 0));
}

static void spin(void) {
    struct timespec t;
    do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    while (t.tv_nsec < 20000000);
}

static void usage(void) {
    struct rusage used = {0}, all = {0};
    int status;
    pid_t child = start(spin);
    RESULT(wait4(child, &status, 0, &used) == child);
    CHECK(used.ru_utime.tv_sec * 1000000 + used.ru_utime.tv_usec + used.ru_stime.tv_usec >= 15000 && used.ru_maxrss > 0);
    RESULT(getrusage(RUSAGE_CHILDREN, &all));
    CHECK(all.ru_utime.tv_usec >= used.ru_utime.tv_usec);
}

static void many(void) {
    long sum = 0;
    for (way = 0; way < 100; way++) {
        pid_t child = fork();
        if (!child) _exit(way);
        sum += WEXITSTATUS(wait_for(child));
    }
    printf("sum %ld\n", sum);
}

__attribute__((noinline)) static uint64_t work(uint64_t seed, int rounds) {
    for (int i = 0; i < rounds; i++) {
        seed = mix(seed, (uint64_t)i);
        if (seed & 1) seed ^= seed << 13;
        else seed += seed >> 5;
    }
    return seed;
}

// Code that runs hot before, during and after the fork; both go on from the same state.
static void computing(void) {
    uint64_t state = work(1, 200000);
    printf("before %lx\n", state);
    for (int i = 0; i < 5; i++) {
        fflush(stdout);
        pipe(from_child);
        pid_t child = fork();
        uint64_t result = work(state, 100000), theirs = 0;
        if (!child) write(from_child[1], &result, sizeof result), _exit(0);
        read(from_child[0], &theirs, sizeof theirs);
        wait_for(child);
        printf("%lx same %d\n", result, result == theirs);
        state = result;
        close(from_child[0]), close(from_child[1]);
    }
}

static off_t offset_of(int fd) {
    return lseek(fd, 0, SEEK_CUR);
}

// Descriptors are shared with the child: the position in the file, too. Timers and pending signals are not.
static void inherited(void) {
    int fd = open("file", O_CREAT | O_RDWR | O_TRUNC, 0600), status;
    write(fd, "0123456789", 10);
    lseek(fd, 2, SEEK_SET);
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    alarm(100);
    prctl(PR_SET_NAME, "inherited");
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        char name[16] = "", byte;
        read(fd, &byte, 1);
        sigpending(&set);
        prctl(PR_GET_NAME, name);
        printf("child: %c pending %d alarm %u name %s\n", byte, sigismember(&set, SIGUSR1), alarm(0), name);
        sigprocmask(SIG_BLOCK, NULL, &set);
        printf("child: blocked %d\n", sigismember(&set, SIGUSR1));
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, &status, 0);
    sigpending(&set);
    printf("parent: at %ld pending %d\n", (long)offset_of(fd), sigismember(&set, SIGUSR1));
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(endings),  CASE(stopping), CASE(memory),        CASE(sharing),  CASE(with_threads), CASE(vforked),   CASE(cloned),
        CASE(spawn),    CASE(spawned),  CASE(at_fork),       CASE(orphan),   CASE(child_signals), CASE(pipeline), CASE(groups),
        CASE(usage),    CASE(many),     CASE(computing),     CASE(inherited), CASE(exit_signals), CASE(growth),
        CASE(away),     CASE(end_during_vfork), {NULL, NULL},
    };
    return run_case(cases, argc, argv);
}
