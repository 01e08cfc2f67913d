#include "ast_to_ast/parameter_layout.h"

#include <algorithm>

namespace ptx {

ParameterLayout layout_parameters(const std::vector<Variable>& parameters) {
    constexpr uint64_t most_bytes = 32764;
    ParameterLayout out;
    uint64_t end = 0;
    for (const Variable& parameter : parameters) {
        const uint64_t alignment = std::max<uint64_t>(parameter.alignment, 1);
        const uint64_t offset = (end + alignment - 1) / alignment * alignment;
        end = offset + parameter.size();
        if (end > most_bytes) throw Error(parameter.where, "the parameters exceed 32764 bytes");
        out.parameters.push_back(
            {static_cast<uint32_t>(offset), static_cast<uint32_t>(parameter.size()), static_cast<uint32_t>(alignment)});
    }
    out.bytes = static_cast<uint32_t>(end);
    return out;
}

} // namespace ptx
