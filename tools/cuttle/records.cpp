#include "commands.h"

#include "rt/error.h"
#include "rt/platform.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace {

/// CUdevice_attribute: clocks, compute mode, ECC, PCI place, memory bus, capability, several boards.
constexpr int attributes[] = {13, 20, 32, 33, 34, 36, 37, 50, 75, 76, 84};

void print_record(rt::Platform& platform, rt::Device& device) {
    const rt::backend::DeviceFacts& facts = device.facts();
    fmt::print("name={}\n", facts.name);
    fmt::print("uuid={:02x}\n", fmt::join(facts.uuid, ""));
    for (int attribute : attributes)
        if (const auto value = device.attribute(attribute)) fmt::print("attribute {}={}\n", attribute, *value);
    const rt::backend::MemoryInfo memory = device.backend().memory();
    fmt::print("total={}\nfree={}\n", memory.total_bytes, memory.free_bytes);
    for (int i = 0; i < platform.device_count(); ++i)
        if (device.reaches(platform.device(i))) fmt::print("reaches={}\n", i);
    fmt::print("\n");
}

} // namespace

int show_records() {
    unsetenv("CUDA_VISIBLE_DEVICES");
    fmt::print("driver={}\n\n", rt::Platform::driver_version());
    try {
        rt::Platform::initialize();
    } catch (const rt::Error& error) {
        if (error.status() == rt::Status::no_device) return 0;
        throw;
    }
    rt::Platform& platform = rt::Platform::get();
    for (int i = 0; i < platform.device_count(); ++i) print_record(platform, platform.device(i));
    return 0;
}
