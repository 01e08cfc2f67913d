#pragma once

#include "ptx/image.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// What travels between the runtime and a `cuttle-ptxc --serve` process.
///
/// The control socket (a SOCK_SEQPACKET pair, descriptor 3 of the server) carries one byte per job together with one
/// end of a fresh SOCK_STREAM pair (SCM_RIGHTS). The server forks; the child reads one frame (Job) from that
/// descriptor, writes one frame (Reply) and exits, so that jobs run side by side and a crash costs one job: end of file
/// before a whole reply means that the child died. A frame is u64 length, then that many bytes.
namespace ptx {

struct Job {
    enum class Kind : uint8_t { index, translate };
    Kind kind = Kind::index;
    std::vector<std::string> sources;
    Target target;
    Options options;
    std::vector<std::string> kernels;
    std::vector<std::string> functions;
};

struct Reply {
    enum class Status : uint8_t {
        ok,
        invalid_ptx,     ///< the text is wrong: CUDA_ERROR_INVALID_PTX
        unsupported,     ///< right PTX that the target cannot do
        internal_error,  ///< LLVM gave up or an assertion failed: CUDA_ERROR_JIT_COMPILATION... for that kernel
    };
    Status status = Status::ok;
    std::string message;              ///< why not, with line and column
    std::vector<uint8_t> payload;     ///< serialize(ModuleInfo) or serialize(Image)
    std::string version;              ///< translator_version() of who answers
};

std::vector<uint8_t> serialize(const Job&);
std::vector<uint8_t> serialize(const Reply&);
Job deserialize_job(std::span<const uint8_t>);
Reply deserialize_reply(std::span<const uint8_t>);

/// Sends and receives one frame over a stream socket, whatever signals come in between. `watched` is another socket,
/// or -1: when its peer is gone, so is ours, even if a copy of our peer's end lives on somewhere.
/// False and nullopt: the peer went away first.
bool write_frame(int socket, std::span<const uint8_t> bytes, int watched = -1);
std::optional<std::vector<uint8_t>> read_frame(int socket, int watched = -1);

} // namespace ptx
