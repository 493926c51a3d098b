// What a program is given: arguments, environment, auxiliary vector, own path, stack and program break.

#include "check.h"
#include <link.h>
#include <sys/auxv.h>
#include <unistd.h>

extern char **environ;
extern char end;

static __thread int thread_data = 11;
static __thread char thread_zero[100];

static int count_objects(struct dl_phdr_info *info, size_t size, void *count) {
    (void)size;
    (*(int *)count)++;
    if (*(int *)count == 1) printf("program headers %d\n", info->dlpi_phnum == getauxval(AT_PHNUM));
    return 0;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Sorted, as the order is the emulator's choice.
static void show_environment(void) {
    char *sorted[100];
    size_t count = 0;
    for (char **e = environ; *e && count < 100; e++) sorted[count++] = *e;
    qsort(sorted, count, sizeof *sorted, by_text);
    for (size_t i = 0; i < count; i++) printf("%s\n", sorted[i]);
}

__attribute__((constructor)) static void before(void) {
    printf("constructor\n");
}

__attribute__((destructor)) static void after(void) {
    printf("destructor\n");
}

int main(int argc, char **argv) {
    char path[4096] = "";
    printf("argc %d\n", argc);
    for (int i = 0; i <= argc; i++) printf("argv[%d] = %s\n", i, argv[i] ? argv[i] : "(null)");
    CHECK(environ == argv + argc + 1);
    show_environment();
    printf("VARIABLE is %s\n", getenv("VARIABLE") ? getenv("VARIABLE") : "not set");
    printf("page size %lu clock tick %lu\n", getauxval(AT_PAGESZ), getauxval(AT_CLKTCK));
    printf("execfn %s\n", (char *)getauxval(AT_EXECFN));
    // The letters of the base extensions, which every RV64GC machine has.
    printf("hwcap %lx\n", getauxval(AT_HWCAP) & 0x112d);
    CHECK(getauxval(AT_RANDOM) != 0);
    CHECK(getauxval(AT_ENTRY) != 0);
    CHECK(getauxval(AT_PHDR) != 0);
    CHECK(getauxval(AT_PHENT) == 56);
    CHECK(getauxval(AT_SECURE) == 0);
    CHECK(((uintptr_t)__builtin_frame_address(0) & 15) == 0);
    CHECK((char *)sbrk(0) >= &end);
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    printf("exe %d\n", length > 0 && strcmp(path, argv[0]) == 0);
    FILE *file = fopen("/proc/self/cmdline", "r");
    size_t size = fread(path, 1, sizeof path, file);
    fclose(file);
    printf("cmdline %zu %s\n", size, path);
    file = fopen("/proc/self/maps", "r");
    int own = 0, stack = 0;
    while (fgets(path, sizeof path, file)) {
        unsigned long from, to;
        if (sscanf(path, "%lx-%lx", &from, &to) != 2) continue;
        own += from <= (uintptr_t)main && (uintptr_t)main < to && strstr(path, "r-x") != NULL;
        stack += from <= (uintptr_t)argv && (uintptr_t)argv < to;
    }
    fclose(file);
    printf("maps: code %d stack %d\n", own, stack);
    thread_zero[50]++;
    printf("thread-local %d %d\n", thread_data, thread_zero[50]);
    int objects = 0;
    dl_iterate_phdr(count_objects, &objects);
    CHECK(objects >= 1);
    return 0;
}
