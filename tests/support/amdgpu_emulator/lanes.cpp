#include "lanes.h"

#include "program.h"

namespace amdgpu {

void halves_to_floats(const uint16_t* from, float* to, unsigned count) {
    for (unsigned i = 0; i < count; i += 8)
        _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
}

void floats_to_halves(const float* from, uint16_t* to, unsigned count) {
    for (unsigned i = 0; i < count; i += 8)
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                         _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_CUR_DIRECTION));
}

uint64_t nonzero_lanes(const uint32_t* elements, unsigned count) {
    uint64_t mask = 0;
    for (unsigned i = 0; i < count; i += 8) {
        const __m256i eight = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(elements + i));
        const __m256i zero = _mm256_cmpeq_epi32(eight, _mm256_setzero_si256());
        mask |= uint64_t(uint8_t(~_mm256_movemask_ps(_mm256_castsi256_ps(zero)))) << i;
    }
    return mask;
}

void put_halves(Wave& wave, const Operand& to, const uint16_t* from) {
    const uint32_t* old = wave.row(to.code);
    Room<uint32_t> out;
    if (to.high)
        each_lane(wave, [&](unsigned i) { out.lane[i] = (old[i] & 0xffff) | uint32_t{from[i]} << 16; });
    else if (wave.program.processor().gfx9)
        each_lane(wave, [&](unsigned i) { out.lane[i] = from[i]; });
    else
        each_lane(wave, [&](unsigned i) { out.lane[i] = (old[i] & 0xffff0000) | from[i]; });
    put_bits(wave, to.code, out.lane);
}

} // namespace amdgpu
