#pragma once

#include "ptx/image.h"

namespace ptx {

/// The processor of a SPIR-V target, "spirv:no-fp64", that has no doubles: integers stand for them.
inline constexpr std::string_view no_fp64 = "no-fp64";
inline bool has_fp64(const Target& target) { return target.cpu != no_fp64; }

} // namespace ptx
