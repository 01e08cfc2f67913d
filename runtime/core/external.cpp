#include "rt/external.h"

#include "core/capture.h"
#include "rt/context.h"
#include "rt/device.h"
#include "rt/memory.h"
#include "rt/stream.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace rt {
namespace {

using namespace std::chrono_literals;

constexpr size_t page = 4096;

backend::VirtualMemory& virtual_memory_of(Context& context) {
    if (auto* found = context.device().backend().virtual_memory()) return *found;
    throw Error(Status::not_supported, "the device cannot map memory of others");
}

/// Addresses where a part of some memory is mapped.
class Mapping {
  public:
    Mapping(backend::VirtualMemory& how, std::shared_ptr<backend::PhysicalMemory> memory, size_t offset, size_t bytes)
        : how_(how), memory_(std::move(memory)), bytes_(bytes), address_(how.reserve(bytes, 0, 0)) {
        if (!address_) throw Error(Status::out_of_memory, "no addresses are left");
        if (how_.map(address_, bytes_, *memory_, offset) &&
            how_.protect(address_, bytes_, backend::VirtualMemory::Access::read_write))
            return;
        how_.unreserve(address_, bytes_);
        throw Error(Status::map_failed, "the memory cannot be mapped");
    }
    ~Mapping() { how_.unreserve(address_, bytes_); } // what is mapped goes with the addresses
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

    uint64_t address() const { return address_; }

  private:
    backend::VirtualMemory& how_;
    const std::shared_ptr<backend::PhysicalMemory> memory_;
    const size_t bytes_;
    const uint64_t address_;
};

int own_copy(int descriptor) {
    const int own = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    if (own < 0) throw Error(Status::unknown, "no file descriptor, or none is left");
    return own;
}

/// Signalled or not: the counter of an eventfd.
class BinarySemaphore : public Semaphore {
  public:
    explicit BinarySemaphore(int descriptor) : descriptor_(descriptor) {}
    ~BinarySemaphore() override { close(descriptor_); }

    void signal(uint64_t) override {
        const uint64_t one = 1;
        while (write(descriptor_, &one, sizeof one) < 0 && (errno == EINTR || errno == EAGAIN)) {
        }
    }
    // It may have been made not to block, and another may be faster.
    void wait(uint64_t) override {
        uint64_t count = 0;
        for (;;) {
            pollfd ready{descriptor_, POLLIN, 0};
            if (poll(&ready, 1, -1) < 0 && errno != EINTR) return;
            if (read(descriptor_, &count, sizeof count) == sizeof count) return;
            if (errno != EINTR && errno != EAGAIN) return;
        }
    }

  private:
    const int descriptor_;
};

/// Counts up, in memory.
class TimelineSemaphore : public Semaphore {
  public:
    explicit TimelineSemaphore(void* place) : place_(place) {}
    ~TimelineSemaphore() override { munmap(place_, page); }

    void signal(uint64_t value) override { counter().store(value, std::memory_order_release); }
    void wait(uint64_t value) override {
        for (int spins = 0; counter().load(std::memory_order_acquire) < value; ++spins)
            spins < 1000 ? std::this_thread::yield() : std::this_thread::sleep_for(20us);
    }

  private:
    std::atomic_ref<uint64_t> counter() const { return std::atomic_ref(*static_cast<uint64_t*>(place_)); }

    void* const place_;
};

bool is_eventfd(int descriptor) {
    char target[64] = {};
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    return readlink(link.c_str(), target, sizeof target - 1) > 0 && std::string(target) == "anon_inode:[eventfd]";
}

} // namespace

ExternalMemory::ExternalMemory(Context& context, int descriptor, size_t bytes)
    : HandleBase(kind), how_(virtual_memory_of(context)), memory_(how_.import_file(descriptor, bytes)) {
    if (!memory_) throw Error(Status::unknown, "the file descriptor is none of memory, or of too little");
}

uint64_t ExternalMemory::map(Context& context, size_t offset, size_t bytes) {
    if (bytes == 0 || offset + bytes < bytes || offset + bytes > memory_->size())
        throw Error(Status::invalid_value, "the memory has no such part");
    const size_t first = offset / page * page;
    auto mapping = std::make_shared<Mapping>(how_, memory_, first, (offset + bytes - first + page - 1) / page * page);
    const uint64_t address = mapping->address() + (offset - first);
    memory::remember({.address = address,
                      .size = bytes,
                      .context = &context,
                      .device = context.device().ordinal(),
                      .mapping = std::move(mapping)});
    return address;
}

std::shared_ptr<Semaphore> Semaphore::open_binary(int descriptor) {
    if (!is_eventfd(descriptor)) throw Error(Status::unknown, "the file descriptor is no eventfd");
    return std::make_shared<BinarySemaphore>(own_copy(descriptor));
}

std::shared_ptr<Semaphore> Semaphore::open_timeline(int descriptor) {
    struct stat about {};
    void* place = MAP_FAILED;
    if (fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode) && about.st_size >= off_t(sizeof(uint64_t)))
        place = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (place == MAP_FAILED) throw Error(Status::unknown, "the file descriptor is none of memory with a counter");
    return std::make_shared<TimelineSemaphore>(place);
}

void SemaphoreOperations::run() const {
    for (const auto& [semaphore, value] : operations) waits ? semaphore->wait(value) : semaphore->signal(value);
}

void Stream::semaphores(const SemaphoreOperations& list) {
    if (capture::add(*this, &list)) return;
    call([list] { list.run(); });
}

} // namespace rt
