#include "launch.h"

#include "warp.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

namespace spirv_machine {

namespace {

constexpr uint64_t group_alignment = 1024;

/// Arguments as numbers; those in the group's memory as offsets in it, behind the kernel's own variables.
struct Values {
    std::vector<uint64_t> numbers;
    std::vector<size_t> offsets; ///< of which arguments
    uint64_t group_bytes;
};

Values values_of(const Launch& launch) {
    const Kernel& kernel = *launch.kernel;
    if (launch.arguments.size() != kernel.parameters.size())
        throw Stop("kernel " + kernel.name + ": missing arguments");
    Values values{{}, {}, kernel.group_bytes};
    for (size_t i = 0; i < launch.arguments.size(); i++) {
        const Argument& argument = launch.arguments[i];
        const Parameter& parameter = kernel.parameters[i];
        if (argument.value.empty() != parameter.workgroup ||
            (!parameter.workgroup && argument.bytes != parameter.bytes))
            throw Stop("kernel " + kernel.name + ": argument " + std::to_string(i) + " is not of its parameter's kind");
        uint64_t number = 0;
        if (parameter.workgroup) {
            number = (values.group_bytes + 63) / 64 * 64;
            values.group_bytes = number + argument.bytes;
            values.offsets.push_back(i);
        } else {
            std::memcpy(&number, argument.value.data(), argument.bytes);
        }
        values.numbers.push_back(number);
    }
    return values;
}

class GroupRun {
  public:
    GroupRun(const Launch& launch, const Values& values, std::array<uint32_t, 3> id) {
        group_.id = id;
        group_.size = launch.size;
        group_.groups = launch.groups;
        group_.threads = launch.size[0] * launch.size[1] * launch.size[2];
        group_.warps = (group_.threads + lanes - 1) / lanes;
        // Group memory holds anything at first.
        group_.memory.assign(values.group_bytes + group_alignment, 0x5a);
        const auto begin = reinterpret_cast<uint64_t>(group_.memory.data());
        group_.memory_address = (begin + group_alignment - 1) / group_alignment * group_alignment;
        group_.memory.resize(group_.memory_address - begin + values.group_bytes);
        group_.device = &launch.memory;
        std::vector<uint64_t> arguments = values.numbers;
        for (size_t i : values.offsets) arguments[i] += group_.memory_address;
        for (uint32_t i = 0; i < group_.warps; i++)
            warps_.push_back(std::make_unique<Warp>(*launch.module, *launch.kernel, group_, i, arguments));
    }

    /// Each warp a while. False once all have ended.
    bool turn() {
        for (auto& warp : warps_)
            if (warp->state == Warp::State::running) warp->run();
        size_t ended = 0, waiting = 0;
        for (auto& warp : warps_) {
            ended += warp->state == Warp::State::ended;
            waiting += warp->state == Warp::State::at_barrier;
        }
        if (waiting == warps_.size())
            for (auto& warp : warps_) warp->state = Warp::State::running;
        else if (waiting && waiting + ended == warps_.size())
            warps_[0]->stop(std::to_string(waiting) + " warps wait at a barrier that " + std::to_string(ended) +
                            " have left for ever");
        return ended < warps_.size();
    }

    uint64_t executed() const {
        uint64_t executed = 0;
        for (const auto& warp : warps_) executed += warp->executed;
        return executed;
    }

  private:
    Group group_;
    std::vector<std::unique_ptr<Warp>> warps_;
};

} // namespace

uint64_t run(const Launch& launch) {
    const Values values = values_of(launch);
    std::vector<std::unique_ptr<GroupRun>> under_way;
    uint64_t executed = 0;
    const auto finish = [&] {
        for (bool more = true; more;) {
            more = false;
            for (const auto& group : under_way) more |= group->turn();
        }
        for (const auto& group : under_way) executed += group->executed();
        under_way.clear();
    };
    std::array<uint32_t, 3> id{};
    for (id[2] = 0; id[2] < launch.groups[2]; id[2]++)
        for (id[1] = 0; id[1] < launch.groups[1]; id[1]++)
            for (id[0] = 0; id[0] < launch.groups[0]; id[0]++) {
                under_way.push_back(std::make_unique<GroupRun>(launch, values, id));
                if (!launch.together) finish();
            }
    finish();
    return executed;
}

} // namespace spirv_machine
