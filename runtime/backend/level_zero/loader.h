#pragma once

#include "backend/level_zero/abi.h"

#include <memory>
#include <string_view>
#include <vector>

namespace rt::backend::level_zero {

/// The functions of the Level Zero loader.
struct Loader {
#define ZE_FN(name, parameters) ze_result_t(*name) parameters = nullptr;
#include "backend/level_zero/functions.def"
};

/// Opens the loader and starts the drivers that it finds, once per process; neither is closed again, since drivers
/// leave threads behind. Throws Error{no_device} when there is no loader or no driver that starts.
const Loader& loader();

/// "ZE_RESULT_ERROR_DEVICE_LOST"; the number for one that is unknown.
std::string name_of(ze_result_t result);
/// Throws Error with CUDA's status for `result` unless that is success. `doing`: "allocating 512 bytes".
void check(ze_result_t result, std::string_view doing);

/// The answers of a query that fills an array: first asked how many there are.
template <class Owner, class T>
std::vector<T> all_of(ze_result_t (*query)(Owner, uint32_t*, T*), Owner owner, std::string_view doing) {
    uint32_t count = 0;
    check(query(owner, &count, nullptr), doing);
    std::vector<T> list(count);
    if (count) check(query(owner, &count, list.data()), doing);
    list.resize(count);
    return list;
}

/// A driver's context: what memory, modules and events belong to. Everything made in it holds on to it.
class Context {
  public:
    explicit Context(ze_driver_handle_t driver);
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    const Loader& ze;
    const ze_driver_handle_t driver;
    ze_context_handle_t handle = nullptr;
};

} // namespace rt::backend::level_zero
