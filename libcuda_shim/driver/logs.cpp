#include "support/log_history.h"

#include "api/bodies.h"
#include "driver/handles.h"

#include <cstring>
#include <fstream>
#include <utility>

// CUDA driver API, "Error Log Management": the errors and warnings of the process. Flags are ignored, as by an H100's
// driver.
namespace shim {
namespace {

namespace history = rt::log_history;

std::string messages(CUlogIterator* iterator, size_t limit) {
    history::Position next = 0;
    const auto start = iterator ? std::optional<history::Position>(*iterator) : std::nullopt;
    auto text = history::text(start, limit, next);
    if (!text) throw Error(Status::invalid_value, "the iterator is beyond the last message");
    if (text->empty() && next != start.value_or(0))
        throw Error(Status::invalid_value, "no message fits into the buffer");
    if (iterator) *iterator = next;
    return *text;
}

CUlogLevel number_of(rt::LogLevel level) { return level == rt::LogLevel::error ? 0 : 1; }

} // namespace

Status driver::cuLogsCurrent(CUlogIterator* iterator, unsigned int) {
    out(iterator, "iterator_out") = history::end();
    return Status::success;
}

Status driver::cuLogsDumpToMemory(CUlogIterator* iterator, char* buffer, size_t* size, unsigned int) {
    require_value(buffer && size, "no buffer, or no size");
    const size_t limit = std::exchange(*size, 0);
    const std::string text = messages(iterator, limit ? limit - 1 : 0);
    *size = text.size();
    if (limit) std::memcpy(buffer, text.c_str(), text.size() + 1);
    return Status::success;
}

Status driver::cuLogsDumpToFile(CUlogIterator* iterator, const char* path, unsigned int) {
    require_value(path && *path, "no path");
    std::ofstream file(path, std::ios::trunc);
    require_value(bool(file), "the file cannot be written");
    file << messages(iterator, ~size_t{0});
    require_value(bool(file.flush()), "the file cannot be written");
    return Status::success;
}

Status driver::cuLogsRegisterCallback(CUlogsCallback callback, void* data, CUlogsCallbackHandle* handle) {
    require_value(callback, "no function");
    const uint64_t number = history::listen([callback, data](rt::LogLevel level, const std::string& message) {
        std::string copy = message; // the function may write there
        callback(data, number_of(level), copy.data(), copy.size());
    });
    if (handle) *handle = reinterpret_cast<CUlogsCallbackHandle>(number);
    return Status::success;
}

Status driver::cuLogsUnregisterCallback(CUlogsCallbackHandle callback) {
    require_value(callback && history::forget(reinterpret_cast<uint64_t>(callback)), "no such callback");
    return Status::success;
}

} // namespace shim
