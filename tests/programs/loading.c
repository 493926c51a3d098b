// build: -ldl
// link: dynamic
// dlopen, dlsym, dladdr and weak symbols: the dynamic loader at work after the start.

#include "check.h"
#include <dlfcn.h>
#include <math.h>

extern int missing_function(void) __attribute__((weak));

int main(void) {
    void *library = dlopen("libm.so.6", RTLD_NOW);
    printf("libm %s\n", library ? "loaded" : dlerror());
    double (*cosine)(double) = (double (*)(double))dlsym(library, "cos");
    double (*power)(double, double) = (double (*)(double, double))dlsym(library, "pow");
    printf("%a %a\n", cosine(1.0), power(2.0, 0.5));
    printf("nothing %d\n", dlsym(library, "no_such_function") == NULL);
    Dl_info info;
    printf("dladdr %d", dladdr((void *)(uintptr_t)cosine, &info) != 0);
    printf(" %s\n", strrchr(info.dli_fname, '/'));
    printf("close %d\n", dlclose(library));
    printf("absent %d\n", dlopen("libabsent.so.9", RTLD_LAZY) == NULL);
    printf("weak %d\n", missing_function == NULL);
    int (*print)(const char *, ...) = (int (*)(const char *, ...))dlsym(RTLD_DEFAULT, "printf");
    print("through dlsym %d\n", 5);
    return 0;
}
