#include "backend/level_zero/loader.h"

#include "backend/gpu/results.h"
#include "rt/error.h"
#include "support/dynamic_library.h"

#include <fmt/format.h>

namespace rt::backend::level_zero {

namespace {

constexpr gpu::ResultRow<ze_result_t> result_rows[] = {
#define ZE_RESULT(value, name, status) {name, #name, Status::status},
#include "backend/level_zero/results.def"
};
constexpr std::span<const gpu::ResultRow<ze_result_t>> results(result_rows);

Loader open() {
    std::string reason;
    static auto& library = *new std::unique_ptr<DynamicLibrary>();
    if (!library) library = DynamicLibrary::open({"libze_loader.so.1"}, &reason);
    if (!library) throw Error(Status::no_device, "no Level Zero loader: " + reason);
    Loader ze;
#define ZE_FN(name, parameters) library->get(#name, ze.name);
#include "backend/level_zero/functions.def"
    // Loader 1.8 unloads a driver that fails to start but keeps calling it: after an error, nothing may follow.
    if (auto result = ze.zeInit(ZE_INIT_FLAG_GPU_ONLY); result != ZE_RESULT_SUCCESS)
        throw Error(Status::no_device, "no Level Zero driver starts: " + name_of(result));
    return ze;
}

} // namespace

const Loader& loader() {
    static const Loader opened = open();
    return opened;
}

std::string name_of(ze_result_t result) { return gpu::name_in(results, result); }

void check(ze_result_t result, std::string_view doing) {
    if (result == ZE_RESULT_SUCCESS) return;
    throw Error(gpu::status_in(results, result), fmt::format("level_zero: {}: {}", doing, name_of(result)));
}

Context::Context(ze_driver_handle_t driver) : ze(loader()), driver(driver) {
    const ze_context_desc_t description;
    check(ze.zeContextCreate(driver, &description, &handle), "creating a context");
}

Context::~Context() { ze.zeContextDestroy(handle); }

} // namespace rt::backend::level_zero
