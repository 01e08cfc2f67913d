#include "llvm_to_code/host_calls.h"

#include "llvm_to_code/call_values.h"
#include "llvm_to_code/host_lane.h"
#include "llvm_to_code/host_matrix.h"
#include "llvm_to_code/machine.h"
#include "llvm_to_code/neutral.h"
#include "simt_to_simd/warp_operations.h"

#include <llvm/IR/Module.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/Target/TargetMachine.h>

#include <array>
#include <cstddef>

namespace ptx::code {
namespace {

using IR = llvm::IRBuilder<>;
using host::Grid;
using host::Lane;
using host::Services;

// Generated code and its runner are compiled apart: the layout they share may not move.
static_assert(offsetof(Grid, parameters) == 8 && offsetof(Grid, globals) == 16 && offsetof(Grid, grid_dim) == 24);
static_assert(offsetof(Grid, dynamic_shared_bytes) == 52 && offsetof(Grid, grid_id) == 56);
static_assert(offsetof(Grid, runtime) == 80 && offsetof(Grid, workspace) == 88);
static_assert(offsetof(Lane, shared) == 8 && offsetof(Lane, thread) == 16 && offsetof(Lane, block) == 28);
static_assert(offsetof(Lane, lane) == 40 && offsetof(Lane, runtime) == 56 && offsetof(Lane, phases) == 64 && offsetof(Lane, stack_top) == 72);
static_assert(offsetof(Lane, shared_window) == 52);
static_assert(offsetof(Services, grid_sync) == 21 * sizeof(void*));
static_assert(offsetof(Services, device_call) == 30 * sizeof(void*));

enum class Slot : uint8_t { none, i32, i64, pointer };

template <class T> constexpr Slot slot_of() {
    if constexpr (std::is_void_v<T>)
        return Slot::none;
    else if constexpr (std::is_pointer_v<T>)
        return Slot::pointer;
    else
        return sizeof(T) == 8 ? Slot::i64 : Slot::i32;
}

/// The C signature of a service behind its Lane.
struct Signature {
    Slot result;
    std::array<Slot, 16> parameters{};
};

template <class R, class... P> constexpr Signature signature_of(R (*Services::*)(Lane*, P...)) {
    return {slot_of<R>(), {slot_of<P>()...}};
}

llvm::Type* type_of(IR& ir, Slot slot) {
    switch (slot) {
    case Slot::none:
        return ir.getVoidTy();
    case Slot::i32:
        return ir.getInt32Ty();
    case Slot::i64:
        return ir.getInt64Ty();
    case Slot::pointer:
        return ir.getPtrTy();
    }
    return nullptr;
}

struct Service {
    llvm::StringLiteral name;
    uint32_t offset;
    Signature signature;
    llvm::StringLiteral arguments;
};

constexpr Service services[] = {
#define HOST_SERVICE(name, member, arguments)                                                                          \
    {llvm::StringLiteral(name), offsetof(Services, member), signature_of(&Services::member),                           \
     llvm::StringLiteral(arguments)},
#include "llvm_to_code/host_services.def"
};

const Service* find_service(llvm::StringRef name) {
    for (const Service& service : services)
        if (service.name == name) return &service;
    return nullptr;
}

/// One call to lower.
struct Site {
    llvm::CallInst& call;
    LaneAccess& lane;
    IR& ir;
    const llvm::TargetMachine& machine;
    uint32_t parameter_bytes;
    bool clusters;

    llvm::Value* operand(unsigned i) { return call.getArgOperand(i); }
    llvm::Value* shared() { return ir.CreatePtrToInt(lane.shared(), ir.getInt64Ty()); }
};

unsigned operand_number(char digit) { return static_cast<unsigned>(digit <= '9' ? digit - '0' : digit - 'a' + 10); }

llvm::Value* lower_service(Site& site, const Service& service) {
    if (site.call.arg_size() < service.arguments.size()) fail("cuttle." + service.name.str() + ": too few arguments");
    llvm::SmallVector<llvm::Value*, 16> arguments;
    for (size_t i = 0; i < service.arguments.size(); ++i)
        arguments.push_back(convert(site.ir, site.operand(operand_number(service.arguments[i])),
                                    type_of(site.ir, service.signature.parameters[i])));
    llvm::CallInst* made =
        call_service(site.lane, site.ir, service.offset, type_of(site.ir, service.signature.result), arguments);
    if (site.call.isConvergent()) made->setConvergent();
    if (site.call.doesNotReturn()) made->setDoesNotReturn();
    return site.call.getType()->isVoidTy() ? made : as_result(site.ir, made, site.call.getType());
}

llvm::Value* kernel_parameters(Site& site) { return site.lane.parameters(site.parameter_bytes); }

llvm::Value* global_address(Site& site) {
    llvm::Value* block = site.lane.grid_field(offsetof(Grid, globals), site.ir.getPtrTy());
    return site.ir.CreatePtrToInt(site.ir.CreateGEP(site.ir.getInt8Ty(), block, site.operand(0)), site.ir.getInt64Ty());
}

llvm::Value* dynamic_start(Site& site) {
    llvm::Value* bytes = site.lane.grid_field(offsetof(Grid, static_shared_bytes), site.ir.getInt32Ty());
    return site.ir.CreateAnd(site.ir.CreateAdd(bytes, site.ir.getInt32(15)), site.ir.getInt32(~15u));
}

llvm::Value* to_generic_from_shared(Site& site) {
    llvm::Value* offset = site.ir.CreateAnd(site.operand(0), site.ir.getInt64(0xffffffff));
    return site.ir.CreateAdd(site.shared(), offset);
}

llvm::Value* to_shared(Site& site) { return site.ir.CreateSub(site.operand(0), site.shared()); }

llvm::Value* identity(Site& site) { return site.operand(0); }

/// Where the CTA's variables begin among the .shared addresses.
llvm::Value* shared_window(Site& site) {
    if (!site.clusters) return site.ir.getInt32(0);
    return site.lane.lane_field(offsetof(Lane, shared_window), site.ir.getInt32Ty());
}

llvm::Value* map_to_rank(Site& site) {
    IR& ir = site.ir;
    llvm::Value* offset = ir.CreateAnd(site.operand(0), ir.getInt32((1u << host::shared_window_bits) - 1));
    return ir.CreateOr(offset, ir.CreateShl(site.operand(1), host::shared_window_bits));
}

llvm::Value* rank_of(Site& site) { return site.ir.CreateLShr(site.operand(0), host::shared_window_bits); }

/// In the windows of the CTAs of the cluster.
llvm::Value* is_in_cluster(Site& site) {
    IR& ir = site.ir;
    llvm::Value* blocks = special_register(site.lane, ir, "cluster_nctarank");
    llvm::Value* end = ir.CreateShl(ir.CreateZExt(blocks, ir.getInt64Ty()), host::shared_window_bits);
    return ir.CreateICmpULT(to_shared(site), end);
}

llvm::Value* is_shared(Site& site) {
    llvm::Value* bytes = site.ir.CreateAdd(
        dynamic_start(site), site.lane.grid_field(offsetof(Grid, dynamic_shared_bytes), site.ir.getInt32Ty()));
    llvm::Value* begin = site.ir.CreateZExt(shared_window(site), site.ir.getInt64Ty());
    return site.ir.CreateICmpULT(site.ir.CreateSub(to_shared(site), begin),
                                 site.ir.CreateZExt(bytes, site.ir.getInt64Ty()));
}

/// Between the stack pointer and the end of the kernel's frame, which the kernel's entry has noted: host_entry.cpp.
llvm::Value* is_local(Site& site) {
    IR& ir = site.ir;
    llvm::Value* top = site.lane.lane_field(offsetof(Lane, stack_top), ir.getInt64Ty());
    llvm::Value* bottom = ir.CreatePtrToInt(ir.CreateStackSave(), ir.getInt64Ty());
    return ir.CreateAnd(ir.CreateICmpUGE(site.operand(0), bottom), ir.CreateICmpULT(site.operand(0), top));
}

llvm::Value* is_global(Site& site) { return site.ir.CreateNot(site.ir.CreateOr(is_shared(site), is_local(site))); }

struct Row {
    llvm::StringLiteral name;
    llvm::Value* (*lower)(Site&);
};

constexpr Row rows[] = {
    {llvm::StringLiteral("kernel.parameters"), kernel_parameters},
    {llvm::StringLiteral("global.address"), global_address},
    {llvm::StringLiteral("shared.dynamic"), dynamic_start},
    {llvm::StringLiteral("shared.window"), shared_window},
    {llvm::StringLiteral("cluster.map"), map_to_rank},
    {llvm::StringLiteral("cluster.rank"), rank_of},
    {llvm::StringLiteral("isspacep.shared.cluster"), is_in_cluster},
    {llvm::StringLiteral("cvta.shared"), to_generic_from_shared},
    {llvm::StringLiteral("cvta.to.shared"), to_shared},
    {llvm::StringLiteral("cvta.local"), identity},
    {llvm::StringLiteral("cvta.to.local"), identity},
    {llvm::StringLiteral("isspacep.shared"), is_shared},
    {llvm::StringLiteral("isspacep.local"), is_local},
    {llvm::StringLiteral("isspacep.global"), is_global},
};

/// round.fadd.rz.f32 -> cuttle_round_fadd_rz_f32, with _avx where the processor has it (for fma: has FMA).
llvm::Value* lower_round(Site& site, llvm::StringRef name) {
    std::string symbol = ("cuttle_" + name).str();
    std::replace(symbol.begin(), symbol.end(), '.', '_');
    const bool fma = name.starts_with("round.fma.");
    if (site.machine.getMCSubtargetInfo()->checkFeatures(fma ? "+fma" : "+avx")) symbol += "_avx";
    llvm::FunctionCallee callee =
        site.call.getModule()->getOrInsertFunction(symbol, site.call.getCalledFunction()->getFunctionType());
    return site.ir.CreateCall(callee, llvm::SmallVector<llvm::Value*, 3>(site.call.args()));
}

/// Whatever the order asked for, the loop's compare and exchange has all of it.
llvm::Value* lower_flushing_add(Site& site) {
    IR& ir = site.ir;
    llvm::FunctionCallee callee = site.call.getModule()->getOrInsertFunction(
        "cuttle_atomic_add_ftz_f32", ir.getFloatTy(), ir.getPtrTy(), ir.getFloatTy(), ir.getInt1Ty());
    return ir.CreateCall(callee, {ir.CreateIntToPtr(site.operand(0), ir.getPtrTy()), site.operand(1), site.operand(2)});
}

llvm::Value* lower_extreme(Site& site) {
    IR& ir = site.ir;
    llvm::FunctionCallee callee = site.call.getModule()->getOrInsertFunction(
        "cuttle_atomic_extreme_16", ir.getInt16Ty(), ir.getPtrTy(), ir.getInt16Ty(), ir.getInt16Ty(), ir.getInt32Ty());
    return ir.CreateCall(
        callee, {ir.CreateIntToPtr(site.operand(0), ir.getPtrTy()), site.operand(1), site.operand(2), site.operand(3)});
}

/// texture.sample -> cuttle_texture_sample of device_library/texture_library.cpp.
llvm::Value* lower_texture(Site& site, llvm::StringRef name) {
    std::string symbol = ("cuttle_" + name).str();
    std::replace(symbol.begin(), symbol.end(), '.', '_');
    llvm::FunctionCallee callee =
        site.call.getModule()->getOrInsertFunction(symbol, site.call.getCalledFunction()->getFunctionType());
    return site.ir.CreateCall(callee, llvm::SmallVector<llvm::Value*, 9>(site.call.args()));
}

llvm::Value* lower(Site& site, llvm::StringRef name) {
    if (const Service* service = find_service(name)) return lower_service(site, *service);
    for (const Row& row : rows)
        if (row.name == name) return row.lower(site);
    if (name.starts_with("round.")) return lower_round(site, name);
    if (name == "atomic.add.ftz.f32") return lower_flushing_add(site);
    if (name == "atomic.extreme.16") return lower_extreme(site);
    if (name.starts_with("mma.")) return lower_matrix_multiply(site.call, site.lane, site.ir);
    if (name.starts_with("texture.") || name.starts_with("surface.")) return lower_texture(site, name);
    llvm::StringRef reg = name;
    if (reg.consume_front("sreg."))
        if (llvm::Value* value = special_register(site.lane, site.ir, reg))
            return convert(site.ir, value, site.call.getType());
    fail("the host target has no lowering of cuttle." + name.str());
}

} // namespace

llvm::CallInst* call_service(LaneAccess& lane, IR& ir, uint32_t offset, llvm::Type* result,
                             llvm::ArrayRef<llvm::Value*> arguments) {
    llvm::SmallVector<llvm::Value*, 7> values{lane.lane()};
    llvm::SmallVector<llvm::Type*, 7> types{ir.getPtrTy()};
    for (llvm::Value* argument : arguments) values.push_back(argument), types.push_back(argument->getType());
    llvm::CallInst* call = ir.CreateCall(llvm::FunctionType::get(result, types, false), lane.service(offset), values);
    call->setDoesNotThrow();
    return call;
}

void lower_calls(LaneAccess& lane, const llvm::TargetMachine& machine, uint32_t parameter_bytes, bool clusters) {
    for (llvm::CallInst* call : cuttle_calls(lane.function())) {
        if (simd::warp_operation_of(*call)) continue; // of a function that becomes vectors
        IR ir(call);
        Site site{*call, lane, ir, machine, parameter_bytes, clusters};
        llvm::Value* value = lower(site, cuttle_name(*call));
        if (!call->getType()->isVoidTy()) call->replaceAllUsesWith(value);
        call->eraseFromParent();
    }
}

} // namespace ptx::code
