#pragma once

#include "backend/backend.h"

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>

/// A back end that does nothing before it must: a queue runs only when somebody waits for it, and then others run only
/// as far as their markers are waited for. So an ordering that the runtime forgets shows as work that was not done.
namespace fake {

using namespace rt::backend;

class FakeQueue;
class FakeDevice;

class FakeMarker : public Marker {
  public:
    FakeMarker(FakeQueue* queue, std::recursive_mutex& mutex) : queue(queue), mutex(mutex) {}
    bool reached() const override { return done; }
    void wait() const override;
    std::chrono::nanoseconds time() const override { return when; }

    FakeQueue* queue;            ///< null once its queue is gone, when it must be done
    std::recursive_mutex& mutex; ///< the device's
    std::atomic<bool> done = false;
    std::chrono::nanoseconds when{};
};

class FakeKernel : public Kernel {
  public:
    explicit FakeKernel(ptx::KernelInfo info) : info_(std::move(info)) {}
    const ptx::KernelInfo& info() const override { return info_; }

  private:
    ptx::KernelInfo info_;
};

class FakeCode : public Code {
  public:
    explicit FakeCode(std::shared_ptr<const ptx::Image> image);
    Kernel* kernel(const std::string& name) override;
    uint64_t function_address(const std::string& name) override;

  private:
    std::shared_ptr<const ptx::Image> image_;
    std::map<std::string, FakeKernel> kernels_;
};

class FakeQueue : public Queue {
  public:
    explicit FakeQueue(FakeDevice& device) : device_(device) {}
    ~FakeQueue() override;
    void launch(const Launch&) override;
    void copy(const Copy&) override;
    void fill(const Fill&) override;
    void call(std::function<void()>) override;
    std::shared_ptr<Marker> mark(bool timing) override;
    void wait_for(std::shared_ptr<Marker>) override;
    bool idle() const override;
    void synchronize() override;
    Fault fault(std::string* message = nullptr) const override;

    void run_until(const FakeMarker&);
    int markers = 0; ///< made so far

  private:
    void run_one();

    FakeDevice& device_;
    struct Task {
        std::function<void()> run;
        bool marker = false;
    };
    std::deque<Task> tasks_;
    Fault fault_ = Fault::none;
    std::string fault_message_;
};

class FakeDevice : public Device {
  public:
    explicit FakeDevice(int number = 0);
    const DeviceFacts& facts() const override { return facts_; }
    MemoryInfo memory() const override;
    uint64_t allocate(size_t bytes, MemoryKind) override;
    void release(uint64_t address, MemoryKind) override;
    bool owns(uint64_t address) const override { return address >= base() && address < base() + arena_.size(); }
    std::unique_ptr<Code> load(std::shared_ptr<const ptx::Image> image) override;
    std::unique_ptr<Queue> create_queue(int) override;
    void set_limits(uint64_t heap, uint64_t printf_buffer, uint64_t stack) override {
        limits = {heap, printf_buffer, stack};
    }
    uint32_t resident_blocks_per_multiprocessor(Kernel&, uint32_t, uint32_t) const override { return resident; }
    void drain_printf() override { drains++; }

    DeviceFacts& change_facts() { return facts_; }
    mutable std::recursive_mutex mutex; ///< of the device and its queues
    std::string done;                   ///< names of kernels and letters of calls, in the order they ran
    std::array<uint64_t, 3> limits{};
    uint32_t resident = 1000;
    std::atomic<int> drains = 0;
    std::vector<FakeQueue*> queues;
    std::map<uint64_t, size_t> allocations;
    std::chrono::nanoseconds clock{}; ///< goes on by a millisecond with each task

  private:
    uint64_t base() const { return reinterpret_cast<uint64_t>(arena_.data()); }
    DeviceFacts facts_;
    std::vector<uint8_t> arena_;
};

class FakeBackend : public Backend {
  public:
    std::string name() const override { return "fake"; }
    std::vector<Device*> devices() override;

  private:
    std::array<FakeDevice, 3> devices_{FakeDevice(0), FakeDevice(1), FakeDevice(2)};
};

/// What rt::Program::load finds under a text.
struct FakeProgram {
    ptx::ModuleInfo info;
    std::map<std::string, uint32_t> static_shared_bytes;
    std::chrono::milliseconds translation_time{0};
    std::atomic<int> translations = 0, now = 0, most_at_once = 0;
    bool divided = false;          ///< code depends on how blocks can be divided
    bool later_is_now = false;     ///< translations that nobody waits for are done
    bool later_fails = false;
    std::set<std::string> later{}; ///< targets of those that were asked for
};
FakeProgram& program(const std::string& text);

} // namespace fake
