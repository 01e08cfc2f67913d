#include "rdc_library.h"

static __device__ int plus(int a, int b) { return a + b; }
static __device__ int times(int a, int b) { return a * b; }
static __device__ int minus(int a, int b) { return a - b; }
__device__ Operation operations[3] = {plus, times, minus};
__managed__ int managed_total = 4;
__constant__ int weights[4] = {10, 20, 30, 40};

__device__ int from_library(int x) { return Counter<int>::next(x) * 1000 + twice(x); }
int host_view_of_total() { return managed_total; }
