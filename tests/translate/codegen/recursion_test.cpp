// Recursion made into loops (llvm_to_code/recursion.h), run on the host beside the recursion itself.
#include "gpu_kernels.h"

#include "llvm_to_code/host.h"
#include "llvm_to_code/neutral.h"
#include "llvm_to_code/recursion.h"

#include <gtest/gtest.h>
#include <llvm/ADT/STLExtras.h>
#include <llvm/IR/Instructions.h>

using namespace codegen_test;

namespace {

/// out = f(a, b) of the function `called`.
std::string kernel(const std::string& called) {
    return R"(
define void @k() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %p1 = getelementptr i8, ptr addrspace(4) %p, i64 8
  %p2 = getelementptr i8, ptr addrspace(4) %p, i64 12
  %out = load i64, ptr addrspace(4) %p
  %a = load i32, ptr addrspace(4) %p1
  %b = load i32, ptr addrspace(4) %p2
  %r = call i32 @)" +
           called + R"((i32 %a, i32 %b)
  %op = inttoptr i64 %out to ptr addrspace(1)
  store i32 %r, ptr addrspace(1) %op
  ret void
}
)";
}

/// Calls itself at two places, one inside the other's argument.
constexpr const char* ackermann = R"(
define internal i32 @ackermann(i32 %m, i32 %n) nounwind {
  %m0 = icmp eq i32 %m, 0
  br i1 %m0, label %zero, label %some
zero:
  %n1 = add i32 %n, 1
  ret i32 %n1
some:
  %m1 = sub i32 %m, 1
  %n0 = icmp eq i32 %n, 0
  br i1 %n0, label %last, label %both
last:
  %l = call i32 @ackermann(i32 %m1, i32 1)
  ret i32 %l
both:
  %less = sub i32 %n, 1
  %inner = call i32 @ackermann(i32 %m, i32 %less)
  %outer = call i32 @ackermann(i32 %m1, i32 %inner)
  ret i32 %outer
}
)";

/// Two that call each other, in a loop, with an array in each frame, of which every call changes its own.
constexpr const char* mutual = R"(
define internal i32 @even(i32 %depth, i32 %salt) nounwind {
entry:
  %own = alloca [4 x i32]
  store i32 %salt, ptr %own
  %second = getelementptr i32, ptr %own, i64 1
  store i32 %depth, ptr %second
  %end = icmp eq i32 %depth, 0
  br i1 %end, label %done, label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %next, %loop ]
  %sum = phi i32 [ %salt, %entry ], [ %more, %loop ]
  %less = sub i32 %depth, 1
  %varied = add i32 %salt, %i
  %r = call i32 @odd(i32 %less, i32 %varied)
  %kept = load i32, ptr %own
  %deep = load i32, ptr %second
  %k1 = mul i32 %kept, 7
  %k2 = add i32 %k1, %deep
  %s1 = mul i32 %sum, 31
  %s2 = add i32 %s1, %r
  %more = add i32 %s2, %k2
  %next = add i32 %i, 1
  %again = icmp ult i32 %next, 2
  br i1 %again, label %loop, label %done
done:
  %result = phi i32 [ %salt, %entry ], [ %more, %loop ]
  ret i32 %result
}

define internal i32 @odd(i32 %depth, i32 %salt) nounwind {
  %own = alloca i32
  store i32 %salt, ptr %own
  %end = icmp eq i32 %depth, 0
  br i1 %end, label %done, label %deeper
deeper:
  %less = sub i32 %depth, 1
  %mixed = xor i32 %salt, %depth
  %r = call i32 @even(i32 %less, i32 %mixed)
  %kept = load i32, ptr %own
  %sum = add i32 %r, %kept
  ret i32 %sum
done:
  ret i32 5
}
)";

void inline_all(llvm::Module& module) {
    for (llvm::Function& function : llvm::make_early_inc_range(module))
        if (!function.isDeclaration() && !ptx::code::is_kernel(function)) ptx::code::inline_into_callers(function);
}

/// Which hides constants from LLVM on their way to a GPU.
void show_hidden_numbers(llvm::Module& module) {
    llvm::Function* opaque = module.getFunction("cuttle.opaque");
    if (!opaque) return;
    for (llvm::User* user : llvm::make_early_inc_range(opaque->users())) {
        auto* call = llvm::cast<llvm::CallInst>(user);
        call->replaceAllUsesWith(call->getArgOperand(0));
        call->eraseFromParent();
    }
}

bool calls_itself(llvm::Module& module, const std::string& name) {
    const llvm::Function* function = module.getFunction(name);
    return function && llvm::any_of(function->users(), [&](const llvm::User* user) {
               const auto* call = llvm::dyn_cast<llvm::CallInst>(user);
               return call && call->getFunction() == function;
           });
}

/// As it is, or as loops with stacks of so many bytes.
ptx::Image image(const std::string& text, uint32_t stack_bytes) {
    llvm::LLVMContext context;
    auto module = parse(context, text);
    if (stack_bytes) {
        unsigned circles = 0;
        for (; ptx::code::make_loop_of_recursion(*module, stack_bytes); circles++) inline_all(*module);
        EXPECT_GT(circles, 0u);
        for (const char* name : {"ackermann", "even", "odd"}) EXPECT_FALSE(calls_itself(*module, name)) << name;
        show_hidden_numbers(*module);
        ptx::code::make_stacks(*module->getFunction("k"), stack_bytes);
    }
    return ptx::compile_host(std::move(module), named({"k"}), {}, {}, {});
}

uint32_t result_of(const Code& code, uint32_t a, uint32_t b) {
    uint32_t out = 0xdeadbeef;
    Surroundings around;
    around.set_parameters(&out, a, b);
    code.run_block("k", around.lane);
    return out;
}

void expect_same(const std::string& functions, const std::string& called, uint32_t most_a, uint32_t most_b) {
    const std::string text = functions + kernel(called);
    const Code recursion(image(text, 0)), loop(image(text, 4096));
    for (uint32_t a = 0; a <= most_a; a++)
        for (uint32_t b = 0; b <= most_b; b++)
            EXPECT_EQ(result_of(loop, a, b), result_of(recursion, a, b)) << called << " " << a << " " << b;
}

TEST(Recursion, AsLoopsComputesTheSame) {
    EXPECT_EQ(result_of(Code(image(ackermann + kernel("ackermann"), 4096)), 2, 3), 9u);
    expect_same(ackermann, "ackermann", 2, 6);
    expect_same(mutual, "even", 7, 3);
    expect_same(mutual, "odd", 7, 3);
}

} // namespace
