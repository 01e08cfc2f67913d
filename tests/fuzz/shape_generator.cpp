#include "shape_generator.h"

#include <algorithm>
#include <span>

namespace kernel_fuzz {

void ShapeGenerator::choose_shape(RandomKernel& kernel) {
    static constexpr unsigned blocks[][3] = {{32, 1, 1},  {64, 1, 1}, {128, 1, 1}, {256, 1, 1}, {100, 1, 1}, {47, 1, 1},
                                             {16, 16, 1}, {32, 8, 1}, {8, 8, 1},   {16, 4, 1},  {32, 32, 1}, {64, 4, 1},
                                             {20, 7, 1},  {33, 3, 1}, {2, 32, 1},  {1, 64, 1},  {8, 4, 4},   {4, 4, 4},
                                             {32, 2, 2},  {16, 2, 4}, {16, 8, 1},  {128, 2, 1}};
    const auto& block = blocks[random_.below(std::size(blocks))];
    const unsigned most[3] = {block[0] * block[1] <= 256 && (in_planes_ || random_.one_in(3)) ? 12u : 4u,
                              block[1] > 1 || random_.one_in(4) ? 3u : 1u, block[2] > 1 ? 2u : 1u};
    threads_ = all_ = 1;
    for (unsigned i = 0; i < 3; i++) {
        kernel.block[i] = block_[i] = block[i];
        kernel.grid[i] = grid_[i] = 1 + random_.below(most[i]);
        threads_ *= block_[i];
        all_ *= block_[i] * grid_[i];
    }
    if (in_planes_ && all_ < far_plane && !random_.one_in(4)) { // so that planes of `out` are far apart
        all_ /= grid_[0];
        kernel.grid[0] = grid_[0] = (far_plane - 1) / all_ + 1 + random_.below(3);
        all_ *= grid_[0];
    }
    kernel.threads = threads_;
    for (unsigned i = 0; i < 2; i++) { // an end near the grid's
        const unsigned size = block_[i] * grid_[i];
        numbers_[i] = random_.one_in(4) ? size : size - std::min(size, random_.below(block_[i] + 2));
    }
    numbers_[2] = random_.below(most_rounds + 1);
    std::copy(std::begin(numbers_), std::end(numbers_), std::begin(kernel.numbers));
    kernel.in_words = in_words;
    kernel.output_words = planes * all_ + counters;
}

void ShapeGenerator::prologue() {
    line("ld.param.u64 out, [arg0];");
    line("ld.param.u64 in, [arg1];");
    line("ld.param.u32 n, [arg2];");
    line("ld.param.u32 m, [arg3];");
    line("ld.param.u32 rounds, [arg4];");
    line("cvta.to.global.u64 out, out;");
    line("cvta.to.global.u64 in, in;");
    for (const char* axis : axes) {
        line("mov.u32 t%s, %%tid.%s;", {axis, axis});
        line("mov.u32 b%s, %%ctaid.%s;", {axis, axis});
        line("mov.u32 size, %%ntid.%s;", {axis});
        line("mad.lo.u32 %s, b%s, size, t%s;", {axis, axis, axis});
    }
    line("mad.lo.u32 t, tz, %u, ty;", {block_[1]});
    line("mad.lo.u32 t, t, %u, tx;", {block_[0]});
    line("mad.lo.u32 id, z, %u, y;", {block_[1] * grid_[1]});
    line("mad.lo.u32 id, id, %u, x;", {block_[0] * grid_[0]});
    line("add.u64 counts, out, %u;", {4ull * planes * all_});
    line("mov.u32 round, 0;");
    for (unsigned i = 0; i < integers; i++) line("mad.lo.u32 r%u, id, %u, %u;", {i, 2654435761u * (i + 1), 77 * i});
    for (unsigned i = 0; i < floats; i++) {
        line("and.b32 size, r%u, 1023;", {i});
        line("cvt.rn.f32.u32 f%u, size;", {i});
    }
    for (unsigned i = 0; i < doubles; i++) line("cvt.f64.f32 d%u, f%u;", {i, i});
}

void ShapeGenerator::statements(const Place& place, unsigned count) {
    for (unsigned i = 0; i < count && budget_ > 0; i++, budget_--) statement(place);
}

void ShapeGenerator::statement(const Place& place) {
    struct Row {
        void (ShapeGenerator::*emit)(const Place&);
        unsigned weight;
    };
    static constexpr Row alone[] = {
        {&ShapeGenerator::arithmetic, 8}, {&ShapeGenerator::load, 8},           {&ShapeGenerator::store, 5},
        {&ShapeGenerator::gather, 1},     {&ShapeGenerator::guarded, 2},        {&ShapeGenerator::branch, 4},
        {&ShapeGenerator::loop, 3},       {&ShapeGenerator::own_loop, 1},       {&ShapeGenerator::march, 2},
        {&ShapeGenerator::own_array, 1},  {&ShapeGenerator::count_globally, 1},
    };
    static constexpr Row in_planes[] = {
        {&ShapeGenerator::arithmetic, 5}, {&ShapeGenerator::load, 5},   {&ShapeGenerator::store, 3},
        {&ShapeGenerator::guarded, 2},    {&ShapeGenerator::branch, 3}, {&ShapeGenerator::march, 6},
    };
    static constexpr Row together[] = {
        {&ShapeGenerator::exchange, 6},     {&ShapeGenerator::rows_of_tile, 2}, {&ShapeGenerator::tree, 2},
        {&ShapeGenerator::sorting_step, 2}, {&ShapeGenerator::butterflies, 1},  {&ShapeGenerator::histogram, 1},
        {&ShapeGenerator::across_warp, 2},
    };
    const bool meet = meets_ && place.uniform && random_.one_in(3);
    const std::span<const Row> from = meet         ? std::span<const Row>(together)
                                      : in_planes_ ? std::span<const Row>(in_planes)
                                                   : std::span<const Row>(alone);
    unsigned all = 0;
    for (const Row& row : from) all += row.weight;
    unsigned chosen = random_.below(all);
    for (const Row& row : from) {
        if (chosen < row.weight) return (this->*row.emit)(place);
        chosen -= row.weight;
    }
}

std::string ShapeGenerator::text(uint64_t seed) const {
    const auto declare = [&](const char* type, char kind) {
        return "    .reg ." + std::string(type) + " " + kind + "<" + std::to_string(next_[uint8_t(kind)] + 1) + ">;\n";
    };
    return "// seed " + std::to_string(seed) +
           "\n.version 8.0\n.target sm_90\n.address_size 64\n\n.visible .entry fuzz(.param .u64 arg0, .param .u64 "
           "arg1, "
           ".param .u32 arg2, .param .u32 arg3, .param .u32 arg4)\n.maxntid " +
           std::to_string(block_[0]) + ", " + std::to_string(block_[1]) + ", " + std::to_string(block_[2]) + "\n{\n" +
           declare("pred", 'p') + declare("b32", 'r') + declare("f32", 'f') + declare("f64", 'd') +
           declare("b64", 'a') +
           "    .reg .b32 tx, ty, tz, bx, by, bz, x, y, z, t, id, n, m, rounds, round, size;\n"
           "    .reg .b64 out, in, counts;\n    .shared .align 16 .b32 tile[" +
           std::to_string(2 * threads_ + block_[1] * block_[2]) + "];\n    .local .align 4 .b32 own[" +
           std::to_string(own_words) + "];\n" + body_ + "}\n";
}

RandomKernel ShapeGenerator::make(uint64_t seed) {
    RandomKernel kernel;
    meets_ = random_.below(5) < 3;
    in_planes_ = !meets_ && random_.one_in(2);
    choose_shape(kernel);
    next_['p'] = 1;
    next_['r'] = integers;
    next_['f'] = floats;
    next_['d'] = doubles;
    prologue();
    for (unsigned i = 0; i < own_words && !in_planes_; i++) line("st.local.u32 [own+%u], %u;", {4 * i, 1000 + i});
    if (!meets_ && random_.one_in(2)) { // as most kernels begin
        line("@!%s bra END;", {condition(false)});
    }
    budget_ = int(in_planes_ ? 3 + random_.below(8) : 10 + random_.below(30));
    while (budget_ > 0) statements(Place{}, 20);
    const std::string at = fresh('a'), pair = fresh('a');
    line("mad.wide.u32 %s, id, 8, out;", {pair});
    line("add.u64 %s, %s, %u;", {pair, pair, 4ull * all_ * first_result});
    store_value(pair, 8, 0);
    line("mad.wide.u32 %s, id, 4, out;", {at});
    for (unsigned i = 0; i < integers + floats; i++) {
        line("add.u64 %s, %s, %u;", {pair, at, 4ull * all_ * (first_result + 2 + i)});
        if (in_planes_ && i >= 2) break;
        if (i < integers) {
            line("st.global.u32 [%s], r%u;", {pair, i});
            continue;
        }
        line("setp.nan.f32 p0, f%u, f%u;", {i - integers, i - integers});
        line("@p0 mov.f32 f%u, 0f7FC00000;", {i - integers});
        line("st.global.f32 [%s], f%u;", {pair, i - integers});
    }
    body_ += "END:\n";
    line("ret;");
    kernel.text = text(seed);
    return kernel;
}

} // namespace kernel_fuzz
