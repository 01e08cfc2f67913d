#include "driver/loading.h"

#include "api/constants.h"
#include "driver/handles.h"
#include "driver/linked_image.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <iterator>

namespace shim {
namespace {

uint32_t word_of(void* value) { return uint32_t(uint64_t(value)); }

} // namespace

JitArguments::JitArguments(unsigned count, const CUjit_option* options, void** values) {
    require_value(count == 0 || (options && values), "JIT options without a list");
    for (unsigned i = 0; i < count; ++i) {
        void*& value = values[i];
        switch (options[i]) {
        case CU_JIT_INFO_LOG_BUFFER:
            info_buffer_.buffer = static_cast<char*>(value);
            break;
        case CU_JIT_ERROR_LOG_BUFFER:
            error_buffer_.buffer = static_cast<char*>(value);
            break;
        case CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES:
            info_buffer_.size = word_of(value);
            info_buffer_.size_out = &value;
            break;
        case CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES:
            error_buffer_.size = word_of(value);
            error_buffer_.size_out = &value;
            break;
        case CU_JIT_OPTIMIZATION_LEVEL:
            require_value(word_of(value) <= 4, "JIT optimisation level above 4");
            options_.optimization_level = int(std::min(word_of(value), 3u));
            break;
        case CU_JIT_GENERATE_DEBUG_INFO:
            options_.debug_info = word_of(value) != 0;
            break;
        case CU_JIT_GENERATE_LINE_INFO:
            options_.line_info = word_of(value) != 0;
            break;
        case CU_JIT_WALL_TIME:
            wall_time_ = &value;
            break;
        default:
            // Register limits, cache modes, targets and the like steer NVIDIA's compiler, not what the code means.
            require_value(options[i] >= 0 && options[i] <= CU_JIT_SPLIT_COMPILE, "unknown JIT option");
        }
    }
    options_.info_log = &info_;
    options_.error_log = &error_;
}

void JitArguments::write(Log& log, const std::string& text) {
    size_t written = 0;
    if (log.buffer && log.size) {
        const size_t n = std::min(log.size - 1, text.size());
        std::memcpy(log.buffer, text.data(), n);
        log.buffer[n] = 0;
        written = n;
    }
    if (log.size_out) *log.size_out = reinterpret_cast<void*>(written);
}

void JitArguments::finish() {
    write(info_buffer_, info_);
    write(error_buffer_, error_);
    // A float stands in the pointer. Compiling happens later, kernel by kernel.
    if (wall_time_) *wall_time_ = reinterpret_cast<void*>(uint64_t(std::bit_cast<uint32_t>(0.0f)));
}

std::shared_ptr<rt::Program> load_program(const void* image, size_t size, rt::Device& device,
                                          const rt::JitOptions& options) {
    require_value(image, "no image");
    try {
        rt::ModuleSource source;
        if (is_linked_image(image)) {
            source.ptx = read_linked_image(image);
        } else {
            source = rt::ModuleSource::from_image(image, size, device.compute_capability());
        }
        return rt::Program::load(source, options);
    } catch (const Error& error) {
        if (options.error_log && options.error_log->empty()) *options.error_log = error.what();
        throw;
    }
}

std::string read_file(const char* path) {
    require_value(path, "no file name");
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(Status::file_not_found, std::string("cannot read ") + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace shim
