// build: -pthread
// Starting other programs, mostly this one again: what they are given, what stays, and what is refused.

#include "check.h"
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

// This program, under a name in the current folder that is the same everywhere.
static char program[] = "./program";

static void make_link(void) {
    char path[4096];
    long length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0) puts("no /proc/self/exe"), exit(3);
    path[length] = 0;
    unlink(program);
    symlink(path, program);
}

static void make_file(const char *name, const void *bytes, size_t size, mode_t mode) {
    int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0700);
    write(fd, bytes, size);
    fchmod(fd, mode);
    close(fd);
}

static void make_script(const char *name, const char *text) {
    make_file(name, text, strlen(text), 0755);
}

#define ARGS(...) (char *[]){__VA_ARGS__, NULL}

// Runs the rest in a child, so that one test can start many programs.
#define IN_CHILD(what)                                                                                                 \
    do {                                                                                                               \
        fflush(stdout);                                                                                                \
        pid_t child = fork();                                                                                          \
        if (!child) {                                                                                                  \
            print_result(#what, (long)(what));                                                                         \
            fflush(stdout);                                                                                            \
            _exit(99);                                                                                                 \
        }                                                                                                              \
        int status = -1;                                                                                               \
        waitpid(child, &status, 0);                                                                                    \
        if (status != 99 << 8) printf("ended with %x\n", (unsigned)status);                                            \
    } while (0)

// What a program was given.
static void show(int argc, char **argv) {
    printf("%d arguments:", argc);
    for (int i = 0; i < argc && i < 20; i++)
        if (strlen(argv[i]) > 100) printf(" [%zu bytes, %lx]", strlen(argv[i]), checksum(argv[i], strlen(argv[i])));
        else printf(" [%s]", argv[i]);
    int count = 0;
    uint64_t sum = 0;
    for (int i = 20; i < argc; i++) sum = mix(sum, checksum(argv[i], strlen(argv[i])));
    for (; environ[count]; count++) sum = mix(sum, checksum(environ[count], strlen(environ[count])));
    printf("; %d variables, %lx:", count, sum);
    for (int i = 0; i < count && i < 5; i++) printf(" [%.30s]", environ[i]);
    char name[16] = "";
    prctl(PR_GET_NAME, name);
    const char *path = (char *)getauxval(AT_EXECFN);
    printf("; name %s path %s\n", name, strncmp(path, "/dev/fd/", 8) ? path : "/dev/fd");
    CHECK(argv[argc] == NULL && gettid() == getpid());
}

static void self(void) {
    make_link();
    IN_CHILD(execve(program, ARGS("another name", "show", "", "two words", "*", ""), ARGS("A=1", "EMPTY=", "=", "no equals sign")));
    IN_CHILD(execve(program, ARGS("", "show"), NULL));
    IN_CHILD(execve(program, NULL, ARGS("SHOW=1")));
    IN_CHILD(execv(program, ARGS(program, "show", "inherits the environment")));
    IN_CHILD(execve("/proc/self/exe", ARGS("x", "status", "/proc/self/exe"), ARGS("A=1")));
    setenv("PATH", "/no/such/folder:.:/bin", 1);
    IN_CHILD(execvp("program", ARGS("program", "show", "by PATH")));
    IN_CHILD(execlp("no-such-program-anywhere", "x", NULL));
    mkdir("folder", 0700);
    IN_CHILD((chdir("folder"), execve("../program", ARGS("x", "show"), environ)));
}

static void large(void) {
    static char big[100001], *many[3001], bytes[3000][20];
    make_link();
    memset(big, 'x', 100000);
    memcpy(big, "BIG=", 4);
    for (int i = 0; i < 3000; i++) sprintf(bytes[i], "V%d=%d", i, i * i), many[i] = bytes[i];
    IN_CHILD(execve(program, ARGS("x", "show", big), ARGS(big, big, "LAST=1")));
    IN_CHILD(execve(program, ARGS("x", "show"), many));
    many[0] = "x", many[1] = "show";
    IN_CHILD(execve(program, many, ARGS("A=1")));
}

static void refused(void) {
    Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT}, .e_type = ET_EXEC, .e_machine = 0xfff0, .e_version = 1};
    char *args[] = {"x", NULL}, long_name[5000], *too_many[100];
    make_link();
    make_file("garbage", "\1\2\3\4garbage that is no program at all and long enough", 50, 0755);
    make_file("empty", "", 0, 0755);
    make_file("text", "echo a script without its first line\n", 36, 0755);
    make_file("plain", "#!/bin/sh\n", 10, 0644);
    make_file("machine", &header, sizeof header, 0755);
    make_file("short", &header, 30, 0755);
    header.e_type = 77;
    make_file("type", &header, sizeof header, 0755);
    mkdir("folder", 0700), symlink("loop", "loop"), symlink("nowhere", "dangling");
    RESULT(execve("/no/such/program", args, environ));
    RESULT(execve("", args, environ));
    RESULT(execve("folder", args, environ));
    RESULT(execve("/", args, environ));
    RESULT(execve("plain", args, environ));
    RESULT(execve("garbage", args, environ));
    RESULT(execve("empty", args, environ));
    RESULT(execve("text", args, environ));
    RESULT(execve("machine", args, environ));
    RESULT(execve("short", args, environ));
    RESULT(execve("type", args, environ));
    RESULT(execve("garbage/program", args, environ));
    RESULT(execve("loop", args, environ));
    RESULT(execve("dangling", args, environ));
    RESULT(execve("/dev/null", args, environ));
    memset(long_name, 'n', sizeof long_name), long_name[4999] = 0;
    RESULT(execve(long_name, args, environ));
    RESULT(execve((char *)opaque(16), args, environ));
    RESULT(execve(program, (char **)opaque(16), environ));
    RESULT(execve(program, args, (char **)opaque(16)));
    RESULT(execve(program, ARGS("x", (char *)opaque(16)), environ));
    // One string may have 128 KB; all together a quarter of the stack's limit.
    char *string = malloc(200000);
    memset(string, 'a', 200000), string[131072] = 0;
    RESULT(execve(program, ARGS("x", string), environ));
    RESULT(execve(program, args, ARGS(string)));
    string[131071] = 0;
    for (int i = 0; i < 99; i++) too_many[i] = string;
    too_many[99] = NULL;
    RESULT(execve(program, too_many, environ));
    IN_CHILD(execve(program, ARGS("x", "show", string), ARGS("A=1")));
    puts("still here");
}

static void scripts(void) {
    make_link();
    make_script("plain", "#!./program show\nrest\n");
    make_script("none", "#!./program\n");
    make_script("spaced", "#! \t ./program \t show  more words \t \nrest\n");
    make_script("end", "#!./program show");
    make_script("missing", "#!/no/such/interpreter\n");
    make_script("nothing", "#!\n");
    make_script("blank", "#!   \n");
    make_script("folder-script", "#!/\n");
    make_script("not-executable", "#!plain-file\n");
    make_file("plain-file", "#!/bin/sh\n", 10, 0644);
    make_script("itself", "#!./itself\n");
    IN_CHILD(execve("plain", ARGS("ignored", "one", "", "two words"), ARGS("A=1")));
    IN_CHILD(execve("./plain", ARGS("ignored"), ARGS("A=1")));
    IN_CHILD(execve("none", ARGS("ignored", "one"), ARGS("SHOW=1")));
    IN_CHILD(execve("spaced", ARGS("ignored", "one"), ARGS("A=1")));
    IN_CHILD(execve("end", ARGS("ignored", "one"), ARGS("A=1")));
    IN_CHILD(execve("plain", NULL, ARGS("A=1")));
    IN_CHILD(execve("missing", ARGS("x"), ARGS("A=1")));
    IN_CHILD(execve("nothing", ARGS("x"), ARGS("A=1")));
    IN_CHILD(execve("blank", ARGS("x"), ARGS("A=1")));
    IN_CHILD(execve("folder-script", ARGS("x"), ARGS("A=1")));
    IN_CHILD(execve("not-executable", ARGS("x"), ARGS("A=1")));
    IN_CHILD(execve("itself", ARGS("x"), ARGS("A=1")));
    // Scripts whose interpreters are scripts.
    char name[20] = "plain", text[60];
    for (int i = 1; i < 7; i++) {
        sprintf(text, "#!./%s level %d\n", name, i), sprintf(name, "nested%d", i);
        make_script(name, text);
        printf("%s\n", name);
        IN_CHILD(execve(name, ARGS("x", "last"), ARGS("A=1")));
    }
}

static const int kept_numbers[] = {50, 51, 52, 53};

static void descriptors(void) {
    make_link();
    int fd = open("file", O_CREAT | O_RDWR | O_TRUNC, 0600);
    write(fd, "contents", 8), lseek(fd, 3, SEEK_SET);
    dup2(fd, 50);
    dup3(fd, 51, O_CLOEXEC);
    dup2(fd, 52), fcntl(52, F_SETFD, FD_CLOEXEC);
    dup3(fd, 53, O_CLOEXEC), fcntl(53, F_SETFD, 0);
    IN_CHILD(execve(program, ARGS("x", "descriptors-after"), environ));
    // A refused start closes nothing.
    RESULT(execve("/no/such/program", ARGS("x"), environ));
    for (int i = 0; i < 4; i++) RESULT(fcntl(kept_numbers[i], F_GETFD));
}

static void descriptors_after(void) {
    char text[20] = "";
    for (int i = 0; i < 4; i++) RESULT(fcntl(kept_numbers[i], F_GETFD));
    RESULT(read(50, text, sizeof text));
    puts(text);
}

static void handler(int number) {
}

static void signals(void) {
    static char stack[65536];
    sigset_t set;
    make_link();
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    signal(SIGUSR1, SIG_IGN), signal(SIGUSR2, handler), signal(SIGHUP, SIG_DFL), signal(SIGCHLD, SIG_IGN), signal(SIGRTMIN + 1, handler);
    sigemptyset(&set), sigaddset(&set, SIGTERM), sigaddset(&set, SIGRTMIN + 2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGTERM), kill(getpid(), SIGRTMIN + 2), kill(getpid(), SIGRTMIN + 2);
    // Those that faults raise, and one that is usually ignored.
    sigaddset(&set, SIGSEGV), sigaddset(&set, SIGBUS), sigaddset(&set, SIGURG);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGSEGV), kill(getpid(), SIGBUS), kill(getpid(), SIGURG), raise(SIGURG);
    alarm(100);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){80, 80});
    umask(027);
    printf("pid stays: ");
    fflush(stdout);
    char pid[20];
    sprintf(pid, "%d", getpid());
    execve(program, ARGS("x", "signals-after", pid), environ);
}

static void signals_after(const char *pid) {
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGHUP, SIGCHLD, SIGSEGV};
    sigset_t set, pending;
    printf("%d\n", atoi(pid) == getpid());
    for (int i = 0; i < 5; i++) {
        struct sigaction action;
        sigaction(numbers[i], NULL, &action);
        printf("%d: ignored %d default %d\n", numbers[i], action.sa_handler == SIG_IGN, action.sa_handler == SIG_DFL);
    }
    sigprocmask(SIG_BLOCK, NULL, &set), sigpending(&pending);
    for (int i = 1; i < 65; i++)
        if (sigismember(&set, i) == 1 || sigismember(&pending, i) == 1)
            printf("%s%d: blocked %d pending %d\n", i < SIGRTMIN ? "" : "rt", i < SIGRTMIN ? i : i - SIGRTMIN, sigismember(&set, i), sigismember(&pending, i));
    stack_t stack;
    sigaltstack(NULL, &stack);
    int count = 0;
    while (sigtimedwait(&set, NULL, &(struct timespec){0, 0}) > 0) count++;
    printf("taken %d, no other stack %d, alarm %d, mask %o\n", count, stack.ss_flags == SS_DISABLE, alarm(0) > 90, umask(0));
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    printf("descriptors %lu\n", (unsigned long)limit.rlim_cur);
}

static void by_descriptor(void) {
    make_link();
    make_script("script", "#!./program show\n");
    int fd = open(program, O_RDONLY), closed = open(program, O_RDONLY | O_CLOEXEC), folder = open(".", O_RDONLY | O_DIRECTORY);
    int path = open(program, O_PATH | O_CLOEXEC), script = open("script", O_RDONLY), hidden = open("script", O_RDONLY | O_CLOEXEC);
    IN_CHILD(fexecve(fd, ARGS("x", "status", "by descriptor"), ARGS("A=1")));
    IN_CHILD(fexecve(closed, ARGS("x", "status", "closed on the way"), ARGS("A=1")));
    IN_CHILD(execveat(path, "", ARGS("x", "status", "by path"), ARGS("A=1"), AT_EMPTY_PATH));
    IN_CHILD(execveat(folder, "program", ARGS("x", "status", "in a folder"), ARGS("A=1"), 0));
    IN_CHILD(execveat(AT_FDCWD, program, ARGS("x", "status", "here"), ARGS("A=1"), 0));
    IN_CHILD(execveat(AT_FDCWD, program, ARGS("x"), ARGS("A=1"), AT_SYMLINK_NOFOLLOW));
    IN_CHILD(execveat(fd, "", ARGS("x"), ARGS("A=1"), 0));
    IN_CHILD(execveat(fd, "", ARGS("x"), ARGS("A=1"), 0x7777));
    IN_CHILD(execveat(-1, "program", ARGS("x"), ARGS("A=1"), 0));
    IN_CHILD(execveat(fd, "program", ARGS("x"), ARGS("A=1"), 0));
    IN_CHILD(execveat(folder, "", ARGS("x"), ARGS("A=1"), AT_EMPTY_PATH));
    IN_CHILD(execveat(hidden, "", ARGS("x"), ARGS("A=1"), AT_EMPTY_PATH));
    char first[10] = "";
    CHECK(pread(script, first, 2, 0) == 2);
    // A program that has no name any more.
    int memory = memfd_create("copy", MFD_CLOEXEC);
    static char bytes[65536];
    for (long n; (n = read(fd, bytes, sizeof bytes)) > 0;) write(memory, bytes, (size_t)n);
    IN_CHILD(fexecve(memory, ARGS("x", "status", "from memory"), ARGS("A=1")));
}

static void status(char **argv) {
    printf("%s: %s %d\n", argv[0], argv[2], environ[0] && !environ[1]);
}

static _Atomic long *counter;

static void *count_on(void *arg) {
    for (;;) {
        ++*counter;
        if (arg) nanosleep(&(struct timespec){0, 100000}, NULL);
    }
    return NULL;
}

static void *start_from_thread(void *pid) {
    execve(program, ARGS("x", "thread-after", pid), environ);
    puts("refused");
    return NULL;
}

// The thread that starts a program takes the place of the first; all others end.
static void thread(void) {
    pthread_t threads[6];
    make_link();
    int fd = open("counter", O_CREAT | O_RDWR | O_TRUNC, 0600);
    ftruncate(fd, 4096);
    counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    for (long i = 0; i < 5; i++) pthread_create(&threads[i], NULL, count_on, (void *)(i % 2));
    while (*counter < 1000) sched_yield();
    char pid[20];
    sprintf(pid, "%d", getpid());
    pthread_create(&threads[5], NULL, start_from_thread, pid);
    pthread_join(threads[5], NULL);
}

static void thread_after(const char *pid) {
    counter = mmap(NULL, 4096, PROT_READ, MAP_SHARED, open("counter", O_RDONLY), 0);
    long before = *counter;
    nanosleep(&(struct timespec){0, 20000000}, NULL);
    printf("pid stays %d, first thread %d, others ended %d\n", atoi(pid) == getpid(), gettid() == getpid(), *counter == before && before >= 1000);
}

// A refused start harms no thread.
static void thread_refused(void) {
    static _Atomic long count;
    pthread_t thread;
    counter = &count;
    pthread_create(&thread, NULL, count_on, "slowly");
    RESULT(execve("/no/such/program", ARGS("x"), environ));
    make_script("missing", "#!/no/such/interpreter\n");
    RESULT(execve("missing", ARGS("x"), environ));
    for (long before = count; count < before + 10;) sched_yield();
    puts("still counting");
}

static void chain(void) {
    make_link();
    char pid[20];
    sprintf(pid, "%d", getpid());
    execve(program, ARGS("x", "link", "30", pid), environ);
}

static void chain_link(char **argv) {
    char next[20];
    int left = atoi(argv[2]);
    if (left % 10 == 0) printf("%d left, same process %d\n", left, atoi(argv[3]) == getpid());
    fflush(stdout);
    sprintf(next, "%d", left - 1);
    if (left) execve(program, ARGS("x", "link", next, argv[3]), environ);
}

static void vforked(void) {
    make_link();
    for (int i = 0; i < 10; i++) {
        char number[10];
        sprintf(number, "%d", i);
        fflush(stdout);
        pid_t child = vfork();
        if (!child) execve(program, ARGS("vforked", "status", number), ARGS("A=1")), _exit(1);
        int status;
        waitpid(child, &status, 0);
        if (status) puts("failed");
    }
}

// Programs of the machine itself.
static void host_programs(void) {
    IN_CHILD(execve("/bin/true", ARGS("true"), environ));
    IN_CHILD(execve("/bin/false", ARGS("false"), environ));
    IN_CHILD(execve("/bin/echo", ARGS("echo", "a", "", "b c"), environ));
    IN_CHILD(execve("/bin/sh", ARGS("sh", "-c", "echo $0 $A; exit 5", "zero"), ARGS("A=1")));
    make_script("script", "#!/bin/sh\necho script $1; kill -TERM $$\n");
    IN_CHILD(execve("script", ARGS("x", "one"), environ));
    make_script("text", "echo text $1\n");
    IN_CHILD(execvp("./text", ARGS("x", "one")));
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (!strncmp(what, "show", 4) || !strcmp(what, "level 1") || getenv("SHOW")) return show(argc, argv), 0;
    if (!strcmp(what, "status")) return status(argv), 0;
    if (!strcmp(what, "descriptors-after")) return descriptors_after(), 0;
    if (!strcmp(what, "signals-after")) return signals_after(argv[2]), 0;
    if (!strcmp(what, "thread-after")) return thread_after(argv[2]), 0;
    if (!strcmp(what, "link")) return chain_link(argv), 0;
    static const struct test_case cases[] = {
        CASE(self),   CASE(large),          CASE(refused), CASE(scripts), CASE(descriptors),   CASE(signals), CASE(by_descriptor),
        CASE(thread), CASE(thread_refused), CASE(chain),   CASE(vforked), CASE(host_programs), {NULL, NULL},
    };
    return run_case(cases, argc, argv);
}
