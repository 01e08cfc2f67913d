#pragma once

#include "ptx/image.h"

#include <cstdint>
#include <string>
#include <vector>

/// Runs one thread of a kernel that was translated for the host and does not synchronise. The kernel's parameters are
/// `.u64` address of `buffer`, `.u32 n`, `.f32 x`. Throws std::runtime_error when the code cannot be loaded.
void run_on_host(const ptx::Image&, const ptx::ModuleInfo&, const std::string& kernel, std::vector<uint32_t>& buffer,
                 uint32_t n, float x);
