// spirv_cost check|update FOLDER FILE.ptx ... [PEER.spv ...]: what the SPIR-V of each kernel of FOLDER/launches.tsv
// costs, counted by the interpreter. `check` compares with FOLDER/spirv.tsv: a figure that has grown fails. `update`
// writes that table, with the figures of the peer's code beside ours. Both print the geometric means of ours over the
// peer's.
#include "launch.h"
#include "launches.h"
#include "module.h"
#include "table.h"
#include "warp.h"

#include "ptx/spirv_arguments.h"
#include "ptx/translate.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

namespace cost {
namespace {

constexpr Figure figures[] = {{"executed", true}, {"instructions", true}, {"private", false}};

std::vector<uint8_t> read_file(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    if (!file) throw std::runtime_error(name + ": cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

spirv_machine::Argument number(uint64_t value) {
    spirv_machine::Argument argument;
    argument.bytes = sizeof value;
    argument.value.resize(sizeof value);
    std::copy_n(reinterpret_cast<const uint8_t*>(&value), sizeof value, argument.value.begin());
    return argument;
}

/// As the Level Zero back end gives them (docs/neutral_ir.md, "SPIR-V").
std::vector<spirv_machine::Argument> our_arguments(const ptx::KernelInfo& info, Arguments& arguments) {
    const uint32_t shared_bytes = (info.static_shared_bytes + 15) & ~15u;
    spirv_machine::Argument shared;
    shared.bytes = std::max(shared_bytes, 16u);
    std::vector<spirv_machine::Argument> list{number(reinterpret_cast<uint64_t>(arguments.packed.data())), number(0),
                                              shared};
    if (info.uses_services) {
        // A block in which nobody asks for anything, and no workspace.
        list.push_back(number(reinterpret_cast<uint64_t>(arguments.buffers.emplace_back(1024).data())));
        list.push_back(number(0));
    }
    for (const ptx::ParameterInfo& part : ptx::spirv_arguments(info)) {
        const auto begin = arguments.packed.begin() + part.offset;
        list.emplace_back().bytes = part.size;
        list.back().value.assign(begin, begin + part.size);
    }
    return list;
}

std::vector<spirv_machine::Argument> peer_arguments(const Arguments& arguments) {
    std::vector<spirv_machine::Argument> list;
    for (const std::vector<uint8_t>& value : arguments.values) {
        list.emplace_back().bytes = value.size();
        list.back().value = value;
    }
    return list;
}

template <class T> spirv_machine::Range range_of(const std::vector<T>& vector) {
    const auto begin = reinterpret_cast<uint64_t>(vector.data());
    return {begin, begin + vector.size() * sizeof(T)};
}

/// `info`: null for the peer's.
std::vector<uint64_t> measure(const spirv_machine::Module& module, const spirv_machine::Kernel& kernel,
                              const ptx::KernelInfo* info, const Launch& wanted) {
    Arguments arguments(wanted);
    spirv_machine::Launch launch;
    launch.module = &module;
    launch.kernel = &kernel;
    launch.groups = wanted.grid;
    launch.size = wanted.block;
    launch.arguments = info ? our_arguments(*info, arguments) : peer_arguments(arguments);
    launch.memory.push_back(range_of(arguments.packed));
    for (const auto& buffer : arguments.buffers) launch.memory.push_back(range_of(buffer));
    std::sort(launch.memory.begin(), launch.memory.end(),
              [](const auto& a, const auto& b) { return a.begin < b.begin; });
    // Of the stack: built-in variables, which the interpreter keeps beside, are registers.
    uint64_t private_bytes = 0;
    for (const spirv_machine::Variable& variable : kernel.variables)
        if (variable.storage == spirv_machine::storage_function) private_bytes += variable.bytes;
    return {spirv_machine::run(launch), kernel.instructions, private_bytes};
}

ptx::Image translated(const std::string& file) {
    const std::vector<uint8_t> bytes = read_file(file);
    const std::string_view sources[] = {{reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
    ptx::Request request;
    request.sources = sources;
    request.target = ptx::Target::parse("spirv");
    ptx::Image image = ptx::translate(request);
    for (const ptx::KernelInfo& kernel : image.kernels)
        if (!kernel.error.empty()) throw std::runtime_error(file + ": " + kernel.name + ": " + kernel.error);
    return image;
}

void measure(const std::string& file, const std::vector<Launch>& launches, Table& table) {
    const bool is_peer = !file.ends_with(".ptx");
    const ptx::Image image = is_peer ? ptx::Image{{}, {}, {}, read_file(file)} : translated(file);
    const spirv_machine::Module module(image.code);
    for (const Launch& launch : launches) {
        const spirv_machine::Kernel* kernel = module.kernel(launch.kernel);
        if (!kernel) continue;
        const auto info = std::find_if(image.kernels.begin(), image.kernels.end(),
                                       [&](const auto& each) { return each.name == launch.kernel; });
        Table::Row& row = table[launch.kernel];
        (is_peer ? row.peer : row.ours) = measure(module, *kernel, is_peer ? nullptr : &*info, launch);
    }
}

int go(const std::string& mode, const std::string& folder, std::span<char*> files) {
    const std::vector<Launch> launches = read_launches(folder + "/launches.tsv");
    const std::string table_file = folder + "/spirv.tsv";
    const Table stored(figures, table_file);
    Table now(figures);
    for (const char* file : files) measure(file, launches, now);
    if (mode == "update") {
        now.write(table_file);
        now.print_means("spirv");
        return 0;
    }
    now.take_peer_from(stored);
    if (stored.compare(now) || now.empty()) return 1;
    now.print_means("spirv");
    return 0;
}

} // namespace
} // namespace cost

int main(int argc, char** argv) {
    const std::string mode = argc > 1 ? argv[1] : "";
    if (argc < 4 || (mode != "check" && mode != "update")) {
        fmt::print(stderr, "usage: spirv_cost check|update FOLDER FILE.ptx ... [PEER.spv ...]\n");
        return 2;
    }
    try {
        return cost::go(mode, argv[2], {argv + 3, static_cast<size_t>(argc - 3)});
    } catch (const std::exception& error) {
        fmt::print(stderr, "spirv_cost: {}\n", error.what());
        return 1;
    }
}
