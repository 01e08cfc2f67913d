#include "serve.h"

#include "ast/position.h"
#include "ptx/job.h"
#include "ptx/translate.h"
#include "translate/process_setup.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

/// A translator without PTX: each line of the "text" is a command. "kernel NAME" and "broken NAME" declare kernels;
/// the others act at once, or, after "translate:", when something is translated.
namespace {

ptx::FatalErrorHandler fatal_error_handler;

std::string open_files() {
    std::ostringstream text;
    DIR* directory = opendir("/proc/self/fd");
    while (const dirent* entry = readdir(directory))
        if (entry->d_name[0] != '.' && std::atoi(entry->d_name) != dirfd(directory)) text << entry->d_name << ' ';
    closedir(directory);
    return text.str();
}

/// For tests that count how often the translator was asked.
void note_in(const std::string& file) { std::ofstream(file, std::ios::app) << "x"; }

void act(const std::string& command, const std::string& argument) {
    constexpr int job_socket = 3;
    if (command == "invalid") throw ptx::Error({12, 5, 0}, argument);
    if (command == "exception") throw std::runtime_error(argument);
    if (command == "memory") throw std::bad_alloc();
    if (command == "fatal") fatal_error_handler(argument.c_str());
    if (command == "crash" || command == "abort") {
        const int number = command == "crash" ? SIGSEGV : SIGABRT;
        signal(number, SIG_DFL); // a sanitizer's handler would end the process otherwise
        raise(number);
    }
    if (command == "exit") _exit(std::atoi(argument.c_str()));
    if (command == "sleep") std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(argument.c_str())));
    if (command == "note") note_in(argument);
    if (command == "kill_server") {
        kill(getppid(), SIGKILL);
        std::this_thread::sleep_for(std::chrono::seconds(10));
    }
    if (command == "kill_server_once" && access(argument.c_str(), F_OK) != 0) {
        note_in(argument);
        act("kill_server", {});
    }
    if (command == "garbage" || command == "partial") {
        const std::string bytes(200, 'g');
        const uint64_t size = command == "garbage" ? bytes.size() : 2 * bytes.size();
        if (send(job_socket, &size, sizeof size, 0) < 0 || send(job_socket, bytes.data(), bytes.size(), 0) < 0)
            _exit(1);
        _exit(0);
    }
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "unset";
}

} // namespace

namespace ptx {

ModuleInfo index(std::span<const std::string_view> sources) {
    ModuleInfo module;
    module.version = 90;
    rlimit core{};
    getrlimit(RLIMIT_CORE, &core);
    module.target = std::to_string(getppid());
    module.diagnostics = open_files() + "| " + environment("LD_PRELOAD") + " | " + environment("LD_LIBRARY_PATH") +
                         " | core " + std::to_string(core.rlim_cur);
    for (const std::string_view source : sources) {
        std::istringstream lines{std::string(source)};
        for (std::string line; std::getline(lines, line);) {
            const size_t space = line.find(' ');
            const std::string command = line.substr(0, space),
                              argument = space == line.npos ? "" : line.substr(space + 1);
            act(command, argument);
            if (command != "kernel" && command != "broken") continue;
            KernelInfo& kernel = module.kernels.emplace_back();
            kernel.name = argument;
            if (command == "broken") kernel.error = "line 3, column 7: unknown instruction";
        }
    }
    return module;
}

Image translate(const Request& request) {
    for (const std::string_view source : request.sources) {
        std::istringstream lines{std::string(source)};
        for (std::string line; std::getline(lines, line);) {
            constexpr std::string_view prefix = "translate:";
            if (!line.starts_with(prefix)) continue;
            const size_t space = line.find(' ');
            act(line.substr(prefix.size(), space - prefix.size()), space == line.npos ? "" : line.substr(space + 1));
        }
    }
    Image image{request.target, {}, {}, {1, 2, 3}};
    for (const std::string& name : request.kernels) {
        image.kernels.emplace_back().name = name;
        image.kernels.back().translated = true;
    }
    for (const std::string& name : request.functions) image.functions.push_back({name, name + ".1"});
    return image;
}

void warm_up() {}
void set_fatal_error_handler(FatalErrorHandler handler) { fatal_error_handler = handler; }

} // namespace ptx

int main(int argc, char** argv) { return argc == 2 && std::strcmp(argv[1], "--serve") == 0 ? serve(3) : 2; }
