#include "backend/cpu/transfer.h"

#include "backend/cpu/runner.h"
#include "support/log.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace rt::backend::cpu {

namespace {

constexpr uint64_t unit_bytes = 1 << 20;
constexpr uint64_t worth_splitting = 4 << 20;

template <class T> void fill_elements(uint8_t* at, size_t count, T value) {
    for (size_t i = 0; i < count; i++) std::memcpy(at + i * sizeof(T), &value, sizeof(T));
}

} // namespace

bool Transfer::split(uint64_t row_bytes, uint64_t rows, unsigned threads) {
    {
        std::lock_guard lock(mutex_);
        fault_ = Fault::none;
    }
    row_bytes_ = row_bytes;
    rows_ = rows;
    bytes_per_unit_ = rows == 1 ? unit_bytes : 0;
    rows_per_unit_ = rows == 1 ? 1 : std::max<uint64_t>(1, unit_bytes / std::max<uint64_t>(1, row_bytes));
    if (threads < 2 || row_bytes * rows < worth_splitting) return false;
    const uint64_t units =
        rows == 1 ? (row_bytes + unit_bytes - 1) / unit_bytes : (rows + rows_per_unit_ - 1) / rows_per_unit_;
    open(units, threads, 4, false);
    return true;
}

bool Transfer::prepare(const Copy& copy, unsigned threads) {
    filling_ = false;
    copy_ = copy;
    // Rows that follow one another without a gap are one row.
    if (copy_.height > 1 && copy_.destination_pitch == copy_.width && copy_.source_pitch == copy_.width) {
        copy_.width *= copy_.height;
        copy_.height = 1;
    }
    if (copy_.depth > 1 && copy_.height == 1 && copy_.destination_slice == copy_.width &&
        copy_.source_slice == copy_.width) {
        copy_.width *= copy_.depth;
        copy_.depth = 1;
    }
    return split(copy_.width, uint64_t{copy_.height} * copy_.depth, threads);
}

bool Transfer::prepare(const Fill& fill, unsigned threads) {
    filling_ = true;
    fill_ = fill;
    if (fill_.height > 1 && fill_.pitch == fill_.width * fill_.element_bytes) {
        fill_.width *= fill_.height;
        fill_.height = 1;
    }
    return split(uint64_t{fill_.width} * fill_.element_bytes, fill_.height, threads);
}

void Transfer::fill_row(uint64_t destination, uint64_t begin, uint64_t end) const {
    auto* at = reinterpret_cast<uint8_t*>(destination + begin);
    const size_t count = (end - begin) / fill_.element_bytes;
    if (fill_.element_bytes == 1)
        std::memset(at, int(fill_.value & 0xff), count);
    else if (fill_.element_bytes == 2)
        fill_elements(at, count, uint16_t(fill_.value));
    else
        fill_elements(at, count, fill_.value);
}

void Transfer::rows(uint64_t first, uint64_t last, uint64_t begin, uint64_t end) const {
    for (uint64_t row = first; row < last; row++) {
        if (filling_) {
            fill_row(fill_.destination + row * fill_.pitch, begin, end);
            continue;
        }
        const uint64_t slice = row / copy_.height, line = row % copy_.height;
        const uint64_t to = copy_.destination + slice * copy_.destination_slice + line * copy_.destination_pitch;
        const uint64_t from = copy_.source + slice * copy_.source_slice + line * copy_.source_pitch;
        std::memmove(reinterpret_cast<void*>(to + begin), reinterpret_cast<const void*>(from + begin), end - begin);
    }
}

bool Transfer::run_unit(Runner& runner, uint64_t unit) {
    struct Part {
        const Transfer* transfer;
        uint64_t first, last, begin, end;
    } part{this, 0, rows_, 0, row_bytes_};
    if (unit != ~uint64_t{0}) {
        if (bytes_per_unit_) {
            part.begin = unit * bytes_per_unit_;
            part.end = std::min(part.begin + bytes_per_unit_, row_bytes_);
        } else {
            part.first = unit * rows_per_unit_;
            part.last = std::min(part.first + rows_per_unit_, rows_);
        }
    }
    const auto work = [](void* argument) {
        const auto& p = *static_cast<const Part*>(argument);
        p.transfer->rows(p.first, p.last, p.begin, p.end);
    };
    if (run_guarded(runner.guard(), work, &part)) return true;
    const uintptr_t address = runner.guard().trouble.address;
    std::lock_guard lock(mutex_);
    if (fault_ != Fault::none) return false;
    fault_ = classify(runner.guard().trouble, false);
    message_ = filling_ ? fmt::format("fill of {} bytes at {:#x}: illegal address {:#x}", row_bytes_ * rows_,
                                      fill_.destination, address)
                        : fmt::format("copy of {} bytes from {:#x} to {:#x}: illegal address {:#x}", row_bytes_ * rows_,
                                      copy_.source, copy_.destination, address);
    log(LogLevel::error, LogChannel::memory, "{}", message_);
    return false;
}

void Transfer::run_here(Runner& runner) { run_unit(runner, ~uint64_t{0}); }

void Transfer::run(Runner& runner, Chunk& chunk) {
    const uint64_t units = chunk.size();
    bool good = true;
    while (!chunk.empty()) {
        const uint64_t unit = chunk.first++;
        if (good && !cancelled()) good = run_unit(runner, unit);
    }
    if (!good) cancel(runner);
    finish(units, runner);
}

Fault Transfer::fault(std::string* message) const {
    std::lock_guard lock(mutex_);
    if (message) *message = message_;
    return fault_;
}

} // namespace rt::backend::cpu
