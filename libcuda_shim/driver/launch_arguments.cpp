#include "driver/launch_arguments.h"

#include "api/constants.h"
#include "driver/handles.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace shim {
namespace {

/// The packed arguments that `extra` names: tag, value, tag, value, ..., end. CUDA driver API, cuLaunchKernel.
std::span<const uint8_t> packed(void** extra) {
    const uint8_t* data = nullptr;
    const size_t* size = nullptr;
    for (; *extra != reinterpret_cast<void*>(CU_LAUNCH_PARAM_END); extra += 2) {
        switch (uint64_t(*extra)) {
        case CU_LAUNCH_PARAM_BUFFER_POINTER:
            data = static_cast<const uint8_t*>(extra[1]);
            break;
        case CU_LAUNCH_PARAM_BUFFER_SIZE:
            size = static_cast<const size_t*>(extra[1]);
            break;
        default:
            throw Error(Status::invalid_value, "unknown word in extra");
        }
    }
    require_value(size && (data || *size == 0), "extra without a buffer and its size");
    return {data, *size};
}

} // namespace

std::vector<uint8_t> arguments_of(rt::Function& function, void** parameters, void** extra) {
    if (extra && *extra == reinterpret_cast<void*>(CU_LAUNCH_PARAM_END)) extra = nullptr;
    require_value(!(parameters && extra), "both kernelParams and extra");
    const auto& info = function.info();
    if (info.parameters.empty()) return std::vector<uint8_t>(info.parameter_bytes);
    if (parameters) return function.pack(parameters);
    require_value(extra, "the kernel has parameters, and none were given");
    const auto buffer = packed(extra);
    const auto& last = info.parameters.back();
    if (buffer.size() < last.offset + last.size) {
        throw Error(Status::invalid_value, fmt::format("{}: {} bytes of arguments, {} expected", function.name(),
                                                       buffer.size(), last.offset + last.size));
    }
    std::vector<uint8_t> out(info.parameter_bytes);
    std::memcpy(out.data(), buffer.data(), std::min(out.size(), buffer.size()));
    return out;
}

} // namespace shim
