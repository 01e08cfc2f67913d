#include "llvm_to_code/amdgpu_matrix.h"

#include "llvm_to_code/gpu_calls.h"
#include "llvm_to_code/machine.h"
#include "llvm_to_code/matrix_functions.h"
#include "llvm_to_code/neutral.h"

#include <llvm/IR/Module.h>

namespace ptx::code {

llvm::Value* lower_amdgpu_matrix(GpuCall& site) {
    auto* number = llvm::dyn_cast<llvm::ConstantInt>(site.operand(0));
    if (!number) fail("cuttle." + cuttle_name(site.call).str() + ": the form must be a constant");
    const MatrixForm form = MatrixForm::decode(number->getZExtValue());
    llvm::SmallVector<llvm::Value*, 32> arguments(llvm::drop_begin(site.call.args()));
    llvm::CallInst* call = site.ir.CreateCall(matrix_function(*site.call.getModule(), form), arguments);
    call->setConvergent();
    return call;
}

} // namespace ptx::code
