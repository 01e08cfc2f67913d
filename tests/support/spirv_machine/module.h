#pragma once

#include "spirv.h"
#include "types.h"

#include <array>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

/// An interpreter of SPIR-V kernels (OpenCL flavour) that keeps sub-groups of 32 together: a second reader of what the
/// translator writes, which shares no code with it. Strict where hardware is: what the specification leaves undefined
/// gives useless values, or stops the launch.
namespace spirv_machine {

inline constexpr unsigned lanes = 32;

/// A number of every lane: bits zero-extended. Booleans are 0 and 1, pointers host addresses.
using Lanes = std::array<uint64_t, lanes>;

/// Not SPIR-V, or SPIR-V that this reader lacks.
struct Malformed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Where a value's first scalar is: >= 0, in the warp's registers; < 0, the complement of its place among the module's
/// constants. Further scalars follow (downwards in the second case).
using Row = int32_t;

class Warp;
struct Instruction;
using Execute = void (*)(Warp&, const Instruction&);

struct Instruction {
    Execute execute = nullptr;
    uint16_t opcode = 0;
    Row result = 0;
    uint32_t scalars = 0;      ///< of the result, or of what is stored
    uint32_t bits = 0;         ///< of its scalars, that is the first one
    uint32_t operand_bits = 0; ///< of the first operand's
    bool saturated = false;
    Rounding rounding = Rounding::nearest;
    uint32_t type = 0, operand_type = 0; ///< ids: of the result and the first operand
    std::vector<Row> operands;
    std::vector<uint32_t> words; ///< literals
    std::vector<Scalar> places;  ///< of the result, or of what is stored
    /// Access chains: an address is the first operand + offset + the sum of each index, sign-extended, times its
    /// stride.
    struct Step {
        Row index;
        uint32_t bits;
        uint64_t stride;
    };
    std::vector<Step> steps;
    uint64_t offset = 0;
    uint32_t id = 0; ///< of the result, for messages
};

/// From one block to another, with what the phis there take.
struct Edge {
    uint32_t block = 0;
    struct Move {
        Row to, from;
        uint32_t scalars;
    };
    std::vector<Move> moves;
};

struct Block {
    std::vector<Instruction> instructions;
    enum End : uint8_t { jump, branch, choice, leave, unreachable } end = leave;
    Row condition = 0;
    std::vector<Edge> edges;       ///< branch: true, false; choice: the default first
    std::vector<uint64_t> choices; ///< of the edges from the second on
    bool latch = false;            ///< where lanes of a loop wait for each other: nothing of the module's
};

/// A variable that every warp or lane has of its own.
struct Variable {
    Row row = 0; ///< holds its address
    uint32_t storage = 0, built_in = 0;
    uint64_t bytes = 0, offset = 0; ///< in the memory of its kind
    std::vector<Scalar> places;     ///< of an initialiser
    Row initial = 0;
    bool initialised = false;
};

struct Parameter {
    Row row = 0;
    uint32_t bytes = 0;     ///< of its value; 8 for pointers
    bool workgroup = false; ///< a pointer to memory of the group
};

struct Kernel {
    std::string name;
    std::vector<Block> blocks; ///< so numbered that the least number to run next lets lanes meet again: order.h
    uint32_t entry = 0;
    uint32_t rows = 0;
    uint32_t subgroup_size = 0; ///< as required; 0 if not
    std::vector<Parameter> parameters;
    std::vector<Variable> variables;
    uint64_t private_bytes = 0; ///< of a lane
    uint64_t group_bytes = 0;   ///< of variables in the group's memory
    uint64_t instructions = 0;  ///< in the text: without labels, phis and variables, which cost nothing by themselves
};

struct Range {
    uint64_t begin, end;
};

class Module {
  public:
    /// Throws Malformed.
    explicit Module(std::span<const uint8_t> bytes);
    Module(const Module&) = delete;

    const Kernel* kernel(const std::string& name) const;
    const std::vector<Lanes>& constants() const { return constants_; }
    const Types& types() const { return types_; }
    /// The module's own variables.
    const std::vector<Range>& memory() const { return memory_; }

  private:
    friend class Reader;
    Types types_;
    std::vector<Lanes> constants_;
    std::vector<std::unique_ptr<uint8_t[]>> storage_;
    std::vector<Range> memory_;
    std::vector<std::unique_ptr<Kernel>> kernels_;
};

} // namespace spirv_machine
