// What generated host code calls for a warp-level matrix multiplication: the last lane that comes computes all of D.
// Linked to images as an object file, so that no kernel compiles it again.
#include "host_matrix_blocks.h"
#include "host_matrix_exact.h"
#include "matrix_double.h"

#include <cpuid.h>

/// enum Processor; found at the first call where it is 0. The linker sees it, programs do not.
extern "C" int cuttle_matrix_processor;
int cuttle_matrix_processor = 0;

namespace matrix {
namespace {

constexpr unsigned most_k = 256;

/// mma.m8n8k4 of f16, which newer hardware has in software. For f32 a chain of f32 operations, the addend last, is
/// exactly what an H100 gives; for f16 the addend, the first two products' sum and the others' sum, each an f32.
void multiply_quad_pairs(const Warp& warp) {
    const MatrixForm& form = warp.form;
    const bool half = bits_of(form.d) == 16;
    for (unsigned pair = 0; pair < 4; ++pair)
        for (unsigned row = 0; row < 8; ++row)
            for (unsigned column = 0; column < 8; ++column) {
                const auto c = static_cast<uint32_t>(warp.c(pair_accumulator(form.c, pair, row, column)));
                const float addend = float_of(c, form.c);
                float chain = 0, product[4];
                for (unsigned k = 0; k < 4; ++k) {
                    const float a =
                        float_of(static_cast<uint32_t>(warp.a(pair_input(!form.a_column_major, pair, row, k))), form.a);
                    const float b = float_of(
                        static_cast<uint32_t>(warp.b(pair_input(form.b_column_major, pair, column, k))), form.b);
                    product[k] = a * b; // exact
                    chain += product[k];
                }
                const float pairs = addend + (product[0] + product[1]) + (product[2] + product[3]);
                warp.write(pair_accumulator(form.d, pair, row, column),
                           half ? half_of(static_cast<double>(pairs)) : __builtin_bit_cast(uint32_t, chain + addend));
            }
}

void multiply_integers(const Warp& warp) {
    const MatrixForm& form = warp.form;
    const unsigned length = stored_length(form);
    int16_t a[32][most_k], b[32][most_k];
    unpack(warp, false, a[0], most_k);
    unpack(warp, true, b[0], most_k);
    for (unsigned row = 0; row < form.m; ++row)
        for (unsigned i = 0; i < length; ++i)
            a[row][i] = static_cast<int16_t>(integer_of(static_cast<uint16_t>(a[row][i]), form.a));
    for (unsigned column = 0; column < form.n; ++column)
        for (unsigned k = 0; k < form.k; ++k)
            b[column][k] = static_cast<int16_t>(integer_of(static_cast<uint16_t>(b[column][k]), form.b));
    for (unsigned row = 0; row < form.m; ++row) {
        uint16_t from[most_k];
        for (unsigned i = 0; form.sparse && i < length; ++i) from[i] = static_cast<uint16_t>(position(warp, row, i));
        for (unsigned column = 0; column < form.n; ++column) {
            int32_t dot = 0;
            if (form.sparse)
                for (unsigned i = 0; i < length; ++i) dot += a[row][i] * b[column][from[i]];
            else if (form.a != MatrixElement::b1)
                for (unsigned i = 0; i < length; ++i) dot += a[row][i] * b[column][i];
            else if (form.conjunction)
                for (unsigned i = 0; i < length; ++i) dot += a[row][i] & b[column][i];
            else
                for (unsigned i = 0; i < length; ++i) dot += a[row][i] ^ b[column][i];
            int64_t sum = int64_t{dot} + static_cast<int32_t>(warp.c(place_of_accumulator(form, form.c, row, column)));
            if (form.saturate) sum = sum > 0x7fffffff ? 0x7fffffff : sum < -0x80000000ll ? -0x80000000ll : sum;
            warp.write(place_of_accumulator(form, form.d, row, column), static_cast<uint32_t>(sum));
        }
    }
}

/// What the processor has, asked once: code for matrices is made for any, and virtual machines answer slowly.
enum Processor : int { unknown, any, fma, avx2, avx512 };

bool all_of(unsigned word, unsigned bits) { return (word & bits) == bits; }

Processor ask_processor() {
    constexpr unsigned fma = 1u << 12, osxsave = 1u << 27, f16c = 1u << 29;
    constexpr unsigned avx2 = 1u << 5, avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; // f, dq, bw, vl
    constexpr unsigned avx_state = 6, avx512_state = 0xe6;
    unsigned a = 0, b = 0, c = 0, d = 0, enabled = 0, high = 0;
    __cpuid(1, a, b, c, d);
    if (!all_of(c, fma | osxsave)) return Processor::any;
    asm("xgetbv" : "=a"(enabled), "=d"(high) : "c"(0));
    if (!all_of(enabled, avx_state)) return Processor::any;
    const bool has_f16c = c & f16c;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & avx2) || !has_f16c) return Processor::fma;
    return all_of(b, avx512) && all_of(enabled, avx512_state) ? Processor::avx512 : Processor::avx2;
}

Processor processor() {
    int answer = __atomic_load_n(&cuttle_matrix_processor, __ATOMIC_RELAXED);
    if (answer == Processor::unknown) {
        answer = ask_processor();
        __atomic_store_n(&cuttle_matrix_processor, answer, __ATOMIC_RELAXED);
    }
    return static_cast<Processor>(answer);
}

__attribute__((target("fma"))) double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

#define WITH_AVX2 "avx2,f16c"
#define WITH_AVX512 WITH_AVX2 ",avx512f,avx512dq,avx512bw,avx512vl"

__attribute__((noinline)) void multiply_on_any(const Warp& warp, const Plan& plan) { multiply_floats<8>(warp, plan); }
/// A function for each width: both in one would have both's variables on the stack.
template <unsigned W>
__attribute__((target(WITH_AVX2), noinline)) void multiply_on_avx2(const Warp& warp, const Plan& plan) {
    multiply_floats<W>(warp, plan);
}
__attribute__((target(WITH_AVX512), noinline)) void multiply_on_avx512(const Warp& warp, const Plan& plan) {
    multiply_floats<16>(warp, plan);
}

/// Registers of a whole warp side by side, in one piece.
struct Registers {
    uint32_t *a, *b, *c, *d;
};

template <bool Half, MatrixElement E, unsigned K, unsigned Step>
__attribute__((target(WITH_AVX2), noinline)) bool multiply_registers(const MatrixForm& form, const Registers& at) {
    constexpr auto* multiply = multiply_blocks<Half, E, K, Step>;
    return is_transposed(form) ? multiply(at.b, at.a, at.c, at.d, form.n / 16u, form.m / 8u)
                               : multiply(at.a, at.b, at.c, at.d, form.m / 16u, form.n / 8u);
}

__attribute__((target(WITH_AVX2 ",fma"), noinline)) bool multiply_registers_of_doubles(const MatrixForm& form,
                                                                                       const Registers& at) {
    multiply_blocks_of_doubles(form, at.a, at.b, at.c, at.d);
    return true;
}

__attribute__((target(WITH_AVX2), noinline)) bool multiply_registers_of_bytes(const MatrixForm& form,
                                                                              const Registers& at) {
    const bool transposed = is_transposed(form), a = form.a == MatrixElement::s8, b = form.b == MatrixElement::s8;
    multiply_blocks_of_bytes(transposed ? at.b : at.a, transposed ? at.a : at.b, at.c, at.d,
                             transposed ? form.n : form.m, transposed ? form.m : form.n, form.k, transposed ? b : a,
                             transposed ? a : b, form.saturate);
    return true;
}

/// Forms that multiply_blocks is made for, by what they have in common with MatrixForm and Order.
struct BlockForm {
    MatrixElement ab, cd;
    unsigned k, step;
    bool (*multiply)(const MatrixForm&, const Registers&);
};
template <MatrixElement E, unsigned K, unsigned Step = K, bool Half = false> constexpr BlockForm block_form() {
    return {E, Half ? MatrixElement::f16 : MatrixElement::f32, K, Step, multiply_registers<Half, E, K, Step>};
}
constexpr BlockForm block_forms[] = {
    block_form<MatrixElement::f16, 16>(),    block_form<MatrixElement::f16, 16, 16, true>(),
    block_form<MatrixElement::f16, 8>(),     block_form<MatrixElement::f16, 8, 8, true>(),
    block_form<MatrixElement::bf16, 16>(),   block_form<MatrixElement::bf16, 8>(),
    block_form<MatrixElement::tf32, 8>(),    block_form<MatrixElement::tf32, 4>(),
    block_form<MatrixElement::tf32, 8, 4>(),
};

constexpr BlockForm of_doubles = {MatrixElement::f64, MatrixElement::f64, 0, 0, multiply_registers_of_doubles};
constexpr BlockForm of_bytes = {MatrixElement::s8, MatrixElement::s32, 0, 0, multiply_registers_of_bytes};

bool is_byte(MatrixElement element) { return element == MatrixElement::s8 || element == MatrixElement::u8; }

constexpr unsigned tile_lanes = 32;

/// Null: there is nothing by blocks for the form or the processor.
const BlockForm* block_form_of(const MatrixForm& form) {
    if (form.a == MatrixElement::f64 && form.rounding == MatrixRounding::rn)
        return processor() < Processor::avx2 ? nullptr : &of_doubles;
    if (is_byte(form.a) && is_byte(form.b) && !form.sparse) return processor() < Processor::avx2 ? nullptr : &of_bytes;
    if (form.sparse || form.kind || form.a != form.b || form.c != form.d || form.family == MatrixFamily::quad_pair)
        return nullptr;
    const unsigned step = order_of(form, form.k).step;
    for (const BlockForm& each : block_forms)
        if (each.ab == form.a && each.cd == form.d && each.k == form.k && each.step == step)
            return processor() < Processor::avx2 ? nullptr : &each;
    return nullptr;
}

/// Of mma.sync, found by their numbers; the first of a number's is right.
struct ReadyForm {
    uint64_t number;
    MatrixForm form;
    MatrixWords words;
    const BlockForm* how;
};
constexpr unsigned block_form_count = sizeof block_forms / sizeof *block_forms;
struct ReadyForms {
    ReadyForm each[block_form_count];
};
constexpr ReadyForms ready_forms = [] {
    ReadyForms all{};
    for (unsigned i = 0; i < block_form_count; ++i) {
        MatrixForm form;
        form.m = 16, form.n = 8, form.k = static_cast<uint16_t>(block_forms[i].k);
        form.a = form.b = block_forms[i].ab, form.c = form.d = block_forms[i].cd;
        all.each[i] = {form.encode(), form, words_of(form), &block_forms[i]};
    }
    return all;
}();

/// Registers are each in all lanes. False: nothing was computed, for multiply_blocks is not made for the numbers.
bool multiply_tile(const BlockForm& how, const MatrixForm& form, const MatrixWords& words, uint32_t* registers) {
    uint32_t *b = registers + words.a * tile_lanes, *c = b + words.b * tile_lanes, *d = c + words.c * tile_lanes;
    return how.multiply(form, {registers, b, c, d});
}

/// The same for registers of which each lane has its own side by side; false also where a lane is not there.
__attribute__((noinline)) bool multiply_whole_warp(const Warp& warp) {
    constexpr unsigned most_words = 40; // of all forms by blocks
    const unsigned sources = warp.words.sources(), all = sources + warp.words.d;
    const BlockForm* how = block_form_of(warp.form);
    if (!how || all > most_words) return false;
    alignas(most_bytes) uint32_t copy[most_words * tile_lanes];
    for (unsigned lane = 0; lane < tile_lanes; ++lane) {
        if (!warp.lanes[lane]) return false;
        for (unsigned i = 0; i < sources; ++i) copy[i * tile_lanes + lane] = warp.word(lane, i);
    }
    if (!multiply_tile(*how, warp.form, warp.words, copy)) return false;
    for (unsigned lane = 0; lane < tile_lanes; ++lane)
        for (unsigned i = sources; i < all; ++i) warp.word(lane, i) = copy[i * tile_lanes + lane];
    return true;
}

void multiply_floats(const Warp& warp) {
    const MatrixForm& form = warp.form;
    const unsigned length = stored_length(form);
    const Order order = order_of(form, length);
    const int least = form.scale == MatrixScale::none ? no_exponent : least_exponent_of_scaled;
    const unsigned row = length < 8 ? 8 : length;
    const Plan plan{form, format_of(form.a), format_of(form.b), format_of(order.inner), order, length, row, least};
    const Processor has = processor();
    if (has < Processor::avx2) return multiply_on_any(warp, plan);
    if (form.n % 16) return multiply_on_avx2<8>(warp, plan);
    has == Processor::avx512 ? multiply_on_avx512(warp, plan) : multiply_on_avx2<16>(warp, plan);
}

/// A chain of fma in the order of k.
void multiply_doubles(const Warp& warp) {
    const MatrixForm& form = warp.form;
    const bool fuses = form.rounding == MatrixRounding::rn && processor() >= Processor::fma;
    double a[16][16], b[8][16];
    for (unsigned k = 0; k < form.k; ++k) {
        for (unsigned row = 0; row < form.m; ++row) a[row][k] = double_of(warp.a(place_of_a(form, form.k, row, k)));
        for (unsigned column = 0; column < form.n; ++column)
            b[column][k] = double_of(warp.b(place_of_b(form, k, column)));
    }
    for (unsigned row = 0; row < form.m; ++row)
        for (unsigned column = 0; column < form.n; ++column) {
            double sum = double_of(warp.c(place_of_accumulator(form, form.c, row, column)));
            for (unsigned k = 0; k < form.k; ++k)
                sum = fuses ? fused(a[row][k], b[column][k], sum)
                            : fma_f64(a[row][k], b[column][k], sum, rounding_of(form.rounding));
            warp.write(place_of_accumulator(form, form.d, row, column), bits_of(sum));
        }
}

void multiply(const Warp& warp) {
    switch (warp.form.a) {
    case MatrixElement::f64:
        return multiply_doubles(warp);
    case MatrixElement::s8:
    case MatrixElement::u8:
    case MatrixElement::s4:
    case MatrixElement::u4:
    case MatrixElement::b1:
        return multiply_integers(warp);
    default:
        if (warp.form.a == MatrixElement::e2m1_packed) return multiply_groups(warp);
        return warp.form.family == MatrixFamily::quad_pair ? multiply_quad_pairs(warp) : multiply_floats(warp);
    }
}

} // namespace
} // namespace matrix

/// ptx::host::Services::collective calls it: `lanes` are the register blocks of 32 lanes.
extern "C" __attribute__((visibility("default"))) void cuttle_matrix_multiply(void* const* lanes, uint64_t number) {
    using namespace matrix;
    const MatrixForm form = MatrixForm::decode(number);
    const Warp warp{reinterpret_cast<uint32_t* const*>(lanes), form, words_of(form)};
    if (!multiply_whole_warp(warp)) multiply(warp);
}

/// The same for registers of which each lies in all 32 lanes, side by side.
extern "C" __attribute__((visibility("default"))) void cuttle_matrix_multiply_tile(uint32_t* registers,
                                                                                   uint64_t number) {
    using namespace matrix;
    for (const ReadyForm& ready : ready_forms.each) {
        if (ready.number != number) continue;
        if (processor() >= Processor::avx2 && multiply_tile(*ready.how, ready.form, ready.words, registers)) return;
        break; // wmma's steps are others
    }
    const MatrixForm form = MatrixForm::decode(number);
    const MatrixWords words = words_of(form);
    if (const BlockForm* how = block_form_of(form); how && multiply_tile(*how, form, words, registers)) return;
    uint32_t* lanes[tile_lanes];
    for (unsigned i = 0; i < tile_lanes; ++i) lanes[i] = registers + i;
    multiply({lanes, form, words, tile_lanes});
}
