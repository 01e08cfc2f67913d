// NVRTC's functions, for machines without NVIDIA's. The results of wrong calls are those of NVRTC 13.0.
#include "library.h"

#include "options.h"
#include "program.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <iterator>
#include <memory>
#include <mutex>
#include <new>
#include <set>

namespace compilers::clang_nvrtc {
namespace {

constexpr const char* result_names[] = {
    "NVRTC_SUCCESS",
    "NVRTC_ERROR_OUT_OF_MEMORY",
    "NVRTC_ERROR_PROGRAM_CREATION_FAILURE",
    "NVRTC_ERROR_INVALID_INPUT",
    "NVRTC_ERROR_INVALID_PROGRAM",
    "NVRTC_ERROR_INVALID_OPTION",
    "NVRTC_ERROR_COMPILATION",
    "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE",
    "NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION",
    "NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION",
    "NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID",
    "NVRTC_ERROR_INTERNAL_ERROR",
    "NVRTC_ERROR_TIME_FILE_WRITE_FAILED",
    "NVRTC_ERROR_NO_PCH_CREATE_ATTEMPTED",
    "NVRTC_ERROR_PCH_CREATE_HEAP_EXHAUSTED",
    "NVRTC_ERROR_PCH_CREATE",
    "NVRTC_ERROR_CANCELLED",
    "NVRTC_ERROR_TIME_TRACE_FILE_WRITE_FAILED",
};

/// The programs that there are. Never destroyed.
struct Programs {
    std::mutex mutex;
    std::set<Program*> all;
};

Programs& programs() {
    static Programs& all = *new Programs;
    return all;
}

bool exists(Program* program) {
    Programs& known = programs();
    std::lock_guard lock(known.mutex);
    return known.all.contains(program);
}

/// The ABI's edge: a program that there is, and no exception beyond.
template <class Body> Result with(Program* program, Body body) {
    if (!exists(program)) return Result::invalid_program;
    try {
        return body(*program);
    } catch (const std::bad_alloc&) {
        return Result::out_of_memory;
    } catch (...) {
        return Result::internal_error;
    }
}

Result version(int* major, int* minor) {
    if (major == nullptr || minor == nullptr) return Result::invalid_input;
    *major = CUTTLE_MAJOR;
    *minor = toolkit_minor;
    return Result::success;
}

Result supported_count(int* count) {
    if (count == nullptr) return Result::invalid_input;
    *count = int(supported_architectures().size());
    return Result::success;
}

Result supported(int* architectures) {
    if (architectures == nullptr) return Result::invalid_input;
    std::ranges::copy(supported_architectures(), architectures);
    return Result::success;
}

const char* error_string(Result result) {
    const size_t number = size_t(result);
    return number < std::size(result_names) ? result_names[number] : "NVRTC_ERROR unknown";
}

Result create(Program** program, const char* source, const char* name, int count, const char* const* headers,
              const char* const* names) {
    if (program == nullptr) return Result::invalid_program;
    if (source == nullptr || count < 0 || (count > 0 && (headers == nullptr || names == nullptr)))
        return Result::invalid_input;
    try {
        Program::Headers all;
        for (int i = 0; i < count; ++i) {
            if (headers[i] == nullptr || names[i] == nullptr) return Result::invalid_input;
            all.emplace_back(names[i], headers[i]);
        }
        auto made = std::make_unique<Program>(source, name != nullptr ? name : "default_program", std::move(all));
        Programs& known = programs();
        std::lock_guard lock(known.mutex);
        known.all.insert(made.get());
        *program = made.release();
        return Result::success;
    } catch (const std::bad_alloc&) {
        return Result::out_of_memory;
    }
}

Result destroy(Program** program) {
    if (program == nullptr) return Result::invalid_program;
    Programs& known = programs();
    {
        std::lock_guard lock(known.mutex);
        if (known.all.erase(*program) == 0) return Result::invalid_program;
    }
    delete *program;
    *program = nullptr;
    return Result::success;
}

Result compile(Program* program, int count, const char* const* options) {
    return with(program, [&](Program& one) { return count < 0 ? Result::invalid_input : one.compile(count, options); });
}

Result add_name_expression(Program* program, const char* expression) {
    return with(program, [&](Program& one) {
        return expression != nullptr ? one.add_name_expression(expression) : Result::invalid_input;
    });
}

Result lowered_name(Program* program, const char* expression, const char** name) {
    return with(program, [&](Program& one) {
        return expression != nullptr && name != nullptr ? one.lowered_name(expression, name) : Result::invalid_input;
    });
}

/// A text that a program gives out has its end counted.
template <const std::string& (Program::*text)() const> Result text_size(Program* program, size_t* size) {
    return with(program, [&](Program& one) {
        if (size == nullptr) return Result::invalid_input;
        *size = (one.*text)().size() + 1;
        return Result::success;
    });
}

template <const std::string& (Program::*text)() const> Result get_text(Program* program, char* to) {
    return with(program, [&](Program& one) {
        if (to == nullptr) return Result::invalid_input;
        std::memcpy(to, (one.*text)().c_str(), (one.*text)().size() + 1);
        return Result::success;
    });
}

/// Of what a program is never compiled to here.
Result no_size(Program* program, size_t* size) {
    return with(program, [&](Program&) {
        if (size == nullptr) return Result::invalid_input;
        *size = 0;
        return Result::success;
    });
}

Result get_nothing(Program* program, char* to) {
    return with(program, [&](Program&) { return to != nullptr ? Result::success : Result::invalid_input; });
}

Result set_flow_callback(Program* program, int (*callback)(void*, void*), void* argument) {
    return with(program, [&](Program& one) {
        if (callback == nullptr) return Result::invalid_input;
        one.stop = callback;
        one.stop_argument = argument;
        return Result::success;
    });
}

// No precompiled headers are made, whatever their heap may hold.
std::atomic<size_t> pch_heap_size = size_t(256) << 20;

Result get_pch_heap_size(size_t* size) {
    if (size == nullptr) return Result::invalid_input;
    *size = pch_heap_size;
    return Result::success;
}

Result set_pch_heap_size(size_t size) {
    pch_heap_size = size;
    return Result::success;
}

Result pch_create_status(Program* program) {
    return with(program, [](Program&) { return Result::no_pch_create_attempted; });
}

struct Function {
    const char* name;
    void* address;
};

const Function functions[] = {
    {"nvrtcAddNameExpression", reinterpret_cast<void*>(&add_name_expression)},
    {"nvrtcCompileProgram", reinterpret_cast<void*>(&compile)},
    {"nvrtcCreateProgram", reinterpret_cast<void*>(&create)},
    {"nvrtcDestroyProgram", reinterpret_cast<void*>(&destroy)},
    {"nvrtcGetCUBIN", reinterpret_cast<void*>(&get_nothing)},
    {"nvrtcGetCUBINSize", reinterpret_cast<void*>(&no_size)},
    {"nvrtcGetErrorString", reinterpret_cast<void*>(&error_string)},
    {"nvrtcGetLTOIR", reinterpret_cast<void*>(&get_nothing)},
    {"nvrtcGetLTOIRSize", reinterpret_cast<void*>(&no_size)},
    {"nvrtcGetLoweredName", reinterpret_cast<void*>(&lowered_name)},
    {"nvrtcGetNVVM", reinterpret_cast<void*>(&get_nothing)},
    {"nvrtcGetNVVMSize", reinterpret_cast<void*>(&no_size)},
    {"nvrtcGetNumSupportedArchs", reinterpret_cast<void*>(&supported_count)},
    {"nvrtcGetOptiXIR", reinterpret_cast<void*>(&get_nothing)},
    {"nvrtcGetOptiXIRSize", reinterpret_cast<void*>(&no_size)},
    {"nvrtcGetPCHCreateStatus", reinterpret_cast<void*>(&pch_create_status)},
    {"nvrtcGetPCHHeapSize", reinterpret_cast<void*>(&get_pch_heap_size)},
    {"nvrtcGetPCHHeapSizeRequired", reinterpret_cast<void*>(&no_size)},
    {"nvrtcGetPTX", reinterpret_cast<void*>(&get_text<&Program::ptx>)},
    {"nvrtcGetPTXSize", reinterpret_cast<void*>(&text_size<&Program::ptx>)},
    {"nvrtcGetProgramLog", reinterpret_cast<void*>(&get_text<&Program::log>)},
    {"nvrtcGetProgramLogSize", reinterpret_cast<void*>(&text_size<&Program::log>)},
    {"nvrtcGetSupportedArchs", reinterpret_cast<void*>(&supported)},
    {"nvrtcSetFlowCallback", reinterpret_cast<void*>(&set_flow_callback)},
    {"nvrtcSetPCHHeapSize", reinterpret_cast<void*>(&set_pch_heap_size)},
    {"nvrtcVersion", reinterpret_cast<void*>(&version)},
};

} // namespace

void* symbol(const char* name) {
    const auto found =
        std::ranges::find_if(functions, [&](const Function& one) { return !std::strcmp(one.name, name); });
    return found != std::end(functions) ? found->address : nullptr;
}

} // namespace compilers::clang_nvrtc
