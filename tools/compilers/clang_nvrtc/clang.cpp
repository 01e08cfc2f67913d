#include "clang.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <stdexcept>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

namespace compilers::clang_nvrtc {
namespace {

namespace fs = std::filesystem;

constexpr int oldest_clang = 22;
/// Of the host program's environment. The last three would add to the include path.
constexpr std::string_view own_variables[] = {
    "LD_PRELOAD=", "LD_AUDIT=", "CPATH=", "C_INCLUDE_PATH=", "CPLUS_INCLUDE_PATH="};

std::vector<char*> environment() {
    std::vector<char*> all;
    for (char** one = environ; one != nullptr && *one != nullptr; ++one)
        if (std::ranges::none_of(own_variables,
                                 [&](std::string_view name) { return std::string_view(*one).starts_with(name); }))
            all.push_back(*one);
    all.push_back(nullptr);
    return all;
}

Ended how_ended(int status) {
    if (WIFSIGNALED(status)) return Ended::by_signal;
    if (WEXITSTATUS(status) == 127) return Ended::not_started;
    return WEXITSTATUS(status) == 0 ? Ended::well : Ended::with_errors;
}

/// Beside the file that this code was mapped from. The loader would name the library that the program asked for, in
/// whose place an audit library may have put ours.
std::string headers_folder() {
    const auto here = reinterpret_cast<uintptr_t>(&headers_folder);
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        unsigned long start = 0, end = 0;
        const size_t path = line.find('/');
        if (std::sscanf(line.c_str(), "%lx-%lx", &start, &end) == 2 && start <= here && here < end && path != line.npos)
            return (fs::path(line.substr(path)).parent_path() / "nvrtc").string();
    }
    return {};
}

/// Of a clang that is new enough; else empty, and `found` is the folder of the older one.
std::string resources_of(const std::string& program, std::string& found) {
    const TemporaryFolder folder;
    const std::string output = folder.path() + "/output";
    if (run({program, "-print-resource-dir"}, output, {}) != Ended::well) return {};
    found = read_file(output);
    found.resize(std::min(found.find('\n'), found.size()));
    const fs::path version = fs::path(found).filename();
    return std::atoi(version.c_str()) >= oldest_clang ? found : std::string();
}

std::string find_libclc(const std::string& resources) {
    std::vector<std::string> places = {"/usr/lib/clc/nvptx64--.bc", "/usr/share/clc/nvptx64--.bc",
                                       resources + "/lib/libclc/nvptx64--.bc"};
    if (const char* chosen = std::getenv("CUTTLE_LIBCLC")) places = {chosen};
    for (const std::string& place : places)
        if (access(place.c_str(), R_OK) == 0) return place;
    return {};
}

Clang search() {
    Clang clang;
    clang.headers = headers_folder();
    std::vector<std::string> programs = {"clang++-22", "clang++"};
    if (const char* chosen = std::getenv("CUTTLE_CLANG")) programs = {chosen};
    std::string older;
    for (const std::string& program : programs) {
        clang.resources = resources_of(program, older);
        if (clang.resources.empty()) continue;
        clang.program = program;
        clang.libclc = find_libclc(clang.resources);
        return clang;
    }
    clang.problem = "neither NVIDIA's NVRTC nor clang was found: install clang " + std::to_string(oldest_clang) +
                    " or newer, or set CUTTLE_CLANG to its clang++";
    if (!older.empty()) clang.problem += " (the one of " + older + " is too old)";
    return clang;
}

} // namespace

const Clang& Clang::find() {
    static const Clang clang = search();
    return clang;
}

Ended run(const std::vector<std::string>& command, const std::string& output, const std::function<bool()>& cancelled) {
    std::vector<char*> words;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    std::vector<char*> variables = environment();
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    // The program dies of signals that the host program may block or ignore.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, defaults;
    sigemptyset(&none);
    sigfillset(&defaults);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t child = 0;
    const int started = posix_spawnp(&child, words[0], &files, &attributes, words.data(), variables.data());
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (started != 0) return Ended::not_started;

    bool killed = false;
    for (int status = 0;;) {
        const pid_t ended = waitpid(child, &status, cancelled ? WNOHANG : 0);
        if (ended == child) return killed ? Ended::cancelled : how_ended(status);
        // A host program that ignores SIGCHLD gets no status; what the child wrote has to speak for it.
        if (ended < 0 && errno != EINTR) return killed ? Ended::cancelled : Ended::well;
        if (ended == 0 && !killed && cancelled()) killed = kill(child, SIGKILL) == 0;
        if (ended == 0) usleep(5000);
    }
}

TemporaryFolder::TemporaryFolder() {
    std::error_code error;
    const fs::path parent = fs::temp_directory_path(error);
    path_ = ((error ? fs::path("/tmp") : parent) / "cuttle-nvrtc-XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr)
        throw std::runtime_error("cannot make the folder " + path_ + ": " + std::strerror(errno));
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

std::string read_file(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& name, const std::string& text) {
    std::ofstream file(name, std::ios::binary | std::ios::trunc);
    if (!file.write(text.data(), std::streamsize(text.size())).flush())
        throw std::runtime_error("cannot write " + name);
}

} // namespace compilers::clang_nvrtc
