// The emulator, instruction by instruction: each is assembled, decoded and run by one wave.
#include "assembler.h"
#include "dispatch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <ctime>

namespace amdgpu {
namespace {

constexpr unsigned inactive = 5; ///< a lane that EXEC leaves out

/// One wave of gfx1100 and its group.
struct Machine {
    explicit Machine(const std::string& text, const std::string& processor = "gfx1100")
        : code(assemble(processor, text + "\ns_endpgm")),
          program(Processor::of(processor), code, reinterpret_cast<uint64_t>(code.data())) {
        group.lds.resize(1024);
        group.scratch_bytes = 64;
        group.memory = {{reinterpret_cast<uint64_t>(memory), reinterpret_cast<uint64_t>(memory) + sizeof memory}};
        wave = std::make_unique<Wave>(group, program, program.processor().lanes, 512);
        wave->mode = 0x3f0; // subnormals are kept; as in compute kernels
        wave->scc = true;
        std::fill(wave->vectors.begin(), wave->vectors.end(), 0xcccccccc);
        wave->scalars.fill(0xcccccccc);
        wave->write_mask(code::exec, ~uint64_t{1 << inactive});
    }
    void run() {
        for (int i = 0; wave->state != WaveState::ended; i++) {
            ASSERT_LT(i, 100000);
            const Instruction& in = program[wave->pc];
            wave->pc = in.next;
            in.execute(*wave, in);
        }
        wave->float_mode_32();
    }
    void set(unsigned vgpr, uint64_t value) {
        for (unsigned lane = 0; lane < wave->lanes; lane++) {
            row(vgpr)[lane] = uint32_t(value);
            row(vgpr + 1)[lane] = uint32_t(value >> 32);
        }
    }
    uint32_t* row(unsigned vgpr) { return wave->row(uint16_t(code::vector + vgpr)); }
    uint64_t get(unsigned vgpr, unsigned lane) { return row(vgpr)[lane] | uint64_t{row(vgpr + 1)[lane]} << 32; }

    std::vector<uint8_t> code;
    Program program;
    Group group;
    alignas(64) uint8_t memory[4096] = {};
    std::unique_ptr<Wave> wave;
};

void check_lanes(const char* text, uint64_t a, uint64_t b, uint64_t c, uint64_t expected, unsigned bits) {
    SCOPED_TRACE(text);
    try {
        Machine machine(text);
        machine.set(0, a);
        machine.set(2, b);
        machine.set(4, c);
        machine.run();
        const uint64_t untouched = 0xcccccccccccccccc;
        const uint64_t wanted = bits == 32 ? (untouched & ~uint64_t{0xffffffff}) | expected : expected;
        for (unsigned lane : {0u, 4u, 31u}) EXPECT_EQ(machine.get(6, lane), wanted) << std::hex << machine.get(6, lane);
        EXPECT_EQ(machine.get(6, inactive), untouched);
    } catch (const Stop& stop) {
        ADD_FAILURE() << stop.message;
    } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
    }
}

void check_scalar(const char* text, uint64_t a, uint64_t b, uint64_t expected, bool scc) {
    SCOPED_TRACE(text);
    try {
        Machine machine(text);
        machine.wave->write64(0, a);
        machine.wave->write64(2, b);
        machine.run();
        const uint64_t got = machine.wave->wide(6);
        // A row for 32 bits says what the other half holds, too.
        const bool narrow = expected >> 32 == 0xcccccccc;
        EXPECT_EQ(narrow ? uint32_t(got) : got, narrow ? uint32_t(expected) : expected) << std::hex << got;
        EXPECT_EQ(machine.wave->scc, scc);
    } catch (const Stop& stop) {
        ADD_FAILURE() << stop.message;
    } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
    }
}

} // namespace

TEST(Instructions, Table) {
#define LANE32(text, a, b, c, expected) check_lanes(text, a, b, c, expected, 32);
#define LANE64(text, a, b, c, expected) check_lanes(text, a, b, c, expected, 64);
#define SCALAR(text, a, b, expected, scc) check_scalar(text, a, b, expected, scc);
#include "instructions.def"
}

TEST(Instructions, ComparisonsWriteMasks) {
    Machine machine("v_cmp_gt_u32_e64 s6, 10, v0\nv_cmp_lt_f32_e32 vcc_lo, v2, v4\n"
                    "v_cmp_class_f32_e64 s7, v2, 0x1f8\nv_cmpx_ne_u32_e32 3, v0");
    for (unsigned lane = 0; lane < 32; lane++) machine.row(0)[lane] = lane;
    machine.set(2, 0x3f800000);
    machine.set(4, 0x40000000);
    machine.run();
    const uint32_t active = ~(1u << inactive);
    EXPECT_EQ(machine.wave->scalars[6], 0x3ffu & active);
    EXPECT_EQ(machine.wave->scalars[code::vcc], active);
    EXPECT_EQ(machine.wave->scalars[7], active) << "a positive normal number";
    EXPECT_EQ(machine.wave->scalars[code::exec], active & ~8u);
}

TEST(Instructions, CarriesAndSelections) {
    Machine machine("v_add_co_u32 v6, vcc_lo, v0, v2\nv_add_co_ci_u32_e64 v7, s6, v1, v3, vcc_lo\n"
                    "v_cndmask_b32_e64 v8, -v0, |v2|, s7");
    machine.set(0, 0xffffffff80000000);
    machine.set(2, 0x0000000180000001);
    machine.wave->scalars[7] = 0x1;
    machine.run();
    EXPECT_EQ(machine.get(6, 0), 0x0000000100000001u);
    EXPECT_EQ(machine.wave->scalars[6], ~(1u << inactive));
    EXPECT_EQ(machine.row(8)[0], 1u);
    EXPECT_EQ(machine.row(8)[1], 0u);
}

TEST(Instructions, RoundingModes) {
    Machine machine(
        "s_round_mode 0x5\nv_add_f32 v6, v0, v2\ns_round_mode 0xa\nv_add_f32 v7, v0, v2\n"
        "s_setreg_imm32_b32 hwreg(HW_REG_MODE, 0, 4), 0xf\nv_add_f32 v8, v0, v2\n"
        "s_setreg_imm32_b32 hwreg(HW_REG_MODE, 4, 2), 0\nv_add_f32 v9, v4, v4\ns_getreg_b32 s6, hwreg(HW_REG_MODE)");
    machine.set(0, 0x3f800000);
    machine.set(2, 0x30000000);
    machine.set(4, 1);
    machine.run();
    EXPECT_EQ(machine.row(6)[0], 0x3f800001u) << "upwards";
    EXPECT_EQ(machine.row(7)[0], 0x3f800000u) << "downwards";
    EXPECT_EQ(machine.row(8)[0], 0x3f800000u) << "towards zero";
    EXPECT_EQ(machine.row(9)[0], 0u) << "subnormals are flushed";
    EXPECT_EQ(machine.wave->scalars[6], 0x3cfu);
}

TEST(Instructions, DualReadsBeforeItWrites) {
    Machine machine("v_dual_mov_b32 v6, v7 :: v_dual_mov_b32 v7, v6\n"
                    "v_dual_fmac_f32 v8, v0, v2 :: v_dual_add_nc_u32 v9, 5, v3");
    machine.set(6, 0x0000000200000001);
    machine.set(0, 0x40000000);
    machine.set(2, 0x0000000740400000);
    machine.set(8, 0x3f800000);
    machine.run();
    EXPECT_EQ(machine.get(6, 0), 0x0000000100000002u);
    EXPECT_EQ(machine.get(8, 0), 0x0000000c40e00000u);
}

TEST(Instructions, RegistersByNumber) {
    Machine rdna("s_mov_b32 m0, 3\nv_movrels_b32 v6, v0\nv_movreld_b32 v8, v1\nv_movrelsd_b32 v10, v2");
    for (unsigned i = 0; i < 6; i++) std::fill_n(rdna.row(i), rdna.wave->lanes, 100 + i);
    rdna.run();
    EXPECT_EQ(rdna.row(6)[0], 103u);
    EXPECT_EQ(rdna.row(6)[inactive], 0xccccccccu);
    EXPECT_EQ(rdna.row(11)[0], 101u);
    EXPECT_EQ(rdna.row(8)[0], 0xccccccccu);
    EXPECT_EQ(rdna.row(13)[0], 105u);
    Machine gcn("s_mov_b32 s6, 2\ns_set_gpr_idx_on s6, gpr_idx(SRC0)\nv_mov_b32_e32 v6, v1\ns_set_gpr_idx_off\n"
                "s_set_gpr_idx_on s6, gpr_idx(DST)\nv_mov_b32_e32 v7, v1\ns_set_gpr_idx_off\nv_mov_b32_e32 v8, v0",
                "gfx942");
    for (unsigned i = 0; i < 6; i++) std::fill_n(gcn.row(i), gcn.wave->lanes, 100 + i);
    gcn.run();
    EXPECT_EQ(gcn.row(6)[0], 103u);
    EXPECT_EQ(gcn.row(9)[0], 101u);
    EXPECT_EQ(gcn.row(8)[0], 100u);
    Machine beyond("s_movk_i32 m0, 0x1000\nv_movrels_b32 v6, v0");
    EXPECT_THROW(beyond.run(), Stop);
}

TEST(Instructions, LanesOfOthers) {
    Machine machine("v_mov_b32_dpp v6, v0 quad_perm:[1,0,3,2] row_mask:0xf bank_mask:0xf\n"
                    "v_add_nc_u32_dpp v7, v0, v0 row_shr:1 row_mask:0xf bank_mask:0xf\n"
                    "v_mov_b32_dpp v8, v0 dpp8:[7,6,5,4,3,2,1,0]\nds_bpermute_b32 v9, v2, v0\n"
                    "v_readlane_b32 s6, v0, 7\nv_readfirstlane_b32 s7, v0\nv_writelane_b32 v10, s6, 3\n"
                    "v_permlanex16_b32 v11, v0, -1, -1\nds_swizzle_b32 v12, v0 offset:swizzle(BROADCAST,4,1)\n"
                    "v_mbcnt_lo_u32_b32 v13, -1, 100");
    for (unsigned lane = 0; lane < 32; lane++) {
        machine.row(0)[lane] = 100 + lane;
        machine.row(2)[lane] = 4 * (31 - lane);
    }
    machine.run();
    EXPECT_EQ(machine.row(6)[0], 101u);
    EXPECT_EQ(machine.row(6)[4], 0xccccccccu) << "from an inactive lane, without bound_ctrl: not written";
    EXPECT_EQ(machine.row(7)[1], 100u + 101u);
    EXPECT_EQ(machine.row(7)[0], 0xccccccccu) << "beyond the row";
    EXPECT_EQ(machine.row(8)[0], 107u);
    EXPECT_EQ(machine.row(9)[0], 131u);
    EXPECT_EQ(machine.row(9)[31 - inactive], 0u) << "an inactive lane gives 0";
    EXPECT_EQ(machine.wave->scalars[6], 107u);
    EXPECT_EQ(machine.wave->scalars[7], 100u);
    EXPECT_EQ(machine.row(10)[3], 107u);
    EXPECT_EQ(machine.row(11)[0], 131u);
    EXPECT_EQ(machine.row(12)[10], 109u);
    EXPECT_EQ(machine.row(13)[9], 109u);
}

TEST(Instructions, Memory) {
    Machine machine("global_load_b64 v[6:7], v[0:1], off offset:8\nglobal_store_b16 v[0:1], v2, off offset:20\n"
                    "global_load_u16 v8, v4, s[6:7] offset:20\nglobal_load_d16_hi_b16 v2, v[0:1], off offset:8\n"
                    "global_atomic_add_u32 v9, v[0:1], v4, off offset:8 glc\n"
                    "flat_load_b32 v10, v[0:1] offset:12\nscratch_store_b32 off, v2, off offset:4\n"
                    "scratch_load_b32 v11, off, off offset:4\nds_store_2addr_b32 v4, v2, v6 offset1:1\n"
                    "ds_load_b64 v[12:13], v4\nds_add_rtn_u32 v14, v4, v4\ns_load_b64 s[8:9], s[6:7], 0x8");
    const auto address = reinterpret_cast<uint64_t>(machine.memory);
    const uint64_t value = 0x1122334455667788;
    std::memcpy(machine.memory + 8, &value, 8);
    machine.set(0, address);
    machine.set(2, 0xabcd1234);
    machine.set(4, 0);
    machine.wave->write64(6, address);
    machine.wave->write_mask(code::exec, 1);
    machine.run();
    EXPECT_EQ(machine.get(6, 0), value);
    EXPECT_EQ(machine.row(8)[0], 0x1234u);
    EXPECT_EQ(machine.row(2)[0], 0x77881234u);
    EXPECT_EQ(machine.row(9)[0], 0x55667788u);
    EXPECT_EQ(machine.row(10)[0], 0x11223344u);
    EXPECT_EQ(machine.row(11)[0], 0x77881234u);
    EXPECT_EQ(machine.get(12, 0), 0x5566778877881234u);
    EXPECT_EQ(machine.row(14)[0], 0x77881234u);
    EXPECT_EQ(machine.wave->wide(8), value);
}

TEST(Instructions, AtomicsOfManyLanes) {
    Machine machine(
        "global_atomic_add_u32 v[0:1], v2, off\nglobal_atomic_cmpswap_b32 v6, v[0:1], v[2:3], off offset:4 glc\n"
        "global_atomic_max_u32 v[0:1], v4, off offset:8\nglobal_atomic_inc_u32 v7, v[0:1], v5, off offset:12 glc\n"
        "ds_add_u32 v8, v2\nds_cmpstore_rtn_b32 v9, v8, v2, v3 offset:4");
    machine.set(0, reinterpret_cast<uint64_t>(machine.memory));
    machine.set(2, 0x0000000000000002); // new value 2 where 0 is
    machine.set(8, 0);
    for (unsigned lane = 0; lane < 32; lane++) machine.row(4)[lane] = lane;
    for (unsigned lane = 0; lane < 32; lane++) machine.row(5)[lane] = 9;
    machine.run();
    uint32_t words[4];
    std::memcpy(words, machine.memory, sizeof words);
    EXPECT_EQ(words[0], 62u);
    EXPECT_EQ(words[1], 2u);
    EXPECT_EQ(words[2], 31u);
    EXPECT_EQ(words[3], 1u) << "31 times modulo 10";
    EXPECT_EQ(machine.row(6)[0], 0u);
    EXPECT_EQ(machine.row(6)[1], 2u);
    EXPECT_EQ(machine.row(7)[31], 0u);
    EXPECT_EQ(machine.group.lds[0], 62u);
    EXPECT_EQ(machine.row(9)[0], 0u);
    EXPECT_EQ(machine.row(9)[1], 2u);
}

TEST(Instructions, ControlFlow) {
    // A loop of ten rounds, a call and a return.
    Machine machine("s_mov_b32 s0, 0\ns_add_i32 s0, s0, 1\ns_cmp_lt_i32 s0, 10\ns_cbranch_scc1 0xfffd\n"
                    "s_getpc_b64 s[2:3]\ns_add_u32 s2, s2, 24\ns_addc_u32 s3, s3, 0\ns_swappc_b64 s[4:5], s[2:3]\n"
                    "s_add_i32 s0, s0, 100\ns_branch 3\ns_add_i32 s0, s0, 1000\ns_setpc_b64 s[4:5]");
    machine.run();
    EXPECT_EQ(machine.wave->scalars[0], 1110u);
}

TEST(Instructions, StopsByName) {
    const auto message_of = [](const char* text) {
        Machine machine(text);
        machine.set(0, 16);
        try {
            machine.run();
        } catch (const Stop& stop) {
            return stop.message;
        }
        return std::string();
    };
    EXPECT_NE(message_of("v_cubeid_f32 v6, v0, v2, v4").find("v_cubeid_f32: the emulator lacks"), std::string::npos);
    EXPECT_NE(message_of("global_load_b32 v6, v[0:1], off").find("no access to 4 bytes at 0x10"), std::string::npos);
    EXPECT_NE(message_of("scratch_load_b32 v6, v0, off offset:100").find("of 64 bytes of scratch"), std::string::npos);
    EXPECT_NE(message_of("s_trap 2").find("trap 2"), std::string::npos);
    EXPECT_NE(message_of("s_branch 100").find("where no code is"), std::string::npos);
}

/// GCN: waves of 64, other encodings, 16-bit results clear the upper half.
TEST(Instructions, Wave64) {
    Machine machine("v_add_u32 v6, v0, v2\nv_add_co_u32 v7, vcc, v0, v2\nv_cmp_gt_u32_e64 s[8:9], 40, v4\n"
                    "v_add_f16 v8, v0, v0\nv_mbcnt_lo_u32_b32 v9, -1, 0\nv_mbcnt_hi_u32_b32 v9, -1, v9\n"
                    "ds_bpermute_b32 v10, v5, v4\nglobal_load_dwordx2 v[12:13], v[2:3], off\n"
                    "s_and_saveexec_b64 s[10:11], s[8:9]\nv_mov_b32 v14, 1",
                    "gfx942");
    const uint64_t value = 0x1122334455667788;
    std::memcpy(machine.memory, &value, 8);
    machine.set(0, 0x0000000000003c00); // a half: 1
    machine.set(2, reinterpret_cast<uint64_t>(machine.memory));
    for (unsigned lane = 0; lane < 64; lane++) {
        machine.row(4)[lane] = lane;
        machine.row(5)[lane] = 4 * (63 - lane);
    }
    machine.run();
    EXPECT_EQ(machine.row(6)[63], uint32_t(reinterpret_cast<uint64_t>(machine.memory)) + 0x3c00);
    EXPECT_EQ(machine.wave->wide(8), 0xffffffffffu & ~(uint64_t{1} << inactive));
    EXPECT_EQ(machine.row(8)[40], 0x4000u) << "the upper half is cleared";
    EXPECT_EQ(machine.row(9)[50], 50u);
    EXPECT_EQ(machine.row(10)[1], 62u);
    EXPECT_EQ(machine.get(12, 33), value);
    EXPECT_EQ(machine.wave->wide(10), ~uint64_t{1 << inactive});
    EXPECT_EQ(machine.row(14)[39], 1u);
    EXPECT_EQ(machine.row(14)[40], 0xccccccccu);
}

/// Only says how fast it is: no test fails on a time. `add` and `mask`: what the chip calls them.
void measure(const char* gpu, const std::string& add, const std::string& mask) {
    std::string loop = "s_mov_b32 s0, 0\n";
    for (int i = 0; i < 8; i++)
        loop += "v_fma_f32 v6, v0, v2, v6\n" + add + " v8, v4, v8\nv_mul_f32 v7, v6, v0\nv_lshlrev_b32 v9, 3, v8\n" +
                "v_cmp_gt_u32_e32 " + mask + ", v8, v9\nv_cndmask_b32_e32 v10, v6, v7, " + mask + "\n";
    loop +=
        "s_add_i32 s0, s0, 1\ns_cmp_lt_i32 s0, 2000\ns_cbranch_scc1 " + std::to_string(0x10000 - (8 * 7 + 4)) + "\n";
    Machine machine(loop, gpu);
    machine.set(0, 0x3f800001);
    machine.set(2, 0x3f000000);
    machine.set(4, 3);
    const std::clock_t start = std::clock();
    uint64_t count = 0;
    while (machine.wave->state != WaveState::ended) {
        const Instruction& in = machine.program[machine.wave->pc];
        machine.wave->pc = in.next;
        in.execute(*machine.wave, in);
        count++;
    }
    const double seconds = double(std::clock() - start) / CLOCKS_PER_SEC; // of the processor: tests run side by side
    testing::Test::RecordProperty("millions_a_second", std::to_string(double(count) / seconds / 1e6));
    std::printf("%s: %.1f million wave instructions a second\n", gpu, double(count) / seconds / 1e6);
    EXPECT_EQ(machine.wave->scalars[0], 2000u);
}

TEST(Speed, MillionsOfInstructions) { measure("gfx1100", "v_add_nc_u32", "vcc_lo"); }
TEST(Speed, MillionsOfInstructionsOf64Lanes) { measure("gfx942", "v_add_u32", "vcc"); }

} // namespace amdgpu
