#include "rt/core_dump.h"

#include "core/context_state.h"
#include "rt/error.h"
#include "rt/memory.h"
#include "rt/module.h"
#include "support/log.h"
#include "support/options.h"

#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace rt::core_dump {
namespace {

struct Defaults {
    std::mutex mutex;
    CoreDumpSettings settings;

    Defaults() {
        settings.enabled = cuda_variable("CUDA_ENABLE_COREDUMP_ON_EXCEPTION").value_or("0") == "1";
        settings.file = cuda_variable("CUDA_COREDUMP_FILE").value_or("");
    }
};

Defaults& the_defaults() {
    static Defaults& all = *new Defaults;
    return all;
}

std::string host_name() {
    char name[256] = {};
    gethostname(name, sizeof name - 1);
    return name;
}

int64_t seconds_now() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string expanded(const std::string& pattern) {
    std::string path;
    for (size_t i = 0; i < pattern.size(); i++) {
        const char next = pattern[i] == '%' && i + 1 < pattern.size() ? pattern[++i] : '\0';
        switch (next) {
        case '\0':
            path += pattern[i];
            break;
        case 'h':
            path += host_name();
            break;
        case 'p':
            path += std::to_string(getpid());
            break;
        case 't':
            path += std::to_string(seconds_now());
            break;
        default:
            path += next;
        }
    }
    return path;
}

std::string program() {
    char path[4096] = {};
    return readlink("/proc/self/exe", path, sizeof path - 1) > 0 ? path : "unknown";
}

std::string report(Context& context, const CoreDumpSettings& settings, Status status, const std::string& message) {
    const auto& facts = context.device().facts();
    std::string text = fmt::format("Cuttle core dump\nerror: {} {}: {}\nfault: {}\nprogram: {}, process {} on {}, "
                                   "second {}\ndevice: {} ({}), context {}\n",
                                   int(status), name_of(status), text_of(status), message, program(), getpid(),
                                   host_name(), seconds_now(), context.device().ordinal(), facts.name, context.id());
    auto& state = context.state();
    std::lock_guard lock(state.mutex);
    text += fmt::format("streams: {}\nmodules: {}\n", state.streams.size(), state.modules.size());
    if (!(settings.flags & CoreDumpSettings::skip_code))
        for (Module* module : state.modules)
            for (const auto& kernel : module->info().kernels) text += fmt::format("kernel: {}\n", kernel.name);
    if (!(settings.flags & CoreDumpSettings::skip_global))
        memory::for_each(context, [&](const Allocation& one) {
            text += fmt::format("memory: {:#x}, {} bytes\n", one.address, one.size);
        });
    return text;
}

bool write_file(const std::string& path, const std::string& text) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return false;
    const bool good = ::write(file, text.data(), text.size()) == ssize_t(text.size());
    return close(file) == 0 && good;
}

} // namespace

CoreDumpSettings defaults() {
    Defaults& all = the_defaults();
    std::lock_guard lock(all.mutex);
    return all.settings;
}

void set_defaults(const CoreDumpSettings& settings) {
    Defaults& all = the_defaults();
    std::lock_guard lock(all.mutex);
    all.settings = settings;
}

CoreDumpSettings settings_of(Context& context) {
    std::lock_guard lock(context.state().error_mutex);
    return context.state().core_dump;
}

void set_settings(Context& context, const CoreDumpSettings& settings) {
    std::lock_guard lock(context.state().error_mutex);
    context.state().core_dump = settings;
}

void write(Context& context, Status status, const std::string& message) noexcept {
    try {
        const CoreDumpSettings settings = settings_of(context);
        if (!settings.enabled) return;
        const std::string path = expanded(settings.file.empty() ? "core.cuda.%h.%p" : settings.file);
        if (write_file(path, report(context, settings, status, message)))
            log(LogLevel::warning, LogChannel::launch, "core dump: {}", path);
        else
            log(LogLevel::error, LogChannel::launch, "core dump: {} cannot be written", path);
    } catch (...) {
        // No memory is left: the fault itself is known.
    }
}

} // namespace rt::core_dump
