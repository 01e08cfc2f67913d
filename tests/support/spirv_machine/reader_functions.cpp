// Functions: blocks in the order in which lanes meet, instructions with their operands' places.
#include "reader.h"

#include <algorithm>

namespace spirv_machine {

namespace {

bool ends_block(uint16_t opcode) { return opcode >= op_branch && opcode <= op_unreachable; }

/// How many words of a choice's literals one takes.
uint32_t words_of(uint32_t bits) { return bits > 32 ? 2 : 1; }

} // namespace

void Reader::read_function(const std::vector<Words>& words) {
    auto entry = entry_points_.find(words.front()[1]);
    // Functions are inlined; what is left is not called.
    if (entry == entry_points_.end()) return;
    auto kernel = std::make_unique<Kernel>();
    kernel->name = entry->second;
    if (auto size = subgroup_sizes_.find(words.front()[1]); size != subgroup_sizes_.end())
        kernel->subgroup_size = size->second;
    rows_ = 0;
    for (const Words& variable : variables_) declare_variable(*kernel, variable);
    declare(*kernel, words);
    read_blocks(*kernel, divide(words));
    kernel->rows = rows_;
    kernel->private_bytes = (kernel->private_bytes + 15) / 16 * 16; // one lane's lies behind the other's
    module_.kernels_.push_back(std::move(kernel));
}

/// Gives every value its rows.
void Reader::declare(Kernel& kernel, const std::vector<Words>& function) {
    for (const Words& words : function) {
        if (words.opcode == op_function_parameter) {
            const Type& type = types_.at(words[0]);
            if (type.scalars != 1) throw Malformed("a parameter that is no scalar");
            const Row row = define(words[1], words[0], new_rows(1)).row;
            const bool workgroup = type.kind == Type::pointer && type.storage == storage_workgroup;
            kernel.parameters.push_back({row, uint32_t(type.bytes), workgroup});
        } else if (words.opcode == op_variable) {
            declare_variable(kernel, words);
        } else if (words.opcode == op_phi || words.opcode == op_undef) {
            define(words[1], words[0], new_rows(types_.at(words[0]).scalars));
        } else if (const Operation* operation = find_operation(words.opcode); operation && operation->words[0] == 'R') {
            define(words[1], words[0], new_rows(types_.at(words[0]).scalars));
        }
    }
}

void Reader::declare_variable(Kernel& kernel, const Words& words) {
    const Type& type = types_.at(types_.at(words[0]).element);
    Variable variable;
    variable.row = define(words[1], words[0], new_rows(1)).row;
    variable.storage = words[2];
    variable.built_in = decorations_[words[1]].built_in;
    variable.bytes = type.bytes;
    uint64_t& end = variable.storage == storage_workgroup ? kernel.group_bytes : kernel.private_bytes;
    const uint64_t alignment = std::max<uint64_t>(type.alignment, 16);
    variable.offset = (end + alignment - 1) / alignment * alignment;
    end = variable.offset + type.bytes;
    if (words.count > 3 && variable.storage != storage_workgroup) {
        variable.initialised = true;
        variable.initial = value(words[3]).row;
        variable.places = types_.scalars_of(type);
    }
    kernel.variables.push_back(std::move(variable));
}

Reader::Body Reader::divide(const std::vector<Words>& function) const {
    Body body;
    body.instructions = function;
    for (size_t i = 0; i < function.size(); i++) {
        if (function[i].opcode != op_label) continue;
        body.blocks[function[i][0]] = uint32_t(body.begin.size());
        body.begin.push_back(i + 1);
    }
    body.successors.resize(body.begin.size());
    const auto follows = [&](uint32_t from, uint32_t label) {
        auto found = body.blocks.find(label);
        if (found == body.blocks.end()) throw Malformed("a branch to what is no block");
        body.successors[from].push_back(found->second);
    };
    for (uint32_t block = 0; block < body.begin.size(); block++) {
        size_t last = body.begin[block];
        while (last < function.size() && !ends_block(function[last].opcode)) last++;
        if (last == function.size()) throw Malformed("a block without an end");
        const Words& end = function[last];
        if (end.opcode == op_branch) follows(block, end[0]);
        if (end.opcode == op_branch_conditional) follows(block, end[1]), follows(block, end[2]);
        if (end.opcode != op_switch) continue;
        follows(block, end[1]);
        const uint32_t step = words_of(types_.at(value(end[0]).type).bits) + 1;
        for (uint32_t i = 2; i + step <= end.count; i += step) follows(block, end[i + step - 1]);
    }
    if (body.begin.empty()) throw Malformed("a kernel without a body");
    return body;
}

void Reader::read_blocks(Kernel& kernel, const Body& body) {
    places_ = meeting_order(body.successors);
    place_of_.clear();
    latch_of_.clear();
    for (uint32_t i = 0; i < places_.size(); i++) (places_[i].latch ? latch_of_ : place_of_)[places_[i].block] = i;
    kernel.entry = place_of_.at(0);
    for (const Place& place : places_) {
        Block& block = kernel.blocks.emplace_back();
        if (place.latch) {
            block.end = Block::jump;
            block.latch = true;
            block.edges = {{place_of_.at(place.block), {}}};
            continue;
        }
        for (size_t i = body.begin[place.block];; i++) {
            const Words& words = body.instructions[i];
            if (ends_block(words.opcode)) {
                ++kernel.instructions;
                read_end(block, words, body, place.block);
                break;
            }
            if (words.opcode == op_phi || words.opcode == op_variable || words.opcode == op_undef) continue;
            if (words.opcode == 8 || words.opcode == 246 || words.opcode == 247 || words.opcode == 317)
                continue;                                             // notes
            if (words.opcode == 256 || words.opcode == 257) continue; // lifetimes
            ++kernel.instructions;
            block.instructions.push_back(decode(words));
        }
    }
}

void Reader::read_end(Block& block, const Words& words, const Body& body, uint32_t from) {
    switch (words.opcode) {
    case op_branch:
        block.end = Block::jump;
        block.edges = {edge(body, from, words[0])};
        return;
    case op_branch_conditional:
        block.end = Block::branch;
        block.condition = value(words[0]).row;
        block.edges = {edge(body, from, words[1]), edge(body, from, words[2])};
        return;
    case op_switch: {
        block.end = Block::choice;
        block.condition = value(words[0]).row;
        block.edges = {edge(body, from, words[1])};
        const uint32_t bits = types_.at(value(words[0]).type).bits, step = words_of(bits) + 1;
        for (uint32_t i = 2; i + step <= words.count; i += step) {
            block.choices.push_back(literal(words, i, bits));
            block.edges.push_back(edge(body, from, words[i + step - 1]));
        }
        return;
    }
    case op_return:
        block.end = Block::leave;
        return;
    case op_unreachable:
        block.end = Block::unreachable;
        return;
    default:
        throw Malformed("a block that ends with " + std::to_string(words.opcode));
    }
}

Edge Reader::edge(const Body& body, uint32_t from, uint32_t label) const {
    const uint32_t to = body.blocks.at(label);
    const auto latch = latch_of_.find(to);
    const uint32_t place = place_of_.at(to), start = place_of_.at(from);
    const bool back = latch != latch_of_.end() && start >= place && start < latch->second;
    Edge result{back ? latch->second : place, {}};
    for (size_t i = body.begin[to]; body.instructions[i].opcode == op_phi; i++) {
        const Words& phi = body.instructions[i];
        bool found = false;
        for (uint32_t j = 2; j + 1 < phi.count && !found; j += 2) {
            const auto block = body.blocks.find(phi[j + 1]);
            if (block == body.blocks.end() || block->second != from) continue;
            found = true;
            const Value& result_value = value(phi[1]);
            const auto scalars = uint32_t(types_.at(result_value.type).scalars);
            result.moves.push_back({result_value.row, value(phi[j]).row, scalars});
        }
        if (!found) throw Malformed("a phi that lacks a predecessor");
    }
    return result;
}

Instruction Reader::decode(const Words& words) const {
    const Operation* operation = find_operation(words.opcode);
    if (!operation) throw Malformed("instruction " + std::to_string(words.opcode) + " is not known");
    Instruction in;
    in.opcode = words.opcode;
    in.execute = operation->execute;
    uint32_t at = 0;
    const auto take_value = [&] {
        const Value& operand = value(words[at++]);
        if (in.operands.empty()) {
            in.operand_type = operand.type;
            in.operand_bits = 0;
            if (types_.at(operand.type).scalars) in.operand_bits = types_.scalars_of(types_.at(operand.type))[0].bits;
        }
        in.operands.push_back(operand.row);
    };
    for (const char* word = operation->words; *word; word++) {
        switch (*word) {
        case 'R': {
            in.type = words[at];
            in.id = words[at + 1];
            const Type& type = types_.at(in.type);
            in.result = value(in.id).row;
            in.scalars = uint32_t(type.scalars);
            in.places = types_.scalars_of(type);
            if (!in.places.empty()) in.bits = in.places[0].bits;
            if (auto found = decorations_.find(in.id); found != decorations_.end()) {
                in.saturated = found->second.saturated;
                in.rounding = found->second.rounding;
            }
            at += 2;
            break;
        }
        case 'v':
            take_value();
            break;
        case 'V':
            while (at < words.count) take_value();
            break;
        case 's': {
            const Type& type = types_.at(value(words[at]).type);
            in.scalars = uint32_t(type.scalars);
            in.places = types_.scalars_of(type);
            if (!in.places.empty()) in.bits = in.places[0].bits;
            take_value();
            break;
        }
        case 'a':
        case 'A':
            decode_steps(in, words, at, *word == 'A');
            at = words.count;
            break;
        case 'l':
            in.words.push_back(words[at++]);
            break;
        case 'L':
            while (at < words.count) in.words.push_back(words[at++]);
            break;
        }
    }
    if (words.opcode == op_ext_inst) {
        if (in.words[0] != opencl_) throw Malformed("extended instructions that are not OpenCL's");
        in.execute = find_extended(in.words[1]);
        if (!in.execute) throw Malformed("extended instruction " + std::to_string(in.words[1]) + " is not known");
    }
    if (words.opcode == op_function_call) {
        const auto callee = linked_.find(in.words[0]);
        in.execute = find_function(callee == linked_.end() ? "" : callee->second);
        if (!in.execute) throw Malformed("a call of a function that is not known");
    }
    return in;
}

void Reader::decode_steps(Instruction& in, const Words& words, uint32_t at, bool of_pointer) const {
    uint32_t type = types_.at(in.operand_type).element;
    for (bool first = of_pointer; at < words.count; at++, first = false) {
        const Value& index = value(words[at]);
        const uint32_t bits = types_.at(index.type).bits;
        const Type& here = types_.at(type);
        if (!first && here.kind == Type::structure) {
            if (index.row >= 0) throw Malformed("a member of a structure that is no constant");
            const uint64_t member = module_.constants_[size_t(~index.row)][0];
            if (member >= here.members.size()) throw Malformed("a member beyond its structure");
            in.offset += here.offsets[member];
            type = here.members[member];
            continue;
        }
        if (!first) type = here.element;
        in.steps.push_back({index.row, bits, types_.at(type).bytes});
    }
}

} // namespace spirv_machine
