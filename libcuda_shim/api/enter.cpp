#include "api/enter.h"

#include "rt/context.h"
#include "rt/platform.h"
#include "support/log.h"

#include <new>

namespace shim {
namespace {

thread_local bool per_thread_default = false;

// What a user must see even when the application hides it: a kernel that is lost, a fault, a missing function.
// All else is a normal answer for programs that probe.
rt::LogLevel level_of(rt::Status status) {
    switch (status) {
    case rt::Status::no_device:
    case rt::Status::invalid_image:
    case rt::Status::no_binary_for_gpu:
    case rt::Status::invalid_ptx:
    case rt::Status::unsupported_ptx_version:
    case rt::Status::jit_compiler_not_found:
    case rt::Status::not_supported:
    case rt::Status::illegal_address:
    case rt::Status::assert_:
    case rt::Status::hardware_stack_error:
    case rt::Status::illegal_instruction:
    case rt::Status::misaligned_address:
    case rt::Status::invalid_address_space:
    case rt::Status::invalid_pc:
    case rt::Status::launch_failed:
    case rt::Status::launch_out_of_resources:
    case rt::Status::cooperative_launch_too_large:
    case rt::Status::unknown:
        return rt::LogLevel::error;
    default:
        return rt::LogLevel::info;
    }
}

} // namespace

bool per_thread_default_stream() noexcept { return per_thread_default; }

namespace detail {

CallScope::CallScope(const Entry& entry) noexcept : outer_(per_thread_default) {
    per_thread_default = entry.per_thread;
}

CallScope::~CallScope() { per_thread_default = outer_; }

bool tracing() noexcept { return rt::log_enabled(rt::LogLevel::debug, rt::LogChannel::api); }

void trace_begin(const Entry& entry, std::string_view arguments) noexcept {
    rt::log(rt::LogLevel::trace, rt::LogChannel::api, "{}({}) ...", entry.name, arguments);
}

void trace_end(const Entry& entry, std::string_view arguments, CUresult result) noexcept {
    const char* name = result ? rt::name_of(rt::Status(result)) : "ok";
    rt::log(rt::LogLevel::debug, rt::LogChannel::api, "{}({}) = {}", entry.name, arguments, name ? name : "?");
}

void require(Needs needs) {
    if (needs == Needs::nothing) return;
    rt::Platform::get();
    if (needs == Needs::init) return;
    rt::Context& context = rt::Context::current();
    if (needs == Needs::context) context.check();
}

CUresult status_of_exception(const Entry& entry) noexcept {
    try {
        throw;
    } catch (const rt::Error& error) {
        rt::log(level_of(error.status()), rt::LogChannel::api, "{}: {}", entry.name, error.what());
        return CUresult(error.status());
    } catch (const std::bad_alloc&) {
        rt::log(rt::LogLevel::error, rt::LogChannel::api, "{}: out of host memory", entry.name);
        return CUresult(rt::Status::out_of_memory);
    } catch (const std::exception& error) {
        rt::log(rt::LogLevel::error, rt::LogChannel::api, "{}: {}", entry.name, error.what());
    } catch (...) {
        rt::log(rt::LogLevel::error, rt::LogChannel::api, "{}: exception of unknown type", entry.name);
    }
    return CUresult(rt::Status::unknown);
}

CUresult stub(const Entry& entry) noexcept {
    if (rt::first_time(entry.name)) {
        rt::log(rt::LogLevel::warning, rt::LogChannel::api, "{} is not supported", entry.name);
    }
    return CUresult(rt::Status::not_supported);
}

std::string format_text(const char* text) { return text ? fmt::format("\"{:.120}\"", text) : "null"; }

std::string format_address(uint64_t address) { return address ? fmt::format("{:#x}", address) : "0"; }

std::string name_arguments(const char* names, std::initializer_list<std::string> values) {
    std::string out;
    std::string_view rest = names;
    for (const std::string& value : values) {
        const size_t start = rest.find_first_not_of("(, ");
        const size_t end = rest.find_first_of(",)", start);
        if (!out.empty()) out += ", ";
        out += rest.substr(start, end - start);
        out += '=';
        out += value;
        rest.remove_prefix(end);
    }
    return out;
}

} // namespace detail
} // namespace shim
