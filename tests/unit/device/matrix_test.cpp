#include "matrix_layout.h"
#include "matrix_order.h"
#include "matrix_scale.h"
#include "matrix_warp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <vector>

/// What generated code calls to multiply matrices (device_library/host_matrix.cpp), element by element against sum_of,
/// which the H100's results in tests/oracle hold: random operands, in the code for each processor that this one can
/// run.
extern "C" void cuttle_matrix_multiply(void* const* lanes, uint64_t number);
extern "C" void cuttle_matrix_multiply_tile(uint32_t* registers, uint64_t number);
extern "C" int cuttle_matrix_processor;

namespace {

using namespace ptx;
using Element = MatrixElement;
using Family = MatrixFamily;

constexpr unsigned lane_words = 64; // enough for all forms

struct Registers {
    std::vector<uint32_t> words = std::vector<uint32_t>(32 * lane_words);
    uint32_t* lanes[32];
    Registers() {
        for (unsigned i = 0; i < 32; ++i) lanes[i] = words.data() + i * lane_words;
    }
    Registers(const Registers& other) : Registers() {
        words = other.words;
        for (unsigned i = 0; i < 32; ++i) lanes[i] = other.lanes[i] ? words.data() + i * lane_words : nullptr;
    }
};

/// One element after the other, as the manual and the measurements describe it.
void multiply_by_elements(const Registers& registers, const MatrixForm& form) {
    const matrix::Warp warp{registers.lanes, form, words_of(form)};
    const unsigned length = matrix::stored_length(form);
    const matrix::Order order = matrix::order_of(form, length);
    const matrix::Format inner = matrix::format_of(order.inner);
    const int point = matrix::format_of(form.a).fraction_bits + matrix::format_of(form.b).fraction_bits;
    std::vector<std::pair<matrix::Place, uint32_t>> results;
    for (unsigned row = 0; row < form.m; ++row)
        for (unsigned column = 0; column < form.n; ++column) {
            const auto c = static_cast<uint32_t>(warp.c(matrix::place_of_accumulator(form, form.c, row, column)));
            uint32_t sum = matrix::start_of(form, order, c);
            for (unsigned first = 0; first < length; first += order.step) {
                matrix::Number a[64], b[64];
                for (unsigned i = 0; i < order.step; ++i) {
                    const unsigned at = matrix::ordered(form, length, first + i);
                    const unsigned k = form.sparse ? matrix::position(warp, row, at) : at;
                    a[i] = matrix::number_of(static_cast<uint32_t>(warp.a(matrix::place_of_a(form, length, row, at))),
                                             matrix::format_of(form.a));
                    b[i] = matrix::number_of(static_cast<uint32_t>(warp.b(matrix::place_of_b(form, k, column))),
                                             matrix::format_of(form.b));
                }
                sum = matrix::rounded(matrix::sum_of({a, b, static_cast<int>(order.step), point},
                                                     matrix::number_of(sum, inner), inner.fraction_bits),
                                      order.inner == Element::f16);
            }
            results.emplace_back(matrix::place_of_accumulator(form, form.d, row, column),
                                 matrix::end_of(form, order, sum, c));
        }
    for (const auto& [place, value] : results) warp.write(place, value);
}

MatrixForm form_of(Family family, uint16_t m, uint16_t n, uint16_t k, Element a, Element b, Element c, Element d,
                   bool sparse = false) {
    MatrixForm form;
    form.family = family, form.m = m, form.n = n, form.k = k;
    form.a = a, form.b = b, form.c = c, form.d = d, form.sparse = sparse;
    return form;
}

std::vector<MatrixForm> forms() {
    std::vector<MatrixForm> all;
    for (Element d : {Element::f16, Element::f32}) {
        for (uint16_t k : {uint16_t{8}, uint16_t{16}})
            all.push_back(form_of(Family::mma, 16, 8, k, Element::f16, Element::f16, d, d));
        for (uint16_t k : {uint16_t{16}, uint16_t{32}})
            all.push_back(form_of(Family::mma, 16, 8, k, Element::f16, Element::f16, d, d, true));
        for (Element c : {Element::f16, Element::f32}) {
            all.push_back(form_of(Family::wmma, 16, 16, 16, Element::f16, Element::f16, c, d));
            all.push_back(form_of(Family::wmma, 32, 8, 16, Element::f16, Element::f16, c, d));
            all.push_back(form_of(Family::wmma, 8, 32, 16, Element::f16, Element::f16, c, d));
        }
        for (Element a : {Element::e4m3, Element::e5m2}) {
            all.push_back(form_of(Family::mma, 16, 8, 32, a, Element::e5m2, d, d));
            all.push_back(form_of(Family::mma, 16, 8, 64, a, Element::e4m3, d, d, true));
        }
    }
    for (uint16_t k : {uint16_t{8}, uint16_t{16}})
        all.push_back(form_of(Family::mma, 16, 8, k, Element::bf16, Element::bf16, Element::f32, Element::f32));
    all.push_back(form_of(Family::wmma, 8, 32, 16, Element::bf16, Element::bf16, Element::f32, Element::f32));
    for (uint16_t k : {uint16_t{4}, uint16_t{8}})
        all.push_back(form_of(Family::mma, 16, 8, k, Element::tf32, Element::tf32, Element::f32, Element::f32));
    all.push_back(form_of(Family::mma, 16, 8, 16, Element::tf32, Element::tf32, Element::f32, Element::f32, true));
    all.push_back(form_of(Family::wmma, 16, 16, 8, Element::tf32, Element::tf32, Element::f32, Element::f32));
    return all;
}

/// Bits that random words keep, so that numbers are of all sizes, of similar sizes, small, or often zeros; then about
/// the least and the greatest of bf16 and tf32 that are multiplied by blocks, and sums that take more than 32 bits.
constexpr uint32_t kept[] = {0xffffffff, 0xbfffbfff, 0x83ff83ff, 0xb7b7b7b7, 0x807fffff,
                             0x9c9f9c9f, 0x81ff81ff, 0x83ff83ff, 0x00030003};
constexpr uint32_t added[] = {0, 0, 0x3c003c00, 0, 0x3f800000, 0, 0x26002600, 0x5c005c00, 0x3ffc3ffc};
constexpr unsigned kinds = std::size(kept), rounds = 4 * kinds;

/// The same for registers that lie side by side, each in all lanes.
Registers multiplied_as_tile(const Registers& registers, const MatrixForm& form) {
    alignas(128) uint32_t tile[lane_words * 32];
    Registers result = registers;
    for (unsigned i = 0; i < std::size(tile); ++i) tile[i] = registers.words[i % 32 * lane_words + i / 32];
    cuttle_matrix_multiply_tile(tile, form.encode());
    for (unsigned i = 0; i < std::size(tile); ++i) result.words[i % 32 * lane_words + i / 32] = tile[i];
    return result;
}

class MatrixTest : public testing::TestWithParam<int> {
  protected:
    /// Takes the code for the processor that the parameter says.
    void SetUp() override {
        cuttle_matrix_processor = 0;
        void* none[32] = {};
        cuttle_matrix_multiply(
            none, form_of(Family::mma, 16, 8, 8, Element::f16, Element::f16, Element::f32, Element::f32).encode());
        if (GetParam() > cuttle_matrix_processor) GTEST_SKIP() << "this processor cannot run the code";
        cuttle_matrix_processor = GetParam();
    }
};

TEST_P(MatrixTest, EqualsOneElementAfterTheOther) {
    std::mt19937 random(2026);
    for (const MatrixForm& form : forms())
        for (unsigned round = 0; round < rounds; ++round) {
            Registers expected;
            for (uint32_t& word : expected.words) {
                word = (random() & kept[round % kinds]) | added[round % kinds];
                if (round >= rounds / 2 && random() % 4 == 0) word = 0;
            }
            const MatrixWords words = words_of(form);
            for (unsigned lane = 0; round % kinds == 1 && lane < 32; ++lane) { // small addends alone
                uint32_t* at = expected.lanes[lane];
                std::fill(at, at + words.a, 0);
                for (unsigned i = 0; i < words.c; ++i) at[words.a + words.b + i] &= 0x87ff03ff;
            }
            for (uint32_t* lane : expected.lanes)
                lane[words.a + words.b + words.c] = random() % 2 ? 0xeeeeeeee : 0x44444444;
            const bool is_whole = round != rounds - 1;
            if (!is_whole) expected.lanes[random() % 32] = nullptr;
            const Registers found = expected, tile = is_whole ? multiplied_as_tile(expected, form) : expected;
            multiply_by_elements(expected, form);
            cuttle_matrix_multiply(reinterpret_cast<void* const*>(found.lanes), form.encode());
            const auto equals_expected = [&](const Registers& all, const char* how) {
                for (unsigned i = 0; i < all.words.size(); ++i)
                    ASSERT_EQ(all.words[i], expected.words[i])
                        << how << ", m" << form.m << "n" << form.n << "k" << form.k << " of types " << int(form.a)
                        << ", " << int(form.b) << ", " << int(form.d) << (form.sparse ? ", sparse" : "") << ", round "
                        << round << ": lane " << i / lane_words << ", word " << i % lane_words;
            };
            ASSERT_NO_FATAL_FAILURE(equals_expected(found, "lanes"));
            if (is_whole) {
                ASSERT_NO_FATAL_FAILURE(equals_expected(tile, "tile"));
            }
        }
}

/// Integers and doubles, in the order of k, which is all there is to know of them.
void multiply_exactly(const Registers& registers, const MatrixForm& form) {
    const matrix::Warp warp{registers.lanes, form, words_of(form)};
    std::vector<std::pair<matrix::Place, uint64_t>> results;
    for (unsigned row = 0; row < form.m; ++row)
        for (unsigned column = 0; column < form.n; ++column) {
            const uint64_t c = warp.c(matrix::place_of_accumulator(form, form.c, row, column));
            double sum = std::bit_cast<double>(c);
            int64_t dot = int32_t(uint32_t(c));
            for (unsigned k = 0; k < form.k; ++k) {
                const uint64_t a = warp.a(matrix::place_of_a(form, form.k, row, k));
                const uint64_t b = warp.b(matrix::place_of_b(form, k, column));
                if (form.a == Element::f64)
                    sum = std::fma(std::bit_cast<double>(a), std::bit_cast<double>(b), sum);
                else
                    dot += matrix::integer_of(a, form.a) * matrix::integer_of(b, form.b);
            }
            if (form.saturate) dot = std::clamp<int64_t>(dot, INT32_MIN, INT32_MAX);
            results.emplace_back(matrix::place_of_accumulator(form, form.d, row, column),
                                 form.a == Element::f64 ? std::bit_cast<uint64_t>(sum) : uint32_t(dot));
        }
    for (const auto& [place, value] : results) warp.write(place, value);
}

std::vector<MatrixForm> exact_forms() {
    std::vector<MatrixForm> all{form_of(Family::mma, 8, 8, 4, Element::f64, Element::f64, Element::f64, Element::f64)};
    for (uint16_t k : {uint16_t{4}, uint16_t{8}, uint16_t{16}})
        all.push_back(form_of(Family::mma, 16, 8, k, Element::f64, Element::f64, Element::f64, Element::f64));
    for (Element a : {Element::s8, Element::u8})
        for (Element b : {Element::s8, Element::u8}) {
            const auto add = [&](Family family, uint16_t m, uint16_t n, uint16_t k) {
                all.push_back(form_of(family, m, n, k, a, b, Element::s32, Element::s32));
                all.push_back(all.back());
                all.back().saturate = true;
            };
            add(Family::mma, 8, 8, 16), add(Family::mma, 16, 8, 16), add(Family::mma, 16, 8, 32);
            add(Family::wmma, 16, 16, 16), add(Family::wmma, 32, 8, 16), add(Family::wmma, 8, 32, 16);
        }
    return all;
}

TEST_P(MatrixTest, IntegersAndDoubles) {
    std::mt19937 random(2026);
    for (const MatrixForm& form : exact_forms())
        for (unsigned round = 0; round < 16; ++round) {
            Registers expected;
            // Doubles that are no NaNs, of similar sizes, or zeros of both signs; sums of integers that may overflow.
            const uint32_t doubles = round % 4 == 3 ? 0x80000000 : 0xbfefffff;
            for (uint32_t& word : expected.words) word = random() & (form.a == Element::f64 ? doubles : 0xffffffff);
            for (uint32_t* lane : expected.lanes) // low words
                for (unsigned i = 0; form.a == Element::f64 && round % 4 == 3 && i < lane_words; i += 2) lane[i] = 0;
            const MatrixWords words = words_of(form);
            for (uint32_t* lane : expected.lanes)
                for (unsigned i = 0; round % 2 && form.a != Element::f64 && i < words.c; ++i)
                    lane[words.a + words.b + i] = 0x7fffff00;
            const Registers found = expected, tile = multiplied_as_tile(expected, form);
            multiply_exactly(expected, form);
            cuttle_matrix_multiply(reinterpret_cast<void* const*>(found.lanes), form.encode());
            for (const Registers* all : {&found, &tile})
                ASSERT_EQ(all->words, expected.words)
                    << (all == &tile ? "tile" : "lanes") << ", m" << form.m << "n" << form.n << "k" << form.k
                    << " of types " << int(form.a) << ", " << int(form.b) << ", round " << round;
        }
}

// enum Processor: any, with AVX2, with AVX-512.
INSTANTIATE_TEST_SUITE_P(Processors, MatrixTest, testing::Values(1, 3, 4),
                         [](const auto& info) { return "Level" + std::to_string(info.param); });

} // namespace
