#pragma once

#include <cstdint>
#include <string>

namespace rt {

class Context;
enum class Status : int;

/// What happens when a kernel faults. CUDA driver API, "Coredump Attributes Control".
struct CoreDumpSettings {
    /// CUCoredumpGenerationFlags' numbers.
    enum : uint32_t { skip_code = 1, skip_global = 2, skip_shared = 4, skip_local = 8, skip_abort = 16, skip_constants = 32 };
    static constexpr uint32_t lightweight = skip_code | skip_global | skip_shared | skip_local | skip_constants;
    static constexpr uint32_t all_flags = lightweight | skip_abort;

    bool enabled = false;
    uint32_t flags = 0;
    std::string file; ///< %h, %p, %t: host, process, time in seconds; empty: core.cuda.%h.%p
    std::string pipe;
};

namespace core_dump {
/// For contexts to come. At first what CUDA_ENABLE_COREDUMP_ON_EXCEPTION and CUDA_COREDUMP_FILE say. Thread safe, as is
/// all of this.
CoreDumpSettings defaults();
void set_defaults(const CoreDumpSettings&);
CoreDumpSettings settings_of(Context&);
void set_settings(Context&, const CoreDumpSettings&);
/// Writes a report of the fault, if that is enabled: a text of what is known, without contents of memory. Never throws.
void write(Context&, Status, const std::string& message) noexcept;
} // namespace core_dump

} // namespace rt
