#pragma once

#include "code/file_descriptor.h"

#include <sys/types.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rt::code {

/// A running `cuttle-ptxc --serve`, seen through the control socket of ptx/job.h. It ends when that socket is closed,
/// so with this object, or with the process however it dies.
class Server {
  public:
    /// Throws Error{jit_compiler_not_found} when it cannot be started.
    explicit Server(std::string path);
    ~Server();

    const std::string& path() const { return path_; }
    int control() const { return control_.get(); }
    /// False when somebody closed the control socket behind our back, as daemons do with every descriptor.
    bool usable() const;
    /// Sends a frame, waits for the frame that answers it. nullopt: the program is gone. Any thread.
    std::optional<std::vector<uint8_t>> exchange(std::span<const uint8_t> job);
    /// "ended with exit code 127".
    std::string how_it_ended();

  private:
    bool send_job(int job_socket) const;
    bool reap();

    const std::string path_;
    FileDescriptor control_;
    ino_t control_inode_ = 0;
    std::mutex mutex_;
    pid_t child_ = -1; ///< the process we started; the program soon leaves it for one that is not our child
    int status_ = 0;
    bool reaped_ = false;
};

} // namespace rt::code
