// SMEM: RDNA3 ISA 16.6.
#include "memory.h"
#include "rows.h"

#include <cstring>
#include <fmt/format.h>

namespace amdgpu {

void check_access(const Wave& wave, const Instruction& in, uint64_t address, uint64_t bytes) {
    if (!reachable(wave, address, bytes))
        wave.stop(Stop::illegal_address, in, fmt::format("no access to {} bytes at {:#x}", bytes, address));
}

namespace {

template <unsigned count, class T = uint32_t> void load(Wave& wave, const Instruction& in) {
    // The two lowest bits of the sum are ignored by loads of dwords.
    uint64_t address = wave.read64(in.source[0]) + uint64_t(int64_t{in.offset}) + wave.read(in.source[1]);
    if (sizeof(T) == 4) address &= ~uint64_t{3};
    check_access(wave, in, address, count * sizeof(T));
    T words[count];
    std::memcpy(words, reinterpret_cast<const void*>(address), sizeof words);
    for (unsigned i = 0; i < count; i++) wave.write(uint16_t(in.destination.code + i), uint32_t(words[i]));
}

} // namespace

void add_scalar_memory(Rows& rows) {
    rows["s_load_b32"] = rows["s_load_dword"] = {load<1>};
    rows["s_load_b64"] = rows["s_load_dwordx2"] = {load<2>};
    rows["s_load_b128"] = rows["s_load_dwordx4"] = {load<4>};
    rows["s_load_b256"] = rows["s_load_dwordx8"] = {load<8>};
    rows["s_load_b512"] = rows["s_load_dwordx16"] = {load<16>};
}

} // namespace amdgpu
