#include "isa/runtime_functions.h"

#include "ptx/device_calls.h"

namespace ptx {
namespace {

// CUDA C++ Programming Guide, "Formatted Output", "Dynamic Global Memory Allocation and Operations", "Assertion".
constexpr RuntimeFunction functions[] = {
    {"vprintf", "cuttle.vprintf", 32, "ll"},
    {"malloc", "cuttle.malloc", 64, "l"},
    {"free", "cuttle.free", 0, "l"},
    {"__assertfail", "cuttle.assertfail", 0, "llill"},
    // CUDA C++ Programming Guide, "Conditional Graph Nodes": our handles are addresses.
    {"cudaGraphSetConditional", nullptr, 0, "li"},
};

constexpr RuntimeFunction device_calls[] = {
#define DEVICE_CALL(call, name, result, arguments)                                                                     \
    {name, "cuttle.device.call", result, arguments, int(host::DeviceCall::call)},
#include "ptx/device_calls.def"
};

// The longer prefix first.
constexpr std::string_view prefixes[] = {"__cuda_syscall_cnpv2", "__cuda_syscall_cnp", "__cuda_syscall_", "cnp"};

} // namespace

RuntimeFunction runtime_function(std::string_view name) {
    for (const RuntimeFunction& function : functions)
        if (function.name == name) return function;
    for (const std::string_view prefix : prefixes) {
        if (!name.starts_with(prefix)) continue;
        for (const RuntimeFunction& call : device_calls)
            if (call.name == name.substr(prefix.size())) return call;
        break;
    }
    return {};
}

} // namespace ptx
