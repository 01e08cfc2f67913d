#pragma once

#include "api/types.h"
#include "rt/device.h"
#include "rt/module.h"

#include <chrono>
#include <string>
#include <string_view>

namespace shim {

/// CUjit_option and its value for each: the values stand in the pointers themselves. Logs go to the application's
/// buffers, and their sizes and the time into the option values, when finish() runs. CUDA driver API,
/// cuModuleLoadDataEx; which values are refused follows an H100's driver.
class JitArguments {
  public:
    JitArguments(unsigned count, const CUjit_option* options, void** values);
    const rt::JitOptions& options() const { return options_; }
    /// Fills the application's buffers; to be called whether loading worked or not.
    void finish();
    std::string& error_log() { return error_; }
    /// CU_JIT_TARGET: 90 for sm_90; 0 when not given.
    unsigned target() const { return target_; }
    /// Starts the clock of CU_JIT_WALL_TIME, which finish() stops, once more; the constructor has started it.
    void resume() { started_ = std::chrono::steady_clock::now(); }

  private:
    struct Log {
        char* buffer = nullptr;
        size_t size = 0;
        void** size_out = nullptr;
        bool has_buffer = false;
    };
    void set(CUjit_option option, void*& value);
    static void write(Log&, std::string_view text);

    Log info_buffer_, error_buffer_;
    std::string info_, error_;
    unsigned target_ = 0;
    void** wall_time_ = nullptr;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    std::chrono::duration<float, std::milli> spent_{0};
    rt::JitOptions options_;
};

/// The program in an image for a device; `size` 0 means by its own headers.
std::shared_ptr<rt::Program> load_program(const void* image, size_t size, rt::Device&, const rt::JitOptions& = {});
std::string read_file(const char* path);

} // namespace shim
