// Which of a kernel's phases run in tiles where those must pay, and what is said about it.
#include "blocks_of_warps.h"

using namespace codegen_test;
using namespace codegen_test::blocks;

namespace {

/// From place to place in shared memory, as what is there says: lane by lane, whatever the form.
std::string scattered(unsigned phase) {
    constexpr unsigned steps = 6;
    std::string text, place = phase ? "%r" + std::to_string(phase - 1) : "%v";
    for (unsigned step = 0; step < steps; ++step) {
        const std::string s = std::to_string(phase) + "." + std::to_string(step);
        text += "  %a" + s + " = and i32 " + place + ", 1020\n  %p" + s + " = inttoptr i32 %a" + s +
                " to ptr addrspace(3)\n  %l" + s + " = load i32, ptr addrspace(3) %p" + s + "\n";
        if (step % 2) text += "  store i32 %x, ptr addrspace(3) %p" + s + "\n";
        place = "%l" + s;
    }
    return text + "  %r" + std::to_string(phase) + " = add i32 " + place + ", %x\n";
}

/// A step of a Fourier transform: pairs whose distance is the phase's own.
std::string butterfly(unsigned phase) {
    const std::string s = std::to_string(phase), half = std::to_string(1u << phase % 5),
                      low = std::to_string((1u << phase % 5) - 1);
    std::string text = "  %k" + s + " = and i32 %x, " + low + "\n  %t" + s + " = shl i32 %x, 1\n  %n" + s +
                       " = sub i32 %t" + s + ", %k" + s + "\n  %a" + s + " = shl i32 %n" + s + ", 3\n  %b" + s +
                       " = add i32 %a" + s + ", " + std::to_string(8u << phase % 5) + "\n";
    for (const std::string p : {"a", "b"})
        text += "  %" + p + "p" + s + " = inttoptr i32 %" + p + s + " to ptr addrspace(3)\n  %" + p + "v" + s +
                " = load <2 x float>, ptr addrspace(3) %" + p + "p" + s + "\n";
    return text + "  %s" + s + " = fadd <2 x float> %av" + s + ", %bv" + s + "\n  %d" + s + " = fsub <2 x float> %av" +
           s + ", %bv" + s + "\n  %e" + s + " = fmul <2 x float> %d" + s + ", %s" + s + "\n  store <2 x float> %s" + s +
           ", ptr addrspace(3) %ap" + s + "\n  store <2 x float> %e" + s + ", ptr addrspace(3) %bp" + s + "\n  %r" + s +
           " = add i32 %x, " + half + "\n";
}

/// The first `butterflies` phases are steps of a transform, the others are not.
std::string phases(unsigned butterflies, unsigned others) {
    std::string text;
    for (unsigned phase = 0; phase < butterflies + others; ++phase)
        text += (phase < butterflies ? butterfly(phase) : scattered(phase)) +
                "  call void @cuttle.barrier.sync(i32 0, i32 0)\n";
    return kernel(text + "  store i32 %r" + std::to_string(butterflies + others - 1) +
                  ", ptr addrspace(1) %o\n  ret void\n");
}

struct Choice {
    unsigned columns;
    std::string why;
};

Choice choice(const std::string& text, const char* cpu) {
    ptx::Target target = ptx::Target::parse(cpu);
    target.divide(256, 1);
    const ptx::Image image = compile(text, target, {.phases = true, .warp = 2});
    return {image.kernels.at(0).tile_columns, image.remarks.empty() ? "" : image.remarks[0]};
}

/// A transform's steps pay whatever their number.
TEST(HostTileChoice, Transforms) {
    for (const char* cpu : {"host:haswell", "host:sapphirerapids"}) {
        SCOPED_TRACE(cpu);
        const Choice made = choice(phases(10, 0), cpu);
        EXPECT_EQ(made.columns, 32u);
        EXPECT_EQ(made.why, "");
    }
}

/// Of many phases tiles are made only if most pay, as LLVM takes its time for both kinds; of few for those that do.
TEST(HostTileChoice, MostOrNone) {
    const Choice most = choice(phases(8, 2), "host:haswell"), some = choice(phases(3, 8), "host:haswell"),
                 few = choice(phases(3, 4), "host:haswell");
    EXPECT_EQ(most.columns, 32u);
    EXPECT_EQ(few.columns, 32u);
    EXPECT_EQ(few.why, "k: lanes are faster one after another");
    EXPECT_EQ(some.columns, 0u);
    EXPECT_EQ(some.why, "k: lanes are faster one after another in most places between its threads' meetings");
}

} // namespace
