#include "ptx/job.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace ptx {
namespace {

constexpr size_t chunk = 1 << 20;

/// Waits until `socket` has news. False when only `watched` has, which is that its peer left.
bool wait(int socket, short events, int watched) {
    pollfd all[2] = {{socket, events, 0}, {watched, 0, 0}}; // poll skips descriptor -1
    while (poll(all, 2, -1) < 0)
        if (errno != EINTR) return false;
    return all[0].revents != 0;
}

bool again(int error) { return error == EINTR || error == EAGAIN || error == EWOULDBLOCK; }

bool write_all(int socket, std::span<const uint8_t> bytes, int watched) {
    while (!bytes.empty()) {
        if (!wait(socket, POLLOUT, watched)) return false;
        const ssize_t sent = send(socket, bytes.data(), std::min(bytes.size(), chunk), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && !again(errno)) return false;
        if (sent > 0) bytes = bytes.subspan(size_t(sent));
    }
    return true;
}

bool read_all(int socket, std::span<uint8_t> bytes, int watched) {
    while (!bytes.empty()) {
        if (!wait(socket, POLLIN, watched)) return false;
        const ssize_t got = recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got == 0 || (got < 0 && !again(errno))) return false;
        if (got > 0) bytes = bytes.subspan(size_t(got));
    }
    return true;
}

} // namespace

bool write_frame(int socket, std::span<const uint8_t> bytes, int watched) {
    const uint64_t size = bytes.size();
    const auto* first = reinterpret_cast<const uint8_t*>(&size);
    return write_all(socket, {first, sizeof size}, watched) && write_all(socket, bytes, watched);
}

std::optional<std::vector<uint8_t>> read_frame(int socket, int watched) {
    uint64_t size = 0;
    if (!read_all(socket, {reinterpret_cast<uint8_t*>(&size), sizeof size}, watched)) return std::nullopt;
    // Grows as bytes come, so that a wrong size costs nothing.
    std::vector<uint8_t> bytes;
    while (bytes.size() < size) {
        const size_t old = bytes.size(), more = std::min<uint64_t>(size - old, chunk);
        bytes.resize(old + more);
        if (!read_all(socket, std::span(bytes).subspan(old), watched)) return std::nullopt;
    }
    return bytes;
}

} // namespace ptx
