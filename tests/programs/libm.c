// build: -lm
// Functions of the C mathematics library, double and single: long chains of ordinary floating-point code.

#include "check.h"
#include <complex.h>
#include <math.h>

#define ONE(name)                                                                                          \
    printf(#name ":");                                                                                     \
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)                                            \
        printf(" %a %a", name(points[i]), (double)name##f((float)points[i]));                              \
    putchar('\n')

#define TWO(name)                                                                                          \
    printf(#name ":");                                                                                     \
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)                                            \
        for (size_t j = 0; j < sizeof points / sizeof *points; j += 3)                                     \
            printf(" %a %a", name(points[i], points[j]), (double)name##f((float)points[i], (float)points[j])); \
    putchar('\n')

int main(void) {
    static volatile double points[] = {0.0,  -0.0, 0.1,    -0.3,  0.5,   0.7071, 1.0,  -1.0,     1.5,     2.0, -2.5,
                                       10.0, 42.5, -100.0, 1e-10, 1e-300, 1e10,  1e22, 700.0, -745.0, 1e300, INFINITY};
    ONE(sin); ONE(cos); ONE(tan); ONE(asin); ONE(acos); ONE(atan);
    ONE(sinh); ONE(cosh); ONE(tanh); ONE(asinh); ONE(acosh); ONE(atanh);
    ONE(exp); ONE(exp2); ONE(expm1); ONE(log); ONE(log2); ONE(log10); ONE(log1p); ONE(logb);
    ONE(sqrt); ONE(cbrt); ONE(erf); ONE(erfc); ONE(tgamma); ONE(lgamma); ONE(j0); ONE(y1);
    ONE(floor); ONE(ceil); ONE(trunc); ONE(round); ONE(rint); ONE(fabs);
    TWO(pow); TWO(atan2); TWO(fmod); TWO(remainder); TWO(hypot); TWO(fdim); TWO(fmin); TWO(fmax); TWO(nextafter); TWO(copysign);
    int exponent;
    double whole;
    printf("frexp %a %d\n", frexp(points[12], &exponent), exponent);
    printf("modf %a %a\n", modf(points[10], &whole), whole);
    printf("ldexp %a scalbn %a\n", ldexp(points[4], -1070), scalbn(points[2], 400));
    double complex z = cexp(points[4] + points[5] * I) * csqrt(points[10] + points[3] * I);
    printf("complex %a %a\n", creal(z), cimag(z));
    long double wide = (long double)points[2] / 3.0L;  // quadruple precision: software in the C library
    printf("long double %.30Lg %La\n", sqrtl(wide) * wide + 1e-20L, wide);
    for (int i = 0; i < 3; i++) printf("%.17g %.9e %f\n", points[i + 11], points[i + 13], points[i + 4]);
    printf("strtod %a %a %a %a\n", strtod("3.14159265358979323846", NULL), strtod("1e-310", NULL), strtod("0x1.8p3", NULL),
           strtod("179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880", NULL));
    return 0;
}
