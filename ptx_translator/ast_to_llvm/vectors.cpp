#include "ast_to_llvm/vectors.h"

namespace ptx::ast_to_llvm {

std::vector<Operand> elements_of(const Operand& operand, unsigned lanes) {
    if (lanes == 1) {
        if (operand.kind == Operand::Kind::vector && operand.elements.size() == 1) return operand.elements;
        return {operand};
    }
    if (operand.kind == Operand::Kind::vector) {
        if (operand.elements.size() != lanes)
            throw Error(operand.where, "expected " + std::to_string(lanes) + " vector elements, found " +
                                           std::to_string(operand.elements.size()));
        return operand.elements;
    }
    if (operand.kind != Operand::Kind::reg && operand.kind != Operand::Kind::sink)
        throw Error(operand.where, "expected a vector operand");
    std::vector<Operand> parts(lanes, operand);
    for (unsigned lane = 0; lane < lanes; ++lane) parts[lane].component = static_cast<int8_t>(lane);
    return parts;
}

Operand advanced(const Operand& address, int64_t bytes) {
    Operand result = address;
    result.offset += bytes;
    return result;
}

} // namespace ptx::ast_to_llvm
