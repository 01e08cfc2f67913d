#pragma once

#include "rt/error.h"

#include <fmt/format.h>
#include <span>
#include <string>
#include <string_view>

namespace rt::backend::gpu {

/// What a vendor's result is called, and what CUDA calls it.
template <class Result> struct ResultRow {
    Result value;
    const char* name;
    Status status;
};

template <class Result> const ResultRow<Result>* find(std::span<const ResultRow<Result>> rows, Result result) {
    for (const auto& row : rows)
        if (row.value == result) return &row;
    return nullptr;
}

/// The number for one that is unknown.
template <class Result> std::string name_in(std::span<const ResultRow<Result>> rows, Result result) {
    const auto* row = find(rows, result);
    return row ? row->name : fmt::format("result {:#x}", uint32_t(result));
}

template <class Result> Status status_in(std::span<const ResultRow<Result>> rows, Result result) {
    const auto* row = find(rows, result);
    return row ? row->status : Status::unknown;
}

} // namespace rt::backend::gpu
