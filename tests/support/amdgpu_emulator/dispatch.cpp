#include "dispatch.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fmt/format.h>
#include <immintrin.h>
#include <mutex>
#include <optional>
#include <thread>

namespace amdgpu {

namespace {

using namespace llvm::amdhsa;

/// hsa_kernel_dispatch_packet_t, as far as kernels look at it.
struct Packet {
    uint16_t header = 0, setup = 3, size[3]{}, reserved = 0;
    uint32_t grid[3]{}, private_bytes = 0, group_bytes = 0;
    uint64_t kernel = 0, kernarg = 0, reserved2 = 0, signal = 0;
};
static_assert(sizeof(Packet) == 64);

template <class T> void put(std::vector<uint8_t>& bytes, uint32_t offset, T value) {
    if (offset + sizeof value <= bytes.size()) std::memcpy(bytes.data() + offset, &value, sizeof value);
}

/// The kernarg segment: explicit arguments, then the hidden ones that the metadata asks for.
std::vector<uint8_t> kernarg_of(const Dispatch& dispatch) {
    std::vector<uint8_t> bytes(std::max<size_t>(dispatch.kernel->kernarg_bytes, dispatch.arguments.size()) + 16);
    std::copy(dispatch.arguments.begin(), dispatch.arguments.end(), bytes.begin());
    for (const Argument& argument : dispatch.kernel->arguments) {
        const std::string_view kind = argument.kind;
        const unsigned axis = kind.ends_with("_x") ? 0 : kind.ends_with("_y") ? 1 : 2;
        if (kind.starts_with("hidden_block_count_")) put(bytes, argument.offset, dispatch.groups[axis]);
        if (kind.starts_with("hidden_group_size_")) put(bytes, argument.offset, uint16_t(dispatch.threads[axis]));
        if (kind == "hidden_grid_dims") put(bytes, argument.offset, uint16_t{3});
        if (kind == "hidden_dynamic_lds_size") put(bytes, argument.offset, dispatch.dynamic_lds_bytes);
        if (kind == "hidden_private_base") put(bytes, argument.offset, private_aperture);
        if (kind == "hidden_shared_base") put(bytes, argument.offset, shared_aperture);
    }
    return bytes;
}

/// What all groups of a launch have in common.
struct Setup {
    explicit Setup(const Dispatch& dispatch)
        : launch(dispatch), kernel(*dispatch.kernel), kernarg(kernarg_of(dispatch)) {
        const auto& d = kernel.descriptor;
        lanes =
            kernel.code->processor().gfx9 || !(d.kernel_code_properties & KERNEL_CODE_PROPERTY_ENABLE_WAVEFRONT_SIZE32)
                ? 64
                : 32;
        threads = dispatch.threads[0] * dispatch.threads[1] * dispatch.threads[2];
        lds_bytes = d.group_segment_fixed_size + dispatch.dynamic_lds_bytes;
        scratch_bytes = d.private_segment_fixed_size + (kernel.dynamic_stack ? dispatch.stack_bytes : 0);
        for (unsigned i = 0; i < 3; i++) {
            packet.size[i] = uint16_t(dispatch.threads[i]);
            packet.grid[i] = dispatch.groups[i] * dispatch.threads[i];
        }
        packet.private_bytes = scratch_bytes;
        packet.group_bytes = lds_bytes;
        packet.kernel = kernel.descriptor_address;
        packet.kernarg = reinterpret_cast<uint64_t>(kernarg.data());
        memory = dispatch.memory;
        for (Range range :
             {Range{kernel.code->begin(), kernel.code->end()}, Range{packet.kernarg, packet.kernarg + kernarg.size()},
              Range{reinterpret_cast<uint64_t>(&packet), reinterpret_cast<uint64_t>(&packet + 1)}})
            memory.push_back(range);
        entry = kernel.code->program().at(kernel.entry);
    }

    const Dispatch& launch;
    const Kernel& kernel;
    const std::vector<uint8_t> kernarg;
    Packet packet;
    unsigned lanes = 32, threads = 1;
    uint32_t lds_bytes = 0, scratch_bytes = 0, entry = 0;
    std::vector<Range> memory;
};

/// Registers as a kernel finds them (LLVM's AMDGPU usage: "Initial kernel execution state").
void initialise(Wave& wave, const Setup& setup, const Group& group) {
    const auto& d = setup.kernel.descriptor;
    const auto has = [&](int property) { return (d.kernel_code_properties & property) != 0; };
    unsigned next = 0;
    const auto pair = [&](uint64_t value) {
        wave.write64(uint16_t(next), value);
        next += 2;
    };
    if (has(KERNEL_CODE_PROPERTY_ENABLE_SGPR_PRIVATE_SEGMENT_BUFFER)) next += 4;
    if (has(KERNEL_CODE_PROPERTY_ENABLE_SGPR_DISPATCH_PTR)) pair(reinterpret_cast<uint64_t>(&setup.packet));
    if (has(KERNEL_CODE_PROPERTY_ENABLE_SGPR_QUEUE_PTR)) pair(0);
    if (has(KERNEL_CODE_PROPERTY_ENABLE_SGPR_KERNARG_SEGMENT_PTR)) pair(setup.packet.kernarg);
    if (has(KERNEL_CODE_PROPERTY_ENABLE_SGPR_DISPATCH_ID)) pair(0);
    if (has(KERNEL_CODE_PROPERTY_ENABLE_SGPR_FLAT_SCRATCH_INIT)) pair(0);
    if (has(KERNEL_CODE_PROPERTY_ENABLE_SGPR_PRIVATE_SEGMENT_SIZE)) wave.write(uint16_t(next++), setup.scratch_bytes);
    const unsigned preloaded = d.kernarg_preload & KERNARG_PRELOAD_SPEC_LENGTH;
    const unsigned from = AMDHSA_BITS_GET(d.kernarg_preload, KERNARG_PRELOAD_SPEC_OFFSET);
    for (unsigned i = 0; i < preloaded; i++) {
        uint32_t word = 0;
        std::memcpy(&word, setup.kernarg.data() + 4 * (from + i), 4);
        wave.write(uint16_t(next++), word);
    }
    next = AMDHSA_BITS_GET(d.compute_pgm_rsrc2, COMPUTE_PGM_RSRC2_GFX6_GFX120_USER_SGPR_COUNT);
    constexpr int ids[] = {COMPUTE_PGM_RSRC2_ENABLE_SGPR_WORKGROUP_ID_X, COMPUTE_PGM_RSRC2_ENABLE_SGPR_WORKGROUP_ID_Y,
                           COMPUTE_PGM_RSRC2_ENABLE_SGPR_WORKGROUP_ID_Z};
    for (unsigned axis = 0; axis < 3; axis++)
        if (d.compute_pgm_rsrc2 & uint32_t(ids[axis])) wave.write(uint16_t(next++), group.id[axis]);
    if (d.compute_pgm_rsrc2 & COMPUTE_PGM_RSRC2_ENABLE_SGPR_WORKGROUP_INFO) next++;

    const uint32_t first = wave.number * setup.lanes;
    uint64_t active = 0;
    const auto& size = setup.launch.threads;
    for (unsigned i = 0; i < setup.lanes && first + i < setup.threads; i++) {
        const uint32_t thread = first + i;
        active |= uint64_t{1} << i;
        wave.row(code::vector)[i] =
            thread % size[0] | (thread / size[0] % size[1]) << 10 | (thread / (size[0] * size[1])) << 20;
    }
    wave.write_mask(code::exec, active);
    const uint32_t one = d.compute_pgm_rsrc1;
    wave.mode = AMDHSA_BITS_GET(one, COMPUTE_PGM_RSRC1_FLOAT_ROUND_MODE_32) |
                AMDHSA_BITS_GET(one, COMPUTE_PGM_RSRC1_FLOAT_ROUND_MODE_16_64) << 2 |
                AMDHSA_BITS_GET(one, COMPUTE_PGM_RSRC1_FLOAT_DENORM_MODE_32) << 4 |
                AMDHSA_BITS_GET(one, COMPUTE_PGM_RSRC1_FLOAT_DENORM_MODE_16_64) << 6 |
                AMDHSA_BITS_GET(one, COMPUTE_PGM_RSRC1_GFX6_GFX11_ENABLE_DX10_CLAMP) << 8 |
                AMDHSA_BITS_GET(one, COMPUTE_PGM_RSRC1_GFX6_GFX11_ENABLE_IEEE_MODE) << 9;
    wave.pc = setup.entry;
    // Code for chips that preload arguments has, in front, a loader for firmware that does not.
    if (preloaded) wave.pc = wave.program.at(setup.kernel.entry + 256);
}

/// A group and its waves, which take turns.
class GroupRun {
  public:
    GroupRun(const Setup& setup, uint64_t index) : setup_(setup) {
        const auto& groups = setup.launch.groups;
        group_.id[0] = uint32_t(index % groups[0]);
        group_.id[1] = uint32_t(index / groups[0] % groups[1]);
        group_.id[2] = uint32_t(index / (uint64_t{groups[0]} * groups[1]));
        group_.lds.resize(setup.lds_bytes);
        group_.memory = setup.memory;
        group_.scratch_bytes = setup.scratch_bytes;
        const Program& program = setup.kernel.code->program();
        const unsigned waves = (setup.threads + setup.lanes - 1) / setup.lanes;
        for (unsigned i = 0; i < waves; i++) {
            waves_.push_back(std::make_unique<Wave>(group_, program, setup.lanes, program.vector_registers()));
            waves_.back()->number = i;
            initialise(*waves_.back(), setup, group_);
        }
    }

    /// Gives every wave a turn; false when all have ended.
    bool turn() {
        size_t waiting = 0, ended = 0;
        for (auto& wave : waves_) {
            if (wave->state == WaveState::running) slice(*wave);
            if (wave->state == WaveState::yielding) wave->state = WaveState::running;
            waiting += wave->state == WaveState::at_barrier;
            ended += wave->state == WaveState::ended;
        }
        if (waiting && waiting + ended == waves_.size())
            for (auto& wave : waves_)
                if (wave->state == WaveState::at_barrier) wave->state = WaveState::running;
        return ended != waves_.size();
    }

    uint64_t executed() const {
        uint64_t sum = 0;
        for (const auto& wave : waves_) sum += wave->executed;
        return sum;
    }

  private:
    static constexpr unsigned instructions_a_turn = 20000;

    void slice(Wave& wave) const {
        const Program& program = wave.program;
        unsigned done = 0;
        while (done < instructions_a_turn) {
            const Instruction& in = program[wave.pc];
            wave.pc = in.next;
            done++;
            in.execute(wave, in);
            if (wave.state != WaveState::running) break;
        }
        wave.executed += done;
        const uint64_t limit = setup_.launch.instruction_limit;
        if (limit && wave.executed > limit)
            throw Stop{Stop::trap, fmt::format("{}: more than {} instructions", setup_.kernel.name, limit)};
    }

    const Setup& setup_;
    Group group_;
    std::vector<std::unique_ptr<Wave>> waves_;
};

/// Restores the host's rounding and exceptions when a thread is done with waves.
struct HostMode {
    const unsigned saved = _mm_getcsr();
    ~HostMode() { _mm_setcsr(saved); }
};

} // namespace

Executed run(const Dispatch& dispatch) {
    const Setup setup(dispatch);
    const uint64_t groups = uint64_t{dispatch.groups[0]} * dispatch.groups[1] * dispatch.groups[2];
    std::atomic<uint64_t> next = 0, executed = 0;
    std::atomic<bool> stopped = false;
    std::mutex mutex;
    std::optional<Stop> stop;
    const auto fail = [&](const Stop& why) {
        std::lock_guard lock(mutex);
        if (!stop) stop = why;
        stopped = true;
    };
    const auto work = [&] {
        const HostMode host;
        try {
            for (uint64_t index; !stopped && (index = next++) < groups;) {
                GroupRun group(setup, index);
                while (!stopped && group.turn()) {
                }
                executed += group.executed();
            }
        } catch (const Stop& why) {
            fail(why);
        }
    };
    if (dispatch.all_resident) {
        const HostMode host;
        std::vector<std::unique_ptr<GroupRun>> all;
        for (uint64_t i = 0; i < groups; i++) all.push_back(std::make_unique<GroupRun>(setup, i));
        for (bool more = true; more;) {
            more = false;
            for (auto& group : all) more |= group->turn();
        }
        for (auto& group : all) executed += group->executed();
    } else {
        const unsigned workers =
            unsigned(std::min<uint64_t>(groups, std::max(1u, std::thread::hardware_concurrency())));
        std::vector<std::thread> threads;
        // A small launch is done sooner than threads have started.
        if (groups * setup.threads >= 4096)
            for (unsigned i = 1; i < workers; i++) threads.emplace_back(work);
        work();
        for (std::thread& thread : threads) thread.join();
    }
    if (stop) throw *stop;
    return {executed};
}

} // namespace amdgpu
