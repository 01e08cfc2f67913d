#include "run_on_host.h"

#include "ptx/host_abi.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace {

using ptx::host::Lane;

/// Image code as a loaded shared object.
class Library {
  public:
    explicit Library(const std::vector<uint8_t>& code) {
        int file = memfd_create("image", MFD_CLOEXEC);
        if (write(file, code.data(), code.size()) != static_cast<ssize_t>(code.size()))
            throw std::runtime_error("memfd");
        handle_ = dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
        close(file);
        if (!handle_) throw std::runtime_error(dlerror());
    }
    ~Library() { dlclose(handle_); }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    void* find(const std::string& symbol) const {
        if (void* found = dlsym(handle_, symbol.c_str())) return found;
        throw std::runtime_error("no symbol " + symbol);
    }

  private:
    void* handle_ = nullptr;
};

template <class T> using Aligned = std::unique_ptr<T, decltype(&std::free)>;

Aligned<uint8_t> zeroed(size_t bytes, size_t alignment) {
    size_t rounded = (bytes + alignment) / alignment * alignment;
    Aligned<uint8_t> memory(static_cast<uint8_t*>(std::aligned_alloc(alignment, rounded)), &std::free);
    std::memset(memory.get(), 0, rounded);
    return memory;
}

void relocate(uint8_t* block, const ptx::ModuleInfo& info, const ptx::Image& image, const Library& library) {
    for (const ptx::GlobalRelocation& relocation : info.relocations) {
        uint64_t value = static_cast<uint64_t>(relocation.addend);
        if (!relocation.function) value += reinterpret_cast<uint64_t>(block) + info.global(relocation.symbol)->offset;
        for (const ptx::FunctionSymbol& function : image.functions)
            if (relocation.function && function.name == relocation.symbol)
                value += reinterpret_cast<uint64_t>(library.find(function.symbol));
        value >>= relocation.shift;
        std::memcpy(block + relocation.offset, &value, relocation.size);
    }
}

} // namespace

void run_on_host(const ptx::Image& image, const ptx::ModuleInfo& info, const std::string& kernel,
                 std::vector<uint32_t>& buffer, uint32_t n, float x) {
    Library library(image.code);
    const ptx::KernelInfo* found = nullptr;
    for (const ptx::KernelInfo& candidate : image.kernels)
        if (candidate.name == kernel) found = &candidate;
    if (!found) throw std::runtime_error("no kernel " + kernel);

    auto globals = zeroed(info.block_size, 256);
    std::copy(info.initial_data.begin(), info.initial_data.end(), globals.get());
    relocate(globals.get(), info, image, library);

    struct alignas(16) {
        uint32_t* buffer;
        uint32_t n;
        float x;
    } parameters{buffer.data(), n, x};
    constexpr uint32_t dynamic_bytes = 256;
    auto shared = zeroed(found->static_shared_bytes + 16 + dynamic_bytes, 1024);
    ptx::host::Services services{};
    ptx::host::Grid grid{};
    grid.services = &services;
    grid.parameters = &parameters;
    grid.globals = globals.get();
    for (unsigned i = 0; i < 3; ++i) grid.grid_dim[i] = grid.block_dim[i] = grid.cluster_dim[i] = 1;
    grid.static_shared_bytes = found->static_shared_bytes;
    grid.dynamic_shared_bytes = dynamic_bytes;
    grid.multiprocessor_count = 1;
    Lane lane{};
    lane.grid = &grid;
    lane.shared = shared.get();
    reinterpret_cast<void (*)(Lane*)>(library.find(found->symbol))(&lane);
}
