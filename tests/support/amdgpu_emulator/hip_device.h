#pragma once

#include "backend/hip/abi.h"
#include "dispatch.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

/// The device behind the libamdhip64.so of the tests: memory, streams and events. Commands of a stream run on a thread
/// of its own, after the calls return.
namespace amdgpu {

using namespace rt::backend::hip;

/// Allocations, all of them host memory. Thread safe.
class DeviceMemory {
  public:
    static constexpr size_t total = size_t{1} << 30;

    /// Of a device, or of the host if that is -1. nullptr when there is not enough.
    void* allocate(size_t bytes, int device);
    bool release(void* address); ///< false for an address that was not allocated
    size_t free_bytes(int device);
    /// What kernels of a device may reach.
    std::vector<Range> ranges(int device);
    /// False when it was so before.
    bool let_reach(int device, int peer, bool allowed);

  private:
    struct Allocation {
        size_t bytes;
        int device;
    };
    std::mutex mutex_;
    std::map<uint64_t, Allocation> allocations_;
    std::map<int, size_t> used_;
    std::set<std::pair<int, int>> peers_;
};

/// What an event became when it was last recorded.
struct Point {
    void reach(hipError_t result);
    hipError_t query();
    hipError_t wait();

    std::mutex mutex;
    std::condition_variable reached;
    bool done = false;
    hipError_t result = hipSuccess;
    std::chrono::steady_clock::time_point time;
};

class Stream {
  public:
    Stream();  ///< of the current device
    ~Stream(); ///< after the last command

    /// A command that does not change the stream's fault throws nothing; one that throws Stop ends the stream's work.
    void add(std::function<void()> command);
    int device() const { return device_; }
    /// A point after the newest command: a new one, or the last if nothing came since.
    std::shared_ptr<Point> mark(bool unless_nothing_came = false);
    hipError_t query() { return mark(true)->query(); }
    hipError_t synchronize() { return mark()->wait(); }

  private:
    void run();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> commands_;
    std::shared_ptr<Point> last_; ///< after the newest command, if nothing came since
    bool ending_ = false;
    hipError_t fault_ = hipSuccess; ///< of the stream's thread
    const int device_;
    std::thread thread_; // last: it uses the others
};

/// The text of the newest fault, part of what hipGetErrorString says.
void set_fault_text(const std::string& text);
std::string fault_text();

DeviceMemory& device_memory();
/// Devices, all alike: 1 unless CUTTLE_EMULATED_GPUS says otherwise.
int device_count();
/// Of the calling thread.
int& current_device();
/// "gfx1100" unless CUTTLE_EMULATED_GPU says otherwise.
const Processor& device_processor();

} // namespace amdgpu

struct rt::backend::hip::ihipStream_t : amdgpu::Stream {};
struct rt::backend::hip::ihipEvent_t {
    std::shared_ptr<amdgpu::Point> point;
    bool timing = true;
};
struct rt::backend::hip::ihipModuleSymbol_t {
    const amdgpu::Kernel* kernel;
};
struct rt::backend::hip::ihipModule_t {
    explicit ihipModule_t(std::span<const uint8_t> bytes) : code(bytes) {}
    amdgpu::CodeObject code;
    std::map<std::string, rt::backend::hip::ihipModuleSymbol_t> functions;
};
