#include "operations.h"

#include <unordered_map>

namespace spirv_machine {

const Operation* find_operation(uint16_t opcode) {
    static const auto& rows = *[] {
        Operations list;
        for (auto add : {add_integer, add_float, add_conversions, add_composites, add_memory, add_atomics, add_groups})
            add(list);
        auto* by_opcode = new std::unordered_map<uint16_t, Operation>;
        for (const Operation& row : list) by_opcode->emplace(row.opcode, row);
        return by_opcode;
    }();
    auto found = rows.find(opcode);
    return found == rows.end() ? nullptr : &found->second;
}

} // namespace spirv_machine
