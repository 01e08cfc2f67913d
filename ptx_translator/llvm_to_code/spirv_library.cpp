#include "llvm_to_code/spirv_library.h"

#include "llvm_to_code/amdgpu_barriers.h"
#include "llvm_to_code/amdgpu_matrix.h"
#include "llvm_to_code/call_values.h"
#include "llvm_to_code/embedded.h"
#include "llvm_to_code/gpu_calls.h"
#include "llvm_to_code/link_library.h"
#include "llvm_to_code/neutral.h"
#include "llvm_to_code/spirv_directed.h"

#include <llvm/IR/Module.h>

#include <algorithm>
#include <string>

namespace ptx::code {
namespace {

/// Predicates travel as 32-bit integers, two results as one of 64 bits. `first`: arguments in front of the call's own.
llvm::Value* library_call(GpuCall& site, const std::string& function, llvm::ArrayRef<llvm::Value*> first = {},
                          llvm::Type* result = nullptr) {
    llvm::IRBuilder<>& ir = site.ir;
    const auto passed = [&](llvm::Type* type) { return type->isIntegerTy(1) ? ir.getInt32Ty() : type; };
    llvm::SmallVector<llvm::Value*, 8> arguments(first);
    for (llvm::Value* argument : site.call.args())
        arguments.push_back(argument->getType()->isIntegerTy(1) ? ir.CreateZExt(argument, ir.getInt32Ty()) : argument);
    llvm::SmallVector<llvm::Type*, 8> types;
    for (llvm::Value* argument : arguments) types.push_back(argument->getType());
    if (!result) result = site.call.getType()->isStructTy() ? ir.getInt64Ty() : passed(site.call.getType());
    llvm::CallInst* call = ir.CreateCall(
        site.call.getModule()->getOrInsertFunction(function, llvm::FunctionType::get(result, types, false)), arguments);
    if (site.call.isConvergent()) call->setConvergent();
    return call;
}

std::string with_underscores(llvm::StringRef name) {
    std::string symbol = name.str();
    std::replace(symbol.begin(), symbol.end(), '.', '_');
    return symbol;
}

/// shuffle -> cuttle_gpu_shuffle.
llvm::Value* gpu_function(GpuCall& site) {
    return library_call(site, "cuttle_gpu_" + with_underscores(cuttle_name(site.call)));
}

/// round.fadd.rz.f32 -> cuttle_round_fadd_rz_f32.
llvm::Value* of_that_name(GpuCall& site) {
    return library_call(site, "cuttle_" + with_underscores(cuttle_name(site.call)));
}

llvm::Value* round_otherwise(GpuCall& site) {
    llvm::Value* value = fuse_beside_constant(site);
    return value ? value : of_that_name(site);
}

/// Of amdgpu_services.h, or what stops the kernel as they do.
llvm::Value* service(GpuCall& site) {
    llvm::IRBuilder<>& ir = site.ir;
    llvm::Value* block =
        ir.CreateCall(site.call.getModule()->getOrInsertFunction("cuttle.service.block", ir.getInt64Ty()));
    return library_call(site, "cuttle_gpu_" + with_underscores(cuttle_name(site.call)), {block});
}

llvm::Value* copy_in_bulk(GpuCall& site) {
    site.demand(4, 0, "the mask of the cluster's blocks that get the data");
    return gpu_function(site);
}

constexpr GpuLowering table[] = {
    {llvm::StringLiteral("active.mask"), gpu_function},
    {llvm::StringLiteral("warp.sync"), gpu_function},
    {llvm::StringLiteral("shuffle"), gpu_function},
    {llvm::StringLiteral("vote"), gpu_function},
    {llvm::StringLiteral("match.any"), gpu_function},
    {llvm::StringLiteral("match.all"), gpu_function},
    {llvm::StringLiteral("reduce"), gpu_function},
    {llvm::StringLiteral("turn"), gpu_function},
    {llvm::StringLiteral("nanosleep"), gpu_function},
    {llvm::StringLiteral("atomic.add.ftz.f32"), gpu_function},
    {llvm::StringLiteral("atomic.extreme.16"), gpu_function},
    {llvm::StringLiteral("mbarrier"), gpu_function},
    {llvm::StringLiteral("bulk.copy"), copy_in_bulk},
    {llvm::StringLiteral("bulk.reduce"), gpu_function},
    {llvm::StringLiteral("bulk.multicast"), gpu_function},
    {llvm::StringLiteral("tensor."), service},
    {llvm::StringLiteral("spin"), service},
    {llvm::StringLiteral("trap"), service},
    {llvm::StringLiteral("vprintf"), service},
    {llvm::StringLiteral("malloc"), service},
    {llvm::StringLiteral("free"), service},
    {llvm::StringLiteral("assertfail"), service},
    {llvm::StringLiteral("device.call"), service},
    {llvm::StringLiteral("barrier.reduce"), lower_barrier_vote},
    {llvm::StringLiteral("round."), round_otherwise},
    {llvm::StringLiteral("texture."), of_that_name},
    {llvm::StringLiteral("surface."), of_that_name},
    {llvm::StringLiteral("mma."), lower_amdgpu_matrix},
};

const GpuLowering* row_of(llvm::StringRef name) {
    for (const GpuLowering& row : table)
        if (row.name == name || (row.name.ends_with(".") && name.starts_with(row.name))) return &row;
    return nullptr;
}

} // namespace

void call_spirv_library(llvm::Function& function) {
    for (llvm::CallInst* call : cuttle_calls(function)) {
        const GpuLowering* row = row_of(cuttle_name(*call));
        if (!row) continue;
        llvm::IRBuilder<> ir(call);
        GpuCall site{*call, ir, table};
        llvm::Value* value = row->lower(site);
        if (!call->getType()->isVoidTy()) call->replaceAllUsesWith(as_result(ir, value, call->getType()));
        call->eraseFromParent();
    }
}

void link_spirv_library(llvm::Module& module, bool fp64) {
    using device_library::AmdgpuPart;
    // The parts call what is in the first one.
    constexpr std::pair<const char*, AmdgpuPart> parts[] = {{"cuttle_gpu_matrix_", AmdgpuPart::matrix},
                                                            {"cuttle_gpu_mbarrier", AmdgpuPart::async},
                                                            {"cuttle_gpu_bulk_", AmdgpuPart::async},
                                                            {"cuttle_gpu_tensor_", AmdgpuPart::async},
                                                            {"cuttle_texture_", AmdgpuPart::texture},
                                                            {"cuttle_surface_", AmdgpuPart::texture},
                                                            {"cuttle_", AmdgpuPart::library},
                                                            {"__trunc", AmdgpuPart::library}};
    if (!fp64)
        for (const char* prefix : {"cuttle_f64_", "cuttle_round_"})
            link_library(module, prefix, device_library::spirv_doubles());
    for (const auto& [prefix, part] : parts) link_library(module, prefix, device_library::spirv_bitcode(part));
    for (llvm::Function& function : module) {
        for (const char* attribute : {"target-cpu", "target-features", "uniform-work-group-size"})
            function.removeFnAttr(attribute);
        // Those with bodies are inlined, whatever they are otherwise.
        if (!function.isDeclaration()) function.removeFnAttr(llvm::Attribute::OptimizeNone);
    }
}

} // namespace ptx::code
