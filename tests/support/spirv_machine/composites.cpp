// Vectors, arrays and structures as values: SPIR-V 1.4, 3.32.12; selection; OpExtInst is led to its own table.
#include "elementwise.h"

namespace spirv_machine {

namespace {

void copy(Warp& warp, Row to, Row from, uint32_t scalars) {
    for (uint32_t i = 0; i < scalars; i++)
        warp.each_lane([&, &source = warp.at(Warp::scalar(from, i)), &target = warp.to(to + Row(i))](unsigned lane) {
            target[lane] = source[lane];
        });
}

uint32_t scalars_of(const Warp& warp, uint32_t type) { return uint32_t(warp.module.types().at(type).scalars); }

void construct(Warp& warp, const Instruction& in) {
    // Parts are elements or members in full, or scalars and vectors that make up a vector.
    const Type& type = warp.module.types().at(in.type);
    uint32_t place = 0;
    for (size_t part = 0; part < in.operands.size(); part++) {
        uint32_t scalars = 1;
        if (type.kind == Type::structure) scalars = scalars_of(warp, type.members[part]);
        if (type.kind == Type::array) scalars = scalars_of(warp, type.element);
        if (type.kind == Type::vector && in.operands.size() != type.count)
            warp.stop("a vector made of vectors is not known");
        copy(warp, in.result + Row(place), in.operands[part], scalars);
        place += scalars;
    }
}

void extract(Warp& warp, const Instruction& in) {
    uint32_t there = 0;
    const uint64_t first =
        warp.module.types().first_scalar(in.operand_type, in.words.data(), uint32_t(in.words.size()), there);
    copy(warp, in.result, Warp::scalar(in.operands[0], uint32_t(first)), in.scalars);
}

/// Operands: the part, the whole.
void insert(Warp& warp, const Instruction& in) {
    uint32_t there = 0;
    const uint64_t first = warp.module.types().first_scalar(in.type, in.words.data(), uint32_t(in.words.size()), there);
    copy(warp, in.result, in.operands[1], in.scalars);
    copy(warp, in.result + Row(first), in.operands[0], scalars_of(warp, there));
}

void shuffle(Warp& warp, const Instruction& in) {
    const uint32_t first_count = scalars_of(warp, in.operand_type);
    for (uint32_t i = 0; i < in.scalars; i++) {
        const uint32_t from = in.words[i];
        if (from == UINT32_MAX) {
            warp.each_lane([&](unsigned lane) { warp.to(in.result + Row(i))[lane] = undefined_result; });
            continue;
        }
        const Row source =
            from < first_count ? Warp::scalar(in.operands[0], from) : Warp::scalar(in.operands[1], from - first_count);
        copy(warp, in.result + Row(i), source, 1);
    }
}

void extract_dynamic(Warp& warp, const Instruction& in) {
    const uint32_t count = scalars_of(warp, in.operand_type);
    const Lanes& index = warp.operand(in, 1);
    Lanes& result = warp.to(in.result);
    warp.each_lane([&](unsigned lane) {
        const bool inside = index[lane] < count;
        result[lane] = inside ? warp.operand(in, 0, uint32_t(index[lane]))[lane] : narrowed(undefined_result, in.bits);
    });
}

/// Operands: the vector, the component, the index.
void insert_dynamic(Warp& warp, const Instruction& in) {
    copy(warp, in.result, in.operands[0], in.scalars);
    const Lanes &component = warp.operand(in, 1), &index = warp.operand(in, 2);
    warp.each_lane([&](unsigned lane) {
        if (index[lane] < in.scalars) warp.to(in.result + Row(index[lane]))[lane] = component[lane];
    });
}

void select(Warp& warp, const Instruction& in) {
    const bool each = scalars_of(warp, in.operand_type) > 1;
    for (uint32_t i = 0; i < in.scalars; i++) {
        const Lanes& condition = warp.operand(in, 0, each ? i : 0);
        const Lanes &a = warp.operand(in, 1, i), &b = warp.operand(in, 2, i);
        Lanes& result = warp.to(in.result + Row(i));
        warp.each_lane([&](unsigned lane) { result[lane] = condition[lane] ? a[lane] : b[lane]; });
    }
}

} // namespace

void add_composites(Operations& rows) {
    rows.insert(
        rows.end(),
        {
            {op_ext_inst, "RllV", nullptr}, // the reader fills it in
            {77, "Rvv", extract_dynamic},
            {78, "Rvvv", insert_dynamic},
            {79, "RvvL", shuffle},
            {80, "RV", construct},
            {81, "RvL", extract},
            {82, "RvvL", insert},
            {83, "Rv", [](Warp& warp, const Instruction& in) { copy(warp, in.result, in.operands[0], in.scalars); }},
            {169, "Rvvv", select},
        });
}

} // namespace spirv_machine
