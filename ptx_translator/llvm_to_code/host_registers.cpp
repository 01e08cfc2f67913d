#include "llvm_to_code/host_calls.h"
#include "llvm_to_code/host_lane.h"

#include <llvm/IR/Function.h>

#include <cstddef>
#include <cstdlib>

namespace ptx::code {
namespace {

using IR = llvm::IRBuilder<>;

/// A row of host_registers.def. Offset and limits are for fields.
struct Register {
    llvm::StringLiteral name;
    llvm::Value* (*make)(LaneAccess&, IR&, const Register&);
    uint32_t offset;
    uint64_t begin, end;
};

llvm::Type* type_of(IR& ir, const Register& row) {
    // The one 64-bit field among the rows.
    return row.name == "gridid" ? ir.getInt64Ty() : ir.getInt32Ty();
}

llvm::Value* lane_field(LaneAccess& lane, IR& ir, const Register& row) {
    return lane.lane_field(row.offset, type_of(ir, row), {row.begin, row.end});
}

llvm::Value* grid_field(LaneAccess& lane, IR& ir, const Register& row) {
    return lane.grid_field(row.offset, type_of(ir, row), {row.begin, row.end});
}

llvm::Value* zero(LaneAccess&, IR& ir, const Register&) { return ir.getInt64(0); }

llvm::Value* named(LaneAccess& lane, IR& ir, const char* name) { return special_register(lane, ir, name); }

llvm::Value* named(LaneAccess& lane, IR& ir, llvm::StringRef base, unsigned axis) {
    return special_register(lane, ir, (base + "." + llvm::Twine("xyz"[axis])).str());
}

llvm::Value* warp_count(LaneAccess& lane, IR& ir, const Register&) {
    llvm::Value* threads = named(lane, ir, "ntid", 0);
    for (unsigned axis : {1u, 2u}) threads = ir.CreateMul(threads, named(lane, ir, "ntid", axis));
    return ir.CreateLShr(ir.CreateAdd(threads, ir.getInt32(31)), 5);
}

template <unsigned axis> llvm::Value* cluster_index(LaneAccess& lane, IR& ir, const Register&) {
    return ir.CreateUDiv(named(lane, ir, "ctaid", axis), named(lane, ir, "cluster_nctaid", axis));
}

template <unsigned axis> llvm::Value* cluster_count(LaneAccess& lane, IR& ir, const Register&) {
    return ir.CreateUDiv(named(lane, ir, "nctaid", axis), named(lane, ir, "cluster_nctaid", axis));
}

template <unsigned axis> llvm::Value* index_in_cluster(LaneAccess& lane, IR& ir, const Register&) {
    return ir.CreateURem(named(lane, ir, "ctaid", axis), named(lane, ir, "cluster_nctaid", axis));
}

llvm::Value* rank_in_cluster(LaneAccess& lane, IR& ir, const Register&) {
    llvm::Value* rank = named(lane, ir, "cluster_ctaid", 2);
    for (unsigned axis : {1u, 0u})
        rank = ir.CreateAdd(ir.CreateMul(rank, named(lane, ir, "cluster_nctaid", axis)),
                            named(lane, ir, "cluster_ctaid", axis));
    return rank;
}

llvm::Value* cluster_size(LaneAccess& lane, IR& ir, const Register&) {
    llvm::Value* size = named(lane, ir, "cluster_nctaid", 0);
    for (unsigned axis : {1u, 2u}) size = ir.CreateMul(size, named(lane, ir, "cluster_nctaid", axis));
    return size;
}

llvm::Value* has_cluster(LaneAccess& lane, IR& ir, const Register& row) {
    return ir.CreateZExt(ir.CreateICmpNE(cluster_size(lane, ir, row), ir.getInt32(1)), ir.getInt32Ty());
}

llvm::Value* lane_mask_equal(LaneAccess& lane, IR& ir, const Register&) {
    return ir.CreateShl(ir.getInt32(1), named(lane, ir, "laneid"));
}

llvm::Value* lane_mask_less(LaneAccess& lane, IR& ir, const Register& row) {
    return ir.CreateSub(lane_mask_equal(lane, ir, row), ir.getInt32(1));
}

llvm::Value* lane_mask_less_equal(LaneAccess& lane, IR& ir, const Register& row) {
    return ir.CreateOr(lane_mask_less(lane, ir, row), lane_mask_equal(lane, ir, row));
}

llvm::Value* lane_mask_greater_equal(LaneAccess& lane, IR& ir, const Register& row) {
    return ir.CreateNot(lane_mask_less(lane, ir, row));
}

llvm::Value* lane_mask_greater(LaneAccess& lane, IR& ir, const Register& row) {
    return ir.CreateNot(lane_mask_less_equal(lane, ir, row));
}

llvm::Value* clock(LaneAccess& lane, IR& ir, const Register&) {
    return call_service(lane, ir, offsetof(host::Services, clock), ir.getInt64Ty(), {});
}

llvm::Value* timer(LaneAccess& lane, IR& ir, const Register&) {
    return call_service(lane, ir, offsetof(host::Services, globaltimer), ir.getInt64Ty(), {});
}

llvm::Value* low(IR& ir, llvm::Value* value) { return ir.CreateTrunc(value, ir.getInt32Ty()); }
llvm::Value* high(IR& ir, llvm::Value* value) { return low(ir, ir.CreateLShr(value, 32)); }

llvm::Value* clock_low(LaneAccess& lane, IR& ir, const Register& row) { return low(ir, clock(lane, ir, row)); }
llvm::Value* clock_high(LaneAccess& lane, IR& ir, const Register& row) { return high(ir, clock(lane, ir, row)); }
llvm::Value* timer_low(LaneAccess& lane, IR& ir, const Register& row) { return low(ir, timer(lane, ir, row)); }
llvm::Value* timer_high(LaneAccess& lane, IR& ir, const Register& row) { return high(ir, timer(lane, ir, row)); }

llvm::Value* shared_bytes(LaneAccess& lane, IR& ir, const Register&) {
    return ir.CreateAdd(lane.grid_field(offsetof(host::Grid, static_shared_bytes), ir.getInt32Ty()),
                        lane.grid_field(offsetof(host::Grid, dynamic_shared_bytes), ir.getInt32Ty()));
}

llvm::Value* workspace(LaneAccess& lane, IR& ir) {
    return lane.grid_field(offsetof(host::Grid, workspace), ir.getInt64Ty());
}

llvm::Value* workspace_low(LaneAccess& lane, IR& ir, const Register&) { return low(ir, workspace(lane, ir)); }
llvm::Value* workspace_high(LaneAccess& lane, IR& ir, const Register&) { return high(ir, workspace(lane, ir)); }

constexpr Register registers[] = {
#define HOST_REGISTER(name, make, offset, begin, end) {llvm::StringLiteral(name), make, offset, begin, end},
#include "llvm_to_code/host_registers.def"
};

/// The numbered ones: performance counters and environment registers, which nothing sets.
bool reads_as_zero(llvm::StringRef name) { return name.starts_with("pm") || name.starts_with("envreg"); }

} // namespace

llvm::Value* special_register(LaneAccess& lane, IR& ir, llvm::StringRef name) {
    for (const Register& row : registers)
        if (row.name == name) return row.make(lane, ir, row);
    return reads_as_zero(name) ? ir.getInt64(0) : nullptr;
}

} // namespace ptx::code
