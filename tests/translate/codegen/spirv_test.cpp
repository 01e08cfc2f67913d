#include "gpu_kernels.h"

#include "ast/position.h"
#include "llvm_to_code/spirv.h"
#include "llvm_to_code/spirv_legalize.h"
#include "ptx/launch_mark.h"

#include <gtest/gtest.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>

#include <algorithm>
#include <string_view>

using namespace codegen_test;

namespace {

ptx::Image compile_spirv(const char* text, std::vector<ptx::KernelInfo> kernels, const char* target = "spirv") {
    llvm::LLVMContext context;
    return ptx::compile_spirv(parse(context, text), std::move(kernels), ptx::Target::parse(target), {});
}

/// Runs spirv-val or spirv-dis; CUTTLE_SPIRV_TOOLS may name their folder.
Ran spirv_tool(const char* tool, const ptx::Image& image) {
    const char* folder = getenv("CUTTLE_SPIRV_TOOLS");
    const std::string program = folder ? std::string(folder) + "/" + tool : tool;
    if (run_program(program + " --version").status != 0) return {-1, "no " + program};
    const TemporaryFile file(image.code);
    const std::string options = std::string(tool) == "spirv-val" ? " --target-env spv1.6 " : " ";
    return run_program(program + options + file.path());
}

TEST(Spirv, IsAccepted) {
    const ptx::Image image = compile_spirv(gpu_kernels, gpu_kernel_infos());
    ASSERT_EQ(image.kernels.size(), 2u);
    EXPECT_TRUE(image.kernels[1].uses_barrier);
    EXPECT_EQ(image.kernels[1].static_shared_bytes, 1024u);
    ASSERT_GT(image.code.size(), 20u);
    uint32_t words[2];
    std::memcpy(words, image.code.data(), sizeof words);
    EXPECT_EQ(words[0], 0x07230203u);
    EXPECT_EQ(words[1], 0x00010400u);
    const Ran verdict = spirv_tool("spirv-val", image);
    if (verdict.status == -1) GTEST_SKIP() << verdict.output;
    EXPECT_EQ(verdict.status, 0) << verdict.output;
    const Ran listing = spirv_tool("spirv-dis", image);
    auto has = [&](const char* text) { return listing.output.find(text) != std::string::npos; };
    EXPECT_TRUE(has("OpEntryPoint Kernel") && has("\"saxpy\"") && has("\"sum\"")) << listing.output;
    EXPECT_TRUE(has("SubgroupSize 32")) << listing.output;
    EXPECT_TRUE(has("OpControlBarrier")) << listing.output;
    EXPECT_TRUE(has("ContractionOff")) << listing.output;
    EXPECT_FALSE(has("OpFunctionCall")) << listing.output;
}

/// saxpy alone, with the places of its parameters or without.
std::vector<ptx::KernelInfo> saxpy(bool with_parameters) {
    std::vector<ptx::KernelInfo> kernels = gpu_kernel_infos();
    kernels.pop_back();
    if (with_parameters) kernels[0].parameters = {{0, 8, 8}, {8, 8, 8}, {16, 4, 4}, {20, 4, 4}};
    return kernels;
}

/// Registers and not memory, as far as places are known.
TEST(Spirv, ParametersAreArguments) {
    const Ran without = spirv_tool("spirv-dis", compile_spirv(gpu_kernels, saxpy(false)));
    if (without.status == -1) GTEST_SKIP() << without.output;
    const Ran with = spirv_tool("spirv-dis", compile_spirv(gpu_kernels, saxpy(true)));
    EXPECT_EQ(count(without.output, "OpFunctionParameter"), 3u) << without.output;
    EXPECT_EQ(count(with.output, "OpFunctionParameter"), 7u) << with.output;
    EXPECT_EQ(count(with.output, "= OpLoad") + 4, count(without.output, "= OpLoad")) << with.output;
}

/// Pointers have types in SPIR-V: what counts bytes would be cast at each access.
TEST(Spirv, PointersCountElements) {
    const Ran listing = spirv_tool("spirv-dis", compile_spirv(gpu_kernels, saxpy(true)));
    if (listing.status == -1) GTEST_SKIP() << listing.output;
    EXPECT_EQ(count(listing.output, "OpBitcast"), 0u) << listing.output;
    EXPECT_EQ(count(listing.output, "OpShiftLeftLogical"), 0u) << listing.output;
    EXPECT_EQ(count(listing.output, "OpPtrAccessChain"), 2u) << listing.output;
}

/// LLVM 22 mixes up modules that one process compiles in turn, if it is let.
TEST(Spirv, IsTheSameEveryTime) {
    const ptx::Image first = compile_spirv(gpu_kernels, gpu_kernel_infos());
    for (int i = 0; i < 20; ++i) EXPECT_EQ(compile_spirv(gpu_kernels, gpu_kernel_infos()).code, first.code) << i;
}

TEST(Spirv, GivesUpWithoutEndingTheProcess) {
    try {
        compile_spirv("define void @k() #1 {\n %p = call ptr addrspace(4) @cuttle.kernel.parameters()\n %a = load i64, "
                      "ptr addrspace(4) %p\n %q = inttoptr i64 %a to ptr addrspace(1)\n %c = call i64 "
                      "@llvm.readcyclecounter()\n store i64 %c, ptr addrspace(1) %q\n ret void\n}\n"
                      "declare i64 @llvm.readcyclecounter()",
                      named({"k"}));
        FAIL() << "LLVM can do it now: find another instruction";
    } catch (const ptx::Error& error) {
        EXPECT_NE(std::string(error.what()).find("G_READCYCLECOUNTER"), std::string::npos) << error.what();
    }
}

TEST(Spirv, ReachesGlobalsSharedLocalAndGenericMemory) {
    const ptx::Image image = compile_spirv(R"(
declare i64 @cuttle.cvta.to.shared(i64) #0
define void @k() #1 !cuttle.shared.static !0 {
  %x = alloca [16 x i32]
  %xa = ptrtoint ptr %x to i64
  %lane = call i32 @cuttle.sreg.laneid()
  %lw = zext i32 %lane to i64
  %slot = add i64 %xa, %lw
  %slotp = inttoptr i64 %slot to ptr addrspace(5)
  store volatile i32 7, ptr addrspace(5) %slotp
  %lv = load volatile i32, ptr addrspace(5) %slotp
  %g = call i64 @cuttle.global.address(i64 16)
  %gp = inttoptr i64 %g to ptr addrspace(1)
  %d = call i32 @cuttle.shared.dynamic()
  %dp = inttoptr i32 %d to ptr addrspace(3)
  store i32 5, ptr addrspace(3) %dp
  %dw = zext i32 %d to i64
  %s = call i64 @cuttle.cvta.shared(i64 %dw)
  %sp = inttoptr i64 %s to ptr
  %v = load i32, ptr %sp
  %b = call i64 @cuttle.cvta.to.shared(i64 %s)
  %bw = trunc i64 %b to i32
  %vb = add i32 %v, %bw
  %vl = add i32 %vb, %lv
  %old = atomicrmw add ptr addrspace(1) %gp, i32 %vl syncscope("device") monotonic
  ret void
}
!0 = !{i32 20}
)",
                                           named({"k"}));
    const Ran verdict = spirv_tool("spirv-val", image);
    if (verdict.status == -1) GTEST_SKIP() << verdict.output;
    EXPECT_EQ(verdict.status, 0) << verdict.output;
}

/// A kernel that is refused costs itself only.
TEST(Spirv, SaysWhatItCannotDo) {
    const auto message = [](const std::string& text) {
        const ptx::Image image =
            compile_spirv((text + "\ndefine void @good() #1 { ret void }").c_str(), named({"k", "good"}));
        EXPECT_EQ(image.kernels.at(1).error, "");
        EXPECT_FALSE(image.code.empty());
        EXPECT_TRUE(image.kernels.at(0).symbol.empty());
        return image.kernels.at(0).error;
    };
    EXPECT_NE(message("define void @k() #1 { %p = inttoptr i64 64 to ptr addrspace(1)\n"
                      " %r = atomicrmw xchg ptr addrspace(1) %p, i128 1 monotonic ret void }")
                  .find("128 bits"),
              std::string::npos);
    EXPECT_NE(message("define internal void @f(i32 %n) { %v = alloca i32, i32 %n store i32 %n, ptr %v\n"
                      " %w = load volatile i32, ptr %v call void @f(i32 %w) ret void }\n"
                      "define void @k() #1 { call void @f(i32 3) ret void }")
                  .find("'f', which is recursive, has a variable of unknown size"),
              std::string::npos);
}

/// For the runtime, which then waits for what was launched.
TEST(Spirv, MarksWhatLaunchesKernels) {
    const auto marked = [](const char* text) {
        const ptx::Image image = compile_spirv(text, named({"k"}));
        EXPECT_EQ(image.kernels.at(0).error, "");
        return !std::ranges::search(image.code, std::string_view(ptx::launch_mark)).empty();
    };
    EXPECT_TRUE(marked("declare i64 @cuttle.device.call(i32, i64)\n"
                       "define void @k() #1 { %t = call i32 @cuttle.sreg.tid.x() %a = zext i32 %t to i64\n"
                       " %r = call i64 @cuttle.device.call(i32 0, i64 %a) ret void }"));
    EXPECT_FALSE(marked("define void @k() #1 { call void @cuttle.trap(i32 0) ret void }"));
}

TEST(Spirv, AddressesMayBeConstants) {
    const ptx::Image image = compile_spirv("define void @k() #1 { %p = inttoptr i64 4096 to ptr addrspace(1)\n"
                                           " %q = getelementptr i8, ptr addrspace(1) %p, i64 64\n"
                                           " store volatile i32 7, ptr addrspace(1) %q ret void }",
                                           named({"k"}));
    EXPECT_EQ(image.kernels.at(0).error, "");
    const Ran text = spirv_tool("spirv-dis", image);
    if (text.status == -1) GTEST_SKIP() << text.output;
    EXPECT_NE(text.output.find("ulong_4160"), std::string::npos) << text.output;
}

/// The GPUs have no atomic operations on 16 bits.
TEST(Spirv, ChangesHalvesByTheirWords) {
    const ptx::Image image =
        compile_spirv("define void @k() #1 {\n %p = call ptr addrspace(4) @cuttle.kernel.parameters()\n"
                      " %a = load i64, ptr addrspace(4) %p\n %q = inttoptr i64 %a to ptr addrspace(1)\n"
                      " %s = atomicrmw fadd ptr addrspace(1) %q, half 1.0 monotonic\n"
                      " %b = atomicrmw fadd ptr addrspace(1) %q, bfloat 1.0 monotonic\n"
                      " %x = cmpxchg ptr addrspace(1) %q, i16 5, i16 7 monotonic monotonic\n"
                      " %o = extractvalue { i16, i1 } %x, 0\n store i16 %o, ptr addrspace(1) %q\n ret void\n}",
                      named({"k"}));
    EXPECT_EQ(image.kernels.at(0).error, "");
    const Ran text = spirv_tool("spirv-dis", image);
    if (text.status == -1) GTEST_SKIP() << text.output;
    EXPECT_EQ(count(text.output, "OpAtomicCompareExchange %uint "), 3u) << text.output;
    EXPECT_EQ(count(text.output, "OpAtomicCompareExchange "), 3u) << text.output;
}

/// What LLVM's back end or Intel's compiler cannot do is written out.
TEST(Spirv, IsWithoutCallsAndOddTypes) {
    const ptx::Image image = compile_spirv(
        "define void @k() #1 {\n %p = call ptr addrspace(4) @cuttle.kernel.parameters()\n"
        " %a = load i64, ptr addrspace(4) %p\n %q = inttoptr i64 %a to ptr addrspace(1)\n"
        " %o = atomicrmw uinc_wrap ptr addrspace(1) %q, i32 5 monotonic\n"
        " %f = call i32 @llvm.fshl.i32(i32 %o, i32 7, i32 %o)\n %w = zext i64 %a to i128\n %s = mul i128 %w, %w\n"
        " %h = lshr i128 %s, 64\n %t = trunc i128 %h to i64\n %u = zext i32 %f to i64\n %v = add i64 %t, %u\n"
        " store i64 %v, ptr addrspace(1) %q\n ret void\n}\ndeclare i32 @llvm.fshl.i32(i32, i32, i32)",
        named({"k"}));
    EXPECT_EQ(image.kernels.at(0).error, "");
    const Ran verdict = spirv_tool("spirv-val", image);
    if (verdict.status == -1) GTEST_SKIP() << verdict.output;
    EXPECT_EQ(verdict.status, 0) << verdict.output;
    const Ran listing = spirv_tool("spirv-dis", image);
    EXPECT_EQ(listing.output.find("OpFunctionCall"), std::string::npos) << listing.output;
    EXPECT_NE(listing.output.find("u_mul_hi"), std::string::npos) << listing.output;
}

/// LLVM's back end takes their higher bits for zeros. Of constants, widening computes the result.
TEST(Spirv, WidensOddIntegers) {
    const auto result = [](const std::string& type, const std::string& body) {
        llvm::LLVMContext context;
        const auto module = parse(context, "define " + type + " @f() {\n" + body + "\n}");
        llvm::Function& function = *module->getFunction("f");
        ptx::code::widen_odd_integers(function);
        const auto* end = llvm::cast<llvm::ReturnInst>(function.back().getTerminator());
        const auto* number = llvm::dyn_cast<llvm::ConstantInt>(end->getReturnValue());
        return number ? number->getSExtValue() : int64_t{123456789};
    };
    EXPECT_EQ(result("i64", "%a = add i24 8388607, 1\n %b = sext i24 %a to i64\n ret i64 %b"), -8388608);
    EXPECT_EQ(result("i64", "%a = add i24 -1, 1\n %b = zext i24 %a to i64\n ret i64 %b"), 0);
    EXPECT_EQ(result("i64", "%a = mul i48 281474976710655, 2\n %b = zext i48 %a to i64\n ret i64 %b"), 281474976710654);
    EXPECT_EQ(result("i32", "%a = shl i5 9, 2\n %b = lshr i5 %a, 1\n %c = zext i5 %b to i32\n ret i32 %c"), 2);
    EXPECT_EQ(result("i32", "%a = sub i5 0, 3\n %b = ashr i5 %a, 1\n %c = sext i5 %b to i32\n ret i32 %c"), -2);
    EXPECT_EQ(result("i8", "%a = add i9 300, 300\n %b = trunc i9 %a to i8\n ret i8 %b"), 88);
    EXPECT_EQ(result("i1", "%a = add i24 16777215, 2\n %b = icmp ult i24 %a, 2\n ret i1 %b"), -1);
    EXPECT_EQ(result("i1", "%a = add i24 8388607, 1\n %b = icmp slt i24 %a, 0\n ret i1 %b"), -1);
    EXPECT_EQ(result("i32", "%a = add i24 16777215, 2\n %b = udiv i24 %a, 1\n %c = zext i24 %b to i32\n ret i32 %c"), 1);
}

/// LLVM's back end reads astray over one that is frozen: now and then its last.
TEST(Spirv, FreezesPartsOfStructures) {
    const ptx::Image image = compile_spirv(
        "define void @k() #1 {\n %p = call ptr addrspace(4) @cuttle.kernel.parameters()\n"
        " %a = load i64, ptr addrspace(4) %p\n %q = inttoptr i64 %a to ptr addrspace(1)\n"
        " %x = cmpxchg ptr addrspace(1) %q, i32 5, i32 7 monotonic monotonic\n %f = freeze { i32, i1 } %x\n"
        " %o = extractvalue { i32, i1 } %f, 0\n %y = extractvalue { i32, i1 } %f, 1\n %z = zext i1 %y to i32\n"
        " %w = add i32 %o, %z\n store i32 %w, ptr addrspace(1) %q\n ret void\n}",
        named({"k"}));
    EXPECT_EQ(image.kernels.at(0).error, "");
    const Ran verdict = spirv_tool("spirv-val", image);
    if (verdict.status == -1) GTEST_SKIP() << verdict.output;
    EXPECT_EQ(verdict.status, 0) << verdict.output;
}

/// Where the GPU has none, integers and code of ours stand for doubles, wherever they are.
TEST(Spirv, DoesWithoutDoubles) {
    const char* text =
        "define void @k() #1 {\n %p = call ptr addrspace(4) @cuttle.kernel.parameters()\n"
        " %n = load double, ptr addrspace(4) %p\n %r = getelementptr i8, ptr addrspace(4) %p, i64 8\n"
        " %a = load i64, ptr addrspace(4) %r\n %q = inttoptr i64 %a to ptr addrspace(1)\n"
        " %old = atomicrmw fadd ptr addrspace(1) %q, double 1.5 monotonic\n"
        " %v = load <2 x double>, ptr addrspace(1) %q\n %m = fmul <2 x double> %v, <double 3.0, double 5.0>\n"
        " %x = extractelement <2 x double> %m, i32 1\n"
        " %less = fcmp olt double %x, %n\n br i1 %less, label %t, label %e\n"
        "t:\n %f = call double @llvm.fma.f64(double %x, double %n, double %old)\n br label %e\n"
        "e:\n %j = phi double [ 0x7FF8000000000000, %0 ], [ %f, %t ]\n %s = select i1 %less, double %j, double -0.0\n"
        " %d = call double @cuttle.round.fadd.rz.f64(double %s, double %n)\n %g = fptrunc double %d to float\n"
        " %h = call float @cuttle.round.fma.rm.f32(float %g, float %g, float 1.0)\n %w = fpext float %h to double\n"
        " %i = fptosi double %w to i32\n %u = uitofp i32 %i to double\n"
        " %c = call i1 @llvm.is.fpclass.f64(double %u, i32 3)\n %y = select i1 %c, double %u, double %n\n"
        " store double %y, ptr addrspace(1) %q\n ret void\n}\n"
        "declare double @llvm.fma.f64(double, double, double)\ndeclare i1 @llvm.is.fpclass.f64(double, i32)\n"
        "declare double @cuttle.round.fadd.rz.f64(double, double) #0\n"
        "declare float @cuttle.round.fma.rm.f32(float, float, float) #0";
    std::vector<ptx::KernelInfo> kernels = named({"k"});
    kernels[0].parameters = {{0, 8, 8}, {8, 8, 8}};
    const ptx::Image image = compile_spirv(text, kernels, "spirv:no-fp64");
    EXPECT_EQ(image.kernels.at(0).error, "");
    const Ran verdict = spirv_tool("spirv-val", image);
    if (verdict.status == -1) GTEST_SKIP() << verdict.output;
    EXPECT_EQ(verdict.status, 0) << verdict.output;
    const Ran with = spirv_tool("spirv-dis", compile_spirv(text, kernels));
    EXPECT_EQ(count(with.output, "OpCapability Float64"), 1u) << with.output;
    const Ran without = spirv_tool("spirv-dis", image);
    EXPECT_EQ(count(without.output, "Float64") + count(without.output, "OpTypeFloat 64"), 0u) << without.output;
    EXPECT_EQ(count(without.output, "OpFunctionCall"), 0u) << without.output;
}

TEST(Spirv, SaysWhatDoublesItCannotReplace) {
    const ptx::Image image = compile_spirv(
        "define void @k() #1 {\n %p = call ptr addrspace(4) @cuttle.kernel.parameters()\n"
        " %a = load i64, ptr addrspace(4) %p\n %q = inttoptr i64 %a to ptr addrspace(1)\n"
        " %x = load double, ptr addrspace(1) %q\n %y = frem double %x, 3.0\n store double %y, ptr addrspace(1) %q\n"
        " ret void\n}\ndefine void @good() #1 { ret void }",
        named({"k", "good"}), "spirv:no-fp64");
    EXPECT_NE(image.kernels.at(0).error.find("frem double"), std::string::npos) << image.kernels.at(0).error;
    EXPECT_EQ(image.kernels.at(1).error, "");
    EXPECT_FALSE(image.code.empty());
}

} // namespace
