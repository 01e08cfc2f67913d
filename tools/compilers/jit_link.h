#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace compilers {

/// nvJitLinkResult
enum class Result {
    success = 0,
    unrecognized_option,
    missing_arch,
    invalid_input,
    ptx_compile,
    nvvm_compile,
    internal,
    threadpool,
    unrecognized_input,
    finalize,
    null_input,
    incompatible_options,
    incorrect_input_type,
    arch_mismatch,
    outdated_library,
    missing_fatbin,
    unrecognized_arch,
    unsupported_arch,
    lto_not_enabled,
};

/// nvJitLinkInputType
enum class Input { cubin = 1, ptx, lto_ir, fatbin, object, library, index, any = 10 };

/// The options of nvJitLinkCreate that matter to us. The values and errors are those of nvJitLink 13.0.
struct LinkOptions {
    unsigned architecture = 0; ///< 80 for sm_80
    bool lto = false, ptx = false, debug = false, line_info = false;
    int optimization = -1;
    std::vector<std::string> words; ///< as given

    /// What is wrong goes into `log`.
    Result read(uint32_t count, const char* const* options, std::string& log);
};

/// What the bytes are, by looking; 0 when nothing that can be linked. PTX is text that starts like it.
Input kind_of(std::string_view bytes);

/// The driver's linker, of whichever libcuda the process has. Functions return CUresult.
struct DriverLinker {
    int (*init)(unsigned) = nullptr;
    int (*create)(unsigned, int*, void**, void**) = nullptr;
    int (*add)(void*, int, void*, size_t, const char*, unsigned, int*, void**) = nullptr;
    int (*complete)(void*, void**, size_t*) = nullptr;
    int (*destroy)(void*) = nullptr;

    static const DriverLinker* find(); ///< nullptr when there is no libcuda
};

/// The real nvJitLink, which alone can read link-time IR: made to give PTX of it.
struct RealLinker {
    int (*create)(void**, uint32_t, const char* const*) = nullptr;
    int (*destroy)(void**) = nullptr;
    int (*add)(void*, int, const void*, size_t, const char*) = nullptr;
    int (*complete)(void*) = nullptr;
    int (*ptx_size)(void*, size_t*) = nullptr;
    int (*ptx)(void*, char*) = nullptr;
    int (*error_log_size)(void*, size_t*) = nullptr;
    int (*error_log)(void*, char*) = nullptr;

    static const RealLinker* find(); ///< nullptr when it is not there
};

} // namespace compilers

/// nvJitLinkHandle. PTX, and what holds PTX, goes to the driver's linker; link-time IR first through the real
/// nvJitLink.
struct Link {
    explicit Link() = default;
    ~Link();
    Link(const Link&) = delete;

    compilers::Result start(uint32_t count, const char* const* options);
    compilers::Result add(compilers::Input type, std::string_view bytes, const std::string& name);
    compilers::Result complete();

    compilers::LinkOptions options;
    std::string error_log, info_log, ptx;
    std::vector<char> image;

  private:
    compilers::Result link_lto();
    void take_driver_log();

    void* state_ = nullptr; ///< the driver's
    void* real_ = nullptr;
    bool has_ptx_ = false, has_lto_ = false;
    char driver_log_[8192] = "";
    int option_keys_[6] = {};
    void* option_values_[6] = {};
};
