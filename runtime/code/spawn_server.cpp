#include "code/spawn_server.h"

#include "code/translator_path.h"
#include "ptx/job.h"
#include "rt/error.h"
#include "support/log.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>

namespace rt::code {
namespace {

constexpr int server_descriptor = 3;

[[noreturn]] void fail(const std::string& path, const char* what, int error) {
    throw Error(Status::jit_compiler_not_found, fmt::format("cannot start the translator {}: {}: {}", path, what,
                                                            std::generic_category().message(error)));
}

/// Two ends, close-on-exec, and clear of the low numbers that spawning rearranges.
std::array<FileDescriptor, 2> socket_pair(int type) {
    int raw[2];
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, raw) != 0) return {};
    std::array<FileDescriptor, 2> ends{FileDescriptor(raw[0]), FileDescriptor(raw[1])};
    for (FileDescriptor& end : ends) {
        if (end.get() > server_descriptor) continue;
        end = FileDescriptor(fcntl(end.get(), F_DUPFD_CLOEXEC, server_descriptor + 1));
    }
    return ends;
}

/// What the program starts with: the control socket as descriptor 3, our stderr, nothing else of ours; no signal
/// blocked or ignored; a process group of its own, so that the terminal's Ctrl-C is the application's to handle.
class SpawnSettings {
  public:
    explicit SpawnSettings(int server_end) {
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, server_end, server_descriptor);
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
        if (fcntl(2, F_GETFD) < 0) posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_addclosefrom_np(&actions, server_descriptor + 1);
        posix_spawnattr_init(&attributes);
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    ~SpawnSettings() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    SpawnSettings(const SpawnSettings&) = delete;
    SpawnSettings& operator=(const SpawnSettings&) = delete;

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
};

} // namespace

Server::Server(std::string path) : path_(std::move(path)) {
    auto [ours, theirs] = socket_pair(SOCK_SEQPACKET);
    if (!ours || !theirs) fail(path_, "socketpair", errno);
    std::vector<std::string> environment = translator_environment();
    std::vector<char*> variables;
    for (std::string& variable : environment) variables.push_back(variable.data());
    variables.push_back(nullptr);
    std::string name = path_, mode = "--serve";
    char* arguments[] = {name.data(), mode.data(), nullptr};
    const SpawnSettings settings(theirs.get());
    const int error =
        posix_spawn(&child_, path_.c_str(), &settings.actions, &settings.attributes, arguments, variables.data());
    if (error != 0) fail(path_, "spawn", error);
    struct stat identity;
    if (fstat(ours.get(), &identity) == 0) control_inode_ = identity.st_ino;
    control_ = std::move(ours);
    log(LogLevel::debug, LogChannel::translate, "started {}", path_);
}

Server::~Server() {
    if (usable())
        control_.reset();
    else
        control_.release();
    reap();
}

bool Server::usable() const {
    struct stat now;
    return fstat(control_.get(), &now) == 0 && S_ISSOCK(now.st_mode) && now.st_ino == control_inode_;
}

bool Server::send_job(int job_socket) const {
    char byte = 'j';
    iovec data{&byte, 1};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof job_socket);
    std::memcpy(CMSG_DATA(header), &job_socket, sizeof job_socket);
    while (true) {
        if (sendmsg(control_.get(), &message, MSG_NOSIGNAL) == 1) return true;
        if (errno != EINTR && errno != ETOOMANYREFS) return false;
        if (errno == ETOOMANYREFS) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

std::optional<std::vector<uint8_t>> Server::exchange(std::span<const uint8_t> job) {
    auto [ours, theirs] = socket_pair(SOCK_STREAM);
    if (!ours || !theirs) fail(path_, "socketpair", errno);
    if (!send_job(theirs.get())) return std::nullopt;
    theirs.reset();
    // The frame may fail to go out because the program died on the way and has said so.
    ptx::write_frame(ours.get(), job, control_.get());
    std::optional<std::vector<uint8_t>> reply = ptx::read_frame(ours.get(), control_.get());
    reap();
    return reply;
}

/// Asks about our child only: others belong to the application. It may have reaped ours; then nothing is known.
bool Server::reap() {
    const std::lock_guard lock(mutex_);
    if (child_ < 0) return true;
    const pid_t got = waitpid(child_, &status_, WNOHANG);
    if (got == 0) return false;
    reaped_ = got == child_;
    child_ = -1;
    return true;
}

std::string Server::how_it_ended() {
    // Sockets close a moment before the exit status can be had.
    for (int i = 0; i < 50 && !reap(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const std::lock_guard lock(mutex_);
    if (reaped_ && WIFSIGNALED(status_)) return fmt::format("was killed by signal {}", WTERMSIG(status_));
    if (reaped_ && WEXITSTATUS(status_) != 0) return fmt::format("ended with exit code {}", WEXITSTATUS(status_));
    return "ended";
}

} // namespace rt::code
