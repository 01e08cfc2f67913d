#include "llvm_to_code/child_process.h"

#include "llvm_to_code/machine.h"

#include <llvm/Support/ErrorHandling.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <exception>

namespace ptx::code {
namespace {

struct Header {
    uint64_t bytes;
    uint64_t failed; // the bytes are a message
};

bool write_all(int file, const void* data, size_t bytes) {
    const char* position = static_cast<const char*>(data);
    while (bytes > 0) {
        const ssize_t written = write(file, position, bytes);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        position += written;
        bytes -= static_cast<size_t>(written);
    }
    return true;
}

std::string read_all(int file) {
    std::string bytes;
    char buffer[65536];
    for (;;) {
        const ssize_t count = read(file, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return bytes;
        bytes.append(buffer, static_cast<size_t>(count));
    }
}

[[noreturn]] void answer(int file, bool failed, const std::string& bytes) {
    const Header header{bytes.size(), failed};
    const bool sent = write_all(file, &header, sizeof header) && write_all(file, bytes.data(), bytes.size());
    _exit(sent ? 0 : 1);
}

/// LLVM's last word, instead of stderr and abort().
void answer_fatal_error(void* file, const char* reason, bool) { answer(*static_cast<int*>(file), true, reason); }

[[noreturn]] void run(int file, llvm::function_ref<std::string()> work) {
    llvm::remove_fatal_error_handler();
    llvm::install_fatal_error_handler(answer_fatal_error, &file);
    try {
        answer(file, false, work());
    } catch (const std::exception& error) {
        answer(file, true, error.what());
    }
}

} // namespace

std::string in_child_process(const char* what, llvm::function_ref<std::string()> work) {
    int ends[2];
    if (pipe(ends) != 0) fail(std::string("pipe: ") + std::strerror(errno));
    const pid_t child = fork();
    if (child < 0) {
        close(ends[0]);
        close(ends[1]);
        fail(std::string("fork: ") + std::strerror(errno));
    }
    if (child == 0) run(ends[1], work);
    close(ends[1]);
    std::string bytes = read_all(ends[0]);
    close(ends[0]);
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    Header header{0, 0};
    if (bytes.size() >= sizeof header) std::memcpy(&header, bytes.data(), sizeof header);
    if (bytes.size() < sizeof header || bytes.size() - sizeof header != header.bytes)
        fail(std::string(what) + " gave up");
    bytes.erase(0, sizeof header);
    if (header.failed) fail(std::string(what) + ": " + bytes);
    return bytes;
}

} // namespace ptx::code
