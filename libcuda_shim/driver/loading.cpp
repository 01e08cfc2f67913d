#include "driver/loading.h"

#include "api/constants.h"
#include "driver/handles.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <iterator>

namespace shim {
namespace {

uint32_t word_of(void* value) { return uint32_t(uint64_t(value)); }

/// CUjit_target without the flags of its upper half: as .target spells them.
bool is_architecture(unsigned number) {
    static constexpr unsigned all[] = {30, 32, 35, 37, 50, 52, 53,  60,  61,  62,  70,  72, 75,
                                       80, 86, 87, 88, 89, 90, 100, 101, 103, 110, 120, 121};
    return std::ranges::find(all, number) != std::end(all);
}

} // namespace

JitArguments::JitArguments(unsigned count, const CUjit_option* options, void** values) {
    require_value(count == 0 || (options && values), "JIT options without a list");
    for (unsigned i = 0; i < count; ++i) set(options[i], values[i]);
    for (const Log* log : {&info_buffer_, &error_buffer_})
        require_value(log->has_buffer == (log->size_out != nullptr), "a JIT log needs a buffer and its size");
    options_.info_log = &info_;
    options_.error_log = &error_;
}

void JitArguments::set(CUjit_option option, void*& value) {
    switch (option) {
    case CU_JIT_INFO_LOG_BUFFER:
    case CU_JIT_ERROR_LOG_BUFFER: {
        Log& log = option == CU_JIT_INFO_LOG_BUFFER ? info_buffer_ : error_buffer_;
        log.buffer = static_cast<char*>(value);
        log.has_buffer = true;
        break;
    }
    case CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES:
    case CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES: {
        Log& log = option == CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES ? info_buffer_ : error_buffer_;
        log.size = word_of(value);
        log.size_out = &value;
        break;
    }
    case CU_JIT_OPTIMIZATION_LEVEL:
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
    case CU_JIT_TARGET:
        target_ = word_of(value) & 0xffff; // above it: architecture- and family-specific targets
        require_value(is_architecture(target_), "unknown JIT target");
        break;
    case CU_JIT_FALLBACK_STRATEGY:
        require_value(word_of(value) <= 1, "unknown JIT fallback strategy");
        break;
    case CU_JIT_CACHE_MODE:
        require_value(word_of(value) <= 2, "unknown JIT cache mode");
        break;
    default:
        // Register limits and the like steer NVIDIA's compiler, not what the code means.
        require_value(option >= 0 && option <= CU_JIT_SPLIT_COMPILE, "unknown JIT option");
    }
}

void JitArguments::write(Log& log, std::string_view text) {
    while (text.ends_with('\n')) text.remove_suffix(1);
    size_t written = 0;
    if (log.buffer && log.size) {
        written = std::min(log.size - 1, text.size());
        std::memcpy(log.buffer, text.data(), written);
        log.buffer[written] = 0;
    }
    if (log.size_out) *log.size_out = reinterpret_cast<void*>(written);
}

void JitArguments::finish() {
    write(info_buffer_, info_);
    write(error_buffer_, error_);
    spent_ += std::chrono::steady_clock::now() - started_;
    // A float stands in the pointer. Most of compiling happens later, kernel by kernel.
    if (wall_time_) *wall_time_ = reinterpret_cast<void*>(uint64_t(std::bit_cast<uint32_t>(spent_.count())));
}

std::shared_ptr<rt::Program> load_program(const void* image, size_t size, rt::Device& device,
                                          const rt::JitOptions& options) {
    require_value(image, "no image");
    try {
        return rt::Program::load(rt::ModuleSource::from_image(image, size, device.compute_capability()), options);
    } catch (const Error& error) {
        if (options.error_log && options.error_log->empty()) *options.error_log = error.what();
        throw;
    }
}

std::string read_file(const char* path) {
    require_value(path && *path, "no file name");
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(Status::file_not_found, std::string("cannot read ") + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace shim
