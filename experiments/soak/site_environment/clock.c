/* A clock that is off, for what asks the C library: certificates are judged by time(). Loaded before it by LD_PRELOAD.
   clock_gettime stays as it is: deadlines are compared with the kernel's own clock, and would be off too. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

time_t time(time_t *there)
{
    struct timespec now;
    const char *off = getenv("SOAK_CLOCK_OFF_S");
    clock_gettime(CLOCK_REALTIME, &now);
    time_t shifted = now.tv_sec + (off ? atol(off) : 0);
    if (there)
        *there = shifted;
    return shifted;
}
