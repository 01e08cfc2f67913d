#pragma once

#include "runtime_api/types.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace cudart {

/// A fat binary that the program's constructors registered. It is loaded when something of it is first needed, and into
/// every context on demand by the driver (cuLibraryLoadData).
struct Image {
    void* wrapper = nullptr;
    CUlibrary library = nullptr;
};

/// A __global__ function's host stub, or a variable's shadow, with its name in the image.
struct Symbol {
    Image* image = nullptr;
    std::string name;
    CUkernel kernel = nullptr; ///< functions only, once asked for
    size_t size = 0;           ///< variables only, bytes
};

/// What nvcc's host code tells of its device code (crt/host_runtime.h), and what of it is loaded.
class Registry {
  public:
    static Registry& get();

    void** add_image(void* wrapper);
    /// Unloads the image and forgets what it brought.
    void remove_image(void** handle);
    void add_function(void** handle, const void* stub, const char* name);
    void add_variable(void** handle, const void* shadow, const char* name, size_t size);
    /// `*pointer` gets the variable's address when its image is loaded.
    void add_managed(void** handle, void** pointer, const void* shadow, const char* name, size_t size);

    /// Loads images that have managed variables: host code may use those at any time after its first call.
    void provide_managed();
    /// Loads one image.
    void load(void** handle);

    /// The kernel of a host stub. Throws cudaErrorInvalidDeviceFunction.
    CUkernel kernel(const void* stub);
    /// Likewise; what is no stub is taken for a kernel's handle, which the driver looks at.
    CUkernel kernel_or_handle(const void* function);
    /// For use in the current context.
    CUfunction function(const void* stub);
    /// The stub that function() was asked for, or the function itself where there was none.
    const void* stub_of(CUfunction);
    /// Address and bytes of a variable in the current context. Throws cudaErrorInvalidSymbol.
    std::pair<CUdeviceptr, size_t> variable(const void* shadow);
    /// The module, in the current context, and the name of a texture or surface reference. Throws `error`.
    std::pair<CUmodule, std::string> module_of(const void* shadow, cudaError_t error);
    bool knows_variable(const void* shadow);

  private:
    CUlibrary library(Image&);
    struct Managed {
        Image* image;
        void** pointer;
        std::string name;
    };

    std::shared_mutex mutex_;
    std::map<void*, std::unique_ptr<Image>> images_;
    std::unordered_map<const void*, Symbol> functions_, variables_;
    std::unordered_map<CUfunction, const void*> driver_functions_; ///< what function() was asked for, by what it gave
    std::vector<Managed> managed_;                                 ///< not provided yet
    std::atomic<bool> has_managed_ = false;                        ///< whether managed_ has rows
};

} // namespace cudart
