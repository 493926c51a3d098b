// build: -lm -frounding-math
// The C library's floating-point environment: rounding modes, exceptions, and rounding functions under each mode.

#include "check.h"
#include <fenv.h>
#include <math.h>

static void show_exceptions(const char *what, double value) {
    int raised = fetestexcept(FE_ALL_EXCEPT);
    printf("%s = %a:%s%s%s%s%s\n", what, value, raised & FE_INVALID ? " invalid" : "",
           raised & FE_DIVBYZERO ? " divbyzero" : "", raised & FE_OVERFLOW ? " overflow" : "",
           raised & FE_UNDERFLOW ? " underflow" : "", raised & FE_INEXACT ? " inexact" : "");
    feclearexcept(FE_ALL_EXCEPT);
}

#define SHOW(expression)                                 \
    do {                                                 \
        volatile double result_ = (double)(expression);  \
        show_exceptions(#expression, result_);           \
    } while (0)

static void under_mode(const char *name, int mode) {
    volatile double one = 1.0, three = 3.0, tiny = 0x1p-1074, huge = 0x1.fffffffffffffp1023, zero = 0.0, half = 2.5;
    volatile float onef = 1.0f, threef = 3.0f, hugef = 3.4e38f, tinyf = 0x1p-149f;
    volatile double inexact = 123456789.123456789, border = 0x1.ffffffffffffep-1023;
    printf("-- %s: fesetround %d, fegetround is it: %d\n", name, fesetround(mode), fegetround() == mode);
    feclearexcept(FE_ALL_EXCEPT);
    SHOW(one / three);
    SHOW(-one / three);
    SHOW(onef / threef);
    SHOW(tiny / three);
    SHOW(tinyf / threef);
    SHOW(border * (one + 0x1p-52));
    SHOW(huge * three);
    SHOW(hugef * threef);
    SHOW(-huge * three);
    SHOW(one / zero);
    SHOW(zero / zero);
    SHOW(sqrt(-one));
    SHOW(sqrt(three));
    SHOW(one - one);
    SHOW((float)inexact);
    SHOW(rint(half));
    SHOW(rint(-half));
    SHOW(nearbyint(half));
    SHOW(lrint(half));
    SHOW(llrint(-half));
    SHOW(floor(half));
    SHOW(ceil(half));
    SHOW(trunc(-half));
    SHOW(round(half));
    SHOW(lround(-half));
    SHOW((long)inexact);
    SHOW(fma(one / three, three, -one));
    SHOW(strtod("0.1", NULL));
    printf("printf %.3f %.1f %g\n", inexact, 0.25, 1e23);
    feclearexcept(FE_ALL_EXCEPT);
}

int main(void) {
    under_mode("to nearest", FE_TONEAREST);
    under_mode("toward zero", FE_TOWARDZERO);
    under_mode("downward", FE_DOWNWARD);
    under_mode("upward", FE_UPWARD);
    fenv_t environment;
    fesetround(FE_UPWARD), feraiseexcept(FE_INEXACT | FE_DIVBYZERO);
    printf("raised %d\n", fetestexcept(FE_ALL_EXCEPT) == (FE_INEXACT | FE_DIVBYZERO));
    feholdexcept(&environment);
    printf("held %d\n", fetestexcept(FE_ALL_EXCEPT));
    feraiseexcept(FE_OVERFLOW);
    feupdateenv(&environment);
    printf("updated %d, mode upward %d\n", fetestexcept(FE_ALL_EXCEPT), fegetround() == FE_UPWARD);
    return 0;
}
