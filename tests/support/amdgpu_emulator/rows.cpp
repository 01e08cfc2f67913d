#include "rows.h"

namespace amdgpu {

namespace {

Rows make() {
    Rows rows;
    for (auto* add : {add_scalar, add_scalar_memory, add_control, add_vector_integer, add_vector_wide, add_vector_half,
                      add_vector_indexed, add_vector_float, add_vector_convert, add_vector_compare, add_vector_packed,
                      add_vector_lanes, add_lds, add_global, add_atomics})
        add(rows);
    return rows;
}

} // namespace

const Row* find_row(std::string_view mnemonic) {
    static const Rows rows = make();
    auto found = rows.find(std::string(mnemonic));
    return found == rows.end() ? nullptr : &found->second;
}

} // namespace amdgpu
