#include "fake_backend.h"

#include "backend/cpu/cpu.h"

#include <cstring>

namespace fake {

void FakeMarker::wait() const {
    std::lock_guard lock(mutex);
    if (!done) queue->run_until(*this);
}

FakeCode::FakeCode(std::shared_ptr<const ptx::Image> image) : image_(std::move(image)) {
    for (auto& kernel : image_->kernels) kernels_.emplace(kernel.name, FakeKernel(kernel));
}

Kernel* FakeCode::kernel(const std::string& name) {
    auto found = kernels_.find(name);
    return found == kernels_.end() ? nullptr : &found->second;
}

uint64_t FakeCode::function_address(const std::string& name) {
    for (auto& function : image_->functions)
        if (function.name == name) return 0xf000 + function.symbol.size();
    return 0;
}

FakeQueue::~FakeQueue() {
    std::lock_guard lock(device_.mutex);
    synchronize();
    std::erase(device_.queues, this);
}

// A kernel's name is what it leaves in the device's record; "fault:<number>" dies.
void FakeQueue::launch(const Launch& launch) {
    std::lock_guard lock(device_.mutex);
    tasks_.push_back({[this, name = launch.kernel->info().name] {
        if (name.starts_with("fault:")) {
            fault_ = Fault(name[6] - '0');
            fault_message_ = "kernel " + name + " died";
            return;
        }
        device_.done += name;
    }});
}

void FakeQueue::copy(const Copy& copy) {
    std::lock_guard lock(device_.mutex);
    tasks_.push_back({[copy] {
        for (size_t z = 0; z < copy.depth; z++)
            for (size_t y = 0; y < copy.height; y++)
                std::memcpy((char*)copy.destination + z * copy.destination_slice + y * copy.destination_pitch,
                            (char*)copy.source + z * copy.source_slice + y * copy.source_pitch, copy.width);
    }});
}

void FakeQueue::fill(const Fill& fill) {
    std::lock_guard lock(device_.mutex);
    tasks_.push_back({[fill] {
        for (size_t y = 0; y < fill.height; y++)
            for (size_t x = 0; x < fill.width; x++)
                std::memcpy((char*)fill.destination + y * fill.pitch + x * fill.element_bytes, &fill.value,
                            fill.element_bytes);
    }});
}

void FakeQueue::call(std::function<void()> function) {
    std::lock_guard lock(device_.mutex);
    tasks_.push_back({std::move(function)});
}

bool FakeQueue::idle() const {
    std::lock_guard lock(device_.mutex);
    return tasks_.empty();
}

std::shared_ptr<Marker> FakeQueue::mark(bool) {
    std::lock_guard lock(device_.mutex);
    auto marker = std::make_shared<FakeMarker>(this, device_.mutex);
    markers++;
    tasks_.push_back({[this, marker] {
                          marker->when = device_.clock;
                          marker->queue = nullptr;
                          marker->done = true;
                      },
                      true});
    return marker;
}

void FakeQueue::wait_for(std::shared_ptr<Marker> marker) {
    std::lock_guard lock(device_.mutex);
    tasks_.push_back({[marker] { marker->wait(); }});
}

void FakeQueue::run_one() {
    std::lock_guard lock(device_.mutex);
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    device_.clock += std::chrono::milliseconds(1);
    // What comes after a fault is dropped, but nobody waits for ever.
    if (fault_ == Fault::none || task.marker) task.run();
}

void FakeQueue::synchronize() {
    std::lock_guard lock(device_.mutex);
    while (!tasks_.empty()) run_one();
}

void FakeQueue::run_until(const FakeMarker& marker) {
    std::lock_guard lock(device_.mutex);
    while (!marker.done && !tasks_.empty()) run_one();
}

Fault FakeQueue::fault(std::string* message) const {
    std::lock_guard lock(device_.mutex);
    if (message) *message = fault_message_;
    return fault_;
}

FakeDevice::FakeDevice(int number) : arena_(8 << 20) {
    facts_.name = "fake " + std::to_string(number);
    facts_.uuid = {uint8_t(0xa0 + number), 0xbb};
    facts_.pci_device = number;
    facts_.memory_bytes = 4 << 20;
    facts_.multiprocessors = 4;
    facts_.clock_khz = 1'000'000;
    facts_.target = ptx::Target::parse("amdgcn:gfx1100");
}

MemoryInfo FakeDevice::memory() const {
    std::lock_guard lock(mutex);
    uint64_t used = 0;
    for (auto& [address, size] : allocations) used += size;
    return {facts_.memory_bytes - used, facts_.memory_bytes};
}

uint64_t FakeDevice::allocate(size_t bytes, MemoryKind) {
    std::lock_guard lock(mutex);
    if (bytes > memory().free_bytes) return 0;
    uint64_t address = (base() + 511) / 512 * 512;
    for (auto& [start, size] : allocations) {
        if (address + bytes <= start) break;
        address = (start + size + 511) / 512 * 512;
    }
    if (address + bytes > base() + arena_.size()) return 0;
    allocations[address] = bytes;
    return address;
}

void FakeDevice::release(uint64_t address, MemoryKind) {
    std::lock_guard lock(mutex);
    if (!allocations.erase(address)) throw std::logic_error("the runtime releases what it does not have");
}

std::unique_ptr<Code> FakeDevice::load(std::shared_ptr<const ptx::Image> image) {
    return std::make_unique<FakeCode>(std::move(image));
}

std::unique_ptr<Queue> FakeDevice::create_queue(int) {
    std::lock_guard lock(mutex);
    auto queue = std::make_unique<FakeQueue>(*this);
    queues.push_back(queue.get());
    return queue;
}

std::vector<Device*> FakeBackend::devices() {
    std::vector<Device*> all;
    for (auto& device : devices_) all.push_back(&device);
    return all;
}

} // namespace fake

namespace rt::backend {
// In place of the real one, which this program does not link.
std::unique_ptr<Backend> create_cpu_backend() { return std::make_unique<fake::FakeBackend>(); }
} // namespace rt::backend
