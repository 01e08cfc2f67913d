#pragma once

// The driver API as our own table declares it, for tests and programs that are built without NVIDIA's headers.
#include "api/exports.h"

using namespace shim;

// A program that asks for per-thread default streams calls the variants of that name, as with NVIDIA's header.
#ifdef CUDA_API_PER_THREAD_DEFAULT_STREAM
#define cuMemsetD8Async cuMemsetD8Async_ptsz
#define cuMemcpyAsync cuMemcpyAsync_ptsz
#define cuLaunchKernel cuLaunchKernel_ptsz
#define cuStreamSynchronize cuStreamSynchronize_ptsz
#endif
