#include "backend/null/null.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

namespace rt::backend {

namespace {

constexpr uint64_t memory_bytes = 1 << 30;

/// Everything is done when the call returns, so every marker has been reached.
class NullMarker : public Marker {
  public:
    bool reached() const override { return true; }
    void wait() const override {}
    std::chrono::nanoseconds time() const override { return time_; }

  private:
    const std::chrono::nanoseconds time_ = std::chrono::steady_clock::now().time_since_epoch();
};

class NullKernel : public Kernel {
  public:
    explicit NullKernel(const ptx::KernelInfo& info) : info_(info) {}
    const ptx::KernelInfo& info() const override { return info_; }

  private:
    const ptx::KernelInfo& info_;
};

class NullCode : public Code {
  public:
    explicit NullCode(std::shared_ptr<const ptx::Image> image) : image_(std::move(image)) {
        for (const ptx::KernelInfo& info : image_->kernels) kernels_.emplace(info.name, info);
    }
    Kernel* kernel(const std::string& name) override {
        auto found = kernels_.find(name);
        return found == kernels_.end() ? nullptr : &found->second;
    }
    uint64_t function_address(const std::string& name) override {
        for (const ptx::FunctionSymbol& function : image_->functions)
            if (function.name == name) return reinterpret_cast<uint64_t>(&function); // an address, if of nothing
        return 0;
    }

  private:
    std::shared_ptr<const ptx::Image> image_;
    std::map<std::string, NullKernel> kernels_;
};

class NullQueue : public Queue {
  public:
    void launch(const Launch& launch) override {
        std::lock_guard lock(mutex_);
        if (fault_ != Fault::none) return;
        fault_ = Fault::illegal_instruction;
        message_ = "kernel " + launch.kernel->info().name + ": the null device runs no code";
    }
    void copy(const Copy& copy) override {
        if (fault() != Fault::none) return;
        for (size_t slice = 0; slice < copy.depth; slice++) {
            for (size_t row = 0; row < copy.height; row++) {
                const uint64_t to = copy.destination + slice * copy.destination_slice + row * copy.destination_pitch;
                const uint64_t from = copy.source + slice * copy.source_slice + row * copy.source_pitch;
                std::memmove(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), copy.width);
            }
        }
    }
    void fill(const Fill& fill) override {
        if (fault() != Fault::none) return;
        for (size_t row = 0; row < fill.height; row++) {
            auto* at = reinterpret_cast<uint8_t*>(fill.destination + row * fill.pitch);
            for (size_t i = 0; i < fill.width; i++)
                std::memcpy(at + i * fill.element_bytes, &fill.value, fill.element_bytes);
        }
    }
    void call(std::function<void()> function) override { function(); }
    std::shared_ptr<Marker> mark(bool) override { return std::make_shared<NullMarker>(); }
    void wait_for(std::shared_ptr<Marker> marker) override { marker->wait(); }
    bool idle() const override { return true; }
    void synchronize() override {}
    Fault fault(std::string* message = nullptr) const override {
        std::lock_guard lock(mutex_);
        if (message) *message = message_;
        return fault_;
    }

  private:
    mutable std::mutex mutex_;
    Fault fault_ = Fault::none;
    std::string message_;
};

class NullDevice : public Device {
  public:
    NullDevice() {
        facts_.name = "Cuttle null device";
        facts_.uuid = {'c', 'u', 't', 't', 'l', 'e', '-', 'n', 'u', 'l', 'l'};
        facts_.pci_bus = 0xff;
        facts_.memory_bytes = memory_bytes;
        facts_.clock_khz = facts_.memory_clock_khz = 1'000'000;
        facts_.memory_bus_bits = 64;
        facts_.l2_bytes = 1 << 20;
    }
    ~NullDevice() override {
        for (const auto& [address, bytes] : allocations_) std::free(reinterpret_cast<void*>(address));
    }

    const DeviceFacts& facts() const override { return facts_; }
    MemoryInfo memory() const override {
        std::lock_guard lock(mutex_);
        return {memory_bytes - used_, memory_bytes};
    }
    uint64_t allocate(size_t bytes, MemoryKind) override {
        std::lock_guard lock(mutex_);
        const size_t rounded = (bytes + 511) / 512 * 512;
        if (rounded < bytes || rounded > memory_bytes - used_) return 0;
        void* memory = std::aligned_alloc(512, rounded);
        if (!memory) return 0;
        used_ += rounded;
        allocations_[reinterpret_cast<uint64_t>(memory)] = rounded;
        return reinterpret_cast<uint64_t>(memory);
    }
    void release(uint64_t address, MemoryKind) override {
        std::lock_guard lock(mutex_);
        auto found = allocations_.find(address);
        if (found == allocations_.end()) return;
        used_ -= found->second;
        std::free(reinterpret_cast<void*>(address));
        allocations_.erase(found);
    }
    std::unique_ptr<Code> load(std::shared_ptr<const ptx::Image> image) override {
        return std::make_unique<NullCode>(std::move(image));
    }
    std::unique_ptr<Queue> create_queue(int) override { return std::make_unique<NullQueue>(); }
    void set_limits(uint64_t, uint64_t, uint64_t) override {}
    uint32_t resident_blocks_per_multiprocessor(Kernel&, uint32_t block_threads, uint32_t) const override {
        return block_threads ? facts_.max_threads_per_multiprocessor / block_threads : 0;
    }
    void drain_printf() override {}

  private:
    DeviceFacts facts_;
    mutable std::mutex mutex_;
    uint64_t used_ = 0;
    std::map<uint64_t, size_t> allocations_;
};

class NullBackend : public Backend {
  public:
    std::string name() const override { return "null"; }
    std::vector<Device*> devices() override { return {&device_}; }

  private:
    NullDevice device_;
};

} // namespace

std::unique_ptr<Backend> create_null_backend() { return std::make_unique<NullBackend>(); }

} // namespace rt::backend
