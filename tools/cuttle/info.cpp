#include "commands.h"

#include "code/translator_path.h"
#include "ptx/translate.h"
#include "rt/error.h"
#include "rt/platform.h"
#include "support/options.h"

#include <fmt/format.h>

namespace {

void show_devices() {
    rt::Platform::initialize();
    rt::Platform& platform = rt::Platform::get();
    for (int i = 0; i < platform.device_count(); ++i) {
        rt::Device& device = platform.device(i);
        const rt::backend::DeviceFacts& facts = device.facts();
        fmt::print("device {}: {}, {:.1f} GiB, compute capability {}.{}, {} multiprocessors, target {}\n", i,
                   facts.name, double(facts.memory_bytes) / (1 << 30), device.compute_capability() / 10,
                   device.compute_capability() % 10, facts.multiprocessors, facts.target.name());
    }
}

std::string translator() {
    try {
        return rt::code::find_translator();
    } catch (const rt::Error& error) {
        return error.what();
    }
}

} // namespace

int show_info() {
    try {
        show_devices();
    } catch (const rt::Error& error) {
        fmt::print("devices: none: {}\n", error.what());
    }
    const int driver = rt::Platform::driver_version();
    fmt::print("driver version: {}.{}\n", driver / 1000, driver % 1000 / 10);
    fmt::print("translator: {}\n", translator());
    fmt::print("translator version: {}\n", ptx::translator_version());
    fmt::print("cache: ");
    return show_cache();
}

int show_options() {
    fmt::print("{:<28} {:<12} {:<24} {}\n", "variable", "default", "in force", "meaning");
    for (const rt::OptionRow& row : rt::option_rows()) {
        const std::string standard = row.default_value;
        fmt::print("{:<28} {:<12} {:<24} {}\n", row.variable, standard.empty() ? "-" : standard,
                   rt::option_value(row.name), row.help);
    }
    return 0;
}
