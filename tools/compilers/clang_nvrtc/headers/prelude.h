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
// In the place of a file of the toolkit's that clang's next header asks for.
#define __SM_70_RT_HPP__
#include <__clang_cuda_intrinsics.h>
#undef CUDA_VERSION
#undef INT_MAX
#undef INT_MIN
#undef HUGE_VAL
#undef HUGE_VALF

#include "atomics.h"
#include "intrinsics.h"
#include "overloads.h"
#include "texture.h"

#undef CUTTLE_DEVICE
#undef CUTTLE_LIBDEVICE
