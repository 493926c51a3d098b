// build: -pthread -lrt
// Signals: actions, masks, queues, stacks, waiting, timers, threads. What is printed is the same in every run.

#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t handled, depth, deepest, overruns;
static volatile int order[64], order_values[64], handler_tid;
static siginfo_t info;

static void pause_for(long microseconds) {
    nanosleep(&(struct timespec){microseconds / 1000000, microseconds % 1000000 * 1000}, NULL);
}

static void count(int number) {
    (void)number;
    handler_tid = gettid();
    handled++;
}

static void record(int number, siginfo_t *given, void *context) {
    (void)context;
    info = *given;
    if (given->si_code == SI_TIMER) overruns += given->si_overrun;
    if (handled < 64) order[handled] = number, order_values[handled] = given->si_value.sival_int;
    handled++;
}

static void on(int number, void *handler, int flags, int masked) {
    struct sigaction action = {0};
    action.sa_flags = flags;
    if (flags & SA_SIGINFO) action.sa_sigaction = handler;
    else action.sa_handler = handler;
    if (masked == -1) sigfillset(&action.sa_mask);
    else if (masked) sigaddset(&action.sa_mask, masked);
    if (sigaction(number, &action, NULL)) puts("sigaction failed");
}

static sigset_t set_of(int first, int second) {
    sigset_t set;
    sigemptyset(&set);
    if (first) sigaddset(&set, first);
    if (second) sigaddset(&set, second);
    return set;
}

static void block(int how, int first, int second) {
    sigset_t set = set_of(first, second);
    if (pthread_sigmask(how, &set, NULL)) puts("mask failed");
}

static void print_order(const char *what) {
    printf("%s:", what);
    for (int i = 0; i < handled; i++)
        printf(order[i] >= SIGRTMIN ? " rt%d(%d)" : " %d(%d)", order[i] >= SIGRTMIN ? order[i] - SIGRTMIN : order[i], order_values[i]);
    putchar('\n');
    handled = 0;
}

static void print_set(const char *what, const sigset_t *set) {
    printf("%s:", what);
    for (int i = 1; i <= 64; i++)
        if (sigismember(set, i) == 1) printf(" %d", i);
    putchar('\n');
}

static void actions(void) {
    struct sigaction action = {0}, old;
    static const int flags[] = {SA_NOCLDSTOP, SA_NOCLDWAIT, SA_SIGINFO, SA_ONSTACK, SA_RESTART, SA_NODEFER, (int)SA_RESETHAND};
    for (int i = 0; i < 7; i++) {
        action.sa_handler = i % 2 ? count : SIG_IGN;
        action.sa_flags = flags[i] | flags[(i + 3) % 7];
        sigemptyset(&action.sa_mask), sigaddset(&action.sa_mask, i + 1), sigaddset(&action.sa_mask, 64 - i);
        sigaddset(&action.sa_mask, SIGKILL), sigaddset(&action.sa_mask, SIGSTOP);
        sigaction(SIGUSR1, &action, &old);
        sigaction(SIGUSR1, NULL, &old);
        printf("flags %x same handler %d", (unsigned)old.sa_flags & ~0x04000000u, old.sa_handler == action.sa_handler);
        print_set(" mask", &old.sa_mask);
    }
    RESULT(sigaction(0, &action, NULL));
    RESULT(sigaction(65, &action, NULL));
    RESULT(sigaction(SIGSTOP, &action, NULL));
    RESULT(sigaction(SIGKILL, NULL, &old));
    RESULT(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
    RESULT(syscall(SYS_rt_sigaction, SIGUSR1, opaque(1), NULL, 8));
    sigset_t all, now;
    sigfillset(&all);
    RESULT(sigprocmask(SIG_SETMASK, &all, NULL));
    RESULT(sigprocmask(SIG_BLOCK, NULL, &now));
    CHECK(!sigismember(&now, SIGKILL) && !sigismember(&now, SIGSTOP) && sigismember(&now, SIGSEGV) && sigismember(&now, 64));
    sigemptyset(&all);
    RESULT(sigprocmask(SIG_SETMASK, &all, &now));
    RESULT(syscall(SYS_rt_sigprocmask, 77, &all, NULL, 8));
    RESULT(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, 16));
    RESULT(syscall(SYS_rt_sigprocmask, SIG_BLOCK, opaque(1), NULL, 8));
    RESULT(syscall(SYS_rt_sigpending, &all, 16));
}

static void nest(int number) {
    (void)number;
    if (++depth > deepest) deepest = depth;
    if (++handled < 5) raise(SIGUSR1);
    depth--;
}

static void note_mask(int number) {
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    printf("in handler of %d", number);
    print_set(", blocked", &now);
}

static void masks(void) {
    sigset_t now;
    on(SIGUSR1, nest, 0, 0);
    raise(SIGUSR1);
    printf("blocked in its own handler: runs %d deepest %d\n", handled, deepest);
    handled = depth = deepest = 0;
    on(SIGUSR1, nest, SA_NODEFER, 0);
    raise(SIGUSR1);
    printf("not deferred: runs %d deepest %d\n", handled, deepest);
    handled = 0;
    on(SIGUSR2, note_mask, 0, SIGHUP);
    on(SIGHUP, note_mask, SA_NODEFER, SIGINT);
    block(SIG_BLOCK, SIGTERM, SIGUSR2);
    raise(SIGUSR2), raise(SIGHUP), raise(SIGUSR2);
    sigpending(&now);
    print_set("pending", &now);
    block(SIG_UNBLOCK, SIGUSR2, 0);
    sigprocmask(SIG_BLOCK, NULL, &now);
    print_set("after", &now);
    on(SIGUSR1, count, SA_RESETHAND, 0);
    raise(SIGUSR1);
    struct sigaction old;
    sigaction(SIGUSR1, NULL, &old);
    printf("once: runs %d default again %d\n", handled, old.sa_handler == SIG_DFL);
    // Ignoring a signal discards what is pending.
    on(SIGUSR1, count, 0, 0);
    block(SIG_BLOCK, SIGUSR1, 0);
    raise(SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    sigpending(&now);
    print_set("pending", &now);
    on(SIGUSR1, count, 0, 0);
    block(SIG_UNBLOCK, SIGUSR1, 0);
    printf("runs %d\n", handled);
}

static void ignored(void) {
    static const int harmless[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT};
    for (int i = 0; i < 4; i++) signal(harmless[i], SIG_DFL), RESULT(raise(harmless[i]));
    for (int i = 1; i <= 64; i++)
        if (i != SIGKILL && i != SIGSTOP && i != 32 && i != 33 && (i < 32 || i - SIGRTMIN < 8))
            if (signal(i, SIG_IGN) == SIG_ERR || raise(i) || kill(getpid(), i)) printf("signal %d\n", i);
    RESULT(kill(getpid(), 0));
    RESULT(kill(getpid(), 65));
    RESULT(kill(getpid(), -1));
    RESULT(kill(INT_MAX, SIGUSR1));
    RESULT(syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1));
    RESULT(syscall(SYS_tgkill, getpid(), INT_MAX, SIGUSR1));
    RESULT(syscall(SYS_tgkill, -1, getpid(), SIGUSR1));
    RESULT(syscall(SYS_tkill, getpid(), SIGUSR1));
    puts("alive");
}

// Several signals become deliverable at once: without masks each handler interrupts the one before it.
static void priority(void) {
    static const int numbers[] = {SIGUSR2, SIGTERM, SIGHUP, SIGUSR1, SIGINT};
    for (int masked = 0; masked >= -1; masked--) {
        sigset_t set;
        sigemptyset(&set);
        for (int i = 0; i < 5; i++) sigaddset(&set, numbers[i]);
        sigprocmask(SIG_BLOCK, &set, NULL);
        for (int i = 0; i < 5; i++) on(numbers[i], record, SA_SIGINFO, masked), kill(getpid(), numbers[i]);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        for (int i = 0; i < handled; i++) order_values[i] = 0;
        print_order(masked ? "one at a time" : "nested");
    }
}

static void queued(void) {
    sigset_t set, now;
    sigemptyset(&set);
    for (int i = 0; i < 4; i++) sigaddset(&set, SIGRTMIN + i), on(SIGRTMIN + i, record, SA_SIGINFO, -1);
    sigaddset(&set, SIGUSR1), on(SIGUSR1, record, SA_SIGINFO, -1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 12; i++)
        if (sigqueue(getpid(), SIGRTMIN + (i * 7 + 3) % 4, (union sigval){.sival_int = i})) puts("sigqueue failed");
    for (int i = 0; i < 3; i++) sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 100 + i});
    sigpending(&now);
    CHECK(sigismember(&now, SIGRTMIN) && sigismember(&now, SIGRTMIN + 3) && sigismember(&now, SIGUSR1) && !sigismember(&now, SIGHUP));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    print_order("delivered");
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 6; i++) sigqueue(getpid(), SIGRTMIN + 2 - i % 3, (union sigval){.sival_int = i});
    while (sigpending(&now), !sigisemptyset(&now)) {
        int number = sigwaitinfo(&set, &info);
        printf("waited for rt%d(%d) code %d\n", number - SIGRTMIN, info.si_value.sival_int, info.si_code);
    }
    int many = 0;
    for (int i = 0; i < 1000; i++) many += !sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    printf("queued %d delivered %d last %d\n", many, handled, info.si_value.sival_int);
    RESULT(sigqueue(getpid(), 65, (union sigval){0}));
    RESULT(sigqueue(INT_MAX, SIGRTMIN, (union sigval){0}));
}

static void print_info(const char *what) {
    printf("%s: signo %d errno %d code %d pid %d uid %d value %d\n", what, info.si_signo - (info.si_signo >= SIGRTMIN ? SIGRTMIN - 1000 : 0),
           info.si_errno, info.si_code, info.si_pid == getpid(), info.si_uid == getuid(), info.si_value.sival_int);
    memset(&info, 0, sizeof info);
}

static void values(void) {
    on(SIGUSR1, record, SA_SIGINFO, 0), on(SIGRTMIN + 1, record, SA_SIGINFO, 0);
    kill(getpid(), SIGUSR1), info.si_value.sival_int = 0, print_info("kill");
    raise(SIGUSR1), info.si_value.sival_int = 0, print_info("raise");
    sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = -5}), print_info("sigqueue");
    sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_ptr = (void *)0x123456789abcdef0});
    printf("pointer %p\n", info.si_value.sival_ptr);
    print_info("sigqueue");
    pthread_kill(pthread_self(), SIGRTMIN + 1), info.si_value.sival_int = 0, print_info("pthread_kill");
    siginfo_t own = {0};
    own.si_signo = SIGUSR1, own.si_code = -77, own.si_value.sival_int = 8, own.si_pid = getpid(), own.si_uid = getuid();
    RESULT(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &own));
    print_info("own code");
    RESULT(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGRTMIN + 1, &own));
    print_info("own code to a thread");
    own.si_code = SI_USER;
    RESULT(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &own));
    on(SIGCHLD, record, SA_SIGINFO, 0);
    pid_t child = fork();
    if (!child) _exit(17);
    waitpid(child, NULL, 0);
    while (!info.si_signo) pause_for(100);
    printf("child: code %d status %d pid %d\n", info.si_code, info.si_status, info.si_pid == child);
}

static char other_stack[65536] __attribute__((aligned(16)));

static void look_at_stack(int number) {
    stack_t now, other = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
    char local, *at = (char *)opaque((uint64_t)&local);
    sigaltstack(NULL, &now);
    printf("handler: on the other stack %d, flags %d\n", at >= other_stack && at < other_stack + sizeof other_stack, now.ss_flags);
    RESULT(sigaltstack(&other, NULL));
    if (number == SIGUSR1) raise(SIGUSR2);
    handled++;
}

static void *look_in_thread(void *arg) {
    stack_t now;
    sigaltstack(NULL, &now);
    printf("a new thread has none: %d\n", now.ss_flags == SS_DISABLE);
    return arg;
}

static void stack(void) {
    stack_t other = {.ss_sp = other_stack, .ss_size = sizeof other_stack}, now;
    RESULT(sigaltstack(&other, &now));
    on(SIGUSR1, look_at_stack, SA_ONSTACK, 0);
    on(SIGUSR2, look_at_stack, 0, 0);
    raise(SIGUSR1);  // and the second handler stays on it
    raise(SIGUSR2);
    RESULT(sigaltstack(NULL, &now));
    printf("flags %d size %zu same %d\n", now.ss_flags, now.ss_size, now.ss_sp == other_stack);
    pthread_t thread;
    pthread_create(&thread, NULL, look_in_thread, NULL);
    pthread_join(thread, NULL);
    other.ss_size = 1000;
    RESULT(sigaltstack(&other, NULL));
    other.ss_size = sizeof other_stack, other.ss_flags = 77;
    RESULT(sigaltstack(&other, NULL));
    other.ss_flags = SS_DISABLE;
    RESULT(sigaltstack(&other, NULL));
    on(SIGUSR2, look_at_stack, SA_ONSTACK, 0);
    raise(SIGUSR2);
    RESULT(sigaltstack(NULL, &now));
    other.ss_flags = 1 << 31;  // SS_AUTODISARM: free for others while a handler runs on it
    RESULT(sigaltstack(&other, NULL));
    on(SIGUSR2, look_at_stack, SA_ONSTACK, 0);
    raise(SIGUSR2);
    RESULT(sigaltstack(NULL, &now));
    printf("flags %x\n", (unsigned)now.ss_flags);
}

// Calls that wait, and what ends each when signals do not.
static int pipe_ends[2], full_pipe[2], sockets[2], locked_file, poller;
static sem_t nothing;
static pid_t sleeping_child;
static struct pollfd silent;
static char bytes[70000];

static void write_pipe(void) { write(pipe_ends[1], "x", 1); }
static void empty_pipe(void) { read(full_pipe[0], bytes, sizeof bytes); }
static void send_byte(void) { write(sockets[1], "x", 1); }
static void post(void) { sem_post(&nothing); }
static void end_child(void) { kill(sleeping_child, SIGKILL); }
static void unlock_file(void) { kill(sleeping_child, SIGKILL); }

static long do_read(void) { return read(pipe_ends[0], bytes, 1); }
static long do_write(void) { return write(full_pipe[1], bytes, 4096); }
static long do_recv(void) { return recv(sockets[0], bytes, 1, 0); }
static long do_recvmsg(void) {
    struct iovec piece = {bytes, 1};
    return recvmsg(sockets[0], &(struct msghdr){.msg_iov = &piece, .msg_iovlen = 1}, 0);
}
static long do_sem_wait(void) { return sem_wait(&nothing); }
static long do_waitpid(void) { return waitpid(sleeping_child, NULL, 0) == sleeping_child; }
static long do_waitid(void) { return waitid(P_PID, (id_t)sleeping_child, &info, WEXITED); }
static long do_flock(void) { return flock(locked_file, LOCK_EX); }
static long do_nanosleep(void) { return nanosleep(&(struct timespec){1000, 0}, NULL); }
static long do_clock_nanosleep(void) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1000;
    int error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    return errno = error, error ? -1 : 0;
}
static long do_poll(void) { return poll(&silent, 1, -1); }
static long do_poll_limit(void) { return poll(&silent, 1, 1000000); }
static long do_ppoll(void) { return ppoll(&silent, 1, NULL, NULL); }
static long do_select(void) { return select(0, NULL, NULL, NULL, NULL); }
static long do_pselect(void) { return pselect(0, NULL, NULL, NULL, &(struct timespec){1000, 0}, NULL); }
static long do_epoll_wait(void) { return epoll_wait(poller, &(struct epoll_event){0}, 1, -1); }
static long do_pause(void) { return pause(); }
static long do_sigsuspend(void) { return sigsuspend(&(sigset_t){0}); }
static long do_sigwaitinfo(void) {
    sigset_t set = set_of(SIGHUP, 0);
    return sigwaitinfo(&set, &info);
}
static long do_recv_limit(void) {
    setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){1000, 0}, sizeof(struct timeval));
    return recv(sockets[0], bytes, 1, 0);
}

static const struct waiting {
    const char *name;
    long (*enter)(void);
    void (*release)(void);  // NULL: never restarted
} waits[] = {
    {"read", do_read, write_pipe},
    {"write", do_write, empty_pipe},
    {"recv", do_recv, send_byte},
    {"recvmsg", do_recvmsg, send_byte},
    {"sem_wait", do_sem_wait, post},
    {"waitpid", do_waitpid, end_child},
    {"waitid", do_waitid, end_child},
    {"flock", do_flock, unlock_file},
    {"nanosleep", do_nanosleep, NULL},
    {"clock_nanosleep", do_clock_nanosleep, NULL},
    {"poll", do_poll, NULL},
    {"poll with a limit", do_poll_limit, NULL},
    {"ppoll", do_ppoll, NULL},
    {"select", do_select, NULL},
    {"pselect", do_pselect, NULL},
    {"epoll_wait", do_epoll_wait, NULL},
    {"pause", do_pause, NULL},
    {"sigsuspend", do_sigsuspend, NULL},
    {"sigwaitinfo", do_sigwaitinfo, NULL},
    {"recv with a limit", do_recv_limit, NULL},
};

static pthread_t main_thread;
static const struct waiting *_Atomic waited;
static _Atomic int release_too, finished;

// Sends signals while the main thread waits; then, should they restart the call, what it waits for.
static void *disturb(void *arg) {
    const struct waiting *seen = NULL;
    while (!finished) {
        if (!waited) {
            seen = NULL;
            sched_yield();
        } else if (seen != waited || !release_too) {
            seen = waited;
            for (int i = 0; i < 4; i++) {
                pause_for(500);
                if (waited == seen) pthread_kill(main_thread, SIGUSR1);
            }
            if (release_too && seen) seen->release();
        } else {
            pause_for(100);
        }
    }
    return arg;
}

static void start_waits(void) {
    main_thread = pthread_self();
    pipe(pipe_ends), pipe(full_pipe), socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
    while (write(full_pipe[1], bytes, 4096) == 4096 && poll(&(struct pollfd){full_pipe[1], POLLOUT, 0}, 1, 0) == 1) {}
    sem_init(&nothing, 0, 0);
    poller = epoll_create1(0);
    silent = (struct pollfd){pipe_ends[0], POLLIN, 0};
    locked_file = open("locked", O_CREAT | O_RDWR, 0600);
    // The child holds the lock of the file, by a description of its own.
    int ready[2];
    pipe(ready);
    sleeping_child = fork();
    if (!sleeping_child) {
        flock(open("locked", O_RDWR), LOCK_EX);
        write(ready[1], "x", 1);
        for (;;) pause();
    }
    read(ready[0], bytes, 1);
}

static void wait_in_all(int flags) {
    pthread_t thread;
    start_waits();
    on(SIGUSR1, count, flags, 0);
    pthread_create(&thread, NULL, disturb, NULL);
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        if (flags && waits[i].enter == do_flock) {
            continue;  // its holder has ended by now
        }
        release_too = flags && waits[i].release;
        waited = &waits[i];
        long result = waits[i].enter();
        int error = errno;
        waited = NULL;
        pause_for(3000);
        errno = error;
        print_result(waits[i].name, result);
        if (flags && waits[i].enter == do_waitpid) {
            sleeping_child = fork();
            if (!sleeping_child)
                for (;;) pause();
        }
    }
    finished = 1;
    pthread_join(thread, NULL);
    kill(sleeping_child, SIGKILL);
    CHECK(handled > 0);
}

static void interrupt(void) {
    wait_in_all(0);
}

static void restart(void) {
    wait_in_all(SA_RESTART);
}

static void *signal_until(void *flag) {
    while (!*(_Atomic int *)flag) pause_for(1000), pthread_kill(main_thread, SIGUSR1);
    return NULL;
}

static void remaining(void) {
    static _Atomic int awake;
    pthread_t thread;
    struct timespec rest = {0, 0};
    main_thread = pthread_self();
    on(SIGUSR1, count, SA_RESTART, 0);
    pthread_create(&thread, NULL, signal_until, &awake);
    RESULT(nanosleep(&(struct timespec){100, 0}, &rest));
    CHECK(rest.tv_sec <= 100 && rest.tv_sec >= 80);
    rest.tv_sec = 0;
    printf("%s\n", strerrorname_np(clock_nanosleep(CLOCK_REALTIME, 0, &(struct timespec){50, 0}, &rest)));
    CHECK(rest.tv_sec <= 50 && rest.tv_sec >= 30);
    struct timeval limit = {100, 0};
    RESULT(select(0, NULL, NULL, NULL, &limit));
    CHECK(limit.tv_sec <= 100 && limit.tv_sec >= 80);
    awake = 1;
    pthread_join(thread, NULL);
}

static void waiting(void) {
    sigset_t set = set_of(SIGUSR1, SIGUSR2), none = set_of(0, 0), now;
    struct timespec zero = {0, 0}, shortly = {0, 10000000};
    int number = 0;
    on(SIGHUP, count, 0, 0);
    block(SIG_BLOCK, SIGUSR1, SIGUSR2);
    RESULT(sigtimedwait(&set, &info, &zero));
    RESULT(sigtimedwait(&set, &info, &shortly));
    RESULT(sigtimedwait(&set, &info, &(struct timespec){0, -1}));
    kill(getpid(), SIGUSR2), kill(getpid(), SIGUSR1);
    RESULT(sigwait(&set, &number));
    printf("number %d\n", number);
    RESULT(sigtimedwait(&set, &info, &shortly));
    printf("code %d\n", info.si_code);
    RESULT(syscall(SYS_rt_sigtimedwait, &set, NULL, &zero, 16));
    on(SIGUSR1, count, 0, 0);
    raise(SIGUSR1);
    printf("blocked: %d\n", handled);
    RESULT(sigsuspend(&none));
    printf("not while suspended: %d\n", handled);
    sigprocmask(SIG_BLOCK, NULL, &now);
    print_set("blocked again", &now);
    raise(SIGUSR1);
    RESULT(ppoll(NULL, 0, NULL, &none));
    RESULT(ppoll(NULL, 0, &shortly, &none));
    raise(SIGUSR1);
    RESULT(pselect(0, NULL, NULL, NULL, NULL, &none));
    raise(SIGUSR1);
    poller = epoll_create1(0);
    RESULT(epoll_pwait(poller, &(struct epoll_event){0}, 1, -1, &none));
    raise(SIGUSR1);
    // Something is ready: then the signal stays pending or not, but the call succeeds or is interrupted alike.
    pipe(pipe_ends), write_pipe();
    silent = (struct pollfd){pipe_ends[0], POLLIN, 0};
    RESULT(poll(&silent, 1, -1));
    sigpending(&now);
    print_set("pending", &now);
    printf("handled %d\n", handled);
    sigprocmask(SIG_BLOCK, NULL, &now);
    print_set("blocked", &now);
}

static void descriptor(void) {
    sigset_t set = set_of(SIGUSR1, SIGRTMIN + 2);
    struct signalfd_siginfo got[4];
    block(SIG_BLOCK, SIGUSR1, SIGRTMIN + 2);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    CHECK(fd >= 0);
    RESULT(read(fd, got, sizeof got));
    struct pollfd wait = {fd, POLLIN, 0};
    RESULT(poll(&wait, 1, 0));
    kill(getpid(), SIGUSR1);
    sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 21});
    sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 22});
    RESULT(poll(&wait, 1, -1));
    RESULT(read(fd, got, sizeof got));
    for (int i = 0; i < 3; i++)
        printf("%d code %d pid %d int %d\n", (int)got[i].ssi_signo - (i ? SIGRTMIN : 0), got[i].ssi_code, got[i].ssi_pid == (unsigned)getpid(),
               i ? got[i].ssi_int : 0);
    RESULT(read(fd, got, 10));
    sigdelset(&set, SIGUSR1);
    RESULT(signalfd(fd, &set, 0) == fd);
    kill(getpid(), SIGUSR1);
    RESULT(read(fd, got, sizeof got));
    RESULT(signalfd(0, &set, 0));
    RESULT(signalfd(-1, &set, 77));
}

static long microseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void intervals(void) {
    struct itimerval timer = {{0, 5000}, {0, 10000}}, old;
    on(SIGALRM, record, SA_SIGINFO, 0);
    long start = microseconds();
    RESULT(setitimer(ITIMER_REAL, &timer, NULL));
    while (handled < 4) pause();
    CHECK(microseconds() - start >= 24000);
    printf("code %d\n", info.si_code);
    RESULT(setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {100, 0}}, &old));
    printf("interval %ld\n", (long)old.it_interval.tv_usec);
    RESULT(getitimer(ITIMER_REAL, &old));
    CHECK(old.it_value.tv_sec >= 90 && old.it_value.tv_sec <= 100);
    CHECK(alarm(50) >= 90);
    RESULT(alarm(0));
    RESULT(alarm(0));
    RESULT(setitimer(9, &timer, NULL));
    on(SIGVTALRM, record, SA_SIGINFO, 0), on(SIGPROF, record, SA_SIGINFO, 0);
    handled = 0;
    RESULT(setitimer(ITIMER_VIRTUAL, &(struct itimerval){{0, 0}, {0, 10000}}, NULL));
    while (!handled) {}
    printf("virtual: %d\n", order[0]);
    handled = 0;
    RESULT(setitimer(ITIMER_PROF, &(struct itimerval){{0, 0}, {0, 10000}}, NULL));
    while (!handled) {}
    printf("profile: %d\n", order[0]);
}

static _Atomic int notified;

static void notify(union sigval value) {
    notified = value.sival_int;
}

static void timers(void) {
    struct sigevent event = {0};
    struct itimerspec once = {{0, 0}, {0, 5000000}}, again = {{0, 2000000}, {0, 1000000}}, now;
    timer_t timer;
    on(SIGRTMIN + 3, record, SA_SIGINFO, 0);
    event.sigev_notify = SIGEV_SIGNAL, event.sigev_signo = SIGRTMIN + 3, event.sigev_value.sival_int = 33;
    RESULT(timer_create(CLOCK_MONOTONIC, &event, &timer));
    RESULT(timer_settime(timer, 0, &once, NULL));
    while (!handled) pause_for(1000);
    printf("code %d value %d overrun %d\n", info.si_code, info.si_value.sival_int, info.si_overrun);
    RESULT(timer_gettime(timer, &now));
    printf("disarmed %ld %ld\n", (long)now.it_value.tv_sec, now.it_value.tv_nsec);
    block(SIG_BLOCK, SIGRTMIN + 3, 0);
    RESULT(timer_settime(timer, 0, &again, NULL));
    pause_for(30000);
    handled = overruns = 0;
    block(SIG_UNBLOCK, SIGRTMIN + 3, 0);
    CHECK(handled >= 1 && handled + overruns >= 5);
    CHECK(timer_getoverrun(timer) >= 0);
    RESULT(timer_delete(timer));
    RESULT(timer_settime(timer, 0, &again, NULL));
    event.sigev_notify = SIGEV_THREAD_ID, event._sigev_un._tid = gettid();
    RESULT(timer_create(CLOCK_REALTIME, &event, &timer));
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 5000000, until.tv_sec += until.tv_nsec / 1000000000, until.tv_nsec %= 1000000000;
    handled = 0;
    RESULT(timer_settime(timer, TIMER_ABSTIME, &(struct itimerspec){{0, 0}, until}, NULL));
    while (!handled) pause_for(1000);
    print_order("thread");
    RESULT(timer_delete(timer));
    event.sigev_notify = SIGEV_NONE;
    RESULT(timer_create(CLOCK_MONOTONIC, &event, &timer));
    RESULT(timer_settime(timer, 0, &(struct itimerspec){{0, 0}, {100, 0}}, NULL));
    RESULT(timer_gettime(timer, &now));
    CHECK(now.it_value.tv_sec >= 90 && now.it_value.tv_sec <= 100);
    event.sigev_notify = SIGEV_THREAD, event.sigev_notify_function = notify, event.sigev_value.sival_int = 55;
    RESULT(timer_create(CLOCK_MONOTONIC, &event, &timer));
    RESULT(timer_settime(timer, 0, &once, NULL));
    while (!notified) pause_for(1000);
    printf("notified %d\n", notified);
    RESULT(timer_create(77, &event, &timer));
}

static _Atomic int ready, let_go, tids[4];

static void *receive(void *arg) {
    long number = (long)arg;
    block(number == 2 ? SIG_UNBLOCK : SIG_BLOCK, SIGUSR2, 0);
    tids[number] = gettid();
    ready++;
    while (!let_go) pause_for(500);
    return NULL;
}

static void *wait_for_signals(void *arg) {
    sigset_t set = set_of(SIGTERM, SIGRTMIN);
    long sum = 0;
    for (int i = 0; i < 100; i++) sigwaitinfo(&set, &info), sum += info.si_value.sival_int;
    return (void *)sum;
}

static void *note_inherited(void *arg) {
    sigset_t now;
    sigpending(&now);
    print_set("a new thread's pending", &now);
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    print_set("a new thread's mask", &now);
    return arg;
}

static void threads(void) {
    pthread_t threads[4], waiter;
    on(SIGUSR1, count, SA_RESTART, 0), on(SIGUSR2, count, SA_RESTART, 0);
    block(SIG_BLOCK, SIGUSR2, 0);
    for (long i = 0; i < 4; i++) pthread_create(&threads[i], NULL, receive, (void *)i);
    while (ready < 4) pause_for(500);
    for (int i = 0; i < 4; i++) {
        handled = 0;
        pthread_kill(threads[i], SIGUSR1);
        while (!handled) pause_for(500);
        printf("to thread %d: %d\n", i, handler_tid == tids[i]);
        handled = 0;
        kill(getpid(), SIGUSR2);
        while (!handled) pause_for(500);
        printf("to the process: %d\n", handler_tid == tids[2]);
    }
    // Pending for one thread, and pending for all.
    handled = 0;
    sigset_t now;
    pthread_kill(threads[0], SIGUSR2);
    sigpending(&now);
    print_set("pending for another", &now);
    let_go = 1;
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    printf("handled by nobody: %d\n", handled);
    kill(getpid(), SIGUSR2);
    raise(SIGUSR2);
    pthread_create(&waiter, NULL, note_inherited, NULL);
    pthread_join(waiter, NULL);
    block(SIG_UNBLOCK, SIGUSR2, 0);
    printf("handled %d here %d\n", handled, handler_tid == getpid());
    // One thread takes all.
    block(SIG_BLOCK, SIGTERM, SIGRTMIN);
    pthread_create(&waiter, NULL, wait_for_signals, NULL);
    for (int i = 0; i < 100; i++) sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
    void *sum;
    pthread_join(waiter, &sum);
    printf("waited for %ld\n", (long)sum);
    RESULT(syscall(SYS_tgkill, getpid(), tids[0], 0));
}

static sigjmp_buf back;

static void jump(int number) {
    siglongjmp(back, number);
}

static void jumps(void) {
    sigset_t now;
    for (int save = 0; save < 2; save++) {
        on(SIGUSR1, jump, 0, SIGHUP);
        int number = sigsetjmp(back, save);
        if (!number) raise(SIGUSR1);
        sigprocmask(SIG_BLOCK, NULL, &now);
        printf("jumped out of %d", number);
        print_set(", blocked", &now);
        block(SIG_UNBLOCK, SIGUSR1, SIGHUP);
    }
}

static void die(int number) {
    printf("signal %d\n", number);
    fflush(stdout);
    raise(number);
}

static void death_handled_abort(void) {
    on(SIGABRT, count, 0, 0);
    printf("aborts though it is handled\n");
    fflush(stdout);
    abort();
}

static void death_pipe(void) {
    signal(SIGPIPE, SIG_DFL);
    pipe(pipe_ends), close(pipe_ends[0]);
    puts("writes to nobody");
    fflush(stdout);
    write(pipe_ends[1], "x", 1);
}

static void death_alarm(void) {
    puts("waits");
    fflush(stdout);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 10000}}, NULL);
    for (;;) pause();
}

static void death_spinning(void) {
    puts("never waits");
    fflush(stdout);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 10000}}, NULL);
    for (;;) __asm__ volatile("");
}

static void death_real_time(void) { die(SIGRTMIN + 4); }
static void death_kill(void) { die(SIGKILL); }
static void death_quit(void) { signal(SIGQUIT, SIG_DFL), die(SIGQUIT); }
static void death_hangup(void) { signal(SIGHUP, SIG_DFL), die(SIGHUP); }
static void death_unblocked(void) {
    block(SIG_BLOCK, SIGTERM, 0);
    die(SIGTERM);
    puts("not yet");
    fflush(stdout);
    block(SIG_UNBLOCK, SIGTERM, 0);
}

static void *sleep_on(void *arg) {
    return pause_for(100000000), arg;
}

static void death_threads(void) {
    pthread_t thread;
    for (int i = 0; i < 4; i++) pthread_create(&thread, NULL, sleep_on, NULL);
    puts("kills one thread, ends all");
    fflush(stdout);
    pthread_kill(thread, SIGTERM);
    pause_for(100000000);
}

// A signal for the process goes to a thread that does not block it, or waits until there is one.
static void *take_one(void *arg) {
    block(SIG_UNBLOCK, SIGUSR1, 0);
    while (!handled) pause_for(1000);
    printf("another thread's: %d\n", handler_tid == gettid());
    return arg;
}

static void process_wide(void) {
    pthread_t thread;
    sigset_t now;
    struct rlimit limit, former;
    on(SIGUSR1, count, 0, 0);
    block(SIG_BLOCK, SIGUSR1, SIGRTMIN);
    for (int i = 0; i < 2; i++) {
        handled = 0;
        if (i) kill(getpid(), SIGUSR1);
        sigpending(&now), print_set("pending", &now);
        pthread_create(&thread, NULL, take_one, NULL);
        if (!i) kill(getpid(), SIGUSR1);
        pthread_join(thread, NULL);
    }
    handled = 0;
    kill(getpid(), SIGUSR1), kill(getpid(), SIGUSR1);
    for (int i = 0; i < 2; i++)
        printf("waited for %d\n", sigtimedwait(&(sigset_t){1ul << (SIGUSR1 - 1)}, NULL, &(struct timespec){0, 0}));
    kill(getpid(), SIGUSR1);
    block(SIG_UNBLOCK, SIGUSR1, 0);
    printf("handled %d\n", handled);
    getrlimit(RLIMIT_SIGPENDING, &former);
    limit = former, limit.rlim_cur = 300;
    setrlimit(RLIMIT_SIGPENDING, &limit);
    int sent = 0, taken = 0;
    while (sent < 1000 && !sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = sent})) sent++;
    printf("full: %s\n", strerrorname_np(errno));
    while (sigtimedwait(&(sigset_t){1ul << (SIGRTMIN - 1)}, &info, &(struct timespec){0, 0}) > 0) taken++;
    // The kernel counts those of all processes of the user.
    CHECK(sent <= 300 && taken >= sent);
    setrlimit(RLIMIT_SIGPENDING, &former);
}

// What whoever started this program had it ignore.
static void inherited(void) {
    for (int i = 1; i <= 64; i++) {
        struct sigaction action;
        if (i != 32 && i != 33 && !sigaction(i, NULL, &action) && action.sa_handler != SIG_DFL)
            printf("%d: ignored %d\n", i, action.sa_handler == SIG_IGN);
    }
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(inherited), CASE(process_wide),
        CASE(actions), CASE(masks), CASE(ignored), CASE(priority), CASE(queued), CASE(values), CASE(stack), CASE(interrupt),
        CASE(restart), CASE(remaining), CASE(waiting), CASE(descriptor), CASE(intervals), CASE(timers), CASE(threads), CASE(jumps),
        CASE(death_handled_abort), CASE(death_pipe), CASE(death_alarm), CASE(death_spinning), CASE(death_real_time),
        CASE(death_kill), CASE(death_quit), CASE(death_hangup), CASE(death_unblocked), CASE(death_threads), {NULL, NULL},
    };
    return run_case(cases, argc, argv);
}
