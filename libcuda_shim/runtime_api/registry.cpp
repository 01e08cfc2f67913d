#include "runtime_api/registry.h"

#include "runtime_api/enter.h"

namespace cudart {
namespace {

// CU_LIBRARY_BINARY_IS_PRESERVED: the image stays where it is as long as it is registered.
constexpr CUlibraryOption binary_is_preserved = 1;

} // namespace

// Never destroyed: images are unregistered from the program's destructors.
Registry& Registry::get() {
    static Registry& registry = *new Registry;
    return registry;
}

void** Registry::add_image(void* wrapper) {
    const std::scoped_lock lock(mutex_);
    auto image = std::make_unique<Image>();
    image->wrapper = wrapper;
    void* const key = image.get();
    images_.emplace(key, std::move(image));
    return static_cast<void**>(key);
}

void Registry::remove_image(void** handle) {
    const std::scoped_lock lock(mutex_);
    const auto found = images_.find(handle);
    if (found == images_.end()) return;
    Image* const image = found->second.get();
    const auto is_of_image = [&](const auto& row) {
        const auto function = functions_.find(row.second);
        return function != functions_.end() && function->second.image == image;
    };
    std::erase_if(driver_functions_, is_of_image);
    std::erase_if(functions_, [&](const auto& row) { return row.second.image == image; });
    std::erase_if(variables_, [&](const auto& row) { return row.second.image == image; });
    std::erase_if(managed_, [&](const Managed& row) { return row.image == image; });
    if (image->library) cuLibraryUnload(image->library);
    images_.erase(found);
}

void Registry::add_function(void** handle, const void* stub, const char* name) {
    const std::scoped_lock lock(mutex_);
    functions_[stub] = {static_cast<Image*>(static_cast<void*>(handle)), name, nullptr, 0};
}

void Registry::add_variable(void** handle, const void* shadow, const char* name, size_t size) {
    const std::scoped_lock lock(mutex_);
    variables_[shadow] = {static_cast<Image*>(static_cast<void*>(handle)), name, nullptr, size};
}

void Registry::add_managed(void** handle, void** pointer, const void* shadow, const char* name, size_t size) {
    const std::scoped_lock lock(mutex_);
    auto* const image = static_cast<Image*>(static_cast<void*>(handle));
    variables_[shadow] = {image, name, nullptr, size};
    managed_.push_back({image, pointer, name});
    has_managed_.store(true, std::memory_order_release);
}

CUlibrary Registry::library(Image& image) {
    if (!image.library) {
        CUlibraryOption option = binary_is_preserved;
        void* value = reinterpret_cast<void*>(uintptr_t(1));
        check(cuLibraryLoadData(&image.library, image.wrapper, nullptr, nullptr, 0, &option, &value, 1));
    }
    return image.library;
}

void Registry::provide_managed() {
    // Each call of the runtime comes by here, so that most go without the lock.
    if (!has_managed_.load(std::memory_order_acquire)) return;
    const std::scoped_lock lock(mutex_);
    while (!managed_.empty()) {
        const Managed& row = managed_.back();
        CUdeviceptr address = 0;
        size_t bytes = 0;
        check(cuLibraryGetManaged(&address, &bytes, library(*row.image), row.name.c_str()));
        *row.pointer = reinterpret_cast<void*>(address);
        // Host code names the variable by what the pointer points to.
        variables_[*row.pointer] = {row.image, row.name, nullptr, bytes};
        managed_.pop_back();
    }
    has_managed_.store(false, std::memory_order_release);
}

void Registry::load(void** handle) {
    const std::scoped_lock lock(mutex_);
    const auto found = images_.find(handle);
    require(found != images_.end(), cudaErrorInvalidResourceHandle);
    library(*found->second);
}

CUkernel Registry::kernel(const void* stub) {
    {
        const std::shared_lock lock(mutex_);
        const auto found = functions_.find(stub);
        require(found != functions_.end(), cudaErrorInvalidDeviceFunction);
        if (found->second.kernel) return found->second.kernel;
    }
    const std::scoped_lock lock(mutex_);
    const auto found = functions_.find(stub);
    require(found != functions_.end(), cudaErrorInvalidDeviceFunction);
    Symbol& symbol = found->second;
    if (!symbol.kernel) {
        const CUresult result = cuLibraryGetKernel(&symbol.kernel, library(*symbol.image), symbol.name.c_str());
        require(result != cudaErrorSymbolNotFound, cudaErrorInvalidDeviceFunction);
        check(result);
    }
    return symbol.kernel;
}

CUkernel Registry::kernel_or_handle(const void* function) {
    {
        const std::shared_lock lock(mutex_);
        const auto found = functions_.find(function);
        if (found != functions_.end()) {
            if (found->second.kernel) return found->second.kernel;
        } else if (function) {
            return static_cast<CUkernel>(const_cast<void*>(function));
        }
    }
    return kernel(function);
}

CUfunction Registry::function(const void* stub) {
    CUfunction function = nullptr;
    check(cuKernelGetFunction(&function, kernel_or_handle(stub)));
    const std::scoped_lock lock(mutex_);
    driver_functions_[function] = stub;
    return function;
}

const void* Registry::stub_of(CUfunction function) {
    const std::shared_lock lock(mutex_);
    const auto found = driver_functions_.find(function);
    return found == driver_functions_.end() ? function : found->second;
}

std::pair<CUmodule, std::string> Registry::module_of(const void* shadow, cudaError_t error) {
    const std::scoped_lock lock(mutex_);
    const auto found = variables_.find(shadow);
    require(found != variables_.end(), error);
    CUmodule module = nullptr;
    check(cuLibraryGetModule(&module, library(*found->second.image)));
    return {module, found->second.name};
}

bool Registry::knows_variable(const void* shadow) {
    const std::shared_lock lock(mutex_);
    return variables_.contains(shadow);
}

std::pair<CUdeviceptr, size_t> Registry::variable(const void* shadow) {
    const std::scoped_lock lock(mutex_);
    const auto found = variables_.find(shadow);
    require(found != variables_.end(), cudaErrorInvalidSymbol);
    Symbol& symbol = found->second;
    CUdeviceptr address = 0;
    size_t bytes = 0;
    const CUresult result = cuLibraryGetGlobal(&address, &bytes, library(*symbol.image), symbol.name.c_str());
    require(result != cudaErrorSymbolNotFound, cudaErrorInvalidSymbol);
    check(result);
    return {address, bytes};
}

} // namespace cudart
