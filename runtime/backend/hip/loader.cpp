#include "backend/hip/loader.h"

#include "backend/gpu/results.h"
#include "rt/error.h"
#include "support/dynamic_library.h"

#include <fmt/format.h>

namespace rt::backend::hip {

namespace {

constexpr gpu::ResultRow<hipError_t> result_rows[] = {
#define HIP_RESULT(value, name, status) {name, #name, Status::status},
#include "backend/hip/results.def"
};
constexpr std::span<const gpu::ResultRow<hipError_t>> results(result_rows);

Loader open() {
    std::string reason;
    static auto& library = *new std::unique_ptr<DynamicLibrary>();
    // The newest first; the name without a version is a developer's.
    if (!library)
        library = DynamicLibrary::open({"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5", "libamdhip64.so"},
                                       &reason);
    if (!library) throw Error(Status::no_device, "no HIP runtime: " + reason);
    Loader hip;
#define HIP_FN(name, parameters) library->get(#name, hip.name);
#define HIP_NEWER_FN(name, parameters) hip.name = reinterpret_cast<hipError_t(*) parameters>(library->find(#name));
#include "backend/hip/functions.def"
    library->get("hipGetErrorString", hip.hipGetErrorString);
    if (auto result = hip.hipInit(0); result != hipSuccess)
        throw Error(Status::no_device,
                    fmt::format("{} does not start: {}", library->name(), gpu::name_in(results, result)));
    if (auto result = hip.hipRuntimeGetVersion(&hip.version); result != hipSuccess)
        throw Error(Status::no_device, fmt::format("{} has no version", library->name()));
    return hip;
}

} // namespace

const Loader& loader() {
    static const Loader opened = open();
    return opened;
}

std::string describe(hipError_t result) {
    const char* text = loader().hipGetErrorString(result);
    return gpu::name_in(results, result) + (text ? fmt::format(": {}", text) : "");
}

void check(hipError_t result, std::string_view doing) {
    if (result == hipSuccess) return;
    throw Error(gpu::status_in(results, result), fmt::format("hip: {}: {}", doing, describe(result)));
}

} // namespace rt::backend::hip
