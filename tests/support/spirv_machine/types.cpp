#include "types.h"

#include "module.h"

#include <algorithm>
#include <bit>

namespace spirv_machine {

namespace {

uint64_t rounded_up(uint64_t value, uint64_t alignment) { return (value + alignment - 1) / alignment * alignment; }

} // namespace

const Type* Types::find(uint32_t id) const {
    auto found = types_.find(id);
    return found == types_.end() ? nullptr : &found->second;
}

const Type& Types::at(uint32_t id) const {
    if (const Type* type = find(id)) return *type;
    throw Malformed("id " + std::to_string(id) + " is no type");
}

void Types::add(uint32_t id, Type type) {
    switch (type.kind) {
    case Type::none:
        break;
    case Type::boolean:
    case Type::integer:
    case Type::floating:
    case Type::pointer:
        type.bytes = type.alignment = type.kind == Type::boolean ? 1 : std::bit_ceil((type.bits + 7) / 8);
        type.scalars = 1;
        break;
    case Type::vector:
    case Type::array: {
        const Type& element = at(type.element);
        // A vector of three takes the place of one of four.
        const bool vector = type.kind == Type::vector;
        type.bytes = element.bytes * (vector ? std::bit_ceil(type.count) : type.count);
        type.alignment = vector ? type.bytes : element.alignment;
        type.scalars = element.scalars * type.count;
        break;
    }
    case Type::structure:
        for (uint32_t member : type.members) {
            const Type& each = at(member);
            const uint64_t alignment = packed_.contains(id) ? 1 : each.alignment;
            type.bytes = rounded_up(type.bytes, alignment);
            type.offsets.push_back(type.bytes);
            type.bytes += each.bytes;
            type.alignment = std::max(type.alignment, alignment);
            type.scalars += each.scalars;
        }
        type.bytes = rounded_up(type.bytes, type.alignment);
        break;
    }
    types_[id] = std::move(type);
}

void Types::collect(const Type& type, uint64_t offset, std::vector<Scalar>& list) const {
    switch (type.kind) {
    case Type::none:
        break;
    case Type::boolean:
    case Type::integer:
    case Type::floating:
    case Type::pointer:
        list.push_back({offset, uint32_t(type.bytes), type.bits, type.kind == Type::floating});
        break;
    case Type::vector:
    case Type::array:
        for (uint64_t i = 0; i < type.count; i++) collect(at(type.element), offset + i * at(type.element).bytes, list);
        break;
    case Type::structure:
        for (size_t i = 0; i < type.members.size(); i++) collect(at(type.members[i]), offset + type.offsets[i], list);
        break;
    }
}

std::vector<Scalar> Types::scalars_of(const Type& type) const {
    std::vector<Scalar> list;
    collect(type, 0, list);
    return list;
}

uint64_t Types::first_scalar(uint32_t id, const uint32_t* path, uint32_t length, uint32_t& there) const {
    uint64_t first = 0;
    for (uint32_t i = 0; i < length; i++) {
        const Type& type = at(id);
        const bool structure = type.kind == Type::structure;
        if (!structure && type.kind != Type::vector && type.kind != Type::array)
            throw Malformed("a path into a scalar");
        if (path[i] >= (structure ? type.members.size() : type.count)) throw Malformed("a path beyond its type");
        if (structure)
            for (uint32_t m = 0; m < path[i]; m++) first += at(type.members[m]).scalars;
        else
            first += path[i] * at(type.element).scalars;
        id = structure ? type.members[path[i]] : type.element;
    }
    there = id;
    return first;
}

} // namespace spirv_machine
