#include "gpu_kernels.h"

#include "llvm_to_code/uniform_waits.h"

#include <gtest/gtest.h>

#include <string>

using namespace codegen_test;

namespace {

/// How many waits of the kernel `k` keep waves together.
size_t together(const std::string& body) {
    const std::string text = R"(
declare void @cuttle.spin()
declare i64 @cuttle.mbarrier(i32, i64, i64)
declare i32 @cuttle_gpu_cluster_arrive(i32, i32)
define void @k(i64 %argument) {
entry:
  %tid = call i32 @cuttle.sreg.tid.x()
  %wide = zext i32 %tid to i64
  %block = call i32 @cuttle.sreg.ctaid.x()
  %some = icmp ult i32 %tid, 7
  %all = icmp ult i32 %block, 7
  %p = inttoptr i32 64 to ptr addrspace(3)
)" + body + "}\n";
    llvm::LLVMContext context;
    const auto module = parse(context, text.c_str());
    return ptx::code::waits_together(*module->getFunction("k")).size();
}

/// A barrier from the block `at` on, which goes on in `then`.
std::string barrier(const std::string& at, const std::string& then, const std::string& address = "%p") {
    const std::string wait = at + ".wait", again = at + ".again";
    return at + ":\n  %" + at + ".phase = call i32 @cuttle_gpu_cluster_arrive(i32 64, i32 128)\n  br label %" + wait +
           "\n" + wait + ":\n  %" + at + ".now = load atomic i32, ptr addrspace(3) " + address +
           " acquire, align 4\n  %" + at + ".same = icmp eq i32 %" + at + ".now, %" + at + ".phase\n  br i1 %" + at +
           ".same, label %" + again + ", label %" + then + "\n" + again +
           ":\n  call void @cuttle.spin()\n  br label %" + wait + "\n";
}

/// A wait for a phase of an mbarrier; `operation`: of ptx::host::Mbarrier.
std::string phase(ptx::host::Mbarrier operation, const std::string& argument, const std::string& effect = "") {
    return "  br label %loop\nloop:\n  %over = call i64 @cuttle.mbarrier(i32 " + std::to_string(int(operation)) +
           ", i64 64, i64 " + argument + ")\n" + effect +
           "  %is = icmp ne i64 %over, 0\n  br i1 %is, label %end, label %again\nagain:\n"
           "  call void @cuttle.spin()\n  br label %loop\nend:\n  ret void\n";
}

TEST(UniformWaits, AreThoseOfAllLanes) {
    EXPECT_EQ(together("br label %b\n" + barrier("b", "end") + "end:\nret void\n"), 1u);
    EXPECT_EQ(together("br i1 %all, label %b, label %end\n" + barrier("b", "end") + "end:\nret void\n"), 1u);
    EXPECT_EQ(together("br i1 %some, label %b, label %end\n" + barrier("b", "next") +
                       "next:\nstore i32 1, ptr "
                       "addrspace(3) %p\nbr label %end\nend:\nstore i32 2, ptr addrspace(3) %p\nret void\n"),
              0u);
}

TEST(UniformWaits, DoNotWaitForLanesThatHaveLeft) {
    EXPECT_EQ(together("br i1 %some, label %b, label %end\n" + barrier("b", "next") +
                       "next:\nbr label %end\nend:\nret void\n"),
              1u);
    EXPECT_EQ(together("br i1 %some, label %b, label %other\n" + barrier("b", "end") +
                       "other:\nstore i32 1, ptr addrspace(3) %p\nbr label %end\nend:\nret void\n"),
              0u);
}

TEST(UniformWaits, AreForOneThing) {
    const std::string each = "%a = shl i32 %tid, 2\n%own = inttoptr i32 %a to ptr addrspace(3)\nbr label %b\n";
    EXPECT_EQ(together(each + barrier("b", "end", "%own") + "end:\nret void\n"), 0u);
    // Arrived in one way of two.
    EXPECT_EQ(
        together("br i1 %some, label %x, label %y\nx:\n%px = call i32 @cuttle_gpu_cluster_arrive(i32 64, i32 9)\n"
                 "br label %loop\ny:\nbr label %loop\nloop:\n%phase = phi i32 [%px, %x], [7, %y], [%phase, %again]\n"
                 "%now = load atomic i32, ptr addrspace(3) %p acquire, align 4\n%same = icmp eq i32 %now, %phase\n"
                 "br i1 %same, label %again, label %end\nagain:\ncall void @cuttle.spin()\nbr label %loop\n"
                 "end:\nret void\n"),
        0u);
}

/// Both barriers of a loop that all lanes leave together; none of one that they leave one by one.
TEST(UniformWaits, InLoops) {
    const auto loop = [](const std::string& limit) {
        return "br label %b\n" + barrier("b", "c") + barrier("c", "latch") + "latch:\n%more = icmp ult i32 %round, " +
               limit +
               "\nbr i1 %more, label %next, label %end\nnext:\n"
               "br label %b\nend:\nstore i32 1, ptr addrspace(3) %p\nret void\n";
    };
    const auto with_counter = [&](std::string text) {
        const std::string head = "b:\n";
        text.insert(text.find(head) + head.size(),
                    "  %round = phi i32 [0, %entry], [%count, %next]\n  %count = add i32 %round, 1\n");
        return text;
    };
    EXPECT_EQ(together(with_counter(loop("%block"))), 2u);
    EXPECT_EQ(together(with_counter(loop("%tid"))), 0u);
}

TEST(UniformWaits, ForPhases) {
    using ptx::host::Mbarrier;
    EXPECT_EQ(together(phase(Mbarrier::try_parity, "%argument")), 2u) << "the question and the spin";
    EXPECT_EQ(together(phase(Mbarrier::test_parity, "1")), 2u);
    EXPECT_EQ(together(phase(Mbarrier::try_parity, "%wide")), 0u) << "each lane for its own";
    EXPECT_EQ(together(phase(Mbarrier::test_wait, "%argument")), 0u) << "a state, which arriving has given";
    EXPECT_EQ(together(phase(Mbarrier::try_parity, "1", "store i32 1, ptr addrspace(3) %p\n")), 0u) << "does more";
    // A wait for memory that anybody may write.
    EXPECT_EQ(together("br label %loop\nloop:\n%now = load atomic i32, ptr addrspace(3) %p acquire, align 4\n"
                       "%is = icmp eq i32 %now, 0\nbr i1 %is, label %again, label %end\nagain:\n"
                       "call void @cuttle.spin()\nbr label %loop\nend:\nret void\n"),
              0u);
}

} // namespace
