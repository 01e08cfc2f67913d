#pragma once
#pragma clang system_header

// Nothing that we have computes these: whoever calls one is told when compiling. To be seen before clang's
// declarations.

#define CUTTLE_ABSENT __attribute__((error("Bessel functions need NVIDIA's NVRTC")))
#define CUTTLE_BESSEL(name)                                                                                            \
    extern "C" CUTTLE_ABSENT __device__ double __nv_##name(double);                                                    \
    extern "C" CUTTLE_ABSENT __device__ float __nv_##name##f(float);
CUTTLE_BESSEL(j0)
CUTTLE_BESSEL(j1)
CUTTLE_BESSEL(y0)
CUTTLE_BESSEL(y1)
CUTTLE_BESSEL(cyl_bessel_i0)
CUTTLE_BESSEL(cyl_bessel_i1)
#undef CUTTLE_BESSEL
extern "C" CUTTLE_ABSENT __device__ double __nv_jn(int, double);
extern "C" CUTTLE_ABSENT __device__ float __nv_jnf(int, float);
extern "C" CUTTLE_ABSENT __device__ double __nv_yn(int, double);
extern "C" CUTTLE_ABSENT __device__ float __nv_ynf(int, float);
#undef CUTTLE_ABSENT
