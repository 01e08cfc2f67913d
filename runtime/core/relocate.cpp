#include "core/relocate.h"

#include "core/context_state.h"

#include <algorithm>
#include <cstring>

namespace rt {
namespace {

uint64_t address_of(const ptx::GlobalRelocation& relocation, const ptx::ModuleInfo& info, uint64_t block,
                    backend::Code* functions) {
    if (relocation.function) {
        const uint64_t address = functions ? functions->function_address(relocation.symbol) : 0;
        if (address) return address;
        throw Error(Status::invalid_image,
                    "initial data points to the function " + relocation.symbol + ", which has no code");
    }
    const auto* global = info.global(relocation.symbol);
    if (global) return block + global->offset;
    throw Error(Status::invalid_image,
                "initial data points to the variable " + relocation.symbol + ", which is not there");
}

} // namespace

std::vector<uint8_t> relocated_data(const ptx::ModuleInfo& info, uint64_t block, backend::Code* functions) {
    auto data = info.initial_data;
    for (auto& relocation : info.relocations) {
        const uint64_t end = relocation.offset + relocation.size;
        if (relocation.size > 8 || relocation.shift > 63 || end < relocation.offset || end > info.block_size)
            throw Error(Status::invalid_image, "initial data has an address outside of itself");
        if (data.size() < end) data.resize(end);
        uint64_t value = address_of(relocation, info, block, functions) + uint64_t(relocation.addend);
        value >>= relocation.shift;
        std::memcpy(data.data() + relocation.offset, &value, relocation.size);
    }
    return data;
}

void initialize_globals(Context& context, const ptx::ModuleInfo& info, uint64_t block, backend::Code* functions) {
    const auto data = relocated_data(info, block, functions);
    const size_t written = std::min<uint64_t>(data.size(), info.block_size);
    backend::Fill rest{
        .destination = block + written, .value = 0, .element_bytes = 1, .width = info.block_size - written};
    backend::Copy copy{.destination = block, .source = reinterpret_cast<uint64_t>(data.data()), .width = written};
    context.state().upload(context.device().backend(), rest, copy);
}

} // namespace rt
