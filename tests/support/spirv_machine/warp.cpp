#include "warp.h"

#include <algorithm>
#include <cstring>

namespace spirv_machine {

namespace {

/// Blocks that a warp runs before others get their turn: they may wait for each other.
constexpr unsigned blocks_a_turn = 200;

} // namespace

Warp::Warp(const Module& m, const Kernel& k, const Group& g, uint32_t n, const std::vector<uint64_t>& arguments)
    : module(m), kernel(k), group(g), number(n), rows_(k.rows) {
    private_.resize(k.private_bytes * lanes + 16);
    private_address_ = (reinterpret_cast<uint64_t>(private_.data()) + 15) / 16 * 16;
    private_end_ = private_address_ + k.private_bytes * lanes;
    for (unsigned lane = 0; lane < lanes; lane++) {
        place_[lane] = k.entry;
        if (n * lanes + lane < g.threads) live_ |= 1u << lane;
    }
    for (size_t i = 0; i < arguments.size(); i++) to(k.parameters[i].row).fill(arguments[i]);
    for (const Variable& variable : k.variables) {
        Lanes& address = to(variable.row);
        for (unsigned lane = 0; lane < lanes; lane++)
            address[lane] = variable.storage == storage_workgroup
                                ? g.memory_address + variable.offset
                                : private_address_ + lane * k.private_bytes + variable.offset;
        if (variable.storage == storage_input) set_built_in(variable);
        if (variable.initialised) initialise(variable);
    }
}

void Warp::set_built_in(const Variable& variable) {
    for (unsigned lane = 0; lane < lanes; lane++) {
        const uint32_t thread = number * lanes + lane;
        const auto& size = group.size;
        const uint64_t local[3] = {thread % size[0], thread / size[0] % size[1], thread / size[0] / size[1]};
        uint64_t values[3] = {};
        for (unsigned axis = 0; axis < 3; axis++) {
            switch (variable.built_in) {
            case built_in_local_invocation_id:
                values[axis] = local[axis];
                break;
            case built_in_workgroup_id:
                values[axis] = group.id[axis];
                break;
            case built_in_workgroup_size:
            case built_in_enqueued_workgroup_size:
                values[axis] = size[axis];
                break;
            case built_in_num_workgroups:
                values[axis] = group.groups[axis];
                break;
            case built_in_global_invocation_id:
                values[axis] = uint64_t{group.id[axis]} * size[axis] + local[axis];
                break;
            case built_in_global_size:
                values[axis] = uint64_t{group.groups[axis]} * size[axis];
                break;
            case built_in_global_offset:
                break;
            case built_in_local_invocation_index:
                values[axis] = thread;
                break;
            case built_in_subgroup_size:
            case built_in_subgroup_max_size:
                values[axis] = lanes;
                break;
            case built_in_num_subgroups:
                values[axis] = group.warps;
                break;
            case built_in_subgroup_id:
                values[axis] = number;
                break;
            case built_in_subgroup_local_invocation_id:
                values[axis] = lane;
                break;
            default:
                stop("built-in variable " + std::to_string(variable.built_in) + " is not known");
            }
        }
        auto* place = reinterpret_cast<uint8_t*>(to(variable.row)[lane]);
        // Three numbers of size_t, or one of either size.
        const size_t count = variable.bytes > 8 ? 3 : 1, bytes = variable.bytes > 8 ? 8 : variable.bytes;
        for (size_t axis = 0; axis < count; axis++) std::memcpy(place + axis * bytes, &values[axis], bytes);
    }
}

void Warp::initialise(const Variable& variable) {
    for (unsigned lane = 0; lane < lanes; lane++)
        for (uint32_t i = 0; i < variable.places.size(); i++)
            std::memcpy(reinterpret_cast<uint8_t*>(to(variable.row)[lane]) + variable.places[i].offset,
                        &at(scalar(variable.initial, i))[lane], variable.places[i].bytes);
}

void Warp::stop(const std::string& why) const { throw Stop("kernel " + kernel.name + ": " + why); }

void Warp::check(const Instruction& in, uint64_t address, uint64_t bytes, uint64_t alignment) {
    const auto inside = [&](uint64_t begin, uint64_t end) { return address >= begin && bytes <= end - address; };
    if (alignment && address % alignment)
        stop("instruction " + std::to_string(in.opcode) + ": address " + std::to_string(address) +
             " is not aligned to " + std::to_string(alignment));
    if (address >= recent_.begin && address < recent_.end && bytes <= recent_.end - address) return;
    if (address >= private_address_ && address < private_end_ && inside(private_address_, private_end_)) return;
    const uint64_t group_end = reinterpret_cast<uint64_t>(group.memory.data()) + group.memory.size();
    if (address >= group.memory_address && address < group_end && inside(group.memory_address, group_end)) return;
    for (const std::vector<Range>* ranges : {group.device, &module.memory()}) {
        // Sorted by their begin.
        auto found = std::upper_bound(ranges->begin(), ranges->end(), address,
                                      [](uint64_t a, const Range& range) { return a < range.begin; });
        if (found == ranges->begin() || address >= (--found)->end || bytes > found->end - address) continue;
        recent_ = *found;
        return;
    }
    char text[80];
    std::snprintf(text, sizeof text, "access to %llu bytes at 0x%llx, which is nobody's", (unsigned long long)bytes,
                  (unsigned long long)address);
    stop(text);
}

StorageClass Warp::storage_of(uint64_t address) const {
    if (address >= private_address_ && address < private_end_) return storage_function;
    const uint64_t group_end = reinterpret_cast<uint64_t>(group.memory.data()) + group.memory.size();
    if (address >= group.memory_address && address < group_end) return storage_workgroup;
    return storage_cross_workgroup;
}

uint32_t Warp::uniform(const Instruction& in, size_t index) const {
    return uint32_t(operand(in, index)[size_t(std::countr_zero(mask))]);
}

/// The lanes at the least place: the others are further on, and wait.
void Warp::choose_block() {
    uint32_t least = UINT32_MAX;
    for (uint32_t rest = live_; rest; rest &= rest - 1) least = std::min(least, place_[std::countr_zero(rest)]);
    mask = 0;
    for (uint32_t rest = live_; rest; rest &= rest - 1) {
        const unsigned lane = unsigned(std::countr_zero(rest));
        if (place_[lane] == least) mask |= 1u << lane;
    }
    block_ = least;
    next_ = 0;
}

void Warp::run() {
    if (state == State::at_barrier) state = State::running; // the last instruction is done
    for (unsigned blocks = 0; live_ && blocks < blocks_a_turn; blocks++) {
        if (mask == 0) choose_block();
        const Block& block = kernel.blocks[block_];
        while (next_ < block.instructions.size()) {
            const Instruction& in = block.instructions[next_++];
            ++executed;
            in.execute(*this, in);
            if (state == State::at_barrier) return;
        }
        executed += !block.latch;
        leave_block(block);
        mask = 0;
    }
    if (!live_) state = State::ended;
}

void Warp::leave_block(const Block& block) {
    switch (block.end) {
    case Block::jump:
        return go(mask, block.edges[0]);
    case Block::branch: {
        const Lanes& condition = at(block.condition);
        uint32_t yes = 0;
        each_lane([&](unsigned lane) { yes |= uint32_t(condition[lane] & 1) << lane; });
        if (yes) go(yes, block.edges[0]);
        if (mask & ~yes) go(mask & ~yes, block.edges[1]);
        return;
    }
    case Block::choice: {
        const Lanes selector = at(block.condition);
        each_lane([&](unsigned lane) {
            const auto found = std::find(block.choices.begin(), block.choices.end(), selector[lane]);
            const size_t edge = found == block.choices.end() ? 0 : size_t(found - block.choices.begin()) + 1;
            go(1u << lane, block.edges[edge]);
        });
        return;
    }
    case Block::leave:
        live_ &= ~mask;
        return;
    case Block::unreachable:
        stop("it comes to what cannot be reached");
    }
}

void Warp::go(uint32_t going, const Edge& edge) {
    const uint32_t before = mask;
    mask = going;
    // All are read before one is written: phis may exchange values.
    moved_.clear();
    for (const Edge::Move& move : edge.moves)
        for (uint32_t i = 0; i < move.scalars; i++)
            each_lane([&, &from = at(scalar(move.from, i))](unsigned lane) { moved_.push_back(from[lane]); });
    size_t next = 0;
    for (const Edge::Move& move : edge.moves)
        for (uint32_t i = 0; i < move.scalars; i++)
            each_lane([&, &place = to(scalar(move.to, i))](unsigned lane) { place[lane] = moved_[next++]; });
    each_lane([&](unsigned lane) { place_[lane] = edge.block; });
    mask = before;
}

} // namespace spirv_machine
