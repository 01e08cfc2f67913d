#include "ptx/image.h"

#include "ptx/spirv_target.h"

#include <algorithm>
#include <stdexcept>

namespace ptx {
namespace {

struct ArchName {
    Arch arch;
    std::string_view name;
};
constexpr ArchName arch_names[] = {{Arch::host, "host"}, {Arch::amdgcn, "amdgcn"}, {Arch::spirv, "spirv"}};

template <class T> const T* find_by_name(const std::vector<T>& all, std::string_view name) {
    auto found = std::find_if(all.begin(), all.end(), [&](const T& one) { return one.name == name; });
    return found == all.end() ? nullptr : &*found;
}

/// Takes what stands before the next ':' off `text`.
std::string_view next_part(std::string_view& text) {
    const size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    text = colon == text.npos ? std::string_view{} : text.substr(colon + 1);
    return part;
}

} // namespace

std::string Target::name() const {
    std::string text;
    for (const ArchName& row : arch_names)
        if (row.arch == arch) text = row.name;
    if (!cpu.empty() || !features.empty()) text += ":" + cpu;
    if (!features.empty()) text += ":" + features;
    if (columns != 0) text += "/" + std::to_string(columns) + "x" + std::to_string(rows);
    return text;
}

void Target::divide(uint32_t x, uint32_t y) {
    constexpr uint32_t warp = 32, lanes = 64, most_rows = 32;
    const auto largest = [](uint32_t number, uint32_t limit) {
        uint32_t power = 1;
        while (2 * power <= limit && number % (2 * power) == 0) power *= 2;
        return power;
    };
    columns = uint8_t(largest(x, warp));
    rows = uint8_t(largest(y, std::min(lanes / columns, most_rows)));
}

Target Target::parse(std::string_view text) {
    const auto refuse = [whole = std::string(text)](const char* why) {
        return std::invalid_argument("target '" + whole + "': " + why);
    };
    if (text.ends_with(':')) throw refuse("nothing after the last ':'");
    const std::string_view arch = next_part(text);
    const auto* row = std::find_if(std::begin(arch_names), std::end(arch_names),
                                   [&](const ArchName& one) { return one.name == arch; });
    if (row == std::end(arch_names)) throw refuse("unknown architecture; host, amdgcn and spirv are known");
    Target target;
    target.arch = row->arch;
    target.cpu = next_part(text);
    target.features = text;
    if (target.arch == Arch::amdgcn && target.cpu.empty()) throw refuse("which processor? Write amdgcn:gfx1100");
    if (target.arch == Arch::spirv && !target.cpu.empty() && has_fp64(target))
        throw refuse("SPIR-V knows no processors but no-fp64");
    if (target.arch != Arch::host && !target.features.empty()) throw refuse("features are for the host only");
    return target;
}

const KernelInfo* ModuleInfo::kernel(std::string_view name) const { return find_by_name(kernels, name); }
const GlobalInfo* ModuleInfo::global(std::string_view name) const { return find_by_name(globals, name); }

} // namespace ptx
