#include "shape_generator.h"

#include <span>

namespace kernel_fuzz {

void Generator::reset() {
    body_.clear();
    next_integer_ = integers;
    next_float_ = floats;
    next_long_ = longs;
    next_predicate_ = 1;
    next_half_ = 0;
}

void Generator::statement(const Region& region) {
    struct Row {
        Emit emit;
        unsigned weight;
    };
    static constexpr Row wide_rows[] = {
        {&Generator::half_operation, 5},    {&Generator::half_conversion, 3},    {&Generator::double_operation, 4},
        {&Generator::short_operation, 3},   {&Generator::wide_bit_operation, 4}, {&Generator::video_operation, 2},
        {&Generator::predicate_logic, 3},   {&Generator::own_atomic, 2},         {&Generator::wide_atomic, 2},
        {&Generator::match_all, 2},         {&Generator::partner_shuffle, 2},    {&Generator::warp_exchange, 2},
        {&Generator::double_loop, 3},       {&Generator::uniform_switch, 1},     {&Generator::deep_call, 2},
        {&Generator::indirect_call, 2},     {&Generator::generic_memory, 2},     {&Generator::constant_table, 1},
        {&Generator::asynchronous_copy, 1},
    };
    static constexpr Row rows[] = {
        {&Generator::integer_operation, 6},
        {&Generator::bit_operation, 6},
        {&Generator::long_operation, 3},
        {&Generator::float_operation, 5},
        {&Generator::conversion, 3},
        {&Generator::selection, 2},
        {&Generator::carry_chain, 1},
        {&Generator::guarded, 2},
        {&Generator::branch, 5},
        {&Generator::loop, 3},
        {&Generator::many_ways, 1},
        {&Generator::shuffle, 3},
        {&Generator::vote, 2},
        {&Generator::across_warp, 2},
        {&Generator::atomic, 3},
        {&Generator::exchange_through_shared, 3},
        {&Generator::own_shared_word, 2},
        {&Generator::local_array, 2},
        {&Generator::input, 2},
        {&Generator::call, 2},
    };
    const bool wide = wide_ && random_.one_in(2);
    const std::span<const Row> from = wide ? std::span<const Row>(wide_rows) : rows;
    unsigned all = 0;
    for (const Row& row : from) all += row.weight;
    unsigned chosen = random_.below(all);
    for (const Row& row : from) {
        if (chosen < row.weight) return (this->*row.emit)(region);
        chosen -= row.weight;
    }
}

void Generator::statements(Region region, unsigned count) {
    for (unsigned i = 0; i < count && budget_ > 0; i++, budget_--) statement(region);
}

void Generator::initialise() {
    for (unsigned i = 0; i < integers; i++) {
        line("mad.lo.u32 %%r%u, %%global, %u, %u;", {i, 3 + 2 * i, 17 * i});
        line("and.b32 %%r%u, %%r%u, %u;", {i, i, RandomKernel::input_words - 1});
        line("mad.wide.u32 %%pointer, %%r%u, 4, %%in;", {i});
        line("ld.global.u32 %%r%u, [%%pointer];", {i});
    }
    for (unsigned i = 0; i < floats; i++) line("cvt.rn.f32.s32 %%f%u, %%r%u;", {i, i});
    for (unsigned i = 0; i < longs; i++) line("mov.b64 %%d%u, {%%r%u, %%r%u};", {i, 2 * i, 2 * i + 1});
}

void Generator::store_results() {
    line("mul.lo.u32 %%address, %%global, %u;", {4 * RandomKernel::words_per_thread});
    line("cvt.u64.u32 %%pointer, %%address;");
    line("add.u64 %%pointer, %%out, %%pointer;");
    for (unsigned i = 0; i < integers; i += 2)
        line("st.global.v2.u32 [%%pointer+%u], {%%r%u, %%r%u};", {4 * i, i, i + 1});
    for (unsigned i = 0; i < floats; i++) { // any NaN equals any other
        const std::string p = fresh_predicate();
        line("setp.nan.f32 %s, %%f%u, %%f%u;", {p, i, i});
        line("@%s mov.f32 %%f%u, 0f7FC00000;", {p, i});
        line("st.global.f32 [%%pointer+%u], %%f%u;", {4 * (integers + i), i});
    }
    for (unsigned i = 0; i < longs; i++)
        line("st.global.u64 [%%pointer+%u], %%d%u;", {4 * (integers + floats + 2 * i), i});
}

std::string Generator::declarations() const {
    const auto declare = [](const char* type, const char* prefix, unsigned count) {
        return "    .reg ." + std::string(type) + " %" + prefix + "<" + std::to_string(count) + ">;\n";
    };
    return declare("pred", "p", next_predicate_) + declare("b32", "r", next_integer_) +
           declare("f32", "f", next_float_) + declare("b64", "d", next_long_) +
           (wide_ ? declare("b16", "h", next_half_) + "    .reg .b64 %result0, %result1;\n" : "");
}

void Generator::function(unsigned number) {
    reset();
    Region region;
    region.kernel = region.uniform = region.full = false;
    region.mask.clear();
    region.depth = 1;
    line("ld.param.u32 %%r0, [a];");
    line("ld.param.u32 %%r1, [b];");
    line("mov.u32 %%lane, %%laneid;");
    for (unsigned i = 2; i < integers; i++) line("mad.lo.u32 %%r%u, %%r%u, %u, %%r%u;", {i, i - 1, 2 * i + 1, i - 2});
    for (unsigned i = 0; i < floats; i++) line("cvt.rn.f32.s32 %%f%u, %%r%u;", {i, i});
    for (unsigned i = 0; i < longs; i++) line("mov.b64 %%d%u, {%%r%u, %%r%u};", {i, i, i + 3});
    budget_ = 12;
    statements(region, 8);
    line("xor.b32 %%r0, %%r%u, %%r%u;", {random_.below(integers), random_.below(integers)});
    line("st.param.b32 [result], %%r0;");
    line("ret;");
    (void)number;
}

RandomKernel Generator::make(uint64_t seed) {
    RandomKernel kernel;
    threads_ = kernel.threads = kernel.block[0] = 32 * (1 + random_.below(4));
    kernel.output_words = RandomKernel::blocks * threads_ * RandomKernel::words_per_thread + RandomKernel::atomic_words;
    kernel.text = "// seed " + std::to_string(seed) + "\n" +
                  (wide_ ? ".version 8.0\n.target sm_90\n" : ".version 7.4\n.target sm_80\n") + ".address_size 64\n\n" +
                  (wide_ ? wide_module() : "");
    functions_ = 1 + random_.below(3);
    for (unsigned i = 0; i < functions_; i++) {
        function(i);
        kernel.text += ".func (.param .b32 result) function" + std::to_string(i) +
                       "(.param .b32 a, .param .b32 b)\n{\n" + declarations() + "    .reg .b32 %lane;\n" + body_ +
                       "}\n\n";
    }
    reset();
    line("ld.param.u64 %%out, [out];");
    line("ld.param.u64 %%in, [in];");
    line("cvta.to.global.u64 %%out, %%out;");
    line("cvta.to.global.u64 %%in, %%in;");
    line("mov.u32 %%thread, %%tid.x;");
    line("mov.u32 %%block, %%ctaid.x;");
    line("mov.u32 %%lane, %%laneid;");
    line("mad.lo.u32 %%global, %%block, %u, %%thread;", {threads_});
    line("add.u64 %%atomics, %%out, %u;", {4 * RandomKernel::blocks * threads_ * RandomKernel::words_per_thread});
    line("mov.u32 %%own, tile;");
    line("mad.lo.u32 %%own, %%thread, 4, %%own;");
    line("st.shared.u32 [%%own], %%thread;");
    line("setp.eq.u32 %%p0, %%thread, 0;");
    line("@%%p0 st.shared.u32 [counter], 0;");
    for (unsigned i = 0; i < local_words; i++) line("st.local.u32 [array+%u], %u;", {4 * i, 1000 + i});
    line("bar.sync 0;");
    initialise();
    budget_ = 90;
    while (budget_ > 0) statements(Region{}, 20);
    store_results();
    line("bar.sync 0;");
    line("@%%p0 ld.shared.u32 %%r0, [counter];");
    line("@%%p0 red.global.add.u32 [%%atomics+%u], %%r0;", {4 * (RandomKernel::atomic_words - 1)});
    line("ret;");
    kernel.text += ".visible .entry fuzz(.param .u64 out, .param .u64 in)\n.maxntid " + std::to_string(threads_) +
                   ", 1, 1\n{\n" + declarations() +
                   "    .reg .b32 %thread, %block, %lane, %global, %own, %address, %ignored;\n"
                   "    .reg .b64 %out, %in, %atomics, %pointer;\n"
                   "    .shared .align 4 .b32 tile[" +
                   std::to_string(threads_) +
                   "];\n    .shared .align 4 .b32 counter;\n    .local .align 4 .b32 array[" +
                   std::to_string(local_words) + "];\n" + body_ + "}\n";
    return kernel;
}

} // namespace kernel_fuzz

RandomKernel make_random_kernel(uint64_t seed) {
    if (seed >= RandomKernel::first_shape_seed) return kernel_fuzz::ShapeGenerator(seed).make(seed);
    return kernel_fuzz::Generator(seed).make(seed);
}

uint32_t fuzz_input(unsigned i) {
    uint64_t z = (uint64_t{i} + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ z >> 31) * 0xbf58476d1ce4e5b9;
    const auto word = uint32_t(z >> 32);
    return i % 3 == 0 ? word : i % 3 == 1 ? word >> 20 : word >> 28; // large, middling and small ones
}
