#include "hip_device.h"

#include <cstdlib>
#include <fmt/format.h>

namespace amdgpu {

void* DeviceMemory::allocate(size_t bytes, int device) {
    constexpr size_t alignment = 4096;
    std::lock_guard lock(mutex_);
    if (device >= 0 && bytes > total - used_[device]) return nullptr;
    void* memory = std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
    if (!memory) return nullptr;
    allocations_[reinterpret_cast<uint64_t>(memory)] = {bytes, device};
    if (device >= 0) used_[device] += bytes;
    return memory;
}

bool DeviceMemory::release(void* address) {
    std::lock_guard lock(mutex_);
    auto found = allocations_.find(reinterpret_cast<uint64_t>(address));
    if (found == allocations_.end()) return false;
    if (found->second.device >= 0) used_[found->second.device] -= found->second.bytes;
    allocations_.erase(found);
    std::free(address);
    return true;
}

size_t DeviceMemory::free_bytes(int device) {
    std::lock_guard lock(mutex_);
    return total - used_[device];
}

std::vector<Range> DeviceMemory::ranges(int device) {
    std::lock_guard lock(mutex_);
    std::vector<Range> list;
    for (const auto& [address, allocation] : allocations_)
        if (allocation.device < 0 || allocation.device == device || peers_.contains({device, allocation.device}))
            list.push_back({address, address + allocation.bytes});
    return list;
}

bool DeviceMemory::let_reach(int device, int peer, bool allowed) {
    std::lock_guard lock(mutex_);
    return allowed ? peers_.emplace(device, peer).second : peers_.erase({device, peer}) != 0;
}

void Point::reach(hipError_t what) {
    std::lock_guard lock(mutex);
    done = true;
    result = what;
    time = std::chrono::steady_clock::now();
    reached.notify_all();
}

hipError_t Point::query() {
    std::lock_guard lock(mutex);
    return done ? result : hipErrorNotReady;
}

hipError_t Point::wait() {
    std::unique_lock lock(mutex);
    reached.wait(lock, [&] { return done; });
    return result;
}

Stream::Stream() : device_(current_device()), thread_([this] { run(); }) {}

Stream::~Stream() {
    {
        std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void Stream::add(std::function<void()> command) {
    {
        std::lock_guard lock(mutex_);
        commands_.push_back(std::move(command));
        last_ = nullptr;
    }
    changed_.notify_one();
}

std::shared_ptr<Point> Stream::mark(bool unless_nothing_came) {
    std::shared_ptr<Point> point;
    {
        // Together, lest a command that comes between seem to be before the point.
        std::lock_guard lock(mutex_);
        if (unless_nothing_came && last_) return last_;
        point = std::make_shared<Point>();
        commands_.push_back([this, point] { point->reach(fault_); });
        last_ = point;
    }
    changed_.notify_one();
    return point;
}

void Stream::run() {
    for (;;) {
        std::function<void()> command;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return ending_ || !commands_.empty(); });
            if (commands_.empty()) return;
            command = std::move(commands_.front());
            commands_.pop_front();
        }
        try {
            command();
        } catch (const Stop& stop) {
            fault_ = stop.kind == Stop::illegal_address ? hipErrorIllegalAddress : hipErrorLaunchFailure;
            set_fault_text(stop.message);
        }
    }
}

namespace {
std::mutex fault_mutex;
std::string newest_fault;
} // namespace

void set_fault_text(const std::string& text) {
    std::lock_guard lock(fault_mutex);
    newest_fault = text;
    fmt::print(stderr, "amdgpu_emulator: {}\n", text);
}

std::string fault_text() {
    std::lock_guard lock(fault_mutex);
    return newest_fault;
}

DeviceMemory& device_memory() {
    static auto& memory = *new DeviceMemory;
    return memory;
}

int device_count() {
    const char* count = std::getenv("CUTTLE_EMULATED_GPUS");
    return count ? std::atoi(count) : 1;
}

int& current_device() {
    thread_local int device = 0;
    return device;
}

const Processor& device_processor() {
    static const Processor processor = [] {
        const char* name = std::getenv("CUTTLE_EMULATED_GPU");
        return Processor::of(name ? name : "gfx1100");
    }();
    return processor;
}

} // namespace amdgpu
