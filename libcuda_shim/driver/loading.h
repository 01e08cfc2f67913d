#pragma once

#include "api/types.h"
#include "rt/device.h"
#include "rt/module.h"

#include <string>

namespace shim {

/// CUjit_option and its value for each: the values stand in the pointers themselves. Logs go to the application's
/// buffers, and their sizes into the option values, when finish() runs. CUDA driver API, cuModuleLoadDataEx.
class JitArguments {
  public:
    JitArguments(unsigned count, const CUjit_option* options, void** values);
    const rt::JitOptions& options() const { return options_; }
    /// Fills the application's buffers; to be called whether loading worked or not.
    void finish();
    std::string& error_log() { return error_; }

  private:
    struct Log {
        char* buffer = nullptr;
        size_t size = 0;
        void** size_out = nullptr;
    };
    static void write(Log&, const std::string& text);

    Log info_buffer_, error_buffer_;
    std::string info_, error_;
    void** wall_time_ = nullptr;
    rt::JitOptions options_;
};

/// The program in an image for a device; `size` 0 means by its own headers.
std::shared_ptr<rt::Program> load_program(const void* image, size_t size, rt::Device&, const rt::JitOptions& = {});
std::string read_file(const char* path);

} // namespace shim
