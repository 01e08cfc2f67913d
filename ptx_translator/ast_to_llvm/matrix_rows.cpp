#include "ast_to_llvm/matrix_rows.h"

#include "ast_to_llvm/types.h"
#include "ast_to_llvm/vectors.h"
#include "ptx/host_abi.h"

namespace ptx::ast_to_llvm {

llvm::Value* MatrixRows::of_lane(llvm::Value* value, llvm::Value* from) {
    auto* type = llvm::StructType::get(ir_.getInt32Ty(), ir_.getInt1Ty());
    llvm::Value* mode = ir_.getInt32(static_cast<uint32_t>(host::Shuffle::idx));
    llvm::Value* result =
        emitter_.call("cuttle.shuffle", type, {mode, value, from, ir_.getInt32(31), ir_.getInt32(0xffffffff)}, true);
    return ir_.CreateExtractValue(result, 0);
}

llvm::Value* MatrixRows::own_address(const Operand& address) {
    if (address.kind != Operand::Kind::address || address.elements.empty())
        throw Error(address.where, "expected an address in brackets");
    const Space space = instruction_.space();
    if (space == Space::shared || space == Space::shared_cluster) return emitter_.address(address, Space::shared);
    if (space != Space::generic) throw Error(address.where, "matrix rows lie in shared memory");
    llvm::Value* generic = emitter_.address(address, Space::generic);
    return ir_.CreateTrunc(emitter_.call("cuttle.cvta.to.shared", ir_.getInt64Ty(), {generic}), ir_.getInt32Ty());
}

llvm::Value* MatrixRows::at(llvm::Value* address, llvm::Value* offset) {
    return ir_.CreateIntToPtr(ir_.CreateAdd(address, offset), ir_.getPtrTy(shared_space));
}

std::vector<Operand> MatrixRows::registers(const Operand& vector, unsigned count) const {
    return elements_of(vector, count);
}

void MatrixRows::meet() { emitter_.call("cuttle.warp.sync", ir_.getVoidTy(), {ir_.getInt32(0xffffffff)}, true); }

} // namespace ptx::ast_to_llvm
