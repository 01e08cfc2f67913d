#include "backend/cpu/whole_warp.h"

#include "backend/cpu/warp_operations.h"

#include <algorithm>

// GCC 12 takes the undefined vectors that its own header passes where no lane is kept for a mistake.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

namespace rt::backend::cpu::whole_warp {

using ptx::host::Reduce;
using ptx::host::Shuffle;
using ptx::host::Vote;

namespace {

template <Shuffle mode>
void shuffle_scalar(const uint32_t* value, Argument by, Argument clamp, uint32_t* result, uint8_t* predicate) {
    for (uint32_t i = 0; i < 32; i++) {
        const auto source = warp_operation::shuffle_source(mode, i, by.of(i), clamp.of(i));
        result[i] = value[source.in_range ? source.lane : i];
        if (predicate) predicate[i] = source.in_range;
    }
}

/// In halves: phases store 32 bytes at a time, and a wider load would have to wait until those are in the cache.
__attribute__((target("avx512f,avx512bw,avx512vl"), always_inline)) inline __m512i load(const uint32_t* from) {
    const auto* halves = reinterpret_cast<const __m256i*>(from);
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256(halves)), _mm256_loadu_si256(halves + 1), 1);
}

/// Half a warp's side of warp_operation::shuffle_source.
template <Shuffle mode> __attribute__((target("avx512f,avx512bw,avx512vl"), always_inline)) inline __mmask16
source_of_half(__m512i self, __m512i by, __m512i clamps, __m512i& from) {
    const __m512i low = _mm512_set1_epi32(31);
    by = _mm512_and_si512(by, low);
    const __m512i clamp = _mm512_and_si512(clamps, low);
    const __m512i segment = _mm512_and_si512(_mm512_srli_epi32(clamps, 8), low);
    const __m512i lowest = _mm512_and_si512(self, segment);
    const __m512i highest = _mm512_or_si512(lowest, _mm512_andnot_si512(segment, clamp));
    switch (mode) {
    case Shuffle::up:
        from = _mm512_sub_epi32(self, by);
        return _mm512_cmpge_epi32_mask(from, highest);
    case Shuffle::down:
        from = _mm512_add_epi32(self, by);
        break;
    case Shuffle::bfly:
        from = _mm512_xor_si512(self, by);
        break;
    case Shuffle::idx:
        from = _mm512_or_si512(lowest, _mm512_andnot_si512(segment, by));
        break;
    }
    return _mm512_cmple_epi32_mask(from, highest);
}

template <Shuffle mode> __attribute__((target("avx512f,avx512bw,avx512vl"))) void
shuffle_avx512(const uint32_t* value, Argument by, Argument clamp, uint32_t* result, uint8_t* predicate) {
    const __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i values[] = {load(value), load(value + 16)};
    __mmask16 in_range[2];
    for (uint32_t half = 0; half < 2; half++) {
        const __m512i self = _mm512_add_epi32(first, _mm512_set1_epi32(int(16 * half)));
        const __m512i bys = by.each ? load(by.first + 16 * half) : _mm512_set1_epi32(int(*by.first));
        const __m512i clamps = clamp.each ? load(clamp.first + 16 * half) : _mm512_set1_epi32(int(*clamp.first));
        __m512i from;
        in_range[half] = source_of_half<mode>(self, bys, clamps, from);
        const __m512i found = _mm512_permutex2var_epi32(values[0], from, values[1]);
        _mm512_storeu_si512(result + 16 * half, _mm512_mask_blend_epi32(in_range[half], values[half], found));
    }
    if (predicate)
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(predicate),
                            _mm256_maskz_set1_epi8(uint32_t{in_range[0]} | uint32_t{in_range[1]} << 16, 1));
}

using ShuffleFunction = void (*)(const uint32_t*, Argument, Argument, uint32_t*, uint8_t*);

constexpr ShuffleFunction scalar[] = {shuffle_scalar<Shuffle::up>, shuffle_scalar<Shuffle::down>,
                                      shuffle_scalar<Shuffle::bfly>, shuffle_scalar<Shuffle::idx>};
constexpr ShuffleFunction avx512[] = {shuffle_avx512<Shuffle::up>, shuffle_avx512<Shuffle::down>,
                                      shuffle_avx512<Shuffle::bfly>, shuffle_avx512<Shuffle::idx>};

bool has_avx512() {
    static const bool has =
        __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    return has;
}

} // namespace

void shuffle(Shuffle mode, const uint32_t* value, Argument by, Argument clamp, uint32_t* result, uint8_t* predicate) {
    (has_avx512() ? avx512 : scalar)[uint32_t(mode)](value, by, clamp, result, predicate);
}

void vote(Vote mode, const uint8_t* value, uint32_t* result) {
    const auto half = [&](const uint8_t* bytes) {
        const __m128i ones = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
        return uint32_t(_mm_movemask_epi8(_mm_sub_epi8(_mm_setzero_si128(), ones)));
    };
    const uint32_t ballot = half(value) | half(value + 16) << 16;
    uint32_t all = ballot;
    if (mode == Vote::all) all = ballot == ~0u;
    if (mode == Vote::any) all = ballot != 0;
    if (mode == Vote::uni) all = ballot == ~0u || ballot == 0;
    std::fill_n(result, 32, all);
}

bool reduce(Reduce operation, const uint32_t* value, uint32_t* result) {
    const auto fold = [&](auto&& combine) {
        uint32_t all = value[0];
        for (uint32_t i = 1; i < 32; i++) all = combine(all, value[i]);
        std::fill_n(result, 32, all);
        return true;
    };
    switch (operation) {
    case Reduce::add:
        return fold([](uint32_t a, uint32_t b) { return a + b; });
    case Reduce::min_s:
        return fold([](uint32_t a, uint32_t b) { return uint32_t(std::min(int32_t(a), int32_t(b))); });
    case Reduce::max_s:
        return fold([](uint32_t a, uint32_t b) { return uint32_t(std::max(int32_t(a), int32_t(b))); });
    case Reduce::min_u:
        return fold([](uint32_t a, uint32_t b) { return std::min(a, b); });
    case Reduce::max_u:
        return fold([](uint32_t a, uint32_t b) { return std::max(a, b); });
    case Reduce::and_:
        return fold([](uint32_t a, uint32_t b) { return a & b; });
    case Reduce::or_:
        return fold([](uint32_t a, uint32_t b) { return a | b; });
    case Reduce::xor_:
        return fold([](uint32_t a, uint32_t b) { return a ^ b; });
    case Reduce::min_f:
    case Reduce::max_f:
    case Reduce::min_nan:
    case Reduce::max_nan:
        break;
    }
    return false;
}

} // namespace rt::backend::cpu::whole_warp
