#pragma once

#include <array>
#include <cstdint>

namespace shim {

/// What entry 1 of the integrity table answers. The three addresses are those of the tables that
/// cuGetExportTable hands out; the rest comes from the platform, the process and the thread.
std::array<uint64_t, 2> integrity_answer(uint32_t version, uint64_t unix_seconds, const void* cudart_table,
                                         const void* integrity_table, const void* integrity_function);

} // namespace shim
