#include "backend/cpu/virtual_memory.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rt::backend::cpu {

namespace {

void* pointer(uint64_t address) { return reinterpret_cast<void*>(address); }

constexpr int unused = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

} // namespace

MemoryFile::~MemoryFile() { close(descriptor_); }

int MemoryFile::export_descriptor() const { return fcntl(descriptor_, F_DUPFD_CLOEXEC, 3); }

void MemoryFile::discard(size_t offset, size_t bytes) {
    fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off_t(offset), off_t(bytes));
}

std::shared_ptr<MemoryFile> MemoryFile::create(size_t bytes) {
    const int file = memfd_create("cuttle:memory", MFD_CLOEXEC);
    if (file < 0) return nullptr;
    auto memory = std::make_shared<MemoryFile>(file, bytes);
    return ftruncate(file, off_t(bytes)) == 0 ? memory : nullptr;
}

uint64_t CpuVirtualMemory::reserve(size_t bytes, size_t alignment, uint64_t wish) {
    alignment = std::max(alignment, granularity());
    if (bytes + alignment < bytes) return 0;
    if (wish) {
        void* there = mmap(pointer(wish), bytes, PROT_NONE, unused | MAP_FIXED_NOREPLACE, -1, 0);
        if (there == pointer(wish)) return wish;
        if (there != MAP_FAILED) munmap(there, bytes);
    }
    void* range = mmap(nullptr, bytes + alignment, PROT_NONE, unused, -1, 0);
    if (range == MAP_FAILED) return 0;
    const auto begin = reinterpret_cast<uint64_t>(range), end = begin + bytes + alignment;
    const uint64_t address = (begin + alignment - 1) / alignment * alignment;
    if (address > begin) munmap(range, address - begin);
    if (end > address + bytes) munmap(pointer(address + bytes), end - address - bytes);
    return address;
}

void CpuVirtualMemory::unreserve(uint64_t address, size_t bytes) { munmap(pointer(address), bytes); }

std::shared_ptr<PhysicalMemory> CpuVirtualMemory::create(size_t bytes) {
    return MemoryFile::create(bytes);
}

std::shared_ptr<PhysicalMemory> CpuVirtualMemory::import_descriptor(int descriptor) {
    struct stat about {};
    if (fstat(descriptor, &about) != 0 || about.st_size <= 0 || size_t(about.st_size) % granularity() != 0)
        return nullptr;
    const int own = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    return own < 0 ? nullptr : std::make_shared<MemoryFile>(own, size_t(about.st_size));
}

std::shared_ptr<PhysicalMemory> CpuVirtualMemory::import_file(int descriptor, size_t bytes) {
    const off_t length = lseek(descriptor, 0, SEEK_END); // what fstat says of a dma-buf is 0
    if (length <= 0 || size_t(length) < bytes) return nullptr;
    constexpr size_t some = 4096;
    void* there = mmap(nullptr, some, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (there == MAP_FAILED) return nullptr;
    munmap(there, some);
    const int own = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    return own < 0 ? nullptr : std::make_shared<MemoryFile>(own, bytes);
}

bool CpuVirtualMemory::map(uint64_t address, size_t bytes, const PhysicalMemory& memory, size_t offset) {
    const int file = static_cast<const MemoryFile&>(memory).descriptor();
    return mmap(pointer(address), bytes, PROT_NONE, MAP_SHARED | MAP_FIXED, file, off_t(offset)) != MAP_FAILED;
}

void CpuVirtualMemory::unmap(uint64_t address, size_t bytes) {
    mmap(pointer(address), bytes, PROT_NONE, unused | MAP_FIXED, -1, 0);
}

bool CpuVirtualMemory::protect(uint64_t address, size_t bytes, Access access) {
    const int allowed = access == Access::none   ? PROT_NONE
                        : access == Access::read ? PROT_READ
                                                 : PROT_READ | PROT_WRITE;
    return mprotect(pointer(address), bytes, allowed) == 0;
}

} // namespace rt::backend::cpu
