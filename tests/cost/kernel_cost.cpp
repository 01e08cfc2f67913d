// kernel_cost check|update GPU FOLDER FILE.ptx ... [PEER.hsaco ...]: what the code of each kernel of
// FOLDER/launches.tsv costs on a chip that the emulator runs. `check` compares with FOLDER/GPU.tsv: a figure that has
// grown fails. `update` writes that table, with the figures of the peer's code beside ours. Both print the geometric
// means of ours over the peer's, and how fast the emulator is.
#include "disassembly.h"
#include "dispatch.h"
#include "launches.h"
#include "table.h"

#include "ptx/translate.h"

#include <ctime>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <map>

namespace cost {
namespace {

constexpr Figure figures[] = {
    {"executed", true}, {"instructions", true}, {"registers", true}, {"lds", false}, {"scratch", false}};
using Cost = std::vector<uint64_t>;

std::vector<uint8_t> read_file(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    if (!file) throw std::runtime_error(name + ": cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

/// What the emulator itself costs: wave instructions, and the processor's time for them.
struct {
    uint64_t instructions = 0;
    std::clock_t time = 0;
} emulated;

/// Wave instructions that the launch executes.
uint64_t execute(const amdgpu::Kernel& kernel, const Launch& launch, bool is_peer) {
    Arguments arguments(launch);
    if (!is_peer) arguments.append_services();
    amdgpu::Dispatch dispatch;
    dispatch.kernel = &kernel;
    dispatch.groups = launch.grid;
    dispatch.threads = launch.block;
    dispatch.arguments = arguments.packed;
    for (std::vector<uint32_t>& buffer : arguments.buffers) {
        const auto begin = reinterpret_cast<uint64_t>(buffer.data());
        dispatch.memory.push_back({begin, begin + buffer.size() * sizeof(uint32_t)});
    }
    std::sort(dispatch.memory.begin(), dispatch.memory.end(),
              [](const amdgpu::Range& a, const amdgpu::Range& b) { return a.begin < b.begin; });
    try {
        const std::clock_t start = std::clock();
        const uint64_t executed = amdgpu::run(dispatch).wave_instructions;
        emulated.time += std::clock() - start;
        emulated.instructions += executed;
        return executed;
    } catch (const amdgpu::Stop& stop) {
        throw std::runtime_error(launch.kernel + ": " + stop.message);
    }
}

/// Of the kernels that the code object has.
std::map<std::string, Cost> measure(const std::string& gpu, const std::vector<uint8_t>& bytes,
                                    const std::vector<Launch>& launches, bool is_peer) {
    const amdgpu::CodeObject code(bytes);
    std::map<std::string, Cost> costs;
    const auto functions = amdgpu::disassemble(gpu, bytes);
    for (const Launch& launch : launches) {
        const amdgpu::Kernel* kernel = code.kernel(launch.kernel);
        if (!kernel) continue;
        const auto function =
            std::find_if(functions.begin(), functions.end(), [&](const auto& f) { return f.name == launch.kernel; });
        if (function == functions.end()) throw std::runtime_error(launch.kernel + ": has no code");
        costs[launch.kernel] = {execute(*kernel, launch, is_peer), function->instructions, kernel->vector_registers,
                                kernel->descriptor.group_segment_fixed_size,
                                kernel->descriptor.private_segment_fixed_size};
    }
    return costs;
}

std::vector<uint8_t> translated(const std::string& gpu, const std::string& file) {
    const std::vector<uint8_t> bytes = read_file(file);
    const std::string_view sources[] = {{reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
    ptx::Request request;
    request.sources = sources;
    request.target = ptx::Target::parse("amdgcn:" + gpu);
    const ptx::Image image = ptx::translate(request);
    for (const ptx::KernelInfo& kernel : image.kernels)
        if (!kernel.error.empty()) throw std::runtime_error(file + ": " + kernel.name + ": " + kernel.error);
    return image.code;
}

int go(const std::string& mode, const std::string& gpu, const std::string& folder, std::span<char*> files) {
    const std::vector<Launch> launches = read_launches(folder + "/launches.tsv");
    const std::string table_file = folder + "/" + gpu + ".tsv";
    const Table stored(figures, table_file);
    Table now(figures);
    for (const std::string file : files) {
        const bool is_peer = !file.ends_with(".ptx");
        for (const auto& [kernel, cost] :
             measure(gpu, is_peer ? read_file(file) : translated(gpu, file), launches, is_peer))
            (is_peer ? now[kernel].peer : now[kernel].ours) = cost;
    }
    fmt::print("{}: the emulator ran {:.1f} million wave instructions a second of processor time\n", gpu,
               double(emulated.instructions) / (double(emulated.time) / CLOCKS_PER_SEC) / 1e6);
    if (mode == "update") {
        now.write(table_file);
        now.print_means(gpu);
        return 0;
    }
    now.take_peer_from(stored);
    if (stored.compare(now) || now.empty()) return 1;
    now.print_means(gpu);
    return 0;
}

} // namespace
} // namespace cost

int main(int argc, char** argv) {
    const std::string mode = argc > 1 ? argv[1] : "";
    if (argc < 5 || (mode != "check" && mode != "update")) {
        fmt::print(stderr, "usage: kernel_cost check|update GPU FOLDER FILE.ptx ... [PEER.hsaco ...]\n");
        return 2;
    }
    try {
        return cost::go(mode, argv[2], argv[3], {argv + 4, static_cast<size_t>(argc - 4)});
    } catch (const std::exception& error) {
        fmt::print(stderr, "kernel_cost: {}\n", error.what());
        return 1;
    }
}
