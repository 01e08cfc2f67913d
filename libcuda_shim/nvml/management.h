#pragma once

#include <cstdint>

// Of libcuda.so.1, for libnvidia-ml.so.1 of the same build. Call after cuInit.

/// 1 when CUDA_VISIBLE_DEVICES hides no device and keeps their order, else 0.
extern "C" int cuttle_management_every_device_visible();

/// The device's memory in bytes, without a context. Returns a CUresult.
extern "C" int cuttle_management_memory(int ordinal, uint64_t* free_bytes, uint64_t* total_bytes);
