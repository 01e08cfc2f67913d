#include "commands.h"

#include "code/translator_path.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace {

namespace fs = std::filesystem;

constexpr const char* library = "libcuda.so.1";
/// In library_directory(): gives stand-ins for NVIDIA's run-time compilers to programs that open those.
constexpr const char* redirect = "compilers/libcuttle-redirect.so";

/// The directory of our libcuda, found from where this program lies: in bin/, beside lib/.
fs::path library_directory() {
    const fs::path own = rt::code::own_directory();
    for (const char* place : {"../lib", "../lib/cuttle", "."}) {
        const fs::path directory = (own / place).lexically_normal();
        std::error_code ignored;
        if (fs::exists(directory / library, ignored)) return directory;
    }
    throw std::runtime_error(fmt::format("{} was not found near {}", library, own.string()));
}

void put_in_front(const char* variable, const std::string& value, char separator) {
    const char* old = std::getenv(variable);
    const std::string all = old != nullptr && *old != '\0' ? value + separator + old : value;
    setenv(variable, all.c_str(), 1);
}

/// In a build with AddressSanitizer, the runtime library of that, which this program runs with, too; else empty. It
/// must be the first library of every process that loads a libcuda from the same build.
std::string sanitizer_runtime() {
    Dl_info runtime{};
    const void* symbol = dlsym(RTLD_DEFAULT, "__asan_init");
    return symbol != nullptr && dladdr(symbol, &runtime) != 0 ? runtime.dli_fname : "";
}

} // namespace

int run(const RunSettings& settings) {
    const fs::path directory = library_directory();
    put_in_front("LD_LIBRARY_PATH", directory.string(), ':');
    // Preloading wins over a program's RPATH, and answers dlopen by name.
    put_in_front("LD_PRELOAD", (directory / library).string(), ' ');
    if (const std::string runtime = sanitizer_runtime(); !runtime.empty()) put_in_front("LD_PRELOAD", runtime, ' ');
    if (const fs::path audit = directory / redirect; fs::exists(audit)) put_in_front("LD_AUDIT", audit.string(), ':');
    if (!settings.devices.empty()) setenv("CUTTLE_DEVICES", settings.devices.c_str(), 1);
    if (settings.summary) setenv("CUTTLE_SUMMARY", "1", 1);
    if (settings.profile) setenv("CUTTLE_PROFILE", "1", 1);

    std::vector<char*> arguments;
    for (const std::string& argument : settings.command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    const int error = errno;
    std::fprintf(stderr, "cuttle: cannot run '%s': %s\n", arguments[0], std::strerror(error));
    return error == ENOENT ? 127 : 126;
}

int selftest(const std::string& devices, const std::vector<std::string>& groups) {
    const fs::path program = rt::code::own_directory() / "cuttle-selftest";
    if (!fs::exists(program))
        throw std::runtime_error(fmt::format("{} was not built: see CUTTLE_TESTS", program.string()));
    RunSettings settings;
    settings.devices = devices;
    settings.command = {program.string()};
    settings.command.insert(settings.command.end(), groups.begin(), groups.end());
    return run(settings);
}
