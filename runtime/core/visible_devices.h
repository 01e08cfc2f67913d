#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rt {

using Uuid = std::array<uint8_t, 16>;

/// "GPU-01234567-89ab-cdef-0123-456789abcdef".
std::string uuid_text(const Uuid&);

/// Which devices an application sees, in its order. CUDA C++ Programming Guide, CUDA environment variables:
/// CUDA_VISIBLE_DEVICES holds ordinals or beginnings of UUIDs, separated by commas; the first entry that names no
/// device hides itself and all after it, and a device named twice hides everything. Unset shows all.
std::vector<int> visible_devices(const std::optional<std::string>& variable, const std::vector<Uuid>& uuids);

} // namespace rt
