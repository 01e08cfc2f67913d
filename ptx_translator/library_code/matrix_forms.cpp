#include "library_code/matrix_forms.h"

#include <array>
#include <cstdint>

namespace ptx {
namespace {

using enum MatrixElement;
using enum MatrixFamily;

struct Shape {
    uint16_t m, n, k;
};

/// All combinations.
struct Row {
    MatrixFamily family;
    std::vector<Shape> shapes;
    std::vector<std::array<MatrixElement, 2>> inputs;       ///< A and B
    std::vector<std::array<MatrixElement, 2>> accumulators; ///< D and C
    std::vector<bool> saturate = {false};
};

const std::vector<Row> rows = {
    {mma, {{16, 8, 8}, {16, 8, 16}}, {{f16, f16}}, {{f16, f16}, {f32, f32}}},
    {mma, {{16, 8, 8}, {16, 8, 16}}, {{bf16, bf16}}, {{f32, f32}}},
    {mma, {{16, 8, 4}, {16, 8, 8}}, {{tf32, tf32}}, {{f32, f32}}},
    {mma, {{8, 8, 4}, {16, 8, 4}, {16, 8, 8}, {16, 8, 16}}, {{f64, f64}}, {{f64, f64}}},
    {mma, {{16, 8, 16}, {16, 8, 32}}, {{e4m3, e4m3}, {e4m3, e5m2}, {e5m2, e4m3}, {e5m2, e5m2}}, {{f32, f32}}},
    {mma, {{16, 8, 16}, {16, 8, 32}}, {{s8, s8}, {u8, u8}}, {{s32, s32}}, {false, true}},
    {wmma, {{16, 16, 16}}, {{f16, f16}}, {{f16, f16}, {f16, f32}, {f32, f16}, {f32, f32}}},
    {wmma, {{32, 8, 16}, {8, 32, 16}}, {{f16, f16}}, {{f16, f16}, {f32, f32}}},
    {wmma, {{16, 16, 16}, {32, 8, 16}, {8, 32, 16}}, {{bf16, bf16}}, {{f32, f32}}},
    {wmma, {{16, 16, 8}}, {{tf32, tf32}}, {{f32, f32}}},
    {wmma, {{8, 8, 4}}, {{f64, f64}}, {{f64, f64}}},
    {wmma, {{16, 16, 16}, {32, 8, 16}, {8, 32, 16}}, {{s8, s8}, {u8, u8}}, {{s32, s32}}},
};

} // namespace

std::vector<MatrixForm> matrix_forms() {
    std::vector<MatrixForm> forms;
    for (const Row& row : rows)
        for (const Shape& shape : row.shapes)
            for (const auto& [a, b] : row.inputs)
                for (const auto& [d, c] : row.accumulators)
                    for (const bool saturate : row.saturate) {
                        MatrixForm form{row.family, shape.m, shape.n, shape.k, a, b, c, d};
                        form.saturate = saturate;
                        forms.push_back(form);
                    }
    return forms;
}

} // namespace ptx
