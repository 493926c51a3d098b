// Prints its arguments, what it was executed by, and AT_FLAGS; exits with the number of arguments.

#include <stdio.h>
#include <sys/auxv.h>

int main(int argc, char **argv) {
    for (int i = 0; i < argc; i++) printf("%s|", argv[i]);
    printf("%s|%lu\n", (char *)getauxval(AT_EXECFN), getauxval(AT_FLAGS));
    return argc;
}
