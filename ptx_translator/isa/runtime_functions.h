#pragma once

#include <string_view>

namespace ptx {

/// A function that programs declare and the device provides.
struct RuntimeFunction {
    std::string_view name;
    const char* neutral;        ///< the function of the neutral IR that does it; nullptr: a store of the second
                                ///< argument where the first one says
    unsigned result;            ///< bits, 0 for none
    std::string_view arguments; ///< i = 32 bits, l = 64 bits, d = three 32-bit extents (12 bytes)
    int device_call = -1;       ///< host::DeviceCall for cuttle.device.call
};

/// By name; name empty when the device has no such function.
RuntimeFunction runtime_function(std::string_view name);

} // namespace ptx
