#include "api/enter.h"

#include "rt/context.h"
#include "rt/graph.h"
#include "rt/platform.h"
#include "support/log.h"
#include "support/log_history.h"

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
    case rt::Status::launch_timeout:
    case rt::Status::launch_out_of_resources:
    case rt::Status::cooperative_launch_too_large:
    case rt::Status::unknown:
        return rt::LogLevel::error;
    default:
        return rt::LogLevel::info;
    }
}

// Programs repeat their calls; a message is worth saying loudly once.
void report(rt::LogLevel level, const Entry& entry, const char* what) {
    const std::string line = fmt::format("{}: {}", entry.name, what);
    if (level == rt::LogLevel::error && !rt::first_time(line)) level = rt::LogLevel::info;
    if (level > rt::LogLevel::warning) rt::log_history::add(rt::LogLevel::error, line);
    rt::log(level, rt::LogChannel::api, "{}", line);
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
    const auto wants = [needs](Needs bits) { return (int(needs) & int(bits)) == int(bits); };
    if (wants(Needs::init)) rt::Platform::get();
    if (wants(Needs::current)) rt::Context::current();
    if (wants(Needs::healthy))
        if (rt::Context* context = rt::Context::current_or_null()) context->check();
    if (wants(Needs::unsafe)) rt::capture::forbid_unsafe();
}

CUresult status_of_exception(const Entry& entry) noexcept {
    rt::Status result = rt::Status::unknown;
    try {
        try {
            throw;
        } catch (const rt::Error& error) {
            result = error.status();
            report(level_of(result), entry, error.what());
        } catch (const std::bad_alloc&) {
            result = rt::Status::out_of_memory;
            report(rt::LogLevel::error, entry, "out of host memory");
        } catch (const std::exception& error) {
            report(rt::LogLevel::error, entry, error.what());
        }
    } catch (...) {
        // Of a type that is none of ours, or no memory left to report it with.
    }
    return CUresult(result);
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
