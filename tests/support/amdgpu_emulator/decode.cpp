#include "constants.h"
#include "program.h"
#include "rows.h"
#include "wave.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCDisassembler/MCDisassembler.h>
#include <llvm/MC/MCInst.h>
#include <llvm/MC/MCInstPrinter.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/MCTargetOptions.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <stdexcept>

namespace amdgpu {

namespace {

void stop_here(Wave& wave, const Instruction& in) {
    wave.stop(Stop::unknown_instruction, in, "the emulator lacks this instruction");
}
void stop_outside(Wave& wave, const Instruction& in) {
    wave.stop(Stop::illegal_address, in, "a jump to where no code is");
}

uint32_t bits(uint64_t word, unsigned from, unsigned count) { return uint32_t(word >> from & ((1u << count) - 1)); }
int32_t signed_bits(uint64_t word, unsigned from, unsigned count) {
    return int32_t(bits(word, from, count) << (32 - count)) >> (32 - count);
}

/// LLVM's disassembler for one processor.
class Disassembler {
  public:
    explicit Disassembler(const Processor& processor) {
        static const bool once = [] {
            LLVMInitializeAMDGPUTargetInfo();
            LLVMInitializeAMDGPUTargetMC();
            LLVMInitializeAMDGPUDisassembler();
            return true;
        }();
        (void)once;
        const llvm::Triple triple("amdgcn-amd-amdhsa");
        std::string error;
        const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
        if (!target) throw std::runtime_error(error);
        registers_.reset(target->createMCRegInfo(triple));
        assembly_.reset(target->createMCAsmInfo(*registers_, triple, options_));
        instructions_.reset(target->createMCInstrInfo());
        subtarget_.reset(target->createMCSubtargetInfo(triple, processor.name, ""));
        context_ = std::make_unique<llvm::MCContext>(triple, assembly_.get(), registers_.get(), subtarget_.get());
        disassembler_.reset(target->createMCDisassembler(*subtarget_, *context_));
        printer_.reset(target->createMCInstPrinter(triple, 0, *assembly_, *instructions_, *registers_));
    }

    /// The mnemonic with the encoding's suffix; empty for words that are no instruction.
    std::string_view name(llvm::ArrayRef<uint8_t> bytes, uint64_t address, uint64_t& size) {
        llvm::MCInst inst;
        if (disassembler_->getInstruction(inst, size, bytes, address, llvm::nulls()) != llvm::MCDisassembler::Success)
            return {};
        std::string_view mnemonic = printer_->getMnemonic(inst).first;
        return mnemonic.substr(0, mnemonic.find_first_of(" \t"));
    }

  private:
    llvm::MCTargetOptions options_;
    std::unique_ptr<llvm::MCRegisterInfo> registers_;
    std::unique_ptr<llvm::MCAsmInfo> assembly_;
    std::unique_ptr<llvm::MCInstrInfo> instructions_;
    std::unique_ptr<llvm::MCSubtargetInfo> subtarget_;
    std::unique_ptr<llvm::MCContext> context_;
    std::unique_ptr<llvm::MCDisassembler> disassembler_;
    std::unique_ptr<llvm::MCInstPrinter> printer_;
};

std::string_view without_suffix(std::string_view name) {
    for (bool found = true; found;) {
        found = false;
        for (std::string_view suffix : {"_e32", "_e64", "_dpp", "_dpp8", "_sdwa"}) {
            if (!name.ends_with(suffix)) continue;
            name.remove_suffix(suffix.size());
            found = true;
        }
    }
    return name;
}

} // namespace

/// Reads the fields of one instruction (RDNA3 ISA chapter 15, "Microcode formats"; CDNA3 ISA chapter 13).
class Decoder {
  public:
    Decoder(Program& program, const Row& row, Instruction& in, std::span<const uint32_t> words)
        : program_(program), row_(row), in_(in), words_(words), gfx9_(program.processor_.gfx9) {
        in_.execute = row.execute;
        word_ = words[0] | (words.size() > 1 ? uint64_t{words[1]} << 32 : 0);
    }

    void decode() {
        const uint32_t w = words_[0];
        if (bits(w, 31, 1) == 0) return vector32();
        if (bits(w, 30, 2) == 2) return scalar();
        switch (bits(w, 26, 6)) {
        case 0x30:
        case 0x3d:
            return scalar_memory();
        case 0x32:
            return dual();
        case 0x34:
        case 0x35:
        case 0x33:
            if (bits(w, 24, 8) == (gfx9_ ? 0xd3u : 0xccu) && bits(w, 23, 1) == (gfx9_ ? 1u : 0u)) return packed();
            return vector64();
        case 0x36:
            return lds();
        case 0x37:
            return flat();
        default: // buffer and image instructions: those that there are rows for do nothing
            return;
        }
    }

    /// One half of a dual instruction is made so.
    static void finish(Program& program, Instruction& in) {
        const auto seen = [&](const Operand& o, unsigned width) {
            if (o.code < code::vector || o.code >= code::scratch) return;
            program.vector_registers_ = std::max(program.vector_registers_, o.code - code::vector + width);
        };
        // Up to 16 registers to a result; operands of 64 bits otherwise. Rows beyond what is used cost nothing.
        seen(in.destination, 16);
        for (const Operand& source : in.source) seen(source, 8);
    }

  private:
    Operand scalar_operand(uint32_t code) {
        Operand operand;
        if (gfx9_ && code == 124) code = code::m0;
        operand.code = uint16_t(code);
        if (code >= 128 && code <= 208) operand.value = uint32_t(inline_integer(operand.code));
        if (is_inline_float(operand.code)) operand.value = std::bit_cast<uint32_t>(float(inline_float(operand.code)));
        if (code == code::literal) operand.value = literal();
        return operand;
    }
    static Operand vgpr(uint32_t number) {
        Operand operand;
        operand.code = uint16_t(code::vector + number);
        return operand;
    }
    static Operand immediate(int32_t value) {
        Operand operand;
        operand.code = code::literal;
        operand.value = uint32_t(value);
        return operand;
    }
    Operand source_operand(uint32_t code) { return code >= 256 ? vgpr(code - 256) : scalar_operand(code); }
    bool is_half(unsigned operand) const { return row_.halves >> operand & 1; }
    uint32_t literal() const { return words_[std::min(base_words_, words_.size() - 1)]; }

    /// 32-bit forms number half registers: bit 7 is the upper half. GCN has none.
    Operand halved(Operand operand, unsigned position) const {
        if (!gfx9_ && is_half(position) && operand.is_vector() && (operand.code - code::vector) & 128) {
            operand.code = uint16_t(operand.code & ~128);
            operand.high = true;
        }
        return operand;
    }

    /// The first source of a 32-bit form, or of a 64-bit one on RDNA: 250, 233 and 234 stand for data from other lanes.
    Operand first_source(uint32_t code) {
        if (code != 250 && code != 233 && code != 234) return source_operand(code);
        const uint32_t word = words_[base_words_];
        Dpp& dpp = in_.dpp;
        dpp.on = true;
        dpp.eight = code != 250;
        if (dpp.eight) {
            dpp.fetch_inactive = code == 234;
            for (unsigned i = 0; i < 8; i++) dpp.select[i] = uint8_t(bits(word, 8 + 3 * i, 3));
        } else {
            dpp.control = uint16_t(bits(word, 8, 9));
            dpp.fetch_inactive = bits(word, 18, 1);
            dpp.bound_control = bits(word, 19, 1);
            dpp.bank_mask = uint8_t(bits(word, 24, 4));
            dpp.row_mask = uint8_t(bits(word, 28, 4));
        }
        return vgpr(bits(word, 0, 8));
    }
    /// DPP16 has the modifiers of a 32-bit form.
    void dpp_modifiers() {
        if (!in_.dpp.on || in_.dpp.eight) return;
        const uint32_t word = words_[base_words_];
        for (unsigned i = 0; i < 2; i++) {
            in_.source[i].negate = bits(word, 20 + 2 * i, 1);
            in_.source[i].absolute = bits(word, 21 + 2 * i, 1);
        }
    }

    void vector32() {
        const uint32_t w = words_[0];
        in_.source[0] = halved(first_source(bits(w, 0, 9)), 1);
        if (bits(w, 25, 7) == 0x3f) { // VOP1
            in_.destination = halved(vgpr(bits(w, 17, 8)), 0);
            if (row_.flags & scalar_result) in_.scalar_destination = scalar_operand(bits(w, 17, 8));
        } else if (bits(w, 25, 7) == 0x3e) { // VOPC
            in_.source[1] = halved(vgpr(bits(w, 9, 8)), 2);
            in_.scalar_destination.code = code::vcc;
        } else {
            in_.destination = halved(vgpr(bits(w, 17, 8)), 0);
            in_.source[1] = halved(vgpr(bits(w, 9, 8)), 2);
            in_.scalar_destination.code = code::vcc;
            if (row_.flags & carry_in) in_.source[2].code = code::vcc;
            if (row_.flags & reads_destination) in_.source[2] = in_.destination;
            if (row_.flags & constant_factor) {
                in_.source[2] = in_.source[1];
                in_.source[1] = immediate(int32_t(literal()));
            }
            if (row_.flags & constant_addend) in_.source[2] = immediate(int32_t(literal()));
        }
        dpp_modifiers();
        arrange_dpp();
    }

    void vector64() {
        base_words_ = 2;
        const uint64_t w = word_;
        in_.source[0] = first_source(bits(w, 32, 9));
        in_.source[1] = source_operand(bits(w, 41, 9));
        in_.source[2] = source_operand(bits(w, 50, 9));
        in_.clamp = bits(w, 15, 1);
        in_.output_modifier = uint8_t(bits(w, 59, 2));
        for (unsigned i = 0; i < 3; i++) {
            in_.source[i].negate = bits(w, 61 + i, 1);
            if (is_half(i + 1)) in_.source[i].high = bits(w, 11 + i, 1);
        }
        in_.destination = vgpr(bits(w, 0, 8));
        if (row_.flags & second_scalar) {
            in_.scalar_destination = scalar_operand(bits(w, 8, 7));
        } else {
            for (unsigned i = 0; i < 3; i++) in_.source[i].absolute = bits(w, 8 + i, 1);
            if (is_half(0)) in_.destination.high = bits(w, 14, 1);
            in_.select = uint8_t(bits(w, 11, 4));
        }
        if (row_.flags & scalar_result) in_.scalar_destination = scalar_operand(bits(w, 0, 8));
        if (row_.flags & reads_destination) in_.source[2] = in_.destination;
        if (in_.clamp && row_.clamped) in_.execute = row_.clamped;
        arrange_dpp();
    }

    void packed() {
        base_words_ = 2;
        const uint64_t w = word_;
        in_.destination = vgpr(bits(w, 0, 8));
        in_.source[0] = first_source(bits(w, 32, 9));
        in_.source[1] = source_operand(bits(w, 41, 9));
        in_.source[2] = source_operand(bits(w, 50, 9));
        in_.clamp = bits(w, 15, 1);
        in_.negate_high = uint8_t(bits(w, 8, 3));
        in_.negate_low = uint8_t(bits(w, 61, 3));
        in_.select = uint8_t(bits(w, 11, 3));
        in_.select_high = uint8_t(bits(w, 59, 2) | bits(w, 14, 1) << 2);
        arrange_dpp();
    }

    void scalar() {
        const uint32_t w = words_[0];
        const uint32_t top = bits(w, 23, 9);
        in_.offset = int16_t(bits(w, 0, 16));
        if (top == 0x17f) return; // SOPP
        if (top == 0x17d) {       // SOP1
            in_.source[0] = scalar_operand(bits(w, 0, 8));
            in_.destination = scalar_operand(bits(w, 16, 7));
        } else if (top == 0x17e) { // SOPC
            in_.source[0] = scalar_operand(bits(w, 0, 8));
            in_.source[1] = scalar_operand(bits(w, 8, 8));
        } else if (bits(w, 28, 4) == 0xb) { // SOPK
            in_.destination = scalar_operand(bits(w, 16, 7));
            in_.source[0] = in_.destination;
            in_.source[1] = immediate(in_.offset);
            if (words_.size() > 1) in_.source[2] = immediate(int32_t(words_[1]));
        } else { // SOP2
            in_.source[0] = scalar_operand(bits(w, 0, 8));
            in_.source[1] = scalar_operand(bits(w, 8, 8));
            in_.destination = scalar_operand(bits(w, 16, 7));
        }
    }

    void scalar_memory() {
        const uint64_t w = word_;
        in_.source[0] = scalar_operand(bits(w, 0, 6) * 2);
        in_.destination = scalar_operand(bits(w, 6, 7));
        in_.offset = signed_bits(w, 32, 21);
        if (!gfx9_ || bits(w, 14, 1)) in_.source[1] = scalar_operand(bits(w, 57, 7));
        if (gfx9_ && !bits(w, 17, 1)) { // the offset is a register
            in_.source[1] = scalar_operand(bits(w, 32, 7));
            in_.offset = 0;
        }
    }

    void lds() {
        const uint64_t w = word_;
        in_.second_offset = bits(w, 8, 8);
        in_.offset = int32_t(bits(w, 0, 16));
        const unsigned accumulation = gfx9_ && bits(w, 25, 1) ? 256 : 0;
        in_.source[0] = vgpr(bits(w, 32, 8));
        in_.source[1] = vgpr(bits(w, 40, 8) + accumulation);
        in_.source[2] = vgpr(bits(w, 48, 8) + accumulation);
        in_.destination = vgpr(bits(w, 56, 8) + accumulation);
    }

    void flat() {
        const uint64_t w = word_;
        in_.offset = signed_bits(w, 0, 13);
        const unsigned segment = gfx9_ ? bits(w, 14, 2) : bits(w, 16, 2);
        const unsigned accumulation = gfx9_ && bits(w, 55, 1) ? 256 : 0;
        in_.source[0] = vgpr(bits(w, 32, 8));
        in_.source[1] = vgpr(bits(w, 40, 8) + accumulation);
        in_.destination = vgpr(bits(w, 56, 8) + accumulation);
        in_.returns = gfx9_ ? bits(w, 16, 1) : bits(w, 14, 1);
        uint32_t base = bits(w, 48, 7);
        if (base == 0x7f || (segment == 0) || (!gfx9_ && base == code::null)) base = code::null;
        in_.source[2].code = uint16_t(base);
        if (segment == 1) in_.has_address = bits(w, gfx9_ ? 13 : 55, 1);
        // The flat form knows no negative offsets before RDNA3.
        if (segment == 0 && gfx9_) in_.offset = int32_t(bits(w, 0, 12));
    }

    void dual();
    void arrange_dpp();

    Program& program_;
    const Row& row_;
    Instruction& in_;
    const std::span<const uint32_t> words_;
    const bool gfx9_;
    uint64_t word_ = 0;
    size_t base_words_ = 1; ///< before a literal or the DPP word
};

namespace {

/// The halves of dual instructions, by their 5-bit number.
constexpr std::string_view dual_names[] = {
    "v_fmac_f32", "v_fmaak_f32",  "v_fmamk_f32",        "v_mul_f32",          "v_add_f32",
    "v_sub_f32",  "v_subrev_f32", "v_mul_dx9_zero_f32", "v_mov_b32",          "v_cndmask_b32",
    "v_max_f32",  "v_min_f32",    "v_dot2acc_f32_f16",  "v_dot2acc_f32_bf16", "",
    "",           "v_add_nc_u32", "v_lshlrev_b32",      "v_and_b32"};

/// Both read before either writes: the first writes to a row of its own.
void run_dual(Wave& wave, const Instruction& in) {
    const Instruction& first = wave.program.extra(in, 0);
    const Instruction& second = wave.program.extra(in, 1);
    first.execute(wave, first);
    second.execute(wave, second);
    const uint32_t* from = wave.row(code::scratch);
    uint32_t* to = wave.row(in.destination.code);
    for (unsigned i = 0; i < wave.lanes; i++) to[i] = (to[i] & ~wave.mask[i]) | (from[i] & wave.mask[i]);
}

/// The lane that DPP16 takes a lane's data from; -1 where there is none. RDNA3 ISA 7.5, "Data parallel processing".
int dpp_source(unsigned lane, unsigned control) {
    const unsigned row = lane & ~15u, in_row = lane & 15;
    if (control < 0x100) return int((lane & ~3u) | (control >> 2 * (lane & 3) & 3));
    const unsigned amount = control & 15;
    switch (control & 0x1f0) {
    case 0x100: // row_shl
        return in_row + amount < 16 ? int(lane + amount) : -1;
    case 0x110: // row_shr
        return in_row >= amount ? int(lane - amount) : -1;
    case 0x120: // row_ror
        return int(row | ((in_row - amount) & 15));
    case 0x150: // row_share; GCN: row_newbcast
        return int(row | amount);
    case 0x160: // row_xmask
        return int(row | (in_row ^ amount));
    default:
        break;
    }
    switch (control) {
    case 0x140: // row_mirror
        return int(row | (15 - in_row));
    case 0x141: // row_half_mirror
        return int((lane & ~7u) | (7 - (lane & 7)));
    case 0x142: // row_bcast:15, GCN: the last lane of the row before
        return row ? int(row - 1) : -1;
    case 0x143: // row_bcast:31
        return lane >= 32 ? 31 : -1;
    case 0x130: // wave_shl
        return int(lane) + 1;
    case 0x138: // wave_shr
        return int(lane) - 1;
    default:
        return -2;
    }
}

void run_dpp(Wave& wave, const Instruction& in) {
    Instruction moved = wave.program.extra(in, 0);
    const Dpp& dpp = in.dpp;
    const uint32_t* from = wave.row(in.source[0].code);
    uint32_t* to = wave.row(moved.source[0].code);
    const uint64_t exec = wave.exec();
    uint64_t writing = exec;
    for (unsigned lane = 0; lane < wave.lanes; lane++) {
        int source = dpp.eight ? int((lane & ~7u) | dpp.select[lane & 7]) : dpp_source(lane, dpp.control);
        if (source == -2) wave.stop(Stop::unknown_instruction, in, "an unknown dpp_ctrl");
        if (source >= int(wave.lanes)) source = -1;
        if (source >= 0 && !(exec >> source & 1) && !dpp.fetch_inactive) source = -1;
        to[lane] = source >= 0 ? from[source] : 0;
        // Without data a lane is not written, unless bound_ctrl makes it zero.
        if (source < 0 && !dpp.bound_control && !dpp.eight) writing &= ~(uint64_t{1} << lane);
        if (!(dpp.row_mask >> (lane / 16 & 3) & 1) || !(dpp.bank_mask >> (lane / 4 & 3) & 1))
            writing &= ~(uint64_t{1} << lane);
    }
    const uint32_t low = wave.scalars[code::exec], high = wave.scalars[code::exec + 1];
    wave.write_mask(code::exec, writing);
    moved.execute(wave, moved);
    wave.scalars[code::exec] = low;
    wave.scalars[code::exec + 1] = high;
    wave.refresh_mask();
}

} // namespace

void Decoder::arrange_dpp() {
    if (!in_.dpp.on) return;
    Instruction inner = in_;
    inner.source[0].code = code::scratch + 1;
    in_.extra = uint32_t(program_.extras_.size());
    program_.extras_.push_back(inner);
    in_.execute = run_dpp;
    // Comparisons write bits of all lanes: which lanes stand still there is another matter.
    if (row_.flags & scalar_result) in_.execute = stop_here;
}

void Decoder::dual() {
    base_words_ = 2;
    const uint64_t w = word_;
    const uint32_t numbers[2] = {bits(w, 22, 4), bits(w, 17, 5)};
    const uint32_t sources[2][2] = {{bits(w, 0, 9), bits(w, 9, 8)}, {bits(w, 32, 9), bits(w, 41, 8)}};
    const uint32_t first_destination = bits(w, 56, 8);
    const uint32_t destinations[2] = {first_destination, bits(w, 49, 7) << 1 | (~first_destination & 1)};
    in_.destination = vgpr(first_destination);
    in_.extra = uint32_t(program_.extras_.size());
    in_.execute = run_dual;
    for (unsigned half = 0; half < 2; half++) {
        const std::string_view name = numbers[half] < std::size(dual_names) ? dual_names[numbers[half]] : "";
        const Row* row = name.empty() ? nullptr : find_row(name);
        if (!row) {
            in_.execute = stop_here;
            return;
        }
        Instruction one = in_;
        one.execute = row->execute;
        one.name = program_.names_.emplace_back(name).c_str();
        one.source[0] = source_operand(sources[half][0]);
        one.source[1] = vgpr(sources[half][1]);
        one.destination = vgpr(destinations[half]);
        if (row->flags & carry_in) one.source[2].code = code::vcc;
        if (row->flags & reads_destination) one.source[2] = one.destination;
        if (row->flags & constant_factor) {
            one.source[2] = one.source[1];
            one.source[1] = immediate(int32_t(literal()));
        }
        if (row->flags & constant_addend) one.source[2] = immediate(int32_t(literal()));
        finish(program_, one);
        if (half == 0) one.destination.code = code::scratch;
        program_.extras_.push_back(one);
    }
}

Processor Processor::of(std::string_view name) {
    Processor processor{std::string(name), false, 32};
    if (name == "gfx1100" || name == "gfx1101" || name == "gfx1102" || name == "gfx1151") return processor;
    processor.gfx9 = true;
    processor.lanes = 64;
    if (name == "gfx90a" || name == "gfx942") return processor;
    throw std::runtime_error(fmt::format("the emulator has no rules for processor {}", name));
}

Program::Program(const Processor& processor, std::span<const uint8_t> code, uint64_t address)
    : processor_(processor), address_(address), index_(code.size() / 4) {
    Disassembler disassembler(processor);
    std::unordered_map<std::string_view, const char*> names;
    const auto keep = [&](std::string_view name) {
        auto found = names.find(name);
        if (found != names.end()) return found->second;
        const std::string& kept = names_.emplace_back(name);
        return names[kept] = kept.c_str();
    };
    for (size_t at = 0; at + 4 <= code.size();) {
        uint64_t size = 4;
        const std::string_view name = disassembler.name({code.data() + at, code.size() - at}, address + at, size);
        if (name.empty() || size == 0) size = 4;
        Instruction in;
        in.name = name.empty() ? "undecodable word" : keep(name);
        in.address = address + at;
        in.next_address = address + at + size;
        in.next = uint32_t(instructions_.size() + 1);
        in.execute = stop_here;
        std::vector<uint32_t> words(size / 4);
        std::memcpy(words.data(), code.data() + at, size);
        // A dual instruction's mnemonic is that of its first half.
        const bool is_dual = name.starts_with("v_dual_");
        static const Row dual_row;
        const Row* row = is_dual ? &dual_row : find_row(without_suffix(name));
        if (row) {
            Decoder(*this, *row, in, words).decode();
            Decoder::finish(*this, in);
        }
        for (size_t word = at / 4; word < (at + size) / 4; word++) index_[word] = word == at / 4 ? in.next - 1 : ~0u;
        instructions_.push_back(in);
        at += size;
    }
    Instruction end;
    end.name = "end of code";
    end.execute = stop_outside;
    end.address = end.next_address = address + code.size();
    instructions_.push_back(end);
}

uint32_t Program::at(uint64_t address) const {
    const uint64_t word = (address - address_) / 4;
    if (address < address_ || word >= index_.size() || index_[word] == ~0u) return uint32_t(instructions_.size() - 1);
    return index_[word];
}

std::string Program::place(const Instruction& in) const {
    return fmt::format("{} code+{:#x}", processor_.name, in.address - address_);
}

} // namespace amdgpu
