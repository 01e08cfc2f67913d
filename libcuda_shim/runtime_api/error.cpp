#include "runtime_api/bodies.h"

#include <utility>

namespace cudart::body {
namespace {

struct Row {
    const char *name, *text;
};

// Null where no error has this number.
const Row* find(cudaError_t error) {
    switch (error) {
#define RT_ERROR(number, name, text)                                                                                   \
    case number: {                                                                                                     \
        static constexpr Row row{#name, text};                                                                         \
        return &row;                                                                                                   \
    }
#include "runtime_api/errors.def"
#undef RT_ERROR
    default:
        return nullptr;
    }
}

constexpr const char* unrecognized = "unrecognized error code";

} // namespace

cudaError_t cudaGetLastError() { return std::exchange(last_error(), cudaSuccess); }

cudaError_t cudaPeekAtLastError() { return last_error(); }

const char* cudaGetErrorName(cudaError_t error) {
    const Row* row = find(error);
    return row ? row->name : unrecognized;
}

const char* cudaGetErrorString(cudaError_t error) {
    const Row* row = find(error);
    if (!row) return unrecognized;
    if (row->text) return row->text;
    const char* text = nullptr;
    return !cuGetErrorString(error, &text) && text ? text : row->name;
}

} // namespace cudart::body
