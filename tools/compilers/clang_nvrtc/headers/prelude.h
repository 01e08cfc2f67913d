#pragma once
#pragma clang system_header

// What a source for NVRTC may use without any #include, for clang: language words, types, built-in variables and device
// functions. CUDA C++ programming guide; NVRTC manual, "Language"; CUDA math API. Included before the source.

// clang-format off: every header stands on those before it.
#include "words.h"
#include "vectors.h"

// clang's own headers hold what needs no CUDA toolkit. They ask which one it is, and take some of C's words for
// granted.
#define CUDA_VERSION 13000
#define INT_MAX __INT_MAX__
#define INT_MIN (-__INT_MAX__ - 1)
#define HUGE_VAL __builtin_huge_val()
#define HUGE_VALF __builtin_huge_valf()
typedef unsigned int cuuint32_t;
#include <__clang_cuda_builtin_vars.h>
#include "libdevice_absent.h"
#include <__clang_cuda_libdevice_declares.h>
// clang's names for the words of a function that is compiled into others.
#define CUTTLE_DEVICE static inline __device__ __attribute__((always_inline))
#define CUTTLE_LIBDEVICE extern "C" inline __device__ __attribute__((always_inline))
#include "address_spaces.h"
#include "libdevice.h"
#include "libdevice_math.h"
#include "libdevice_special.h"
#include <__clang_cuda_device_functions.h>
#include <__clang_cuda_math.h>
#include <__clang_cuda_intrinsics.h>
#undef CUDA_VERSION
#undef INT_MAX
#undef INT_MIN
#undef HUGE_VAL
#undef HUGE_VALF

#include "atomics.h"
#include "intrinsics.h"
#include "nv_target.h"
#include "overloads.h"
#include "texture.h"

#undef CUTTLE_DEVICE
#undef CUTTLE_LIBDEVICE

// NVRTC is none of the compilers that headers know by these macros, and no system is there.
#undef __clang__
#undef __clang_major__
#undef __clang_minor__
#undef __clang_patchlevel__
#undef __clang_version__
#undef __CUDA__
#undef __GNUC__
#undef __GNUC_MINOR__
#undef __GNUC_PATCHLEVEL__
#undef __GNUG__
#undef __gnu_linux__
#undef __linux
#undef __linux__
#undef __unix
#undef __unix__
#undef __x86_64
#undef __x86_64__
#undef __amd64
#undef __amd64__
#undef __DBL_DENORM_MIN__
#undef __DBL_EPSILON__
#undef __DBL_MAX__
#undef __DBL_MIN__
#undef __FLT_DENORM_MIN__
#undef __FLT_EPSILON__
#undef __FLT_MAX__
#undef __FLT_MIN__
