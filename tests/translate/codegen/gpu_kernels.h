#pragma once

#include "fixture.h"

#include <llvm/AsmParser/Parser.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/SourceMgr.h>

/// Two kernels that a GPU target must be able to do, as neutral IR.
namespace codegen_test {

inline constexpr const char* gpu_kernels = R"(
define void @saxpy() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %p1 = getelementptr i8, ptr addrspace(4) %p, i64 8
  %p2 = getelementptr i8, ptr addrspace(4) %p, i64 16
  %p3 = getelementptr i8, ptr addrspace(4) %p, i64 20
  %x = load i64, ptr addrspace(4) %p
  %y = load i64, ptr addrspace(4) %p1
  %a = load float, ptr addrspace(4) %p2
  %n = load i32, ptr addrspace(4) %p3
  %tid = call i32 @cuttle.sreg.tid.x()
  %ntid = call i32 @cuttle.sreg.ntid.x()
  %cta = call i32 @cuttle.sreg.ctaid.x()
  %m = mul i32 %cta, %ntid
  %i = add i32 %m, %tid
  %in = icmp ult i32 %i, %n
  br i1 %in, label %work, label %done
work:
  %wide = zext i32 %i to i64
  %scaled = shl i64 %wide, 2
  %xa = add i64 %x, %scaled
  %ya = add i64 %y, %scaled
  %xp = inttoptr i64 %xa to ptr addrspace(1)
  %yp = inttoptr i64 %ya to ptr addrspace(1)
  %xv = load float, ptr addrspace(1) %xp
  %yv = load float, ptr addrspace(1) %yp
  %r = call float @llvm.fma.f32(float %a, float %xv, float %yv)
  store float %r, ptr addrspace(1) %yp
  br label %done
done:
  ret void
}

define internal float @plus(float %a, float %b) nounwind {
  %s = fadd float %a, %b
  ret float %s
}

; out[ctaid] = sum of in[ctaid * ntid + 0 ...]; ntid a power of two, at most 256
define void @sum() #1 !cuttle.shared.static !0 {
entry:
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %p1 = getelementptr i8, ptr addrspace(4) %p, i64 8
  %in = load i64, ptr addrspace(4) %p
  %out = load i64, ptr addrspace(4) %p1
  %tid = call i32 @cuttle.sreg.tid.x()
  %ntid = call i32 @cuttle.sreg.ntid.x()
  %cta = call i32 @cuttle.sreg.ctaid.x()
  %m = mul i32 %cta, %ntid
  %i = add i32 %m, %tid
  %wide = zext i32 %i to i64
  %scaled = shl i64 %wide, 2
  %ia = add i64 %in, %scaled
  %ip = inttoptr i64 %ia to ptr addrspace(1)
  %v = load float, ptr addrspace(1) %ip
  %mine.offset = shl i32 %tid, 2
  %mine = inttoptr i32 %mine.offset to ptr addrspace(3)
  store float %v, ptr addrspace(3) %mine
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %half0 = lshr i32 %ntid, 1
  br label %test
test:
  %half = phi i32 [ %half0, %entry ], [ %next, %joined ]
  %more = icmp ne i32 %half, 0
  br i1 %more, label %step, label %end
step:
  %active = icmp ult i32 %tid, %half
  br i1 %active, label %add, label %joined
add:
  %other = add i32 %tid, %half
  %other.offset = shl i32 %other, 2
  %op = inttoptr i32 %other.offset to ptr addrspace(3)
  %ov = load float, ptr addrspace(3) %op
  %mv = load float, ptr addrspace(3) %mine
  %s = call float @plus(float %ov, float %mv)
  store float %s, ptr addrspace(3) %mine
  br label %joined
joined:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %next = lshr i32 %half, 1
  br label %test
end:
  %first = icmp eq i32 %tid, 0
  br i1 %first, label %write, label %done
write:
  %total = load float, ptr addrspace(3) null
  %cw = zext i32 %cta to i64
  %co = shl i64 %cw, 2
  %oa = add i64 %out, %co
  %outp = inttoptr i64 %oa to ptr addrspace(1)
  store float %total, ptr addrspace(1) %outp
  br label %done
done:
  ret void
}
!0 = !{i32 1024}
)";

inline std::unique_ptr<llvm::Module> parse(llvm::LLVMContext& context, std::string_view text) {
    llvm::SMDiagnostic problem;
    auto module = llvm::parseAssemblyString(std::string(declarations()) + std::string(text), problem, context);
    if (!module) throw std::runtime_error(problem.getMessage().str());
    return module;
}

/// KernelInfo of saxpy and sum.
inline std::vector<ptx::KernelInfo> gpu_kernel_infos() {
    std::vector<ptx::KernelInfo> kernels = named({"saxpy", "sum"});
    kernels[0].parameter_bytes = 24;
    kernels[1].parameter_bytes = 16;
    return kernels;
}

} // namespace codegen_test
