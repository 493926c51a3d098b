// build: -pthread -lrt
// Signals, threads and processes where one of them is just ending, waiting or beginning something else.

#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static atomic_int handled;
static sigjmp_buf place;

static void pause_for(long milliseconds) {
    nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
}

static void count(int number) {
    (void)number;
    handled++;
}

static void jump(int number) { siglongjmp(place, number); }

static void catch(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    sigaction(number, &action, NULL);
}

static sigset_t set_of(int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    return set;
}

// A thread ends with a signal that it never took.
static void *take_none(void *arg) {
    sigset_t set = set_of(*(int *)arg);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_kill(pthread_self(), *(int *)arg);
    return NULL;
}

static void untaken(void) {
    static int numbers[] = {SIGURG, SIGUSR1, SIGSEGV, SIGBUS};
    for (int i = 0; i < 4; i++) {
        pthread_t thread;
        catch(numbers[i], count);
        pthread_create(&thread, NULL, take_none, &numbers[i]);
        RESULT(pthread_join(thread, NULL));
    }
    RESULT(handled);
}

// Threads that end all the time while signals for the process come; none is lost.
static atomic_int stop;

static void *end_soon(void *arg) {
    sigset_t set = set_of(SIGRTMIN);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    return arg;
}

static void *start_many(void *arg) {
    while (!stop) {
        pthread_t thread;
        if (!pthread_create(&thread, NULL, end_soon, NULL)) pthread_join(thread, NULL);
    }
    return arg;
}

static void none_lost(void) {
    enum { SIGNALS = 3000 };
    sigset_t set = set_of(SIGRTMIN);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    catch(SIGRTMIN, count);
    pthread_t starter;
    pthread_create(&starter, NULL, start_many, NULL);
    for (int sent = 0; sent < SIGNALS;) {
        if (sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0) sent++;
        if (sent % 8 == 0) sched_yield();
    }
    stop = 1;
    pthread_join(starter, NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    for (int i = 0; i < 200 && handled < SIGNALS; i++) pause_for(10);
    RESULT(handled);
}

// Threads of a child come and go as those of its parent do.
static void *nothing(void *arg) { return arg; }

static int tasks(void) {
    int found = 0;
    DIR *dir = opendir("/proc/self/task");
    for (struct dirent *entry; (entry = readdir(dir));) found += entry->d_name[0] != '.';
    return closedir(dir), found;
}

static void of_a_child(void) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 20; i++) {
            pthread_t thread;
            pthread_create(&thread, NULL, nothing, NULL);
            pthread_join(thread, NULL);
        }
        for (int i = 0; i < 200 && tasks() > 1; i++) pause_for(10);
        _exit(tasks());
    }
    int status;
    waitpid(child, &status, 0);
    RESULT(WEXITSTATUS(status));
}

// The first thread of a child ends before the others: its status counts.
static void *outlive(void *arg) { return pause_for(50), arg; }

static void first_ends(void) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        for (int i = 0; i < 3; i++) pthread_create(&thread, NULL, outlive, NULL);
        syscall(SYS_exit, 7);
    }
    int status;
    waitpid(child, &status, 0);
    RESULT(WEXITSTATUS(status));
}

// What a process held when it ended, others are told of.
static pthread_mutex_t *shared_lock(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_t *lock = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutex_init(lock, &attributes);
    return lock;
}

static void *hold(void *lock) {
    pthread_mutex_lock(lock);
    handled++;
    pause_for(100000);
    return NULL;
}

static void left_locked(void) {
    for (int way = 0; way < 3; way++) {
        pthread_mutex_t *lock = shared_lock();
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            pthread_t thread;
            if (way < 2) pthread_mutex_lock(lock);
            if (way == 1) *(volatile int *)8 = 0;
            if (way == 2) {
                pthread_create(&thread, NULL, hold, lock);
                while (!handled) sched_yield();
            }
            _exit(0);
        }
        waitpid(child, NULL, 0);
        struct timespec limit;
        clock_gettime(CLOCK_REALTIME, &limit);
        limit.tv_sec += 2;
        printf("%s\n", strerrorname_np(pthread_mutex_timedlock(lock, &limit)));
    }
}

// A signal that only a waiting call blocks comes when that is over.
static void after_the_wait(void) {
    int numbers[] = {SIGURG, SIGUSR1, SIGSEGV};
    for (int i = 0; i < 3; i++) {
        handled = 0;
        catch(numbers[i], count);
        fflush(stdout);
        pid_t parent = getpid(), child = fork();
        if (child == 0) {
            pause_for(50);
            kill(parent, numbers[i]);
            _exit(0);
        }
        sigset_t set = set_of(numbers[i]);
        RESULT(ppoll(NULL, 0, &(struct timespec){0, 200000000}, &set));
        RESULT(handled);
        waitpid(child, NULL, 0);
    }
}

// A program that could not be started leaves everything as it was.
static void not_started(void) {
    const char *name = "empty-program";
    close(open(name, O_CREAT | O_WRONLY, 0755));
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    catch(SIGSEGV, SIG_IGN);
    char *args[] = {"name", NULL};
    RESULT(execve(name, args, args));
    unlink(name);
    RESULT(syscall(SYS_execveat, fd, "", args, args, AT_EMPTY_PATH));
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    catch(SIGSEGV, jump);
    if (!sigsetjmp(place, 1)) *(volatile int *)8 = 0;
    puts("handled");
    int ends[2];
    pipe(ends);
    close(ends[1]);
    RESULT(syscall(SYS_execveat, ends[0], "", args, args, AT_EMPTY_PATH));
}

// A mapping that fails may have removed what was there; then nothing is.
static void lost_mapping(void) {
    int fd = memfd_create("sealed", MFD_ALLOW_SEALING);
    ftruncate(fd, 4096);
    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE);
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page[0] = 1;
    CHECK(mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED);
    catch(SIGSEGV, jump);
    if (!sigsetjmp(place, 1)) {
        page[0] = 2;
        puts("written");
    } else {
        puts("gone");
    }
}

// The first thread ends before another one, which ends the process.
static void *end_all(void *arg) {
    pause_for(20);
    _exit(0);
    return arg;
}

static void alone(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, end_all, NULL);
    CHECK(wait(NULL) == -1 && errno == ECHILD);
    fflush(stdout);
    syscall(SYS_exit, 1);
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(untaken), CASE(none_lost), CASE(of_a_child), CASE(first_ends), CASE(left_locked), CASE(after_the_wait), CASE(not_started), CASE(lost_mapping),
        CASE(alone), {NULL, NULL},
    };
    return run_case(cases, argc, argv);
}
