// SOPP, and what else changes the course of a wave: RDNA3 ISA 16.5.
#include "program.h"
#include "rows.h"
#include "wave.h"

#include <chrono>
#include <fmt/format.h>

namespace amdgpu {

namespace {

void nothing(Wave&, const Instruction&) {}

void branch(Wave& wave, const Instruction& in) {
    wave.pc = wave.program.at(in.next_address + uint64_t(int64_t{in.offset} * 4));
}
template <auto condition> void branch_if(Wave& wave, const Instruction& in) {
    if (condition(wave)) branch(wave, in);
}

uint64_t vcc_of(const Wave& wave) { return wave.lanes == 32 ? wave.scalars[code::vcc] : wave.wide(code::vcc); }

void end(Wave& wave, const Instruction&) { wave.state = WaveState::ended; }
void barrier(Wave& wave, const Instruction&) { wave.state = WaveState::at_barrier; }
void yield(Wave& wave, const Instruction&) { wave.state = WaveState::yielding; }

void trap(Wave& wave, const Instruction& in) {
    // 3 is for a debugger to stop at: without one it does nothing.
    if (in.offset == 3) return;
    wave.stop(Stop::trap, in, fmt::format("trap {}", in.offset));
}

uint64_t clock_100_mhz() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return uint64_t(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()) / 10;
}

/// Messages to the host that wait for an answer.
template <unsigned width> void ask(Wave& wave, const Instruction& in) {
    const uint32_t message = in.source[0].code; // the field is a number, not an operand
    uint64_t answer = 0;
    if (message == 0x83) // GET_REALTIME
        answer = clock_100_mhz();
    else if (message < 0x80 || message > 0x88)
        wave.stop(Stop::unknown_instruction, in, fmt::format("message {:#x}", message));
    if (width == 64)
        wave.write64(in.destination.code, answer);
    else
        wave.write(in.destination.code, uint32_t(answer));
}

/// s_getreg and s_setreg: bits 0 to 5 which register, 6 to 10 the first bit, 11 to 15 how many less one.
uint32_t hardware_register(Wave& wave, const Instruction& in) {
    switch (in.offset & 63) {
    case 1:
        return wave.mode;
    case 2: // STATUS: only SCC is told
        return wave.scc;
    case 29: // SHADER_CYCLES
        return uint32_t(wave.executed) & 0xfffff;
    case 20: // XCC_ID
    case 23: // HW_ID1
    case 24: // HW_ID2
    case 4:  // HW_ID of GCN
        return 0;
    default:
        wave.stop(Stop::unknown_instruction, in, fmt::format("hardware register {}", in.offset & 63));
    }
}

void get_register(Wave& wave, const Instruction& in) {
    const unsigned from = unsigned(in.offset) >> 6 & 31, count = (unsigned(in.offset) >> 11 & 31) + 1;
    const uint32_t value = hardware_register(wave, in) >> from;
    wave.write(in.destination.code, count == 32 ? value : value & ((1u << count) - 1));
}

void set_mode(Wave& wave, const Instruction& in, uint32_t value) {
    if ((in.offset & 63) != 1) wave.stop(Stop::unknown_instruction, in, "a hardware register other than MODE");
    const unsigned from = unsigned(in.offset) >> 6 & 31, count = (unsigned(in.offset) >> 11 & 31) + 1;
    const uint32_t mask = (count == 32 ? ~0u : (1u << count) - 1) << from;
    wave.mode = (wave.mode & ~mask) | (value << from & mask);
}

void set_register(Wave& wave, const Instruction& in) { set_mode(wave, in, wave.read(in.source[0])); }
void set_register_immediate(Wave& wave, const Instruction& in) { set_mode(wave, in, in.source[2].value); }

void jump(Wave& wave, const Instruction& in) { wave.pc = wave.program.at(wave.read64(in.source[0])); }
void call(Wave& wave, const Instruction& in) {
    const uint64_t to = wave.read64(in.source[0]);
    wave.write64(in.destination.code, in.next_address);
    wave.pc = wave.program.at(to);
}
void call_relative(Wave& wave, const Instruction& in) {
    wave.write64(in.destination.code, in.next_address);
    branch(wave, in);
}
void get_pc(Wave& wave, const Instruction& in) { wave.write64(in.destination.code, in.next_address); }

void read_time(Wave& wave, const Instruction& in) { wave.write64(in.destination.code, clock_100_mhz()); }
void read_cycles(Wave& wave, const Instruction& in) { wave.write64(in.destination.code, wave.executed); }

} // namespace

void add_control(Rows& rows) {
    for (const char* name : {"s_nop",
                             "s_waitcnt",
                             "s_waitcnt_vscnt",
                             "s_waitcnt_vmcnt",
                             "s_waitcnt_lgkmcnt",
                             "s_waitcnt_expcnt",
                             "s_waitcnt_depctr",
                             "s_delay_alu",
                             "s_clause",
                             "s_wait_idle",
                             "s_set_inst_prefetch_distance",
                             "s_inst_prefetch",
                             "s_sendmsg",
                             "s_icache_inv",
                             "s_dcache_inv",
                             "s_dcache_wb",
                             "s_sethalt",
                             "s_setprio",
                             "s_ttracedata",
                             "s_ttracedata_imm",
                             "s_incperflevel",
                             "s_decperflevel",
                             "buffer_gl0_inv",
                             "buffer_gl1_inv",
                             "buffer_inv",
                             "buffer_wbl2",
                             "buffer_wbinvl1",
                             "buffer_wbinvl1_vol",
                             "s_gl1_inv",
                             "v_nop",
                             "s_version"})
        rows[name] = {nothing};
    rows["s_branch"] = {branch};
    rows["s_cbranch_scc0"] = {branch_if<([](const Wave& w) { return !w.scc; })>};
    rows["s_cbranch_scc1"] = {branch_if<([](const Wave& w) { return w.scc; })>};
    rows["s_cbranch_vccz"] = {branch_if<([](const Wave& w) { return vcc_of(w) == 0; })>};
    rows["s_cbranch_vccnz"] = {branch_if<([](const Wave& w) { return vcc_of(w) != 0; })>};
    rows["s_cbranch_execz"] = {branch_if<([](const Wave& w) { return w.exec() == 0; })>};
    rows["s_cbranch_execnz"] = {branch_if<([](const Wave& w) { return w.exec() != 0; })>};
    rows["s_endpgm"] = rows["s_endpgm_saved"] = {end};
    rows["s_barrier"] = {barrier};
    rows["s_sleep"] = {yield};
    rows["s_trap"] = {trap};
    rows["s_sendmsg_rtn_b32"] = {ask<32>};
    rows["s_sendmsg_rtn_b64"] = {ask<64>};
    rows["s_getreg_b32"] = {get_register};
    rows["s_setreg_b32"] = {set_register};
    rows["s_setreg_imm32_b32"] = {set_register_immediate};
    rows["s_round_mode"] = {
        [](Wave& w, const Instruction& in) { w.mode = (w.mode & ~15u) | (uint32_t(in.offset) & 15); }};
    rows["s_denorm_mode"] = {
        [](Wave& w, const Instruction& in) { w.mode = (w.mode & ~0xf0u) | (uint32_t(in.offset) & 15) << 4; }};
    rows["s_getpc_b64"] = {get_pc};
    rows["s_setpc_b64"] = {jump};
    rows["s_swappc_b64"] = {call};
    rows["s_call_b64"] = {call_relative};
    rows["s_memrealtime"] = {read_time};
    rows["s_memtime"] = {read_cycles};
}

} // namespace amdgpu
