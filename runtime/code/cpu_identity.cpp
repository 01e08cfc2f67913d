#include "code/cpu_identity.h"

#include <fmt/format.h>

#include <fstream>
#include <string_view>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace rt::code {
namespace {

#if defined(__x86_64__)
std::string identify() {
    std::string text;
    const auto leaf = [&](unsigned number, unsigned part, unsigned ebx_mask) {
        unsigned a = 0, b = 0, c = 0, d = 0;
        if (__get_cpuid_count(number, part, &a, &b, &c, &d) != 0)
            text += fmt::format("{:x}.{:x}:{:x},{:x},{:x},{:x};", number, part, a, b & ebx_mask, c, d);
    };
    leaf(0, 0, ~0u);
    leaf(1, 0, 0x0000ffff); // the high half has the number of the core that we happen to run on
    leaf(7, 0, ~0u);
    leaf(7, 1, ~0u);
    leaf(0x80000001, 0, ~0u);
    // Which registers the system saves: AVX and AVX-512 are usable only then.
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_OSXSAVE) != 0) {
        unsigned low = 0, high = 0;
        __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        text += fmt::format("xcr0:{:x}", low);
    }
    return text;
}
#else
std::string identify() {
    std::ifstream info("/proc/cpuinfo");
    std::string text;
    for (std::string line; std::getline(info, line) && !line.empty();)
        for (const std::string_view key : {"CPU implementer", "CPU part", "CPU variant", "Features", "isa", "uarch"})
            if (line.starts_with(key)) text += line + ";";
    return text;
}
#endif

} // namespace

const std::string& cpu_identity() {
    static const std::string identity = identify();
    return identity;
}

} // namespace rt::code
